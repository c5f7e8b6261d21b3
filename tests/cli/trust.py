"""`daybook verify` and `daybook proof`: what was touched is named, and the exit code says so."""

import subprocess
import sys
from pathlib import Path

from harness import daybook, equal

ROOT = Path(__file__).resolve().parents[2]

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


def proven_without_daybook(proof, head):
    return subprocess.run([sys.executable, ROOT / "tests/verify_proof.py", proof, head], capture_output=True, text=True)


def an_event_is_proven_to_somebody_who_has_no_store(folder):
    store = filled(folder)
    (folder / "c.jsonl").write_text("".join(f'{{"id":"e{n}","n":{n},"note":"\\u001b[31m"}}\n' for n in range(300)))
    daybook("ingest", folder / "c.jsonl", "--store", store)
    head = daybook("proof", "--store", store).out.splitlines()[-1]
    proof = folder / "proof.json"
    proof.write_text(daybook("proof", "--event", "e137", "--store", store).out)
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    done = daybook("verify", "--proof", proof, "--against", head, cwd=elsewhere)
    assert '"id":"e137"' in done.out and "proven: commit 2 has it" in done.out, done
    assert "\x1b" not in done.out, done
    told = daybook("verify", "--proof", "-", "--against", head, "--json", cwd=elsewhere, stdin=proof.read_bytes()).json
    equal([told["event"]["n"], told["is_under_known_head"], told["version"]], [137, True, 2])
    # Without a head, it says what that is worth.
    assert "to whoever knows from elsewhere" in daybook("verify", "--proof", proof, cwd=elsewhere).out
    assert proven_without_daybook(proof, head).returncode == 0, proven_without_daybook(proof, head)
    forged = folder / "forged.json"
    forged.write_text(proof.read_text().replace('"137"', '"138"'))
    done = daybook("verify", "--proof", forged, "--against", head, code=1)
    assert "the proof is not valid" in done.err, done
    assert "the event is not in the file" in proven_without_daybook(forged, head).stderr
    other = ":".join(["0" * 64 if place == 2 else word for place, word in enumerate(head.split(":"))])
    assert "does not lead to the head" in daybook("verify", "--proof", proof, "--against", other, code=1).err
    assert "does not lead to the head" in proven_without_daybook(proof, other).stderr
    assert "no proof of an event" in daybook("verify", "--proof", folder / "c.jsonl", code=1).err
    assert "there is no event `nobody`" in daybook("proof", "--event", "nobody", "--store", store, code=1).err


def heads_are_signed_and_appended_at_each_commit(folder):
    public = folder / "public.pem"
    public.write_text(daybook("proof", "--new-key", folder / "key.pem").out)
    heads = folder / "heads.txt"
    store = folder / "s"
    store.mkdir()
    (store / "daybook.toml").write_text(f'[heads]\nsign_with = "{folder}/key.pem"\nappend_to = "{heads}"\n')
    filled(folder)
    (folder / "d.jsonl").write_text("not json\n" + LINES.replace("k", "other"))
    daybook("ingest", folder / "d.jsonl", "--from", "jsonl", "--store", store)
    kept = heads.read_text().splitlines()
    equal(kept[-1], daybook("proof", "--store", store).out.splitlines()[-1])
    equal([line.split(":")[1] for line in kept], ["1", "1", "2"])
    for head in kept:
        assert "it goes through the head" in daybook("verify", "--against", head, "--signed-by", public, "--store", store).out
    # What was signed can be checked with OpenSSL.
    head, signature = kept[-1].split(":ed25519:")
    (folder / "message").write_bytes(b"daybook head\n" + head.encode())
    (folder / "signature").write_bytes(bytes.fromhex(signature))
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", public, "-rawin", "-in", folder / "message", "-sigfile", folder / "signature"]
    checked = subprocess.run(command, capture_output=True, text=True)
    assert "Verified Successfully" in checked.stdout, checked
    forged = head.replace(":2:", ":3:", 1) + ":ed25519:" + signature
    for wrong, code, expected in [(forged, 1, "not of this key"), (head, 1, "is not signed")]:
        done = daybook("verify", "--against", wrong, "--signed-by", public, "--store", store, code=code)
        assert expected in done.err, done
    # A key that others may read is told; a store without its key is read and written, and says so.
    (folder / "key.pem").chmod(0o644)
    assert "others than its owner" in daybook("verify", "--store", store).err
    (folder / "key.pem").unlink()
    (folder / "e.jsonl").write_text(LINES.replace("k", "third"))
    assert "neither signed nor sent" in daybook("ingest", folder / "e.jsonl", "--store", store).err
    equal(len(heads.read_text().splitlines()), 3)


CHECKS = [
    heads_are_signed_and_appended_at_each_commit,
    an_event_is_proven_to_somebody_who_has_no_store,
    a_store_is_intact_and_its_head_is_the_last_line,
    what_was_touched_is_named,
    a_head_that_is_none_is_a_wrong_argument,
]
