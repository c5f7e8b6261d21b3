"""What a store is asked, beyond the conformance cases: options, times, limits, threads."""

import datetime
import threading
import time

import pytest

import daybook

LONG = "SELECT sum(a.range * b.range) FROM range(100000) a, range(1000000) b"
UTC = datetime.timezone.utc


def numbers(result):
    return sorted(row["n"] for row in result)


def test_parameters_of_sql(store):
    assert store.sql("SELECT count(*) FROM events WHERE kind = $kind", kind="deploy").scalar() == 2
    assert store.sql("SELECT $timeout AS x", {"timeout": "a name that is taken"}).scalar() == "a name that is taken"
    assert store.sql("SELECT $x AS x", x="'; DROP TABLE events").scalar() == "'; DROP TABLE events"
    since = datetime.datetime(2026, 2, 3, 4, 30, tzinfo=UTC)
    assert store.sql("SELECT count(*) FROM events WHERE ts > $since::TIMESTAMPTZ", since=since).scalar() == 2
    with pytest.raises(daybook.InvalidError):
        store.sql("SELECT $missing")


def test_filters_and_times(store):
    day = datetime.date(2026, 2, 3)
    assert numbers(store.search("kind:deploy")) == [1, 3]
    assert numbers(store.search({"field": "n", "values": [1, 2]})) == [1, 2]
    assert numbers(store.search("kind:deploy or kind:login", since="2026-02-03T05:00:00Z")) == [2, 3]
    assert numbers(store.search(since=day, until=datetime.datetime(2026, 2, 3, 4, 30, tzinfo=UTC))) == [1]
    assert numbers(store.search({"field": "n", "values": [1, 2]}, since="2026-02-03T04:30:00Z")) == [2]
    assert numbers(store.recent("kind:deploy", hours=24 * 365 * 100)) == [1, 3]
    assert numbers(store.failures(minutes=60 * 24 * 365 * 100)) == [3]
    assert numbers(store.failures({"field": "kind", "value": "deploy"}, minutes=60 * 24 * 365 * 100)) == [3]


def test_times_are_no_way_to_write_more_of_a_filter(store):
    for time_of in ("2026-02-03 or kind:login", 'x" or kind:login', "2026 )"):
        with pytest.raises(daybook.SyntaxInvalidError):
            store.search("kind:deploy", since=time_of)


@pytest.mark.parametrize("wrong", [
    {"timeout": -1}, {"timeout": float("nan")}, {"memory": "lots"}, {"memory": -5}, {"at": "yesterday"},
])
def test_wrong_options_are_value_errors(store, wrong):
    with pytest.raises(ValueError):
        store.sql("SELECT 1", **wrong)


def test_every_analysis_answers(store):
    assert store.history("order:55")["changes"] == []
    assert store.session("s-1")["events"][0]["message"] == "it broke"
    for report in (store.stats(), store.timeline(by="kind"), store.facets(by=["kind", "actor"]), store.slowest(),
                   store.file_history("a.py"), store.sessions(), store.trace("s-1"), store.show(1), store.patterns(),
                   store.patterns(of="bursts"), store.metrics(24), store.health(), store.schema(), store.usage(),
                   store.verify(), store.quarantined(), store.compact(), store.audit("2026-02-03", "2026-02-04")):
        assert isinstance(report, daybook.Report) and repr(report).startswith("<daybook.Report of ")
    assert store.verify(store.head())
    with pytest.raises(daybook.InvalidError, match="order:55"):
        store.history("order")


def test_reports_go_to_files(store, tmp_path):
    for name in ("audit.json", "audit.md", "audit.html"):
        store.audit("2026-02-03", output=tmp_path / name)
        assert (tmp_path / name).stat().st_size > 100
    with pytest.raises(ValueError, match="json"):
        store.audit("2026-02-03", output=tmp_path / "audit.pdf")
    store.metrics(window_hours=24, prometheus=tmp_path / "daybook.prom")
    assert "# TYPE daybook" in (tmp_path / "daybook.prom").read_text()
    assert store.export(tmp_path / "all.jsonl", "kind:deploy") == 2
    assert store.export(tmp_path / "all.parquet") == 3
    assert sorted(file.name for file in tmp_path.iterdir() if file.name.startswith(".")) == []


def test_earlier_versions(store):
    before = datetime.datetime.now(UTC)
    time.sleep(0.01)
    store.append({"kind": "later"})
    store.seal()
    assert store.sql("SELECT count(*) FROM events").scalar() == 4
    assert store.sql("SELECT count(*) FROM events", at=before).scalar() == 3
    assert store.sql("SELECT count(*) FROM events", at=0).scalar() == 0


def test_the_most_frequent_values_only(store):
    assert store.facets(by="kind", top=1)["facets"][0]["values"] == [{"value": "deploy", "count": 2}]


def test_values_that_json_does_not_know_have_a_form(store):
    row = store.sql("SELECT sum(n) AS sum, NULL AS nothing, 1.25 AS exact, INTERVAL 5 MINUTES AS span, {'a': 1} AS inside "
                    "FROM events").to_dicts()[0]
    assert (row["sum"], row["nothing"], row["exact"]) == (6, None, 1.25) and "5" in row["span"] and "1" in row["inside"]


def test_changes_come_once(store):
    events, cursor = store.changes()
    assert len(events) == 3 and not events.more
    assert store.changes(cursor)[0].to_dicts() == []
    now = store.now()
    store.append({"kind": "later"})
    assert [event["kind"] for event in store.changes(now)[0]] == ["later"]
    assert store.changes(limit=2)[0].more


def test_a_timeout_is_a_timeout_error(store):
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        store.sql(LONG, timeout=0.2).to_arrow()
    assert time.monotonic() - started < 2


def test_a_query_is_stopped_from_another_thread(store):
    threading.Timer(0.2, store.interrupt).start()
    started = time.monotonic()
    with pytest.raises(daybook.StoppedError):
        store.sql(LONG).to_arrow()
    assert time.monotonic() - started < 2


def test_other_threads_go_on_during_a_query(store):
    count, stop = 0, threading.Event()

    def tick():
        nonlocal count
        while not stop.wait(0.01):
            count += 1

    thread = threading.Thread(target=tick)
    thread.start()
    with pytest.raises(TimeoutError):
        store.sql(LONG, timeout=0.5).to_arrow()
    stop.set()
    thread.join()
    assert count >= 10


def test_many_threads_ask_and_write_at_once(store):
    failed = []

    def work(number):
        try:
            for _ in range(5):
                store.append({"kind": "thread", "number": number}, durability="os")
                assert store.sql("SELECT count(*) FROM events WHERE number = $n", n=number).scalar() >= 1
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert failed == []
    assert store.sql("SELECT count(*) FROM events WHERE kind = 'thread'").scalar() == 30


def test_use_after_close(store):
    result = store.sql("SELECT 1 AS x")
    store.close()
    store.close()
    assert result.to_dicts() == [{"x": 1}]
    for call in (lambda: store.sql("SELECT 1"), store.stats, lambda: store.append({}), store.flush, store.interrupt,
                 lambda: store.ingest([{}])):
        with pytest.raises(daybook.ClosedError, match="closed"):
            call()
