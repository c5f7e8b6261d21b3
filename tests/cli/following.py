"""`daybook ingest --follow`: lines that are found within a second, rotation, and how it ends."""

import gzip
import json
import signal
import time

from harness import daybook, equal, sql, start

FOUND_WITHIN_SECONDS = 1.0
STARTS_WITHIN_SECONDS = 20


class Follower:
    """The program, following files, and killed in any case."""

    def __init__(self, store, *arguments):
        self.store = store
        self.process = start("ingest", "--follow", *arguments, "--store", store)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def count(self):
        # The last thing that is made of a store.
        if not (self.store / "_quarantine/_delta_log/00000000000000000000.json").exists():
            return None
        done = daybook("sql", "SELECT count(*) AS n FROM events", "--store", self.store, "--json")
        return done.json[0]["n"]

    def wait_for(self, count, seconds=STARTS_WITHIN_SECONDS):
        """Waits until there are so many events, and gives when that was."""
        started = time.monotonic()
        while (found := self.count()) != count:
            assert time.monotonic() - started < seconds, f"{found} events and not {count} after {seconds} s"
            time.sleep(0.02)
        return time.monotonic()

    def end(self, by=signal.SIGTERM):
        """Stops it, and gives the exit code and what it said."""
        self.process.send_signal(by)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out.decode(), err.decode()


def append(path, text):
    with open(path, "a") as file:
        file.write(text)


def a_line_is_found_within_a_second(folder):
    path, store = folder / "a.log", folder / "s"
    append(path, '{"n":0}\n')
    with Follower(store, path) as follower:
        follower.wait_for(1)
        waited = []
        for count in range(2, 12):
            append(path, '{"n":%d}\n' % count)
            written = time.monotonic()
            waited.append(follower.wait_for(count) - written)
            time.sleep(0.03 * count)
        # A busy machine may be late once; the program may not be late as a rule.
        assert sorted(waited)[len(waited) // 2] < FOUND_WITHIN_SECONDS, waited


def it_ends_cleanly_and_says_what_it_did(folder):
    for by, json_option in ((signal.SIGINT, []), (signal.SIGTERM, ["--json"])):
        path, other, store = folder / f"{by}.log", folder / f"{by}.other", folder / f"s{by}"
        append(path, '{"n":1}\nbad\n{"n":2}\n{"n"')
        with Follower(store, path, other, *json_option) as follower:
            follower.wait_for(2)
            code, out, err = follower.end(by)
        equal(code, 0, err)
        equal(err.count("it is not there; waiting for it"), 1, err)
        if json_option:
            receipts = [json.loads(line) for line in out.splitlines()]
            equal([receipt["input"] for receipt in receipts], [str(path), str(other)])
            equal([receipts[0][name] for name in ("records", "stored", "quarantined")], [3, 2, 1])
        else:
            assert "3 records: 2 stored, 0 duplicate, 1 quarantined" in out + err, (out, err)
        append(path, ":3}\n")
        receipt = daybook("ingest", path, "--store", store, "--json").json
        equal([receipt["stored"], receipt["duplicate"]], [1, 3])


def nothing_is_lost_or_repeated_when_it_is_killed_and_the_file_rotated(folder):
    path, store = folder / "a.log", folder / "s"
    append(path, '{"n":1}\n')
    with Follower(store, path) as follower:
        follower.wait_for(1)
        append(path, '{"n":2}\n')
        follower.wait_for(2)
    append(path, '{"n":3}\n')
    (folder / "a.log.1.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    append(path, '{"n":4}\n')
    with Follower(store, path) as follower:
        follower.wait_for(4)
        path.rename(folder / "a.log.2")
        append(folder / "a.log.2", '{"n":5}\n')
        append(path, '{"n":6}\n')
        follower.wait_for(6)
        _, _, err = follower.end()
    assert "what was rotated to" in err and "another file took its place" in err, err
    equal(sql(store, "SELECT n FROM events ORDER BY n"), [{"n": n} for n in range(1, 7)])


def a_second_follower_is_refused(folder):
    path, store = folder / "a.log", folder / "s"
    append(path, '{"n":1}\n')
    with Follower(store, path) as follower:
        follower.wait_for(1)
        done = daybook("ingest", "--follow", path, "--store", store, code=1)
        assert "is being followed into this store already" in done.err, done


def columns_are_named_by_a_header_that_came_alone(folder):
    path, store = folder / "a.csv", folder / "s"
    append(path, "time,level,msg\n")
    with Follower(store, path) as follower:
        time.sleep(1)
        append(path, '2026-02-03T04:05:06Z,info,"hello, you"\n')
        follower.wait_for(1)
    equal(sql(store, "SELECT level, message FROM events"), [{"level": "info", "message": "hello, you"}])


def wrong_arguments_are_refused_and_leave_nothing_behind(folder):
    store = folder / "s"
    append(folder / "a.log", '{"n":1}\n')
    (folder / "a.gz").write_bytes(gzip.compress(b"{}\n"))
    for code, words, arguments in (
        (2, "standard input cannot be followed", ["-"]),
        (2, "`--follow` and `--strict` contradict each other", [folder / "a.log", "--strict"]),
        (2, "`--explain` stores none", [folder / "a.log", "--explain"]),
        (1, "is compressed with gzip and cannot be followed", [folder / "a.log", folder / "a.gz"]),
        (1, "is a folder and cannot be followed", [folder]),
        (1, "no file matches", [folder / "*.nothing"]),
    ):
        done = daybook("ingest", "--follow", *arguments, "--store", store, code=code)
        assert words in done.err, (words, done)
        assert not store.exists(), arguments


CHECKS = [
    a_line_is_found_within_a_second,
    it_ends_cleanly_and_says_what_it_did,
    nothing_is_lost_or_repeated_when_it_is_killed_and_the_file_rotated,
    a_second_follower_is_refused,
    columns_are_named_by_a_header_that_came_alone,
    wrong_arguments_are_refused_and_leave_nothing_behind,
]
