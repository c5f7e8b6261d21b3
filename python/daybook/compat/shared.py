"""What the modules of `daybook.compat` share: the logs that they opened, and events as their systems gave them."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator, Mapping
from typing import Any

from daybook.logger import Logger
from daybook.result import Result
from daybook.store import Store

__all__ = ["FIXED", "log_at", "others", "place", "store_at"]

#: Columns that every event has; the others hold what an application gave.
FIXED = frozenset({
    "seq", "ts", "event_id", "source", "kind", "level", "severity", "actor", "session", "entity_type", "entity_id",
    "status", "duration_ms", "message", "template", "before", "after", "trace_id", "span_id", "shape", "rest", "alert",
})

_lock = threading.Lock()
_stores: weakref.WeakValueDictionary[str, Store] = weakref.WeakValueDictionary()
_logs: weakref.WeakSet[Logger] = weakref.WeakSet()


def place(path: str | os.PathLike[str] | None, usual: str) -> str:
    """Where a store is: as given, as `DAYBOOK_STORE` says, or where that system has its log."""
    return os.path.abspath(path or os.environ.get("DAYBOOK_STORE") or usual)


def store_at(path: str) -> Store:
    """The store in a folder, made if there is none, with everything that was recorded through this module."""
    with _lock:
        store = _stores.get(path)
        if store is None:
            store = _stores[path] = Store(path, create=True)
        logs = [log for log in _logs if not log.closed and log.store is store]
    for log in logs:
        log.flush()
    return store


def log_at(path: str, **options: Any) -> Logger:
    """A log into the store in a folder. A place that cannot be written to is no error here."""
    try:
        log = Logger(store_at(path), **options)
    except OSError:
        return Logger(path, **options)
    _logs.add(log)
    return log


def others(row: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """What an application gave along with an event."""
    return {name: value for name, value in row.items() if value is not None and name not in FIXED | known}


def rows(result: Result) -> Iterator[dict[str, Any]]:
    """Events without what is null."""
    for row in result.to_dicts():
        yield {name: value for name, value in row.items() if value is not None}
