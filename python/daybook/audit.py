"""Changes of data, as an audit trail keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from daybook.logger import Logger

__all__ = ["Audit"]


class Audit:
    """Changes of data. Each is on disk when the call returns; the number that it gives is that of the event, `None` if
    it could not be stored.

    `user_id` is who did it, `ip` and `user_agent` from where, `tenant` for whom; more fields may follow."""

    def __init__(self, logger: Logger) -> None:
        self._logger = logger

    def create(self, resource_type: str, resource_id: Any, before: Any = None, after: Any = None, *,
               user_id: Any = None, ip: str | None = None, user_agent: str | None = None, tenant: Any = None,
               **fields: Any) -> int | None:
        """Something was created; `after` is what it is now."""
        who = {"actor": user_id, "ip": ip, "user_agent": user_agent, "tenant": tenant}
        return self._change("create", resource_type, resource_id, before, after, {**who, **fields})

    def update(self, resource_type: str, resource_id: Any, before: Any = None, after: Any = None, *,
               user_id: Any = None, ip: str | None = None, user_agent: str | None = None, tenant: Any = None,
               **fields: Any) -> int | None:
        """Something was changed."""
        who = {"actor": user_id, "ip": ip, "user_agent": user_agent, "tenant": tenant}
        return self._change("update", resource_type, resource_id, before, after, {**who, **fields})

    def delete(self, resource_type: str, resource_id: Any, before: Any = None, after: Any = None, *,
               user_id: Any = None, ip: str | None = None, user_agent: str | None = None, tenant: Any = None,
               **fields: Any) -> int | None:
        """Something was deleted; `before` is what it was."""
        who = {"actor": user_id, "ip": ip, "user_agent": user_agent, "tenant": tenant}
        return self._change("delete", resource_type, resource_id, before, after, {**who, **fields})

    def __repr__(self) -> str:
        return f"{self._logger!r}.audit"

    def _change(self, kind: str, resource_type: str, resource_id: Any, before: Any, after: Any,
                fields: dict[str, Any]) -> int | None:
        message, level, alert = fields.pop("message", None), fields.pop("level", None), fields.pop("alert", False)
        resource = {"entity_type": resource_type, "entity_id": resource_id, "before": before, "after": after}
        return self._logger._append(self._logger._record(kind, message, level, alert, {**resource, **fields}))
