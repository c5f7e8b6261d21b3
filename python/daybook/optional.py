"""Packages that only some calls need."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["module"]

#: The extra of this package that installs another, where it has another name.
_EXTRAS = {"pyarrow": "arrow", "altair": "plot", "pyspark": "spark", "sqlglot": "spark"}


def module(name: str) -> Any:
    """A package that is needed for this alone."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        root = name.partition(".")[0]
        raise ImportError(f"this needs {name}: pip install daybook[{_EXTRAS.get(root, root)}]") from error
