"""Stores and archives in buckets, on a real server that also fails."""

import base64
import os
import random
import signal
import subprocess
import time

from harness import PROGRAM, daybook, environment, equal
from s3 import KEYS, Client, Proxy, error, every, once

OURS = "source IS DISTINCT FROM 'daybook'"


def lines(day, count, name="x"):
    return "".join(f'{{"ts":"2026-02-{day:02}T10:{at % 60:02}:00Z","kind":"k","actor":"a{at % 7}","id":"{name}-{day}-{at}"}}\n' for at in range(count))


def inputs(folder, name="in", days=(1, 2, 3), count=40):
    path = folder / f"{name}.jsonl"
    path.write_text("".join(lines(day, count, name) for day in days))
    return path


def events(store, surroundings, *options):
    query = f"SELECT count(*)::BIGINT AS n, count(DISTINCT event_id)::BIGINT AS ids FROM events WHERE {OURS}"
    row = daybook("sql", query, "--json", "--store", store, *options, **surroundings).json[0]
    return int(row["n"]), int(row["ids"])


def is_intact(store, surroundings):
    done = daybook("verify", "--deep", "--store", store, **surroundings)
    assert "intact" in done.out, done


def a_store_in_a_bucket_answers_as_any(folder):
    client = Client(folder)
    around, store = client.environment(), client.url("a/store")
    path = inputs(folder)
    daybook("ingest", path, "--store", store, **around)
    assert "0 stored, 120 duplicate" in daybook("ingest", path, "--store", store, **around).out
    equal(events(store, around), (120, 120))
    daybook("ingest", path, "--store", folder / "local")
    for question in (["stats"], ["search", "actor:a3"], ["schema"], ["timeline"], ["facets", "--by", "actor"], ["history", "actor:a1"]):
        here = daybook(*question, "--json", "--store", folder / "local")
        there = daybook(*question, "--json", "--store", store, **around)
        equal(len(there.out.splitlines()), len(here.out.splitlines()), question)
    for place, surroundings in ((store, around), (folder / "local", {})):
        equal(len(daybook("export", "-", "--store", place, **surroundings).lines), 120)
    is_intact(store, around)
    info = daybook("info", "--json", "--store", store, **around).json
    equal((info["path"], info["events"], info["days"]), (store, 120, 3))
    done = daybook("log", "kind", "hello", "--store", store, code=1, **around)
    assert "needs a local folder" in done.err and "hint:" in done.err, done
    equal([key for key in client.keys() if "/_wal" in key or "/_index" in key or ".tmp" in key], [])
    equal(list((folder / "cache/buckets/open").iterdir()), [])


def upkeep_of_a_store_in_a_bucket_keeps_its_events(folder):
    client = Client(folder)
    around, store = client.environment(), client.url("store")
    for name in ("one", "two"):
        daybook("ingest", inputs(folder, name), "--store", store, **around)
    assert "3 days compacted" in daybook("compact", "--store", store, **around).out
    equal(events(store, around), (240, 240))
    assert "would expire" in daybook("expire", "actor:a1", "--older-than", "1d", "--dry-run", "--store", store, **around).out
    gone = daybook("expire", "actor:a1", "--older-than", "1d", "--json", "--store", store, **around).json[0]["expired"]
    erased = daybook("erase", "actor:a2", "--reason", "x", "--json", "--store", store, **around).json["events"]
    equal(events(store, around)[0], 240 - gone - erased)
    daybook("maintain", "--store", store, **around)
    is_intact(store, around)
    daybook("backup", folder / "copy", "--store", store, **around)
    equal(events(folder / "copy", {})[0], 240 - gone - erased)
    assert "another upkeep" not in daybook("compact", "--store", store, **around).out
    equal(client.keys("store/_upkeep"), [])
    client.request("PUT", "store/_upkeep.lock", b"another machine\n1\n1\n")
    done = daybook("compact", "--store", store, code=1, **around)
    assert "another upkeep" in done.err, done


