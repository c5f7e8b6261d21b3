"""What the checks need to know of Rust: text without comments and strings, test code, functions, imports."""

import re

TOKEN = re.compile(
    r"""(?P<line>//[^\n]*)"""
    r"""|(?P<block>/\*)"""
    r"""|(?P<raw>\b(?:b|c)?r(?P<hashes>\#*)")"""
    r"""|(?P<string>\b(?:b|c)?"|")"""
    r"""|(?P<char>'(?:\\(?:[^u]|u\{[^}]*\})[^']*|[^'\\])')""",
    re.X,
)


def blank(text):
    """Spaces in the place of a text, with its line ends."""
    return re.sub(r"[^\n]", " ", text)


def code_of(source):
    """The source with comments and the insides of strings blanked out; every line keeps its place."""
    out, at = [], 0
    while match := TOKEN.search(source, at):
        out.append(source[at : match.start()])
        end = token_end(source, match)
        token = source[match.start() : end]
        out.append('""' + blank(token)[2:] if match["raw"] or match["string"] else blank(token))
        at = end
    out.append(source[at:])
    return "".join(out)


def token_end(source, match):
    """Where the comment, string or character that a match starts ends."""
    if match["block"]:
        depth, at = 1, match.end()
        while depth and (part := re.compile(r"/\*|\*/").search(source, at)):
            depth += 1 if part[0] == "/*" else -1
            at = part.end()
        return at if not depth else len(source)
    if match["raw"]:
        end = source.find('"' + match["hashes"], match.end())
        return len(source) if end < 0 else end + 1 + len(match["hashes"])
    if match["string"]:
        end = re.compile(r'(?:[^"\\]|\\.)*"', re.S).match(source, match.end())
        return len(source) if not end else end.end()
    return match.end()


def closing(code, start):
    """The position after the brace that closes the one at `start`."""
    depth = 0
    for match in re.compile(r"[{}]").finditer(code, start):
        depth += 1 if match[0] == "{" else -1
        if not depth:
            return match.end()
    return len(code)


def without_tests(code):
    """The code with everything under `#[cfg(test)]` blanked out, and the number of lines that is."""
    lines = 0
    for match in reversed(list(re.finditer(r"#\[cfg\(test\)\]", code))):
        brace, semicolon = code.find("{", match.end()), code.find(";", match.end())
        if brace < 0 or 0 <= semicolon < brace:
            end = semicolon + 1 if semicolon >= 0 else len(code)
        else:
            end = closing(code, brace)
        part = code[match.start() : end]
        lines += part.count("\n") + 1
        code = code[: match.start()] + blank(part) + code[end:]
    return code, lines


def functions(code):
    """Each function with a body: its name, the line it starts at, and how many lines it has."""
    for match in re.finditer(r"\bfn\s+(\w+)", code):
        body = re.compile(r"[{;]").search(code, match.end())
        # An array type in the signature may hold a semicolon.
        while body and body[0] == ";" and code.count("[", match.end(), body.start()) > code.count(
            "]", match.end(), body.start()
        ):
            body = re.compile(r"[{;]").search(code, body.end())
        if body and body[0] == "{":
            lines = code.count("\n", match.start(), closing(code, body.start())) + 1
            yield match[1], code.count("\n", 0, match.start()) + 1, lines


def paths_in_crate(code, module):
    """The paths from the crate's root that code names in `module`, each with its line."""
    for match in re.finditer(r"\b(crate|super)((?:::super)*)::(\{|[\w:]+(?:::\{)?)", code):
        base = []
        if match[1] == "super":
            base = module[: -1 - match[2].count("super")]
        line = code.count("\n", 0, match.start()) + 1
        written = match[3]
        if not written.endswith("{"):
            yield base + written.strip(":").split("::"), line
            continue
        prefix = base + [part for part in written.rstrip("{").split("::") if part]
        group = code[match.end() - 1 : closing(code, match.end() - 1)][1:-1]
        for part in split_group(group):
            yield prefix + [name for name in re.split(r"::|\s+as\s+|\{", part) if name.strip()], line


def split_group(group):
    """The members of the group of a `use`, nested groups whole."""
    depth, part = 0, ""
    for character in group:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == "," and not depth:
            yield part.strip()
            part = ""
        else:
            part += character
    if part.strip():
        yield part.strip()
