"""Events, from an application.

    log = daybook.Logger("my-store", source="my-agent")
    log.event("deploy", "version 2.1 is live", actor="ci", version="2.1")

A call hands the event to a queue and returns in microseconds; a thread writes it. Nothing of this ever raises into
the application, unless it asks for that.
"""

from __future__ import annotations

import atexit
import enum
import hashlib
import json
import logging
import os
import time
import traceback
import uuid
import weakref
from collections import Counter
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Literal, Union

from daybook import context as _context
from daybook import values
from daybook._daybook import Queue
from daybook.errors import Error
from daybook.store import Store

__all__ = ["ActionStatus", "Audit", "ChangeType", "Level", "Logger"]

#: Events that could not be stored, each as JSON, at their own level.
lost = logging.getLogger("daybook.lost")

#: A longer diff is cut.
_DIFF_LINES = 500

_open_loggers: weakref.WeakSet[Logger] = weakref.WeakSet()


class _Word(str, enum.Enum):
    """A word that may also be given as plain text."""

    def __str__(self) -> str:
        return str(self.value)


class Level(_Word):
    """How bad it is. `low`, `medium` and `high` are `info`, `warning` and `error` of other systems."""

    TRACE = "trace"
    DEBUG = "debug"
    INFO = "info"
    LOW = "low"
    NOTICE = "notice"
    WARNING = "warning"
    MEDIUM = "medium"
    ERROR = "error"
    HIGH = "high"
    CRITICAL = "critical"


