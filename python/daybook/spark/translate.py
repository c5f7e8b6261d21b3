"""DuckDB's SQL as Spark's. Each kind of node of a query is on a list of what means the same in both, or is translated by a
function here; every other one is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from daybook.errors import RefusedError, SyntaxInvalidError, UnsupportedError
from daybook.optional import module

__all__ = ["Context", "Known", "Translated", "refuse", "translated"]

#: Types of DuckDB, as the native half names columns of answers.
_TYPES = {"Int8": "TINYINT", "Int16": "SMALLINT", "Int32": "INT", "Int64": "BIGINT", "Float64": "DOUBLE", "Utf8": "TEXT",
          "Boolean": "BOOLEAN", "Date32": "DATE"}


#: Operators that sqlglot takes for others.
_UNCLEAR = frozenset({"~", "!~", "~*", "!~*", "~~", "!~~", "~~*", "!~~*", "~~~", "^@", "**", "^"})


@dataclass(frozen=True)
class Known:
    """The tables: for each column the name and Arrow's type."""

    columns: dict[str, dict[str, str]]

    def schema(self) -> dict[str, object]:
        """The types as sqlglot reads them."""
        return {table: {name: _type(kind) for name, kind in columns.items()} for table, columns in self.columns.items()}


def _type(kind: str) -> str:
    if kind.startswith("List("):
        inner = next((name for arrow, name in _TYPES.items() if arrow in kind), "TIMESTAMP")
        return f"{inner}[]"
    return "TIMESTAMP" if kind.startswith("Timestamp") else _TYPES.get(kind, "UNKNOWN")


@dataclass
class Translated:
    """A query for Spark."""

    sql: str
    parameters: dict[str, Any]
    tables: set[str] = field(default_factory=set)


class Context:
    """What a translation knows: the types of what it found in the query, and the values of parameters."""

    def __init__(self, types: dict[int, Any], parameters: dict[str, Any]) -> None:
        self._types = types
        self.parameters = parameters

    def kind(self, node: Any) -> str:
        """`text`, `whole`, `double`, `decimal`, `bool`, `date`, `time`, `list`, `null`, `interval`; `unknown` otherwise."""
        exp = module("sqlglot").exp
        if isinstance(node, exp.Paren):
            return self.kind(node.this)
        if isinstance(node, (exp.Placeholder, exp.Parameter)):
            return _kind_of_value(self.parameters.get(node.name))
        if isinstance(node, exp.Neg):
            return self.kind(node.this)
        if isinstance(node, exp.Literal):
            return "text" if node.is_string else "whole" if node.name.isdigit() else "decimal"
        if isinstance(node, exp.Null):
            return "null"
        if isinstance(node, exp.Interval):
            return "interval"
        if isinstance(node, exp.Identifier):
            return self._kind_of_element(node)
        found = self._types.get(node.meta.get("number", -1)) or node.type
        if found is not None:
            return _kind_of_type(found)
        if isinstance(node, (exp.Sum, exp.Filter)):
            return self.kind(node.this)
        is_grouping = isinstance(node, exp.Anonymous) and str(node.this).startswith("grouping")
        return "whole" if is_grouping else "unknown"

    def _kind_of_element(self, node: Any) -> str:
        """The kind of a lambda's parameter: that of the elements of the list."""
        exp = module("sqlglot").exp
        lambda_ = node.find_ancestor(exp.Lambda)
        while lambda_ is not None and node.name not in {one.name for one in lambda_.expressions}:
            lambda_ = lambda_.find_ancestor(exp.Lambda)
        if lambda_ is None or not isinstance(lambda_.parent, (exp.ArrayFilter, exp.Transform)):
            return "unknown"
        values = lambda_.parent.this
        if isinstance(values, exp.Array) and values.expressions:
            return self.kind(values.expressions[0])
        found = self._types.get(values.meta.get("number", -1))
        inner = found.expressions[0] if found is not None and found.expressions else None
        return "unknown" if inner is None else _kind_of_type(inner)

    def text(self, node: Any) -> str | None:
        """The text of a literal or parameter."""
        exp = module("sqlglot").exp
        if isinstance(node, exp.Literal) and node.is_string:
            return str(node.this)
        if isinstance(node, (exp.Placeholder, exp.Parameter)):
            value = self.parameters.get(node.name)
            return value if isinstance(value, str) else None
        return None


