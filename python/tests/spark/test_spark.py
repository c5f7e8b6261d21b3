"""A store on Spark, whose workers are processes of their own: every case of `tests/conformance` that can run there gives
what it gives elsewhere."""

import json
import os
import re
import sys

import pytest
from conftest import ROOT
from test_conformance import FOLDER, GROUPS, cases, fault_of, ingested

import daybook
import daybook.spark

pyspark = pytest.importorskip("pyspark")
NOT_THERE = json.loads((ROOT / "python/tests/spark/not_there.json").read_text())
ON_SPARK = ("stats", "timeline", "facets", "templates")


@pytest.fixture(scope="session")
def spark(tmp_path_factory):
    """Two workers."""
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    # Workers must need nothing of this package.
    os.environ.update(PYSPARK_PYTHON=sys.executable, PYTHONPATH="")
    folder = tmp_path_factory.mktemp("spark")
    session = (
        pyspark.sql.SparkSession.builder.master("local-cluster[2,1,1024]").appName("daybook")
        .config("spark.ui.enabled", "false").config("spark.sql.shuffle.partitions", "2")
        .config("spark.driver.memory", "1g").config("spark.sql.session.timeZone", "America/New_York")
        .config("spark.sql.warehouse.dir", str(folder)).config("spark.local.dir", str(folder))
        .config("spark.ui.showConsoleProgress", "false").getOrCreate())
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def of_group(spark, tmp_path_factory):
    """The tables of a group's events."""
    made = {}

    def tables(group):
        if group not in made:
            store = ingested(FOLDER / group, tmp_path_factory.mktemp(group) / "store")
            store.seal()
            made[group] = (store, daybook.spark.open(spark, store.path))
        return made[group]

    return tables


def reason(group, case):
    """Why a case cannot run on Spark."""
    analysis = case.get("analysis", {}).get("analysis")
    if analysis is not None and analysis not in ON_SPARK:
        return NOT_THERE["analyses"].get(analysis)
    return NOT_THERE["cases"].get(group, {}).get(case["name"])


def answered(tables, case):
    if "sql" in case:
        return daybook.spark.to_dicts(tables.sql(case["sql"], **case.get("parameters", {})))
    if "filter" in case:
        columns = case.get("columns", ["n"])
        found = daybook.spark.to_dicts(tables.search(case["filter"], columns=columns, limit=None))
        return sorted(row[columns[0]] for row in found if isinstance(row[columns[0]], int))
    return tables.ask(case["analysis"])


@pytest.mark.parametrize("group", [group.name for group in GROUPS])
def test_every_case_that_can_run_on_spark_is_answered_as_expected(group, of_group):
    store, tables = of_group(group)
    all_of = cases(FOLDER / group)
    together = [case for case in all_of if "matches" in case and "columns" not in case and not reason(group, case)]
    faults = faults_of_filters(store, tables, together)
    for case in all_of:
        if case in together:
            continue
        if reason(group, case) is None:
            found = fault_of(lambda: answered(tables, case), case)
            faults += [f"{case['name']}: {found}"] if found else []
        elif "error" not in case:
            with pytest.raises(daybook.UnsupportedError):
                answered(tables, case)
    assert not faults, f"{len(faults)} of {len(all_of)} cases:\n\n" + "\n\n".join(faults)


def faults_of_filters(store, tables, filters):
    """What is wrong with filters: the conditions of all of them in one query, since each takes a second."""
    conditions, parameters = [], {}
    for number, case in enumerate(filters):
        text = case["filter"] if isinstance(case["filter"], str) else ""
        found = json.loads(store._native.condition(json.dumps(case["filter"]), text, tables._limits))
        conditions.append(f"({re.sub(r'[$]p', f'$c{number}_p', found['sql'])}) AS m{number}")
        parameters |= {f"c{number}_{name}": value for name, value in found["parameters"].items()}
    if not conditions:
        return []
    rows = daybook.spark.to_dicts(tables.sql(f"SELECT n, {', '.join(conditions)} FROM events", parameters))
    faults = []
    for number, case in enumerate(filters):
        matches = sorted(row["n"] for row in rows if row[f"m{number}"] and isinstance(row["n"], int))
        if matches != case["matches"]:
            faults.append(f"{case['name']}: gave {matches}, expected {case['matches']}")
    return faults


