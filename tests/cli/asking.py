"""`daybook sql`, `info`, `schema`, `compact`: answers, their JSON forms, and refusals."""

import csv
import io
import json

from harness import daybook, equal, sql

LINES = b"""{"ts":"2026-02-03T04:05:06.5Z","kind":"a","n":1,"note":"=1+1","list":[1,2],"flag":true}
{"ts":"2026-02-04T04:05:06Z","kind":"b","n":9007199254740993,"note":"b,\\"c\\"","nested":{"x":1.5}}
{"ts":"2026-02-05T04:05:06Z","kind":"c","n":null,"mixed":1}
{"ts":"2026-02-05T04:05:07Z","kind":"d","mixed":"x"}
"""
INFO = [
    "path", "format", "events", "days", "files", "bytes", "wal_events", "quarantined", "version", "from", "to",
    "warnings", "keep",
]
COLUMN = ["name", "path", "type", "events", "share", "distinct", "example"]


def filled(folder):
    (folder / "a.jsonl").write_bytes(LINES)
    daybook("ingest", folder / "a.jsonl", "--store", folder / "s", "-q")
    return folder / "s"


def rows_have_one_json_form(folder):
    store = filled(folder)
    query = "SELECT ts, kind, n, list, flag, nested_x, mixed, day, DATE '2026-01-01' + INTERVAL 1 DAY AS d FROM events"
    rows = sql(store, query + " ORDER BY ts")
    equal(rows[0], {
        "ts": "2026-02-03T04:05:06.500Z", "kind": "a", "n": 1, "list": [1, 2], "flag": True, "nested_x": None,
        "mixed": None, "day": "2026-02-03", "d": "2026-01-02T00:00:00Z",
    })
    equal([row["n"] for row in rows], [1, 9007199254740993, None, None])
    equal([row["mixed"] for row in rows], [None, None, "1", "x"])
    done = daybook("sql", query + " ORDER BY ts", "--format", "jsonl", "--store", store)
    equal([json.loads(line) for line in done.lines], rows)
    equal(sql(store, "SELECT 1 AS a WHERE false"), [])
    equal(sql(store, "SELECT 1 AS a, 2 AS a"), [{"a": 1, "a_2": 2}])


def rows_as_csv(folder):
    store = filled(folder)
    done = daybook("sql", "SELECT kind, note, n FROM events ORDER BY ts", "--format", "csv", "--store", store)
    rows = list(csv.reader(io.StringIO(done.bytes.decode(), newline="")))
    equal(rows[:3], [["kind", "note", "n"], ["a", "'=1+1", "1"], ["b", 'b,"c"', "9007199254740993"]])


def rows_as_a_table(folder):
    store = filled(folder)
    done = daybook("sql", "SELECT kind, ts FROM events ORDER BY ts LIMIT 1", "--store", store, "--tz", "+02:00")
    assert "kind" in done.lines[0] and "2026-02-03T06:05:06.5" in done.out and "\x1b" not in done.out, done


def a_query_has_parameters_and_comes_from_standard_input(folder):
    store = filled(folder)
    rows = sql(store, "SELECT $a + 1 AS a, $b AS b", "--param", "a:=41", "--param", "b=x' OR 1")
    equal(rows, [{"a": 42, "b": "x' OR 1"}])
    assert "$a" in daybook("sql", "SELECT $a", "--store", store, code=1).err
    equal(daybook("sql", "-", "--json", "--store", store, stdin=b"SELECT 7 AS seven").json, [{"seven": 7}])


def the_past_can_be_asked(folder):
    store = filled(folder)
    version = daybook("info", "--json", "--store", store).json["version"]
    (folder / "b.jsonl").write_text('{"kind":"later"}\n')
    daybook("ingest", folder / "b.jsonl", "--store", store)
    count = "SELECT count(*) AS n FROM events"
    equal([sql(store, count), sql(store, count, "--at", version)], [[{"n": 5}], [{"n": 4}]])
    daybook("sql", count, "--at", "99999", "--store", store, code=1)
    done = daybook("sql", count, "--at", "2001-01-01", "--store", store, code=1)
    assert "20" in done.err, done


def what_cannot_be_parsed_is_exit_code_two_with_a_suggestion(folder):
    store = filled(folder)
    done = daybook("sql", "SELECT knd FROM events", "--store", store, code=2)
    assert "knd" in done.err and "kind" in done.err, done
    done = daybook("sql", "SELECT * FROM evnts", "--store", store, "--json", code=2)
    error = json.loads(done.err)["error"]
    equal(error["kind"], "syntax")
    assert "events" in error["message"] + error.get("hint", ""), error
    equal(done.out, "")
    for query in ("SELEC", ""):
        done = daybook("sql", query, "--store", store, code=2)
        assert done.err.startswith("error: ") and not done.out, done


def what_is_not_reading_is_refused(folder):
    store = filled(folder)
    (folder / "secret.csv").write_text("a\n1\n")
    for query in (
        "DROP VIEW events", "CREATE TABLE t AS SELECT 1", "SET threads = 1", f"COPY events TO '{folder}/x'",
        f"SELECT * FROM read_csv('{folder}/secret.csv')", f"SELECT * FROM '{folder}/secret.csv'", "INSTALL httpfs",
        "ATTACH 'x.db'", "PRAGMA version", "DELETE FROM events", "SELECT 1; SELECT 2",
    ):
        done = daybook("sql", query, "--store", store, "--json", code=1)
        equal(json.loads(done.err)["error"]["kind"], "refused", query)
    equal(sorted(path.name for path in folder.iterdir()), ["a.jsonl", "s", "secret.csv"])


