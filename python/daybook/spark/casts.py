"""Translations of types: casts, comparisons and arithmetic, which depend on what stands on both sides."""

from __future__ import annotations

import re
from typing import Any

from daybook.optional import module
from daybook.spark.making import call, spark
from daybook.spark.translate import Context, refuse

__all__ = ["RULES", "as_time"]

_TIME = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?)?")
#: Numbers as DuckDB reads them; Java also reads `1d` and `0x1p3`.
_NUMBER = r"^\\s*[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?\\s*$|^\\s*[+-]?(?i:nan|inf|infinity)\\s*$"
_INTEGERS = ("TINYINT", "SMALLINT", "INT", "BIGINT")
_NUMERIC = ("whole", "double", "decimal")


def _cast(node: Any, context: Context) -> Any:
    exp = module("sqlglot").exp
    kinds, to = exp.DataType.Type, node.args["to"]
    source, tries = context.kind(node.this), isinstance(node, exp.TryCast)
    if to.this in exp.DataType.TEXT_TYPES:
        return _to_text(node, source)
    if to.this in (kinds.DOUBLE, kinds.FLOAT):
        return _to_double(node, source, tries)
    if to.this in exp.DataType.INTEGER_TYPES and to.this.name in _INTEGERS:
        return _to_whole(node, source, tries)
    if to.this in (kinds.TIMESTAMP, kinds.TIMESTAMPNTZ, kinds.TIMESTAMPTZ):
        return _to_time(node, source, context)
    if to.this == kinds.DATE and (source in ("time", "date", "null") or _is_time(node.this, context)):
        return node
    if to.this == kinds.BOOLEAN and source in ("bool", "null"):
        return node
    if to.this == kinds.DECIMAL and source in ("whole", "decimal", "null"):
        return node
    return _no_cast(node, source)


def _no_cast(node: Any, source: str) -> Any:
    refuse(f"the cast of {source} to {node.args['to'].sql('duckdb')}")


def _to_text(node: Any, source: str) -> Any:
    if source in ("text", "whole", "decimal", "bool", "date", "time", "null"):
        return node
    if source == "double":
        return call("daybook_double_text", node.this)
    return _no_cast(node, source)


def _to_double(node: Any, source: str, tries: bool) -> Any:
    if source in (*_NUMERIC, "bool", "null"):
        return node
    if source != "text":
        return _no_cast(node, source)
    if tries:
        return spark(f"CASE WHEN :x RLIKE '{_NUMBER}' THEN try_cast(:x AS DOUBLE) END", x=node.this)
    return spark(f"CASE WHEN :x IS NULL OR :x RLIKE '{_NUMBER}' THEN CAST(:x AS DOUBLE) "
                 "ELSE raise_error(concat(:x, ' is no number')) END", x=node.this)


def _to_whole(node: Any, source: str, tries: bool) -> Any:
    exp = module("sqlglot").exp
    to = node.args["to"]
    if source in ("whole", "bool", "null"):
        return node
    if source == "double":
        # DuckDB rounds, and Spark cuts.
        made = exp.TryCast if tries else exp.Cast
        return made(this=call("rint", node.this), to=to)
    return _no_cast(node, source)


def _to_time(node: Any, source: str, context: Context) -> Any:
    exp = module("sqlglot").exp
    if source in ("time", "date", "null"):
        return exp.Cast(this=node.this, to=exp.DataType.build("TIMESTAMPLTZ"))
    if _is_time(node.this, context):
        return exp.Cast(this=node.this, to=exp.DataType.build("TIMESTAMPLTZ"))
    return _no_cast(node, source)


def _is_time(node: Any, context: Context) -> bool:
    text = context.text(node)
    return text is not None and _TIME.fullmatch(text) is not None


def as_time(node: Any) -> Any:
    """A date or an instant as an instant."""
    exp = module("sqlglot").exp
    return exp.Cast(this=node, to=exp.DataType.build("TIMESTAMPLTZ"))


def _compared(node: Any, context: Context) -> Any:
    _check_compared([node.this, node.expression], context)
    return node


def _in(node: Any, context: Context) -> Any:
    _check_compared([node.this, *node.expressions], context)
    return node


def _between(node: Any, context: Context) -> Any:
    _check_compared([node.this, node.args["low"], node.args["high"]], context)
    return node


