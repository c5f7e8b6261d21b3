"""`daybook ingest` and `daybook export`: files in, the same records out."""

import gzip
import json

import pyarrow

from harness import daybook, equal, sql

COUNTS = ["records", "stored", "duplicate", "quarantined"]
RECEIPT = COUNTS + ["lines", "bytes", "seconds", "inputs"]
LINES = b'{"kind":"a","n":1}\n\n{"kind":"b","n":2.5}\nnot json\n{"kind":"c","n":"x"}'


def counts(receipt):
    return [receipt[name] for name in COUNTS]


def ingest(store, *files, **options):
    return daybook("ingest", *files, "--store", store, "--json", **options).json


def a_receipt_has_one_json_form(folder):
    (folder / "a.jsonl").write_bytes(LINES)
    receipt = ingest(folder / "s", folder / "a.jsonl")
    equal(list(receipt), RECEIPT)
    equal(counts(receipt) + [receipt["lines"], receipt["bytes"]], [4, 3, 0, 1, 5, len(LINES)])
    (one,) = receipt["inputs"]
    equal(one["input"], str(folder / "a.jsonl"))
    equal({name: one[name] for name in RECEIPT[:6]}, {name: receipt[name] for name in RECEIPT[:6]})
    rows = sql(folder / "s", "SELECT raw, input, byte_offset FROM quarantine")
    equal(rows, [{"raw": "not json", "input": str(folder / "a.jsonl"), "byte_offset": LINES.index(b"not")}])


def a_receipt_for_people_counts_all_four(folder):
    (folder / "a.jsonl").write_bytes(LINES)
    done = daybook("ingest", folder / "a.jsonl", "--store", folder / "s")
    assert "4 records: 3 stored, 0 duplicate, 1 quarantined" in done.out + done.err, done


