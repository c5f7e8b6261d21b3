"""The commands that ask about events: their arguments, what people see, refusals. Answers are in `conformance`."""

import json
import signal
import time

from harness import daybook, equal, start

LINES = b"""{"ts":"2026-02-03T04:05:06Z","kind":"deploy","level":"info","actor":"alice","message":"version 2 is live","status":"success","n":1}
{"ts":"2026-02-03T05:05:06Z","kind":"edit","level":"info","actor":"bob","file_path":"api/a.py","before":{"max":1,"x":[1]},"after":{"max":2},"n":2}
{"ts":"2026-02-04T06:05:06Z","kind":"call","level":"error","actor":"bob","message":"rate limit","duration_ms":1500,"trace_id":"t","n":3}
{"ts":"2026-02-05T07:05:06Z","kind":"call","source":"\\u001b[31mred","message":"-minus \\u202eturned","trace_id":"t","n":4}
"""


def filled(folder):
    (folder / "a.jsonl").write_bytes(LINES)
    daybook("ingest", folder / "a.jsonl", "--store", folder / "s", "-q")
    return folder / "s"


def numbers(store, *words, code=0):
    done = daybook("search", "--json", "--columns", "n", "--store", store, *words, code=code)
    return [event["n"] for event in done.json["events"]] if code == 0 else done.err


def filters_are_words_or_flags_or_both(folder):
    store = filled(folder)
    for words, expected in [
        ([], [4, 3, 2, 1]),
        (["kind:call", "level>=error"], [3]),
        (["rate", "limit"], [3]),
        (["rate limit"], [3]),
        (["--", "-kind:call"], [2, 1]),
        (["--", "-kind:call", "-actor:bob"], [1]),
        (["--filter=-kind:call actor:bob"], [2]),
        (["--filter", "-kind:call actor:bob"], [2]),
        (["--kind", "edit,deploy"], [2, 1]),
        (["--kind", "edit", "--kind", "deploy", "--actor", "bob"], [2]),
        (["--type", "edit"], [2]),
        (["--level", "error"], [3]),
        (["--file", "api/"], [2]),
        (["--text", "Rate Limit"], [3]),
        (["--since", "2026-02-04", "--until", "2026-02-05"], [3]),
        (["--since", "2026-02-04T07:05:06", "--tz", "+01:00", "--until", "2026-02-05"], [3]),
        (["--limit", "2"], [4, 3]),
        (["-n", "1", "kind:call"], [4]),
    ]:
        equal(numbers(store, *words), expected, words)


def a_wrong_filter_is_exit_code_two_and_points_at_the_place(folder):
    store = filled(folder)
    done = daybook("search", "kind:call", "knd:x", "--store", store, code=2)
    assert "\n  kind:call knd:x\n            ^\n" in done.err and "did you mean `kind`" in done.err, done
    assert "`--filter`" in daybook("search", "a", "--filter", "b", "--store", store, code=2).err
    assert "invalid repetition size" in daybook("search", "/a{1001}/", "--store", store, code=2).err
    assert "(((" in daybook("stats", "(" * 10_000, "--store", store, code=2).err
    assert "65536" in daybook("stats", "--filter", "a " * 50_000, "--store", store, code=2).err
    for words in (["timeline", "--every", "2h"], ["facets"], ["history", "nothing"], ["metrics", "--window", "0"]):
        daybook(*words, "--store", store, code=2)


def hostile_text_is_harmless_on_a_terminal(folder):
    store = filled(folder)
    for words in (["search"], ["stats"], ["facets", "--by", "source,message"], ["trace", "t"], ["timeline", "--by", "source"], ["tail", "--help"]):
        done = daybook(*words, "--store", store)
        assert "\x1b" not in done.out and "\u202e" not in done.out, done
    seq = daybook("search", "n:4", "--json", "--store", store).json["events"][0]["seq"]
    assert "\x1b" not in daybook("show", seq, "--store", store).out
    assert "\x1b" not in daybook("search", "n:4", "--json", "--store", store).out


def people_see_charts_and_differences(folder):
    store = filled(folder)
    chart = daybook("timeline", "--every", "1d", "--store", store).lines
    equal(chart[0].split()[:2], ["from", "events"])
    equal([line.split()[:2] for line in chart[1:]], [["2026-02-03", "2"], ["2026-02-04", "1"], ["2026-02-05", "1"]])
    assert chart[1].count("█") == 2 * chart[2].count("█"), chart
    history = daybook("file-history", "api/a.py", "--store", store).lines
    equal(history[1:], ["    ~ max: 1 → 2", "    - x: [1]"])
    trace = daybook("trace", "t", "--store", store).out
    assert "outcome      recovered" in trace and "offset_ms" in trace, trace
    assert "no event matches" in daybook("search", "nothing", "--store", store).err
    assert "no event matches" in daybook("facets", "--by", "kind", "nothing", "--store", store).err
    assert "no rows" in daybook("sql", "SELECT * FROM events WHERE false", "--store", store).err
    assert "`--limit N`" in daybook("search", "--limit", "1", "--store", store).err


