"""The cases of `tests/conformance`, asked through the commands; see its README."""

import json
import math

from harness import ROOT, daybook

FOLDER = ROOT / "tests/conformance"
KINDS = {"usage": "invalid"}


def words(request):
    """The command of an analysis, or None if no command asks it in this form."""
    request = dict(request)
    name = request.pop("analysis")
    words = [name, "--json"]
    positional = {"history": None, "file-history": "path", "session": "id", "trace": "id", "show": "id"}
    if name == "history":
        words.append(f"{request.pop('entity_type')}:{request.pop('entity_id')}")
    elif name in positional:
        words.append(request.pop(positional[name]))
    for key, value in request.items():
        option = {"gap_minutes": "gap", "pause_minutes": "pause"}.get(key, key)
        if key == "filter" and not isinstance(value, str):
            return None
        if key in ("by", "columns") and isinstance(value, list):
            value = ",".join(value)
        words += [f"--{option}={value}"]
    return words


def arguments(case):
    """The command of a case, or None if it has none."""
    if "sql" in case:
        given = case.get("parameters", {}).items()
        return ["sql", case["sql"], "--json", *[part for name, value in given for part in ("--param", f"{name}={json.dumps(value)}")]]
    if "filter" in case:
        if not isinstance(case["filter"], str):
            return None
        columns = ",".join(case.get("columns", ["n"]))
        return ["search", "--json", "--limit", "1000", "--columns", columns, f"--filter={case['filter']}"]
    return words(case["analysis"])


def plain(value):
    """Without numbers that differ from store to store."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items() if key != "seq"}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


def same(one, other):
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        both_whole = isinstance(one, int) and isinstance(other, int)
        return one == other if both_whole else math.isclose(one, other, rel_tol=1e-9)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def fault(store, case):
    """What is wrong with the answer to a case, if anything."""
    command = arguments(case)
    if command is None:
        return None
    code = {"syntax": 2}.get(case.get("error"), (1, 2)) if "error" in case else 0
    done = daybook(*command, "--store", store, code=code)
    if "error" in case:
        error = json.loads(done.err.splitlines()[-1])["error"]
        text = f"{error['message']} {error.get('hint', '')}"
        right = KINDS.get(error["kind"], error["kind"]) == case["error"] and case.get("message", "") in text
        return None if right else f"gave {error}"
    answer = plain(done.json)
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
