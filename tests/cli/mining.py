"""`daybook mine`: templates of messages, one a line."""

import gzip
import json
import signal

from harness import daybook, equal, start

LINES = b"Took 12 ms to build /srv/a\nTook 7 ms  to build /srv/b\r\n\nnothing else"


def assigned(*words, stdin=b""):
    return [tuple(line.split("\t")) for line in daybook("mine", *words, "--assign", stdin=stdin).lines]


def each_line_gets_the_id_and_the_text_of_its_template(folder):
    (folder / "a.txt").write_bytes(LINES)
    rows = assigned(folder / "a.txt")
    equal([template for _, template in rows], ["Took <*> ms to build <*>"] * 2 + ["", "nothing else"])
    equal(rows[0][0], rows[1][0])
    assert len({identity for identity, _ in rows}) == 3 and all(len(identity) == 16 for identity, _ in rows), rows
    equal(assigned("-", stdin=LINES), rows)
    (folder / "a.txt.gz").write_bytes(gzip.compress(LINES))
    equal(assigned(folder / "a.txt.gz"), rows)
    equal(assigned("-", stdin=b"Took 1 s to wait\n" + LINES)[1:], rows, "the id of a template in another input")
    objects = [json.loads(line) for line in daybook("mine", folder / "a.txt", "--assign", "--json").lines]
    equal([(row["id"], row["template"]) for row in objects], rows)
    daybook("mine", folder / "a.txt", "--assign", "--store", folder / "s")
    assert not (folder / "s").exists()


def templates_are_counted_with_an_example(folder):
    (folder / "a.txt").write_bytes(LINES)
    done = daybook("mine", folder / "a.txt")
    assert "2  " in done.lines[0] and done.lines[0].endswith("Took <*> ms to build <*>"), done
    assert done.lines[1].strip() == "Took 12 ms to build /srv/a", done
    found = daybook("mine", folder / "a.txt", "--json").json
    equal((found["messages"], found["folded"], [row["count"] for row in found["templates"]]), (4, 0, [2, 1, 1]))
    kinds = [(parameter["kind"], parameter["value"]) for parameter in found["templates"][0]["parameters"]]
    equal(kinds, [("number", "12"), ("path", "/srv/a")])


def bad_input_is_refused_or_survived(folder):
    assert "cannot open" in daybook("mine", folder / "none", code=1).err
    assert "folder" in daybook("mine", folder, code=1).err
    daybook("mine", code=2)
    equal(daybook("mine", "-", "--assign").out, "")
    equal(daybook("mine", "-", "--json").json, {"messages": 0, "templates": [], "folded": 0})
    binary = bytes(range(256)) * 100
    equal(len(assigned("-", stdin=binary)), binary.count(b"\n") + 1)
    shown = daybook("mine", "-", stdin=b"\x1b[31mred \xff\xfe \xe2\x80\xaeback\n")
    assert "\x1b" not in shown.out and "\u202e" not in shown.out, shown
    big = b"a" * (1 << 20) + b"\n" + b"a b " * (1 << 18) + b"\n" + b'{"k":' * 1000 + b"\nx\n"
    rows = assigned("-", stdin=big)
    equal((len(rows), rows[0][1], rows[3][1]), (4, "<*>", "x"))
    equal([row[1] for row in assigned("-", stdin=b'{"a":1,"b":[2]}\n{"a": "x", "b": []}\n')], ['{"a": <*>, "b": [<*>]}'] * 2)


def too_many_templates_are_folded_and_counted(folder):
    words = ["".join(chr(103 + (number >> shift & 15)) for shift in (0, 4, 8, 12)) for number in range(0, 65536, 7)]
    lines = [f"{words[at % 9000]} {words[at * 31 % 9001]} {words[at * 17 % 8999]} x" for at in range(120_000)]
    done = daybook("mine", "-", "--json", stdin="\n".join(lines).encode())
    equal(sum(row["count"] for row in done.json["templates"]), len(lines))
    assert done.json["folded"] > 0, done.json["folded"]
    assert "too many different" in daybook("mine", "-", stdin="\n".join(lines).encode()).err


def ctrl_c_ends_it(folder):
    process = start("mine", "-", "--assign")
    # More than a pipe holds: what was written has been read.
    process.stdin.write(b"a 1\n" * 1_000_000)
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    equal(process.returncode, 130, err)


CHECKS = [
    each_line_gets_the_id_and_the_text_of_its_template, templates_are_counted_with_an_example,
    bad_input_is_refused_or_survived, too_many_templates_are_folded_and_counted, ctrl_c_ends_it,
]
