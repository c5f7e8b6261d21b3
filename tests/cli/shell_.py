"""`daybook shell`: without a terminal, and on one."""

import os
import pty
import re
import select
import signal
import stat
import subprocess
import time

from harness import PROGRAM, daybook, environment, equal

LONG = "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b;"


class Terminal:
    """The shell on a terminal of 100 columns, and what it has shown."""

    def __init__(self, store, home, *arguments):
        pid, self.master = pty.fork()
        if pid == 0:
            variables = environment(TERM="xterm", HOME=str(home), COLUMNS="100")
            variables.pop("XDG_STATE_HOME", None)
            os.execve(PROGRAM, [str(PROGRAM), "shell", "--store", str(store), *arguments], variables)
        self.pid, self.shown = pid, ""

    def wait_for(self, pattern, seconds=60):
        """Reads until the pattern is there; gives what was shown up to it, and forgets that."""
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, self.shown)):
            ready, _, _ = select.select([self.master], [], [], max(0, end - time.monotonic()))
            assert ready, f"no {pattern!r} in {self.shown!r}"
            try:
                read = os.read(self.master, 65536)
            except OSError:
                read = b""
            assert read, f"it ended without {pattern!r}: {self.shown!r}"
            self.shown += read.decode(errors="replace")
        before, self.shown = self.shown[: found.end()], self.shown[found.end() :]
        return before

    def type(self, text):
        os.write(self.master, text.encode())

    def ask(self, text, pattern):
        self.wait_for("daybook> ")
        self.type(text)
        return self.wait_for(pattern)

    def end(self):
        """The exit code."""
        try:
            while os.read(self.master, 65536):
                pass
        except OSError:
            pass
        os.close(self.master)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def statements_come_from_standard_input(folder):
    store = folder / "s"
    daybook("log", "deploy", "it's live; really", "--store", store)
    lines = b"""SELECT kind,
  message -- ; a comment
FROM events; SELECT 'a;b' AS t;
.mode csv
SELECT 1 AS n
"""
    done = daybook("shell", "--format", "jsonl", "--store", store, stdin=lines)
    equal(done.lines, ['{"kind":"deploy","message":"it\'s live; really"}', '{"t":"a;b"}', "n", "1"])
    equal(daybook("shell", "--store", store, stdin=b"").out, "")


def the_first_failure_ends_it_unless_it_is_to_go_on(folder):
    store = folder / "s"
    daybook("log", "a", "b", "--store", store)
    lines = b"SELECT knd FROM events; SELECT 2 AS n;"
    done = daybook("shell", "--store", store, "--json", stdin=lines, code=2)
    assert "knd" in done.err and "did you mean `kind`" in done.err and not done.out, done
    done = daybook("shell", "--store", store, "--json", "--keep-going", stdin=lines, code=1)
    equal(done.lines, ['{"n":2}'])
    assert "knd" in done.err, done
    done = daybook("shell", "--store", store, stdin=b".nonsense\n", code=2)
    assert ".help" in done.err, done


def each_statement_sees_new_events(folder):
    store = folder / "s"
    daybook("log", "a", "b", "--store", store)
    process = subprocess.Popen(
        [PROGRAM, "shell", "--json", "--store", store], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()
    )
    for count in (1, 2):
        process.stdin.write(b"SELECT count(*) AS n FROM events;\n")
        process.stdin.flush()
        equal(process.stdout.readline(), b'{"n":%d}\n' % count)
        daybook("log", "a", "b", "--store", store)
    process.stdin.close()
    equal(process.wait(timeout=60), 0)


def on_a_terminal_one_asks_edits_and_leaves(folder):
    store = folder / "s"
    daybook("log", "deploy", "live\x1b]0;owned\x07", "--store", store)
    shell = Terminal(store, folder)
    answer = shell.ask("SELECT kind,\rmessage FROM events;\r", r"\\u0007")
    assert "\x1b]0;" not in answer and "deploy" in answer, answer
    shell.ask(".timer on\r", "\n")
    shell.ask("SELECT 42 AS n;\r", r"1 row in ")
    shell.ask(".tables\r", "quarantine")
    shell.ask(".schema\r", "duration_ms")
    shell.ask(".search kind:deploy last:1h\r", r"1 row in ")
    error = shell.ask("SELECT knd FROM events;\r", "did you mean `kind`")
    assert "error" in error, error
    shell.ask("\x04", "")
    equal(shell.end(), 0)


def tab_completes_columns_values_and_commands(folder):
    store = folder / "s"
    daybook("log", "deployment", "b", "--store", store)
    shell = Terminal(store, folder)
    shell.ask("SELECT durati\t", "duration_ms")
    shell.type(", count(*) FROM ev\t")
    shell.wait_for("events")
    shell.type(" WHERE kind = 'dep\t")
    shell.wait_for("deployment'")
    shell.type(" GROUP BY 1;\r")
    shell.wait_for("∅")
    shell.ask(".qu\t\r", "")
    equal(shell.end(), 0)


def ctrl_c_stops_a_query_or_clears_the_line(folder):
    store = folder / "s"
    daybook("log", "a", "b", "--store", store)
    shell = Terminal(store, folder)
    shell.ask(LONG + "\r", "\n")
    time.sleep(0.5)
    started = time.monotonic()
    shell.type("\x03")
    shell.wait_for("interrupted")
    assert time.monotonic() - started < 10
    shell.ask("SELECT nonsense\x03", r"\n")
    shell.ask("SELECT 6 * 7 AS answer;\r", "42")
    shell.ask("\x04", "")
    equal(shell.end(), 0)


def the_history_is_kept_for_the_user_alone(folder):
    store = folder / "s"
    daybook("log", "a", "b", "--store", store)
    shell = Terminal(store, folder)
    shell.ask("SELECT 'first' AS remembered;\r", "first")
    shell.ask("\x04", "")
    equal(shell.end(), 0)
    file = folder / ".local/state/daybook/history"
    equal(stat.S_IMODE(file.stat().st_mode), 0o600)
    equal(stat.S_IMODE(file.parent.stat().st_mode), 0o700)
    assert "remembered" in file.read_text(), file.read_text()
    shell = Terminal(store, folder)
    shell.ask("\x1b[A", "remembered")
    shell.type("\r")
    shell.wait_for("first")
    shell.ask(".quit\r", "")
    equal(shell.end(), 0)


def interrupting_statements_of_standard_input(folder):
    store = folder / "s"
    daybook("log", "a", "b", "--store", store)
    process = subprocess.Popen(
        [PROGRAM, "shell", "--store", store], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()
    )
    process.stdin.write(b"SELECT 1 AS begun;\n" + LONG.encode() + b"\n")
    process.stdin.flush()
    assert b"begun" in process.stdout.readline()
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    equal(process.wait(timeout=20), 130)
    process.stdin.close()


CHECKS = [
    statements_come_from_standard_input,
    the_first_failure_ends_it_unless_it_is_to_go_on,
    each_statement_sees_new_events,
    on_a_terminal_one_asks_edits_and_leaves,
    tab_completes_columns_values_and_commands,
    ctrl_c_stops_a_query_or_clears_the_line,
    the_history_is_kept_for_the_user_alone,
    interrupting_statements_of_standard_input,
]
