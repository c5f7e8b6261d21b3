"""Looking after a store: `compact`, `expire`, `erase`, `maintain`, `backup`, and what `info` says of it."""

from harness import daybook, equal, sql

DAYS = (1, 2, 3)
LINES = "".join(
    f'{{"ts":"2026-02-0{day}T10:00:00Z","kind":"{kind}","actor":"{actor}","id":"{day}-{actor}"}}\n'
    for day in DAYS
    for kind, actor in (("debug", "ann"), ("login", "bob-4711"))
)


def filled(folder, name="s"):
    for part in ("a", "b"):
        (folder / f"{part}.jsonl").write_text(LINES.replace('"id":"', f'"id":"{part}-') + f"no record of {part} bob-4711\n")
        daybook("ingest", folder / f"{part}.jsonl", "--from", "jsonl", "--store", folder / name)
    return folder / name


def count(store):
    return int(sql(store, "SELECT count(*)::BIGINT AS n FROM events WHERE source IS DISTINCT FROM 'daybook'")[0]["n"])


def a_dry_run_changes_nothing(folder):
    store = filled(folder)
    planned = daybook("compact", "--dry-run", "--store", store)
    assert "3 days would be compacted: 6 files" in planned.out, planned
    equal(daybook("compact", "--dry-run", "--json", "--store", store).json["bytes_after"], None)
    done = daybook("expire", "kind:debug", "--older-than", "1d", "--dry-run", "--store", store)
    assert "6 events of `kind:debug` would expire, of 2026-02-01 to 2026-02-03" in done.out, done
    done = daybook("erase", "actor:bob-4711", "--reason", "x", "--dry-run", "--store", store)
    assert "6 events would be erased" in done.out and "2 records of the quarantine" in done.out, done
    assert "would be compacted" in daybook("maintain", "--dry-run", "--store", store).out
    equal(daybook("info", "--json", "--store", store).json["version"], 2)


def what_expires_is_counted_before_and_after(folder):
    store = filled(folder)
    head = daybook("proof", "--store", store).out.splitlines()[-1]
    done = daybook("expire", "kind:debug", "--older-than", "1d", "--store", store)
    assert "before: 12 events in" in done.out and "after: 7 events in" in done.out, done
    assert "nothing" in daybook("expire", "kind:debug", "--older-than", "1d", "--store", store).out
    done = daybook("verify", "--against", head, "--store", store)
    assert "6 events expired" in done.out and "intact" in done.out, done
    assert "no `[[keep.policy]]`" in daybook("expire", "--store", store).out
    (store / "daybook.toml").write_text('[[keep.policy]]\nmax_size = "1kB"\n')
    info = daybook("info", "--store", store).out
    assert "quota" in info and "% of 1.0 kB" in info and "due" in info and "by day" in info, info
    receipt = daybook("maintain", "--json", "--store", store).json
    assert receipt["expired"][0]["expired"] > 0 and receipt["expired"][0]["bytes_after"] < 10_000, receipt
    equal(daybook("maintain", "--store", store).out.strip(), "nothing to do")


def what_is_erased_is_in_no_file(folder):
    store = filled(folder)
    head = daybook("proof", "--store", store).out.splitlines()[-1]
    done = daybook("erase", "actor:bob-4711", "--reason", "request 77", "--store", store)
    assert "6 events erased" in done.out and "out of reach" in done.out, done
    left = [path for path in store.rglob("*") if path.is_file() and b"bob-4711" in path.read_bytes()]
    equal(left, [])
    equal(count(store), 6)
    equal(sql(store, "SELECT count(*)::BIGINT AS n FROM quarantine")[0]["n"], 0)
    assert "6 events erased" in daybook("verify", "--against", head, "--store", store).out
    done = daybook("sql", "SELECT 1 FROM events", "--at", "1", "--store", store, code=1)
    assert "it was cleaned up" in done.err, done
    done = daybook("erase", "kind:debug", "--reason", "x", "--redact", "actor", "--store", store)
    assert "actor blanked in 6 events" in done.out, done
    equal(sql(store, "SELECT count(actor)::BIGINT AS n FROM events")[0]["n"], 0)


