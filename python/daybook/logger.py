"""Events, from an application.

    log = daybook.Logger("my-store", source="my-agent")
    log.event("deploy", "version 2.1 is live", actor="ci", version="2.1")

A call hands the event to a queue and returns in microseconds; a thread writes it. Nothing of this ever raises into
the application, unless it asks for that.
"""

from __future__ import annotations

import functools
import logging
import os
import time
import traceback
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Literal, ParamSpec

from daybook import context as _context
from daybook import ending
from daybook._daybook import Queue
from daybook.audit import Audit
from daybook.contents import file_fields
from daybook.errors import Error
from daybook.lost import BAD, lose, lost, tell
from daybook.store import Store
from daybook.watches import Activity, Errors, Performance

__all__ = ["Logger"]

#: Names under which the address of a person is recorded.
_ADDRESSES = frozenset({"ip", "ip_address", "client_ip", "remote_addr"})

_P = ParamSpec("_P")


def _quiet(method: Callable[_P, None]) -> Callable[_P, None]:
    """What goes wrong while an event is made stays away from the application."""

    @functools.wraps(method)
    def quiet(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            method(*args, **kwargs)
        except Exception:
            log: Any = args[0] if args else None
            if not isinstance(log, Logger) or log._raises:
                raise
            lost.exception("an event could not be made: %s%r", method.__name__, args[1:])

    return quiet


class Logger:
    """Records what an application does.

    - `durability`: `"batched"` returns at once, and `flush` waits for the disk; `"os"` and `"fsync"` say how the
      thread writes.
    - `capacity` is how many events may wait. When so many do, a call waits for room (`when_full="block"`), at most
      `wait_seconds` (`None`: for ever), or not at all (`"drop"`); then the event is dropped and counted. Errors and
      worse that are dropped go to Python's logging, as does everything that the store cannot take.
    - `raise_errors` lets errors of the store come out, for tests.
    """

    def __init__(self, store: Store | str | os.PathLike[str], *, source: str | None = None,
                 session: str | None = None, actor: str | None = None,
                 durability: Literal["batched", "os", "fsync"] = "batched", capacity: int = 10_000,
                 when_full: Literal["block", "drop"] = "block", wait_seconds: float | None = 1.0,
                 raise_errors: bool = False, record_ip: bool = True) -> None:
        if when_full not in ("block", "drop"):
            raise ValueError(f"when_full is block or drop, and not {when_full!r}")
        self.session = session or os.urandom(8).hex()
        self.source = source
        self.actor = actor
        #: Changes of data, each on disk when the call returns.
        self.audit = Audit(self)
        self._given = store
        self._durability, self._capacity = durability, capacity
        self._wait_seconds = 0.0 if when_full == "drop" else wait_seconds
        self._raises, self._records_ip = raise_errors, record_ip
        self._base = {name: value for name, value in
                      (("source", source), ("session", self.session), ("actor", actor)) if value is not None}
        self._started, self._kinds, self._errors = time.time(), dict[str, int](), 0
        self._store: Store | None = None
        self._queue: Queue | None = None
        self._closed = False
        try:
            self._open()
        except Error:
            if raise_errors:
                raise
            lost.exception("the store cannot be opened; events go here")
        ending.watch(self)

    # What happens

    def event(self, kind: str, message: str | None = None, *, level: str | int | None = None, alert: bool = False,
              **fields: Any) -> None:
        """Anything. `fields` become columns; those of well-known names (`actor`, `entity_type`, `entity_id`,
        `status`, `duration_ms`, `before`, `after`) what the name says."""
        self._put(self._record(kind, message, level, alert, fields))

    @_quiet
    def file_change(self, path: str | os.PathLike[str], before: str | bytes | None = None,
                    after: str | bytes | None = None, description: str | None = None, *,
                    kind: str | None = None, **fields: Any) -> None:
        """A file was created, changed or deleted; with its hashes, sizes and a diff."""
        name = os.fsdecode(path)
        if kind is None:
            kind = "file_create" if before is None else "file_delete" if after is None else "file_update"
        fields = {**file_fields(name, before, after), **fields}
        self.event(kind, description or f"{_DONE.get(str(kind), 'Changed')} {name}", entity_type="file",
                   entity_id=name, **fields)

    @_quiet
    def decision(self, decision: str, reasoning: str | None = None, context: Mapping[str, Any] | None = None,
                 **fields: Any) -> None:
        """An agent decided something."""
        self.event("agent_decision", decision, reasoning=reasoning, context=context, **fields)

    @_quiet
    def command(self, command: str, output: str | None = None, exit_code: int | None = None, **fields: Any) -> None:
        """A command of the system ran."""
        failed = exit_code not in (None, 0)
        fields.setdefault("status", None if exit_code is None else "failure" if failed else "success")
        fields.setdefault("level", "error" if failed else None)
        self.event("system_command", command, output=output, exit_code=exit_code, **fields)

    @_quiet
    def api_call(self, endpoint: str, method: str = "GET", request: Any = None, response: Any = None,
                 status_code: int | None = None, duration: float | None = None, **fields: Any) -> None:
        """A service was called; `duration` is in seconds."""
        failed = status_code is not None and status_code >= 400
        fields.setdefault("status", None if status_code is None else "failure" if failed else "success")
        fields.setdefault("level", "error" if failed else None)
        if duration is not None:
            fields.setdefault("duration_ms", duration * 1000)
        self.event("api_call", f"{method} {endpoint}", endpoint=endpoint, method=method, request=request,
                   response=response, status_code=status_code, **fields)

    def user_action(self, action: str, user: str | int | None = None, **fields: Any) -> None:
        """A person did something."""
        if user is not None:
            fields.setdefault("actor", user)
        self.event("user_action", action, **fields)

    def system_event(self, event: str, message: str | None = None, **fields: Any) -> None:
        """Something happened to the application itself."""
        self.event("system_event", message or event, event_name=event, **fields)

    @_quiet
    def error(self, error: BaseException | str, context: Any = None, *, level: str = "error", kind: str = "error",
              **fields: Any) -> None:
        """An error, with its stack trace if it is an exception."""
        if isinstance(error, BaseException):
            fields.setdefault("error_type", type(error).__name__)
            fields.setdefault("error_message", str(error))
            fields.setdefault("stack_trace", "".join(traceback.format_exception(type(error), error,
                                                                                error.__traceback__)))
            message = f"{type(error).__name__}: {error}"
        else:
            message = error
        self.event(kind, message, level=level, context=context if isinstance(context, Mapping) or context is None
                   else {"context": context}, **fields)

    @_quiet
    def action(self, provider: str, action_type: str, request: Any = None, response: Any = None,
               status: str = "success", execution_time_ms: float | None = None, *, error: Any = None,
               **fields: Any) -> None:
        """A provider was asked to do something."""
        if isinstance(error, BaseException):
            fields.setdefault("error_type", type(error).__name__)
            error = str(error)
        self.event(action_type, error, source=provider, request=request, response=response, status=str(status),
                   duration_ms=execution_time_ms, **fields)

    @_quiet
    def performance_warning(self, metric: str, value: float, threshold: float, unit: str = "ms", **fields: Any) -> None:
        """Something is slower, or larger, than it should be. `metric_unit` has the unit, since a `unit` is a
        source to the store."""
        self.event("performance_warning", f"{metric} is {value:g} {unit}, more than {threshold:g} {unit}",
                   level=fields.pop("level", "warning"), metric=metric, value=value, threshold=threshold,
                   metric_unit=unit, **fields)

    def lifecycle(self, event: str, message: str | None = None, **fields: Any) -> None:
        """The application started, stopped, or was deployed."""
        self.event(event, message or f"{self.source or 'the application'}: {event}", **fields)

    # Around functions and blocks

    def errors(self, context: str | Mapping[str, Any] | None = None, **fields: Any) -> Errors:
        """Records what a function or a block raises, and lets it through: a decorator and a context manager. For
        functions, methods, coroutines and generators."""
        return Errors(self, context, fields)

    def activity(self, action: str | None = None, *, result: bool = False, **fields: Any) -> Activity:
        """Records each call of a function, or each run of a block: how long it took and how it went; with `result`,
        also what a function returned."""
        return Activity(self, action, result, fields)

    def performance(self, threshold_seconds: float = 1.0, *, metric: str | None = None, **fields: Any) -> Performance:
        """Records calls that take longer. A generator's time is that until it ended."""
        return Performance(self, threshold_seconds, metric, fields)

    # Itself

    def session_summary(self) -> dict[str, Any]:
        """What this logger has recorded so far."""
        return {
            "session_id": self.session,
            "total_changes": sum(self._kinds.values()),
            "by_type": dict(sorted(self._kinds.items(), key=lambda entry: -entry[1])),
            "errors": self._errors,
            "dropped": self.dropped,
            "duration_seconds": time.time() - self._started,
        }

    @property
    def dropped(self) -> int:
        """How many events were dropped because the queue was full."""
        return self._queue.dropped if self._queue is not None else 0

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    @property
    def store(self) -> Store:
        """The store that events go to."""
        if self._store is None:
            self._open()
        assert self._store is not None
        return self._store

    def flush(self, timeout: float | None = None) -> bool:
        """Returns once everything recorded is on disk. False if it is not, after `timeout` seconds or for an
        error."""
        try:
            return self._closed or self._queue is None or self._queue.flush(timeout)
        except Error:
            if self._raises:
                raise
            lost.exception("a flush failed")
            return False

    def close(self) -> None:
        """Writes what waits. Closing twice is fine; what is recorded afterwards goes to Python's logging."""
        if self._closed:
            return
        self.flush()
        self._closed = True
        if self._queue is not None:
            self._queue.close()
        if self._store is not None and self._store is not self._given:
            self._store.close()

    def __enter__(self) -> Logger:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        where = self._store.path if self._store is not None else self._given
        return f"daybook.Logger({str(where)!r}, source={self.source!r}, session={self.session!r})"

    def _open(self) -> None:
        self._store = self._given if isinstance(self._given, Store) else Store(self._given, create=True)
        self._queue = Queue(self._store._native, self._capacity, self._durability, tell)

    def _record(self, kind: str, message: str | None, level: str | int | None, alert: bool,
                fields: dict[str, Any]) -> dict[str, Any]:
        kind = str(kind)
        record: dict[str, Any] = {"ts": time.time_ns() // 1000, "kind": kind}
        if message is not None:
            record["message"] = message
        if level is not None:
            # Python's numbers are not those that the store knows.
            record["level"] = logging.getLevelName(level).lower() if type(level) is int else str(level)
        record.update(self._base)
        around = _context.current()
        if around is not None:
            record.update(around)
        for name, value in fields.items():
            if value is not None:
                record[name] = value
        if alert:
            record["alert"] = True
        return self._counted(record)

    def _counted(self, record: dict[str, Any]) -> dict[str, Any]:
        """A record that is complete."""
        if not self._records_ip:
            for name in _ADDRESSES:
                record.pop(name, None)
        if record.get("level") in BAD:
            self._errors += 1
        kind = record["kind"]
        self._kinds[kind] = self._kinds.get(kind, 0) + 1
        return record

    def _put(self, record: dict[str, Any]) -> None:
        try:
            if self._queue is None or self._closed:
                lose(record, "the log is closed" if self._closed else "the store cannot be opened")
            elif not self._queue.put(record, self._wait_seconds) and record.get("level") in BAD:
                lose(record, "the queue is full")
        except Exception as error:
            if self._raises:
                raise
            lose(record, str(error))

    def _append(self, record: dict[str, Any]) -> int | None:
        """Appends at once, for what has to be on disk before the application goes on."""
        try:
            return self.store.append(record)
        except Exception as error:
            if self._raises:
                raise
            lose(record, str(error))
            return None

    def _after_fork(self) -> None:
        if self._queue is not None:
            if not self._queue.abandon():
                _kept.append(self._queue)
            self._queue = None
        try:
            if isinstance(self._given, Store):
                # It opened itself again.
                self._queue = Queue(self._given._native, self._capacity, self._durability, tell)
            else:
                self._open()
        except Error:
            lost.exception("the store cannot be opened after a fork; events go here")


#: What a fork left in a state that it cannot be let go of.
_kept: list[Queue] = []
_DONE = {"file_create": "Created", "file_update": "Updated", "file_delete": "Deleted"}
