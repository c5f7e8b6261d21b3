"""What is recorded of the contents of a file that changed."""

from __future__ import annotations

from typing import Any

__all__ = ["file_fields"]

#: Of a longer content only hash and size are kept.
_CONTENT_BYTES_MAX = 1 << 20
#: No diff is made of longer texts, since that would take the application's time; a longer diff is cut.
_DIFFED_LINES_MAX = 2_000
_DIFF_LINES_MAX = 500


def file_fields(name: str, before: str | bytes | None, after: str | bytes | None) -> dict[str, Any]:
    """Hashes and sizes, the contents if they are not too long, and the diff of texts."""
    import hashlib

    fields: dict[str, Any] = {}
    for when, content in (("before", before), ("after", after)):
        if content is not None:
            data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
            fields[f"file_hash_{when}"] = "sha256:" + hashlib.sha256(data).hexdigest()
            fields[f"file_size_{when}"] = len(data)
            if len(data) <= _CONTENT_BYTES_MAX:
                fields[when] = content
    if isinstance(before, str) and isinstance(after, str):
        fields["diff"] = _diff(name, before, after)
    return fields


def _diff(name: str, before: str, after: str) -> str | None:
    texts = before.splitlines(), after.splitlines()
    if max(map(len, texts)) > _DIFFED_LINES_MAX or max(len(before), len(after)) > _CONTENT_BYTES_MAX:
        return None
    import difflib

    lines = difflib.unified_diff(*texts, name, name, lineterm="")
    shown = [line for line, _ in zip(lines, range(_DIFF_LINES_MAX + 1))]
    return "\n".join(shown[:_DIFF_LINES_MAX] + (["…"] if len(shown) > _DIFF_LINES_MAX else []))
