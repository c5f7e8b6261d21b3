"""Ingest against DuckDB's own typed path from JSON to Parquet by day: same file, same cores, in turn.

DuckDB is measured twice: with the types of all records, and with those of a sample, which is faster and drops
what the sample did not show.

usage: ingest.py DAYBOOK FOLDER
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
  maximum_object_size=134217728, sample_size={sys.argv[4]}, records=true, map_inference_threshold=-1,
  field_appearance_threshold=0, ignore_errors=true))
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
    for packed, time_field in cases:
        source = folder / packed.stem
        subprocess.run(["zstd", "-dqf", packed, "-o", source], check=True)
        peer = [sys.executable, "-c", PEER, source, folder / "out", time_field]
        ways = {
            "daybook": [daybook, "--store", folder / "out", "ingest", "-q", source],
            "duckdb, all types": [*peer, "-1"],
            "duckdb, sampled": [*peer, "200000"],
        }
        results = {name: [] for name in ways}
        for _ in range(int(os.environ.get("ROUNDS", "3"))):
            for name, command in ways.items():
                shutil.rmtree(folder / "out", ignore_errors=True)
                results[name].append((*measured([str(part) for part in command]), size_mb(folder / "out")))
        print(f"{source.name}, {source.stat().st_size / 1e6:.0f} MB")
        for name, runs in results.items():
            wall, cpu, memory, size = (sorted(column)[len(column) // 2] for column in zip(*runs))
            ratios = sorted(run[0] / ours[0] for run, ours in zip(runs, results["daybook"]))
            print(
                f"  {name:18} {wall:6.1f} s  {cpu:6.1f} s of CPU  {memory:7.0f} MB of memory  {size:5.1f} MB on disk"
                f"  {ratios[len(ratios) // 2]:5.1f} times daybook's time ({ratios[0]:.1f} to {ratios[-1]:.1f})"
            )
        source.unlink()

main()