def test_what_is_said_not_to_run_is_there():
    named = {group.name: {case["name"] for case in cases(group)} for group in GROUPS}
    for group, listed in NOT_THERE["cases"].items():
        assert set(listed) <= named[group]
    asked = {case["analysis"]["analysis"] for group in GROUPS for case in cases(group) if "analysis" in case and "error" not in case}
    assert set(NOT_THERE["analyses"]) | set(ON_SPARK) >= asked and not set(NOT_THERE["analyses"]) & set(ON_SPARK)


#: Queries whose answer sqlglot's own translation gets wrong, or which are near that.
ALIKE = [
    "SELECT quantile_cont(n, 0.5) AS a, median(n) AS b FROM events",
    "SELECT n FROM events WHERE regexp_matches(message, 'TIME ?OUT', 'i') ORDER BY n",
    "SELECT n FROM events WHERE regexp_matches(kind, '^api.*call$') ORDER BY n",
    "SELECT time_bucket(INTERVAL 7 DAYS, ts) AS week, count(*) AS n FROM events GROUP BY 1 ORDER BY 1",
    "SELECT time_bucket(INTERVAL 5 MINUTES, ts) AS start, count(*) AS n FROM events GROUP BY 1 ORDER BY 1",
    "SELECT epoch_ms(ts) AS a, epoch_us(ts) AS b, epoch(ts) AS c FROM events ORDER BY seq",
    "SELECT list_contains(tags, 'a') AS a, len(tags) AS b FROM events ORDER BY seq",
    "SELECT CAST(2.5::DOUBLE AS BIGINT) AS a, CAST(3.5::DOUBLE AS BIGINT) AS b, CAST(-1.7::DOUBLE AS BIGINT) AS c",
    "SELECT CAST(1e20::DOUBLE AS VARCHAR) AS a, CAST(0.00001::DOUBLE AS VARCHAR) AS b, CAST(1::DOUBLE AS VARCHAR) AS c",
    "SELECT TRY_CAST('1d' AS DOUBLE) AS a, TRY_CAST(' 1.5e3 ' AS DOUBLE) AS b, TRY_CAST('nan' AS DOUBLE) AS c",
    "SELECT 1 / 2 AS a, 7 % 3 AS b, -7 % 3 AS c, (1 / 0) > 5 AS d",
    "SELECT round(2.675::DOUBLE, 2) AS a, round(-2.5::DOUBLE) AS b, floor(-1.5::DOUBLE) AS c",
    "SELECT date_diff('hour', TIMESTAMP '2026-02-03 04:59:00', TIMESTAMP '2026-02-03 05:01:00') AS a, "
    "date_diff('day', TIMESTAMP '2026-02-03 23:00:00', TIMESTAMP '2026-02-04 01:00:00') AS b",
    "SELECT dayofweek(ts) AS a, isodow(ts) AS b, week(ts) AS c, date_part('hour', ts) AS d FROM events ORDER BY seq",
    "SELECT strftime(ts, '%Y-%m-%dT%H:%M:%SZ') AS a FROM events ORDER BY seq",
    "SELECT concat(kind, NULL, '-', n) AS a, kind || NULL AS b FROM events ORDER BY seq",
    "SELECT n FROM events WHERE kind LIKE '%\\_%' OR kind NOT LIKE 'api%' ORDER BY n",
    "SELECT n FROM events WHERE kind ILIKE 'API%' ORDER BY n",
    "SELECT kind, arg_max(n, ts) AS a, arg_min(n, duration_ms) AS b FROM events GROUP BY kind ORDER BY kind",
    "SELECT kind, any_value(duration_ms) IS NULL AS a, string_agg(source, ',' ORDER BY n) AS b FROM events "
    "GROUP BY kind ORDER BY kind",
    "SELECT level, n FROM events ORDER BY level, n DESC",
    "SELECT level, n FROM events ORDER BY level DESC, n",
    "SELECT n, row_number() OVER (PARTITION BY kind ORDER BY duration_ms, n) AS place FROM events ORDER BY n",
    "SELECT kind, source, count(*) AS n, GROUPING(kind, source) AS g FROM events GROUP BY ROLLUP (kind, source) ORDER BY ALL"
    .replace("ORDER BY ALL", "ORDER BY g, kind, source"),
    "SELECT count(*) AS a, count(DISTINCT kind) AS b, sum(n) AS c, avg(n) AS d, stddev(n) AS e FROM events",
    "SELECT day, CAST(day AS VARCHAR) AS text, day - INTERVAL 1 DAY AS before FROM events ORDER BY seq",
    "SELECT date_trunc('week', ts) AS week, date_trunc('month', ts) AS month FROM events ORDER BY seq",
    "SELECT kind FROM events WHERE n = 1 UNION SELECT kind FROM events WHERE n = 2 ORDER BY kind",
    "SELECT a.n FROM events a JOIN events b USING (kind) WHERE b.n = 1 ORDER BY a.n",
    "SELECT * EXCLUDE (seq, ts, recorded_at, template) FROM events WHERE n = 1",
    "SELECT version, operation, events_added FROM commits ORDER BY version",
    "SELECT count(*) AS n, count(merged_into) AS merged FROM templates",
    "SELECT count(*) AS n FROM quarantine",
    "SELECT greatest(n, 3) AS a, least(n, NULL) AS b, coalesce(duration_ms, 0) AS c FROM events ORDER BY seq",
    "SELECT substr(kind, 2, 3) AS a, left(kind, 2) AS b, upper(kind) AS c, length(kind) AS d FROM events ORDER BY seq",
]