def _check_compared(nodes: list[Any], context: Context) -> None:
    kinds = [context.kind(node) for node in nodes]
    if not {"time", "date"} & set(kinds):
        if "text" in kinds and {*_NUMERIC, "bool"} & set(kinds) or "bool" in kinds and {*_NUMERIC} & set(kinds):
            refuse("a comparison of values of two types", "cast one of them")
        return
    for node, kind in zip(nodes, kinds):
        if kind in ("time", "date", "null") or kind == "unknown":
            continue
        if not _is_time(node, context):
            refuse(f"a comparison of a time with {kind}", "write TIMESTAMP '2026-02-03 04:05:06'")


def _sum(node: Any, context: Context) -> Any:
    exp = module("sqlglot").exp
    one, other = context.kind(node.this), context.kind(node.expression)
    if {one, other} <= {*_NUMERIC, "null", "unknown"} and one != "unknown" and other != "unknown":
        return node
    if other == "interval" and one in ("time", "date"):
        return type(node)(this=as_time(node.this), expression=node.expression)
    if isinstance(node, exp.Sub) and (one, other) == ("date", "date"):
        return call("datediff", node.this, node.expression)
    if one == "date" and other == "whole":
        return node
    refuse(f"{one} {'-' if isinstance(node, exp.Sub) else '+'} {other}")


def _product(node: Any, context: Context) -> Any:
    if {context.kind(node.this), context.kind(node.expression)} <= {*_NUMERIC, "null"}:
        return node
    refuse("a product of what may be no numbers")


def _quotient(node: Any, context: Context) -> Any:
    for side in (node.this, node.expression):
        if context.kind(side) not in (*_NUMERIC, "null"):
            refuse("a quotient of what may be no numbers", "cast both to DOUBLE")
    return spark("CASE WHEN CAST(:b AS DOUBLE) = 0 THEN CAST(:a AS DOUBLE) * CAST('Infinity' AS DOUBLE) "
                 "ELSE CAST(:a AS DOUBLE) / CAST(:b AS DOUBLE) END", a=node.this, b=node.expression)


def _remainder(node: Any, context: Context) -> Any:
    if {context.kind(node.this), context.kind(node.expression)} != {"whole"}:
        refuse("a remainder of what may be no whole numbers")
    return node


def _negative(node: Any, context: Context) -> Any:
    if context.kind(node.this) not in (*_NUMERIC, "null"):
        refuse("`-` of what may be no number")
    return node


def _interval(node: Any, context: Context) -> Any:
    count, unit = node.this, node.args.get("unit")
    text = str(getattr(count, "this", ""))
    if unit is None or not re.fullmatch(r"-?\d{1,9}", text):
        refuse("an interval that is not written as INTERVAL 5 MINUTES")
    if unit.name.upper().rstrip("S") not in ("MICROSECOND", "MILLISECOND", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK",
                                             "MONTH", "YEAR"):
        refuse(f"an interval in {unit.name}")
    return node


def _case(node: Any, context: Context) -> Any:
    values = [one.args["true"] for one in node.args["ifs"]] + [node.args["default"]] * (node.args.get("default") is not None)
    _check_alike(values, context)
    if node.args.get("this") is not None:
        _check_compared([node.this, *(one.this for one in node.args["ifs"])], context)
    return node


def _coalesce(node: Any, context: Context) -> Any:
    _check_alike([node.this, *node.expressions], context)
    return node


def _check_alike(nodes: list[Any], context: Context) -> None:
    """Values that one of several gives: Spark makes texts of numbers where the others are texts, in its own way."""
    kinds = {context.kind(node) for node in nodes} - {"null"}
    if kinds <= set(_NUMERIC) or kinds <= {"time", "date"} or len(kinds) <= 1:
        return
    refuse(f"one value of {' or '.join(sorted(kinds))}", "cast all to one type")


RULES = {
    "Cast": _cast, "TryCast": _cast, "EQ": _compared, "NEQ": _compared, "GT": _compared, "GTE": _compared, "LT": _compared,
    "LTE": _compared, "NullSafeEQ": _compared, "NullSafeNEQ": _compared, "In": _in, "Between": _between, "Add": _sum,
    "Sub": _sum, "Mul": _product, "Div": _quotient, "Mod": _remainder, "Neg": _negative, "Interval": _interval,
    "Case": _case, "Coalesce": _coalesce, "Nullif": _compared,
}
