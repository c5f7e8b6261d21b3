"""The types that an answer has to have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daybook.errors import UnsupportedError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["checked"]

_NUMBERS = {"tinyint", "smallint", "int", "bigint", "float", "double"}

#: Types of Arrow that DuckDB gives, and the type of Spark that an answer is cast to.
_WANTED = {"Int8": "tinyint", "Int16": "smallint", "Int32": "int", "Int64": "bigint", "Float64": "double",
           "Utf8": "string", "LargeUtf8": "string", "Utf8View": "string", "Boolean": "boolean", "Date32": "date",
           "Float32": "float", "UInt64": "decimal(20,0)", "UInt32": "bigint"}


def checked(frame: DataFrame, columns: list[tuple[str, str]]) -> DataFrame:
    """The answer with the names and types that DuckDB would give. Another type is an answer to another question."""
    from pyspark.sql import functions

    if len(frame.columns) != len(columns):
        raise UnsupportedError("Spark would answer with other columns")
    numbered = frame.toDF(*(f"c{number}" for number in range(len(columns))))
    shown = []
    for number, ((name, kind), field) in enumerate(zip(columns, frame.schema.fields)):
        given, column = field.dataType.simpleString(), functions.col(f"c{number}")
        wanted = _wanted(kind, given)
        if wanted is None or not _fits(given, wanted):
            raise UnsupportedError(f"Spark would give `{name}` as {given}, and DuckDB as {kind}",
                                   "cast it to the type that you want")
        shown.append((column if given == wanted else column.cast(wanted)).alias(frame.columns[number]))
    return numbered.select(*shown)


def _wanted(kind: str, given: str) -> str | None:
    if kind in _WANTED:
        return _WANTED[kind]
    if kind.startswith("Timestamp"):
        return "timestamp"
    if kind.startswith("Decimal128"):
        # Sums of whole numbers, and numbers with a point.
        return given if given.startswith("decimal") or given in _NUMBERS else None
    if kind == "Null":
        return given
    if kind.startswith("List(") and given.startswith("array<"):
        inner = next((wanted for name, wanted in _WANTED.items() if name in kind), None)
        return f"array<{inner or 'timestamp'}>"
    return None


def _fits(given: str, wanted: str) -> bool:
    """Whether a cast keeps what a value means."""
    if given == wanted or given == "void":
        return True
    if given.startswith("array<") and wanted.startswith("array<"):
        return _fits(given[6:-1], wanted[6:-1])
    are_numbers = (given in _NUMBERS or given.startswith("decimal")) and (wanted in _NUMBERS or wanted.startswith("decimal"))
    return (are_numbers and not (given in ("double", "float") and wanted not in ("double", "float"))) or (
        {given, wanted} <= {"timestamp", "timestamp_ntz"}) or (given, wanted) == ("timestamp", "date")