def an_archive_in_a_bucket_is_asked_and_comes_back(folder):
    client = Client(folder)
    around, archive, store = client.environment(), client.url("archive/2026"), folder / "live"
    daybook("ingest", inputs(folder), "--store", store)
    done = daybook("archive", "--quarter", "2026Q1", "--to", archive, "--store", store, **around)
    assert f"120 events of 3 days are in {archive}, read back and compared" in done.out, done
    equal(events(store, {})[0], 0)
    assert "nothing to archive" in daybook("archive", "--quarter", "2026Q1", "--to", archive, "--store", store, **around).out
    equal(events(archive, around), (120, 120))
    equal(events(store, around, "--with-archive", archive), (120, 120))
    is_intact(archive, around)
    # Days that come after the archive was made go into it, too.
    daybook("ingest", inputs(folder, "late"), "--store", store)
    equal(events(store, around, "--with-archive", archive), (240, 240))
    done = daybook("archive", "--month", "2026-02", "--to", archive, "--keep", "--store", store, **around)
    assert "stay here" in done.out, done
    equal(events(archive, around), (240, 240))
    equal(events(store, around, "--with-archive", archive), (240, 240))
    daybook("erase", "actor:a3", "--reason", "x", "--store", store)
    done = daybook("restore", "--from", archive, "--quarter", "2026Q1", "--store", store, **around)
    assert "erased here, and stay away" in done.out and "are here already" in done.out, done
    daybook("verify", "--store", store)
    before = events(archive, around)[0]
    daybook("erase", "actor:a4", "--reason", "x", "--with-archive", archive, "--store", store, **around)
    assert events(archive, around)[0] < before
    is_intact(archive, around)
    other = folder / "other"
    daybook("ingest", inputs(folder, "other"), "--store", other)
    assert "archive of another store" in daybook("archive", "--month", "2026-02", "--to", archive, "--store", other, code=1, **around).err
    client.request("PUT", "taken/letter.txt", b"x")
    assert "holds something else" in daybook("archive", "--month", "2026-02", "--to", client.url("taken"), "--store", other, code=1, **around).err
    equal(events(other, {}), (120, 120))
    equal(client.keys("taken"), ["taken/letter.txt"])


def maintenance_archives_to_a_bucket(folder):
    client = Client(folder)
    around, archive, store = client.environment(), client.url("archive"), folder / "live"
    daybook("ingest", inputs(folder), "--store", store)
    (store / "daybook.toml").write_text(f'[keep.archive]\nto = "{archive}"\nafter_quarters = 0\nkeep = true\n')
    assert "120 events of 3 days" in daybook("info", "--store", store, **around).out
    done = daybook("maintain", "--dry-run", "--store", store, **around)
    assert "120 events of 3 days" in done.out and "would be archived" in done.out, done
    assert "are in the archive, and stay here, too" in daybook("maintain", "--store", store, **around).out
    assert "archive" not in daybook("maintain", "--dry-run", "--store", store, **around).out
    (store / "daybook.toml").write_text(f'[keep.archive]\nto = "{archive}"\nafter_quarters = 0\n')
    assert "went to the archive" in daybook("maintain", "--store", store, **around).out
    equal(events(store, {})[0], 0)
    equal(events(store, around, "--with-archive", archive), (120, 120))


def an_archive_that_is_killed_is_made_whole_by_the_next_run(folder):
    client = Client(folder)
    store, archive = folder / "live", client.url("archive")
    daybook("ingest", inputs(folder), "--store", store)
    for at in range(2, 200, 9):
        running = []

        def kill():
            running[0].send_signal(signal.SIGKILL)
            running[0].wait()

        with Proxy(lambda method, path, number: ("stop", kill) if number == at else None) as proxy:
            around = environment(**client.environment(proxy))
            process = subprocess.Popen(
                [PROGRAM, "archive", "--quarter", "2026Q1", "--to", archive, "--store", str(store)],
                env=around, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )
            running.append(process)
            process.communicate(timeout=120)
        code = process.returncode
        around = client.environment()
        if client.keys("archive/_archive.json") and client.keys("archive/_delta_log/00000000000000000000.json"):
            equal(events(store, around, "--with-archive", archive), (120, 120), at)
        else:
            equal(events(store, {}), (120, 120), at)
        if code == 0:
            break
    assert code == 0 and at > 20, (code, at)
    is_intact(archive, around)
    is_intact(store, {})
    equal(events(archive, around), (120, 120))
    # Folders of those that were killed are gone.
    daybook("info", "--store", archive, **around)
    equal(list((folder / "cache/buckets/open").iterdir()), [])


