"""A store: ask, ingest, keep."""

from __future__ import annotations

import datetime
import json
import os
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Protocol, Union, runtime_checkable

from daybook import values
from daybook._daybook import NativeStore
from daybook.errors import InvalidError
from daybook.report import Report
from daybook.result import Result

__all__ = ["Filter", "Source", "Store", "Time", "open"]

#: A filter: a text of the grammar, or the JSON form.
Filter = Union[str, Mapping[str, Any], None]
#: A time: of `datetime` (without a zone it is local), a day, or a text that the grammar reads.
Time = Union[datetime.datetime, datetime.date, str]


@runtime_checkable
class ArrowStream(Protocol):
    """Whatever gives its data over the Arrow C stream interface: tables and readers of pyarrow, frames of Polars and
    pandas, relations of DuckDB."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


#: What can be ingested: names of files, folders and patterns; Arrow data and frames; dicts; a file that is open in
#: binary mode; bytes.
Source = Union[str, "os.PathLike[str]", ArrowStream, Iterable[Mapping[str, Any]], BinaryIO, bytes]

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}

_open_stores: weakref.WeakSet[Store] = weakref.WeakSet()


def open(path: str | os.PathLike[str], *, create: bool = False) -> Store:
    """Opens the store in a folder; with `create`, makes one there if there is none."""
    return Store(path, create=create)


class Store:
    """A store of events in a folder.

    It can be used from many threads and by several processes at once. In a process that was forked it opens the
    folder again by itself.

    Every method that asks takes `timeout` (seconds), `memory` (bytes, or `"512MB"`) and `at` (a version, or the time
    as of which to ask). Filters are texts of the grammar: `"kind:deploy level>=error last:24h"`.
    """

    def __init__(self, path: str | os.PathLike[str], *, create: bool = False) -> None:
        self.path = Path(path)
        self._native = NativeStore(self.path, create)
        _open_stores.add(self)

    # Asking

    def sql(self, query: str, /, *, timeout: float | None = None, memory: int | str | None = None,
            at: int | Time | None = None, **parameters: Any) -> Result:
        """The answer to a query of DuckDB's SQL, which only reads, over `events`, `quarantine`, `templates` and
        `commits`. `$name` in it stands for the parameter of that name."""
        given = values.encode(parameters).decode()
        return Result(self._native.sql(query, given, _limits(timeout, memory, at)))

    def search(self, filter: Filter = None, *, columns: Sequence[str] = (), limit: int = 100,
               since: Time | None = None, until: Time | None = None, **options: Any) -> Result:
        """The newest events that match, whole or some columns of them."""
        request = _request("search", _within(filter, since, until), columns=list(columns) or None, limit=limit)
        native, more = self._native.search(request, _text(filter), _limits(**options))
        return Result(native, more=more)

    def recent(self, filter: Filter = None, *, hours: float = 24, **options: Any) -> Result:
        """The events of the last hours."""
        return self.search(_and(filter, f"last:{_minutes(hours * 60)}m"), **options)

    def failures(self, filter: Filter = None, *, minutes: float = 60, **options: Any) -> Result:
        """The errors of the last minutes."""
        return self.search(_and(filter, f"is:error last:{_minutes(minutes)}m"), **options)

    def stats(self, filter: Filter = None, **options: Any) -> Report:
        """Totals, and counts by kind, level, source, actor, entity type and status; how long things took."""
        return self._ask("stats", filter, options)

    def timeline(self, filter: Filter = None, *, by: str | None = None, every: str = "auto",
                 **options: Any) -> Report:
        """Events by stretches of time (`"1m"`, `"1h"`, `"1d"`), and by the values of a column."""
        return self._ask("timeline", filter, options, by=by, every=every)

    def facets(self, filter: Filter = None, *, by: str | Sequence[str], top: int | None = None,
               **options: Any) -> Report:
        """The most frequent values of some columns."""
        return self._ask("facets", filter, options, by=[by] if isinstance(by, str) else list(by), top=top)

    def slowest(self, filter: Filter = None, *, limit: int | None = None, **options: Any) -> Report:
        """The events that took longest."""
        return self._ask("slowest", filter, options, limit=limit)

    def history(self, entity: str, filter: Filter = None, *, limit: int | None = None, **options: Any) -> Report:
        """What happened to an entity, written `"order:55"`: each change, with what is different after it."""
        entity_type, colon, entity_id = entity.partition(":")
        if not colon:
            raise InvalidError(f"`{entity}` is no entity", "write its type and id, such as `order:55`")
        return self._ask("history", filter, options, entity_type=entity_type, entity_id=entity_id, limit=limit)

    def file_history(self, path: str, filter: Filter = None, *, limit: int | None = None, **options: Any) -> Report:
        """What happened to a file, or to the files below a folder."""
        return self._ask("file-history", filter, options, path=path, limit=limit)

    def sessions(self, filter: Filter = None, *, gap_minutes: int | None = None, **options: Any) -> Report:
        """The sessions; those without an id are found by actor and by gaps."""
        return self._ask("sessions", filter, options, gap_minutes=gap_minutes)

    def session(self, id: str, *, limit: int | None = None, **options: Any) -> Report:
        """The events of a session, its gaps and its outcome."""
        return self._ask("session", None, options, id=id, limit=limit)

    def trace(self, id: str, **options: Any) -> Report:
        """The events of all sources that share a trace, session or request."""
        return self._ask("trace", None, options, id=id)

    def show(self, id: int | str, **options: Any) -> Report:
        """An event by its number, or those of an `event_id`."""
        return self._ask("show", None, options, id=str(id))

    def patterns(self, filter: Filter = None, *, of: str = "patterns", **options: Any) -> Report:
        """What stands out; or one of its parts: `templates`, `sequences`, `bursts`, `rhythms`, `co-changes`,
        `actors`."""
        return self._ask(of, filter, options)

    def metrics(self, window_hours: float = 24, filter: Filter = None, *,
                prometheus: str | os.PathLike[str] | None = None, **options: Any) -> Report:
        """How it is going: rates, errors, latencies. With `prometheus`, also written to that file, at once, for
        the textfile collector of node_exporter."""
        request = _request("metrics", filter, window_minutes=_minutes(window_hours * 60))
        limits = _limits(**options)
        if prometheus is not None:
            text = self._native.prometheus(request, _text(filter), limits)
            _write_whole(Path(prometheus), text)
        return Report("metrics", json.loads(self._native.ask(request, _text(filter), limits)))

    def health(self, **options: Any) -> Report:
        """`ok`, `degraded` or `failing`, and why."""
        return self._ask("health", None, options)

    def audit(self, start: Time, end: Time | None = None, filter: Filter = None, *,
              output: str | os.PathLike[str] | None = None, **options: Any) -> Report:
        """A report on a period; `output` writes it to a file whose name ends in `.json`, `.md` or `.html`."""
        limits = _limits(**options)
        filter_json = values.encode(filter).decode()
        period = (_time(start), None if end is None else _time(end))
        if output is not None:
            form = Path(output).suffix.lstrip(".")
            _write_whole(Path(output), self._native.audit(period, filter_json, _text(filter), form, limits))
        return Report("audit", json.loads(self._native.audit(period, filter_json, _text(filter), "json", limits)))

    def schema(self, **options: Any) -> Report:
        """The columns: types, paths, how many events have them, examples."""
        return Report("schema", json.loads(self._native.schema(_limits(**options))))

    def usage(self) -> Report:
        """How much is in the store, and how large it is."""
        return Report("usage", json.loads(self._native.info()))

    info = usage

    def ask(self, request: Mapping[str, Any], **options: Any) -> Any:
        """The answer to a request in its JSON form, as every binding takes it."""
        text = request.get("filter")
        return json.loads(self._native.ask(values.encode(dict(request)).decode(), text if isinstance(text, str) else "",
                                           _limits(**options)))

    def changes(self, cursor: str | None = None, *, limit: int = 10_000) -> tuple[Result, str]:
        """Events that came since a cursor, each once, and the cursor after them; `None` begins with the first."""
        native, after, more = self._native.changes(cursor, limit)
        return Result(native, more=more), after

    def now(self) -> str:
        """The cursor after everything that has come so far."""
        return self._native.now()

    # Storing

    def ingest(self, *sources: Source, format: str | None = None, header: str | None = None,
               encoding: str | None = None, mapping: str | None = None, map: Mapping[str, str] | None = None,
               strict: bool = False, name: str = "python") -> Report:
        """Stores events, and says what became of each record. The same content twice is stored once.

        Takes names of files, folders and patterns; tables, frames and streams of Arrow; dicts in a list or iterator;
        files that are open in binary mode; bytes. `name` is what the latter are called in receipts."""
        options = json.dumps({"from": format, "header": header, "encoding": encoding, "mapping": mapping,
                              "map": dict(map or {}), "strict": strict})
        receipts = [self._ingest(source, options, name) for source in _joined(sources)]
        return Report("ingest", _sum(receipts))

    def append(self, event: Mapping[str, Any], *, durability: str = "fsync") -> int:
        """Appends an event and gives its number, once it is on disk (`fsync`), in the operating system's hands
        (`os`), or at once (`batched`: `flush` waits for the disk). Raises `InvalidError` for what cannot be read
        as an event; it is kept in the quarantine."""
        number, reason = self._native.append(values.encode(dict(event)), durability)
        if reason is not None:
            raise InvalidError(f"the event is in the quarantine: {reason}")
        return number

    def flush(self) -> None:
        """Returns once everything appended is on disk."""
        self._native.flush()

    def seal(self) -> None:
        """Makes Parquet of everything appended."""
        self._native.seal()

    def explain(self, path: str | os.PathLike[str], *, format: str | None = None) -> Any:
        """What ingesting a file would do."""
        return json.loads(self._native.explain(Path(path), json.dumps({"from": format})))

    def quarantined(self) -> Report:
        """What could not be read, counted by reason and input."""
        return Report("quarantine", json.loads(self._native.quarantined()))

    # Keeping

    def export(self, file: str | os.PathLike[str], filter: Filter = None, *, format: str | None = None,
               original: bool = False, raw_csv: bool = False, limit: int | None = None, **options: Any) -> int:
        """Writes events to a file, oldest first, and gives their number. The format follows from its name:
        `jsonl`, `json`, `csv`, `parquet`, `arrow`. `original` writes the producers' own records."""
        path = Path(file)
        return self._native.export(path, format or path.suffix.lstrip("."), values.encode(filter).decode(),
                                   _text(filter), _limits(**options), original, raw_csv, limit)

    def compact(self, day: datetime.date | str | None = None) -> Report:
        """Makes few files of many."""
        return Report("compact", json.loads(self._native.compact(None if day is None else str(day))))

    def verify(self, against: str | None = None) -> Report:
        """Reads everything again and compares it with the hash chain, and with a head that was written down."""
        return Report("verify", json.loads(self._native.verify(against)))

    def head(self) -> str:
        """The head of the hash chain: kept elsewhere, it proves later that nothing before it was touched."""
        return self._native.head()

    # Itself

    def interrupt(self) -> None:
        """Stops what other threads ask of this store: it ends with `StoppedError`."""
        self._native.interrupt()

    def warnings(self) -> list[str]:
        """What opening the store found wrong."""
        return self._native.warnings()

    def close(self) -> None:
        """Flushes, and lets go of the store. Closing twice is fine."""
        self._native.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"daybook.Store({str(self.path)!r})"

    def _ask(self, analysis: str, filter: Filter, options: dict[str, Any], **members: Any) -> Report:
        filter = _within(filter, options.pop("since", None), options.pop("until", None))
        request = _request(analysis, filter, **members)
        return Report(analysis, json.loads(self._native.ask(request, _text(filter), _limits(**options))))

    def _ingest(self, source: Any, options: str, name: str) -> dict[str, Any]:
        native = self._native
        if isinstance(source, _Paths):
            text = native.ingest_paths(source.paths, options)
        elif isinstance(source, (bytes, bytearray)):
            text = native.ingest_bytes(name, bytes(source), options)
        elif isinstance(source, ArrowStream):
            text = native.ingest_arrow(name, source.__arrow_c_stream__(), options)
        elif callable(getattr(source, "read", None)):
            text = native.ingest_file(str(getattr(source, "name", name)), source, options)
        else:
            text = native.ingest_file(name, _Lines(iter(source)), options)
        receipt: dict[str, Any] = json.loads(text)
        return receipt

    def _open_again(self) -> None:
        self._native.abandon()
        self._native = NativeStore(self.path, False)


