"""`daybook ingest` stays under its bound of memory, whatever the input is like.

A short form runs with the other checks. `DAYBOOK_MEMORY=long` makes the inputs as large as the bound is about.
"""

import json
import os
import random
import subprocess
import sys

from harness import PROGRAM, environment, equal

LONG = os.environ.get("DAYBOOK_MEMORY") == "long"
# What no input may need more of, in bytes.
MOST = 512 << 20
DAY = 86_400
NEW_YEAR_2025 = 1_735_689_600


# Starts a program from a small process: what a process had before it became the program counts as its own.
MEASURE = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[2:], stdin=subprocess.DEVNULL).returncode
open(sys.argv[1], "w").write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)
"""


def ingest(folder, name):
    """The receipt of a file, and the most memory that its ingest took."""
    command = [PROGRAM, "ingest", folder / name, "--store", folder / "store", "--json"]
    measure = [sys.executable, "-S", "-c", MEASURE, folder / "peak", *command]
    done = subprocess.run(measure, capture_output=True, env=environment(), timeout=3600)
    equal(done.returncode, 0, done.stderr.decode())
    peak = int((folder / "peak").read_text()) * 1024
    print(f"           {name}: {(folder / name).stat().st_size >> 20} MiB, peak {peak >> 20} MiB", flush=True)
    return json.loads(done.stdout), peak


def check(folder, name, lines, **expected):
    """Ingests lines, which must take no more than the bound."""
    count = 0
    with (folder / name).open("wb") as file:
        for line in lines:
            file.write(line)
            count += 1
    receipt, peak = ingest(folder, name)
    expected = {"records": count, "stored": count, **expected}
    equal({key: receipt[key] for key in expected}, expected)
    assert peak < MOST, f"{name}: {peak >> 20} MiB"


def line(number, **fields):
    return json.dumps({"ts": NEW_YEAR_2025 + number, "kind": "test", **fields}).encode() + b"\n"


def a_long_line_in_a_large_file(folder):
    numbers = random.Random(1)
    count = 1_000_000 if LONG else 100_000
    long = line(0, note="x" * (31 << 20))

    def lines():
        for number in range(count):
            if number == count // 2:
                yield long
            yield line(number, user=numbers.randrange(1 << 40), text=f"{numbers.getrandbits(800):x}")

    check(folder, "long-line.jsonl", lines())


def many_long_lines(folder):
    numbers = random.Random(5)
    lines = (line(number, note=f"{numbers.getrandbits(8 << 20):x}" * 8) for number in range(30 if LONG else 8))
    check(folder, "long-lines.jsonl", lines)


def four_hundred_days(folder):
    numbers = random.Random(2)
    count = 2_000_000 if LONG else 50_000
    times = (numbers.randrange(400 * DAY) for _ in range(count))
    check(folder, "days.jsonl", (line(time, user=time % 977, text=f"{time * 7919:x}") for time in times))


def a_hundred_thousand_keys(folder):
    keys = 100_000 if LONG else 30_000
    check(folder, "keys.jsonl", (line(number, **{f"key_{number}": number, f"k{number % 97}": "x"}) for number in range(keys)))


def ten_thousand_columns(folder):
    columns = 10_000 if LONG else 3_000
    records = 400 if LONG else 60

    def lines():
        for number in range(records):
            yield line(number, **{f"column_{column}": column * number for column in range(columns)})

    check(folder, "columns.jsonl", lines())


def a_line_without_an_end(folder):
    size = (1 << 30) if LONG else (200 << 20)
    piece = b"x" * (1 << 20)
    with (folder / "endless.jsonl").open("wb") as file:
        for _ in range(size >> 20):
            file.write(piece)
    receipt, peak = ingest(folder, "endless.jsonl")
    equal([receipt["records"], receipt["stored"], receipt["quarantined"]], [1, 0, 1])
    assert peak < MOST, f"{peak >> 20} MiB"


CHECKS = [
    a_long_line_in_a_large_file,
    many_long_lines,
    four_hundred_days,
    a_hundred_thousand_keys,
    ten_thousand_columns,
    a_line_without_an_end,
]
