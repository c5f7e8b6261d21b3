#!/usr/bin/env python3
"""Checks the hash chain of a store from its specification alone, without Daybook.

    verify_chain.py STORE [HEAD]

For both tables, the record of each commit is written again from its actions, hashed, and compared with the link in the
commit; records kept in `_chain/` stand for commits that were cleaned up. What the chain says is live must be on disk with
the same SHA-256 and as many rows. With HEAD, a hash noted earlier, the chain of events must go through it.
"""

import hashlib
import json
import sys
import urllib.parse
from pathlib import Path

import pyarrow.parquet

START = "0" * 64
# What a path in the log is not encoded in: printable ASCII without these.
ENCODED = "\"#%<>?[\\]^`{|}"
PLAIN = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in ENCODED)


class Broken(Exception):
    """Something is not as the chain says."""


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def bound(stats, which):
    value = (stats.get(which) or {}).get("ts")
    if value is None:
        return "-"
    return urllib.parse.quote(value if isinstance(value, str) else json.dumps(value), safe=PLAIN)


def file_line(name, action):
    tags = action.get("tags") or {}
    stats = json.loads(action.get("stats") or "{}")
    rows, hashes = str(tags.get("daybook.count", stats.get("numRecords", 0))), tags.get("daybook.rows") or "-"
    parts = [name, action["path"], tags.get("daybook.sha256") or "-", rows, hashes]
    if name == "add":
        parts += [tags.get("daybook.tree") or "-", bound(stats, "minValues"), bound(stats, "maxValues")]
    return " ".join(parts)


def taken_lines(taken):
    """What the record of a commit says that takes events out, or changes some."""
    note = json.dumps(taken["note"], ensure_ascii=False)
    lines = [f"taken {taken['why']} {taken['events']} {taken['rows_hash'] or '-'} {note}"]
    for name in ("fresh", "changed"):
        paths = (urllib.parse.quote(path, safe=PLAIN) for path in taken.get(name, []))
        lines += sorted((f"{name} {path}" for path in paths), key=str.encode)
    return lines


def jump_of(version):
    """Which version a record jumps back to: without the least of the numbers 2^n - 1 that it is the sum of."""
    rest = least = version
    while rest:
        least = 2 ** ((rest + 1).bit_length() - 1) - 1
        rest -= least
    return version - least


def record_text(version, link, actions, taken, shapes):
    """The text of a commit's record."""
    lines = {"add": [], "remove": [], "txn": [], "metaData": []}
    for name, action in actions:
        if name in ("add", "remove"):
            lines[name].append(file_line(name, action))
        elif name == "txn":
            lines[name].append(f"txn {json.dumps(action['appId'], ensure_ascii=False)} {action['version']}")
        elif name == "metaData":
            lines[name].append("schema " + sha256(action["schemaString"].encode()))
    text = ["daybook chain 1", f"previous {link['previous']}", f"jump {link['jump']}", f"version {version}"]
    text += [line for kind in lines.values() for line in sorted(kind, key=str.encode)]
    text += [f"shapes {shapes['files']} {shapes['sha256']}"] if shapes else []
    text += taken_lines(taken) if taken else []
    return "".join(line + "\n" for line in text)


def commit_record(version, path):
    """The record of a commit: its text, its hash and the one before; none if another program wrote it."""
    lines = path.read_text(encoding="utf-8").splitlines()
    actions = [action for line in lines if line.strip() for action in json.loads(line).items()]
    info = next((action for name, action in actions if name == "commitInfo"), {})
    if "daybook" not in info:
        return None
    daybook = info["daybook"]
    if daybook["lines"] != len(actions):
        raise Broken(f"`{path.name}` has {len(actions)} lines, not {daybook['lines']}")
    link, said = daybook["chain"], (daybook.get("taken"), daybook.get("shapes"))
    return record_text(version, link, actions, *said), link["hash"], link["previous"]


def records(table):
    """Each record of a table, in order: version, text, hash, the hash before."""
    kept = {int(path.stem): path for path in (table / "_chain").glob("*.json")}
    commits = {int(path.stem): path for path in (table / "_delta_log").glob("*.json") if path.stem.isdigit()}
    versions = sorted(set(kept) | set(commits))
    if versions != list(range(len(versions))):
        raise Broken(f"`{table}` lacks commits or records: there are {versions}")
    for version in versions:
        record = commit_record(version, commits[version]) if version in commits else None
        if version in kept:
            content = json.loads(kept[version].read_text(encoding="utf-8"))
            of_kept = (content["text"], content["hash"], content["previous"])
            if record not in (None, of_kept):
                raise Broken(f"the kept record of version {version} differs from the commit")
            record = of_kept
        if record:
            yield version, *record


