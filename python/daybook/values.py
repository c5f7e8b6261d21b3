"""Objects that JSON does not know, as what is closest to them."""

from __future__ import annotations

import base64
import datetime
import decimal
import enum
import os
import sys
import traceback
from collections.abc import Mapping, Sequence, Set
from typing import Any

__all__ = ["encode", "plain"]

#: A longer text that stands for an object is cut.
_REPR_MAX = 10_000


def encode(value: Any) -> bytes:
    """An object as JSON, as events are stored."""
    from daybook._daybook import encode as native

    return native(value)


def plain(value: Any) -> Any:
    """A value that consists of `None`, truth values, numbers, texts, lists and dicts. Nothing is an error: what is
    of no known kind becomes its `repr`, and one that fails becomes the name of its type."""
    try:
        return _plain(value)
    except RecursionError:
        return "(nested too deep)"
    except Exception:  # noqa: BLE001 - a value of the application must never stop it
        return f"<{type(value).__name__}>"


def _plain(value: Any) -> Any:
    # A `Timestamp` of pandas is one of these, and so is its `NaT`, which is no time.
    if isinstance(value, datetime.datetime):
        return _iso(value) if value == value else None
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, enum.Enum):
        return value.value
    # Subclasses of what JSON knows, such as numpy's float64 and named tuples of texts.
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bool):
        return bool(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, decimal.Decimal):
        return _decimal(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _bytes(bytes(value))
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if isinstance(value, BaseException):
        return "".join(traceback.format_exception_only(type(value), value)).strip()
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    fields = getattr(value, "__dataclass_fields__", None)
    if isinstance(fields, dict):
        # As `dataclasses.fields` says, which takes long to import.
        return {name: getattr(value, name) for name, field in fields.items() if field._field_type.name == "_FIELD"}
    return _other(value)


def _other(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value.items())
    if isinstance(value, Set):
        return _sorted(list(value))
    scalar = _scalar(value)
    if scalar is not value:
        return scalar
    if type(value).__module__ == "uuid":
        return str(value)
    if hasattr(value, "_asdict"):
        return value._asdict()
    if isinstance(value, Sequence):
        return list(value)
    if hasattr(value, "model_dump"):
        return value.model_dump()
    text = repr(value)
    return text if len(text) <= _REPR_MAX else text[:_REPR_MAX] + "…"


def _scalar(value: Any) -> Any:
    """A scalar or array of numpy or pandas; the value itself if it is none."""
    module = type(value).__module__.partition(".")[0]
    if module == "pandas":
        pandas = sys.modules["pandas"]
        if value is pandas.NaT or value is pandas.NA:
            return None
        if isinstance(value, (pandas.Series, pandas.Index)):
            return value.tolist()
        if isinstance(value, pandas.DataFrame):
            return value.to_dict(orient="records")
    if module == "numpy":
        if hasattr(value, "isoformat"):
            return value.isoformat()
        if type(value).__name__ == "datetime64":
            return None if str(value) == "NaT" else str(value) + ("Z" if "T" in str(value) else "")
        if type(value).__name__ == "timedelta64":
            return value.astype("timedelta64[ns]").astype("int64").item() / 1e9
        if hasattr(value, "tolist"):
            return value.tolist()
    return value


def _iso(value: datetime.datetime) -> str:
    """A time without a zone is local time, as everywhere in Python."""
    if value.tzinfo is None:
        value = value.astimezone()
    return value.astimezone(datetime.timezone.utc).isoformat().replace("+00:00", "Z")


def _decimal(value: decimal.Decimal) -> Any:
    """A number where a double holds it exactly, else a text with all its digits."""
    if value.is_finite():
        if value == value.to_integral_value() and value.as_tuple().exponent == 0:
            return int(value)
        number = float(value)
        if decimal.Decimal(repr(number)) == value:
            return number
    return str(value)


def _bytes(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(value).decode("ascii")


def _sorted(values: list[Any]) -> list[Any]:
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=repr)
