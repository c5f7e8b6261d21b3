"""A store: ask, ingest, keep."""

from __future__ import annotations

import datetime
import json
import os
import weakref
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from daybook import values
from daybook._daybook import NativeStore
from daybook.errors import BusyError, Error, InvalidError
from daybook.files import write_whole
from daybook.report import Report
from daybook.requests import Filter, Time, both, limits_of, minutes_of, request_of, text_of, time_text, within
from daybook.result import Result
from daybook.sources import ArrowStream, Lines, Paths, Reader, Source, joined, total

__all__ = ["Filter", "Source", "Store", "Time", "open"]

#: What a fork left in a state that it cannot be let go of.
_kept: list[NativeStore] = []
_open_stores: weakref.WeakSet[Store] = weakref.WeakSet()


def open(path: str | os.PathLike[str], *, create: bool = False,
         archives: Sequence[str | os.PathLike[str]] = (), key_file: str | os.PathLike[str] | None = None) -> Store:
    """Opens the store in a folder; with `create`, makes one there if there is none. Questions are about its `archives`,
    too. A store that is encrypted, or is to be, needs the file of its key, if neither its settings nor the variables
    `DAYBOOK_KEY_FILE` and `DAYBOOK_KEY` have it."""
    return Store(path, create=create, archives=archives, key_file=key_file)


