"""What a question may use: time and memory, for every command that asks."""

import json
import os
import subprocess

from harness import PROGRAM, daybook, environment, equal, sql

ASKING = [
    "sql SELECT/**/count(*)FROM/**/events",
    "search kind:a",
    "recent",
    "failures",
    "stats",
    "timeline",
    "facets --by kind",
    "slowest",
    "history order:5",
    "file-history api/",
    "sessions",
    "session alice",
    "trace t1",
    "show 5",
    "audit 2026-02-01",
    "metrics",
    "health",
    "schema",
    "export -",
]

# Each makes more of one event than there may be; the bound of memory is far below.
GREEDY = [
    "SELECT quantile_cont(random(), 0.5) FROM events, range(100000000)",
    "SELECT list(message || r.range) FROM events, range(100000000) r",
    "SELECT string_agg(message, ',') FROM events, range(100000000)",
    "SELECT length(repeat('x', 2000000000) || repeat('y', 2000000000))",
]


def filled(folder):
    line = {"ts": "2026-02-03T10:00:00Z", "kind": "a", "actor": "alice", "message": "one", "duration_ms": 1}
    daybook("log", "-", "--store", folder / "s", stdin=json.dumps(line).encode() + b"\n")
    return folder / "s"


def every_question_has_a_time_limit(folder):
    store = filled(folder)
    for words in ASKING:
        done = daybook(*words.split(" "), "--timeout", "1ms", "--store", store, code=1)
        assert "took longer than 0.001 s" in done.err and "hint: ask for less" in done.err, done
        done = daybook(*words.split(" "), "--timeout", "1ms", "--json", "--store", store, code=1)
        equal(json.loads(done.err)["error"]["kind"], "limit", words)
    for words in ASKING:
        code = 1 if words.startswith("show") else 0
        daybook(*words.split(" "), "--timeout", "1m", "--memory", "256MB", "--store", store, code=code)
        daybook(*words.split(" "), "--memory", "none", "--store", store, code=2)


def an_export_that_is_given_up_leaves_no_file(folder):
    store = filled(folder)
    daybook("export", folder / "out.jsonl", "--timeout", "1ms", "--store", store, code=1)
    equal(sorted(path.name for path in folder.iterdir()), ["s"])


def a_query_that_would_take_all_memory_ends_in_a_clear_error(folder):
    store = filled(folder)
    for query in GREEDY:
        command = [PROGRAM, "sql", query, "--memory", "64MB", "--timeout", "2m", "--store", store]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
        out, err = child.stdout.read(), child.stderr.read().decode()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        equal(child.returncode, 1, f"{query}\n{err}")
        assert err.startswith("error: Out of Memory Error") and "hint: ask for less" in err, f"{query}\n{err}"
        # What the program itself takes, and the bound; never what the query would have.
        assert usage.ru_maxrss < 512 << 10, f"{query}: {usage.ru_maxrss >> 10} MiB"


def the_shell_goes_on_after_a_query_that_took_too_much(folder):
    store = filled(folder)
    text = f"{GREEDY[0]};\n.timeout 200ms\nSELECT count(*) FROM range(10000000000000) WHERE random() < 0;\n"
    text += ".timeout 0\nSELECT 7 AS n;\n.search kind:a\n"
    done = daybook(
        "shell", "--memory", "128MB", "--keep-going", "--format", "jsonl", "--store", store,
        stdin=text.encode(), code=1,
    )
    assert "Out of Memory" in done.err and "longer than 0.2 s" in done.err, done
    rows = [json.loads(line) for line in done.lines]
    equal([rows[0], rows[1]["actor"]], [{"n": 7}, "alice"])


def no_time_limit_is_no_limit(folder):
    store = filled(folder)
    equal(sql(store, "SELECT 1 AS n", "--timeout", "0"), [{"n": 1}])


CHECKS = [
    every_question_has_a_time_limit,
    an_export_that_is_given_up_leaves_no_file,
    a_query_that_would_take_all_memory_ends_in_a_clear_error,
    the_shell_goes_on_after_a_query_that_took_too_much,
    no_time_limit_is_no_limit,
]
