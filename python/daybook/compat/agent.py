"""The change log of an agent: `from daybook.compat.agent import ChangeLogger, ChangeType, LogQuery`."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from daybook.compat.shared import log_at, others, place, rows, store_at
from daybook.contents import file_fields
from daybook.requests import Filter, Time, time_text
from daybook.words import ChangeType, LogLevel

__all__ = ["ChangeLogger", "ChangeType", "LogLevel", "LogMetrics", "LogQuery", "LogStorage"]

_USUAL = "logs/agent_changes"
_MEGABYTE = 1024 * 1024


class ChangeLogger:
    """Records what an agent does. `log_dir` is the folder of a store."""

    def __init__(self, log_dir: str | os.PathLike[str] | None = None, agent_id: str = "agent",
                 session_id: str | None = None) -> None:
        self.agent_id, self.session_id = agent_id, session_id or uuid.uuid4().hex[:12]
        self._log = log_at(place(log_dir, _USUAL), source=agent_id, session=self.session_id)

    def log(self, change_type: str, description: str, file_path: str | None = None, before_state: Any = None,
            after_state: Any = None, metadata: dict[str, Any] | None = None, level: str = LogLevel.INFO,
            **fields: Any) -> str:
        """Records a change, and gives its id."""
        event_id = uuid.uuid4().hex[:16]
        if file_path is not None:
            fields = {"entity_type": "file", "entity_id": str(file_path), **fields}
        self._log.event(change_type, description, level=level, event_id=event_id, before=before_state,
                        after=after_state, metadata=metadata, **fields)
        return event_id

    def log_file_change(self, file_path: str, change_type: str = ChangeType.FILE_UPDATE,
                        before_content: str | None = None, after_content: str | None = None,
                        description: str | None = None, metadata: dict[str, Any] | None = None) -> str:
        """A file was created, changed or deleted; with hashes, sizes and a diff."""
        fields = file_fields(str(file_path), before_content, after_content)
        return self.log(change_type, description or f"{change_type}: {file_path}", str(file_path),
                        fields.pop("before", None), fields.pop("after", None), metadata, **fields)

    def log_agent_decision(self, decision: str, reasoning: str | None = None, context: dict[str, Any] | None = None,
                           ) -> str:
        """The agent decided something."""
        return self.log(ChangeType.AGENT_DECISION, decision, reasoning=reasoning, context=context)

    def log_command(self, command: str, output: str | None = None, exit_code: int | None = None,
                    metadata: dict[str, Any] | None = None) -> str:
        """A command of the system ran."""
        failed = exit_code not in (None, 0)
        return self.log(ChangeType.SYSTEM_COMMAND, command, metadata=metadata, output=output, exit_code=exit_code,
                        level=LogLevel.ERROR if failed else LogLevel.INFO,
                        status=None if exit_code is None else "failure" if failed else "success")

    def log_api_call(self, endpoint: str, method: str = "GET", request_data: Any = None, response_data: Any = None,
                     status_code: int | None = None, duration: float | None = None,
                     metadata: dict[str, Any] | None = None) -> str:
        """A service was called; `duration` is in seconds."""
        failed = status_code is not None and status_code >= 400
        return self.log(ChangeType.API_CALL, f"{method} {endpoint}", metadata=metadata, endpoint=endpoint,
                        method=method, request=request_data, response=response_data, status_code=status_code,
                        duration_ms=None if duration is None else duration * 1000,
                        level=LogLevel.ERROR if failed else LogLevel.INFO,
                        status=None if status_code is None else "failure" if failed else "success")

    def get_session_summary(self) -> dict[str, Any]:
        """What this session has recorded so far."""
        return {**self._log.session_summary(), "agent_id": self.agent_id}

    def close(self) -> None:
        """Writes what waits."""
        self._log.close()

    def __repr__(self) -> str:
        return f"ChangeLogger({str(self._log.store.path)!r}, agent_id={self.agent_id!r})"


class _Reader:
    """Something that asks the store in a folder."""

    def __init__(self, log_dir: str | os.PathLike[str] | None = None) -> None:
        self._path = place(log_dir, _USUAL)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._path!r})"


class LogQuery(_Reader):
    """Finds what was recorded. Entries are dicts."""

    def get_recent_changes(self, hours: float = 24, limit: int = 100) -> list[dict[str, Any]]:
        """The newest changes of the last hours."""
        return [_entry(row) for row in rows(store_at(self._path).recent(hours=hours, limit=limit))]

    def query(self, change_types: Sequence[str] | None = None, file_path: str | None = None,
              start_date: Time | None = None, end_date: Time | None = None, search_text: str | None = None,
              session_id: str | None = None, agent_id: str | None = None, level: str | None = None,
              limit: int = 1_000) -> list[dict[str, Any]]:
        """The newest changes for which all of this holds; `file_path` also is a folder."""
        terms: list[Filter] = []
        if change_types:
            terms.append({"field": "kind", "op": "=", "values": [str(kind) for kind in change_types]})
        if file_path is not None:
            terms.append({"file": file_path})
        if search_text is not None:
            terms.append({"text": search_text})
        for name, value in (("session", session_id), ("source", agent_id), ("level", level)):
            if value is not None:
                terms.append({"field": name, "op": "=", "value": str(value)})
        found = store_at(self._path).search({"and": terms}, since=start_date, until=end_date, limit=limit)
        return [_entry(row) for row in rows(found)]

    def get_file_history(self, file_path: str, limit: int = 1_000) -> list[dict[str, Any]]:
        """The changes of a file, the newest first."""
        return self.query(file_path=file_path, limit=limit)

    def get_session_logs(self, session_id: str, limit: int = 1_000) -> list[dict[str, Any]]:
        """The changes of a session, the newest first."""
        return self.query(session_id=session_id, limit=limit)

    def generate_audit_report(self, start_date: Time, end_date: Time | None = None,
                              output_file: str | os.PathLike[str] | None = None) -> dict[str, Any]:
        """A report on a period; the file's name ends in `.json`, `.md` or `.html`."""
        return store_at(self._path).audit(start_date, end_date, output=output_file)

    def analyze_patterns(self, start_date: Time | None = None, end_date: Time | None = None) -> dict[str, Any]:
        """What stands out in a period."""
        return store_at(self._path).patterns(since=start_date, until=end_date)


