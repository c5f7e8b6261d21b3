"""What analyses answer."""

from __future__ import annotations

import json
from typing import Any

from daybook.optional import module

__all__ = ["Report"]

_SHOWN = 8


class Report(dict[str, Any]):
    """The answer to an analysis: a dict, the same that the command line prints with `--json`.

    `plot()` draws those that have a course or counts; `table(name)` gives one of its lists to pandas.
    """

    def __init__(self, analysis: str, members: dict[str, Any]) -> None:
        super().__init__(members)
        #: The name of the analysis.
        self.analysis = analysis

    def table(self, name: str) -> Any:
        """A list of the report, or the counts of one of its dicts, as a DataFrame of pandas."""
        pandas = module("pandas")
        part = self[name]
        if isinstance(part, dict):
            return pandas.DataFrame({"value": list(part), "events": list(part.values())})
        return pandas.DataFrame(part)

    def plot(self, **options: Any) -> Any:
        """A chart of it, drawn by Altair: `pip install daybook[plot]`."""
        from daybook.plot import chart

        return chart(self, **options)

    def _repr_html_(self) -> str:
        import html

        return f"<pre>{html.escape(repr(self))}</pre>"

    def __repr__(self) -> str:
        lines = [f"<daybook.Report of {self.analysis}>"]
        for name, value in self.items():
            lines += _lines(name, value)
        return "\n".join(lines)


def _lines(name: str, value: Any) -> list[str]:
    if isinstance(value, dict) and value:
        members = [f"  {key}: {_short(inner)}" for key, inner in list(value.items())[:_SHOWN]]
        return [f"{name}:"] + members + _rest(value)
    if isinstance(value, list) and value:
        return [f"{name}:"] + [f"  {_short(inner)}" for inner in value[:_SHOWN]] + _rest(value)
    return [f"{name}: {_short(value)}"]


def _rest(values: dict[str, Any] | list[Any]) -> list[str]:
    return [f"  … and {len(values) - _SHOWN} more"] if len(values) > _SHOWN else []


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)
    return text if len(text) <= 100 else text[:99] + "…"
