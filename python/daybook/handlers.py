"""Python's other ways to log, into a store: the standard library's `logging`, structlog, loguru."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from typing import Any

from daybook import context, values
from daybook.logger import _ADDRESSES, Logger
from daybook.lost import BAD, lose
from daybook.store import Store

__all__ = ["LoggingHandler", "LoguruSink", "StructlogProcessor"]

#: What every record of `logging` has; all else came with `extra=`.
_COUNT = len(vars(logging.makeLogRecord({})))
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

_LEVELS = {logging.DEBUG: "debug", logging.INFO: "info", logging.WARNING: "warning", logging.ERROR: "error",
           logging.CRITICAL: "critical"}


def _logger(log: Logger | Store | str | os.PathLike[str], options: dict[str, Any]) -> tuple[Logger, bool]:
    """A log, and whether it is ours to close."""
    if isinstance(log, Logger):
        if options:
            raise TypeError(f"a Logger has its options already: {', '.join(options)}")
        return log, False
    return Logger(log, **options), True


def _level(number: int) -> str:
    """The word for a level of `logging`; one of its own is as bad as the next lower one."""
    known = _LEVELS.get(number)
    if known is None:
        known = next((_LEVELS[least] for least in sorted(_LEVELS, reverse=True) if number >= least), "trace")
    return known


def _error_fields(error: BaseException | None) -> dict[str, Any]:
    if error is None:
        return {}
    return {"error_type": type(error).__name__, "error_message": str(error),
            "stack_trace": "".join(traceback.format_exception(type(error), error, error.__traceback__))}


#: Methods of structlog that are not called as their levels.
_METHODS = {"exception": "error", "warn": "warning", "msg": "info"}


class LoggingHandler(logging.Handler):
    """Records of `logging` as events of kind `log`.

    What comes with `extra=`, and the members of a dict that is the only argument, become fields; `kind` among them
    is the kind. `location` also records module, function and line. Options are those of `Logger`; the name of the
    logger is the field `logger`.

        logging.getLogger().addHandler(daybook.LoggingHandler("my-store", source="my-app"))
    """

    def __init__(self, store: Logger | Store | str | os.PathLike[str], level: int | str = logging.NOTSET, *,
                 location: bool = False, **options: Any) -> None:
        super().__init__(level)
        self.log, self._owns = _logger(store, options)
        self._location = location
        #: What every event has besides, as JSON that goes on; and names that a record must not bring for that.
        base = values.encode(self.log._base)[1:-1]
        self._base = b"," + base if base else b""
        self._taken = frozenset({"ts", "kind", "level", "logger", "message", "arguments", *self.log._base, *_ADDRESSES})

    def handle(self, record: logging.LogRecord) -> bool:
        """Records a record, unless a filter is against it. No lock is taken: the queue needs none."""
        filtered = self.filter(record) if self.filters else record
        if not filtered:
            return False
        self.emit(filtered if isinstance(filtered, logging.LogRecord) else record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        # What the store did not take must not come back to it.
        if record.name[:7] == "daybook" and record.name[7:8] in ("", "."):
            return
        try:
            if not self._put_simple(record):
                self.log._put(self._event(record))
        except Exception:
            self.handleError(record)

    def _put_simple(self, record: logging.LogRecord) -> bool:
        """Records what most records are, a text with some fields, at the least cost; false if it is something else."""
        log, args, level = self.log, record.args, _LEVELS.get(record.levelno)
        if (log._queue is None or log._closed or level is None or type(record) is not logging.LogRecord or record.exc_info
                or record.exc_text or record.stack_info or self._location or (args and type(args) is not tuple)
                or context.current() is not None):
            return False
        try:
            message = record.getMessage()
        except Exception:
            return False
        put = log._queue.put_log(record.__dict__, level, message, self._base, self._taken, _COUNT,
                                 log._wait_seconds)
        if put is None:
            return False
        if put is False and level in BAD:
            lose(self._event(record), "the queue is full")
            return True
        log._kinds["log"] = log._kinds.get("log", 0) + 1
        if level in BAD:
            log._errors += 1
        return True

    def flush(self) -> None:
        """Returns once everything is on disk. `logging` calls it at exit."""
        if not self.log.closed:
            self.log.flush()

    def close(self) -> None:
        if self._owns:
            self.log.close()
        super().close()

    def __repr__(self) -> str:
        return f"<daybook.LoggingHandler of {self.log!r}>"

    def _event(self, record: logging.LogRecord) -> dict[str, Any]:
        number = record.levelno
        event: dict[str, Any] = {"ts": int(record.created * 1_000_000), "kind": "log",
                                 "level": _LEVELS.get(number) or _level(number), **self.log._base,
                                 "logger": record.name}
        around = context.current()
        if around is not None:
            event.update(around)
        args = record.args
        try:
            event["message"] = record.getMessage()
        except Exception:
            # The arguments do not fit the text.
            event["message"], event["arguments"] = str(record.msg), args
        if args and type(args) is not tuple and isinstance(args, Mapping):
            event.update((str(name), value) for name, value in args.items() if value is not None)
        members = record.__dict__
        for name in members.keys() - _STANDARD:
            if members[name] is not None:
                event[name] = members[name]
        if self._location:
            event |= {"module": record.module, "function": record.funcName, "line": record.lineno}
        if record.exc_info:
            event.update(_error_fields(record.exc_info[1]))
        elif record.exc_text or record.stack_info:
            event["stack_trace"] = record.exc_text or record.stack_info
        event["kind"], event["level"] = str(event["kind"]), str(event["level"])
        return self.log._counted(event)


class StructlogProcessor:
    """A processor of structlog: records the event, and hands it on to the next one. With `last`, nothing comes after
    it.

        structlog.configure(processors=[structlog.contextvars.merge_contextvars, daybook.StructlogProcessor("my-store"),
                                        structlog.dev.ConsoleRenderer()])
    """

    def __init__(self, store: Logger | Store | str | os.PathLike[str], *, last: bool = False, **options: Any) -> None:
        self.log, _ = _logger(store, options)
        self._last = last

    def __call__(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        fields = dict(event)
        message = fields.pop("event", None)
        level = fields.pop("level", None) or _METHODS.get(method, method)
        fields["ts"] = fields.pop("timestamp", None)
        fields.update(_error_fields(_raised(fields.pop("exc_info", None) or method == "exception")))
        kind, alert = str(fields.pop("kind", "log")), bool(fields.pop("alert", False))
        self.log._put(self.log._record(kind, None if message is None else str(message), level, alert, fields))
        if self._last:
            raise _drop_event()
        return event

    def __repr__(self) -> str:
        return f"<daybook.StructlogProcessor of {self.log!r}>"


class LoguruSink:
    """A sink of loguru. What is bound, or given as a keyword, becomes a field.

        loguru.logger.add(daybook.LoguruSink("my-store"), format="{message}")
    """

    def __init__(self, store: Logger | Store | str | os.PathLike[str], **options: Any) -> None:
        self.log, self._owns = _logger(store, options)

    def write(self, message: Any) -> None:
        """Records a message of loguru."""
        record = message.record
        fields = {"logger": record["name"], "function": record["function"], "line": record["line"], **record["extra"],
                  "ts": int(record["time"].timestamp() * 1_000_000)}
        if record["exception"] is not None:
            fields.update(_error_fields(record["exception"].value))
        level = record["level"]
        name = level.name.lower()
        word = {"success": "info"}.get(name) or (name if level.no in (5, 10, 20, 30, 40, 50) else _level(level.no))
        self.log._put(self.log._record(str(fields.pop("kind", "log")), record["message"], word,
                                       bool(fields.pop("alert", False)), fields))

    def stop(self) -> None:
        """Writes what waits; loguru calls it when the sink is removed, and at exit."""
        if self._owns:
            self.log.close()
        elif not self.log.closed:
            self.log.flush()

    def __repr__(self) -> str:
        return f"<daybook.LoguruSink of {self.log!r}>"


def _raised(given: Any) -> BaseException | None:
    """The exception that structlog's `exc_info` means: one, what `sys.exc_info()` gave, or true for the current."""
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        second: Any = given[1] if len(given) > 1 else None
        return second if isinstance(second, BaseException) else None
    return sys.exc_info()[1] if given else None


def _drop_event() -> Exception:
    from daybook.optional import module

    error: Exception = module("structlog").DropEvent()
    return error
