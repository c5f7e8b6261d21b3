"""Answers to queries."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from daybook.errors import ClosedError
from daybook.optional import module

if TYPE_CHECKING:
    import polars

    from daybook._daybook import Batches

__all__ = ["Result"]

#: How many rows a preview shows, and how much of a value.
_ROWS_SHOWN = 10
_COLUMNS_SHOWN = 12
_VALUE_SHOWN = 60


class Result:
    """The rows that a query gave.

    Everything that takes Arrow data takes it as it is (`pyarrow.table(result)`, `polars.DataFrame(result)`,
    `duckdb.from_arrow(result)`). It can be read any number of times; `batches()` alone keeps nothing, for answers
    that are larger than memory.
    """

    def __init__(self, native: Batches, *, more: bool = False) -> None:
        self._native = native
        self._taken = False
        #: Whether there is more than a search was to give.
        self.more = more

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return [name for name, _ in self._native.columns]

    def to_arrow(self) -> Any:
        """A table of pyarrow."""
        pyarrow = module("pyarrow")
        self._collect()
        return pyarrow.table(self)

    def to_pandas(self, **options: Any) -> Any:
        """A DataFrame of pandas; `options` are those of `pyarrow.Table.to_pandas`."""
        module("pandas")
        return self.to_arrow().to_pandas(**options)

    def to_polars(self) -> polars.DataFrame:
        """A DataFrame of Polars."""
        self._collect()
        frame: polars.DataFrame = module("polars").DataFrame(self)
        return frame

    def to_dicts(self) -> list[dict[str, Any]]:
        """A dict for each row, in the order of the columns. Times are texts as RFC 3339 has them, in UTC."""
        self._check()
        return self._rows()

    def batches(self) -> Iterator[Any]:
        """Batches of pyarrow, each once: what was given is forgotten, and the result with it."""
        pyarrow = module("pyarrow")
        self._check()
        self._taken = True
        while (stream := self._native.take()) is not None:
            yield from pyarrow.RecordBatchReader.from_stream(_Stream(stream))

    def scalar(self) -> Any:
        """The first value of the first row; `None` if there is no row."""
        self._check()
        for row in self._rows(1):
            return next(iter(row.values()), None)
        return None

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        self._check()
        return self._native.__arrow_c_stream__(requested_schema)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.to_dicts())

    def __len__(self) -> int:
        return self._collect()

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        if self._taken:
            return f"<daybook.Result of {len(self.columns)} columns, taken>"
        rows = self._rows(_ROWS_SHOWN + 1)
        lines = [f"<daybook.Result: {', '.join(f'{name} {kind}' for name, kind in self._native.columns)}>"]
        lines += [", ".join(f"{name}={_shown(value)}" for name, value in row.items()) for row in rows[:_ROWS_SHOWN]]
        if len(rows) > _ROWS_SHOWN:
            lines.append("…")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """The first rows, for notebooks."""
        if self._taken:
            return html.escape(repr(self))
        names = self.columns
        rows = self._rows(_ROWS_SHOWN + 1)
        shown = [name for name in names if any(row.get(name) is not None for row in rows)] or names
        left_out = len(names) - len(shown[:_COLUMNS_SHOWN])
        shown = shown[:_COLUMNS_SHOWN]
        head = "".join(f"<th>{html.escape(name)}</th>" for name in shown)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(_shown(row.get(name)))}</td>" for name in shown) + "</tr>"
            for row in rows[:_ROWS_SHOWN]
        )
        notes = [f"{left_out} columns are not shown"] if left_out else []
        notes += ["there are more rows"] if len(rows) > _ROWS_SHOWN else []
        note = f"<p>{'; '.join(notes)}</p>" if notes else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{note}"

    def _rows(self, limit: int | None = None) -> list[dict[str, Any]]:
        answer = json.loads(self._native.to_json(limit))
        return [dict(zip(answer["columns"], row)) for row in answer["rows"]]

    def _collect(self) -> int:
        self._check()
        return self._native.collect()

    def _check(self) -> None:
        if self._taken:
            raise ClosedError("the result was taken batch by batch", "ask again, or use `to_arrow()`")


class _Stream:
    """A stream that was opened already."""

    def __init__(self, stream: object) -> None:
        self._stream = stream

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._stream


def _shown(value: Any) -> str:
    if value is None:
        return "∅"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)
    return text if len(text) <= _VALUE_SHOWN else text[: _VALUE_SHOWN - 1] + "…"