def a_server_that_fails_now_and_then_is_asked_again(folder):
    client = Client(folder)
    faults = {
        "500": lambda: every(3, error(500, "InternalError")),
        "503": lambda: every(4, error(503, "SlowDown")),
        "slow": lambda: every(5, ("slow", 0.3)),
        "lost": lambda: every(5, ("lost", None)),
        # Each answer to a commit of version 1 is lost; it is made once all the same.
        "lost commits": lambda: once(("lost", None), "PUT", "00001.json", 2),
        "cut requests": lambda: every(3, ("cut request", 10), "PUT"),
        "cut answers": lambda: every(4, ("cut answer", None), "GET"),
    }
    for number, (name, fault) in enumerate(faults.items()):
        store, path = client.url(f"store-{number}"), inputs(folder, f"in-{number}")
        with Proxy(fault()) as proxy:
            around = client.environment(proxy)
            done = daybook("ingest", path, "--json", "--store", store, **around)
            equal(done.json["stored"], 120, name)
            equal(events(store, around), (120, 120), name)
            assert proxy.seen, name
        around = client.environment()
        equal(events(store, around), (120, 120), name)
        equal(len(client.keys(f"store-{number}/_delta_log/")), 2, name)
        equal(len(client.keys(f"store-{number}/day=")), 3, name)
        is_intact(store, around)


def a_server_that_says_when_is_asked_then(folder):
    client = Client(folder)
    fault = once(("answer", (503, {"Retry-After": "2"}, "")), "PUT", "part-")
    with Proxy(fault) as proxy:
        started = time.monotonic()
        daybook("ingest", inputs(folder), "--store", client.url("store"), **client.environment(proxy))
        assert time.monotonic() - started >= 2
    equal(events(client.url("store"), client.environment()), (120, 120))


def a_part_that_is_cut_off_is_sent_again(folder):
    client = Client(folder)
    random.seed(5)
    path, store = folder / "large.jsonl", client.url("store")
    with path.open("w") as out:
        for number in range(20_000):
            noise = base64.b64encode(random.randbytes(900)).decode()
            out.write(f'{{"ts":"2026-02-01T10:00:00Z","id":"{number}","noise":"{noise}"}}\n')
    fault = once(("cut request", 3_000_000), "PUT", "partNumber=2", 2)
    with Proxy(fault) as proxy:
        daybook("ingest", path, "--store", store, **client.environment(proxy))
        assert proxy.count("PUT", "partNumber=2") >= 3, proxy.seen
    around = client.environment()
    equal(events(store, around), (20_000, 20_000))
    is_intact(store, around)
    # The answer to the end of an upload is lost.
    (folder / "again.jsonl").write_bytes(path.read_bytes().replace(b'"id":"', b'"id":"again-'))
    with Proxy(once(("lost", None), "POST", "uploadId=", 1)) as proxy:
        daybook("ingest", folder / "again.jsonl", "--store", store, **client.environment(proxy))
    equal(events(store, around), (40_000, 40_000))


def a_server_that_is_down_leaves_a_store_as_it_was(folder):
    client = Client(folder)
    around, store = client.environment(), client.url("store")
    daybook("ingest", inputs(folder, "before"), "--store", store, **around)
    live, archive = folder / "live", client.url("archive")
    daybook("ingest", inputs(folder, "live"), "--store", live)
    for name, fault, words in [
        ("full", every(1, error(507, "XMinioStorageFull", "Storage backend has reached its minimum free drive threshold"), "PUT", "part-"), "make room"),
        ("quota", every(1, error(403, "QuotaExceeded", "too much"), "PUT", "part-"), "make room"),
        ("denied", every(1, error(403, "AccessDenied", "Access Denied"), "PUT", "part-"), "policy"),
        ("no commits", every(1, error(501, "NotImplemented", "no such header"), "PUT", "00002.json"), "conditional puts"),
    ]:
        with Proxy(fault) as proxy:
            done = daybook("ingest", inputs(folder, "after"), "--store", store, code=1, **client.environment(proxy))
            assert words in done.err, (name, done)
            if name == "quota":
                done = daybook("archive", "--month", "2026-02", "--to", archive, "--store", live, code=1, **client.environment(proxy))
                assert words in done.err, (name, done)
        equal(events(store, around), (120, 120), name)
        equal(events(live, {}), (120, 120), name)
        is_intact(store, around)
    daybook("ingest", inputs(folder, "after"), "--store", store, **around)
    equal(events(store, around), (240, 240))
    daybook("archive", "--month", "2026-02", "--to", archive, "--store", live, **around)
    equal(events(archive, around), (120, 120))


