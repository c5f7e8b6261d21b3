"""The cases of `tests/conformance`, asked through Python; see its README."""

import json

import pytest
from conftest import ROOT

from answers import plain, same

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


def fault(store, case):
    """What is wrong with the answer to a case, if anything."""
    return fault_of(lambda: asked(store, case), case)


def fault_of(ask, case):
    """The same, of whatever is asked."""
    try:
        answer = ask()
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