def what_is_not_there_is_exit_code_one(folder):
    store = filled(folder)
    assert "`x`" in daybook("show", "x", "--store", store, code=1).err
    daybook("stats", "--store", folder / "none", code=1)


def reports_are_files(folder):
    store = filled(folder)
    for name, beginning in [("r.json", "{\n"), ("r.md", "# Audit report"), ("r.html", "<!doctype html>")]:
        daybook("audit", "2026-02-03", "2026-02-05", "--output", folder / name, "--store", store)
        assert (folder / name).read_text().startswith(beginning)
    html = (folder / "r.html").read_text()
    outside = [word for word in ("<script", "<link", "<img", "src=", "url(", "@import", "http:", "https:") if word in html]
    equal(outside, [], "a report is one file that loads nothing")
    report = json.loads((folder / "r.json").read_text())
    equal([report["totals"]["events"], report["out_of_hours"]["count"]], [4, 4])
    (store / "daybook.toml").write_text('[hours]\ndays = ["wed"]\nfrom = 8\nto = 9\nzone = "Asia/Tokyo"\n')
    equal(daybook("audit", "2026-02-03", "--json", "--store", store).json["out_of_hours"]["count"], 4)
    (store / "daybook.toml").write_text('[hours]\ndays = ["wed"]\nfrom = 15\nto = 16\nzone = "Asia/Tokyo"\n')
    equal(daybook("audit", "2026-02-03", "--json", "--store", store).json["out_of_hours"]["count"], 3)
    (store / "daybook.toml").write_text('[hours]\nzone = "Mars"\n')
    assert "hours.zone" in daybook("audit", "2026-02-03", "--store", store, code=1).err
    daybook("audit", "2026-02-03", "--output", folder / "r.txt", "--store", store, code=2)


def metrics_are_for_prometheus_too(folder):
    store = filled(folder)
    daybook("log", "call", "now", "--source", "a\"b", "--store", store)
    daybook("metrics", "--prometheus", folder / "m.prom", "--store", store)
    text = (folder / "m.prom").read_text()
    assert 'daybook_source_events{source="a\\"b"} 1\n' in text and text.endswith("# EOF\n"), text
    equal(daybook("metrics", "--prometheus", "-", "--store", store).out.count("# TYPE daybook_events gauge"), 1)
    report = daybook("metrics", "--json", "--store", store).json
    equal([report["events"], report["store"]["events"]], [1, 5])


def health_is_an_exit_code(folder):
    store = filled(folder)
    equal(daybook("health", "--json", "--store", store).json["status"], "ok")
    lines = b"".join(b'{"kind":"call","status":"failure","n":%d}\n' % number for number in range(30))
    daybook("log", "-", "--store", store, stdin=lines)
    done = daybook("health", "--json", "--store", store, code=1)
    equal(done.json["status"], "failing")
    assert "30 of 30" in done.err, done


def tail_prints_what_comes_until_ctrl_c(folder):
    store = filled(folder)
    tail = start("tail", "--json", "--last", "1", "--columns", "message", "actor:zoe or n:3", "--store", store)
    try:
        equal(json.loads(tail.stdout.readline()), {"message": "rate limit"})
        for message in ("first", "second"):
            daybook("log", "call", message, "--actor", "zoe", "--store", store)
            daybook("log", "call", "another", "--actor", "yan", "--store", store)
            equal(json.loads(tail.stdout.readline()), {"message": message})
        time.sleep(0.1)
        tail.send_signal(signal.SIGINT)
        rest, err = tail.communicate(timeout=60)
        equal([rest, tail.returncode], [b"", 130], err)
    finally:
        tail.kill()


CHECKS = [
    filters_are_words_or_flags_or_both, a_wrong_filter_is_exit_code_two_and_points_at_the_place,
    hostile_text_is_harmless_on_a_terminal, people_see_charts_and_differences, what_is_not_there_is_exit_code_one,
    reports_are_files, metrics_are_for_prometheus_too, health_is_an_exit_code, tail_prints_what_comes_until_ctrl_c,
]