class _Paths:
    """Names of files, which are ingested together."""

    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths


class _Lines:
    """Dicts as a file of JSON Lines."""

    def __init__(self, rows: Iterator[Mapping[str, Any]]) -> None:
        self._rows = rows
        self._left = b""

    def read(self, size: int) -> bytes:
        parts, length = [self._left], len(self._left)
        while length < size and (row := next(self._rows, None)) is not None:
            if not isinstance(row, Mapping):
                raise InvalidError(f"a {type(row).__name__} is no event", "ingest takes dicts, Arrow data and files")
            line = values.encode(dict(row)) + b"\n"
            parts.append(line)
            length += len(line)
        whole = b"".join(parts)
        self._left = whole[size:]
        return whole[:size]


def _joined(sources: tuple[Any, ...]) -> list[Any]:
    """The sources, with all names of files as one."""
    paths = [Path(source) for source in sources if isinstance(source, (str, os.PathLike))]
    others = [source for source in sources if not isinstance(source, (str, os.PathLike))]
    return ([_Paths(paths)] if paths else []) + others


def _sum(receipts: list[dict[str, Any]]) -> dict[str, Any]:
    if len(receipts) == 1:
        return receipts[0]
    total: dict[str, Any] = {"records": 0, "stored": 0, "duplicate": 0, "quarantined": 0, "lines": 0, "bytes": 0,
                             "seconds": 0.0, "inputs": []}
    for receipt in receipts:
        for name in total:
            total[name] += receipt[name]
        for rule, count in receipt.get("redacted", {}).items():
            redacted = total.setdefault("redacted", {})
            redacted[rule] = redacted.get(rule, 0) + count
    return total


