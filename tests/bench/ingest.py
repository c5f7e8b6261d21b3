"""Ingest against DuckDB's own typed path from JSON to Parquet by day: same file, same cores, in turn.

usage: ingest.py DAYBOOK FOLDER [CORPUS]
"""
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import time

PEER = """
import duckdb, sys
source, target = sys.argv[1:3]
duckdb.sql(f'''COPY (SELECT *, CAST("{sys.argv[3]}" AS DATE) AS day FROM read_json('{source}', format='newline_delimited',
  maximum_object_size=134217728, sample_size=-1, union_by_name=true))
  TO '{target}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (day))''')
"""


def measured(command):
    """Wall and CPU seconds, peak memory in MB of one process."""
    started = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{command[0]} failed: {status}")
    return time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def size_mb(folder):
    return sum(file.stat().st_size for file in pathlib.Path(folder).rglob("*.parquet")) / 1e6


def main():
    daybook, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    corpora = pathlib.Path(__file__).resolve().parents[3] / "shared" / "corpora"
    cases = [("windows_events.jsonl.zst", "@timestamp"), ("zeek.jsonl.zst", "ts")]
    cases = [(corpora / name, time_field) for name, time_field in cases if (corpora / name).exists()]
    if not cases:
        print("skipped: the corpora are not on this machine")
        return
    for source, time_field in cases:
        rounds = int(os.environ.get("ROUNDS", "3"))
        ours, theirs = [], []
        for _ in range(rounds):
            for results, target, command in [
                (ours, folder / "ours", [daybook, "--store", folder / "ours", "ingest", "-q", source]),
                (theirs, folder / "theirs", [sys.executable, "-c", PEER, source, folder / "theirs", time_field]),
            ]:
                shutil.rmtree(target, ignore_errors=True)
                results.append((*measured([str(part) for part in command]), size_mb(target)))
        median = lambda results: [sorted(column)[len(column) // 2] for column in zip(*results)]
        print(source.name)
        for name, results in [("daybook", ours), ("duckdb typed", theirs)]:
            wall, cpu, memory, size = median(results)
            print(f"  {name:13} {wall:6.1f} s  {cpu:6.1f} s of CPU  {memory:7.0f} MB of memory  {size:6.1f} MB on disk")
        ratio = sorted(their[0] / our[0] for our, their in zip(ours, theirs))
        print(f"  daybook is {ratio[len(ratio) // 2]:.1f} times as fast ({ratio[0]:.1f} to {ratio[-1]:.1f})")


main()
