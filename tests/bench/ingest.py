"""Ingest against its peers: same file, same cores, in turn. The exit code is 1 if a promise is not kept.

- Time: JSON into typed columns by day at three times the speed of DuckDB with the types of all records, and faster
  than chDB, which writes one file. DuckDB with the types of a sample is shown too: it drops what the sample lacked.
- Size: at most 0.8 of DuckDB's typed Parquet; memory: under 512 MiB. `zstd -10` of the raw text is shown beside it.
- Where the time goes: CPU seconds of the threads that read, of those that parse, and of those that encode.

usage: ingest.py DAYBOOK FOLDER
"""
import collections
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time

CORPORA = pathlib.Path(__file__).resolve().parents[3] / "shared" / "corpora"
COPY = "TO '{target}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (day))"
JSON = """SELECT *, CAST("{time}" AS DATE) AS day FROM read_json('{source}', format='newline_delimited',
  maximum_object_size=134217728, sample_size={sample}, records=true, map_inference_threshold=-1,
  field_appearance_threshold=0, ignore_errors=true)"""
# What there is in a line of the combined format, as types.
ACCESS = r"""SELECT m.client, nullif(m.ident, '-') AS ident, nullif(m.auth, '-') AS auth,
  strptime(m.ts, '%d/%b/%Y:%H:%M:%S %z') AS ts, m.method, m.path, m.protocol, CAST(m.status AS SMALLINT) AS status,
  TRY_CAST(m.bytes AS BIGINT) AS bytes, m.referrer, m.agent, CAST(strptime(m.ts, '%d/%b/%Y:%H:%M:%S %z') AS DATE) AS day
  FROM (SELECT regexp_extract(line, '^(\S+) (\S+) (\S+) \[([^\]]+)\] "(\S+) (\S+) (\S+)" (\d+) (\S+) "([^"]*)" "([^"]*)"',
    ['client','ident','auth','ts','method','path','protocol','status','bytes','referrer','agent']) AS m
    FROM read_csv('{source}', columns={{'line': 'VARCHAR'}}, delim='\x01', quote='', escape='', header=false))
  WHERE m.ts <> ''"""
CHDB = """import chdb, sys
chdb.query(f'''SELECT * FROM file('{sys.argv[1]}', JSONEachRow) INTO OUTFILE '{sys.argv[2]}/all.parquet'
  SETTINGS input_format_allow_errors_ratio=1, input_format_skip_unknown_fields=1,
  output_format_parquet_compression_method='zstd', max_threads=2''')"""


def measured(command, watch=False):
    """Wall seconds, CPU seconds, peak memory in MiB of one process, and CPU seconds by the names of its threads."""
    started = time.monotonic()
    child = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL)
    threads, done = {}, threading.Event()
    watcher = threading.Thread(target=look_at_threads, args=(child.pid, threads, done))
    if watch:
        watcher.start()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - started
    done.set()
    if status:
        raise SystemExit(f"{command[0]} failed: {status}")
    total = usage.ru_utime + usage.ru_stime
    return wall, total, usage.ru_maxrss / 1024, by_stage(threads, total)


def look_at_threads(pid, threads, done):
    """Notes, for each thread, its name and how long it ran so far, until it is `done`."""
    ticks = os.sysconf("SC_CLK_TCK")
    while not done.wait(0.02):
        for task in pathlib.Path(f"/proc/{pid}/task").glob("*/stat"):
            try:
                name, _, rest = task.read_text().partition("(")[2].rpartition(")")
            except OSError:
                continue
            fields = rest.split()
            threads[task.parent.name] = (name, (int(fields[11]) + int(fields[12])) / ticks)


def by_stage(threads, total):
    stages = collections.Counter()
    for name, seconds in threads.values():
        if name in ("read", "parse"):
            stages[name] += seconds
    stages["encode, commit"] = total - sum(stages.values())
    return dict(stages)


def size_mb(folder):
    return sum(file.stat().st_size for file in pathlib.Path(folder).rglob("*.parquet")) / 1e6


