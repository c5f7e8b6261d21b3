"""The cases of `tests/conformance`, asked through the commands; see its README."""

import json
import subprocess

from answers import plain, same
from harness import PROGRAM, ROOT, Done, daybook, environment

FOLDER = ROOT / "tests/conformance"
KINDS = {"usage": "invalid"}


def words(request):
    """The command of an analysis, or None if no command asks it in this form."""
    request = dict(request)
    name = request.pop("analysis")
    if name == "audit":
        # The command takes the last day, and its hours from the settings.
        return None
    group = {"sequences": "sequences", "bursts": "bursts", "rhythms": "rhythms", "co-changes": "changes", "actors": "actors", "templates": "templates"}
    words = ["patterns", group[name], "--json"] if name in group else [name, "--json"]
    if "compare" in request:
        words += ["--compare", *request.pop("compare")]
    if request.pop("rare", False):
        words.append("--rare")
    positional = {"history": None, "file-history": "path", "session": "id", "trace": "id", "show": "id"}
    if name == "history":
        words.append(f"{request.pop('entity_type')}:{request.pop('entity_id')}")
    elif name in positional:
        words.append(request.pop(positional[name]))
    for key, value in request.items():
        option = {"gap_minutes": "gap", "pause_minutes": "pause", "window_minutes": "window", "new_since": "new-since"}.get(key, key)
        if key == "filter" and not isinstance(value, str):
            return None
        if key in ("by", "columns") and isinstance(value, list):
            value = ",".join(value)
        if key == "window_minutes" and name == "metrics":
            value = f"{value}m"
        words += [f"--{option}={value}"]
    return words


def arguments(case):
    """The command of a case, or None if it has none."""
    if "sql" in case:
        given = case.get("parameters", {}).items()
        return ["sql", case["sql"], "--json", *[part for name, value in given for part in ("--param", f"{name}:={json.dumps(value)}")]]
    if "filter" in case:
        if not isinstance(case["filter"], str):
            return None
        columns = ",".join(case.get("columns", ["n"]))
        return ["search", "--json", "--limit", "1000", "--columns", columns, f"--filter={case['filter']}"]
    return words(case["analysis"])


def outcome(*arguments):
    """How a run ended, whatever its exit code."""
    arguments = [str(argument) for argument in arguments]
    process = subprocess.run([PROGRAM, *arguments], capture_output=True, env=environment(), timeout=600)
    return Done(arguments, process)


def not_found(case, done):
    """Whether `show` says of no events that there are none, as it should."""
    return case.get("analysis", {}).get("analysis") == "show" and not case["report"]["events"] and done.code == 1


def fault(store, case):
    """What is wrong with the answer to a case, if anything."""
    command = arguments(case)
    if command is None:
        return None
    done = outcome(*command, "--store", store)
    if "error" in case:
        assert done.code in (1, 2), done
        error = json.loads(done.err.splitlines()[-1])["error"]
        text = f"{error['message']} {error.get('hint', '')}"
        right = KINDS.get(error["kind"], error["kind"]) == case["error"] and case.get("message", "") in text
        return None if right else f"gave {error}"
    if not_found(case, done):
        return None
    assert done.code == 0, done
    answer = plain(done.json, [*case.get("ignore", []), "seq"])
    if "matches" in case:
        answer = sorted(event["n"] for event in answer["events"])
    expected = next(case[key] for key in ("rows", "matches", "report") if key in case)
    return None if same(answer, expected) else f"gave     {json.dumps(answer)}\nexpected {json.dumps(expected)}"


def check_group(group, folder):
    store = folder / "store"
    daybook("ingest", group / "events.jsonl", "--store", store, "-q")
    cases = [case for file in sorted(group.glob("*.json")) for case in json.loads(file.read_text())]
    faults = [f"{case['name']}: {found}" for case in cases if (found := fault(store, case))]
    assert not faults, f"{len(faults)} of {len(cases)} cases:\n\n" + "\n\n".join(faults)


def for_group(group):
    def check(folder):
        check_group(group, folder)

    check.__name__ = f"conformance_{group.name}"
    return check


CHECKS = [for_group(group) for group in sorted(FOLDER.iterdir()) if group.is_dir()]
