"""Python's other ways to log, into a store: the standard library's `logging`, structlog, loguru."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from typing import Any

from daybook.logger import Logger
from daybook.store import Store

__all__ = ["LoggingHandler", "LoguruSink", "StructlogProcessor"]

#: What every record of `logging` has; all else came with `extra=`.
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

    def emit(self, record: logging.LogRecord) -> None:
        # What the store did not take must not come back to it.
        if record.name == "daybook" or record.name.startswith("daybook."):
            return
        try:
            self.log._put(self._event(record))
        except Exception:
            self.handleError(record)

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
        fields: dict[str, Any] = {"logger": record.name}
        if isinstance(record.args, Mapping):
            fields.update({str(name): value for name, value in record.args.items()})
        members = record.__dict__
        if len(members) > len(_STANDARD) - 3:
            fields.update({name: value for name, value in members.items() if name not in _STANDARD})
        if self._location:
            fields |= {"module": record.module, "function": record.funcName, "line": record.lineno}
        if record.exc_info:
            fields.update(_error_fields(record.exc_info[1]))
        elif record.exc_text:
            fields["stack_trace"] = record.exc_text
        if record.stack_info:
            fields.setdefault("stack_trace", record.stack_info)
        try:
            message = record.getMessage()
        except Exception:
            # The arguments do not fit the text.
            message, fields["arguments"] = str(record.msg), record.args
        fields.setdefault("ts", int(record.created * 1_000_000))
        return self.log._record(str(fields.pop("kind", "log")), fields.pop("message", message),
                                fields.pop("level", _level(record.levelno)), bool(fields.pop("alert", False)), fields)


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
        level = fields.pop("level", None) or {"exception": "error", "warn": "warning", "msg": "info"}.get(method, method)
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
