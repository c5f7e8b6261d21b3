"""The package itself: what it has, and how long importing it takes."""

import subprocess
import sys

import pytest
from conftest import environment, python

import daybook


def test_every_name_is_there():
    from daybook import words

    assert set(words.__all__) <= set(daybook.__all__) and set(daybook.__all__) <= set(dir(daybook))
    assert all(getattr(daybook, name) for name in daybook.__all__) and daybook.__version__
    with pytest.raises(AttributeError, match="nothing_of_that_name"):
        daybook.nothing_of_that_name
    done = python("from daybook import *\nassert Logger and Level and open and Error and demo")
    assert done.returncode == 0, done.stderr


def test_importing_reads_little():
    done = subprocess.run([sys.executable, "-X", "importtime", "-c", "import daybook"], env=environment(),
                          capture_output=True, text=True)
    names = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "daybook.errors" in names
    assert not names & {"daybook._daybook", "logging", "json", "asyncio", "pyarrow", "pandas", "polars", "altair", "sqlglot"}


def test_sample_events_are_the_same_for_the_same_day(path):
    with daybook.demo(path, events=2_000, until="2026-02-03") as store:
        first = store.stats()
        assert 1_000 < first["total"] < 6_000 and first["to"] < "2026-02-03" and len(first["by_source"]) > 3
    with daybook.demo(path, events=2_000) as store:
        assert store.stats()["total"] == first["total"]
    with pytest.raises(ValueError):
        daybook.demo(path, events=5)
