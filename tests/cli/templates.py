"""`daybook patterns templates`: the templates of text logs, what stands in their parameters, and what differs."""

import json
import random
from datetime import datetime, timedelta, timezone

from harness import daybook, equal, start

START = datetime(2026, 3, 2, tzinfo=timezone.utc)
USERS = ["anna", "ben", "carl", "dora", "emil", "fritz", "gisa", "hans"]


def line(rng, day, text):
    """A line of a system log, which has its own format of times."""
    moment = START + timedelta(days=day, seconds=rng.randrange(86_400))
    return moment, f"{moment:%b} {moment.day:2} {moment:%H:%M:%S} web1 {text}"


def log(rng, days, shares):
    """Lines of some days: for each share of the day's lines, what makes one."""
    made = []
    for day in days:
        for count, make in shares:
            made += [line(rng, day, make()) for _ in range(count)]
    return "".join(f"{text}\n" for _, text in sorted(made)).encode()


def makers(rng):
    return {
        "accepted": lambda: f"sshd[{rng.randrange(9999)}]: Accepted password for {rng.choice(USERS)} from 10.0.{rng.randrange(4)}.{rng.randrange(250)} port {rng.randrange(1024, 65000)} ssh2",
        "failed": lambda: f"sshd[{rng.randrange(9999)}]: Failed password for {rng.choice(USERS)} from 10.0.0.{rng.randrange(9)} port {rng.randrange(1024, 65000)} ssh2",
        "job": lambda: f"cron[{rng.randrange(9999)}]: Job {rng.randrange(16**12):012x} wrote /var/log/{rng.choice('abcd')}.log in {rng.randrange(500)} ms",
        "old": lambda: "cron[7]: The old task is done",
        "new": lambda: f"cron[7]: The new task took {rng.randrange(90)} s",
    }


def stored(folder, name, *texts):
    for number, text in enumerate(texts):
        path = folder / f"{name}{number}.log"
        path.write_bytes(text)
        daybook("ingest", path, "--store", folder / name, "-q", "--from", "syslog")
    return folder / name


def asked(store, *words, code=0):
    return daybook("patterns", "templates", *words, "--json", "--store", store, code=code).json


def by_text(report):
    return {template["template"]: template for template in report["templates"]}


def templates_of_a_text_log(folder):
    rng = random.Random(1)
    make = makers(rng)
    store = stored(folder, "s", log(rng, range(10), [(60, make["accepted"]), (30, make["failed"]), (20, make["job"])]))
    report = asked(store)
    equal([template["events"] for template in report["templates"]], [600, 300, 200])
    equal(sum(template["events"] for template in report["templates"]) + report["without"], 1100)
    found = by_text(report)
    accepted = found["Accepted password for <*> from <*> port <*> ssh2"]
    told = [(one["after"], one["kind"], one["exact"]) for one in accepted["parameters"]]
    equal(told, [("for", "word", True), ("from", "ip", True), ("port", "number", True)])
    users, addresses, ports = accepted["parameters"]
    equal(users["distinct"], 8)
    assert 300 < addresses["distinct"] <= 600 and len(ports["top"]) == 5 and ports["range"][0] >= 1024, accepted
    equal([one["kind"] for one in found["Job <*> wrote <*> in <*> ms"]["parameters"]], ["hex", "path", "number"])
    first, last = (datetime.fromisoformat(accepted[name]) for name in ("first", "last"))
    times = daybook("sql", f"SELECT min(ts) AS f, max(ts) AS l FROM events WHERE template = '{accepted['id']}'", "--json", "--store", store).json[0]
    equal([first, last], [datetime.fromisoformat(time) for time in (times["f"], times["l"])])
    # The source is the program; the command shows all of the events.
    equal(accepted["source"], "sshd")
    shown = daybook(*accepted["show"], "--limit", "5000", "--json", "--store", store).json
    equal(len(shown["events"]), 600)
    assert accepted["example"] in {event["message"] for event in shown["events"]}, accepted
    # One template, by the beginning of its id, in words.
    text = daybook("patterns", "templates", "--template", accepted["id"][:8], "--store", store).out
    for expected in (accepted["id"], "600 (54.5 %", "of all messages", "anna (", "search"):
        assert expected in text, (expected, text)
    listed = daybook("patterns", "templates", "--store", store).out
    assert "3 templates of 1,100 events" in listed and "word 8, ip" in listed, listed
    # Of some events only, and of none.
    some = asked(store, "source:cron")
    equal([template["events"] for template in some["templates"]], [200])
    equal(asked(store, "source:nobody")["templates"], [])
    assert "no event with a template" in daybook("patterns", "templates", "source:nobody", "--store", store).err
    for words in (["--template", "zz"], ["--template", ""]):
        assert "hint" in daybook("patterns", "templates", *words, "--store", store, code=1).err
    daybook("patterns", "templates", "--template", "a", "--rare", "--store", store, code=2)


