"""A logger for Discord channels: `from daybook.compat.discord_logger import discord_logger, log_errors`.

Everything is recorded in a store, with the channel that it was for. Nothing is sent to Discord.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from daybook.compat.shared import log_at, place
from daybook.logger import Logger
from daybook.watches import Watch
from daybook.words import Channel

__all__ = ["Channel", "DiscordLogger", "discord_logger", "log_activity", "log_errors", "log_performance"]

_F = TypeVar("_F", bound=Callable[..., Any])

_local = logging.getLogger("daybook.compat.discord_logger")


class DiscordLogger:
    """Records what was to be seen in four channels: finance, system, errors, activity.

    The store is the folder `logs/discord`, or the one that `DAYBOOK_STORE` names. `DISCORD_LOGGING_ENABLED` and
    `DISCORD_LOG_FINANCE`, `_SYSTEM`, `_ERRORS`, `_ACTIVITY`, `_PERFORMANCE` and `_SUMMARIES` turn it off, or parts of
    it, when they are `False`; `DISCORD_QUEUE_SIZE` is how many events may wait. They are read at the first call."""

    def __init__(self, store: str | os.PathLike[str] | None = None, high_value_threshold: float = 10_000) -> None:
        self._given, self._opened = store, None if store is None else _open(store)
        #: An amount from which on an event of finance alerts.
        self.high_value_threshold = high_value_threshold

    @property
    def log(self) -> Logger:
        """The log that events go to."""
        if self._opened is None:
            self._opened = _open(self._given)
        return self._opened

    def is_enabled(self, feature: str) -> bool:
        """Whether this is recorded: `finance`, `system`, `errors`, `activity`, `performance`, `summaries`."""
        return _flag("DISCORD_LOGGING_ENABLED") and _flag(f"DISCORD_LOG_{feature.upper()}")

    def log_finance(self, event: str, message: str, amount: float | None = None, **fields: Any) -> None:
        """Something about money."""
        alert = amount is not None and amount >= self.high_value_threshold
        self._record("finance", event, message, amount=amount, alert=alert, **fields)

    def log_invoice_created(self, invoice_id: str, amount: float, client_name: str, **fields: Any) -> None:
        """An invoice was made."""
        self.log_finance("invoice_created", f"Invoice {invoice_id} for {client_name}: {amount:,.2f}", amount,
                         entity_type="invoice", entity_id=invoice_id, client_name=client_name, **fields)

    def log_system_event(self, event: str, message: str, level: str = "info", **fields: Any) -> None:
        """Something happened to the application itself."""
        self._record("system", "system_event", message, level=level, event_name=event, **fields)

    def log_user_action(self, action: str, user: str | int | None = None, details: dict[str, Any] | None = None,
                        **fields: Any) -> None:
        """A person did something."""
        self._record("activity", "user_action", action, actor=user, details=details, **fields)

    def log_error(self, error: BaseException | str, context: str | None = None, level: str = "error",
                  **fields: Any) -> None:
        """Something failed. What is critical goes to Python's logging, too."""
        if level == "critical":
            _local.critical("%s: %s", context or "error", error)
        if self.is_enabled("errors"):
            self.log.error(error, context, level=level, channel=Channel.ERRORS, **_request(), **fields)

    def log_performance_warning(self, metric: str, value: float, threshold: float, unit: str = "s",
                                **fields: Any) -> None:
        """Something takes longer than it should."""
        if self.is_enabled("performance"):
            self.log.performance_warning(metric, value, threshold, unit, channel=Channel.SYSTEM, **_request(),
                                         **fields)

    def log_summary(self, **fields: Any) -> dict[str, Any]:
        """What was recorded so far, which is recorded, too, and given."""
        summary = self.log.session_summary()
        self._record("system", "summary", f"{summary['total_changes']} events", feature="summaries", **summary, **fields)
        return summary

    def flush(self) -> None:
        """Returns once everything is on disk."""
        self.log.flush()

    def __repr__(self) -> str:
        return f"DiscordLogger({place(self._given, 'logs/discord')!r})"

    def _record(self, channel: str, kind: str, message: str, *, feature: str | None = None, **fields: Any) -> None:
        if self.is_enabled(feature or channel):
            self.log.event(kind, message, channel=channel, **{**_request(), **fields})


#: The logger of this process.
discord_logger = DiscordLogger()


def log_errors(context: str | None = None) -> Callable[[_F], _F]:
    """Records what a function raises."""
    return _later("errors", lambda log: log.errors(context, channel=Channel.ERRORS))


def log_activity(action: str | None = None) -> Callable[[_F], _F]:
    """Records each call of a function, and what it returned."""
    return _later("activity", lambda log: log.activity(action, result=True, channel=Channel.ACTIVITY))


def log_performance(threshold_seconds: float = 1.0) -> Callable[[_F], _F]:
    """Records calls that take longer."""
    return _later("performance", lambda log: log.performance(threshold_seconds, channel=Channel.SYSTEM))


class _Later(Watch):
    """A watch that is made when a call is over: functions are decorated before the application is set up."""

    def __init__(self, feature: str, make: Callable[[Logger], Watch]) -> None:
        self._feature, self._make = feature, make

    def _over(self, function: str | None, seconds: float, error: BaseException | None, result: Any) -> None:
        if discord_logger.is_enabled(self._feature):
            self._make(discord_logger.log)._over(function, seconds, error, result)

    def __repr__(self) -> str:
        return f"<log_{self._feature}>"


def _later(feature: str, make: Callable[[Logger], Watch]) -> Callable[[_F], _F]:
    return _Later(feature, make)


def _open(store: str | os.PathLike[str] | None) -> Logger:
    capacity = os.environ.get("DISCORD_QUEUE_SIZE", "")
    return log_at(place(store, "logs/discord"), **({"capacity": int(capacity)} if capacity.isdecimal() else {}))


def _flag(name: str) -> bool:
    return os.environ.get(name, "True").strip().lower() not in ("false", "0", "no", "off")


def _request() -> dict[str, Any]:
    """What Flask knows of the request that is being answered, if one is."""
    flask: Any = sys.modules.get("flask")
    if flask is None or not flask.has_request_context():
        return {}
    request = flask.request
    return {"method": request.method, "endpoint": request.endpoint, "ip": request.remote_addr,
            "user_agent": request.user_agent.string or None, "referrer": request.referrer}