def _request(analysis: str, filter: Filter, **members: Any) -> str:
    request = {"analysis": analysis, "filter": filter, **members}
    return values.encode({name: value for name, value in request.items() if value is not None}).decode()


def _text(filter: Filter) -> str:
    return filter if isinstance(filter, str) else ""


def _and(filter: Filter, term: str) -> Filter:
    if filter is None or filter == "":
        return term
    if isinstance(filter, str):
        return f"({filter}) {term}"
    return {"and": [filter, term]}


def _within(filter: Filter, since: Time | None, until: Time | None) -> Filter:
    for name, time in (("since", since), ("until", until)):
        if time is not None:
            filter = _and(filter, f"{name}:{_time(time)}")
    return filter


def _time(time: Time) -> str:
    return time if isinstance(time, str) else str(values.plain(time))


def _minutes(minutes: float) -> int:
    if not minutes > 0:
        raise InvalidError("the time has to be longer than nothing")
    return max(1, round(minutes))


def _limits(timeout: float | None = None, memory: int | str | None = None,
            at: int | Time | None = None, lenient: bool = False) -> dict[str, Any]:
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
    if memory is None or isinstance(memory, int):
        return memory
    digits = memory.strip().rstrip("BKMGibkmg")
    unit = memory.strip()[len(digits):].upper()
    try:
        return int(float(digits) * _UNITS[unit])
    except (ValueError, KeyError):
        raise InvalidError(f"`{memory}` is no size", "write 512MB, or a number of bytes") from None


def _write_whole(path: Path, text: str) -> None:
    """Writes a file that is complete when it has its name."""
    import tempfile

    handle, temporary = tempfile.mkstemp(prefix=".daybook-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _after_fork() -> None:
    for store in list(_open_stores):
        store._open_again()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
