"""Bundles: `daybook export --bundle`, a folder that browsers ask without a server."""

import base64
import hashlib
import json
import shutil
import subprocess
import tarfile

import duckdb
from harness import PROGRAM, daybook, environment, equal

LINES = "".join(
    f'{{"ts":"2026-02-0{day}T10:00:0{second}Z","kind":"k{second}","level":"error","actor":"ann","mail":"a{day}@example.org",'
    f'"message":"card 4111 1111 1111 1111 of ann","note":"n{day}"}}\n'
    for day in (1, 2, 3)
    for second in range(5)
)


def filled(folder):
    (folder / "a.jsonl").write_text(LINES)
    daybook("ingest", folder / "a.jsonl", "--store", folder / "s", "-q")
    return folder / "s"


def bundle(store, target, *arguments, **options):
    return daybook("export", "--bundle", target, "--no-viewer", *arguments, "--store", store, **options)


def manifest(target):
    return json.loads((target / "manifest.json").read_text())


def a_bundle_has_a_manifest_that_is_right(folder):
    store = filled(folder)
    done = bundle(store, folder / "b", "--title", "the shop")
    assert "15 events of 3 days" in done.out and "neither encrypted nor signed" in done.err, done
    read = manifest(folder / "b")
    equal((read["daybook_bundle"], read["title"], read["events"], len(read["files"])), (1, "the shop", 15, 3))
    assert read["source"]["head"] in daybook("proof", "--store", store).out
    for file in read["files"]:
        content = (folder / "b" / file["path"]).read_bytes()
        equal((len(content), hashlib.sha256(content).hexdigest()), (file["size"], file["sha256"]))
        equal(hashlib.sha256(content[file["footer"]["offset"] :]).hexdigest(), file["footer"]["sha256"])
    equal(read["files"][0]["texts"]["kind"], ["k0", "k4"])
    equal([path.name for path in folder.iterdir() if "partial" in path.name], [])


def many_small_days_have_a_copy_of_columns(folder):
    lines = "".join(
        f'{{"ts":"2026-02-{day:02}T10:{minute:02}:00Z","kind":"k{minute % 3}","level":"{"error" if minute % 5 else "info"}",'
        f'"actor":"a{day}","message":"event {minute} of {day}","own":{minute}}}\n'
        for day in range(1, 21)
        for minute in range(0, 60, 7)
    )
    (folder / "a.jsonl").write_text(lines)
    daybook("ingest", folder / "a.jsonl", "--store", folder / "s", "-q")
    bundle(folder / "s", folder / "b")
    read = manifest(folder / "b")
    equal([(copy["path"], copy["of"], copy["rows"]) for copy in read["copies"]], [("columns/part-0001.parquet", [0, 20], 180)])
    copy = read["copies"][0]
    content = (folder / "b" / copy["path"]).read_bytes()
    equal((len(content), hashlib.sha256(content).hexdigest()), (copy["size"], copy["sha256"]))
    equal(read["bytes"], sum(file["size"] for file in read["files"] + read["copies"]))
    # The copy has what the files have, in the order of time.
    columns = copy["columns"]
    assert {"ts", "seq", "severity", "kind", "actor", "message"} <= set(columns) and "own" not in columns, columns
    # As text: Python has instants with a zone only beside another package.
    query = f"SELECT {', '.join(f'{column}::VARCHAR' for column in columns)} FROM read_parquet('{{}}', hive_partitioning = false)"
    copied = duckdb.sql(query.format(folder / "b" / copy["path"])).fetchall()
    equal(copied, duckdb.sql(query.format(folder / "b/events/*/*.parquet") + " ORDER BY ts, seq").fetchall())
    # A copy of few days would be of no use.
    bundle(folder / "s", folder / "few", "--days", "2026-02-01..2026-02-07")
    assert "copies" not in manifest(folder / "few") and not (folder / "few/columns").exists()


def a_filter_and_days_choose_events(folder):
    store = filled(folder)
    for arguments, events in (
        (["kind:k1"], 3),
        (["--days", "2026-02-02"], 5),
        (["--days", "2026-02-02.."], 10),
        (["--days", "..2026-02-02", "kind:k1", "actor:ann"], 2),
        (["kind:none"], 0),
    ):
        receipt = bundle(store, folder / "b", *arguments, "--json").json
        equal(receipt["events"], events)
        equal(manifest(folder / "b")["events"], events)


