#!/usr/bin/env python3
"""Checks a proof of an event from its specification alone, without Daybook and without the store.

    verify_proof.py PROOF HEAD

HEAD is what `daybook proof` printed, kept elsewhere since. What is printed is the event's leaves.
"""

import hashlib
import json
import struct
import sys


class Broken(Exception):
    """The proof does not prove anything."""


def sha256(data):
    return hashlib.sha256(data).digest()


def counted(data):
    return struct.pack("<I", len(data)) + data


def row_hash(event):
    """The hash of the event's row, from its leaves."""
    content = b""
    for keys, tag, value in event["leaves"]:
        if tag == "T" and value != str(event["ts"]):
            raise Broken("the event's time is another one")
        content += counted(b"".join(counted(key.encode()) for key in keys)) + tag.encode() + counted(value.encode())
    return sha256(b"daybook row\n" + struct.pack("<qq", event["seq"], event["ts"]) + sha256(content))


def root(leaf, row, rows, path):
    """The root of the tree of so many rows, from one of them and the hashes beside its way up."""
    last = rows - 1
    if not 0 <= row <= last:
        raise Broken("the file has no such row")
    for beside in path:
        if last == 0:
            raise Broken("the way up is too long")
        if row % 2 or row == last:
            leaf = sha256(b"daybook node\n" + beside + leaf)
            while row % 2 == 0 and row:
                row, last = row // 2, last // 2
        else:
            leaf = sha256(b"daybook node\n" + leaf + beside)
        row, last = row // 2, last // 2
    if last:
        raise Broken("the way up is too short")
    return leaf


def check(proof, head):
    """Raises `Broken` unless the proof leads from the event to the head."""
    first, *later = proof["records"]
    added = [line.split(" ") for line in first.splitlines() if line.startswith(f"add {proof['file']} ")]
    if len(added) != 1 or not first.startswith("daybook chain 1\n"):
        raise Broken("no commit adds the file")
    path = [bytes.fromhex(text) for text in proof["path"]]
    if root(row_hash(proof["event"]), proof["row"], int(added[0][3]), path).hex() != added[0][5]:
        raise Broken("the event is not in the file")
    last = sha256(first.encode()).hex()
    for record in later:
        if not {f"previous {last}", f"jump {last}"} & set(record.splitlines()[1:3]):
            raise Broken("a record does not name the one before it")
        last = sha256(record.encode()).hex()
    if last != head.split(":")[2]:
        raise Broken("the proof does not lead to the head")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        proof = json.load(file)
    try:
        check(proof, sys.argv[2])
    except Broken as broken:
        sys.exit(f"broken: {broken}")
    print(json.dumps(proof["event"]["leaves"], ensure_ascii=True))