def compressed_files_and_standard_input_are_the_same(folder):
    lines = b"".join(b'{"kind":"a","n":%d}\n' % number for number in range(5000))
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(lines))
    (folder / "a.jsonl.zst").write_bytes(pyarrow.compress(lines, "zstd", asbytes=True))
    (folder / "several.gz").write_bytes(gzip.compress(lines[:1000]) + gzip.compress(lines[1000:]))
    (folder / "a.jsonl").write_bytes(lines)
    for number, name in enumerate(("a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "several.gz", "-")):
        store = folder / f"s{number}"
        receipt = ingest(store, folder / name if name != "-" else "-", stdin=lines if name == "-" else b"")
        equal(counts(receipt), [5000, 5000, 0, 0], name)
        equal(sql(store, "SELECT count(DISTINCT n) AS n, sum(n) AS s FROM events"), [{"n": 5000, "s": 12497500}], name)


def the_same_input_twice_is_stored_once(folder):
    store = folder / "s"
    (folder / "a.jsonl").write_bytes(LINES)
    ingest(store, folder / "a.jsonl")
    again = ingest(store, folder / "a.jsonl")
    equal(counts(again), [4, 0, 4, 0])
    (folder / "copy.gz").write_bytes(gzip.compress(LINES))
    equal(counts(ingest(store, folder / "copy.gz")), [4, 0, 4, 0])
    equal(sql(store, "SELECT count(*) AS n FROM events"), [{"n": 3}])
    equal(sql(store, "SELECT count(*) AS n FROM quarantine"), [{"n": 1}])


def a_file_that_grew_goes_on_where_it_stopped(folder):
    store = folder / "s"
    (folder / "a.jsonl").write_bytes(b'{"kind":"a"}\n{"kind":"b"}\n')
    ingest(store, folder / "a.jsonl")
    with (folder / "a.jsonl").open("ab") as file:
        file.write(b'{"kind":"c"}\n')
    receipt = ingest(store, folder / "a.jsonl")
    equal(counts(receipt), [3, 1, 2, 0])
    equal([row["kind"] for row in sql(store, "SELECT kind FROM events ORDER BY kind")], ["a", "b", "c"])


def a_cut_file_stores_whole_lines_and_fails(folder):
    store = folder / "s"
    lines = b"".join(b'{"kind":"a","n":%d,"text":"%x"}\n' % (number, number * 7919) for number in range(50_000))
    whole = gzip.compress(lines)
    (folder / "a.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    done = daybook("ingest", folder / "a.jsonl.gz", "--store", store, "--json", code=1)
    receipt, error = done.json, json.loads(done.err)["error"]
    assert 1000 < receipt["stored"] < 49_000, receipt
    # The beginning of the record that was cut is kept.
    assert receipt["quarantined"] <= 1, receipt
    assert "a.jsonl.gz" in receipt["inputs"][0]["error"], receipt
    equal(error["message"].count("cannot read"), 1, error)
    rows = sql(store, "SELECT count(*) AS n, max(n) AS last FROM events")
    equal(rows, [{"n": receipt["stored"], "last": receipt["stored"] - 1}])
    (folder / "a.jsonl.gz").write_bytes(whole)
    receipt = ingest(store, folder / "a.jsonl.gz")
    equal([receipt["records"], receipt["quarantined"]], [50_000, 0])
    equal(sql(store, "SELECT count(*) AS n, count(DISTINCT n) AS d FROM events"), [{"n": 50_000, "d": 50_000}])


def one_bad_input_does_not_stop_the_others(folder):
    store = folder / "s"
    (folder / "bad.gz").write_bytes(gzip.compress(LINES)[:20])
    (folder / "good.jsonl").write_bytes(LINES)
    done = daybook("ingest", folder / "bad.gz", folder / "good.jsonl", "--store", store, "--json", code=1)
    equal(["error" in one for one in done.json["inputs"]], [True, False])
    equal(done.json["inputs"][1]["stored"], 3)


def a_wrong_name_is_told_before_anything_is_made(folder):
    done = daybook("ingest", folder / "nothing.jsonl", "--store", folder / "s", code=1)
    assert "nothing.jsonl" in done.err, done
    equal(list(folder.iterdir()), [])


def a_line_of_100_megabytes_goes_to_the_quarantine_cut(folder):
    store = folder / "s"
    text = b"x" * (100 << 20)
    (folder / "a.jsonl").write_bytes(b'{"kind":"a"}\n{"kind":"long","note":"' + text + b'"}\n{"kind":"b"}\n')
    receipt = ingest(store, folder / "a.jsonl")
    equal(counts(receipt) + [receipt["lines"]], [3, 2, 0, 1, 3])
    equal([row["kind"] for row in sql(store, "SELECT kind FROM events ORDER BY seq")], ["a", "b"])
    (row,) = sql(store, "SELECT reason, left(raw, 14) AS start, length(raw) AS length FROM quarantine")
    assert "longer than" in row["reason"] and row["start"] == '{"kind":"long"' and row["length"] < 1 << 20, row


def a_long_value_is_cut_and_said(folder):
    store = folder / "s"
    (folder / "a.jsonl").write_bytes(b'{"kind":"a","note":"' + b"x" * (20 << 20) + b'"}\n')
    receipt = ingest(store, folder / "a.jsonl")
    equal([receipt["stored"], receipt["redacted"]["cut"]], [1, 1])
    (row,) = sql(store, "SELECT right(note, 24) AS says, length(note) AS length FROM events")
    assert str(20 << 20) in row["says"] and "cut" in row["says"] and row["length"] <= 1 << 20, row


RECORDS = [
    {"timestamp": "2026-02-03T04:05:06Z", "event_type": "sale", "user_id": 12345, "items": [{"id": 1}, {"id": 2}]},
    {"ts": "2026-02-03T04:05:07.123456Z", "kind": "sale", "actor": "12345", "a.b": 1, "a": {"b": 2}, "a_b": 3},
    {"time": "2026-02-03T04:05:08Z", "kind": "odd", "": None, "sp ace": {}, "e": [], "big": 2**70, "Kind": True},
    {"date": "2026-02-03T04:05:09Z", "metadata": {"artist": "Drake"}, "before": {"x": None}, "n": "1", "event": "e"},
    {"ts": "2026-02-03T04:05:10Z", "n": 1, "deep": {"er": {"and": {"deeper": [[1], ["x", None]]}}}, "day": "monday"},
]


def export_gives_the_producers_records_back(folder):
    store = folder / "s"
    text = "".join(json.dumps(record) + "\n" for record in RECORDS)
    (folder / "a.jsonl").write_text(text)
    ingest(store, folder / "a.jsonl")
    done = daybook("export", "-", "--original", "--store", store)
    equal([json.loads(line) for line in done.lines], RECORDS)
    daybook("compact", "--store", store)
    receipt = daybook("export", folder / "out.jsonl", "--original", "--store", store, "--json").json
    equal([receipt["events"], receipt["file"]], [len(RECORDS), str(folder / "out.jsonl")])
    equal([json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()], RECORDS)


def export_gives_our_columns(folder):
    store = folder / "s"
    (folder / "a.jsonl").write_bytes(LINES)
    ingest(store, folder / "a.jsonl")
    rows = [json.loads(line) for line in daybook("export", "-", "--store", store).lines]
    equal([row["kind"] for row in rows], ["a", "b", "c"])
    assert all(row["seq"] and row["ts"].endswith("Z") for row in rows), rows


def an_export_replaces_a_file_only_when_it_is_complete(folder):
    target = folder / "out.jsonl"
    target.write_text("old")
    daybook("export", target, "--store", folder / "nothing", code=1)
    equal(target.read_text(), "old")
    daybook("log", "a", "b", "--store", folder / "s")
    daybook("export", target, "--store", folder / "s")
    equal(len(target.read_text().splitlines()), 1)
    equal(sorted(path.name for path in folder.iterdir()), ["out.jsonl", "s"])
    daybook("export", folder / "no/such/folder/out", "--store", folder / "s", code=1)


CHECKS = [
    a_receipt_has_one_json_form,
    a_receipt_for_people_counts_all_four,
    compressed_files_and_standard_input_are_the_same,
    the_same_input_twice_is_stored_once,
    a_file_that_grew_goes_on_where_it_stopped,
    a_cut_file_stores_whole_lines_and_fails,
    one_bad_input_does_not_stop_the_others,
    a_wrong_name_is_told_before_anything_is_made,
    a_line_of_100_megabytes_goes_to_the_quarantine_cut,
    a_long_value_is_cut_and_said,
    export_gives_the_producers_records_back,
    export_gives_our_columns,
    an_export_replaces_a_file_only_when_it_is_complete,
]
