"""`daybook patterns`: what is planted in made-up events is found, what is not there is not, and no input harms."""

import json
import math
import random
from datetime import datetime, timedelta, timezone

from harness import daybook, equal

START = datetime(2026, 1, 5, tzinfo=timezone.utc)
DAYS = 90
BURST, QUIET = (40, 14), (60, 72)


def poisson(rng, mean):
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product, count = product * rng.random(), count + 1
    return count


def events(rng, planted):
    """Requests by the hour, heartbeats, a nightly job, sessions of a shop, actors at work."""
    made = []

    def add(moment, kind, **fields):
        made.append({"ts": moment.isoformat(), "kind": kind, **fields})

    for hour in range(DAYS * 24):
        moment = START + timedelta(hours=hour)
        day = hour // 24
        mean = 6 * (1 + 0.8 * math.cos((hour % 24 - 14) / 24 * math.tau)) * (0.3 if day % 7 >= 5 else 1)
        burst = planted and (day, hour % 24) == BURST
        for _ in range(poisson(rng, mean) + (80 if burst else 0)):
            add(moment + timedelta(seconds=rng.random() * 3600), "request", source="web")
        if not (planted and QUIET[0] * 24 <= hour < QUIET[1] * 24):
            for _ in range(poisson(rng, 1)):
                add(moment + timedelta(seconds=rng.random() * 3600), "sync", source="worker")
    for day in range(DAYS):
        if not (planted and day in (30, 55)):
            add(START + timedelta(days=day, hours=2, seconds=rng.random() * 20), "backup")
        for actor in ("ann", "bob", "eve"):
            for hour in (9, 11, 15):
                begin = START + timedelta(days=day, hours=hour, minutes=rng.random() * 59)
                add(begin, rng.choice(["read", "write"]), actor=actor, entity_type="page", entity_id=str(rng.randrange(40)))
    for number in range(DAYS * 18):
        moment = START + timedelta(minutes=(number + rng.random()) * 80)
        path = ["login", "list", "open", "save", "logout"] if rng.random() < 0.7 else ["login", "list", "list", "logout"]
        if planted and number == 700:
            path = ["logout", "save", "login", "open", "list", "save", "login"]
        for step, kind in enumerate(path):
            add(moment + timedelta(seconds=10 * step), kind, session=f"s{number}")
    if planted:
        for number in range(60):
            add(START + timedelta(days=70, hours=3, seconds=10 * number), "delete", actor="bob", entity_type="key", entity_id=str(number))
    return made


def filled(folder, made, name="e"):
    (folder / f"{name}.jsonl").write_text("".join(json.dumps(event) + "\n" for event in made))
    daybook("ingest", folder / f"{name}.jsonl", "--store", folder / f"s-{name}", "-q")
    return folder / f"s-{name}"


def asked(store, *words, code=0):
    return daybook("patterns", *words, "--json", "--store", store, code=code).json


def what_is_planted_is_found(folder):
    store = filled(folder, events(random.Random(1), planted=True))
    findings = asked(store, "-n", "20")["findings"]
    told = {(finding["what"], finding["about"]) for finding in findings}
    for expected in [
        ("burst", "kind:request"), ("silence", "kind:sync"), ("missed", "kind:backup"), ("session", "session:s700"),
        ("actor", "actor:bob"),
    ]:
        alike = {(what, name) for finding in findings for what in [finding["what"]] for name in [finding["about"], *finding.get("also", [])]}
        assert expected in alike, (expected, told)
    burst = next(finding for finding in findings if (finding["what"], finding["about"]) == ("burst", "kind:request") or "kind:request" in finding.get("also", []))
    assert burst["from"].startswith("2026-02-14T1"), burst
    # Each command shows events.
    for finding in findings:
        done = daybook(*finding["show"], "--json", "--store", store).json
        assert done.get("events") or done.get("buckets"), finding
        # No more and no fewer than were counted.
        if finding["what"] in ("burst", "actor"):
            equal(daybook("stats", *finding["show"][1:], "--json", "--store", store).json["total"], finding["seen"], finding)
        if finding["what"] == "session":
            equal(len(done["events"]), 7, finding)
    # All of it is one screen, with the command of each finding in it.
    screen = daybook("patterns", "--store", store)
    assert len(screen.lines) <= 45, len(screen.lines)
    for finding in asked(store)["findings"]:
        assert f" {finding['show'][0]} --store {store} " in screen.out and finding["about"] in screen.out, (finding, screen.out)
    rhythms = {rhythm["value"]: rhythm for rhythm in asked(store, "rhythms")["rhythms"]}
    backup = rhythms["backup"]
    equal([backup["every"], backup["turns"], backup["missed"]], ["daily at 02:00", 90, 2])
    equal([time[:10] for time in backup["missed_at"]], ["2026-02-04", "2026-03-01"])
    pairs = {(pair["first"], pair["then"]): pair for pair in asked(store, "sequences", "-n", "50")["pairs"]}
    assert pairs["open", "save"]["confidence"] > 0.99 and pairs["open", "save"]["seconds_median"] == 10, pairs
    equal([session["session"] for session in asked(store, "sequences")["unusual"]], ["s700"])
    equal(asked(store, "actors")["unusual"][0]["actor"], "bob")


