"""Patterns of many events: the time and the memory of each question as a whole process. The exit code is 1 if a
promise is not kept: sequences, bursts and rhythms of 10 million events together in 10 seconds, each in 1 GiB.

A store of fewer events is held against its share of the time, which is said.

usage: patterns.py DAYBOOK FOLDER [STORE]
"""
import json
import os
import subprocess
import sys
import time

EVENTS = 10_000_000
SECONDS, MEMORY = 10, 1 << 30
QUESTIONS = ["sequences", "bursts", "rhythms", "changes", "actors", "templates", ""]


def measured(command):
    """Seconds and the most memory of a process, and what it printed."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, command
    return time.monotonic() - started, usage.ru_maxrss * 1024, out


def main():
    daybook, folder = sys.argv[1:3]
    store = sys.argv[3] if len(sys.argv) > 3 else os.path.join(folder, "demo")
    if len(sys.argv) <= 3:
        subprocess.run([daybook, "demo", "--store", store, "-q"], check=True)
    events = json.loads(measured([daybook, "info", "--json", "--store", store])[2])["events"]
    print(f"{events:,} events" + ("" if events >= EVENTS else ": fewer than promised for; times are scaled, which is only a hint"))
    total, most = 0, 0
    for question in QUESTIONS:
        command = [daybook, "patterns", *([question] if question else []), "--json", "--store", store]
        runs = sorted(measured(command)[:2] for _ in range(3))
        seconds, memory = runs[1][0], max(run[1] for run in runs)
        print(f"  {question or 'summary':<10} {seconds:6.2f} s  {memory / 2**20:5.0f} MiB")
        if question in ("sequences", "bursts", "rhythms"):
            total, most = total + seconds, max(most, memory)
    scaled = total * max(1, EVENTS / max(events, 1))
    kept = scaled < SECONDS and most < MEMORY
    print(f"sequences, bursts and rhythms: {total:.2f} s ({scaled:.1f} s for {EVENTS:,}), {most / 2**20:.0f} MiB: {'kept' if kept else 'NOT KEPT'}")
    sys.exit(0 if kept else 1)


main()