def a_backup_is_a_store(folder):
    store = filled(folder)
    daybook("log", "waiting", "for a file", "--store", store)
    done = daybook("backup", folder / "copy", "--store", store)
    head = done.out.splitlines()[-1]
    equal(count(folder / "copy"), 13)
    assert "intact" in daybook("verify", "--against", head, "--store", folder / "copy").out
    assert "holds something already" in daybook("backup", folder / "copy", "--store", store, code=1).err


def an_archive_is_asked_in_place_and_together_and_comes_back(folder):
    store, archive = filled(folder), folder / "archive"
    done = daybook("archive", "--month", "2026-02", "--to", archive, "--keep", "--store", store)
    assert "12 events of 3 days are in" in done.out and "they stay here, too" in done.out, done
    equal(count(archive), 12)
    both = ("--with-archive", archive, "--store", store)
    query = "SELECT count(*)::BIGINT AS n FROM events WHERE source IS DISTINCT FROM 'daybook'"
    equal(daybook("sql", query, "--json", *both).json[0]["n"], 12)
    done = daybook("archive", "--before", "2026-02-03", "--to", archive, "--store", store)
    assert "8 events were there before" in done.out and "8 events taken out here" in done.out, done
    equal(count(store), 4)
    equal(daybook("sql", query, "--json", *both).json[0]["n"], 12)
    equal(len(daybook("search", "actor:ann", "--json", *both).json["events"]), 6)
    assert "intact" in daybook("verify", "--store", archive).out
    assert "8 events moved to an archive" in daybook("verify", "--store", store).out
    done = daybook("restore", "--from", archive, "--quarter", "2026Q1", "--store", store)
    assert "8 events of 2 days came back" in done.out and "4 events are here already" in done.out, done
    equal(count(store), 12)
    assert "is no archive" in daybook("restore", "--from", store, "--store", store, code=1).err
    assert "no archive" in daybook("info", "--with-archive", folder / "s", "--store", store, code=1).err
    (folder / "full").mkdir()
    (folder / "full" / "letter").write_text("x")
    assert "holds something else" in daybook("archive", "--month", "2026-02", "--to", folder / "full", "--store", store, code=1).err
    schedule = daybook("archive", "--print-schedule", "--to", "/archive", "--store", store).out
    assert "OnCalendar" in schedule and "30 3 5-7 1,4,7,10 *" in schedule and "/archive" in schedule, schedule


def wrong_arguments_are_refused(folder):
    store = filled(folder)
    for arguments, words in [
        (["expire", "kind:debug"], "how old"),
        (["expire", "--older-than", "90"], "not an age"),
        (["expire", "--max-size", "lots"], "not a size"),
        (["erase", "kind:debug"], "--reason"),
        (["erase", "--reason", "x"], "TERM"),
        (["maintain", "--every", "1h"], "--watch"),
        (["archive", "--to", "x"], "which days"),
        (["archive", "--quarter", "2026Q5", "--to", "x"], "not a quarter"),
        (["archive", "--quarter", "2026Q1"], "--to"),
    ]:
        done = daybook(*arguments, "--store", store, code=2)
        assert words in done.err, done
    assert "every event" in daybook("erase", "*", "--reason", "x", "--store", store, code=1).err
    assert "no field" in daybook("erase", "kind:debug", "--reason", "x", "--redact", "nose", "--store", store, code=1).err


CHECKS = [
    a_dry_run_changes_nothing,
    what_expires_is_counted_before_and_after,
    what_is_erased_is_in_no_file,
    a_backup_is_a_store,
    an_archive_is_asked_in_place_and_together_and_comes_back,
    wrong_arguments_are_refused,
]
