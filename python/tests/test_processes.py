"""How processes end, fork, and share a store; and what happens when it cannot be written."""

import json
import logging
import os
import signal
import subprocess
import threading
import time

import pytest
from conftest import python, started

import daybook

ENDLESS = "SELECT sum(a.range * b.range) FROM range(100000) a, range(1000000) b"


def count(path, where="true"):
    with daybook.open(path) as store:
        return store.sql(f"SELECT count(*) FROM events WHERE {where}").scalar()


def numbers(path):
    with daybook.open(path) as store:
        return [row["n"] for row in store.sql("SELECT n FROM events ORDER BY n")]


def test_control_c_stops_a_query_within_a_second(path):
    process = started(f"""if True:
        import daybook, sys
        store = daybook.open(sys.argv[1], create=True)
        print("asking", flush=True)
        try:
            store.sql("{ENDLESS}").to_arrow()
        except KeyboardInterrupt:
            print("stopped", store.sql("SELECT 5").scalar(), flush=True)
            raise""", path)
    assert process.stdout.readline() == "asking\n"
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    out, err = process.communicate(timeout=20)
    assert time.monotonic() - began < 1.5
    assert out == "stopped 5\n" and process.returncode == -signal.SIGINT and "KeyboardInterrupt" in err


def test_a_program_that_ends_with_a_full_queue_loses_nothing(path):
    done = python("import daybook, sys\n"
                  "log = daybook.Logger(sys.argv[1], capacity=1000)\n"
                  "for n in range(20000): log.event('x', n=n)\n", path)
    assert done.returncode == 0 and done.stderr == ""
    assert numbers(path) == list(range(20_000))


def test_a_program_that_fails_loses_nothing(path):
    done = python("import daybook, sys\nlog = daybook.Logger(sys.argv[1])\nlog.event('x', n=1)\n1 / 0", path)
    assert done.returncode == 1 and numbers(path) == [1]


WAITING = """if True:
    import daybook, signal, sys, time
    {before}
    log = daybook.Logger(sys.argv[1])
    for n in range(500): log.event('x', n=n)
    print("ready", flush=True)
    # In short sleeps: a signal that comes right before one is seen after it.
    for _ in range(1200): time.sleep(0.05)"""


def test_sigterm_writes_what_waits_and_ends_the_program_as_ever(path):
    process = started(WAITING.format(before=""), path)
    assert process.stdout.readline() == "ready\n"
    process.terminate()
    assert process.wait(20) == -signal.SIGTERM
    assert numbers(path) == list(range(500))


def test_a_handler_that_is_there_stays(path):
    process = started(WAITING.format(before="signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))"), path)
    assert process.stdout.readline() == "ready\n"
    process.terminate()
    assert process.wait(20) == 7
    assert numbers(path) == list(range(500))


def test_kill_loses_only_what_was_not_flushed(path):
    process = started(WAITING.format(before="").replace("print(", "log.flush(); log.event('x', n=-1); print("), path)
    assert process.stdout.readline() == "ready\n"
    process.kill()
    process.wait(20)
    assert [n for n in numbers(path) if n >= 0] == list(range(500))


