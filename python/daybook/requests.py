"""What is asked, as the native half reads it."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Any, Union

from daybook import values
from daybook.errors import InvalidError

__all__ = ["Filter", "Time"]

#: A filter: a text of the grammar, or the JSON form.
Filter = Union[str, Mapping[str, Any], None]
#: A time: of `datetime` (without a zone it is local), a day, or a text that the grammar reads.
Time = Union[datetime.datetime, datetime.date, str]

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


def request_of(analysis: str, filter: Filter, **members: Any) -> str:
    """A request in its JSON form; members that are `None` are left out."""
    whole = {"analysis": analysis, "filter": filter, **members}
    return values.encode({name: value for name, value in whole.items() if value is not None}).decode()


def text_of(filter: Filter) -> str:
    """What messages show of a filter."""
    return filter if isinstance(filter, str) else ""


def both(filter: Filter, field: str, value: str) -> Filter:
    """A filter, and a term of the grammar that has to hold, too."""
    if isinstance(filter, Mapping):
        return {"and": [filter, {"field": field, "value": value}]}
    term = f"{field}:{_quoted(value)}"
    return f"({filter}) {term}" if filter else term


def within(filter: Filter, since: Time | None, until: Time | None) -> Filter:
    """A filter, and a time from and to which it holds."""
    for name, time in (("since", since), ("until", until)):
        if time is not None:
            filter = both(filter, name, time_text(time))
    return filter


def _quoted(text: str) -> str:
    """A value as the grammar reads it: quoted, unless it needs no quotes."""
    return text if re.fullmatch(r"[\w:.+-]+", text) else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def time_text(time: Time) -> str:
    """A time as the grammar reads it."""
    return time if isinstance(time, str) else str(values.plain(time))


def minutes_of(minutes: float) -> int:
    """Whole minutes."""
    if not minutes > 0:
        raise InvalidError("the time has to be longer than nothing")
    return max(1, round(minutes))


def limits_of(timeout: float | None = None, memory: int | str | None = None,
            at: int | Time | None = None, lenient: bool = False) -> dict[str, Any]:
    """What a call may use, as the native half reads it."""
    if timeout is not None and not timeout >= 0:
        raise InvalidError("a timeout is a number of seconds, and not negative")
    version = at if isinstance(at, int) else None
    time_ms = None
    if at is not None and version is None:
        time = at if isinstance(at, (datetime.datetime, datetime.date)) else _read_time(at)
        if not isinstance(time, datetime.datetime):
            time = datetime.datetime(time.year, time.month, time.day, tzinfo=datetime.timezone.utc)
        time_ms = int(time.timestamp() * 1000)
    return {"timeout": timeout, "memory": _bytes(memory), "at_version": version, "at_ms": time_ms, "lenient": lenient}


def _read_time(text: Any) -> datetime.datetime:
    try:
        time = datetime.datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        raise InvalidError(f"`{text}` is no time", "write 2026-02-03, or 2026-02-03T04:05:06Z") from None
    return time if time.tzinfo else time.replace(tzinfo=datetime.timezone.utc)


def _bytes(memory: int | str | None) -> int | None:
    if memory is None:
        return None
    if isinstance(memory, int):
        if memory <= 0:
            raise InvalidError(f"{memory} is no size", "write 512MB, or a number of bytes")
        return memory
    digits = memory.strip().rstrip("BKMGibkmg")
    unit = memory.strip()[len(digits):].upper()
    try:
        return int(float(digits) * _UNITS[unit])
    except (ValueError, KeyError):
        raise InvalidError(f"`{memory}` is no size", "write 512MB, or a number of bytes") from None
