"""Rows of Spark as Daybook gives rows elsewhere."""

from __future__ import annotations

import datetime
import decimal
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["answer_of", "to_dicts"]

_EPOCH = datetime.datetime(1970, 1, 1)


def to_dicts(frame: DataFrame) -> list[dict[str, Any]]:
    """A dict for each row, as `Result.to_dicts` gives them: times as RFC 3339 in UTC; what JSON has no number for is
    `None`."""
    answer = answer_of(frame)
    return [dict(zip(answer["columns"], row)) for row in answer["rows"]]


def answer_of(frame: DataFrame) -> dict[str, Any]:
    """The names of the columns, and the values of each row."""
    from pyspark.sql import functions
    from pyspark.sql.types import ArrayType, TimestampType

    names = frame.columns
    # By position, since names may come twice; and as numbers, since Python's times are local ones.
    shown = frame.toDF(*(f"c{number}" for number in range(len(names))))
    instants = {number for number, field in enumerate(frame.schema.fields) if isinstance(field.dataType, TimestampType)}
    lists = {number for number, field in enumerate(frame.schema.fields)
             if isinstance(field.dataType, ArrayType) and isinstance(field.dataType.elementType, TimestampType)}
    columns = []
    for number in range(len(names)):
        column = functions.col(f"c{number}")
        if number in instants:
            column = functions.unix_micros(column)
        elif number in lists:
            column = functions.transform(column, functions.unix_micros)
        columns.append(column)
    rows = [[_rfc3339(value) if number in instants | lists else _value(value) for number, value in enumerate(row)]
            for row in shown.select(*columns).collect()]
    return {"columns": list(names), "rows": rows}


def _value(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    if isinstance(value, list):
        return [_value(inner) for inner in value]
    return value


def _rfc3339(micros: Any) -> Any:
    """A time, with as many digits of a second as it has: 0, 3 or 6."""
    if micros is None:
        return None
    if isinstance(micros, list):
        return [_rfc3339(inner) for inner in micros]
    time = _EPOCH + datetime.timedelta(microseconds=micros)
    digits = "auto" if micros % 1000 else "milliseconds" if micros % 1_000_000 else "seconds"
    return time.isoformat(timespec=digits) + "Z"