FORKING = """if True:
    import daybook, os, sys
    {logger}
    log.event('x', n=0)
    children = []
    for child in range(1, 5):
        pid = os.fork()
        if pid == 0:
            for n in range(100): log.event('x', n=child * 1000 + n)
            sys.exit(0)
        children.append(pid)
    for n in range(1, 100): log.event('x', n=n)
    for pid in children: assert os.waitpid(pid, 0)[1] == 0
    assert log.flush() and log.store.sql('SELECT count(*) FROM events').scalar() == 500
    """


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.parametrize("logger", [
    "log = daybook.Logger(sys.argv[1])",
    "store = daybook.open(sys.argv[1], create=True); log = daybook.Logger(store)",
])
def test_after_a_fork_nothing_is_lost_and_nothing_is_there_twice(path, logger):
    done = python(FORKING.format(logger=logger), path)
    assert done.returncode == 0, done.stderr
    assert numbers(path) == [*range(100), *(child * 1000 + n for child in range(1, 5) for n in range(100))]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_child_asks_too(path):
    done = python("""if True:
        import daybook, os, sys
        store = daybook.open(sys.argv[1], create=True)
        store.append({"kind": "a"})
        pid = os.fork()
        if pid == 0:
            assert store.sql("SELECT count(*) FROM events").scalar() == 1
            store.append({"kind": "b"})
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        assert store.sql("SELECT count(*) FROM events").scalar() == 2""", path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_processes_of_multiprocessing_write_what_waits(path, method, tmp_path):
    (tmp_path / "program.py").write_text("""if True:
        import daybook, multiprocessing, sys

        def work(path, n):
            daybook.Logger(path).event("x", n=n)

        def shared(n):
            log.event("x", n=n)

        if __name__ == "__main__":
            context = multiprocessing.get_context(sys.argv[2])
            log = daybook.Logger(sys.argv[1])
            workers = [context.Process(target=work, args=(sys.argv[1], n)) for n in range(2)]
            if sys.argv[2] == "fork":
                workers += [context.Process(target=shared, args=(n,)) for n in range(2, 4)]
            [worker.start() for worker in workers]
            [worker.join() for worker in workers]
            sys.exit(any(worker.exitcode for worker in workers))""")
    done = python("import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')",
                  tmp_path / "program.py", path, method)
    assert done.returncode == 0, done.stderr
    assert numbers(path) == [0, 1, 2, 3] if method == "fork" else [0, 1]


def test_several_processes_write_and_ask_at_once(path):
    daybook.open(path, create=True).close()
    code = """if True:
        import daybook, sys
        with daybook.Logger(sys.argv[1]) as log:
            for n in range(200):
                log.event("x", n=int(sys.argv[2]) * 1000 + n)
                if n % 100 == 0:
                    log.flush()
                    assert log.store.sql("SELECT count(*) FROM events").scalar() > 0"""
    processes = [started(code, path, number) for number in range(4)]
    assert [process.communicate(timeout=60)[1] for process in processes] == [""] * 4
    assert len(set(numbers(path))) == len(numbers(path)) == 800


def test_threads_share_a_log(log, recorded):
    threads = [threading.Thread(target=lambda k=k: [log.event("x", n=k * 1000 + n) for n in range(200)])
               for k in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(recorded("n")) == 1600


class Full:
    """A log whose queue is full, since what takes from it waits for this."""

    def __init__(self, path, monkeypatch, **options):
        self.went_on = threading.Event()
        from daybook import logger

        monkeypatch.setattr(logger, "tell", lambda record, reason: self.went_on.wait(30))
        self.log = daybook.Logger(path, capacity=10, **options)
        # What goes to the quarantine is told, and the telling waits.
        self.log.event("x", ts="no time at all")
        while self.log._queue.waiting:
            time.sleep(0.001)
        for n in range(10):
            self.log.event("x", n=n)

    def end(self):
        self.went_on.set()
        self.log.close()


def test_a_full_queue_drops_and_counts_and_errors_go_to_logging(path, monkeypatch, caplog):
    full = Full(path, monkeypatch, when_full="drop")
    began = time.monotonic()
    for n in range(5):
        full.log.event("x", n=100 + n)
    full.log.event("x", level="critical", n=105)
    assert time.monotonic() - began < 0.5
    assert full.log.dropped == 6 and full.log.session_summary()["dropped"] == 6
    assert "the queue is full" in caplog.text and '"n":105' in caplog.text and '"n":104' not in caplog.text
    full.end()
    assert numbers(path) == list(range(10))


def test_a_full_queue_is_waited_for_but_not_for_ever(path, monkeypatch):
    full = Full(path, monkeypatch, wait_seconds=0.2)
    began = time.monotonic()
    for n in range(100):
        full.log.event("x", n=100 + n)
    assert 0.2 <= time.monotonic() - began < 1
    assert full.log.dropped == 100
    assert not full.log.flush(timeout=0.1)
    full.end()


def test_waiting_for_room_loses_nothing(path, monkeypatch):
    full = Full(path, monkeypatch, wait_seconds=None)
    threading.Timer(0.2, full.went_on.set).start()
    for n in range(10, 100):
        full.log.event("x", n=n)
    full.end()
    assert full.log.dropped == 0 and numbers(path) == list(range(100))


def test_a_place_that_cannot_be_written_to(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    with daybook.Logger(tmp_path / "file") as log, caplog.at_level(logging.DEBUG):
        log.event("deploy", level="info", n=1)
        log.event("failure", level="critical", n=2)
        assert log.audit.create("a", 1) is None
        assert log.flush()
    events = [record for record in caplog.records if '"n":' in record.getMessage()]
    assert [record.levelno for record in events] == [logging.INFO, logging.CRITICAL]
    assert json.loads(events[1].getMessage().partition(": ")[2])["kind"] == "failure"
    with pytest.raises(daybook.Error):
        daybook.Logger(tmp_path / "file", raise_errors=True)


READ_ONLY = """if True:
    import daybook, logging, os, sys
    logging.basicConfig(level="INFO", format="%(levelname)s %(message)s")
    store = daybook.open(sys.argv[1])
    assert store.sql("SELECT count(*) FROM events").scalar() == 1
    log = daybook.Logger(store)
    log.event("x", n=1)
    log.event("x", n=2, level="critical")
    assert log.audit.create("a", 3) is None
    log.close()"""


def test_a_store_on_a_read_only_disk(path, tmp_path):
    with daybook.open(path, create=True) as store:
        store.append({"kind": "before"})
        store.seal()
    program = ["unshare", "--user", "--map-root-user", "--mount"]
    mount = f"mount --bind {path} {path} && mount -o remount,ro,bind {path} && exec \"$@\""
    if subprocess.run([*program, "sh", "-c", mount, "sh", "true"], capture_output=True).returncode != 0:
        pytest.skip("this machine lets nobody mount")
    import conftest

    done = subprocess.run([*program, "sh", "-c", mount, "sh", conftest.sys.executable, "-c", READ_ONLY, path],
                          capture_output=True, text=True, env=conftest.environment(), timeout=60)
    assert done.returncode == 0, done.stderr
    assert '"n":1' in done.stderr and "CRITICAL" in done.stderr and "Read-only" in done.stderr


def test_what_is_recorded_after_close_goes_to_logging(path, caplog):
    log = daybook.Logger(path)
    log.close()
    log.close()
    log.event("late", level="error")
    assert "the log is closed" in caplog.text and log.closed
    assert log.audit.create("a", 1) is None
    assert log.flush()


def test_a_store_that_was_given_stays_open(empty):
    with daybook.Logger(empty) as log:
        log.event("x")
    assert empty.sql("SELECT count(*) FROM events").scalar() == 1
