"""The tables of one version of a store, as DataFrames of Spark."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from daybook import values
from daybook.errors import UnsupportedError
from daybook.optional import module
from daybook.report import Report
from daybook.requests import Filter, Time, limits_of, request_of, text_of, within
from daybook.result import Result
from daybook.spark.frames import functions_of, plain_frame, view_of
from daybook.spark.rows import answer_of
from daybook.spark.translate import Known, translated
from daybook.spark.typed import checked
from daybook.store import Store

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["Tables"]

#: Tables that Daybook has in memory, and hands to Spark when a query names them.
_SMALL = ("templates", "commits")


class Tables:
    """One version of a store, for Spark. `events` and `quarantine` are DataFrames with the columns that they have in
    `Store.sql`; they are of a session of their own, whose zone is UTC."""

    def __init__(self, spark: SparkSession, path: str | os.PathLike[str], at: int | Time | None = None) -> None:
        module("pyspark")
        self._store = Store(path)
        found = json.loads(self._store._native.elsewhere(limits_of(at=at)))
        #: The version of the store.
        self.version: int = found["version"]
        self._limits = limits_of(at=self.version)
        self._session = session = spark.newSession()
        session.conf.set("spark.sql.session.timeZone", "UTC")
        session.conf.set("spark.sql.ansi.enabled", "true")
        session.conf.set("spark.sql.caseSensitive", "false")
        self._functions = functions_of(session)
        folder = str(self._store.path.absolute())
        #: The events.
        self.events: DataFrame = view_of(session, found["events"], folder, self._functions)
        #: What could not be read.
        self.quarantine: DataFrame = view_of(session, found["quarantine"], os.path.join(folder, "_quarantine"),
                                             self._functions)
        self._small: set[str] = set()
        for name, frame in (("events", self.events), ("quarantine", self.quarantine)):
            frame.createOrReplaceTempView(name)
        self._columns = {name: {column: kind for column, kind in self._native_columns(f"SELECT * FROM {name}", {})}
                         for name in ("events", "quarantine", *_SMALL)}

    def sql(self, query: str, parameters: Mapping[str, Any] | None = None, /, **named: Any) -> DataFrame:
        """The answer to a query of DuckDB's SQL over `events`, `quarantine`, `templates` and `commits`. What it may not
        ask, and what is wrong with it, Daybook says as it does everywhere; what Spark would answer in another way is
        refused with `UnsupportedError`."""
        return self._asked(query, {**(parameters or {}), **named})

    def search(self, /, filter: Filter = None, *, columns: Sequence[str] = (), limit: int | None = 100,
               since: Time | None = None, until: Time | None = None) -> DataFrame:
        """The newest events that match; all of them in no order without a `limit`."""
        filter = within(filter, since, until)
        condition = json.loads(self._store._native.condition(values.encode(filter).decode(), text_of(filter),
                                                             self._limits))
        listed = ", ".join('"' + name.replace('"', '""') + '"' for name in columns) or "*"
        query = f"SELECT {listed} FROM events WHERE {condition['sql']}"
        if limit is not None:
            query += f" ORDER BY ts DESC, seq DESC LIMIT {int(limit)}"
        return self._asked(query, condition["parameters"])

    def stats(self, /, filter: Filter = None) -> Report:
        """As `Store.stats`."""
        return self._report("stats", filter)

    def timeline(self, /, filter: Filter = None, *, by: str | None = None, every: str = "auto") -> Report:
        """As `Store.timeline`."""
        return self._report("timeline", filter, by=by, every=every)

    def facets(self, /, filter: Filter = None, *, by: str | Sequence[str], top: int | None = None) -> Report:
        """As `Store.facets`."""
        return self._report("facets", filter, by=[by] if isinstance(by, str) else list(by), limit=top)

    def templates(self, /, filter: Filter = None, **options: Any) -> Report:
        """The templates of messages, with an example of each; what stands in their parameters `Store.patterns` says."""
        return self._report("templates", filter, **options)

    def ask(self, request: Mapping[str, Any]) -> Any:
        """The answer to a request in its JSON form, if it is one of the above."""
        text = request.get("filter")
        return self._answered(values.encode(dict(request)).decode(), text if isinstance(text, str) else "")

    def __repr__(self) -> str:
        return f"<daybook.spark.Tables of {str(self._store.path)!r}, version {self.version}>"

    def _report(self, analysis: str, filter: Filter, **members: Any) -> Report:
        return Report(analysis, self._answered(request_of(analysis, filter, **members), text_of(filter)))

    def _answered(self, request: str, text: str) -> Any:
        native, answers = self._store._native, dict[str, Any]()
        while True:
            statements = json.loads(native.statements(request, text, json.dumps(answers), self._limits))
            for statement in statements:
                answers[statement["name"]] = answer_of(self._asked(statement["sql"], statement["parameters"]))
            if not statements:
                return json.loads(native.report(request, text, json.dumps(answers), self._limits))

    def _asked(self, query: str, parameters: dict[str, Any]) -> DataFrame:
        # DuckDB says what is wrong with a query, and of what types its columns are.
        columns = self._native_columns(query, parameters)
        given = json.loads(values.encode(parameters))
        answer = translated(query, given, self._known(), lambda: self._checked_alone(query, parameters))
        for name in answer.tables & set(_SMALL):
            self._add_small(name)
        try:
            frame = self._session.sql(answer.sql, answer.parameters or None)
        except module("pyspark.errors").AnalysisException as error:
            # The store can answer it.
            said = str(error).partition("\n")[0]
            raise UnsupportedError(f"Spark cannot answer this: {said}", "ask the store itself") from error
        return checked(frame, columns)

    def _checked_alone(self, query: str, parameters: dict[str, Any]) -> None:
        """Asks the store itself, which says what is wrong with it."""
        self._store.sql(query, parameters, at=self.version)

    def _known(self) -> Known:
        return Known(self._columns)

    def _native_columns(self, query: str, parameters: dict[str, Any]) -> list[tuple[str, str]]:
        try:
            asked = self._store.sql(f"SELECT * FROM (\n{query}\n) LIMIT 0", parameters, at=self.version)
        except Exception:
            # It may be no query at all: its own error is better than that of what is around it.
            self._checked_alone(query, parameters)
            raise
        return asked._native.columns

    def _add_small(self, name: str) -> None:
        if name not in self._small:
            result: Result = self._store.sql(f"SELECT * FROM {name}", at=self.version)
            plain_frame(self._session, result).createOrReplaceTempView(name)
            self._small.add(name)
