"""Data files as DataFrames with an explicit schema, and the functions that Spark lacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from daybook.errors import UnsupportedError
from daybook.result import Result

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

__all__ = ["functions_of", "plain_frame", "view_of"]

#: Spark's types of stored columns.
_STORED = {
    "bool": "boolean", "int8": "tinyint", "int32": "int", "int64": "bigint", "double": "double", "string": "string",
    "timestamp": "timestamp", "list of bool": "array<boolean>", "list of int64": "array<bigint>",
    "list of double": "array<double>", "list of string": "array<string>", "list of timestamp": "array<timestamp>",
}
_ARROW = {"Int64": "bigint", "Int32": "int", "Utf8": "string", "Boolean": "boolean", "Float64": "double"}


def view_of(session: SparkSession, table: dict[str, Any], folder: str,
            functions: Mapping[str, Callable[..., Column]]) -> DataFrame:
    """The rows of data files as the store's own view shows them."""
    from pyspark.sql import functions as f

    stored = table["columns"]
    schema = ", ".join(f"{_quoted(column['name'])} {_STORED[column['stored']]}" for column in stored) + ", `day` date"
    if table["files"]:
        frame = session.read.schema(schema).option("basePath", folder).parquet(*table["files"])
    else:
        frame = session.createDataFrame([], schema)
    shown: list[Column] = []
    names = [column["name"] for column in stored]
    after = max(names.index(name) for name in ("seq", "ts") if name in names)
    for number, column in enumerate(stored):
        shown.append(_shown(column, functions).alias(column["name"]))
        if number == after:
            shown.append(f.timestamp_micros(f.col("seq")).alias("recorded_at"))
    return frame.select(*shown, f.col("day"))


def _shown(column: dict[str, Any], functions: Mapping[str, Callable[..., Column]]) -> Column:
    """A column, with the values that `rest` has of it."""
    from pyspark.sql import functions as f

    name, kind = f.col(_quoted(column["name"])), column["stored"]
    if "reads" not in column:
        return name
    elsewhere = functions["text_at"](f.col("rest"), f.array(*(f.lit(key) for key in column["path"])))
    if column["reads"] == "double":
        return f.coalesce(name.cast("double"), elsewhere.try_cast("double"))
    if kind == "double":
        text = functions["double_text"](name)
    elif kind.startswith("list of"):
        text = functions["list_text"](name)
    else:
        text = name.cast("string")
    return f.coalesce(text, elsewhere)


def plain_frame(session: SparkSession, result: Result) -> DataFrame:
    """The rows of a small table."""
    from pyspark.sql import functions as f

    kinds = result._native.columns
    instants = [name for name, kind in kinds if kind.startswith("Timestamp")]
    wanted = [(name, "string" if name in instants else _ARROW.get(kind)) for name, kind in kinds]
    if any(kind is None for _, kind in wanted):
        raise UnsupportedError("a table has a column of a type that Spark is not given")
    schema = ", ".join(f"{_quoted(name)} {kind}" for name, kind in wanted)
    frame = session.createDataFrame([tuple(row.values()) for row in result.to_dicts()], schema)
    return frame.select(*(f.col(_quoted(name)).cast("timestamp").alias(name) if name in instants else
                          f.col(_quoted(name)) for name, _ in wanted))


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def functions_of(session: SparkSession) -> dict[str, Callable[..., Column]]:
    """Functions that workers run. They are nested, so that they go to the workers whole, which need nothing of this
    package then."""

    def double_text(value: float | None) -> str | None:
        return None if value is None else repr(value)

    def list_text(values: list[Any] | None) -> str | None:
        import json

        return None if values is None else json.dumps(values, ensure_ascii=False, separators=(",", ":"))

    def text_at(rest: str | None, path: list[str]) -> str | None:
        import json

        if rest is None:
            return None

        class Number(float):
            """A number with the text that it had."""

            def __new__(cls, text: str) -> Number:
                number = super().__new__(cls, text)
                number.text = text
                return number

            text: str

            def __repr__(self) -> str:
                return self.text

        def written(value: Any) -> str:
            # Of lists and objects, which are written without spaces.
            if isinstance(value, Number):
                return value.text
            if isinstance(value, dict):
                return "{" + ",".join(f"{json.dumps(key, ensure_ascii=False)}:{written(inner)}"
                                      for key, inner in value.items()) + "}"
            if isinstance(value, list):
                return "[" + ",".join(map(written, value)) + "]"
            return json.dumps(value, ensure_ascii=False)

        value = json.loads(rest, parse_float=Number, parse_int=Number)
        for key in path:
            if not isinstance(value, dict) or key not in value:
                return None
            value = value[key]
        if value is None or isinstance(value, str):
            return value
        return written(value)

    named: dict[str, Callable[..., str | None]] = {"double_text": double_text, "list_text": list_text, "text_at": text_at}
    return {name: session.udf.register(f"daybook_{name}", function, "string") for name, function in named.items()}
