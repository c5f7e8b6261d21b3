"""Charts of what analyses answer, drawn by Altair: `pip install daybook[plot]`."""

from __future__ import annotations

from typing import Any

from daybook.optional import module
from daybook.report import Report

__all__ = ["chart"]

_TOP = 20
_COLORS = ["#4c78a8", "#f58518", "#54a24b", "#e45756", "#72b7b2", "#eeca3b", "#b279a2", "#9d755d"]


def chart(report: Report, *, title: str | None = None, width: int = 640, height: int | None = None) -> Any:
    """A chart of a timeline, of facets, of counts, or of patterns; `ValueError` for what has nothing to draw."""
    draw = {"timeline": _timeline, "facets": _facets, "stats": _stats, "patterns": _bursts,
            "bursts": _bursts}.get(report.analysis)
    if draw is None:
        raise ValueError(f"there is no chart of {report.analysis}: take timeline, facets, stats, bursts or patterns")
    return draw(module("altair"), report, title or report.analysis.capitalize(), {"width": width}, height)


def _timeline(altair: Any, report: Report, title: str, size: dict[str, Any], height: int | None) -> Any:
    """Bars by time, split by the values of a column if the report is."""
    rows: list[dict[str, Any]] = []
    for bucket in report["buckets"]:
        parts = {"errors": bucket["errors"], "others": bucket["count"] - bucket["errors"]}
        if "by" in bucket:
            parts = {**bucket["by"], "(other)": bucket["other"]}
        rows += [{"time": bucket["ts"], "part": part, "events": count} for part, count in parts.items() if count]
    order = ["errors", "others"]
    colors = altair.Color("part:N", title=None).scale(domain=order, range=["#c8324a", "#8ea9c4"])
    if "by" in report:
        order = [*report.get("values", []), "(other)"]
        colors = altair.Color("part:N", title=report["by"], sort=order).scale(
            domain=order, range=[_COLORS[number % len(_COLORS)] for number in range(len(order) - 1)] + ["#c9c9c9"])
    for row in rows:
        row["order"] = order.index(row["part"]) if row["part"] in order else len(order)
    chart = altair.Chart(altair.Data(values=rows), title=f"{title}, every {report['every']}")
    unit = _unit(altair, report["every"])
    # Where Altair does not know how wide a stretch is, bars would be thin lines.
    wide = {} if unit is not altair.Undefined else {"size": max(1.0, 0.85 * size["width"] / max(1, len(report["buckets"])))}
    return chart.mark_bar(**wide).encode(
        order=altair.Order("order:Q"),
        x=altair.X("time:T", title=None, timeUnit=unit, scale=altair.Scale(type="utc")),
        y=altair.Y("sum(events):Q", title="events"), color=colors,
        tooltip=["time:T", "part:N", "events:Q"]).properties(**size, height=height or 240)


#: The stretches of time whose bars Altair draws without gaps.
_UNITS = {"1s": "yearmonthdatehoursminutesseconds", "1m": "yearmonthdatehoursminutes", "1h": "yearmonthdatehours",
          "1d": "yearmonthdate", "1mo": "yearmonth", "1y": "year"}


def _unit(altair: Any, every: str) -> Any:
    unit = _UNITS.get(every)
    return altair.TimeUnitParams(unit=unit, utc=True) if unit is not None else altair.Undefined


def _facets(altair: Any, report: Report, title: str, size: dict[str, Any], height: int | None) -> Any:
    """The most frequent values, a chart for each column."""
    charts = [_counts(altair, facet["column"], {str(value["value"]): value["count"] for value in facet["values"]},
                      size, height) for facet in report["facets"]]
    return altair.vconcat(*charts, title=title).resolve_scale(color="independent")


def _stats(altair: Any, report: Report, title: str, size: dict[str, Any], height: int | None) -> Any:
    """The counts that there are."""
    counts = {name.removeprefix("by_"): value for name, value in report.items() if name.startswith("by_") and value}
    charts = [_counts(altair, name, value, size, height) for name, value in counts.items()]
    return altair.vconcat(*charts, title=f"{title}: {report['total']:,} events")


def _counts(altair: Any, name: str, counts: dict[str, int], size: dict[str, Any], height: int | None) -> Any:
    most = sorted(counts.items(), key=lambda entry: -entry[1])[:_TOP]
    chart = altair.Chart(altair.Data(values=[{"value": value, "events": count} for value, count in most]))
    return chart.mark_bar(color="#4d7aa8").encode(
        x=altair.X("events:Q"), y=altair.Y("value:N", sort="-x", title=name), tooltip=["value:N", "events:Q"],
    ).properties(**size, height=height or max(40, 22 * len(most)))


def _bursts(altair: Any, report: Report, title: str, size: dict[str, Any], height: int | None) -> Any:
    """What stands out, from when to when, the most unusual first."""
    rows = [{"from": found["from"], "to": found["to"], "about": found["about"], "what": found["what"],
             "title": found["title"]} for found in report["findings"] if found.get("from") and found.get("to")][:_TOP]
    base = altair.Chart(altair.Data(values=rows), title=title).encode(
        x=altair.X("from:T", title=None, scale=altair.Scale(type="utc")), y=altair.Y("about:N", sort=None, title=None),
        color=altair.Color("what:N", title=None), tooltip=["title:N", "from:T", "to:T"])
    # A short one would not be seen without its mark.
    chart = base.mark_bar(height=12).encode(x2="to:T") + base.mark_point(filled=True, size=60)
    return chart.properties(**size, height=height or max(60, 28 * len({row["about"] for row in rows})))
