"""Answers and exports in every format: to files, to pipes, to terminals, and what a failure leaves."""

import csv
import io
import json
import os
import pty
import signal

from harness import PROGRAM, daybook, environment, equal, sql, start

HOSTILE = "a\x1b]0;owned\x07\x9b31m\u202ex\x7f"
FORMATS = ["jsonl", "json", "csv", "markdown", "parquet", "arrow"]
EXPORTS = ["jsonl", "json", "csv", "parquet", "arrow"]
MIDWAY = "SELECT (CASE WHEN range = 590000 THEN 'x' ELSE range::VARCHAR END)::INT AS n FROM range(600000)"


def filled(folder):
    lines = [
        {"ts": "2026-02-03T04:05:06.5Z", "kind": "a", "n": 1, "note": "=1+1", "list": [1, 2]},
        {"ts": "2026-02-04T04:05:06Z", "kind": "b", "n": 2, "note": "b|c", "message": HOSTILE},
        {"ts": "2026-02-05T04:05:06Z", "kind": "b", "n": 3},
    ]
    (folder / "a.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    daybook("ingest", folder / "a.jsonl", "--store", folder / "s", "-q")
    return folder / "s"


def reads_as(folder, file):
    """The rows of a file, by what Daybook makes of it."""
    store = folder / f"again-{file.name}"
    receipt = daybook("ingest", file, "--store", store, "--json").json
    equal(receipt["quarantined"], 0, file.name)
    return sql(store, "SELECT kind, n FROM events ORDER BY n")


def an_answer_goes_to_a_file_in_the_format_of_its_name(folder):
    store = filled(folder)
    query = "SELECT kind, n, ts FROM events ORDER BY n"
    for name in ("a.jsonl", "a.json", "a.csv", "a.parquet", "a.arrow"):
        receipt = daybook("sql", query, "--output", folder / name, "--store", store, "--json").json
        equal([receipt["rows"], receipt["bytes"]], [3, (folder / name).stat().st_size])
        equal(reads_as(folder, folder / name), [{"kind": "a", "n": 1}, {"kind": "b", "n": 2}, {"kind": "b", "n": 3}])
    done = daybook("sql", query, "-o", folder / "a.md", "--store", store)
    assert done.out.startswith("3 rows in "), done
    equal((folder / "a.md").read_text().splitlines()[:3], [
        "| kind | n | ts |", "| --- | ---: | --- |", "| a | 1 | 2026-02-03T04:05:06.500Z |",
    ])
    daybook("sql", query, "-o", folder / "a.csv.gz", "--store", store, code=2)
    assert daybook("sql", query, "-o", "-", "--format", "parquet", "--store", store).bytes.endswith(b"PAR1")


def an_export_has_every_format_and_filter(folder):
    store = filled(folder)
    for format in EXPORTS:
        file = folder / f"e.{format}"
        receipt = daybook("export", file, "--store", store, "--json").json
        equal([receipt["events"], receipt["bytes"]], [3, file.stat().st_size])
        equal([row["n"] for row in reads_as(folder, file)], [1, 2, 3])
        equal(daybook("export", "-", "--format", format, "--store", store).bytes, file.read_bytes())
    kinds = daybook("export", "-", "kind:b", "n>2", "--store", store)
    equal([json.loads(line)["n"] for line in kinds.lines], [3])
    kinds = daybook("export", "-", "--filter", "kind:b", "--store", store, "--original", "--format", "json").json
    equal([row["n"] for row in kinds], [2, 3])
    equal(daybook("export", "-", "--store", store, "--", "-kind:b").out.count("\n"), 1)
    done = daybook("export", "-", "knd:b", "--store", store, code=2)
    assert "did you mean `kind`" in done.err, done
    done = daybook("export", "-", "kind:(", "--store", store, code=2)
    assert "^" in done.err, done
    daybook("export", folder / "x.csv", "--original", "--store", store, code=2)
    assert not (folder / "x.csv").exists()


def spreadsheets_run_nothing(folder):
    store = filled(folder)
    rows = list(csv.DictReader(io.StringIO(daybook("export", "-", "--format", "csv", "--store", store).out)))
    equal([row["note"] for row in rows], ["'=1+1", "b|c", ""])
    raw = daybook("sql", "SELECT '=1+1' AS f, -1 AS n", "--format", "csv", "--raw-csv", "--store", store)
    equal(raw.lines, ["f,n", "=1+1,-1"])
    safe = daybook("sql", "SELECT '@x' AS f, -1 AS n, '-1' AS t", "--format", "csv", "--store", store)
    equal(safe.lines, ["f,n,t", "'@x,-1,-1"])


def a_failure_midway_never_looks_whole(folder):
    store = filled(folder)
    for format in FORMATS:
        done = daybook("sql", MIDWAY, "--format", format, "--store", store, code=1)
        assert "Could not convert" in done.err, done.err
        if format == "json":
            assert done.bytes and not done.out.rstrip().endswith("]")
        if format in ("parquet", "arrow"):
            assert not done.bytes.endswith(b"PAR1") and not done.bytes.endswith(b"ARROW1")
        file = folder / f"failed.{format}"
        file.write_text("what was there")
        daybook("sql", MIDWAY, "--format", format, "-o", file, "--store", store, code=1)
        equal(file.read_text(), "what was there")
    equal([path.name for path in folder.iterdir() if "partial" in path.name], [])


def ctrl_c_leaves_no_half_file(folder):
    store = filled(folder)
    (folder / "a.jsonl").unlink()
    query = "SELECT e.* FROM events e, range(10000000)"
    process = start("sql", query, "--format", "csv", "-o", folder / "out.csv", "-v", "--store", store)
    process.stderr.readline()
    while not any("partial" in path.name for path in folder.iterdir()):
        assert process.poll() is None, process.stderr.read()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    equal(process.returncode, 130, err)
    equal([path.name for path in folder.iterdir()], ["s"])


def memory_is_bounded(folder):
    store = filled(folder)
    for query in (
        "SELECT length(string_agg(repeat('x', 1000), '')) FROM range(10000000)",
        "SELECT length(repeat('x', 2000000000) || range::VARCHAR) FROM range(1000)",
        "SELECT max(len(list_resize([1], 1000000000 + range))) FROM range(8)",
    ):
        done = daybook("sql", query, "--memory", "100MB", "--store", store, "--json", code=1)
        equal(json.loads(done.err)["error"]["kind"], "limit", done.err)


def on_a_terminal(*arguments):
    """What the program shows on a terminal."""
    pid, master = pty.fork()
    if pid == 0:
        os.execve(PROGRAM, [str(PROGRAM), *map(str, arguments)], environment(TERM="xterm"))
    shown = b""
    try:
        while piece := os.read(master, 65536):
            shown += piece
    except OSError:
        pass
    os.close(master)
    os.waitpid(pid, 0)
    return shown.decode()


def no_event_controls_the_terminal(folder):
    store = filled(folder)
    commands = [["sql", "SELECT * FROM events", "--format", format] for format in ("table", "jsonl", "json", "csv", "markdown")]
    commands += [["export", "-", "--format", format] for format in ("jsonl", "json", "csv")]
    commands += [["export", "-", "--original"], ["schema"], ["schema", "--json"], ["sql", "SELECT * FROM events", "--json"]]
    commands += [["sql", f"SELECT '{HOSTILE}' AS \"{HOSTILE}\"", "--format", format] for format in ("table", "csv", "json")]
    commands += [["sql", f"SELECT \"{HOSTILE}\" FROM events"], ["export", "-", f"{HOSTILE}:1"]]
    commands += [["sql", f"SELECT '{HOSTILE}'::INT"]]
    for command in commands:
        shown = on_a_terminal(*command, "--store", store)
        bare = shown.replace("\x1b[1m", "").replace("\x1b[2m", "").replace("\x1b[0m", "").replace("\x1b[31;1m", "")
        bare = bare.replace("\x1b[36;1m", "")
        for letter in "\x1b\x07\x9b\u202e\x7f":
            assert letter not in bare, (command, shown)
    shown = on_a_terminal("sql", "SELECT 1", "--format", "parquet", "--store", store)
    assert "no use on a terminal" in shown and "PAR1" not in shown, shown


CHECKS = [
    an_answer_goes_to_a_file_in_the_format_of_its_name,
    an_export_has_every_format_and_filter,
    spreadsheets_run_nothing,
    a_failure_midway_never_looks_whole,
    ctrl_c_leaves_no_half_file,
    memory_is_bounded,
    no_event_controls_the_terminal,
]