def what_is_new_what_is_rare_and_what_differs(folder):
    rng = random.Random(2)
    make = makers(rng)
    usual = [(60, make["accepted"]), (20, make["job"])]
    before = log(rng, range(14), [*usual, (10, make["failed"]), (5, make["old"])])
    after = log(rng, range(14, 28), [*usual, (30, make["failed"]), (3, make["new"])])
    store = stored(folder, "s", before, after)
    middle = (START + timedelta(days=14)).date().isoformat()
    equal([one["template"] for one in asked(store, "--new-since", middle)["templates"]], ["The new task took <*> s"])
    equal(asked(store, "--new-since", "2027-01-01")["templates"], [])
    equal([one["events"] for one in asked(store, "--rare", "-n", "2")["templates"]], [42, 70])
    compared = {one["template"]: one for one in asked(store, "--compare", f"until:{middle}", f"since:{middle}")["compared"]}
    changes = {text: (one["change"], one["events"]) for text, one in compared.items()}
    failed = "Failed password for <*> from <*> port <*> ssh2"
    equal(changes.pop("The old task is done"), ("vanished", [70, 0]))
    equal(changes.pop("The new task took <*> s"), ("appeared", [0, 42]))
    equal(changes.pop(failed), ("more", [140, 420]))
    # Others have a smaller share, since there is more in all; nothing appears that was there.
    assert all(change == "less" for change, _ in changes.values()), changes
    assert compared[failed]["p"] < 1e-9 and abs(compared[failed]["shares"][0] - 140 / (14 * 95)) < 1e-9, compared
    text = daybook("patterns", "templates", "--compare", f"until:{middle}", f"since:{middle}", "--store", store).out
    assert "appeared" in text and "vanished" in text, text
    # Two halves of the same are not different: of twenty such comparisons, at most one may say so.
    alarms = 0
    for seed in range(20):
        rng = random.Random(seed)
        parts = [json.dumps({"ts": START.isoformat(), "half": rng.randrange(2), "message": f"{rng.choice(USERS)} {rng.choice(['came in', 'went out', 'sat down'])}"}) for _ in range(2000)]
        (folder / "half.jsonl").write_text("\n".join(parts))
        daybook("ingest", folder / "half.jsonl", "--store", folder / f"h{seed}", "-q")
        alarms += bool(asked(folder / f"h{seed}", "--compare", "half:0", "half:1")["compared"])
    assert alarms <= 1, alarms


def old_ids_go_on_to_work(folder):
    rng = random.Random(3)
    make = makers(rng)
    few = log(rng, range(1), [(3, lambda: "sshd[1]: Session of anna went on for 5 min")])
    many = log(rng, range(1, 5), [(40, lambda: f"sshd[1]: Session of {rng.choice(USERS)} went on for {rng.randrange(9)} min"), (5, make["job"])])
    store = stored(folder, "s", few, many)
    old = daybook("sql", "SELECT id FROM templates WHERE template LIKE 'Session of anna%'", "--json", "--store", store).json[0]["id"]
    now = by_text(asked(store))["Session of <*> went on for <*> min"]
    equal(now["events"], 163)
    assert old != now["id"]
    for words in ([f"template:{old}"], ["--template", old]):
        equal([(one["id"], one["events"]) for one in asked(store, *words)["templates"]], [(now["id"], 163)], words)
    equal(len(daybook("search", f"template:{old}", "--limit", "500", "--json", "--store", store).json["events"]), 163)
    equal(daybook("stats", "--filter", f"-template:{old}", "--json", "--store", store).json["total"], 20)


