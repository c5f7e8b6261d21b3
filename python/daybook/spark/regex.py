"""Regular expressions as RE2 reads them, for Java."""

from __future__ import annotations

import re

from daybook.errors import UnsupportedError

__all__ = ["java_regex"]

#: After a backslash, with one meaning in both.
_ALIKE = frozenset("dDwWtnfrabAz") - {"b"} | frozenset("\\.+*?()|[]{}^$/-\"'#%&,:;<=>@_`~! ")
_SPACE = "\\t\\n\\f\\r "


def java_regex(pattern: str, flags: str) -> str:
    """The same pattern for Java. What has another meaning there, or may have, is refused."""
    wanted = "d"
    for flag in flags:
        if flag not in "csi":
            raise _refused(pattern, f"the flag `{flag}`")
        wanted += {"c": "", "s": "s", "i": "iu"}[flag]
    # Flags may stand before the pattern, too.
    own = re.match(r"\(\?([is]+)\)", pattern)
    if own is not None:
        wanted += "".join({"s": "s", "i": "iu"}[flag] for flag in own.group(1))
    parts, at = [f"(?{wanted})"], 0 if own is None else own.end()
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            text, at = _escape(pattern, at, inside=False)
        elif char == "[":
            text, at = _set(pattern, at)
        elif char == "(" and pattern.startswith("(?", at) and not pattern.startswith("(?:", at):
            raise _refused(pattern, "`(?`")
        elif char == "$":
            text, at = "\\z", at + 1
        else:
            text, at = char, at + 1
        parts.append(text)
    java = "".join(parts)
    if re.search(r"[*+?}]\+", pattern):
        raise _refused(pattern, "`+` after a repetition")
    return java


def _escape(pattern: str, at: int, *, inside: bool) -> tuple[str, int]:
    after = pattern[at + 1:at + 2]
    if after == "s":
        return (_SPACE if inside else f"[{_SPACE}]"), at + 2
    if after == "S" and not inside:
        return f"[^{_SPACE}]", at + 2
    code = re.compile(r"\\x([0-9A-Fa-f]{2})").match(pattern, at)
    if code is not None:
        return code.group(), code.end()
    if after and after in _ALIKE and not (inside and after in "Azb"):
        return f"\\{after}", at + 2
    raise _refused(pattern, f"`\\{after}`")


def _set(pattern: str, at: int) -> tuple[str, int]:
    """A set of characters, such as `[a-z]`."""
    start, text = at, "["
    at += 1
    if pattern[at:at + 1] == "^":
        text, at = "[^", at + 1
    if pattern[at:at + 1] == "]":
        text, at = text + "\\]", at + 1
    while at < len(pattern):
        char = pattern[at]
        if char == "]":
            return text + "]", at + 1
        if char == "[":
            if pattern.startswith("[:", at):
                raise _refused(pattern, "`[:`")
            part, at = "\\[", at + 1
        elif char == "&":
            part, at = "\\&", at + 1
        elif char == "\\":
            part, at = _escape(pattern, at, inside=True)
        else:
            part, at = char, at + 1
        text += part
    raise _refused(pattern[start:], "a set without an end")


def _refused(pattern: str, what: str) -> UnsupportedError:
    return UnsupportedError(f"{what} in the pattern `{pattern}` is not translated to Spark", "ask the store itself")
