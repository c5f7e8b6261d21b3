"""`daybook log`: one event, and a stream of them."""

import json

from harness import daybook, equal, sql, start


def one_event_prints_its_seq(folder):
    store = folder / "s"
    seq = int(daybook("log", "deploy", "version 2", "--store", store).out)
    other = daybook("log", "deploy", "version 3", "--store", store, "--json")
    equal(list(other.json), ["seq"])
    assert other.json["seq"] > seq
    rows = sql(store, "SELECT seq, kind, message FROM events ORDER BY seq")
    equal(rows[0], {"seq": seq, "kind": "deploy", "message": "version 2"})


def every_option_has_its_column(folder):
    store = folder / "s"
    (folder / "after.json").write_text('{"max": 20}')
    daybook(
        "log", "limit_change", "raised", "--level", "warning", "--actor", "12", "--session", "s1", "--source", "shop",
        "--entity", "file:a:b.rs", "--status", "success", "--duration-ms", "1.5", "--ts", "2026-02-03T04:05:06.789012Z",
        "--before", '{"max":10}', "--after", f"@{folder / 'after.json'}", "--field", "amount=12.50",
        "--field", "note=a=b", "--field", "tags=[1,2]", "--store", store,
    )
    (row,) = sql(store, "SELECT * EXCLUDE (seq, recorded_at, shape) FROM events")
    expected = {
        "ts": "2026-02-03T04:05:06.789012Z", "kind": "limit_change", "message": "raised", "level": "warning",
        "severity": 13, "actor": "12", "session": "s1", "source": "shop", "entity_type": "file", "entity_id": "a:b.rs",
        "status": "success", "duration_ms": 1.5, "message": "raised", "amount": 12.5, "note": "a=b", "tags": [1, 2], "day": "2026-02-03",
    }
    equal({key: row[key] for key in expected}, expected)
    equal([json.loads(row["before"]), json.loads(row["after"])], [{"max": 10}, {"max": 20}])


def a_message_that_starts_with_a_dash_goes_after_two(folder):
    daybook("log", "--actor", "me", "--store", folder / "s", "--", "a", "--not an option")
    equal(sql(folder / "s", "SELECT actor, message FROM events"), [{"actor": "me", "message": "--not an option"}])


def a_time_is_read_in_the_zone(folder):
    store = folder / "s"
    for text, zone in (("2026-02-03 04:05:06", "+02:00"), ("2026-07-03 04:05:06", "Europe/Berlin")):
        daybook("log", "a", "b", "--ts", text, "--tz", zone, "--store", store)
    equal(
        [row["ts"] for row in sql(store, "SELECT ts FROM events ORDER BY ts")],
        ["2026-02-03T02:05:06Z", "2026-07-03T02:05:06Z"],
    )
    daybook("log", "a", "b", "--ts", "some day", "--store", store, code=1)


def a_missing_file_makes_no_store(folder):
    done = daybook("log", "a", "b", "--before", f"@{folder / 'nothing'}", "--store", folder / "s", code=1)
    assert "nothing" in done.err, done
    equal(list(folder.iterdir()), [])


def a_slow_stream_is_acknowledged_line_by_line(folder):
    store = folder / "s"
    process = start("log", "-", "--store", store)
    said = []
    for line in (b'{"kind":"a"}', b"not json", b'{"kind":"b","ts":"2800-01-01"}', b'\n  \n{"kind":"c"}', b"[1]"):
        process.stdin.write(line + b"\n")
        process.stdin.flush()
        said.append(process.stdout.readline().decode().strip())
    out, err = process.communicate(b'{"kind":"d"}')
    said.append(out.decode().strip())
    equal([process.returncode, err], [0, b""])
    is_seq = [text.isdigit() for text in said]
    equal(is_seq, [True, False, False, True, False, True], said)
    refused = [text for text in said if not text.isdigit()]
    assert all(text.startswith("quarantined: ") and len(text) > 15 for text in refused), refused
    seqs = [int(text) for text in said if text.isdigit()]
    equal(seqs, sorted(seqs))
    equal(sql(store, "SELECT seq, kind FROM events ORDER BY seq"), [
        {"seq": seq, "kind": kind} for seq, kind in zip(seqs, "acd")
    ])
    rows = sql(store, "SELECT raw, reason FROM quarantine ORDER BY seq")
    equal([row["raw"] for row in rows], ["not json", '{"kind":"b","ts":"2800-01-01"}', "[1]"])
    equal([f"quarantined: {row['reason']}" for row in rows], refused)


def a_stream_in_json(folder):
    done = daybook("log", "-", "--json", "--store", folder / "s", stdin=b'{"kind":"a"}\nbad\n{"kind":"b"}\n')
    answers = [json.loads(line) for line in done.lines]
    equal([list(answer) for answer in answers], [["seq"], ["seq", "quarantined"], ["seq"]])


def what_is_acknowledged_is_there_for_others_at_once(folder):
    store = folder / "s"
    process = start("log", "-", "--store", store)
    for number in range(5):
        process.stdin.write(b'{"kind":"a"}\n')
        process.stdin.flush()
        seq = int(process.stdout.readline())
        equal(sql(store, "SELECT max(seq) AS seq, count(*) AS n FROM events"), [{"seq": seq, "n": number + 1}])
    process.kill()
    process.communicate()
    equal(daybook("info", "--store", store, "--json").json["events"], 5)
    daybook("compact", "--store", store)
    info = daybook("info", "--store", store, "--json").json
    equal([info["events"], info["wal_events"], info["files"]], [5, 0, 1])


def text_that_is_not_utf8_is_kept(folder):
    store = folder / "s"
    done = daybook("log", "-", "--store", store, stdin=b'{"kind":"\xff"}\n{"kind":"a"}\n')
    assert done.lines[0].startswith("quarantined: "), done
    equal(daybook("info", "--store", store, "--json").json["quarantined"], 1)


CHECKS = [
    one_event_prints_its_seq,
    every_option_has_its_column,
    a_message_that_starts_with_a_dash_goes_after_two,
    a_time_is_read_in_the_zone,
    a_missing_file_makes_no_store,
    a_slow_stream_is_acknowledged_line_by_line,
    a_stream_in_json,
    what_is_acknowledged_is_there_for_others_at_once,
    text_that_is_not_utf8_is_kept,
]
