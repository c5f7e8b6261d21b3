"""`daybook demo`: a year to explore, the same each time."""

import os
import shlex
import subprocess

from harness import PROGRAM, daybook, equal, sql


def the_demo_is_the_same_each_time_and_has_things_to_find(folder):
    store = folder / "demo store"
    report = daybook("demo", "--store", store, "--until", "2026-02-03", "--json").json
    equal(list(report), ["store", "events", "days", "files", "bytes", "from", "to", "applications", "next"])
    assert report["events"] >= 200_000 and report["days"] == 365 and len(report["applications"]) == 5, report
    equal([report["events"], report["to"][:10]], [sum(report["applications"].values()), "2026-02-03"])
    equal(daybook("info", "--store", store, "--json").json["events"], report["events"])
    again = daybook("demo", "--store", store, "--until", "2026-02-03", "--json").json
    equal(again, report, "the second time shows the first")
    daybook("demo", "--store", store, "--until", "2026-02-04", code=1)
    equal(sql(store, "SELECT count(*) AS n FROM quarantine"), [{"n": 0}])
    equal(len(report["next"]), 3)
    for command in report["next"]:
        run_as_shown(command)


def run_as_shown(command):
    """A command that is shown works when it is pasted."""
    path = f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"
    name = shlex.split(command)[0]
    assert name == PROGRAM.name or name.endswith("/" + PROGRAM.name), command
    done = subprocess.run(["bash", "-c", command], capture_output=True, env={**os.environ, "PATH": path}, timeout=60)
    equal(done.returncode, 0, f"{command}\n{done.stderr.decode()}")
    assert len(done.stdout.splitlines()) > 2, f"{command} finds nothing"


def the_demo_ignores_the_variable_and_uses_its_own_folder(folder):
    daybook("log", "a", "b", "--store", folder / "mine")
    daybook("demo", "--until", "2026-02-03", "-q", cwd=folder, DAYBOOK_STORE=str(folder / "mine"))
    equal(daybook("info", "--store", folder / "mine", "--json").json["events"], 1)
    assert (folder / "daybook-demo/_delta_log").is_dir()
    daybook("demo", "--until", "2026-02-03", "--store", folder / "mine", code=1)


CHECKS = [
    the_demo_is_the_same_each_time_and_has_things_to_find,
    the_demo_ignores_the_variable_and_uses_its_own_folder,
]
