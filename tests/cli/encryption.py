"""Encrypted stores: how keys are given, what is said without them, and that `daybook encrypt` can be stopped."""

import base64
import json
import signal
import time

from harness import daybook, equal, sql, start

ONE, OTHER = "1a" * 32, "2b" * 32
WORDS = (b"person4711", b"violetstreet", b"unparsable")


def key_file(folder, *keys, name="key", mode=0o600):
    path = folder / name
    path.write_text("".join(key + "\n" for key in keys))
    path.chmod(mode)
    return path


def lines(folder, count=200):
    path = folder / "a.jsonl"
    with path.open("w") as file:
        for number in range(count):
            day = number % 20 + 1
            event = {"ts": f"2026-02-{day:02}T10:00:00Z", "user": "person4711", "message": f"violetstreet {number}"}
            file.write(json.dumps(event) + "\n")
        file.write("unparsable {\n")
    return path


def readable(store):
    files = [path for path in store.rglob("*") if path.is_file()]
    return [path.name for path in files if any(word in path.read_bytes() for word in WORDS)]


def filled(folder, *options, count=200):
    daybook("ingest", lines(folder, count), "--store", folder / "s", *options)
    return folder / "s"


def keys_are_given_by_option_variable_and_settings(folder):
    key = key_file(folder, ONE)
    store = filled(folder, "--key-file", key)
    equal(readable(store), [])
    counted = "SELECT count(*) AS n FROM events"
    equal(sql(store, counted, "--key-file", key), [{"n": 200}])
    for variables in (
        {"DAYBOOK_KEY_FILE": str(key)},
        {"DAYBOOK_KEY": ONE},
        {"DAYBOOK_KEY": base64.b64encode(bytes.fromhex(ONE)).decode()},
    ):
        equal(daybook("sql", counted, "--store", store, "--json", **variables).json, [{"n": 200}], variables)
    (store / "daybook.toml").write_text(f'[encryption]\nkey_file = "{key}"\n')
    equal(sql(store, counted), [{"n": 200}])
    assert "person4711" in daybook("search", "user:person4711", "--store", store).out
    assert daybook("verify", "--deep", "--store", store).out.count("intact: everything") == 1


def a_wrong_or_missing_key_is_said_and_not_shown(folder):
    store = filled(folder, "--key-file", key_file(folder, ONE))
    other = key_file(folder, OTHER, name="other")
    for command in (("sql", "SELECT 1"), ("info",), ("verify",), ("ingest", folder / "a.jsonl"), ("encrypt",)):
        none = daybook(*command, "--store", store, code=1)
        assert "the store is encrypted, and the key" in none.err and "--key-file FILE" in none.err, none
        wrong = daybook(*command, "--store", store, "--key-file", other, code=1)
        assert "the key that was given is another one" in wrong.err and OTHER not in wrong.err, wrong
    broken = key_file(folder, "a secret that is no key", name="broken")
    done = daybook("info", "--store", store, "--key-file", broken, code=1)
    assert "line 1 of the key file" in done.err and "secret" not in done.err, done
    assert "cannot be read" in daybook("info", "--store", store, "--key-file", folder / "no", code=1).err
    done = daybook("info", "--store", store, DAYBOOK_KEY="c2VjcmV0", code=1)
    assert "line 1 of `DAYBOOK_KEY` is no key" in done.err and "c2VjcmV0" not in done.err, done


def a_key_that_others_can_read_is_warned_of(folder):
    store = filled(folder, "--key-file", key_file(folder, ONE))
    shared = key_file(folder, ONE, name="shared", mode=0o644)
    done = daybook("sql", "SELECT 1 AS one", "--store", store, "--key-file", shared)
    assert "can be read by others" in done.err and "chmod 600" in done.err, done
    inside = key_file(store, ONE)
    (store / "daybook.toml").write_text('[encryption]\nkey_file = "key"\n')
    assert "lies in the store" in daybook("info", "--store", store, code=1).err
    inside.unlink()


def a_plain_store_is_encrypted_and_gets_another_key(folder):
    store = filled(folder)
    head = daybook("proof", "--store", store).out.splitlines()[-1]
    done = daybook("encrypt", "--store", store, code=1)
    assert "there is no key to encrypt with" in done.err, done
    one = key_file(folder, ONE)
    done = daybook("info", "--store", store, "--key-file", one)
    assert "not encrypted; `daybook encrypt` encrypts them" in done.out + done.err, done
    receipt = daybook("encrypt", "--store", store, "--key-file", one, "--json").json
    equal([receipt["events"], receipt["segments_waiting"], receipt["files_waiting"]], [200, 0, 0])
    equal(readable(store), [])
    both = key_file(folder, OTHER, ONE, name="both")
    done = daybook("encrypt", "--store", store, "--key-file", both)
    assert "keys in further lines of the key file are not needed any more" in done.out, done
    other = key_file(folder, OTHER, name="other")
    equal(sql(store, "SELECT count(*) AS n FROM events", "--key-file", other), [{"n": 200}])
    daybook("info", "--store", store, "--key-file", one, code=1)
    done = daybook("verify", "--deep", "--against", head, "--store", store, "--key-file", other)
    assert "goes through the head" in done.out, done


def a_change_of_the_key_survives_being_killed(folder):
    one = key_file(folder, ONE)
    store = filled(folder, "--key-file", one, count=4000)
    both = key_file(folder, OTHER, ONE, name="both")
    started = time.monotonic()
    daybook("verify", "--store", store, "--key-file", both)
    opening = time.monotonic() - started
    for attempt in range(8):
        process = start("encrypt", "--store", store, "--key-file", both, "-q")
        time.sleep(opening * (0.5 + attempt / 3))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        counted = sql(store, "SELECT count(*) AS n, count(DISTINCT message) AS texts FROM events", "--key-file", both)
        equal(counted, [{"n": 4000, "texts": 4000}], f"attempt {attempt}")
    daybook("encrypt", "--store", store, "--key-file", both)
    equal(readable(store), [])
    other = key_file(folder, OTHER, name="other")
    assert daybook("verify", "--deep", "--store", store, "--key-file", other).out.count("intact: everything") == 1


def an_archive_has_the_key_of_its_store(folder):
    one = key_file(folder, ONE)
    store = filled(folder, "--key-file", one)
    archive = folder / "archive"
    daybook("archive", "--quarter", "2026Q1", "--to", archive, "--store", store, "--key-file", one)
    equal([readable(store), readable(archive)], [[], []])
    assert "is encrypted" in daybook("info", "--store", archive, code=1).err
    counted = "SELECT count(*) AS n FROM events WHERE source IS DISTINCT FROM 'daybook'"
    equal(sql(archive, counted, "--key-file", one), [{"n": 200}])
    equal(sql(store, counted, "--key-file", one, "--with-archive", archive), [{"n": 200}])
    daybook("restore", "--from", archive, "--store", store, "--key-file", one)
    equal(sql(store, counted, "--key-file", one), [{"n": 200}])


CHECKS = [
    keys_are_given_by_option_variable_and_settings,
    a_wrong_or_missing_key_is_said_and_not_shown,
    a_key_that_others_can_read_is_warned_of,
    a_plain_store_is_encrypted_and_gets_another_key,
    a_change_of_the_key_survives_being_killed,
    an_archive_has_the_key_of_its_store,
]