@pytest.mark.parametrize("number", range(len(ALIKE)))
def test_spark_answers_as_the_store_does(number, of_group):
    from answers import same

    store, tables = of_group("basics")
    expected = store.sql(ALIKE[number]).to_dicts()
    given = daybook.spark.to_dicts(tables.sql(ALIKE[number]))
    assert same(given, expected), f"{ALIKE[number]}\ngave     {given}\nexpected {expected}"


def test_the_tables_are_dataframes_of_one_version(spark, path):
    with daybook.open(path, create=True) as store:
        store.ingest([{"ts": "2026-02-03T04:05:06Z", "kind": "deploy", "n": 1}, ])
        store.ingest(b"no object\n", format="jsonl")
        store.seal()
        version = daybook.spark.open(spark, path).version
        store.ingest([{"ts": "2026-02-04T04:05:06Z", "kind": "login", "n": 2}])
    latest, before = daybook.spark.open(spark, path), daybook.spark.open(spark, path, at=version)
    assert (latest.events.count(), before.events.count(), before.quarantine.count()) == (2, 1, 1)
    assert latest.events.groupBy("kind").count().count() == 2 and "version" in repr(latest)
    assert daybook.spark.sql(spark, path, "SELECT max(n) AS n FROM events", at=version).collect()[0].n == 1
    assert daybook.spark.to_dicts(before.events.select("ts", "day")) == [
        {"ts": "2026-02-03T04:05:06Z", "day": "2026-02-03"}]
    # The session that was given is as it was.
    assert spark.conf.get("spark.sql.session.timeZone") == "America/New_York"
    assert not spark.catalog.tableExists("events")


def test_reports_are_those_of_the_store(of_group):
    store, tables = of_group("patterns")
    assert tables.timeline(by="kind", every="1d") == store.timeline(by="kind", every="1d")
    assert tables.facets(by=["kind", "source"], top=3) == store.facets(by=["kind", "source"], top=3)
    stats, expected = dict(tables.stats()), dict(store.stats())
    assert stats == expected
    of_store = store.patterns(of="templates")
    known = [{name: one[name] for name in ("id", "template", "events", "first", "last", "level", "source")}
             for one in of_store["templates"]]
    found = tables.templates()["templates"]
    assert [{name: one[name] for name in known[0]} for one in found] == known and all(one["example"] for one in found)