def secrets_are_looked_for_again(folder):
    store = filled(folder)
    receipt = bundle(store, folder / "b", "--redact", "--json").json
    assert receipt["redacted"] >= 15, receipt
    for path in (folder / "b").rglob("*.parquet"):
        assert b"@example.org" not in path.read_bytes(), path
    assert manifest(folder / "b")["redacted"]


def nothing_else_is_overwritten(folder):
    store = filled(folder)
    (folder / "site").mkdir()
    (folder / "site" / "index.html").write_text("mine")
    done = bundle(store, folder / "site", code=1)
    assert "holds something else: `index.html`" in done.err, done
    equal((folder / "site" / "index.html").read_text(), "mine")
    (folder / "empty").mkdir()
    bundle(store, folder / "empty")
    bundle(store, folder / "empty", "--days", "2026-02-01")
    equal(sorted(path.name for path in (folder / "empty" / "events").iterdir()), ["day=2026-02-01"])


def what_is_too_large_leaves_nothing(folder):
    store = filled(folder)
    done = bundle(store, folder / "b", "--max-size", "1kB", code=1)
    assert "more than 1000 bytes" in done.err, done
    assert not (folder / "b").exists() and not list(folder.glob(".b*")), list(folder.iterdir())


def wrong_words_are_refused(folder):
    store = filled(folder)
    for arguments, part in (
        (["--days", "30d"], "not a day"),
        (["--days", "2026-02-03..2026-02-01"], "is before"),
        (["--format", "csv"], "cannot be used with"),
        (["--max-size", "much"], "size"),
    ):
        done = bundle(store, folder / "b", *arguments, code=2)
        assert part in done.err, done
    done = daybook("export", "a.jsonl", "--title", "x", "--store", store, code=2)
    assert "--bundle" in done.err, done


def the_viewer_is_in_the_program_or_beside_it(folder):
    store = filled(folder)
    alone = folder / "alone"
    alone.mkdir()
    shutil.copy(PROGRAM, alone / "daybook")

    def run(target):
        command = [alone / "daybook", "export", "--bundle", folder / target, "--store", store]
        return subprocess.run(command, capture_output=True, text=True, env=environment())

    done = run("b")
    if done.returncode == 0:
        page = (folder / "b" / "index.html").read_text()
        assert "Content-Security-Policy" in page and "unsafe-inline" not in page, page
        assert "http.server" in done.stdout, done
        return
    assert done.returncode == 2 and "without the viewer" in done.stderr and "--no-viewer" in done.stderr, done
    with tarfile.open(alone / "daybook-web.tar.gz", "w:gz") as archive:
        for path in ("index.html", "assets/a.js"):
            (folder / "file").write_text(path)
            archive.add(folder / "file", path)
    done = run("b")
    equal((done.returncode, (folder / "b" / "assets" / "a.js").read_text()), (0, "assets/a.js"), done)
    (alone / "daybook-web.tar.gz").write_bytes(b"no archive")
    done = run("c")
    assert done.returncode == 1 and "archive of the viewer" in done.stderr and not (folder / "c").exists(), done


def a_bundle_of_an_encrypted_store_is_plain_and_says_so(folder):
    (folder / "key").write_text(base64.b64encode(bytes(range(32))).decode())
    (folder / "key").chmod(0o600)
    (folder / "a.jsonl").write_text(LINES)
    daybook("ingest", folder / "a.jsonl", "--store", folder / "s", "--key-file", folder / "key", "-q")
    bundle(folder / "s", folder / "b", code=1)
    assert not (folder / "b").exists()
    done = bundle(folder / "s", folder / "b", "--key-file", folder / "key")
    assert "the store is encrypted and the bundle is not" in done.err, done
    equal(manifest(folder / "b")["events"], 15)
    file = next((folder / "b" / "events").rglob("*.parquet"))
    equal(file.read_bytes()[:4], b"PAR1")


CHECKS = [
    the_viewer_is_in_the_program_or_beside_it,
    a_bundle_of_an_encrypted_store_is_plain_and_says_so,
    a_bundle_has_a_manifest_that_is_right,
    many_small_days_have_a_copy_of_columns,
    a_filter_and_days_choose_events,
    secrets_are_looked_for_again,
    nothing_else_is_overwritten,
    what_is_too_large_leaves_nothing,
    wrong_words_are_refused,
]