def a_query_that_takes_too_long_is_given_up(folder):
    store = filled(folder)
    query = "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b"
    done = daybook("sql", query, "--timeout", "300ms", "--store", store, "--json", code=1)
    equal(json.loads(done.err)["error"]["kind"], "limit")


def info_has_one_json_form(folder):
    store = filled(folder)
    info = daybook("info", "--json", "--store", store).json
    equal(list(info), INFO)
    expected = {"path": str(store), "format": 1, "events": 4, "days": 3, "files": 3, "wal_events": 0, "warnings": []}
    equal({key: info[key] for key in expected}, expected)
    equal([info["from"], info["to"]], ["2026-02-03T04:05:06.500Z", "2026-02-05T04:05:07Z"])
    daybook("log", "a", "b", "--store", store)
    info = daybook("info", "--json", "--store", store).json
    equal([info["events"], info["wal_events"]], [5, 1])
    assert "5 events" in daybook("info", "--store", store).out or "5" in daybook("info", "--store", store).out


def an_empty_store_answers(folder):
    daybook("log", "-", "--store", folder / "s")
    info = daybook("info", "--json", "--store", folder / "s").json
    equal([info["events"], info["from"], info["to"]], [0, None, None])
    equal(sql(folder / "s", "SELECT count(*) AS n, max(ts) AS last FROM events"), [{"n": 0, "last": None}])
    equal(daybook("schema", "--json", "--store", folder / "s").json["events"], 0)
    daybook("info", "--store", folder / "s")
    daybook("schema", "--store", folder / "s")


def schema_has_one_json_form(folder):
    store = filled(folder)
    schema = daybook("schema", "--json", "--store", store).json
    equal(list(schema), ["events", "columns", "limit", "in_rest"])
    columns = {column["name"]: column for column in schema["columns"]}
    equal(list(columns["n"]), COLUMN)
    equal([columns[name]["type"] for name in ("seq", "ts", "n", "list", "flag", "nested_x")],
          ["int64", "timestamp", "int64", "list of int64", "bool", "double"])
    equal([columns["mixed"]["read_as"], columns["n"]["events"], columns["kind"]["distinct"]], ["string", 2, 4])
    assert "nested_x" in daybook("schema", "--store", store).out


def fields_past_the_limit_are_told(folder):
    (folder / "s").mkdir()
    (folder / "s/daybook.toml").write_text("max_columns = 10\n")
    (folder / "a.jsonl").write_text(json.dumps({f"key_{number:02}": number for number in range(30)}) + "\n")
    daybook("ingest", folder / "a.jsonl", "--store", folder / "s")
    schema = daybook("schema", "--json", "--store", folder / "s").json
    equal([schema["limit"], len(schema["in_rest"])], [10, 20])
    assert "20" in daybook("schema", "--store", folder / "s").out
    (row,) = [json.loads(line) for line in daybook("export", "-", "--original", "--store", folder / "s").lines]
    equal(row, {f"key_{number:02}": number for number in range(30)})


def compact_has_one_json_form(folder):
    store = folder / "s"
    for number in range(3):
        (folder / f"{number}.jsonl").write_text('{"ts":"2026-02-03T00:00:0%dZ","kind":"a"}\n' % number)
        daybook("ingest", folder / f"{number}.jsonl", "--store", store)
    equal(daybook("compact", "--day", "2026-02-04", "--json", "--store", store).json["files_before"], 0)
    receipt = daybook("compact", "--json", "--store", store).json
    equal([receipt[name] for name in ("days", "files_before", "files_after", "events")], [1, 3, 1, 3])
    equal(sql(store, "SELECT count(*) AS n FROM events"), [{"n": 3}])


def a_missing_or_cut_file_is_named(folder):
    store = filled(folder)
    file = next(store.glob("day=2026-02-04/*.parquet"))
    content = file.read_bytes()
    for change in (lambda: file.write_bytes(content[: len(content) // 2]), file.unlink):
        change()
        done = daybook("sql", "SELECT sum(n) FROM events", "--store", store, "--json", code=1)
        error = json.loads(done.err)["error"]
        assert file.name in error["message"], error
        equal(error["kind"], "corrupt")


def a_store_of_a_newer_format_is_refused(folder):
    store = filled(folder)
    commit = store / "_delta_log" / f"{0:020}.json"
    commit.write_text(commit.read_text().replace('"daybook.format":"1"', '"daybook.format":"2"'))
    later = store / "_delta_log" / f"{1:020}.json"
    later.write_text(later.read_text().replace('"daybook.format":"1"', '"daybook.format":"2"'))
    done = daybook("info", "--store", store, "--json", code=1)
    equal(json.loads(done.err)["error"]["kind"], "unsupported")


CHECKS = [
    rows_have_one_json_form,
    rows_as_csv,
    rows_as_a_table,
    a_query_has_parameters_and_comes_from_standard_input,
    the_past_can_be_asked,
    what_cannot_be_parsed_is_exit_code_two_with_a_suggestion,
    what_is_not_reading_is_refused,
    a_query_that_takes_too_long_is_given_up,
    info_has_one_json_form,
    an_empty_store_answers,
    schema_has_one_json_form,
    fields_past_the_limit_are_told,
    compact_has_one_json_form,
    a_missing_or_cut_file_is_named,
    a_store_of_a_newer_format_is_refused,
]
