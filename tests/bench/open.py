"""A store of 2,000 commits and 400 days: the time of a whole process that opens it and asks about one day.

usage: open.py DAYBOOK FOLDER
"""
import datetime
import json
import pathlib
import subprocess
import sys
import time

QUERY = "SELECT kind, count(*) AS n FROM events WHERE ts >= TIMESTAMP '2025-06-01' AND ts < TIMESTAMP '2025-06-02' GROUP BY kind"


def main():
    daybook, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    inputs, store = folder / "inputs", folder / "many"
    inputs.mkdir(parents=True, exist_ok=True)
    start = datetime.datetime(2025, 1, 1)
    files = []
    for commit in range(1600):
        moment = start + datetime.timedelta(days=commit % 400, minutes=commit // 400)
        lines = [
            json.dumps({"timestamp": moment.isoformat() + "Z", "kind": f"k{n % 3}", "message": f"event {commit}-{n}", "n": n})
            for n in range(20)
        ]
        path = inputs / f"{commit}.jsonl"
        path.write_text("\n".join(lines) + "\n")
        files.append(str(path))
    run = lambda *words: subprocess.run([daybook, "--store", str(store), *words], check=True, capture_output=True, text=True).stdout
    run("ingest", "-q", *files)
    run("compact", "-q")
    info = json.loads(run("info", "--json"))
    times = []
    for _ in range(15):
        started = time.monotonic()
        answer = json.loads(run("sql", QUERY, "--json"))
        times.append(time.monotonic() - started)
    assert sum(row["n"] for row in answer) == 80, answer
    times.sort()
    print(f"version {info['version']}, {info['days']} days, {info['files']} files: one day's query as a whole process")
    print(f"  median {times[len(times) // 2] * 1000:.0f} ms, fastest {times[0] * 1000:.0f} ms, slowest {times[-1] * 1000:.0f} ms")


main()