class Store:
    """A store of events in a folder.

    It can be used from many threads and by several processes at once. In a process that was forked it opens the
    folder again by itself.

    Every method that asks takes `timeout` (seconds), `memory` (bytes, or `"512MB"`) and `at` (a version, or the time
    as of which to ask). Filters are texts of the grammar: `"kind:deploy level>=error last:24h"`.
    """

    def __init__(self, path: str | os.PathLike[str], *, create: bool = False,
                 archives: Sequence[str | os.PathLike[str]] = (),
                 key_file: str | os.PathLike[str] | None = None) -> None:
        # What it does after a fork concerns stores, too.
        from daybook import ending as _

        self.path = Path(path)
        self._archives = [Path(archive).absolute() for archive in archives]
        self._key_file = None if key_file is None else Path(key_file).absolute()
        self._native = NativeStore(self.path, create, self._archives, self._key_file)
        _open_stores.add(self)

    # Asking

    def sql(self, query: str, parameters: Mapping[str, Any] | None = None, /, *, timeout: float | None = None,
            memory: int | str | None = None, at: int | Time | None = None, **named: Any) -> Result:
        """The answer to a query of DuckDB's SQL, which only reads, over `events`, `quarantine`, `templates` and
        `commits`. `$name` in it stands for the parameter of that name, given by its name or in a dict."""
        given = values.encode({**(parameters or {}), **named}).decode()
        return Result(self._native.sql(query, given, limits_of(timeout, memory, at)))

    def search(self, /, filter: Filter = None, *, columns: Sequence[str] = (), limit: int = 100,
               since: Time | None = None, until: Time | None = None, **options: Any) -> Result:
        """The newest events that match, whole or some columns of them."""
        request = request_of("search", within(filter, since, until), columns=list(columns) or None, limit=limit)
        native, more = self._native.search(request, text_of(filter), limits_of(**options))
        return Result(native, more=more)

    def recent(self, /, filter: Filter = None, *, hours: float = 24, **options: Any) -> Result:
        """The events of the last hours."""
        return self.search(both(filter, "last", f"{minutes_of(hours * 60)}m"), **options)

    def failures(self, /, filter: Filter = None, *, minutes: float = 60, **options: Any) -> Result:
        """The errors of the last minutes."""
        return self.search(both(both(filter, "is", "error"), "last", f"{minutes_of(minutes)}m"), **options)

    def stats(self, /, filter: Filter = None, **options: Any) -> Report:
        """Totals, and counts by kind, level, source, actor, entity type and status; how long things took."""
        return self._ask("stats", filter, options)

    def timeline(self, /, filter: Filter = None, *, by: str | None = None, every: str = "auto",
                 **options: Any) -> Report:
        """Events by stretches of time (`"1m"`, `"1h"`, `"1d"`), and by the values of a column."""
        return self._ask("timeline", filter, options, by=by, every=every)

    def facets(self, /, filter: Filter = None, *, by: str | Sequence[str], top: int | None = None,
               **options: Any) -> Report:
        """The most frequent values of some columns."""
        return self._ask("facets", filter, options, by=[by] if isinstance(by, str) else list(by), limit=top)

    def slowest(self, /, filter: Filter = None, *, limit: int | None = None, **options: Any) -> Report:
        """The events that took longest."""
        return self._ask("slowest", filter, options, limit=limit)

    def history(self, /, entity: str, filter: Filter = None, *, limit: int | None = None, **options: Any) -> Report:
        """What happened to an entity, written `"order:55"`: each change, with what is different after it."""
        entity_type, colon, entity_id = entity.partition(":")
        if not colon:
            raise InvalidError(f"`{entity}` is no entity", "write its type and id, such as `order:55`")
        return self._ask("history", filter, options, entity_type=entity_type, entity_id=entity_id, limit=limit)

    def file_history(self, /, path: str, filter: Filter = None, *, limit: int | None = None, **options: Any) -> Report:
        """What happened to a file, or to the files below a folder."""
        return self._ask("file-history", filter, options, path=path, limit=limit)

    def sessions(self, /, filter: Filter = None, *, gap_minutes: int | None = None, **options: Any) -> Report:
        """The sessions; those without an id are found by actor and by gaps."""
        return self._ask("sessions", filter, options, gap_minutes=gap_minutes)

    def session(self, /, id: str, *, limit: int | None = None, **options: Any) -> Report:
        """The events of a session, its gaps and its outcome."""
        return self._ask("session", None, options, id=id, limit=limit)

    def trace(self, /, id: str, **options: Any) -> Report:
        """The events of all sources that share a trace, session or request."""
        return self._ask("trace", None, options, id=id)

    def show(self, /, id: int | str, **options: Any) -> Report:
        """An event by its number, or those of an `event_id`."""
        return self._ask("show", None, options, id=str(id))

    def patterns(self, /, filter: Filter = None, *, of: str = "patterns", **options: Any) -> Report:
        """What stands out; or one of its parts: `templates`, `sequences`, `bursts`, `rhythms`, `co-changes`,
        `actors`."""
        return self._ask(of, filter, options)

    def metrics(self, /, window_hours: float = 24, filter: Filter = None, *,
                prometheus: str | os.PathLike[str] | None = None, **options: Any) -> Report:
        """How it is going: rates, errors, latencies. With `prometheus`, also written to that file, at once, for
        the textfile collector of node_exporter."""
        request = request_of("metrics", filter, window_minutes=minutes_of(window_hours * 60))
        limits = limits_of(**options)
        if prometheus is not None:
            text = self._native.prometheus(request, text_of(filter), limits)
            write_whole(Path(prometheus), text)
        return Report("metrics", json.loads(self._native.ask(request, text_of(filter), limits)))

    def health(self, /, **options: Any) -> Report:
        """`ok`, `degraded` or `failing`, and why."""
        return self._ask("health", None, options)

    def audit(self, /, start: Time, end: Time | None = None, filter: Filter = None, *,
              output: str | os.PathLike[str] | None = None, **options: Any) -> Report:
        """A report on a period; `output` writes it to a file whose name ends in `.json`, `.md` or `.html`."""
        limits = limits_of(**options)
        filter_json = values.encode(filter).decode()
        period = (time_text(start), None if end is None else time_text(end))
        if output is not None:
            form = Path(output).suffix.lstrip(".")
            write_whole(Path(output), self._native.audit(period, filter_json, text_of(filter), form, limits))
        return Report("audit", json.loads(self._native.audit(period, filter_json, text_of(filter), "json", limits)))

    def schema(self, /, **options: Any) -> Report:
        """The columns: types, paths, how many events have them, examples."""
        return Report("schema", json.loads(self._native.schema(limits_of(**options))))

    def usage(self) -> Report:
        """How much is in the store, and how large it is."""
        return Report("usage", json.loads(self._native.info()))

    info = usage

    def ask(self, /, request: Mapping[str, Any], **options: Any) -> Any:
        """The answer to a request in its JSON form, as every binding takes it."""
        text = request.get("filter")
        return json.loads(self._native.ask(values.encode(dict(request)).decode(), text if isinstance(text, str) else "",
                                           limits_of(**options)))

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
        receipts = [self._ingest(source, options, name) for source in joined(sources)]
        return Report("ingest", total(receipts))

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

    def export(self, /, file: str | os.PathLike[str], filter: Filter = None, *, format: str | None = None,
               original: bool = False, raw_csv: bool = False, limit: int | None = None, **options: Any) -> int:
        """Writes events to a file, oldest first, and gives their number. The format follows from its name:
        `jsonl`, `json`, `csv`, `parquet`, `arrow`. `original` writes the producers' own records."""
        path = Path(file)
        return self._native.export(path, format or path.suffix.lstrip("."), values.encode(filter).decode(),
                                   text_of(filter), limits_of(**options), original, raw_csv, limit)

    def compact(self, day: datetime.date | str | None = None, *, dry_run: bool = False) -> Report:
        """Makes few files of many; with `dry_run`, only says what it would do."""
        return Report("compact", json.loads(self._native.compact(None if day is None else str(day), dry_run)))

    def expire(self, filter: Filter = None, *, older_than_days: float | None = None, max_bytes: int | None = None,
               dry_run: bool = False) -> Report:
        """Takes events out that match: those of days that are older, or the oldest until what is left is small enough;
        with `dry_run`, only says how many."""
        age_ms = None if older_than_days is None else round(older_than_days * 86_400_000)
        return Report("expire", json.loads(self._native.expire(age_ms, max_bytes, values.encode(filter).decode(),
                                                               text_of(filter), dry_run)))

    def erase(self, filter: Filter, *, reason: str, redact: Sequence[str] = (), dry_run: bool = False) -> Report:
        """Takes the events out that match, from every older version, the quarantine and the archives that were opened,
        too; with `redact`, only blanks these fields of them. `reason` is kept and should not name the person; with
        `dry_run`, only says how many. Raises `BusyError` where something that matches may be left: try again then."""
        receipt, complete = self._native.erase(values.encode(filter).decode(), text_of(filter), reason, list(redact),
                                               dry_run)
        if not (dry_run or complete):
            raise BusyError("something that matches may be left in the store",
                            "what was done stays; do it again when the processes that write to the store have ended")
        return Report("erase", json.loads(receipt))

    def archive(self, folder: str | os.PathLike[str], *, quarter: str | None = None, month: str | None = None,
                before: datetime.date | str | None = None, keep: bool = False) -> Report:
        """Moves the days of a period to a store of their own in a folder, which are read back and compared before they
        leave here: a `quarter` (`"2026Q1"`), a `month` (`"2026-02"`), or all days `before` one. With `keep` they stay
        here, too. `daybook.open(path, archives=[folder])` asks both."""
        period = _period(quarter, month, before)
        if period is None:
            raise InvalidError("nothing says which days", "name a quarter, a month, or the day before which")
        return Report("archive", json.loads(self._native.archive(Path(folder), period, keep)))

    def restore(self, folder: str | os.PathLike[str], *, quarter: str | None = None, month: str | None = None,
                before: datetime.date | str | None = None) -> Report:
        """Brings the days of an archive back, or those of a period, without those that were erased here."""
        return Report("restore", json.loads(self._native.restore(Path(folder), _period(quarter, month, before))))

    def maintain(self, *, dry_run: bool = False) -> Report:
        """All upkeep that the store's settings ask for: seals, expires, compacts and removes what no version in use
        needs; with `dry_run`, only says what it would do."""
        return Report("maintain", json.loads(self._native.maintain(dry_run)))

    def encrypt(self) -> Report:
        """Encrypts everything that is not, or with another key than the first of the key file: files are written anew,
        older versions go. It can be stopped anywhere and done again."""
        return Report("encrypt", json.loads(self._native.encrypt()))

    def backup(self, folder: str | os.PathLike[str]) -> Report:
        """Makes a consistent copy in a folder, which is empty or new, while others go on."""
        return Report("backup", json.loads(self._native.backup(Path(folder))))

    def verify(self, against: str | None = None, *, deep: bool = False) -> Report:
        """Reads everything again and compares it with the hash chain, and with a head that was written down; `deep`
        hashes all rows anew, too."""
        return Report("verify", json.loads(self._native.verify(against, deep)))

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
        filter = within(filter, options.pop("since", None), options.pop("until", None))
        request = request_of(analysis, filter, **members)
        return Report(analysis, json.loads(self._native.ask(request, text_of(filter), limits_of(**options))))

    def _ingest(self, source: Any, options: str, name: str) -> dict[str, Any]:
        native = self._native
        if isinstance(source, Paths):
            text = native.ingest_paths(source.paths, options)
        elif isinstance(source, (bytes, bytearray, memoryview)):
            text = native.ingest_bytes(name, bytes(source), options)
        elif isinstance(source, ArrowStream):
            text = native.ingest_arrow(name, source.__arrow_c_stream__(), options)
        elif callable(getattr(source, "read", None)):
            text = self._read(str(getattr(source, "name", name)), source, options)
        elif isinstance(source, Mapping):
            text = self._read(name, Lines(iter([source])), options)
        elif isinstance(source, Iterable):
            text = self._read(name, Lines(iter(source)), options)
        else:
            raise InvalidError(f"a {type(source).__name__} is no source", "ingest takes dicts, Arrow data and files")
        receipt: dict[str, Any] = json.loads(text)
        return receipt

    def _read(self, name: str, file: Any, options: str) -> str:
        reader = Reader(file)
        try:
            receipt = self._native.ingest_file(name, reader, options)
        except Error as error:
            if reader.failed is not None:
                raise reader.failed from error
            raise
        if reader.failed is not None:
            raise reader.failed
        return receipt

    def _open_again(self) -> None:
        """In a process that was forked."""
        if not self._native.abandon():
            _kept.append(self._native)
        self._native = NativeStore(self.path, False, self._archives, self._key_file)


def _period(quarter: str | None, month: str | None, before: datetime.date | str | None) -> tuple[str, str] | None:
    given = [(form, str(text)) for form, text in (("quarter", quarter), ("month", month), ("before", before))
             if text is not None]
    if len(given) > 1:
        raise InvalidError("a period is a quarter, a month, or the days before one, and not two of them")
    return given[0] if given else None


def after_fork() -> None:
    """Opens all stores again, in a process that was forked."""
    for store in list(_open_stores):
        store._open_again()
