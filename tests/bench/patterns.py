"""Patterns of many events: the time and the memory of each question as a whole process. The exit code is 1 if a
promise is not kept, over 10 million events: templates with exact counts in a second; sequences, bursts and rhythms
together in 10 seconds, each in 1 GiB.

Other work on the machine counts as time, so that the time of the processors is printed, too. A store of fewer events is
held against its share of the time, which is said.

usage: patterns.py DAYBOOK FOLDER [STORE]
"""
import json
import os
import subprocess
import sys
import time

EVENTS = 10_000_000
ROUNDS = 3
MEMORY = 1 << 30
SECONDS = {"templates": 1, "together": 10}
QUESTIONS = ["templates", "sequences", "bursts", "rhythms", "changes", "actors", ""]


def measured(command):
    """Seconds, seconds of the processors, and the most memory of a process; and what it printed."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, out


def is_late(name, seconds, events):
    """Whether a promise of seconds is not kept, over so many events."""
    return name in SECONDS and seconds * max(1, EVENTS / max(events, 1)) >= SECONDS[name]


def main():
    daybook, folder = sys.argv[1:3]
    store = sys.argv[3] if len(sys.argv) > 3 else os.path.join(folder, "demo")
    if len(sys.argv) <= 3:
        subprocess.run([daybook, "demo", "--events", str(EVENTS), "--store", store, "-q"], check=True)
    events = json.loads(measured([daybook, "info", "--json", "--store", store])[-1])["events"]
    print(f"{events:,} events" + ("" if events >= EVENTS else ": fewer than promised for; times are scaled, which is only a hint"))
    listed = json.loads(measured([daybook, "patterns", "templates", "--json", "--store", store])[-1])
    assert listed["events"] + listed["without"] == events, "counts sum to the number of events"
    questions = [[name] if name else [] for name in QUESTIONS]
    questions.insert(1, ["templates", "--template", listed["templates"][0]["id"]])
    broken, together = [], 0
    for words in questions:
        command = [daybook, "patterns", *words, "--json", "--store", store]
        runs = sorted(measured(command)[:3] for _ in range(ROUNDS))
        seconds, memory = runs[len(runs) // 2][0], max(run[2] for run in runs)
        name = " ".join(words[:2]) or "summary"
        print(f"  {name:<22} {seconds:6.2f} s  {min(run[1] for run in runs):6.2f} s of processors  {memory / 2**20:5.0f} MiB")
        is_bounded = name in ("sequences", "bursts", "rhythms")
        together += seconds if is_bounded else 0
        if is_late(name, seconds, events) or (is_bounded or name in SECONDS) and memory >= MEMORY:
            broken.append(name)
    print(f"sequences, bursts and rhythms together: {together:.2f} s")
    if is_late("together", together, events):
        broken.append("together")
    print("not kept: " + ", ".join(broken) if broken else "kept")
    sys.exit(1 if broken else 0)


main()
