"""Whatever is data can be ingested."""

import gzip
import io
import json

import duckdb
import pandas
import polars
import pyarrow
import pytest
from conftest import EVENTS

import daybook

ROWS = [{name: row[name] for name in ("ts", "kind", "n")} for row in EVENTS]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()


def file_of(tmp_path):
    (tmp_path / "events.jsonl").write_bytes(LINES)
    return tmp_path / "events.jsonl"


SOURCES = {
    "path": file_of,
    "text of a path": lambda folder: str(file_of(folder)),
    "folder": lambda folder: file_of(folder).parent,
    "pattern": lambda folder: file_of(folder).parent / "*.jsonl",
    "bytes": lambda folder: LINES,
    "bytearray": lambda folder: bytearray(LINES),
    "memoryview": lambda folder: memoryview(LINES),
    "compressed": lambda folder: gzip.compress(LINES),
    "open file": lambda folder: file_of(folder).open("rb"),
    "file in memory": lambda folder: io.BytesIO(LINES),
    "list of dicts": lambda folder: ROWS,
    "iterator": lambda folder: iter(ROWS),
    "generator": lambda folder: (row for row in ROWS),
    "pyarrow table": lambda folder: pyarrow.Table.from_pylist(ROWS),
    "pyarrow reader": lambda folder: pyarrow.Table.from_pylist(ROWS).to_reader(),
    "record batch": lambda folder: pyarrow.RecordBatch.from_pylist(ROWS),
    "pandas": lambda folder: pandas.DataFrame(ROWS),
    "polars": lambda folder: polars.DataFrame(ROWS),
    "duckdb": lambda folder: duckdb.from_arrow(pyarrow.Table.from_pylist(ROWS)),
}


@pytest.mark.parametrize("name", SOURCES)
def test_every_kind_of_source(name, tmp_path):
    (tmp_path / "in").mkdir()
    with daybook.open(tmp_path / "store", create=True) as store:
        receipt = store.ingest(SOURCES[name](tmp_path / "in"))
        assert (receipt["stored"], receipt["quarantined"]) == (3, 0)
        rows = store.sql("SELECT ts, kind, n FROM events ORDER BY n").to_dicts()
    assert [(row["ts"], row["kind"], row["n"]) for row in rows] == [
        ("2026-02-03T04:00:00Z", "deploy", 1), ("2026-02-03T05:00:00Z", "login", 2),
        ("2026-02-03T06:30:00Z", "deploy", 3)]


def test_a_result_is_a_source(store, tmp_path):
    with daybook.open(tmp_path / "other", create=True) as other:
        assert other.ingest(store.sql("SELECT ts, kind, n FROM events"))["stored"] == 3


def test_a_dict_is_an_event(empty):
    assert empty.ingest(ROWS[0])["stored"] == 1


def test_the_same_content_twice_is_stored_once(empty):
    assert empty.ingest(LINES)["stored"] == 3
    again = empty.ingest(LINES)
    assert (again["stored"], again["duplicate"]) == (0, 3)


def test_several_sources_have_one_receipt(empty, tmp_path):
    receipt = empty.ingest(file_of(tmp_path), [{"kind": "a"}], b'{"kind": "b"}\n')
    assert receipt["stored"] == 5 and len(receipt["inputs"]) == 3


def test_options(empty):
    csv = b"when,what\n2026-02-03T04:00:00Z,deploy\n"
    assert empty.ingest(csv, format="csv", map={"ts": "when", "kind": "what"}, name="a.csv")["stored"] == 1
    assert empty.search("kind:deploy").to_dicts()[0]["ts"] == "2026-02-03T04:00:00Z"
    with pytest.raises(daybook.InvalidError):
        empty.ingest(b"{broken\n", format="jsonl", strict=True)


def test_times_and_nulls_of_frames(empty):
    frame = pandas.DataFrame({"ts": pandas.to_datetime(["2026-02-03T04:00:00Z", "2026-02-03T05:00:00Z"]),
                              "kind": ["a", None], "share": [0.5, float("nan")], "n": [1, 2]})
    assert empty.ingest(frame)["stored"] == 2
    assert empty.sql("SELECT ts FROM events ORDER BY n").scalar() == "2026-02-03T04:00:00Z"


def test_what_an_iterator_raises_comes_out(empty):
    def rows():
        yield {"kind": "a"}
        raise ZeroDivisionError("in the middle")

    with pytest.raises(ZeroDivisionError, match="in the middle"):
        empty.ingest(rows())
    assert empty.sql("SELECT kind FROM events").scalar() == "a"
    with pytest.raises(daybook.InvalidError, match="binary mode"):
        empty.ingest(io.StringIO("{}"))


def test_what_cannot_be_read_is_kept_and_counted(empty):
    receipt = empty.ingest(b'{"kind": "a"}\n{broken\n', format="jsonl")
    assert (receipt["stored"], receipt["quarantined"]) == (1, 1)
    assert empty.sql("SELECT count(*) FROM quarantine").scalar() == 1
    assert "1" in json.dumps(empty.quarantined())


def test_what_would_become_of_a_file_is_explained(empty, tmp_path):
    assert "jsonl" in json.dumps(empty.explain(file_of(tmp_path)))


def test_a_million_dicts_are_not_held_at_once(empty):
    held = most = 0

    class Row(dict):
        def __init__(self, n):
            nonlocal held, most
            super().__init__(kind="a", n=n)
            held += 1
            most = max(most, held)

        def __del__(self):
            nonlocal held
            held -= 1

    assert empty.ingest(Row(n) for n in range(50_000))["stored"] == 50_000
    assert most < 10