def processes_that_meet_a_template_at_once_give_it_one_id(folder):
    text = "".join(json.dumps({"ts": START.isoformat(), "message": f"Took {at} ms to build /srv/{at}"}) + "\n" for at in range(3000))
    for number in range(4):
        (folder / f"{number}.jsonl").write_text(text.replace("build", "build" if number % 2 else "fetch") + f'{{"n": {number}, "ts": "{START.isoformat()}"}}\n')
    daybook("ingest", "-", "--store", folder / "s", "-q", stdin=b'{"ts":"2026-01-01T00:00:00Z","message":"nothing else"}\n')
    running = [start("ingest", folder / f"{number}.jsonl", "--store", folder / "s", "-q") for number in range(4)]
    for process in running:
        process.communicate(timeout=120)
        equal(process.returncode, 0)
    rows = daybook("sql", "SELECT template, count(*) AS n FROM templates GROUP BY 1 ORDER BY 1", "--json", "--store", folder / "s").json
    equal([(row["template"], row["n"]) for row in rows], [("Took <*> ms to build <*>", 1), ("Took <*> ms to fetch <*>", 1), ("nothing else", 1)])
    equal([one["events"] for one in asked(folder / "s")["templates"]], [6000, 6000, 1])


def awkward_messages_are_no_harm(folder):
    words = ["".join(chr(103 + (number >> shift & 15)) for shift in (0, 4, 8, 12)) for number in range(0, 65536, 7)]
    messages = {
        "large": ["a" * (1 << 20), "word " * 200_000, "1 " * (1 << 19), "{" + "\"k\":{" * 100_000],
        "short": ["a", "", " ", "\u0000", "\u001b", "\u202e"] * 10,
        "binary": ["".join(map(chr, range(256))) * 20, "\ufffd\ufffd" * 1000, "\ud7ff" * 3],
        "json": [json.dumps({"a": at, "b": {"c": [1, 2, at]}, "d": None}) for at in range(50)],
        "spaceless": ["x" * at for at in range(1, 400)] + [f"a,b;c|{at}|d" for at in range(50)],
        "many": [f"{words[at % 9000]} {words[at * 31 % 9001]} {words[at * 17 % 8999]} x" for at in range(100_000)],
    }
    for name, texts in messages.items():
        # All at one instant, and one of them far back.
        times = [START.isoformat() if at != 1 else "2001-01-01T00:00:00Z" for at in range(len(texts))]
        path = folder / f"{name}.jsonl"
        path.write_text("".join(json.dumps({"ts": time, "message": text}) + "\n" for time, text in zip(times, texts)))
        store = folder / f"s-{name}"
        daybook("ingest", path, "--store", store, "-q")
        report = asked(store, "-n", "100000")
        equal(sum(one["events"] for one in report["templates"]) + report["without"], len(texts), name)
        for words_ in ([], ["--rare"], ["--template", report["templates"][0]["id"]], ["--compare", "until:2020-01-01", "*"]):
            done = daybook("patterns", "templates", *words_, "--store", store)
            assert not any(char in done.out + done.err for char in "\x1b\x00\u202e"), (name, words_)
        messages[name] = report
    shape = messages["json"]["templates"][0]
    equal((shape["template"], shape["events"]), ('{"a": <*>, "b": {"c": [<*>]}, "d": <*>}', 50))
    equal([(one["after"], one["kind"], one["distinct"]) for one in shape["parameters"]], [("a", "number", 50), ("c", "word", 50), ("d", "word", 1)])
    assert all(len(one["template"]) < 10_000 for one in messages["large"]["templates"]), "a template is no longer than what is looked at"
    folded = sum(one["events"] for one in messages["many"]["templates"] if one.get("folded"))
    assert 0 < folded < 100_000 and any("first words" in note for note in messages["many"]["notes"]), (folded, messages["many"]["notes"])


CHECKS = [
    templates_of_a_text_log, what_is_new_what_is_rare_and_what_differs, old_ids_go_on_to_work,
    processes_that_meet_a_template_at_once_give_it_one_id, awkward_messages_are_no_harm,
]