class ActionStatus(_Word):
    """How an action went."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    TIMEOUT = "timeout"
    RETRY = "retry"


class ChangeType(_Word):
    """What an agent did."""

    FILE_CREATE = "file_create"
    FILE_UPDATE = "file_update"
    FILE_DELETE = "file_delete"
    GIT_COMMIT = "git_commit"
    GIT_PUSH = "git_push"
    API_CALL = "api_call"
    SYSTEM_COMMAND = "system_command"
    AGENT_DECISION = "agent_decision"
    CONFIG_CHANGE = "config_change"
    MODEL_INFERENCE = "model_inference"
    DATABASE_WRITE = "database_write"
    SERVICE_START = "service_start"
    SERVICE_STOP = "service_stop"
    DEPLOYMENT = "deployment"


class Logger:
    """Records what an application does.

    - `durability`: `"batched"` returns at once, and `flush` waits for the disk; `"os"` and `"fsync"` say how the
      thread writes.
    - `capacity` is how many events may wait; `when_full` is whether a call then waits (`"block"`) or the event is
      dropped and counted (`"drop"`). Errors and worse then go to Python's logging, as does everything that the store
      cannot take.
    - `raise_errors` lets errors of the store come out, for tests.
    """

    def __init__(self, store: Store | str | os.PathLike[str], *, source: str | None = None,
                 session: str | None = None, actor: str | None = None,
                 durability: Literal["batched", "os", "fsync"] = "batched", capacity: int = 10_000,
                 when_full: Literal["block", "drop"] = "block", raise_errors: bool = False,
                 record_ip: bool = True) -> None:
        if when_full not in ("block", "drop"):
            raise ValueError(f"when_full is block or drop, and not {when_full!r}")
        self.session = session or uuid.uuid4().hex[:16]
        self.source = source
        self.actor = actor
        #: Changes of data, each on disk when the call returns.
        self.audit = Audit(self)
        self._given = store
        self._durability, self._capacity = durability, capacity
        self._waits, self._raises, self._records_ip = when_full == "block", raise_errors, record_ip
        self._base = {name: value for name, value in
                      (("source", source), ("session", self.session), ("actor", actor)) if value is not None}
        self._started, self._kinds, self._errors = time.time(), Counter[str](), 0
        self._store: Store | None = None
        self._queue: Queue | None = None
        self._closed = False
        try:
            self._open()
        except Error:
            if raise_errors:
                raise
            lost.exception("the store cannot be opened; events go here")
        _open_loggers.add(self)

    # What happens

    def event(self, kind: str, message: str | None = None, *, level: str | None = None, alert: bool = False,
              **fields: Any) -> None:
        """Anything. `fields` become columns; those of well-known names (`actor`, `entity_type`, `entity_id`,
        `status`, `duration_ms`, `before`, `after`) what the name says."""
        self._put(self._record(kind, message, level, alert, fields))

    def file_change(self, path: str | os.PathLike[str], before: str | bytes | None = None,
                    after: str | bytes | None = None, description: str | None = None, *,
                    kind: str | None = None, **fields: Any) -> None:
        """A file was created, changed or deleted; with its hashes, sizes and a diff."""
        name = os.fsdecode(path)
        if kind is None:
            kind = "file_create" if before is None else "file_delete" if after is None else "file_update"
        for when, content in (("before", before), ("after", after)):
            if content is not None:
                data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
                fields.setdefault(f"file_hash_{when}", "sha256:" + hashlib.sha256(data).hexdigest())
                fields.setdefault(f"file_size_{when}", len(data))
                fields.setdefault(when, content)
        if isinstance(before, str) and isinstance(after, str):
            fields.setdefault("diff", _diff(name, before, after))
        self.event(kind, description or f"{_DONE.get(str(kind), 'Changed')} {name}", entity_type="file",
                   entity_id=name, **fields)

    def decision(self, decision: str, reasoning: str | None = None, context: Mapping[str, Any] | None = None,
                 **fields: Any) -> None:
        """An agent decided something."""
        self.event("agent_decision", decision, reasoning=reasoning, context=context, **fields)

    def command(self, command: str, output: str | None = None, exit_code: int | None = None, **fields: Any) -> None:
        """A command of the system ran."""
        failed = exit_code not in (None, 0)
        fields.setdefault("status", None if exit_code is None else "failure" if failed else "success")
        fields.setdefault("level", "error" if failed else None)
        self.event("system_command", command, output=output, exit_code=exit_code, **fields)

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

    def action(self, provider: str, action_type: str, request: Any = None, response: Any = None,
               status: str = "success", execution_time_ms: float | None = None, *, error: Any = None,
               **fields: Any) -> None:
        """A provider was asked to do something."""
        if isinstance(error, BaseException):
            fields.setdefault("error_type", type(error).__name__)
            error = str(error)
        self.event(action_type, error, source=provider, request=request, response=response, status=str(status),
                   duration_ms=execution_time_ms, **fields)

    def performance_warning(self, metric: str, value: float, threshold: float, unit: str = "ms", **fields: Any) -> None:
        """Something is slower, or larger, than it should be."""
        self.event("performance_warning", f"{metric} is {value:g} {unit}, more than {threshold:g} {unit}",
                   level=fields.pop("level", "warning"), metric=metric, value=value, threshold=threshold, unit=unit,
                   **fields)

    def lifecycle(self, event: str, message: str | None = None, **fields: Any) -> None:
        """The application started, stopped, or was deployed."""
        self.event(event, message or f"{self.source or 'the application'}: {event}", **fields)

    def session_summary(self) -> dict[str, Any]:
        """What this logger has recorded so far."""
        return {
            "session_id": self.session,
            "total_changes": sum(self._kinds.values()),
            "by_type": dict(self._kinds.most_common()),
            "errors": self._errors,
            "dropped": self.dropped,
            "duration_seconds": time.time() - self._started,
        }

    # Itself

    @property
    def dropped(self) -> int:
        """How many events were dropped because the queue was full."""
        return self._queue.dropped if self._queue is not None else 0

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
            return self._queue is None or self._queue.flush(timeout)
        except Error:
            if self._raises:
                raise
            lost.exception("a flush failed")
            return False

    def close(self) -> None:
        """Writes what waits. Closing twice is fine; what is recorded afterwards goes to Python's logging."""
        if self._closed:
            return
        self._closed = True
        self.flush()
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
        self._queue = Queue(self._store._native, self._capacity, self._durability, _lost)

    def _record(self, kind: str, message: str | None, level: str | None, alert: bool,
                fields: dict[str, Any]) -> dict[str, Any]:
        kind = str(kind)
        record: dict[str, Any] = {"ts": time.time_ns() // 1000, "kind": kind}
        if message is not None:
            record["message"] = message
        if level is not None:
            record["level"] = str(level)
        record.update(self._base)
        around = _context.current()
        if around is not None:
            record.update(around if self._records_ip else {k: v for k, v in around.items() if k != "ip"})
        for name, value in fields.items():
            if value is not None:
                record[name] = value
        if alert:
            record["alert"] = True
        self._kinds[kind] += 1
        if level is not None and str(level) in _BAD:
            self._errors += 1
        return record

    def _put(self, record: dict[str, Any]) -> None:
        try:
            if self._queue is None or self._closed:
                _lose(record, "the log is closed" if self._closed else "the store cannot be opened")
            elif not self._queue.put(record, self._waits) and record.get("level") in _BAD:
                _lose(record, "the queue is full")
        except Exception as error:
            if self._raises:
                raise
            _lose(record, str(error))

    def _append(self, record: dict[str, Any]) -> int | None:
        """Appends at once, for what has to be on disk before the application goes on."""
        try:
            return self.store.append(record)
        except Exception as error:
            if self._raises:
                raise
            _lose(record, str(error))
            return None

    def _after_fork(self) -> None:
        if self._queue is not None:
            self._queue.abandon()
            self._queue = None
        try:
            if isinstance(self._given, Store):
                # It opened itself again.
                self._queue = Queue(self._given._native, self._capacity, self._durability, _lost)
            else:
                self._open()
        except Error:
            lost.exception("the store cannot be opened after a fork; events go here")


class Audit:
    """Changes of data, as an audit trail keeps them. Each is on disk when the call returns; the number that it gives
    is that of the event, `None` if it could not be stored."""

    def __init__(self, logger: Logger) -> None:
        self._logger = logger

    def create(self, resource_type: str, resource_id: Any, after: Any = None, **fields: Any) -> int | None:
        """Something was created."""
        return self._change("create", resource_type, resource_id, None, after, fields)

    def update(self, resource_type: str, resource_id: Any, before: Any = None, after: Any = None,
               **fields: Any) -> int | None:
        """Something was changed."""
        return self._change("update", resource_type, resource_id, before, after, fields)

    def delete(self, resource_type: str, resource_id: Any, before: Any = None, **fields: Any) -> int | None:
        """Something was deleted."""
        return self._change("delete", resource_type, resource_id, before, None, fields)

    def _change(self, kind: str, resource_type: str, resource_id: Any, before: Any, after: Any,
                fields: dict[str, Any]) -> int | None:
        """`user_id`, `ip`, `user_agent` and `tenant` are who did it, and from where."""
        logger = self._logger
        fields.setdefault("actor", fields.pop("user_id", None))
        if not logger._records_ip:
            fields.pop("ip", None)
        record = logger._record(kind, fields.pop("message", None), fields.pop("level", None),
                                fields.pop("alert", False),
                                {"entity_type": resource_type, "entity_id": resource_id, "before": before,
                                 "after": after, **fields})
        return logger._append(record)


_DONE = {"file_create": "Created", "file_update": "Updated", "file_delete": "Deleted"}
_BAD = frozenset({"error", "critical", "fatal", "high", "alert", "emergency"})
_LEVELS = {"trace": 10, "debug": 10, "warning": 30, "medium": 30, "error": 40, "high": 40, "critical": 50, "fatal": 50}


def _diff(name: str, before: str, after: str) -> str:
    import difflib

    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), name, name, lineterm="")
    shown = [line for line, _ in zip(lines, range(_DIFF_LINES + 1))]
    return "\n".join(shown[:_DIFF_LINES] + (["…"] if len(shown) > _DIFF_LINES else []))


def _lose(record: dict[str, Any], reason: str) -> None:
    _lost(values.encode(record), reason)


def _lost(record: bytes, reason: str) -> None:
    """An event that the store did not take."""
    text = record.decode("utf-8", "replace")
    try:
        level = _LEVELS.get(str(json.loads(text).get("level")), logging.INFO)
    except (ValueError, AttributeError):
        level = logging.ERROR
    lost.log(level, "%s: %s", reason, text)


def _close_all() -> None:
    for logger in list(_open_loggers):
        logger.close()


def _after_fork() -> None:
    for logger in list(_open_loggers):
        logger._after_fork()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    # After the one of the stores, which is registered first.
    os.register_at_fork(after_in_child=_after_fork)
