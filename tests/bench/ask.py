"""Questions against DuckDB by hand, over stores of events from the demo's generator. The exit code is 1 if a promise
is not kept.

- `stats` and `facets` take at most 1.15 of the time of the same SQL in DuckDB over the same files.
- GROUP BY and a filter on a field are at least 30 times faster than in DuckDB over a column of JSON in Parquet, and
  take at most 1.15 of the time over Parquet made by hand with that column: as one file, and as a file a day.
- The newest 100 events that match, an event by its id, a session, an entity: under 50 ms in process.
- `daybook stats` as a whole process on a million events in 365 days: under 350 ms.
- The memory of an export is the same for one and for ten times as many events.

The stores, and the Parquet made by hand, are made once in the folder of `--data` and kept there.

usage: ask.py DAYBOOK ASK_TIMES [--data FOLDER] [--events N] [--rounds N]
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

import duckdb

FIELD, PATH = "user_agent", "$.user_agent"
NUMBER, NUMBER_PATH = "order_id", "$.metadata.order_id"
UNTIL = "2026-11-20"
QUERIES = {
    "group by a field": (
        f"SELECT {FIELD}, count(*) FROM events GROUP BY 1",
        f"SELECT data->>'{PATH}', count(*) FROM events GROUP BY 1",
    ),
    "filter on a field": (
        f"SELECT count(*) FROM events WHERE {NUMBER} = 1234",
        f"SELECT count(*) FROM events WHERE (data->>'{NUMBER_PATH}')::BIGINT = 1234",
    ),
}
# What is asked for inside a process, and how long it may take in milliseconds.
QUICK = [
    "newest 100, all",
    "newest 100, a kind",
    "newest 100, errors",
    "one event by event_id",
    "one event by seq",
    "one session",
    "one entity",
]
QUICK_MS, STATS_MS = 50, 350
BY_HAND, BY_JSON, MEMORY = 1.15, 30, 1.25


def made(daybook, folder, events):
    """A store with so many events."""
    store = folder / f"demo-{events // 1_000_000}m"
    if not (store / "_delta_log").exists():
        print(f"making {store}", flush=True)
        # The name says that it is whole.
        unfinished = store.with_suffix(".part")
        command = [daybook, "demo", "--events", events, "--until", UNTIL, "--store", unfinished, "-q"]
        subprocess.run([str(part) for part in command], check=True)
        unfinished.rename(store)
    return store


def by_hand(daybook, folder, store):
    """The same events in Parquet made by hand: with the columns, and with the records as JSON."""
    typed, untyped = folder / f"{store.name}-typed.parquet", folder / f"{store.name}-json.parquet"
    by_day = folder / f"{store.name}-by-day"
    if not typed.exists():
        columns = f"SELECT ts, kind, level, actor, message, {FIELD}, {NUMBER} FROM events ORDER BY ts"
        command = [daybook, "sql", columns, "--memory", "2GB", "--output", typed, "--store", store, "-q"]
        subprocess.run([str(part) for part in command], check=True)
    if not by_day.exists():
        part = by_day.with_suffix(".part")
        opened().execute(
            f"COPY (SELECT *, ts::TIMESTAMP::DATE AS day FROM read_parquet('{typed}')) TO '{part}' "
            "(FORMAT parquet, COMPRESSION zstd, PARTITION_BY (day))"
        )
        part.rename(by_day)
    if not untyped.exists():
        print(f"making {untyped}", flush=True)
        lines = folder / f"{store.name}.jsonl"
        command = [daybook, "export", lines, "--original", "--store", store, "-q"]
        subprocess.run([str(part) for part in command], check=True)
        part = untyped.with_suffix(".part")
        opened().execute(
            f"COPY (SELECT data::JSON AS data FROM read_csv('{lines}', columns={{'data': 'VARCHAR'}}, delim='\\x01', "
            f"quote='', escape='', header=false, max_line_size=67108864)) TO '{part}' (FORMAT parquet, COMPRESSION zstd)"
        )
        part.rename(untyped)
        lines.unlink()
    return typed, by_day, untyped


def files_of(store):
    """The files of the latest version, as another reader of the table finds them."""
    live = {}
    for commit in sorted((store / "_delta_log").glob("*.json")):
        for line in commit.read_text().splitlines():
            action = json.loads(line)
            if "add" in action:
                live[action["add"]["path"]] = True
            if "remove" in action:
                live.pop(action["remove"]["path"], None)
    return [str(store / path) for path in live]


def opened():
    connected = duckdb.connect()
    connected.execute("SET TimeZone = 'UTC'; SET parquet_metadata_cache = true; SET enable_progress_bar = false")
    return connected


def connection(source):
    """A DuckDB that has made up its mind about the files: what is measured are its queries."""
    connected = opened()
    connected.execute(f"CREATE VIEW events AS SELECT * REPLACE (ts::TIMESTAMP AS ts) FROM {source}")
    return connected


def with_schema(files):
    """A source of many files that says what columns there are: else each query looks into every file first."""
    found = opened().execute(f"DESCRIBE SELECT * FROM read_parquet({files!r}, union_by_name=true)").fetchall()
    columns = (f"'{name}': {{name: '{name}', type: '{kind}', default_value: NULL}}" for name, kind, *_ in found)
    return f"read_parquet({files!r}, schema=MAP {{{', '.join(columns)}}})"


def timed(rounds, ask):
    """The median time in milliseconds."""
    taken = []
    for _ in range(rounds):
        started = time.monotonic()
        ask()
        taken.append((time.monotonic() - started) * 1000)
    return sorted(taken)[len(taken) // 2]


# What a process had before it became the program counts as its own: a small one starts it.
MEASURE = """
import os, subprocess, sys, time
started = time.monotonic()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
print((time.monotonic() - started) * 1000, usage.ru_maxrss / 1024, status)
"""


def process(command):
    """Wall milliseconds and peak memory in MiB of a whole process."""
    measure = [sys.executable, "-S", "-c", MEASURE, *map(str, command)]
    told = subprocess.run(measure, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    if told[2] != "0":
        raise SystemExit(f"{command} failed: {told[2]}")
    return float(told[0]), float(told[1])


class Report:
    """Prints figures, and remembers the promises that are not kept."""

    def __init__(self):
        self.broken = []

    def line(self, name, figure, kept=None, promise=""):
        mark = "" if kept is None else ("  kept" if kept else "  NOT KEPT")
        print(f"  {name:34} {figure}{'  promised ' + promise if promise else ''}{mark}", flush=True)
        if kept is False:
            self.broken.append(f"{name}: {figure.strip()}, not {promise}")

    def at_most(self, name, ours, theirs, limit):
        ratio = ours / theirs
        self.line(name, f"{ours:8.1f} ms, DuckDB {theirs:8.1f} ms, ratio {ratio:5.2f}", ratio <= limit, f"<= {limit}")

    def at_least(self, name, ours, theirs, limit):
        ratio = theirs / ours
        self.line(name, f"{ours:8.1f} ms, DuckDB {theirs:8.1f} ms, {ratio:6.1f} times", ratio >= limit, f">= {limit}")


def analyses(report, told, rounds, source):
    connected = connection(source)
    for name in ("stats", "facets"):
        theirs = timed(rounds, lambda: [connected.execute(sql).fetchall() for sql in told["sql"][name]])
        report.at_most(f"{name}, the same SQL by hand", told["times"][name]["median_ms"], theirs, BY_HAND)


def fields(report, told, rounds, typed, by_day, untyped):
    by_hand = {"one file by hand": f"'{typed}'", "a file a day by hand": f"'{by_day}/*/*.parquet'"}
    by_hand = {name: connection(f"read_parquet({source})") for name, source in by_hand.items()}
    by_json = opened()
    by_json.execute(f"CREATE VIEW events AS SELECT * FROM read_parquet('{untyped}')")
    for name, (sql, of_json) in QUERIES.items():
        ours = told["times"][name]["median_ms"]
        for files, connected in by_hand.items():
            expected = sorted(map(str, connected.execute(sql).fetchall()))
            found = sorted(map(str, by_json.execute(of_json).fetchall()))
            assert expected == found, f"{name}: {expected[:3]} is not {found[:3]}"
            theirs = timed(rounds, lambda: connected.execute(sql).fetchall())
            report.at_most(f"{name}, {files}", ours, theirs, BY_HAND)
        theirs = timed(max(1, rounds // 3), lambda: by_json.execute(of_json).fetchall())
        report.at_least(f"{name}, JSON in Parquet", ours, theirs, BY_JSON)
        report.line(f"{name}, the first time", f"{told['times'][name]['first_ms']:8.1f} ms")


def quick(taken):
    """How long a question took, and how much our own reader read of the data files for it."""
    read = f", {taken['bytes_read'] / 1024:7.0f} KiB read" if taken["bytes_read"] else ""
    return f"{taken['median_ms']:8.1f} ms, {taken['rows']} rows{read}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("daybook")
    parser.add_argument("ask_times")
    parser.add_argument("--data", type=pathlib.Path, default=pathlib.Path("/var/tmp/daybook-bench-ask"))
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    chosen.data.mkdir(parents=True, exist_ok=True)
    small, large = (made(chosen.daybook, chosen.data, events) for events in (1_000_000, chosen.events))
    made_by_hand = by_hand(chosen.daybook, chosen.data, large)
    ours = json.loads(subprocess.run([chosen.daybook, "sql", "SELECT version() AS v", "--json", "--store", small],
                                     check=True, capture_output=True, text=True).stdout)[0]["v"]
    print(f"daybook has DuckDB {ours}, by hand it is {duckdb.__version__}; {os.cpu_count()} cores")
    if ours.lstrip("v") != duckdb.__version__:
        print("the versions differ: ratios say less")
    told = json.loads(subprocess.run([chosen.ask_times, large, str(chosen.rounds)], check=True,
                                     stdout=subprocess.PIPE, text=True).stdout)
    report = Report()
    analyses(report, told, chosen.rounds, with_schema(files_of(large)))
    fields(report, told, chosen.rounds, *made_by_hand)
    for name in QUICK:
        taken = told["times"][name]
        report.line(name, quick(taken), taken["median_ms"] < QUICK_MS, f"< {QUICK_MS} ms")
    stats = sorted(process([chosen.daybook, "stats", "--store", small])[0] for _ in range(chosen.rounds))
    middle = stats[len(stats) // 2]
    report.line("stats, whole process, 1 M events", f"{middle:8.1f} ms", middle < STATS_MS, f"< {STATS_MS} ms")
    for options in (["--format", "jsonl"], ["--original"], ["--format", "parquet"]):
        peaks = [process([chosen.daybook, "export", "-", *options, "--store", store])[1] for store in (small, large)]
        figure = f"{peaks[0]:6.0f} MiB and {peaks[1]:6.0f} MiB"
        report.line(f"export {' '.join(options)}, memory", figure, peaks[1] <= peaks[0] * MEMORY + 16, f"<= {MEMORY} times")
    for promise in report.broken:
        print(f"not kept: {promise}")
    sys.exit(bool(report.broken))


if __name__ == "__main__":
    main()
