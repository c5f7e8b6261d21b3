"""`daybook quarantine`: what could not be read is shown, and read again."""

import json

from harness import daybook, equal, sql

LINES = 'id=r1 level=info msg="one"\n{"kind":"a"}\n[1]\nid=r2 msg="two \\u001b[2J"\n'
SUMMARY = ["records", "bytes", "first", "last", "by_reason", "by_input"]
RECORD = ["seq", "arrived", "reason", "input", "byte_offset", "format", "bytes", "text"]
RECEIPT = ["tried", "stored", "still", "skipped", "waiting", "finished", "events", "by_reason", "seconds"]


def filled(folder, text=LINES, name="app.log"):
    (folder / name).write_text(text)
    daybook("ingest", folder / name, "--from", "jsonl", "--store", folder / "s")
    return folder / "s"


def quarantine(store, *arguments, **options):
    return daybook("quarantine", *arguments, "--store", store, "--json", **options).json


def ingest_points_here(folder):
    (folder / "a.jsonl").write_text(LINES)
    done = daybook("ingest", folder / "a.jsonl", "--from", "jsonl", "--store", folder / "s")
    assert "3 quarantined" in done.out and "quarantine --store" in done.out, done
    assert "daybook quarantine" in daybook("ingest", "--help").out


def a_summary_has_one_json_form(folder):
    store = filled(folder)
    for words in ((), ("summary",)):
        summary = quarantine(store, *words)
        equal(list(summary), SUMMARY)
        equal(summary["records"], 3)
        equal([group["count"] for group in summary["by_reason"]], [2, 1])
        assert "not JSON at byte …" in summary["by_reason"][0]["reason"], summary
        (group,) = summary["by_input"]
        equal([group["input"], group["count"]], [str(folder / "app.log"), 3])
    equal(quarantine(store, "--reason", "JSON object")["records"], 1)
    equal(quarantine(store, "summary", "--input", "nothing")["records"], 0)


def people_see_reasons_inputs_and_what_to_do(folder):
    store = filled(folder, LINES.replace("\\u001b", "\x1b"))
    done = daybook("quarantine", "--store", store)
    assert done.out.startswith("3 records in the quarantine, from "), done
    assert "quarantine --store" in done.err and "retry" in done.err, done
    assert "\x1b" not in done.out and "\\u001b[2J" in done.out, done
    equal(daybook("quarantine", "--reason", "none", "--store", store).out, "nothing of that is in the quarantine\n")
    equal(daybook("quarantine", "--reason", "none", "-q", "--store", store).out, "")


def a_list_is_the_latest_first_and_goes_on(folder):
    store = filled(folder)
    page = quarantine(store, "list", "--limit", "2")
    equal([list(record) for record in page["records"]], [RECORD] * 2)
    equal([record["byte_offset"] for record in page["records"]], [LINES.index("id=r2"), LINES.index("[1]")])
    rest = quarantine(store, "list", "--before", page["before"])
    equal([record["text"] for record in rest["records"]], [LINES.splitlines()[0]])
    equal(rest["before"], None)
    done = daybook("quarantine", "list", "--limit", "1", "--store", store)
    assert "id=r2" in done.out and "`--before " in done.err, done


def a_retry_stores_what_can_be_read_now(folder):
    store = filled(folder)
    before = {row["seq"] for row in sql(store, "SELECT seq FROM quarantine WHERE raw LIKE 'id=%'")}
    receipt = quarantine(store, "retry", "--from", "logfmt")
    equal(list(receipt), RECEIPT)
    equal([receipt[name] for name in RECEIPT[:7]], [3, 2, 1, 0, 0, 0, 2])
    equal({row["seq"] for row in sql(store, "SELECT seq FROM events WHERE event_id LIKE 'r%'")}, before)
    info = daybook("info", "--store", store, "--json").json
    equal([info["events"], info["quarantined"]], [3, 1])
    again = daybook("quarantine", "retry", "--from", "logfmt", "--store", store)
    assert again.out.startswith("1 record read again in "), again
    assert "0 stored, 1 still in the quarantine\n  1: " in again.out, again
    receipt = daybook("ingest", folder / "app.log", "--from", "jsonl", "--store", store, "--json").json
    equal([receipt["duplicate"], receipt["quarantined"]], [4, 0])


def a_mapping_mends_a_timestamp(folder):
    store = filled(folder, '{"id":"1","ts":"soon","when":{"utc":"2026-02-03T10:00:00Z"}}\n')
    receipt = quarantine(store, "retry", "--map", "ts=when.utc", "--reason", "no timestamp")
    equal([receipt["tried"], receipt["stored"]], [1, 1])
    equal(sql(store, "SELECT event_id, ts FROM events"), [{"event_id": "1", "ts": "2026-02-03T10:00:00Z"}])


def lines_of_standard_input_are_tried_again(folder):
    store = folder / "s"
    daybook("log", "-", "--store", store, stdin=b'plain words\n{"kind":"a"}\n')
    equal(quarantine(store)["by_input"][0]["input"], "append")
    equal(quarantine(store, "retry", "--from", "text", "--input", "append")["stored"], 1)
    equal(sql(store, "SELECT count(*) AS n FROM events"), [{"n": 2}])


def secrets_are_in_no_output(folder):
    store = filled(folder, 'password=hunter2 {\n{"token": "abc123def" "x"}\n')
    text = daybook("quarantine", "--store", store).out + daybook("quarantine", "list", "--store", store).out
    assert "hunter2" not in text and "abc123def" not in text, text
    quarantine(store, "retry", "--from", "text")
    assert "hunter2" not in json.dumps(sql(store, "SELECT * FROM events"))


def wrong_usage_is_told(folder):
    store = filled(folder)
    for words in (
        ["retry", "--from", "none"],
        ["retry", "--map", "ts"],
        ["list", "--limit", "0"],
        ["list", "--since", "soon"],
        ["list", "--since", "2026-02-04", "--until", "2026-02-03"],
        ["--limit", "3"],
        ["--reason", "x", "list"],
        ["drop"],
    ):
        daybook("quarantine", *words, "--store", store, code=2)
    for words in (["retry", "--from", "parquet"], ["retry", "--mapping", "none"], ["retry", "--map", "seq=n"]):
        daybook("quarantine", *words, "--store", store, code=1)
    daybook("quarantine", "--store", folder / "nothing", code=1)
    equal(daybook("info", "--store", store, "--json").json["quarantined"], 3)


CHECKS = [
    ingest_points_here,
    a_summary_has_one_json_form,
    people_see_reasons_inputs_and_what_to_do,
    a_list_is_the_latest_first_and_goes_on,
    a_retry_stores_what_can_be_read_now,
    a_mapping_mends_a_timestamp,
    lines_of_standard_input_are_tried_again,
    secrets_are_in_no_output,
    wrong_usage_is_told,
]
