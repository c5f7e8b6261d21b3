"""What proof costs: verification against `sha256sum` over the same files, and what hashing takes of ingest. The exit code
is 1 if a promise is not kept: `verify` reads as fast as 0.8 of `sha256sum`; hashing of files takes less than 5 %, of rows
less than 10 %, encryption less than 15 %, of the time of processors of an ingest, and one with a key at most 15 % more than
one without; `verify --deep` and `proof --event` stay in 512 MiB.

usage: trust.py DAYBOOK HASH_COSTS FOLDER [LOG.jsonl]
"""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROUNDS = 5
EVENTS = 5_000_000
MEMORY = 512 << 20


def measured(command, **options):
    """Seconds, seconds of the processors, the most memory, and what was printed."""
    started = time.monotonic()
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **options)
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, out


def files_of(store):
    return sorted(path for path in pathlib.Path(store).rglob("*.parquet") if "_delta_log" not in path.parts and "_index" not in path.parts)


def median(runs, place=0):
    return statistics.median(run[place] for run in runs)


def main():
    daybook, costs, folder = sys.argv[1:4]
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    broken = []

    def promise(name, kept):
        if not kept:
            broken.append(name)

    store = folder / "demo"
    if not store.exists():
        subprocess.run([daybook, "demo", "--events", str(EVENTS), "--store", store, "-q"], check=True)
    files = files_of(store)
    size = sum(path.stat().st_size for path in files)
    # As many at once as there are cores, as verify does.
    sums = ["xargs", "-0", "-n", "8", "-P", str(os.cpu_count()), "sha256sum"]
    names = folder / "names"
    names.write_bytes(b"\0".join(bytes(path) for path in files))
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(measured([daybook, "verify", "--store", store, "-q"]))
        with names.open("rb") as stdin:
            theirs.append(measured(sums, stdin=stdin))
    ratio = median(theirs) / median(ours)
    print(f"verify: {len(files)} files, {size / 1e6:.0f} MB in {median(ours):.3f} s, {size / median(ours) / 1e6:.0f} MB/s; sha256sum {median(theirs):.3f} s: {ratio:.2f} of its speed")
    promise("verify", ratio >= 0.8)
    deep = measured([daybook, "verify", "--deep", "--store", store, "--json"])
    rows = json.loads(deep[3])["rows_hashed"]
    print(f"verify --deep: {rows:,} rows in {deep[0]:.2f} s, {rows / deep[0]:,.0f} a second, {deep[2] / 2**20:.0f} MiB")
    promise("memory of verify --deep", deep[2] < MEMORY)
    seq = json.loads(measured([daybook, "sql", "SELECT max(seq) AS seq FROM events", "--json", "--store", store])[3])[0]["seq"]
    proof = measured([daybook, "proof", "--event", seq, "--store", store])
    (folder / "proof.json").write_bytes(proof[3])
    check = measured([daybook, "verify", "--proof", folder / "proof.json"])
    print(f"proof of an event: {proof[0] * 1e3:.0f} ms, {len(proof[3]) / 1e3:.0f} kB, {proof[2] / 2**20:.0f} MiB; checked in {check[0] * 1e3:.0f} ms")
    promise("memory of proof", proof[2] < MEMORY)

    log = pathlib.Path(sys.argv[4]) if len(sys.argv) > 4 else folder / "log.jsonl"
    if not log.exists():
        subprocess.run([daybook, "export", log, "last:60d", "--format", "jsonl", "--original", "--store", store, "-q"], check=True)
    key = {**os.environ, "DAYBOOK_KEY": "1a" * 32}
    runs, encrypted, sizes = [], [], []
    for number in range(ROUNDS):
        for environment, into in ((dict(os.environ), runs), (key, encrypted)):
            target = folder / f"ingested-{number}"
            into.append(measured([daybook, "ingest", log, "--store", target, "-q"], env=environment))
            sizes.append(sum(path.stat().st_size for path in files_of(target)))
            events = json.loads(measured([daybook, "info", "--json", "--store", target], env=environment)[3])["events"]
            subprocess.run(["rm", "-rf", target], check=True)
    written = sizes[-2]
    alone = [json.loads(measured([costs, events, log.stat().st_size, written])[3]) for _ in range(ROUNDS)]
    processors = median(runs, 1)
    print(f"ingest of {events:,} events ({log.stat().st_size / 1e6:.0f} MB): {median(runs):.2f} s, {processors:.2f} s of processors")
    for name, what, most in (("files", "hashing of files", 0.05), ("rows", "hashing of rows", 0.10), ("encryption", "encryption", 0.15)):
        seconds = statistics.median(run[name] for run in alone)
        print(f"  {what}: {seconds:.3f} s, {seconds / processors:.1%} of it")
        promise(what, seconds < most * processors)
    more = median(encrypted, 1) / processors
    print(f"  with a key: {median(encrypted):.2f} s, {median(encrypted, 1):.2f} s of processors, {more:.2f} of it (there is no index); {sizes[-1] / sizes[-2]:.2f} of the size")
    promise("ingest with a key", more < 1.15)
    print("not kept: " + ", ".join(broken) if broken else "kept")
    sys.exit(1 if broken else 0)


main()
