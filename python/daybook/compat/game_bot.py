"""The changelog manager of a game bot: `from daybook.compat.game_bot import get_changelog_manager`."""

from __future__ import annotations

import os
from typing import Any

from daybook.compat.shared import log_at, others, place, rows, store_at
from daybook.requests import Filter
from daybook.words import Category, Severity

__all__ = ["ALERT_CHANNELS", "Category", "ChangeLogManager", "Severity", "get_changelog_manager", "log_card_generation",
           "log_error", "log_pack_creation", "log_system_event", "log_user_action"]

#: Alerts go to the first of these channels that there is.
ALERT_CHANNELS = ("dev-logs", "dev-channel", "admin-logs", "admin-channel", "system-logs", "changelog")

_EMOJIS = {"critical": "🔴", "high": "🟠", "medium": "🟡", "low": "⚪"}
_MANAGERS: dict[str, ChangeLogManager] = {}


class ChangeLogManager:
    """Records and finds the changes of a bot. Its log is a store: the folder `logs/change_log`, or the one that
    `DAYBOOK_STORE` names."""

    def __init__(self, log_file: str | os.PathLike[str] | None = None) -> None:
        self._path = place(log_file, "logs/change_log")
        self.log = log_at(self._path, source="game-bot")

    def log_change(self, category: str, description: str, user_id: int | None = None, severity: str = "medium",
                   metadata: dict[str, Any] | None = None, send_alert: bool = False) -> None:
        """Records a change."""
        self.log.event(category, description, level=severity, alert=send_alert, actor=user_id, metadata=metadata)

    def get_changes(self, category: str | None = None, user_id: int | None = None, severity: str | None = None,
                    limit: int = 100) -> list[dict[str, Any]]:
        """The newest changes that are of this category, user and severity."""
        wanted = {"kind": category, "actor": user_id, "level": severity}
        terms: list[Filter] = [{"field": name, "op": "=", "value": str(value)} for name, value in wanted.items()
                               if value is not None]
        return [_entry(row) for row in rows(store_at(self._path).search({"and": terms}, limit=limit))]

    def get_stats(self) -> dict[str, Any]:
        """How many changes there are, by category and by severity, from when to when."""
        stats = store_at(self._path).stats()
        return {"total": stats["total"], "by_category": stats["by_kind"], "by_severity": stats["by_level"],
                "first": stats["from"], "last": stats["to"]}

    def clear_old_entries(self, days: int = 90) -> int:
        """Removes the changes of days that are older, and says how many."""
        store = store_at(self._path)
        store.seal()
        return int(store.expire(older_than_days=days)["expired"])

    def __repr__(self) -> str:
        return f"ChangeLogManager({self._path!r})"


def get_changelog_manager(log_file: str | os.PathLike[str] | None = None) -> ChangeLogManager:
    """The manager of this process, one for each store."""
    path = place(log_file, "logs/change_log")
    if path not in _MANAGERS:
        _MANAGERS[path] = ChangeLogManager(path)
    return _MANAGERS[path]


def log_pack_creation(pack_id: str, artist_name: str, creator_id: int, pack_type: str = "community") -> None:
    """A pack was made. This alerts."""
    get_changelog_manager().log_change(Category.PACK_CREATION, f"New pack: {artist_name} ({pack_type})", creator_id,
                                       "high", {"pack_id": pack_id, "artist": artist_name, "type": pack_type}, True)


def log_card_generation(pack_id: str, card_count: int, creator_id: int) -> None:
    """The cards of a pack were made."""
    get_changelog_manager().log_change(Category.CARD_GENERATION, f"{card_count} cards for a pack", creator_id, "high",
                                       {"pack_id": pack_id, "card_count": card_count})


def log_user_action(action: str, user_id: int, details: dict[str, Any] | None = None) -> None:
    """A player did something."""
    get_changelog_manager().log_change(Category.USER_ACTION, action, user_id, "low", details)


def log_system_event(event_type: str, description: str, severity: str = "medium",
                     metadata: dict[str, Any] | None = None) -> None:
    """Something happened to the bot itself."""
    get_changelog_manager().log_change(Category.SYSTEM_EVENT, description, None, severity,
                                       {"event_type": event_type, **(metadata or {})}, severity in ("critical", "high"))


def log_error(error_type: str, error_message: str, severity: str = "high",
              metadata: dict[str, Any] | None = None) -> None:
    """Something failed."""
    get_changelog_manager().log_change(Category.ERROR, f"{error_type}: {error_message}", None, severity,
                                       {"error_type": error_type, "error_message": error_message, **(metadata or {})},
                                       severity in ("critical", "high"))


def _entry(row: dict[str, Any]) -> dict[str, Any]:
    user, severity, category = row.get("actor"), row.get("level"), row["kind"]
    return {"timestamp": row["ts"], "category": category, "category_name": category.replace("_", " ").title(),
            "description": row.get("message"), "user_id": int(user) if user is not None and user.isdecimal() else user,
            "severity": severity, "severity_emoji": _EMOJIS.get(str(severity), "⚪"),
            "metadata": others(row, frozenset())}
