"""The cases of `tests/conformance`, asked through Python; see its README."""

import json
import math

import pytest
from conftest import ROOT

import daybook

FOLDER = ROOT / "tests/conformance"
GROUPS = sorted(group for group in FOLDER.iterdir() if group.is_dir())
KINDS = {
    "syntax": daybook.SyntaxInvalidError,
    "invalid": daybook.InvalidError,
    "refused": daybook.RefusedError,
    "limit": daybook.LimitError,
    "not_found": daybook.NotFoundError,
}


def cases(group):
    return [case for file in sorted(group.glob("*.json")) for case in json.loads(file.read_text())]


def ingested(group, path):
    store = daybook.open(path, create=True)
    assert store.ingest(group / "events.jsonl")["quarantined"] == 0
    return store


def appended(group, path):
    store = daybook.open(path, create=True)
    for line in (group / "events.jsonl").read_text().splitlines():
        try:
            store.append(json.loads(line), durability="os")
        except daybook.InvalidError as error:
            assert "quarantine" in str(error)
    return store


def asked(store, case):
    """What a case gives."""
    if "sql" in case:
        return store.sql(case["sql"], **case.get("parameters", {})).to_dicts()
    if "filter" in case:
        columns = case.get("columns", ["n"])
        found = store.search(case["filter"], columns=columns, limit=1_000).to_dicts()
        return sorted(row[columns[0]] for row in found if isinstance(row[columns[0]], int))
    return store.ask(case["analysis"])


def plain(value, ignored):
    """Without what differs from store to store."""
    if isinstance(value, dict):
        return {key: plain(inner, ignored) for key, inner in value.items() if key not in ignored}
    return [plain(inner, ignored) for inner in value] if isinstance(value, list) else value


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
    try:
        answer = asked(store, case)
    except daybook.Error as error:
        if "error" not in case:
            return f"gave {error!r}"
        right = isinstance(error, KINDS[case["error"]]) and case.get("message", "") in f"{error.message} {error.hint}"
        return None if right else f"gave {error!r}"
    if "error" in case:
        return f"gave {answer}"
    expected = next(case[key] for key in ("rows", "matches", "report") if key in case)
    answer = plain(answer, [*case.get("ignore", []), "seq"])
    return None if same(answer, expected) else f"gave     {json.dumps(answer)}\nexpected {json.dumps(expected)}"


@pytest.mark.parametrize("make", [ingested, appended])
@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_every_case_is_answered_as_expected(group, make, path):
    with make(group, path) as store:
        faults = [f"{case['name']}: {found}" for case in cases(group) if (found := fault(store, case))]
    assert not faults, f"{len(faults)} of {len(cases(group))} cases:\n\n" + "\n\n".join(faults)


def test_there_are_cases():
    assert sum(len(cases(group)) for group in GROUPS) >= 150


def test_columns_come_in_the_order_of_the_query(empty):
    row = empty.sql("SELECT 1 AS z, 2 AS a, 3 AS m").to_dicts()[0]
    assert list(row.items()) == [("z", 1), ("a", 2), ("m", 3)]
