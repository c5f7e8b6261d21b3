"""Compaction and archives against their peers, over the same rows and columns. The exit code is 1 if a promise is not kept.

- Time: compaction and archiving take at most as long as DuckDB's COPY that reads the same files, sorts each day by time
  and writes zstd Parquet by day; at its usual level, and at the level of archives (19) beside it.
- Memory: under 512 MiB.
- Size: an archive is smaller than what DuckDB, Polars and chDB write of the same rows and columns at their highest
  level of zstd (22). `zstd -19` of the raw text is shown beside it. Peers read the files of our archive: they need not find types.

usage: keep.py DAYBOOK FOLDER; KEEP_INPUTS, KEEP_LINES and KEEP_SECONDS choose less
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time

CORPORA = pathlib.Path(__file__).resolve().parents[3] / "shared" / "corpora"
PARTS = 8
MEMORY_MIB = 512
# All, unless a machine is small.
LINES = int(os.environ.get("KEEP_LINES", "1000000000"))
SECONDS = int(os.environ.get("KEEP_SECONDS", "600"))
DUCKDB = """import duckdb, sys
duckdb.sql("SET threads=2; SET preserve_insertion_order=false")
duckdb.sql(f'''COPY (SELECT * FROM read_parquet('{sys.argv[1]}/day=*/*.parquet', union_by_name=true, hive_partitioning=true) ORDER BY day, ts)
  TO '{sys.argv[2]}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {sys.argv[3]}, PARTITION_BY (day))''')"""
POLARS = """import polars, sys
polars.scan_parquet(f'{sys.argv[1]}/day=*/*.parquet', missing_columns='insert', extra_columns='ignore', hive_partitioning=False,
  schema=polars.read_parquet_schema(sys.argv[4])).sort('ts').collect().write_parquet(f'{sys.argv[2]}/all.parquet',
  compression='zstd', compression_level=int(sys.argv[3]))"""
CHDB = """import chdb, sys
chdb.query(f'''SELECT * FROM file('{sys.argv[1]}/day=*/*.parquet', Parquet) ORDER BY ts INTO OUTFILE '{sys.argv[2]}/all.parquet'
  SETTINGS output_format_parquet_compression_method='zstd', output_format_compression_level={sys.argv[3]}, max_threads=2,
  schema_inference_mode='union', input_format_parquet_allow_missing_columns=1''')"""


def measured(command):
    """Wall seconds and peak memory in MiB of a process; none if it failed, or took too long."""
    started = time.monotonic()
    child = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    late = threading.Timer(SECONDS, child.kill)
    late.start()
    error = child.stderr.read().decode(errors="replace")
    _, status, usage = os.wait4(child.pid, 0)
    late.cancel()
    if status:
        print(f"  {pathlib.Path(command[0]).name} failed after {time.monotonic() - started:.0f} s: {error.strip().splitlines()[-1:]}")
        return None
    return time.monotonic() - started, usage.ru_maxrss / 1024


def size_mb(folder):
    return sum(file.stat().st_size for file in pathlib.Path(folder).rglob("*.parquet") if "day=" in str(file) or file.name == "all.parquet") / 1e6


def live_mb(daybook, store):
    done = subprocess.run([daybook, "--store", store, "info", "--json"], check=True, capture_output=True)
    return json.loads(done.stdout)["bytes"] / 1e6


def fill(daybook, packed, store):
    """Stores an input in parts, one after the other, so that each day has many files."""
    unpacked = f"zstd -dqc '{packed}' | head -n {LINES}"
    count = int(subprocess.run(f"{unpacked} | wc -l", shell=True, check=True, capture_output=True).stdout)
    for part in range(PARTS):
        first, last = count * part // PARTS + 1, count * (part + 1) // PARTS
        lines = subprocess.Popen(f"{unpacked} | sed -n '{first},{last}p;{last}q'", shell=True, stdout=subprocess.PIPE)
        subprocess.run([daybook, "--store", store, "ingest", "-q", "-", "--from", "jsonl"], stdin=lines.stdout, check=True)
        lines.wait()


class Report:
    def __init__(self):
        self.broken = []

    def line(self, name, result, size, words=""):
        wall, memory = result
        print(f"  {name:34} {wall:7.2f} s  {memory:6.0f} MiB of memory  {size:7.2f} MB  {words}", flush=True)

    def promise(self, kept, words):
        if not kept:
            self.broken.append(words)


def peers(source, folder):
    """What peers take at their highest level, over the files of a store."""
    widest = max(source.glob("day=*/*.parquet"), key=lambda file: file.stat().st_size)
    for name, script in (("DuckDB", DUCKDB), ("Polars", POLARS), ("chDB", CHDB)):
        target = folder / "peer"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        result = measured([sys.executable, "-c", script, source, target, 22, widest])
        if result is None:
            print(f"  {name}, level 22: no result")
        else:
            yield name, result, size_mb(target)
        shutil.rmtree(target, ignore_errors=True)


def compare(daybook, folder, packed, report):
    store, copy, archive, out = (folder / name for name in ("store", "copy", "archive", "out"))
    for place in (store, copy, archive, out):
        shutil.rmtree(place, ignore_errors=True)
    fill(daybook, packed, store)
    files = len(list(store.glob("day=*/*.parquet")))
    shutil.copytree(store, copy)
    raw = subprocess.run(f"zstd -dqc '{packed}' | head -n {LINES} | zstd -19 -T2 -q -c | wc -c", shell=True, check=True, capture_output=True)
    raw_mb = int(raw.stdout) / 1e6
    print(f"{packed.stem}: {files} files with {size_mb(store):.2f} MB; the raw text is {raw_mb:.2f} MB as zstd -19", flush=True)
    times = {}
    for name, level in (("DuckDB COPY, its usual level", 3), ("DuckDB COPY, level 19", 19)):
        out.mkdir()
        times[level] = measured([sys.executable, "-c", DUCKDB, copy, out, level])
        report.line(name, times[level], size_mb(out))
        shutil.rmtree(out)
    compacted = measured([daybook, "--store", store, "compact", "-q"])
    report.line("daybook compact", compacted, live_mb(daybook, store), f"{times[3][0] / compacted[0]:.2f} times as fast as DuckDB")
    archived = measured([daybook, "--store", copy, "archive", "--before", time.strftime("%Y-%m-%d", time.gmtime()), "--to", archive, "-q"])
    size = live_mb(daybook, archive)
    report.line("daybook archive, with reading back", archived, size, f"{times[3][0] / archived[0]:.2f} times as fast, {times[19][0] / archived[0]:.2f} at level 19")
    report.promise(compacted[0] <= times[3][0], f"{packed.stem}: compaction takes {compacted[0] / times[3][0]:.2f} of DuckDB's time")
    report.promise(archived[0] <= times[3][0], f"{packed.stem}: archiving takes {archived[0] / times[3][0]:.2f} of DuckDB's time at its usual level")
    report.promise(archived[0] <= times[19][0], f"{packed.stem}: archiving takes {archived[0] / times[19][0]:.2f} of DuckDB's time at level 19")
    for what, (_, memory) in (("compaction", compacted), ("archiving", archived)):
        report.promise(memory < MEMORY_MIB, f"{packed.stem}: {what} took {memory:.0f} MiB")
    for name, result, of_peer in peers(archive, folder):
        report.line(f"{name}, level 22", result, of_peer, f"the archive is {size / of_peer:.2f} of it")
        report.promise(size < of_peer, f"{packed.stem}: the archive is {size / of_peer:.2f} of what {name} writes")
    print(f"  the archive is {size / raw_mb:.2f} of zstd -19 of the raw text")
    expired = measured([daybook, "--store", store, "expire", "-q", "--older-than", "1d", "--dry-run"])
    if expired:
        report.line("daybook expire of all, dry run", expired, live_mb(daybook, store))
    for place in (store, copy, archive):
        shutil.rmtree(place, ignore_errors=True)


def main():
    daybook, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    names = os.environ.get("KEEP_INPUTS", "zeek.jsonl.zst windows_events.jsonl.zst").split()
    inputs = [CORPORA / name for name in names if (CORPORA / name).exists()]
    if not inputs:
        print("skipped: the corpora are not on this machine")
        return
    report = Report()
    for packed in inputs:
        compare(daybook, folder, packed, report)
    for promise in report.broken:
        print(f"not kept: {promise}")
    sys.exit(bool(report.broken))


main()
