"""Answers, in each of their forms."""

import datetime
import subprocess

import duckdb
import pandas
import polars
import pyarrow
import pytest

import daybook

QUERY = "SELECT n, kind, ts, duration_ms FROM events ORDER BY n"


def test_arrow(store):
    table = store.sql(QUERY).to_arrow()
    assert isinstance(table, pyarrow.Table)
    assert table.column_names == ["n", "kind", "ts", "duration_ms"]
    assert table["n"].to_pylist() == [1, 2, 3]


def test_pandas(store):
    frame = store.sql(QUERY).to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame["kind"]) == ["deploy", "login", "deploy"]
    assert frame["ts"][0] == pandas.Timestamp("2026-02-03T04:00:00")


def test_polars(store):
    frame = store.sql(QUERY).to_polars()
    assert frame["n"].to_list() == [1, 2, 3]
    assert frame["ts"][0] == datetime.datetime(2026, 2, 3, 4)


def test_dicts(store):
    rows = store.sql(QUERY).to_dicts()
    assert rows[2] == {"n": 3, "kind": "deploy", "ts": "2026-02-03T06:30:00Z", "duration_ms": 250.5}
    assert list(store.sql(QUERY)) == rows


@pytest.mark.parametrize("take", [
    pyarrow.table,
    lambda result: pyarrow.RecordBatchReader.from_stream(result).read_all(),
    lambda result: polars.DataFrame(result),
    lambda result: duckdb.from_arrow(result).arrow(),
    lambda result: pandas.DataFrame.from_arrow(result),
], ids=["pyarrow", "reader", "polars", "duckdb", "pandas"])
def test_whatever_takes_arrow_takes_a_result(store, take):
    assert len(pyarrow.table(take(store.sql(QUERY)))) == 3


def test_a_result_is_read_any_number_of_times(store):
    result = store.sql(QUERY)
    assert len(result.to_arrow()) == len(result.to_dicts()) == len(result) == 3


def test_batches_are_given_once(empty):
    result = empty.sql("SELECT range AS i FROM range(10000)")
    assert sum(batch.num_rows for batch in result.batches()) == 10_000
    with pytest.raises(daybook.ClosedError, match="batch by batch"):
        result.to_arrow()
    assert repr(result) == "<daybook.Result of 1 columns, taken>"


def test_an_answer_without_rows_has_its_columns(empty):
    result = empty.sql("SELECT 1 AS a, 'x' AS b WHERE false")
    assert result.columns == ["a", "b"]
    assert result.to_arrow().column_names == ["a", "b"]
    assert result.to_dicts() == [] and result.scalar() is None and len(result) == 0 and bool(result)


def test_a_scalar_is_the_first_value(store):
    assert store.sql("SELECT count(*), 'x' FROM events").scalar() == 3


def test_an_error_while_rows_come_is_an_error_and_no_short_answer(empty):
    failing = "SELECT CASE WHEN range < 100000 THEN range ELSE error('it is over') END AS i FROM range(200000)"
    for read in (daybook.Result.to_arrow, daybook.Result.to_dicts, len, pyarrow.table, lambda r: list(r.batches())):
        with pytest.raises(Exception, match="it is over"):
            read(empty.sql(failing))


def test_what_is_printed(store):
    text = repr(store.sql(QUERY))
    assert text.splitlines()[0].startswith("<daybook.Result: n Int64, kind Utf8")
    assert "n=2, kind=login" in text and "duration_ms=∅" in text
    assert repr(store).startswith("daybook.Store(") and "store" in repr(store)


def test_what_a_notebook_shows_is_bounded_and_escaped(empty):
    empty.append({"kind": "<script>", "message": "\x1b[31mred"})
    html = empty.search()._repr_html_()
    assert "&lt;script&gt;" in html and "<script>" not in html and "\x1b" not in html
    many = empty.sql("SELECT repeat('x', 1000) AS x FROM range(1000)")._repr_html_()
    assert len(many) < 2_000 and "there are more rows" in many


def test_a_search_says_whether_there_is_more(store):
    assert store.search(limit=2).more
    assert not store.search(limit=3).more


def test_reports_are_dicts_that_print_short(store):
    report = store.stats()
    text = repr(report)
    assert text.startswith("<daybook.Report of stats>") and len(text.splitlines()) < 100
    assert report._repr_html_().startswith("<pre>")


def test_a_list_of_a_report_becomes_a_frame(store):
    report = store.facets(by="kind")
    name = next(name for name, value in report.items() if isinstance(value, (list, dict)) and value)
    assert len(report.table(name)) >= 1


def test_a_million_rows_come_without_a_copy_in_python(empty):
    table = empty.sql("SELECT range AS i FROM range(1000000)").to_arrow()
    assert len(table) == 1_000_000 and table["i"][999_999].as_py() == 999_999


def test_importing_needs_none_of_the_optional_packages():
    from conftest import python

    code = "import daybook, sys; print([m for m in ('pyarrow', 'pandas', 'polars', 'numpy', 'asyncio') if m in sys.modules])"
    done: subprocess.CompletedProcess[str] = python(code)
    assert done.stdout == "[]\n", done.stderr
