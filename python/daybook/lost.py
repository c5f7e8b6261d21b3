"""Events that the store did not take: they go to Python's logging."""

from __future__ import annotations

import json
import logging
from typing import Any

from daybook import values

__all__ = ["BAD", "lose", "lost", "tell"]

#: Events that could not be stored, each as JSON, at their own level.
lost = logging.getLogger("daybook.lost")

#: Levels of what is never dropped in silence.
BAD = frozenset({"error", "critical", "fatal", "high", "alert", "emergency"})

_LEVELS = {"trace": 10, "debug": 10, "warning": 30, "medium": 30, "error": 40, "high": 40, "critical": 50, "fatal": 50}


def lose(record: dict[str, Any], reason: str) -> None:
    """An event that could not be handed over."""
    try:
        tell(values.encode(record), reason)
    except Exception:
        lost.exception("%s: %r", reason, record)


def tell(record: bytes, reason: str) -> None:
    """An event that could not be appended."""
    text = record.decode("utf-8", "replace")
    try:
        level = _LEVELS.get(str(json.loads(text).get("level")), logging.INFO)
    except (ValueError, AttributeError):
        level = logging.ERROR
    lost.log(level, "%s: %s", reason, text)