def where_nothing_is_planted_little_is_found(folder):
    found = 0
    for seed in range(4):
        store = filled(folder, events(random.Random(100 + seed), planted=False), str(seed))
        found += len(asked(store, "bursts")["findings"]) + len(asked(store, "sequences")["unusual"])
        found += len(asked(store, "actors")["unusual"])
        equal([rhythm["value"] for rhythm in asked(store, "rhythms")["rhythms"]], ["backup"])
    assert found <= 1, found


def awkward_events_are_no_harm(folder):
    def moment(second):
        return (START + timedelta(seconds=second)).isoformat()

    hostile = "\x1b[31mred'; DROP\u202e \"$(x)\" -- \x00"
    cases = {
        "empty": [],
        "one": [{"ts": moment(0), "kind": "a", "actor": "x", "session": "s"}],
        "instant": [{"ts": moment(0), "kind": f"k{n % 3}", "session": "s", "actor": "x", "entity_id": "e"} for n in range(1000)],
        "back": [{"ts": moment(-n * 3600 if n % 2 else n), "kind": "a", "session": "s"} for n in range(1000)],
        "far": [{"ts": moment(n * 60), "kind": "a"} for n in range(1000)] + [{"ts": "1971-01-01T00:00:00Z", "kind": "a"}, {"ts": "2190-01-01T00:00:00Z", "kind": "a"}],
        "long": [{"ts": moment(n), "kind": f"k{n % 7}", "session": "one"} for n in range(20_000)],
        "short": [{"ts": moment(n), "kind": f"k{n % 7}", "session": f"s{n}"} for n in range(20_000)],
        "kinds": [{"ts": moment(n), "kind": f"k{n}", "actor": f"a{n}", "entity_id": f"e{n}"} for n in range(10_000)],
        "hostile": [{"ts": moment(n * 300), "kind": hostile if n % 2 else "a", "session": hostile, "actor": hostile, "entity_id": hostile, "source": hostile} for n in range(500)],
    }
    for name, made in cases.items():
        store = filled(folder, [*made, {"ts": moment(0), "kind": "other"}] if not made else made, name)
        words = ["kind:nothing"] if name == "empty" else []
        for what in ([], ["bursts"], ["sequences"], ["rhythms"], ["changes"], ["actors"], ["templates"]):
            done = daybook("patterns", *what, *words, "--store", store)
            assert "\x1b" not in done.out + done.err and "\u202e" not in done.out + done.err, done
        asked(store, *words)
    assert any("left out" in sentence for sentence in asked(folder / "s-far", "bursts")["left_out"])
    assert any("are not" in sentence for sentence in asked(folder / "s-kinds", "bursts")["left_out"])
    assert "no event matches" in daybook("patterns", "kind:nothing", "--store", folder / "s-empty").err


def wrong_arguments_are_exit_code_two(folder):
    store = filled(folder, [{"ts": START.isoformat(), "kind": "a"}])
    for words in (["--alarm", "0"], ["bursts", "--alarm", "2"], ["templates", "--compare", "a"], ["sequences", "knd:x"], ["templates", "--compare", "(", "b"]):
        daybook("patterns", *words, "--store", store, code=2)
    assert "`knd`" in daybook("patterns", "rhythms", "--by", "knd", "--store", store, code=2).err
    assert "no event has a template" in daybook("patterns", "templates", "--store", store).err


CHECKS = [
    what_is_planted_is_found, where_nothing_is_planted_little_is_found, awkward_events_are_no_harm,
    wrong_arguments_are_exit_code_two,
]