def writers_at_once_lose_nothing(folder):
    client = Client(folder)
    around, store = environment(**client.environment()), client.url("store")
    writers = []
    for number in range(6):
        path = inputs(folder, f"writer-{number}", count=20)
        command = [PROGRAM, "ingest", path, "--store", store]
        writers.append(subprocess.Popen(command, env=around, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    for writer in writers:
        out, err = writer.communicate(timeout=300)
        assert writer.returncode == 0, (out, err)
    equal(events(store, client.environment()), (360, 360))
    query = "SELECT count(DISTINCT seq)::BIGINT AS n FROM events"
    equal(int(daybook("sql", query, "--json", "--store", store, **client.environment()).json[0]["n"]), 360)
    is_intact(store, client.environment())


def what_is_wrong_is_said_soon_and_no_secret_is(folder):
    client = Client(folder)
    around = client.environment()
    secret = KEYS["AWS_SECRET_ACCESS_KEY"]
    cases = [
        ("s3://no-such-bucket-here/x", around, "NoSuchBucket"),
        (client.url("nothing"), around, "there is no store"),
        ("s3://", around, "does not name a bucket"),
        (f"s3://key:{secret}@bucket/x", around, "does not name a bucket"),
        ("s3://bucket/a//b", around, "prefix"),
        (client.url("x"), {**around, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "refused"),
        (client.url("x"), {**around, "AWS_ACCESS_KEY_ID": "", "AWS_PROFILE": "nobody", "HOME": str(folder)}, "no AWS profile `nobody`"),
        (client.url("x"), {**around, "DAYBOOK_CACHE_SIZE": "much"}, "DAYBOOK_CACHE_SIZE"),
        (client.url("x"), {**around, "DAYBOOK_CACHE": "/proc/nothing"}, "DAYBOOK_CACHE"),
    ]
    for code, status in (("InvalidAccessKeyId", 403), ("SignatureDoesNotMatch", 403), ("AccessDenied", 403), ("PermanentRedirect", 301)):
        proxy = Proxy(every(1, error(status, code, f"The key {chr(27)}[31m is wrong")))
        cases.append((client.url("x"), client.environment(proxy), code if status == 403 else "AWS_REGION"))
    for store, surroundings, words in cases:
        for command in (["info"], ["sql", "SELECT 1"], ["archive", "--month", "2026-01", "--to", store]):
            target = folder / "live" if command[0] == "archive" else store
            if command[0] == "archive":
                daybook("ingest", inputs(folder, days=(1,)), "--store", target)
                command = [*command[:2], "2026-02", *command[3:]]
                if "no store" in words:
                    continue
            started = time.monotonic()
            done = daybook(*command, "--store", target, code=1, **surroundings)
            assert time.monotonic() - started < 15, done
            assert words in done.err, (words, done)
            assert secret not in done.out + done.err and chr(27) not in done.err, done


def credentials_come_from_where_the_aws_tools_have_them(folder):
    client = Client(folder)
    (folder / "credentials").write_text("[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = s\n[work]\naws_access_key_id=AKIAWORK\naws_secret_access_key=s\naws_session_token=TOKEN\n")
    daybook("ingest", inputs(folder), "--store", client.url("s"), **client.environment())
    with Proxy() as proxy:
        for others, expected in [
            ({}, "Credential=AKIATESTING/"),
            ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "Credential=AKIADEFAULT/"),
            ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "work"}, "Credential=AKIAWORK/"),
        ]:
            proxy.seen.clear()
            around = client.environment(proxy, AWS_SHARED_CREDENTIALS_FILE=str(folder / "credentials"), **others)
            daybook("info", "--store", client.url("s"), **around)
            headers = [{name.lower(): text for name, text in seen.items()} for _, _, seen in proxy.seen]
            assert all(expected in seen["authorization"] for seen in headers), headers
            equal(all("x-amz-security-token" in seen for seen in headers), "AKIAWORK" in expected)