def check_events(text, version):
    """Whether a record that removes files of events accounts for each of their rows, by number and by hash."""
    words = [line.split(" ") for line in text.splitlines()[4:]]
    new = {parts[1] for parts in words if parts[0] in ("fresh", "changed")}
    went = [(int(parts[3]), parts[4]) for parts in words if parts[0] == "remove"]
    stay = [(int(parts[3]), parts[4]) for parts in words if parts[0] == "add" and parts[1] not in new]
    stay += [(int(parts[2]), parts[3]) for parts in words if parts[0] == "taken"]
    if went and sum(rows for rows, _ in went) != sum(rows for rows, _ in stay):
        raise Broken(f"version {version} removes other events than it says")
    if went and "-" not in {digest for _, digest in went + stay}:
        of_went, of_stay = (sum(int.from_bytes(bytes.fromhex(text), "little") for _, text in x) for x in (went, stay))
        if (of_went - of_stay) % 2**2048:
            raise Broken(f"version {version} removes other events than it says")


def check_table(table):
    """The hashes of a table's records, and its live files as the chain has them."""
    heads, previous, live = [], START, {}
    for version, text, claimed, link in records(table):
        if link != previous:
            raise Broken(f"version {version} goes on from {link}, not from {previous}")
        if sha256(text.encode()) != claimed:
            raise Broken(f"version {version} was altered: its record does not hash to {claimed}")
        jump = heads[jump_of(version)] if version else START
        if text.splitlines()[2:4] != [f"jump {jump}", f"version {version}"]:
            raise Broken(f"the record of version {version} is of another version, or jumps elsewhere")
        follow(live, text, version)
        if table.name != "_quarantine":
            check_events(text, version)
        check_shapes(table, text, version)
        previous = claimed
        heads.append(claimed)
    for path, (digest, rows) in sorted(live.items()):
        check_file(table, path, digest, rows)
    return heads, live


def check_shapes(table, text, version):
    for count, digest in (line.split(" ")[1:] for line in text.splitlines() if line.startswith("shapes ")):
        files = [path.read_bytes() for path in sorted((table / "_shapes").glob("*.json"))[: int(count)]]
        if not any(file.startswith(b"DBKSEAL1") for file in files) and sha256(b"".join(files)) != digest:
            raise Broken(f"the catalogue is not what it was at version {version}")


def follow(live, text, version):
    """Takes the files that a record adds and removes into account."""
    words = [line.split(" ") for line in text.splitlines()]
    for path in (parts[1] for parts in words if parts[0] == "remove"):
        if live.pop(path, None) is None:
            raise Broken(f"version {version} removes `{path}`, which is not live")
    live.update((parts[1], (parts[2], int(parts[3]))) for parts in words if parts[0] == "add")


def check_file(table, path, digest, rows):
    file = table / urllib.parse.unquote(path)
    data = file.read_bytes() if file.is_file() else b""
    if sha256(data) != digest:
        raise Broken(f"`{file}` is gone or was altered: its SHA-256 is not {digest}")
    if data[:4] != b"PARE" and pyarrow.parquet.read_metadata(file).num_rows != rows:
        raise Broken(f"`{file}` does not have {rows} rows")


def verify(store, head=None):
    """What was checked, as a sentence a table. Raises `Broken` where something is not as the chain says."""
    said = []
    for name, table in (("events", Path(store)), ("quarantine", Path(store) / "_quarantine")):
        heads, live = check_table(table)
        if not heads:
            raise Broken(f"`{table}` has no chain")
        if name == "events" and head and head not in heads:
            raise Broken(f"the chain does not go through {head}")
        said.append(f"{name}: {len(heads)} commits, {len(live)} files, {sum(rows for _, rows in live.values())} rows, head {heads[-1]}")
    return said


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    try:
        print("\n".join(verify(*sys.argv[1:])))
    except Broken as broken:
        sys.exit(f"broken: {broken}")
