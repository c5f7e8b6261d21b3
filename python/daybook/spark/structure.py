"""Translations of what queries are made of: selections, joins, windows, aggregates."""

from __future__ import annotations

from typing import Any

from daybook.optional import module
from daybook.spark.making import call, number, spark
from daybook.spark.translate import Context, refuse

__all__ = ["RULES"]


def _select(node: Any, context: Context) -> Any:
    exp = module("sqlglot").exp
    unnested = [one for one in node.expressions if one.find(exp.Explode)]
    if len(unnested) > 1:
        refuse("more than one `unnest` in a query")
    if unnested and (node.args.get("group") or any(one.find(exp.AggFunc) for one in node.expressions)):
        _explode_first(node, unnested[0])
    return node


def _explode_first(node: Any, unnested: Any) -> None:
    """DuckDB groups by elements that it takes apart in the same query; Spark has to take them apart before."""
    exp = module("sqlglot").exp
    groups = {group.name.lower() for group in node.args["group"].expressions} if node.args.get("group") else set()
    if not isinstance(unnested, exp.Alias) or not isinstance(unnested.this, exp.Explode) or (
            unnested.alias.lower() not in groups):
        refuse("`unnest` beside an aggregate", "write `unnest(column) AS name` and group by this name")
    name = exp.to_identifier(unnested.alias)
    alias = exp.TableAlias(this=exp.to_identifier("daybook_each"), columns=[name])
    node.set("laterals", [exp.Lateral(this=unnested.this.copy(), view=True, alias=alias)])
    unnested.replace(exp.column(name.copy()))


def _distinct(node: Any, context: Context) -> Any:
    exp = module("sqlglot").exp
    if isinstance(node.parent, (exp.Select, exp.Count, exp.Sum, exp.Avg, exp.Union, exp.Except, exp.Intersect)):
        return node
    refuse("`DISTINCT` here")


def _cte(node: Any, context: Context) -> Any:
    node.set("materialized", None)
    return node


def _join(node: Any, context: Context) -> Any:
    exp = module("sqlglot").exp
    if node.side.upper() not in ("", "LEFT", "RIGHT", "FULL") or node.kind.upper() not in ("", "INNER", "OUTER", "CROSS",
                                                                                         "SEMI", "ANTI"):
        refuse(f"a join that is {node.side} {node.kind}".rstrip())
    if not isinstance(node.this, (exp.Table, exp.Subquery)):
        refuse("a join with a function")
    return node


def _from(node: Any, context: Context) -> Any:
    exp = module("sqlglot").exp
    if not isinstance(node.this, (exp.Table, exp.Subquery)):
        refuse(f"`FROM {node.this.sql('duckdb')[:60]}`")
    return node


def _order(node: Any, context: Context) -> Any:
    exp = module("sqlglot").exp
    if node.args.get("this") is not None and not isinstance(node.parent, exp.GroupConcat):
        refuse("`ORDER BY` in an aggregate")
    if any(one.this.name.lower() == "all" for one in node.expressions):
        refuse("`ORDER BY ALL`")
    return node


def _limit(node: Any, context: Context) -> Any:
    if context.kind(node.expression) != "whole":
        refuse("a limit that is no whole number")
    return node


def _window(node: Any, context: Context) -> Any:
    spec = node.args.get("spec")
    if spec is not None and str(spec.args.get("kind")).upper() not in ("ROWS", "RANGE"):
        refuse("a frame of groups")
    exp = module("sqlglot").exp
    inner = node.this.this if isinstance(node.this, exp.Filter) else node.this
    if isinstance(inner, exp.Anonymous):
        refuse("this function over a window")
    return node


def _count(node: Any, context: Context) -> Any:
    if node.args.get("this") is None and not node.expressions:
        node.set("this", module("sqlglot").exp.Star())
    return node


def _filtered(aggregate: Any, condition: Any) -> Any:
    exp = module("sqlglot").exp
    return exp.Filter(this=aggregate, expression=exp.Where(this=condition))


def _arg(function: str) -> Any:
    def made(node: Any, context: Context) -> Any:
        # DuckDB leaves out rows where one of both is null.
        return _filtered(call(function, node.this, node.expression),
                         spark(":x IS NOT NULL AND :y IS NOT NULL", x=node.this, y=node.expression))
    return made


def _filter(node: Any, context: Context) -> Any:
    exp = module("sqlglot").exp
    inner = node.this
    if isinstance(inner, exp.Filter):
        both = exp.And(this=inner.expression.this.copy(), expression=exp.Paren(this=node.expression.this.copy()))
        return _filtered(inner.this.copy(), both)
    return node


def _quantile(node: Any, context: Context) -> Any:
    _must_be_number(node.this, context, "quantile_cont")
    return call("percentile", node.this, node.expression)


def _median(node: Any, context: Context) -> Any:
    _must_be_number(node.this, context, "median")
    return call("percentile", node.this, number(0.5))


def _must_be_number(node: Any, context: Context, function: str) -> None:
    if context.kind(node) not in ("whole", "double"):
        refuse(f"`{function}` of what may be no number")


def _any_value(node: Any, context: Context) -> Any:
    exp = module("sqlglot").exp
    if not isinstance(node.this, exp.AnyValue):
        refuse("`IGNORE NULLS` here")
    return call("any_value", node.this.this, exp.true())


def _average(node: Any, context: Context) -> Any:
    exp = module("sqlglot").exp
    if isinstance(node.this, exp.Distinct):
        return node
    if context.kind(node.this) not in ("whole", "double", "decimal"):
        refuse("`avg` of what may be no number")
    return exp.Avg(this=exp.cast(node.this, "DOUBLE"))


def _grouping(node: Any, context: Context) -> Any:
    if len(node.expressions) == 1:
        return call("grouping", *node.expressions)
    return call("grouping_id", *node.expressions)


def _group_concat(node: Any, context: Context) -> Any:
    exp = module("sqlglot").exp
    inner = node.this.this if isinstance(node.this, exp.Order) else node.this
    if context.kind(inner) != "text":
        refuse("`string_agg` of what may be no text", "cast it to VARCHAR")
    if node.args.get("separator") is not None and context.text(node.args["separator"]) is None:
        refuse("a separator that is no literal")
    return node


def _explode(node: Any, context: Context) -> Any:
    exp = module("sqlglot").exp
    parent = node.parent.parent if isinstance(node.parent, exp.Alias) else node.parent
    if not isinstance(parent, exp.Select) or node.args.get("expressions") or context.kind(node.this) != "list":
        refuse("`unnest` here", "select `unnest(column) AS name`")
    return node


RULES = {
    "Select": _select, "Distinct": _distinct, "CTE": _cte, "Join": _join, "From": _from, "Order": _order, "Limit": _limit,
    "Offset": _limit, "Window": _window, "Count": _count, "ArgMax": _arg("max_by"), "ArgMin": _arg("min_by"),
    "Filter": _filter, "PercentileCont": _quantile, "Median": _median, "IgnoreNulls": _any_value, "Avg": _average,
    "Grouping": _grouping, "GroupConcat": _group_concat, "Explode": _explode,
}