def what_was_fetched_is_kept_within_limits(folder):
    client = Client(folder)
    store = client.url("store")
    daybook("ingest", inputs(folder, count=2000), "--store", store, **client.environment())
    day = "SELECT count(*) AS n FROM events WHERE ts >= '2026-02-02' AND ts < '2026-02-03' AND actor = 'a1'"
    with Proxy() as proxy:
        around = client.environment(proxy)
        daybook("sql", day, "--store", store, **around)
        fetched = {path for method, path, _ in proxy.seen if method == "GET" and "part-" in path}
        equal((len(fetched), all("02-02" in path for path in fetched)), (1, True), fetched)
        before = proxy.count("GET", "part-")
        daybook("sql", day, "--store", store, **around)
        equal(proxy.count("GET", "part-"), before)
        # To verify is to read what the bucket has.
        daybook("verify", "--store", store, **around)
        assert proxy.count("GET", "part-") >= before + 3
    small = client.environment(DAYBOOK_CACHE_SIZE="10")
    done = daybook("sql", day, "--store", store, code=1, **small)
    assert "DAYBOOK_CACHE_SIZE" in done.err, done
    kept = list((folder / "cache/buckets/files").iterdir())
    assert kept and all(path.stat().st_mode & 0o077 == 0 for path in (folder / "cache/buckets").iterdir() if path.is_dir())


def an_object_that_was_altered_is_found(folder):
    client = Client(folder)
    around, store = client.environment(), client.url("store")
    daybook("ingest", inputs(folder), "--store", store, **around)
    equal(events(store, around), (120, 120))
    key = client.keys("store/day=2026-02-02")[0]
    content = client.request("GET", key)[1]
    client.request("PUT", key, content[:-200] + bytes(200))
    done = daybook("verify", "--store", store, code=1, **around)
    assert "other bytes than when it was committed" in done.out + done.err, done
    fresh = {**around, "DAYBOOK_CACHE": str(folder / "fresh")}
    done = daybook("sql", "SELECT sum(length(actor)) FROM events", "--store", store, code=1, **fresh)
    assert "other bytes than were written" in done.err, done
    client.request("DELETE", key)
    done = daybook("sql", "SELECT sum(length(actor)) FROM events", "--store", store, code=1, **fresh)
    assert "it is not there" in done.err, done


def an_encrypted_store_in_a_bucket_shows_nothing(folder):
    client = Client(folder)
    around, store, archive = client.environment(), client.url("store"), client.url("archive")
    (folder / "in.jsonl").write_text("".join(f'{{"ts":"2026-02-01T10:00:00Z","actor":"person4711","n":{at}}}\n' for at in range(50)))
    key = {**around, "DAYBOOK_KEY": "1a" * 32}
    daybook("ingest", folder / "in.jsonl", "--store", store, **key)
    daybook("archive", "--quarter", "2026Q1", "--keep", "--to", archive, "--store", store, **key)
    for place in (store, archive):
        equal(daybook("sql", "SELECT count(*)::INT AS n FROM events WHERE actor = 'person4711'", "--json", "--store", place, **key).json, [{"n": 50}])
        is_intact(place, key)
        done = daybook("sql", "SELECT 1", "--store", place, code=1, **around)
        assert "is encrypted" in done.err, done
    equal([name for name in client.keys() if b"person4711" in client.request("GET", name)[1]], [])
    cached = [path for path in (folder / "cache").rglob("*") if path.is_file()]
    assert cached and not any(b"person4711" in path.read_bytes() for path in cached), cached


CHECKS = [
    an_encrypted_store_in_a_bucket_shows_nothing,
    a_store_in_a_bucket_answers_as_any,
    upkeep_of_a_store_in_a_bucket_keeps_its_events,
    an_archive_in_a_bucket_is_asked_and_comes_back,
    maintenance_archives_to_a_bucket,
    an_archive_that_is_killed_is_made_whole_by_the_next_run,
    a_server_that_fails_now_and_then_is_asked_again,
    a_server_that_says_when_is_asked_then,
    a_part_that_is_cut_off_is_sent_again,
    a_server_that_is_down_leaves_a_store_as_it_was,
    writers_at_once_lose_nothing,
    what_is_wrong_is_said_soon_and_no_secret_is,
    credentials_come_from_where_the_aws_tools_have_them,
    what_was_fetched_is_kept_within_limits,
    an_object_that_was_altered_is_found,
]