class LogStorage(_Reader):
    """Looks after the store."""

    def __init__(self, log_dir: str | os.PathLike[str] | None = None, max_log_age_days: int = 30,
                 max_storage_mb: float = 500, compress_after_days: int = 7) -> None:
        super().__init__(log_dir)
        self.max_log_age_days, self.max_storage_mb = max_log_age_days, max_storage_mb
        #: Everything in a store is compressed from the start.
        self.compress_after_days = compress_after_days

    def get_storage_usage(self) -> dict[str, Any]:
        """How large the store is, and how much of what it may be."""
        usage = store_at(self._path).usage()
        files = [file for file in Path(self._path).rglob("*") if file.is_file()]
        size = sum(file.stat().st_size for file in files) / _MEGABYTE
        return {"total_size_mb": size, "max_storage_mb": self.max_storage_mb, "file_count": len(files),
                "usage_percentage": 100 * size / self.max_storage_mb, "events": usage["events"]}

    def maintenance(self) -> dict[str, Any]:
        """Removes the changes of days that are too old, makes few files of many, and removes the oldest days until the
        store is small enough."""
        store = store_at(self._path)
        store.seal()
        old = store.expire(older_than_days=self.max_log_age_days)["expired"]
        before = store.usage()["files"]
        store.maintain()
        return {"deleted_old": old, "compressed": max(0, before - store.usage()["files"]),
                "deleted_quota": self.enforce_storage_quota()}

    def enforce_storage_quota(self) -> int:
        """Removes the oldest days until the store is small enough, and says how many changes."""
        store = store_at(self._path)
        store.seal()
        return int(store.expire(max_bytes=int(self.max_storage_mb * _MEGABYTE))["expired"])

    def export_logs(self, output_file: str | os.PathLike[str], start_date: Time | None = None,
                    end_date: Time | None = None, format: str = "json") -> int:
        """Writes changes to a file, `json` or `csv`, and gives their number."""
        store, terms = store_at(self._path), []
        for name, time in (("since", start_date), ("until", end_date)):
            if time is not None:
                terms.append({name: time_text(time)})
        return store.export(output_file, {"and": terms}, format=format)


class LogMetrics(_Reader):
    """How it is going."""

    def get_metrics(self, window_hours: float = 24) -> dict[str, Any]:
        """Rates and counts; `error_rate` is in percent."""
        metrics = store_at(self._path).metrics(window_hours)
        return {**metrics, "error_rate": 100 * (metrics["error_rate"] or 0.0), "total_changes": metrics["events"],
                "changes_per_hour": metrics["events"] / window_hours}

    def export_prometheus_metrics(self, output_file: str | os.PathLike[str] | None = None,
                                  window_hours: float = 24) -> str:
        """The metrics as Prometheus' textfile collector reads them, also in a file."""
        import tempfile

        store = store_at(self._path)
        if output_file is not None:
            store.metrics(window_hours, prometheus=output_file)
            return Path(output_file).read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            store.metrics(window_hours, prometheus=Path(folder, "metrics.prom"))
            return Path(folder, "metrics.prom").read_text(encoding="utf-8")

    def get_health_status(self) -> dict[str, Any]:
        """`status` and `message`."""
        return store_at(self._path).health()


#: What an entry has under names of its own.
_NAMED = frozenset({"file_hash_before", "file_hash_after"})


def _entry(row: dict[str, Any]) -> dict[str, Any]:
    is_file = row.get("entity_type") == "file"
    return {"id": row.get("event_id"), "timestamp": row["ts"], "session_id": row.get("session"),
            "agent_id": row.get("source"), "change_type": row["kind"], "description": row.get("message"),
            "level": row.get("level"), "file_path": row.get("entity_id") if is_file else None,
            "file_hash_before": row.get("file_hash_before"), "file_hash_after": row.get("file_hash_after"),
            "before_state": _read(row.get("before")), "after_state": _read(row.get("after")), "metadata": others(row, _NAMED)}


def _read(state: str | None) -> Any:
    """A state, which is stored as JSON."""
    try:
        return None if state is None else json.loads(state)
    except ValueError:
        return state
