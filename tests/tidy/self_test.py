"""Each rule finds what it is for, and leaves alone what only looks like it."""

import allowed
import rules

LONG = "\n".join(["    let _ = 1;"] * 80)

# A rule, the name of a file, its text, and a part of each complaint that is expected.
CASES = [
    ("imports", "core/src/event/a.rs", "use crate::storage::Storage;", ["`event` must not import `storage`"]),
    ("imports", "core/src/event/a.rs", "use super::super::wal;", ["must not import `wal`"]),
    ("imports", "core/src/event/a.rs", "use crate::{error::Error, log::{At, Log}};", ["must not import `log`"]),
    ("imports", "core/src/event/a.rs", "use super::column::Column;\nuse crate::error::Result;", []),
    ("imports", "core/src/event/a.rs", "#[cfg(test)]\nmod tests { use crate::store::Store; }", []),
    ("imports", "core/src/event/a.rs", "// crate::store::Store\nconst A: &str = \"crate::store::X\";", []),
    ("imports", "core/src/log/a.rs", "use crate::Store;", ["must not import `lib`"]),
    ("imports", "core/src/query/a.rs", "use duckdb::Connection;", ["must not import `duckdb`"]),
    ("imports", "core/src/engine/a.rs", "use duckdb::Connection;", []),
    ("imports", "core/src/ingest/input.rs", "use super::table::TableWriter;", ["must not import `ingest/table`"]),
    ("imports", "core/src/novel.rs", "", ["the module `novel` is not in"]),
    ("purity", "core/src/demo/a.rs", "fn a() { std::fs::read(1); }", ["does no I/O"]),
    ("purity", "core/src/storage/a.rs", "fn a() { std::fs::read(1); }", []),
    ("file_sizes", "cli/src/a.rs", "\n" * 501, ["has 501 lines, more than 500"]),
    ("file_sizes", "cli/src/a.rs", "#[cfg(test)]\nmod tests {" + "\n" * 501 + "}", []),
    ("file_sizes", "cli/src/a/tests.rs", "\n" * 501, []),
    ("function_sizes", "cli/src/a.rs", "fn long(a: [u8; 4]) {\n" + LONG + "\n}", ["the function has 82 lines"]),
    ("function_sizes", "cli/src/a.rs", "fn short() { \"{\"; }\n" + LONG, []),
    ("panics", "core/src/log/a.rs", "fn a() { b.unwrap(); }", ["this may panic: `fn a() { b.unwrap(); }`"]),
    ("panics", "core/src/log/a.rs", "fn a() { b[1]; c()[2..]; }", ["index out of bounds"] * 2),
    ("panics", "core/src/log/a.rs", "#[derive(A)]\nfn a(b: &[u8]) -> [u8; 4] { vec![1]; b[..].unwrap_or(0) }", []),
    ("panics", "core/src/log/a.rs", "/// `a.unwrap()`\nfn a() { \"a.unwrap()\"; '\"'; b::<'a>(r#\"[\"]\"#) }", []),
    ("panics", "core/src/log/a.rs", "#[cfg(test)]\nmod tests { fn a() { b.unwrap(); } }", []),
    ("panics", "core/src/log/tests.rs", "fn a() { b.unwrap(); }", []),
    ("unexplained_allows", "cli/src/a.rs", "#[allow(dead_code)]\nfn a() {}", ["an `allow` without"]),
    ("unexplained_allows", "cli/src/a.rs", "#[allow(dead_code, reason = \"shown\")]\nfn a() {}", []),
    ("words", "a.md", "see " + "TO" + "DO", ["work left to do"]),
    ("words", "a.md", "in " + "/ho" + "me/me/x", ["a path of one machine"]),
    ("words", "a.md", "from https://" + "pyp" + "i.org/simple", ["the host of a registry"]),
    ("words", "a.md", "a/root/b and \\uXXXX and ./home", []),
]


def main():
    allowed.IMPORTS_EXCUSED = {("log", "wal")}
    allowed.FILES_EXCUSED = allowed.FUNCTIONS_EXCUSED = {}
    failures = [failure for case in CASES for failure in check(*case)]
    failures += check_ratchet()
    print(f"tidy: {len(CASES) + 1} cases of its own, {len(failures)} failed", *failures, sep="\n")
    return 1 if failures else 0


def check(rule, name, text, expected):
    found = [line for line in getattr(rules, rule)({name: text}) if "allowed.py: `" not in line]
    if len(found) != len(expected) or not all(part in line for part, line in zip(expected, found)):
        yield f"{rule} on {text[:60]!r}: expected {expected}, found {found}"


def check_ratchet():
    """An exception allows no growth, and goes when it is not needed."""
    found = list(rules.ratchet("file", {"a": 601, "b": 400}, 500, {"a": 600, "b": 550}, "split it"))
    right = len(found) == 2 and "601 lines, more than 600" in found[0] and "`b` fits now" in found[1]
    unused = list(rules.imports({"core/src/log/a.rs": ""}))
    right = right and any("does not import `wal` any more" in line for line in unused)
    return [] if right else [f"the ratchet: {found}, {unused}"]
