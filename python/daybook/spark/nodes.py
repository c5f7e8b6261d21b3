"""What may stand in a query for Spark: nodes that mean the same there, and where the others are translated."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from daybook.optional import module
from daybook.spark.translate import Context, refuse

__all__ = ["check_node", "rules"]

Rule = Callable[[Any, Context], Any]

_TWO = ("this", "expression")
#: The nodes that are allowed, with their parts that are.
_ALLOWED: dict[str, tuple[str, ...]] = {
    "Select": ("expressions", "from_", "where", "group", "having", "order", "limit", "offset", "distinct", "with_", "joins",
               "windows"),
    "Union": ("this", "expression", "distinct", "with_", "order", "limit", "offset"),
    "Except": ("this", "expression", "distinct", "with_", "order", "limit", "offset"),
    "Intersect": ("this", "expression", "distinct", "with_", "order", "limit", "offset"),
    "Subquery": ("this", "alias", "order", "limit", "offset"), "With": ("expressions",),
    "CTE": ("this", "alias", "materialized"), "TableAlias": ("this", "columns"), "Table": ("this", "alias", "joins"),
    "From": ("this",), "Where": ("this",), "Having": ("this",), "Order": ("this", "expressions"),
    "Group": ("expressions", "grouping_sets", "rollup", "cube", "all"), "Rollup": ("expressions",), "Cube": ("expressions",),
    "GroupingSets": ("expressions",), "Ordered": ("this", "desc", "nulls_first"), "Limit": ("expression",),
    "Offset": ("expression",), "Distinct": ("expressions",), "Join": ("this", "side", "kind", "on", "using"),
    "Alias": ("this", "alias"), "Column": ("this", "table"), "Identifier": ("this", "quoted"), "Star": ("except_",),
    "Literal": ("this", "is_string"), "Boolean": ("this",), "Null": (), "Paren": ("this",), "Tuple": ("expressions",),
    "Placeholder": ("this",), "Parameter": ("this",), "Var": ("this",), "Array": ("expressions",),
    "And": _TWO, "Or": _TWO, "Not": ("this",), "EQ": _TWO, "NEQ": _TWO, "GT": _TWO, "GTE": _TWO, "LT": _TWO, "LTE": _TWO,
    "NullSafeEQ": _TWO, "NullSafeNEQ": _TWO, "Is": _TWO, "In": ("this", "expressions", "query"),
    "Between": ("this", "low", "high"), "Case": ("this", "ifs", "default"), "If": ("this", "true", "false"),
    "Coalesce": ("this", "expressions"), "Nullif": _TWO, "Exists": ("this",),
    "Add": _TWO, "Sub": _TWO, "Mul": _TWO, "Div": (*_TWO, "typed", "safe"), "Mod": _TWO, "Neg": ("this",), "Abs": ("this",),
    "Cast": ("this", "to"), "TryCast": ("this", "to", "safe", "requires_string"), "DataType": ("this", "expressions", "nested"),
    "DataTypeParam": ("this",), "Interval": ("this", "unit"), "Round": ("this", "decimals"),
    "Floor": ("this",), "Ceil": ("this",), "Greatest": ("this", "expressions", "ignore_nulls"),
    "Least": ("this", "expressions", "ignore_nulls"),
    "Count": ("this", "expressions", "big_int"), "CountIf": ("this",), "Sum": ("this",), "Avg": ("this",), "Min": ("this",),
    "Max": ("this",), "AnyValue": ("this",), "ArgMax": _TWO, "ArgMin": _TWO, "Median": ("this",), "PercentileCont": _TWO,
    "LogicalAnd": ("this",), "LogicalOr": ("this",), "StddevSamp": ("this",), "Stddev": ("this",), "Variance": ("this",),
    "GroupConcat": ("this", "separator"), "Filter": _TWO, "Grouping": ("expressions",),
    "Window": ("this", "partition_by", "order", "spec", "alias", "over", "first"),
    "WindowSpec": ("kind", "start", "start_side", "end", "end_side"), "RowNumber": (), "Rank": (), "DenseRank": (),
    "PercentRank": (), "CumeDist": (), "Ntile": ("this",), "Lag": ("this", "offset", "default"),
    "Lead": ("this", "offset", "default"), "FirstValue": ("this",), "LastValue": ("this",),
    "Lower": ("this",), "Upper": ("this",), "Length": ("this",), "Trim": ("this",), "Substring": ("this", "start", "length"),
    "Left": _TWO, "Right": _TWO, "Concat": ("expressions", "safe", "coalesce"), "DPipe": (*_TWO, "safe"),
    "Replace": (*_TWO, "replacement"), "StartsWith": _TWO, "EndsWith": _TWO, "Contains": _TWO, "Chr": ("expressions",),
    "Like": (*_TWO, "negate"), "ILike": (*_TWO, "negate"), "RegexpLike": (*_TWO, "flag"), "RegexpFullMatch": (*_TWO, "options"),
    "ArrayContains": (*_TWO, "ensure_variant", "check_null"), "ArrayFilter": _TWO, "Transform": _TWO,
    "Lambda": ("this", "expressions"), "Explode": ("this", "expressions"),
    "TimestampTrunc": ("this", "unit", "input_type_preserved"), "DateTrunc": ("this", "unit", "unabbreviate"),
    "DateBin": _TWO, "DateDiff": (*_TWO, "unit", "date_part_boundary"), "Extract": _TWO, "TimeToStr": ("this", "format"),
    "UnixToTime": ("this", "scale"), "CurrentTimestamp": (), "CurrentDate": (), "Year": ("this",), "Month": ("this",),
    "Day": ("this",), "Hour": ("this",), "Minute": ("this",), "Second": ("this",), "Quarter": ("this",),
    "DayOfWeek": ("this",), "DayOfWeekIso": ("this",), "TimeToUnix": ("this",), "ToDays": ("this",), "IsNan": ("this",),
    "IgnoreNulls": ("this",), "DayOfYear": ("this",), "WeekOfYear": ("this",), "Week": ("this",),
    "Anonymous": ("this", "expressions"),
}


def check_node(node: Any) -> None:
    """Refuses a node that is not on the list, or that has a part that is not."""
    name = type(node).__name__
    allowed = _ALLOWED.get(name)
    shown = node.sql("duckdb")[:80]
    if allowed is None:
        refuse(f"`{shown}` ({name})")
    for part, value in node.args.items():
        if value not in (None, False, []) and part not in allowed:
            refuse(f"`{shown}` ({name} with {part.rstrip('_')})")


@functools.cache
def rules() -> dict[type, Rule]:
    """For each class of nodes what makes another of it."""
    from daybook.spark import casts, scalars, structure

    exp = module("sqlglot").exp
    named: dict[str, Rule] = {**structure.RULES, **scalars.RULES, **casts.RULES}
    return {getattr(exp, name): rule for name, rule in named.items() if hasattr(exp, name)}
