"""DuckDB's SQL as Spark's: what is translated how, and what is refused. No Spark is needed for that."""

import pytest

import daybook
from daybook.spark.regex import java_regex
from daybook.spark.translate import Known, translated

pytest.importorskip("sqlglot")

COLUMNS = {"seq": "Int64", "ts": "Timestamp(Microsecond, None)", "kind": "Utf8", "n": "Int64", "share": "Float64",
           "ok": "Boolean", "tags": "List(Utf8)", "numbers": "List(Int64)", "day": "Date32"}
KNOWN = Known({"events": COLUMNS, "commits": {"version": "Int64"}})


def sql(query, **parameters):
    return translated(query, parameters, KNOWN, lambda: None).sql


@pytest.mark.parametrize("query, expected", [
    ("SELECT kind FROM events ORDER BY kind", "SELECT `kind` FROM `events` ORDER BY `kind` NULLS LAST"),
    ("SELECT count(*) FILTER (WHERE n > 1) AS n FROM events", "COUNT(*) FILTER(WHERE `n` > 1)"),
    ("SELECT quantile_cont(share, [0.5, 0.9]) FROM events", "PERCENTILE(`share`, ARRAY(0.5, 0.9))"),
    ("SELECT CAST(share AS BIGINT) FROM events", "CAST(RINT(`share`) AS BIGINT)"),
    ("SELECT CAST(share AS VARCHAR) FROM events", "DAYBOOK_DOUBLE_TEXT(`share`)"),
    ("SELECT n / 2 FROM events", "CASE WHEN CAST(2 AS DOUBLE) = 0"),
    ("WITH a AS MATERIALIZED (SELECT 1 AS x) SELECT x FROM a", "WITH `a` AS (SELECT 1 AS `x`) SELECT `x` FROM `a`"),
    ("SELECT kind LIKE 'a\\_%' FROM events", "(`kind` LIKE 'a\\\\_%' ESCAPE '\\001')"),
    ("SELECT len(list_filter(tags, lambda x: x = 'a')) FROM events", "SIZE(FILTER(`tags`, `x` -> `x` = 'a'))"),
    ("SELECT unnest(tags) AS tag, count(*) AS n FROM events GROUP BY tag", "LATERAL VIEW EXPLODE(`tags`)"),
    ("SELECT ts > '2026-02-03' FROM events", "`ts` > '2026-02-03'"),
    ("SELECT dayofweek(ts) FROM events", "(DAYOFWEEK(`ts`) - 1)"),
    ("SELECT kind FROM events WHERE kind = $kind", "`kind` = :kind"),
])
def test_queries_are_translated(query, expected):
    assert expected in sql(query, kind="a")


@pytest.mark.parametrize("query", [
    "SUMMARIZE events", "SELECT kind FROM events WHERE kind ~ 'a.*'", "SELECT kind GLOB 'a*' FROM events",
    "SELECT list(kind) FROM events", "SELECT first(kind) FROM events", "SELECT mode(kind) FROM events",
    "SELECT list_reduce(numbers, lambda a, b: a + b) FROM events", "SELECT tags[1] FROM events", "SELECT kind[1:2] FROM events",
    "SELECT DISTINCT ON (kind) n FROM events", "SELECT kind FROM events QUALIFY row_number() OVER (ORDER BY n) = 1",
    "SELECT * FROM events USING SAMPLE 5", "SELECT * FROM events ASOF JOIN commits ON ts > ts", "SELECT * FROM range(5)",
    "SELECT * REPLACE (1 AS n) FROM events", "SELECT COLUMNS('n') FROM events", "PIVOT events ON kind USING count(*)",
    "SELECT ts - ts FROM events", "SELECT date_diff('week', ts, ts) FROM events", "SELECT n // 2 FROM events",
    "SELECT n = kind FROM events", "SELECT ok = n FROM events", "SELECT CAST(kind AS BIGINT) FROM events",
    "SELECT CAST(kind AS TIMESTAMP) FROM events", "SELECT CAST(tags AS VARCHAR) FROM events",
    "SELECT ts > kind FROM events", "SELECT ts > '2026' FROM events", "SELECT substr(kind, 0, 2) FROM events",
    "SELECT substr(kind, n, 2) FROM events", "SELECT regexp_matches(kind, n::VARCHAR) FROM events",
    "SELECT regexp_matches(kind, '[[:alpha:]]') FROM events", "SELECT regexp_matches(kind, 'a', 'g') FROM events",
    "SELECT time_bucket(INTERVAL 1 MONTH, ts) FROM events", "SELECT strftime(ts, '%j') FROM events",
    "SELECT max(n, 2) FROM events", "SELECT arg_max(kind, n, 2) FROM events", "SELECT sum(n ORDER BY ts) FROM events",
    "SELECT json_extract(kind, '$.a') FROM events", "SELECT hash(n) FROM events", "SELECT random()",
    "SELECT string_split(kind, '.') FROM events", "SELECT kind FROM events UNION BY NAME SELECT kind FROM events",
    "WITH RECURSIVE a AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM a) SELECT x FROM a", "SELECT coalesce(n, kind) FROM events",
    "SELECT CASE WHEN ok THEN n ELSE kind END FROM events", "SELECT round(share, n) FROM events", "SELECT 'a' || share FROM events",
    "SELECT * FROM events, unnest(tags)", "SELECT kind FROM events LIMIT 5%", "SELECT n FROM 'file.parquet'",
    "SELECT quantile(n, 0.5) FROM events", "SELECT kind LIKE 'a$_' ESCAPE '$' FROM events", "SELECT lag(kind IGNORE NULLS) OVER () FROM events",
    "SELECT {'a': 1} AS x", "SELECT MAP {'a': 1} AS x", "SELECT date_trunc('day', day) FROM events", "SELECT INTERVAL (n) DAY FROM events",
])
def test_what_spark_answers_in_another_way_is_refused(query):
    with pytest.raises(daybook.Error):
        sql(query)


@pytest.mark.parametrize("pattern, flags, expected", [
    ("a.c$", "", "(?d)a.c\\z"), ("time ?out", "i", "(?diu)time ?out"), ("(?i)a|b", "", "(?diu)a|b"), ("a\\sb", "", "(?d)a[\\t\\n\\f\\r ]b"),
    ("[a&&b[]", "", "(?d)[a\\&\\&b\\[]"), ("[]a]", "s", "(?ds)[\\]a]"), ("\\d+\\.\\x00", "", "(?d)\\d+\\.\\x00"), ("(?:ab)?", "", "(?d)(?:ab)?"),
])
def test_patterns_are_written_for_java(pattern, flags, expected):
    assert java_regex(pattern, flags) == expected


@pytest.mark.parametrize("pattern", ["(?P<a>b)", "\\bword", "\\pL", "\\Qa\\E", "\\C", "[[:digit:]]", "a++", "[a", "a\\", "(?m)^a", "\\1"])
def test_patterns_with_another_meaning_are_refused(pattern):
    with pytest.raises(daybook.UnsupportedError):
        java_regex(pattern, "")


def test_a_query_that_is_nested_deep_is_no_crash():
    with pytest.raises(daybook.Error):
        sql("SELECT " + "(" * 5_000 + "1" + ")" * 5_000)
