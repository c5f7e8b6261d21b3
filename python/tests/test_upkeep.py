"""What looks after a store: erasure, archives, maintenance, copies."""

import asyncio

import pytest
from conftest import EVENTS

import daybook
from daybook import aio


def kinds(store):
    return [row["kind"] for row in store.sql("SELECT kind FROM events WHERE source IS DISTINCT FROM 'daybook' ORDER BY ts")]


def test_one_persons_events_are_erased(store):
    assert store.erase("actor:ann", reason="asked to", dry_run=True)["events"] == 2
    assert len(kinds(store)) == 3
    receipt = store.erase("actor:ann", reason="asked to")
    assert receipt["events"] == 2 and receipt.analysis == "erase" and kinds(store) == ["login"]
    assert store.verify()["intact"]


def test_fields_are_blanked_and_events_stay(store):
    assert store.erase({"field": "actor", "op": "=", "value": "ann"}, reason="asked to", redact=["message"])["events"] == 2
    rows = store.sql("SELECT actor, message FROM events WHERE kind IN ('deploy', 'login') ORDER BY ts").to_dicts()
    assert rows == [{"actor": "ann", "message": None}, {"actor": "bob", "message": "bob is here"},
                    {"actor": "ann", "message": None}]


@pytest.mark.parametrize("filter, reason, message", [
    (None, "why not", "every event"), ("", "why not", "every event"), ("actor:ann", " ", "reason"),
    ("actr:ann", "asked to", "no field"),
])
def test_an_erasure_without_a_filter_or_a_reason_is_refused(store, filter, reason, message):
    with pytest.raises(daybook.Error, match=message):
        store.erase(filter, reason=reason)
    assert len(kinds(store)) == 3


def test_an_erasure_that_is_not_whole_raises(path, store):
    # Another process has events in its log, which only it can seal.
    from conftest import started

    other = started("import daybook, sys\nstore = daybook.open(sys.argv[1])\n"
                    "store.append({'kind': 'login', 'actor': 'ann'})\nprint('ready', flush=True)\nimport time; time.sleep(60)", path)
    try:
        assert other.stdout.readline() == "ready\n"
        with pytest.raises(daybook.BusyError, match="may be left"):
            store.erase("actor:ann", reason="asked to")
    finally:
        other.kill()
        other.wait()
    store.erase("actor:ann", reason="asked to")
    assert kinds(store) == ["login"] and store.search("actor:ann").to_dicts() == []


def test_an_archive_is_asked_with_its_store_and_comes_back(store, path, tmp_path):
    later = dict(EVENTS[0], ts="2026-05-01T00:00:00Z", kind="later")
    store.ingest([later])
    folder = tmp_path / "2026Q1"
    receipt = store.archive(folder, quarter="2026Q1")
    assert (receipt["events"], receipt["removed"], receipt["days"]) == (3, 3, 1)
    assert kinds(store) == ["later"]
    with daybook.open(folder) as archive:
        assert archive.verify()["intact"] and len(kinds(archive)) == 3
    with daybook.open(path, archives=[folder]) as both:
        assert kinds(both) == ["deploy", "login", "deploy", "later"]
    assert store.restore(folder, month="2026-02")["events"] == 3
    assert kinds(store) == ["deploy", "login", "deploy", "later"]
    assert store.archive(folder, before="2026-03-01", keep=True)["removed"] == 0
    assert len(kinds(store)) == 4


@pytest.mark.parametrize("period, message", [
    ({}, "which days"), ({"quarter": "2026Q5"}, "2026Q1"), ({"month": "2026"}, "2026-02"), ({"before": "soon"}, "2026-02-03"),
    ({"quarter": "2026Q1", "month": "2026-01"}, "not two"), ({"quarter": "2099Q1"}, "not over"),
])
def test_a_period_that_is_none_is_refused(store, tmp_path, period, message):
    with pytest.raises(ValueError, match=message):
        store.archive(tmp_path / "archive", **period)


def test_what_is_no_archive_is_refused(store, path, tmp_path):
    with pytest.raises(daybook.InvalidError, match="no archive"):
        store.restore(tmp_path)
    with pytest.raises(daybook.InvalidError, match="no archive"):
        daybook.open(path, archives=[tmp_path])


def test_maintenance_does_what_the_settings_say(path):
    with daybook.open(path, create=True) as store:
        store.append({"kind": "old", "ts": "2020-01-01T00:00:00Z"})
    (path / "daybook.toml").write_text("[[keep.policy]]\nmax_age_days = 30\n")
    with daybook.open(path) as store:
        store.append({"kind": "new"})
        assert store.maintain(dry_run=True)["sealed"] == 2 and sorted(kinds(store)) == ["new", "old"]
        receipt = store.maintain()
        assert receipt["sealed"] == 2 and receipt["expired"][0]["expired"] == 1
        assert kinds(store) == ["new"]


def test_a_copy_is_a_store(store, tmp_path):
    store.append({"kind": "later"})
    receipt = store.backup(tmp_path / "copy")
    with daybook.open(tmp_path / "copy") as copy:
        assert copy.head() == receipt["head"] and copy.verify()["intact"] and "deploy" in kinds(copy)
    with pytest.raises(daybook.Error):
        store.backup(tmp_path / "copy")


def test_an_encrypted_store_needs_its_key(path, tmp_path, monkeypatch):
    key = tmp_path / "key"
    key.write_text("1a" * 32)
    key.chmod(0o600)
    with daybook.open(path, create=True) as store:
        store.ingest(EVENTS)
        with pytest.raises(daybook.Error, match="no key to encrypt with"):
            store.encrypt()
    with daybook.open(path, key_file=key) as store:
        assert store.encrypt()["events"] == 3 and store.encrypt()["events"] == 0
        assert store.verify(deep=True)["intact"]
    assert not any(b"login" in file.read_bytes() for file in path.rglob("*") if file.is_file())
    with pytest.raises(PermissionError, match="the store is encrypted"):
        daybook.open(path)
    with pytest.raises(ValueError, match="cannot be read"):
        daybook.open(path, key_file=tmp_path / "no")
    monkeypatch.setenv("DAYBOOK_KEY_FILE", str(key))
    with daybook.open(path) as store:
        assert "login" in kinds(store)


def test_an_event_loop_has_all_of_it(path, tmp_path):
    async def main():
        async with await aio.open(path, create=True) as store:
            await store.ingest(EVENTS)
            assert (await store.backup(tmp_path / "copy"))["events"] == 3
            assert (await store.archive(tmp_path / "archive", month="2026-02"))["removed"] == 3
            assert (await store.restore(tmp_path / "archive"))["events"] == 3
            assert (await store.erase("actor:bob", reason="asked to"))["events"] == 1
            assert "compacted" in await store.maintain()
        async with await aio.open(path, archives=[tmp_path / "archive"]) as store:
            assert (await store.sql("SELECT count(*) FROM events WHERE kind = 'login'")).scalar() == 0

    asyncio.run(main())
