"""Ctrl-C, and readers of standard output that go away."""

import json
import signal

from harness import daybook, equal, sql, start


def interrupt_when_busy(process, seconds=20):
    """Sends Ctrl-C, and gives the exit code and what was said."""
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=seconds)
    return process.returncode, out, err.decode()


def interrupting_a_stream_keeps_what_was_acknowledged(folder):
    store = folder / "s"
    process = start("log", "-", "--store", store)
    process.stdin.write(b'{"kind":"a"}\n')
    process.stdin.flush()
    seq = int(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    equal(process.wait(timeout=20), 130, process.stderr.read())
    process.stdin.close()
    equal(sql(store, "SELECT seq FROM events"), [{"seq": seq}])


def interrupting_a_query(folder):
    store = folder / "s"
    daybook("log", "a", "b", "--store", store)
    query = "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b"
    process = start("sql", query, "--json", "-v", "--store", store)
    # With `-v` it says when the store is open, so that Ctrl-C finds it at work.
    first = process.stderr.readline()
    code, _, err = interrupt_when_busy(process)
    equal(code, 130, first.decode() + err)


def interrupting_an_ingest_stores_all_or_nothing(folder):
    store = folder / "s"
    process = start("ingest", "-", "--store", store, "-v")
    process.stdin.write(b'{"kind":"a"}\n' * 10_000)
    process.stdin.flush()
    process.stderr.readline()
    process.send_signal(signal.SIGINT)
    try:
        equal(process.wait(timeout=20), 130)
    finally:
        process.kill()
        process.stdin.close()
    events = daybook("info", "--json", "--store", store).json["events"]
    assert events in (0, 10_000), events


def closed_early(*arguments):
    """Reads one line and goes away, as `head -1` does."""
    process = start(*arguments)
    line = process.stdout.readline()
    process.stdout.close()
    process.stdin.close()
    err = process.stderr.read().decode()
    return line, process.wait(timeout=60), err


def a_broken_pipe_is_success(folder):
    store = folder / "s"
    (folder / "a.jsonl").write_text("".join('{"kind":"a","text":"%01000d"}\n' % number for number in range(20_000)))
    daybook("ingest", folder / "a.jsonl", "--store", store)
    for arguments in (
        ["sql", "SELECT * FROM events", "--format", "jsonl"],
        ["sql", "SELECT * FROM events", "--format", "csv"],
        ["sql", "SELECT * FROM events"],
        ["sql", "SELECT * FROM events", "--json"],
        ["export", "-"],
        ["export", "-", "--original"],
    ):
        line, code, err = closed_early(*arguments, "--store", store)
        assert line, arguments
        equal([code, err], [0, ""], arguments)


def a_full_standard_output_is_a_failure(folder):
    daybook("log", "a", "b", "--store", folder / "s")
    for arguments in (["info"], ["sql", "SELECT 1"], ["export", "-"]):
        with open("/dev/full", "wb") as full:
            process = start(*arguments, "--store", folder / "s", "--json", stdout=full)
            _, err = process.communicate(timeout=60)
        equal([process.returncode, json.loads(err)["error"]["kind"]], [1, "full"], arguments)


CHECKS = [
    interrupting_a_stream_keeps_what_was_acknowledged,
    interrupting_a_query,
    interrupting_an_ingest_stores_all_or_nothing,
    a_broken_pipe_is_success,
    a_full_standard_output_is_a_failure,
]
