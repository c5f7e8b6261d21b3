"""The rules. Each is a function of the tree that gives what is wrong, a line each: where, what, what to do."""

import re

import allowed
import rust

REGISTRIES = re.compile(
    r"\b(?:(?:index\.|static\.)?crates\.io|pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|(?:ana)?conda\.org"
    r"|(?:proxy|sum)\.golang\.org|(?:deb|archive)\.(?:debian|ubuntu)\.\w+)\b"
)
MACHINE_PATHS = re.compile(r"(?<![\w.~])/(?:work|home|root)(?:/|\b)")
UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|HA" + r"CK)\b")
CAN_PANIC = re.compile(
    r"\.(?:unwrap|expect|unwrap_err|expect_err)\(|\b(?:panic|unreachable|todo|unimplemented|assert|assert_eq|assert_ne)!"
)
INDEXING = re.compile(r"[\w)\]?]\[(?!\.{0,2}\])")
ALLOW = re.compile(r"#!?\[\s*(?:cfg_attr\([^\]]*?)?(?:allow|expect)\s*\(")


class Source:
    """A Rust file: its text, its code, and its code without tests."""

    def __init__(self, name, text):
        self.name = name
        self.text = text
        self.code = rust.code_of(text)
        parts = name.removesuffix(".rs").split("/")
        self.is_test = "tests" in parts or "benches" in parts
        self.is_library = name.startswith(("core/src/", "core/pages/src/")) and not self.is_test
        self.library, self.test_lines = rust.without_tests(self.code)
        inner = [part for part in parts[2:] if part not in ("mod", "lib", "main")]
        self.module = inner
        self.node = "/".join(inner[:2]) if inner[:1] == ["ingest"] else "".join(inner[:1])

    def at(self, position):
        return f"{self.name}:{self.code.count(chr(10), 0, position) + 1}"


def imports(files):
    """Each module of the library imports only what is below it."""
    used = set()
    for source in library(files):
        if not source.node or source.node == "ingest" or not source.name.startswith("core/src/"):
            continue
        if source.node not in allowed.MODULES:
            yield f"{source.name}: the module `{source.node}` is not in tests/tidy/allowed.py: say what it may import"
            continue
        for what, line in imported(source):
            if what == source.node or fits(source.node, what):
                continue
            if (source.node, what) in allowed.IMPORTS_EXCUSED:
                used.add((source.node, what))
            else:
                yield f"{source.name}:{line}: `{source.node}` must not import `{what}`"
    if any(library(files)):
        for module, what in sorted(allowed.IMPORTS_EXCUSED - used):
            yield f"tests/tidy/allowed.py: `{module}` does not import `{what}` any more: remove the exception"


def imported(source):
    for path, line in rust.paths_in_crate(source.library, source.module):
        what = "/".join(path[:2]) if path[:1] == ["ingest"] else path[0]
        # A name in capitals is an item that the root exports again.
        if what != "crate" and what.islower():
            yield what, line
        elif what in ("Store", "Receipt", "Rows", "Event"):
            yield "lib", line
    for crate in allowed.CRATES:
        for match in re.finditer(rf"(?<![\w:]){re.escape(crate)}::", source.library):
            yield crate, source.library.count("\n", 0, match.start()) + 1


def fits(module, what):
    if what in allowed.CRATES:
        return module in allowed.CRATES[what]
    modules = allowed.MODULES[module]
    return what != "lib" and (modules is None or what in modules)


def purity(files):
    """What builds for the browser does no I/O."""
    for source in library(files):
        if source.node in allowed.PURE:
            for match in re.finditer(allowed.IMPURE, source.library):
                yield f"{source.at(match.start())}: `{match[0]}` in `{source.node}`, which does no I/O"


def file_sizes(files):
    """Files without their tests are short."""
    sizes = {
        source.name: source.text.count("\n") - source.test_lines for source in rust_files(files) if not source.is_test
    }
    yield from ratchet("file", sizes, allowed.FILE_LINES_MAX, allowed.FILES_EXCUSED, "split it")


def function_sizes(files):
    """Functions fit on a screen."""
    sizes = {}
    for source in rust_files(files):
        for name, _, lines in rust.functions(source.code):
            key = f"{source.name} {name}"
            sizes[key] = max(lines, sizes.get(key, 0))
    yield from ratchet("function", sizes, allowed.FUNCTION_LINES_MAX, allowed.FUNCTIONS_EXCUSED, "split it")


def ratchet(what, sizes, most, excused, remedy):
    for name, lines in sizes.items():
        limit = excused.get(name, most)
        if lines > limit:
            yield f"{name}: the {what} has {lines} lines, more than {limit}: {remedy}"
    for name, limit in excused.items():
        if sizes.get(name, 0) <= most:
            yield f"tests/tidy/allowed.py: the {what} `{name}` fits now: remove its exception of {limit} lines"


def panics(files):
    """The library answers with errors."""
    for source in library(files):
        for pattern, what in ((CAN_PANIC, "may panic"), (INDEXING, "may index out of bounds")):
            for match in pattern.finditer(without_attributes(source.library)):
                line = source.text.splitlines()[source.code.count("\n", 0, match.start())].strip()
                yield f"{source.at(match.start())}: this {what}: `{line}`"


def without_attributes(code):
    return re.sub(r"#!?\[[^\]]*\]", lambda match: rust.blank(match[0]), code)


def unexplained_allows(files):
    """Whoever allows a lint says why."""
    for source in rust_files(files):
        for match in ALLOW.finditer(source.code):
            end = source.code.find("]", match.end())
            if "reason" not in source.code[match.start() : end]:
                yield f"{source.at(match.start())}: an `allow` without `reason = \"...\"`"


def words(files):
    """Nothing unfinished, nothing of one machine, no host of a registry."""
    for name, text in files.items():
        if name.endswith("Cargo.lock") or name.startswith("tests/tidy/"):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            for pattern, what in (
                (UNFINISHED, "work left to do"),
                (MACHINE_PATHS, "a path of one machine"),
                (REGISTRIES, "the host of a registry"),
            ):
                if match := pattern.search(line):
                    yield f"{name}:{number}: `{match[0]}` is {what}"


def rust_files(files):
    for name in sorted(files):
        if name.endswith(".rs"):
            yield files[name] if isinstance(files[name], Source) else Source(name, files[name])


def library(files):
    return [source for source in rust_files(files) if source.is_library]


RULES = (imports, purity, file_sizes, function_sizes, panics, unexplained_allows, words)