def duckdb(query, source, target, **values):
    query = query.format(source=source, **values) if "{source}" in query else query
    return [sys.executable, "-c", "import duckdb, sys; duckdb.sql(sys.argv[1])", f"COPY ({query}) " + COPY.format(target=target)]


def peers(name, source, target):
    """The peers of an input, and how many times slower than us each must be."""
    if name.startswith("apache"):
        return {"duckdb, typed": (duckdb(ACCESS, source, target), 0)}
    field = "ts" if name.startswith("zeek") else "@timestamp"
    return {
        "duckdb, all types": (duckdb(JSON, source, target, time=field, sample=-1), 3),
        "duckdb, sampled": (duckdb(JSON, source, target, time=field, sample=200000), 0),
        "chdb, one file": ([sys.executable, "-c", CHDB, source, target], 1),
    }


def compare(daybook, folder, packed):
    """Runs all ways with one input, prints what they took, and gives the promises that were not kept."""
    source, target = folder / packed.stem, folder / "out"
    subprocess.run(["zstd", "-dqf", packed, "-o", source], check=True)
    others = peers(packed.name, source, target)
    ways = {"daybook": [daybook, "--store", target, "ingest", "-q", source]}
    ways |= {name: command for name, (command, _) in others.items()}
    runs = {name: [] for name in ways}
    for _ in range(int(os.environ.get("ROUNDS", "3"))):
        for name, command in ways.items():
            shutil.rmtree(target, ignore_errors=True)
            if name != "daybook":
                target.mkdir()
            runs[name].append((*measured(command, watch=name == "daybook"), size_mb(target)))
    shutil.rmtree(target, ignore_errors=True)
    raw = subprocess.run(["zstd", "-10", "-q", "-c", source], check=True, capture_output=True).stdout
    print(f"{source.name}, {source.stat().st_size / 1e6:.0f} MB, {len(raw) / 1e6:.2f} MB as zstd -10")
    broken, sizes = [], {}
    for name, of_way in runs.items():
        wall, cpu, memory, size = (sorted(run[part] for run in of_way)[len(of_way) // 2] for part in (0, 1, 2, 4))
        ratios = sorted(run[0] / ours[0] for run, ours in zip(of_way, runs["daybook"]))
        ratio, sizes[name] = ratios[len(ratios) // 2], size
        print(
            f"  {name:18} {wall:6.2f} s  {cpu:6.1f} s of CPU  {memory:6.0f} MiB of memory  {size:6.2f} MB on disk"
            f"  {ratio:5.1f} times daybook's time ({ratios[0]:.1f} to {ratios[-1]:.1f})"
        )
        if name in others and ratio < others[name][1]:
            broken.append(f"{source.name}: {name} takes {ratio:.2f} times our time, not {others[name][1]}")
        if name == "daybook" and memory >= 512:
            broken.append(f"{source.name}: {memory:.0f} MiB of memory")
    stages = runs["daybook"][0][3]
    print("  CPU seconds: " + ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in stages.items()))
    typed = next(size for name, size in sizes.items() if name.startswith("duckdb"))
    print(f"  size: {sizes['daybook'] / typed:.2f} of DuckDB's, {sizes['daybook'] * 1e6 / len(raw):.2f} of zstd -10")
    if sizes["daybook"] > 0.8 * typed:
        broken.append(f"{source.name}: {sizes['daybook'] / typed:.2f} of DuckDB's size")
    source.unlink()
    return broken


def main():
    daybook, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    names = ("windows_events.jsonl.zst", "zeek.jsonl.zst", "apache_combined.log.zst")
    inputs = [CORPORA / name for name in names if (CORPORA / name).exists()]
    if not inputs:
        print("skipped: the corpora are not on this machine")
        return
    broken = [promise for packed in inputs for promise in compare(daybook, folder, packed)]
    for promise in broken:
        print(f"not kept: {promise}")
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
