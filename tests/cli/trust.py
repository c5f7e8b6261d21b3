"""`daybook verify` and `daybook proof`: what was touched is named, and the exit code says so."""

from harness import daybook, equal

LINES = "".join(f'{{"ts":"2026-02-0{day}T10:00:00Z","kind":"k","day_number":{day}}}\n' for day in (1, 2, 3))


def filled(folder):
    (folder / "a.jsonl").write_text(LINES)
    daybook("ingest", folder / "a.jsonl", "--store", folder / "s")
    return folder / "s"


def a_store_is_intact_and_its_head_is_the_last_line(folder):
    store = filled(folder)
    head = daybook("proof", "--store", store).out.splitlines()[-1]
    assert head.startswith("daybook-head-1:1:"), head
    done = daybook("verify", "--store", store, "--against", head)
    assert "intact: everything is as the hash chain says, and it goes through the head" in done.out, done
    assert "3 events" in done.out and "3 files" in done.out, done
    report = daybook("verify", "--store", store, "--json").json
    equal([report["intact"], report["head"], report["problems"], report["warnings"]], [True, head, [], []])
    equal(daybook("proof", "--store", store, "--json").json, {"head": head})


def what_was_touched_is_named(folder):
    store = filled(folder)
    head = daybook("proof", "--store", store).out.splitlines()[-1]
    (file,) = (store / "day=2026-02-02").iterdir()
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    done = daybook("verify", "--store", store, code=1)
    assert f"the file `day=2026-02-02/{file.name}` has other bytes" in done.out, done
    assert "the store is not intact: 1 problem" in done.err, done
    report = daybook("verify", "--store", store, "--json", code=1).json
    equal([report["intact"], report["problems"][0]["kind"]], [False, "file_altered"])
    file.unlink()
    assert "is not there" in daybook("verify", "--store", store, code=1).out
    other = folder / "other"
    (folder / "b.jsonl").write_text(LINES.replace("k", "other"))
    daybook("ingest", folder / "b.jsonl", "--store", other)
    done = daybook("verify", "--store", other, "--against", head, code=1)
    assert "what was committed up to then was replaced" in done.out, done


def a_head_that_is_none_is_a_wrong_argument(folder):
    done = daybook("verify", "--store", filled(folder), "--against", "abc", code=2)
    assert "no head of a chain" in done.err, done


CHECKS = [
    a_store_is_intact_and_its_head_is_the_last_line,
    what_was_touched_is_named,
    a_head_that_is_none_is_a_wrong_argument,
]
