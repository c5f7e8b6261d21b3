"""Runs the program under test and its checks; for the scripts under `tests`."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = Path(os.environ.get("DAYBOOK_PROGRAM", ROOT / "target/release/daybook"))


class Done:
    """How a run of the program ended."""

    def __init__(self, arguments, process):
        self.arguments = arguments
        self.code = process.returncode
        self.bytes = process.stdout
        self.out = process.stdout.decode(errors="surrogateescape")
        self.err = process.stderr.decode()

    def __repr__(self):
        return f"`daybook {' '.join(self.arguments)}` gave {self.code}\nout: {self.out[:2000]}\nerr: {self.err[:2000]}"

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def lines(self):
        return self.out.splitlines()


def environment(**variables):
    """The environment of the program: nothing of the user's that it listens to."""
    kept = {name: value for name, value in os.environ.items() if name not in ("DAYBOOK_STORE", "NO_COLOR", "CI")}
    return {**kept, **variables}


def daybook(*arguments, code=0, stdin=b"", cwd=None, **variables):
    """Runs the program to its end, which must be with this exit code."""
    arguments = [str(argument) for argument in arguments]
    process = subprocess.run(
        [PROGRAM, *arguments], input=stdin, capture_output=True, cwd=cwd, env=environment(**variables), timeout=600
    )
    done = Done(arguments, process)
    assert done.code == code, f"expected exit code {code}: {done}"
    return done


def start(*arguments, **options):
    """Starts the program with pipes."""
    streams = {name: subprocess.PIPE for name in ("stdin", "stdout", "stderr")}
    return subprocess.Popen([PROGRAM, *map(str, arguments)], env=environment(), **{**streams, **options})


def sql(store, query, *options):
    """The rows of a query."""
    return daybook("sql", query, "--store", store, "--json", *options).json


def equal(found, expected, what=""):
    assert found == expected, f"{what}\nexpected {expected!r}\nfound    {found!r}"


def run_checks(checks):
    """Runs each check in a folder of its own, says how it went, and ends the script. Arguments choose checks."""
    if not PROGRAM.exists():
        sys.exit(f"there is no `{PROGRAM}`: run `cargo build --release`")
    chosen = [check for check in checks if not sys.argv[1:] or any(word in check.__name__ for word in sys.argv[1:])]
    failed = 0
    for check in chosen:
        folder = Path(tempfile.mkdtemp(prefix="daybook-test-"))
        started = time.monotonic()
        try:
            check(folder)
            result = "ok"
        except Exception:
            failed += 1
            result = "FAILED\n" + traceback.format_exc()
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        name = check.__name__.replace("_", " ")
        print(f"{time.monotonic() - started:7.2f} s  {name}: {result}", flush=True)
    print(f"{len(chosen) - failed} checks passed, {failed} failed")
    sys.exit(1 if failed or not chosen else 0)
