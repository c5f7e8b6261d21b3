"""What the tests share."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "python"


def put_library_in_place() -> None:
    """Copies the library that was built last beside the package, for tests of a checkout."""
    folder = os.environ.get("DAYBOOK_LIBRARY")
    target = PACKAGE / "daybook/_daybook.abi3.so"
    if folder is None:
        return
    for name in ("lib_daybook.so", "lib_daybook.dylib"):
        built = Path(folder) / name
        if built.exists() and (not target.exists() or built.stat().st_mtime > target.stat().st_mtime):
            # Not over the file: another process may have loaded it.
            shutil.copy2(built, target.with_suffix(".new"))
            target.with_suffix(".new").replace(target)


put_library_in_place()
sys.path[:0] = [str(PACKAGE), str(ROOT / "tests")]

import daybook  # noqa: E402

EVENTS: list[dict[str, Any]] = [
    {"ts": "2026-02-03T04:00:00Z", "kind": "deploy", "actor": "ann", "level": "info", "message": "version 1", "n": 1},
    {"ts": "2026-02-03T05:00:00Z", "kind": "login", "actor": "bob", "level": "info", "message": "bob is here", "n": 2},
    {"ts": "2026-02-03T06:30:00Z", "kind": "deploy", "actor": "ann", "level": "error", "message": "it broke", "n": 3,
     "duration_ms": 250.5, "session": "s-1"},
]


@pytest.fixture()
def path(tmp_path: Path) -> Path:
    """Where a store may be."""
    return tmp_path / "store"


@pytest.fixture()
def empty(path: Path) -> Iterator[daybook.Store]:
    """A new store."""
    with daybook.open(path, create=True) as store:
        yield store


@pytest.fixture()
def store(empty: daybook.Store) -> daybook.Store:
    """A store of three events."""
    empty.ingest(EVENTS)
    return empty


@pytest.fixture()
def log(path: Path) -> Iterator[daybook.Logger]:
    """A log into a new store. Its errors come out."""
    with daybook.Logger(path, source="test", session="s-test", raise_errors=True) as log:
        yield log


@pytest.fixture()
def recorded(log: daybook.Logger) -> Callable[..., list[dict[str, Any]]]:
    """What the log has recorded, in order: the members of each event that are not null."""

    def events(*names: str) -> list[dict[str, Any]]:
        log.flush()
        rows = log.store.sql("SELECT * FROM events ORDER BY seq").to_dicts()
        wanted = [{name: row.get(name) for name in names} if names else row for row in rows]
        return [{name: value for name, value in row.items() if value is not None} for row in wanted]

    return events


def python(code: str, *arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs some code in a process of its own, to its end."""
    return subprocess.run([sys.executable, "-c", code, *map(str, arguments)], env=environment(), text=True,
                          capture_output=True, timeout=60, **options)


def started(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Starts some code in a process of its own."""
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], env=environment(), text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(PACKAGE)}
