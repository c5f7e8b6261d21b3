"""What can be ingested, as the native half reads it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Protocol, Union, runtime_checkable

from daybook import values
from daybook.errors import InvalidError

__all__ = ["ArrowStream", "Lines", "Paths", "Reader", "Source", "joined", "total"]


@runtime_checkable
class ArrowStream(Protocol):
    """Whatever gives its data over the Arrow C stream interface: tables and readers of pyarrow, frames of Polars and
    pandas, relations of DuckDB."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


#: What can be ingested: names of files, folders and patterns; Arrow data and frames; dicts; a file that is open in
#: binary mode; bytes.
Source = Union[str, "os.PathLike[str]", ArrowStream, Iterable[Mapping[str, Any]], BinaryIO, bytes]


class Paths:
    """Names of files, which are ingested together."""

    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths


class Reader:
    """A file of Python's. What reading it raised is kept: the native half knows only that it failed."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.failed: BaseException | None = None

    def read(self, size: int) -> bytes:
        try:
            data = self._file.read(size)
            if not isinstance(data, (bytes, bytearray)):
                raise InvalidError(f"a file gave {type(data).__name__} and no bytes", "open it in binary mode")
            return bytes(data)
        except BaseException as error:
            self.failed = error
            raise


class Lines:
    """Dicts as a file of JSON Lines."""

    def __init__(self, rows: Iterator[object]) -> None:
        self._lines = _lines(rows)
        self._left = b""

    def read(self, size: int) -> bytes:
        parts, length = [self._left], len(self._left)
        try:
            while length < size and (line := next(self._lines, None)) is not None:
                parts.append(line)
                length += len(line)
        except BaseException as error:
            if not length:
                raise
            # What came before is read first.
            self._lines = _raising(error)
        whole = b"".join(parts)
        self._left = whole[size:]
        return whole[:size]


def _lines(rows: Iterator[object]) -> Iterator[bytes]:
    for row in rows:
        if not isinstance(row, Mapping):
            raise InvalidError(f"a {type(row).__name__} is no event", "ingest takes dicts, Arrow data and files")
        yield values.encode(row) + b"\n"


def _raising(error: BaseException) -> Iterator[bytes]:
    raise error
    yield


def joined(sources: tuple[Any, ...]) -> list[Any]:
    """The sources, with all names of files as one."""
    paths = [Path(os.fsdecode(source)) for source in sources if isinstance(source, (str, os.PathLike))]
    others = [source for source in sources if not isinstance(source, (str, os.PathLike))]
    return ([Paths(paths)] if paths else []) + others


def total(receipts: list[dict[str, Any]]) -> dict[str, Any]:
    """What several receipts are together."""
    if len(receipts) == 1:
        return receipts[0]
    whole: dict[str, Any] = {"records": 0, "stored": 0, "duplicate": 0, "quarantined": 0, "lines": 0, "bytes": 0,
                             "seconds": 0.0, "inputs": []}
    for receipt in receipts:
        for name in whole:
            whole[name] += receipt[name]
        for rule, count in receipt.get("redacted", {}).items():
            redacted = whole.setdefault("redacted", {})
            redacted[rule] = redacted.get(rule, 0) + count
    return whole
