"""Pieces of Spark's SQL."""

from __future__ import annotations

import functools
from typing import Any

from daybook.optional import module

__all__ = ["call", "number", "spark", "text"]


def spark(template: str, **parts: Any) -> Any:
    """An expression of Spark's SQL in which `:name` stands for a part."""
    exp = module("sqlglot").exp
    made = _parsed(template).copy()
    # Those of the template alone: what is put in may have some of its own.
    for hole in list(made.find_all(exp.Placeholder)):
        hole.replace(parts[hole.name].copy())
    return made


@functools.lru_cache(maxsize=256)
def _parsed(template: str) -> Any:
    exp = module("sqlglot").exp
    return exp.Paren(this=module("sqlglot").parse_one(template, read="spark"))


def call(function: str, *arguments: Any) -> Any:
    """A call of a function of Spark, as it is."""
    return module("sqlglot").exp.Anonymous(this=function, expressions=list(arguments))


def text(value: str) -> Any:
    """A literal."""
    return module("sqlglot").exp.Literal.string(value)


def number(value: int | float) -> Any:
    """A literal."""
    return module("sqlglot").exp.Literal.number(value)
