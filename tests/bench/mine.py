"""Templates of messages: accuracy on labelled systems, messages a second, and memory.

usage: mine.py DAYBOOK FOLDER

The labelled systems are in ../shared/templates beside the checkout, or where DAYBOOK_TEMPLATES says; each is a folder
with `messages.txt` and `truth.csv`. They are not part of Daybook, and without them there is nothing to measure.
"""
import csv
import importlib.util
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LABELLED = pathlib.Path(os.environ.get("DAYBOOK_TEMPLATES", ROOT.parent / "shared/templates"))
REPEATED = 100
# What is promised, as means over the systems.
ACCURACY = {"GA": 0.95, "FGA": 0.90, "FTA": 0.60}
FAST = ("HDFS", "Spark")
MESSAGES_A_SECOND = 1_000_000
MEMORY_MESSAGES = 10_000_000
MEMORY_BYTES = 200 << 20


def groups(labels):
    by_label = {}
    for line, label in enumerate(labels):
        by_label.setdefault(label, []).append(line)
    return {frozenset(lines) for lines in by_label.values()}


def normal(template):
    template = re.sub(r"\S*<\*>\S*", "<*>", re.sub(r"\s+", " ", template.strip()))
    return re.sub(r"(<\*>[ ,:;=]*)+", "<*> ", template).strip()


def f1(hits, predicted, true):
    return 2 * hits / (predicted + true)


def accuracy(daybook, folder):
    """How well the groups of lines are the true ones, and their texts the true ones."""
    with open(folder / "truth.csv", newline="") as file:
        truth = list(csv.DictReader(file))
    out = subprocess.run([daybook, "mine", folder / "messages.txt", "--assign"], check=True, capture_output=True, text=True)
    rows = [line.split("\t", 1) for line in out.stdout.split("\n")[:-1]]
    assert len(rows) == len(truth), f"{folder.name}: {len(truth)} lines in, {len(rows)} out"
    true, mined = groups(row["event"] for row in truth), groups(row[0] for row in rows)
    exact = true & mined
    same = sum(normal(rows[min(group)][1]) == normal(truth[min(group)]["template"]) for group in exact)
    return {
        "GA": sum(map(len, exact)) / len(truth),
        "FGA": f1(len(exact), len(mined), len(true)),
        "FTA": f1(same, len(mined), len(true)),
    }


def repeat(messages, path, times):
    text = messages.read_bytes()
    text += b"" if text.endswith(b"\n") else b"\n"
    with open(path, "wb") as file:
        for _ in range(times):
            file.write(text)
    return text.count(b"\n") * times


def run(daybook, path):
    """Seconds of processor time and the most memory of a whole process that assigns each line."""
    with open(os.devnull, "wb") as sink:
        process = subprocess.Popen([daybook, "mine", path, "--assign"], stdout=sink)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, process.returncode
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def drain3_a_second(messages):
    """Lines a second of another miner, if it is installed."""
    if importlib.util.find_spec("drain3") is None:
        return None
    from drain3 import TemplateMiner

    lines = messages.read_text(errors="replace").split("\n") * 10
    miner = TemplateMiner()
    started = time.process_time()
    for line in lines:
        miner.add_log_message(line)
    return len(lines) / (time.process_time() - started)


def main():
    daybook, work = sys.argv[1], pathlib.Path(sys.argv[2])
    systems = sorted(path.parent for path in LABELLED.glob("*/truth.csv"))
    if not systems:
        print(f"skipped: there are no labelled messages in {LABELLED}")
        return
    work.mkdir(parents=True, exist_ok=True)
    many = work / "messages.txt"
    measured = {}
    print(f"{'system':<14}{'GA':>7}{'FGA':>7}{'FTA':>7}{'messages/s of one core':>25}{'MiB':>6}{'drain3/s':>11}")
    for folder in systems:
        count = repeat(folder / "messages.txt", many, REPEATED)
        seconds, memory = min(run(daybook, many) for _ in range(5))
        other = drain3_a_second(folder / "messages.txt")
        row = accuracy(daybook, folder) | {"rate": count / seconds}
        measured[folder.name] = row
        print(
            f"{folder.name:<14}{row['GA']:>7.3f}{row['FGA']:>7.3f}{row['FTA']:>7.3f}{row['rate']:>25,.0f}"
            f"{memory >> 20:>6}{'-' if other is None else format(other, ',.0f'):>11}"
        )
    means = {name: sum(row[name] for row in measured.values()) / len(measured) for name in ACCURACY}
    print(f"{'mean':<14}{means['GA']:>7.3f}{means['FGA']:>7.3f}{means['FTA']:>7.3f}")
    count = 0
    with open(work / "all.txt", "wb") as file:
        texts = [(folder / "messages.txt").read_bytes().rstrip(b"\n") + b"\n" for folder in systems]
        while count < MEMORY_MESSAGES:
            for text in texts:
                file.write(text)
                count += text.count(b"\n")
    seconds, memory = run(daybook, work / "all.txt")
    print(f"{count:,} messages of all systems: {seconds:.1f} s, {memory >> 20} MiB at most")
    for name, least in ACCURACY.items():
        assert means[name] >= least, f"{name} {means[name]:.3f} is below {least}"
    for name in FAST:
        assert name not in measured or measured[name]["rate"] >= MESSAGES_A_SECOND, name
    slow = {name: row["rate"] for name, row in measured.items() if row["rate"] < MESSAGES_A_SECOND / 2}
    assert not slow, slow
    assert memory <= MEMORY_BYTES, memory


main()