def _kind_of_value(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return {int: "whole", float: "double", str: "text", list: "list", type(None): "null"}.get(type(value), "unknown")


def _kind_of_type(found: Any) -> str:
    exp = module("sqlglot").exp
    kinds = exp.DataType.Type
    if found.this in exp.DataType.INTEGER_TYPES:
        return "whole"
    if found.this in exp.DataType.TEXT_TYPES:
        return "text"
    if found.this in (kinds.DOUBLE, kinds.FLOAT):
        return "double"
    if found.this in (kinds.TIMESTAMP, kinds.TIMESTAMPTZ, kinds.TIMESTAMPNTZ, kinds.TIMESTAMPLTZ, kinds.DATETIME):
        return "time"
    return {kinds.BOOLEAN: "bool", kinds.DATE: "date", kinds.DATE32: "date", kinds.DECIMAL: "decimal",
            kinds.BIGDECIMAL: "decimal", kinds.ARRAY: "list", kinds.LIST: "list", kinds.NULL: "null",
            kinds.INTERVAL: "interval"}.get(found.this, "unknown")


def refuse(what: str, instead: str = "ask the store itself") -> NoReturn:
    """Refuses what Spark would answer in another way."""
    raise UnsupportedError(f"{what} is not translated to Spark", instead)


def translated(query: str, parameters: dict[str, Any], known: Known, check: Callable[[], None]) -> Translated:
    """A query for Spark. `check` asks the store itself, which knows best what is wrong with a query that is none."""
    sqlglot = module("sqlglot")
    exp = sqlglot.exp
    try:
        # As `regexp_matches` to sqlglot, which it is not.
        operators = {token.text for token in sqlglot.tokenize(query, read="duckdb")} & _UNCLEAR
        trees = sqlglot.parse(query, read="duckdb")
    except sqlglot.errors.SqlglotError as error:
        check()
        raise SyntaxInvalidError(f"sqlglot cannot read this: {error}") from error
    except RecursionError:
        refuse("a query that is nested so deep")
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        check()
        raise RefusedError("Spark is given one query, and nothing else")
    if operators:
        refuse(f"the operator `{min(operators)}`")
    try:
        return _of_tree(trees[0], dict(parameters), known)
    except RecursionError:
        refuse("a query that is nested so deep")


def _of_tree(tree: Any, parameters: dict[str, Any], known: Known) -> Translated:
    from daybook.spark.nodes import check_node, rules

    exp = module("sqlglot").exp
    nodes = list(tree.walk(bfs=False))
    for number, node in enumerate(nodes):
        node.meta["number"] = number
    context = Context(_types_of(tree, known), parameters)
    ctes = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    tables = set()
    for table in tree.find_all(exp.Table):
        name = table.name.lower()
        if not isinstance(table.this, exp.Identifier) or table.args.get("db"):
            refuse(f"the table `{table.sql('duckdb')}`")
        if name not in ctes and name not in known.columns:
            refuse(f"the table `{name}`")
        tables.add(name)
    handled = rules()
    # Those inside come before those around them.
    for node in reversed(nodes):
        check_node(node)
        rule = handled.get(type(node))
        if rule is None:
            continue
        made = rule(node, context)
        if made is not node:
            made.meta.setdefault("number", node.meta["number"])
            if node is tree:
                tree = made
            else:
                node.replace(made)
    sql = tree.sql(dialect="spark", identify=True, unsupported_level=module("sqlglot").ErrorLevel.RAISE)
    used = {node.name for node in tree.find_all(exp.Placeholder, exp.Parameter)}
    return Translated(sql, {name: value for name, value in context.parameters.items() if name in used}, tables)


def _types_of(tree: Any, known: Known) -> dict[int, Any]:
    """The types of a query's nodes, by their numbers; those that sqlglot does not find are missing."""
    from sqlglot.errors import SqlglotError
    from sqlglot.optimizer.annotate_types import annotate_types
    from sqlglot.optimizer.qualify import qualify

    schema = known.schema()
    try:
        typed = qualify(tree.copy(), dialect="duckdb", schema=schema, expand_stars=False, quote_identifiers=False,
                        validate_qualify_columns=False, identify=False)
        typed = annotate_types(typed, schema=schema, dialect="duckdb")
    except (SqlglotError, KeyError, AttributeError, ValueError):
        return {}
    types: dict[int, Any] = {}
    unknown = module("sqlglot").exp.DataType.Type.UNKNOWN
    for node in typed.walk():
        found = node.type
        if "number" in node.meta and found is not None and found.this != unknown:
            types.setdefault(node.meta["number"], found)
    return types
