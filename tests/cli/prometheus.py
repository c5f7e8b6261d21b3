"""Metrics as text: strict parsers read them, and they are named as Prometheus wants names."""

import json
import re
import subprocess
from datetime import datetime, timedelta, timezone
from shutil import which

from harness import daybook, equal
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as classic

# Base units of Prometheus; a name that ends in another one is wrong.
OTHER_UNITS = ("_ms", "_milliseconds", "_us", "_minutes", "_hours", "_days", "_kb", "_mb", "_kilobytes", "_percent")
RESERVED = ("_total", "_count", "_sum", "_bucket", "_info", "_created")


def filled(folder):
    now = datetime.now(timezone.utc)
    lines = []
    hostile = ['a"b', "back\\slash", "line\nbreak", "\u001b[31mred", "日本語 🎉", "x" * 300, " ", "{}", "#", "NaN"]
    for number, text in enumerate(hostile * 3):
        line = {
            "ts": (now - timedelta(seconds=30 * number)).isoformat(),
            "kind": text,
            "level": "error" if number % 3 == 0 else text,
            "source": text,
            "actor": f"user {number}",
            "entity_type": text,
            "entity_id": f"{text}{number % 2}",
            "duration_ms": number * 1.5,
        }
        lines.append(json.dumps(line))
    lines.append("not JSON")
    daybook("log", "-", "--store", folder / "s", stdin="\n".join(lines).encode() + b"\n")
    return folder / "s"


def check(text):
    """Both parsers read the text, and find the same in it."""
    strict = {family.name: family for family in openmetrics(text)}
    loose = {family.name: family for family in classic(text)}
    equal(sorted(strict), sorted(loose))
    for name, family in strict.items():
        assert re.fullmatch(r"daybook_[a-z0-9]+(_[a-z0-9]+)*", name), name
        assert not name.endswith(RESERVED) and not name.endswith(OTHER_UNITS), name
        assert "gauge" not in name, name
        equal(family.type, "gauge", name)
        assert family.documentation and family.documentation[0].isupper() and family.documentation.endswith("."), name
        assert family.samples, f"{name} has no sample"
        if family.unit:
            assert name.endswith("_" + family.unit), f"{name} is not in {family.unit}"
        for unit in ("seconds", "bytes", "ratio"):
            assert not name.endswith(unit) or family.unit == unit, f"{name} does not say its unit"
        series = {tuple(sorted(sample.labels.items())) for sample in family.samples}
        equal(len(series), len(family.samples), f"{name} has a series twice")
        equal([s.value for s in family.samples], [s.value for s in loose[name].samples], name)
        if name.endswith("_ratio"):
            assert all(0 <= sample.value <= 1 for sample in family.samples), name
    return strict


def strict_parsers_read_the_metrics(folder):
    store = filled(folder)
    daybook("metrics", "--prometheus", folder / "m.prom", "--window", "1h", "--store", store)
    text = (folder / "m.prom").read_text()
    found = check(text)
    report = daybook("metrics", "--json", "--window", "1h", "--store", store).json
    value = lambda name: found[name].samples[0].value
    equal(value("daybook_events"), report["events"])
    equal(value("daybook_store_events"), 30)
    equal(value("daybook_quarantined_records"), 1)
    equal(value("daybook_error_ratio"), report["error_rate"])
    kinds = {sample.labels["kind"]: sample.value for sample in found["daybook_kind_events"].samples}
    equal([kinds['a"b'], kinds["back\\slash"], kinds["line\nbreak"], kinds["日本語 🎉"]], [3, 3, 3, 3])
    assert "x" * 120 in kinds and " [31mred" in kinds, kinds
    slowest = {sample.labels["source"]: sample.value for sample in found["daybook_source_duration_p99_seconds"].samples}
    assert all(0 <= seconds < 0.1 for seconds in slowest.values()), slowest
    if which("promtool"):
        done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True)
        equal([done.returncode, done.stdout, done.stderr], [0, "", ""])


def metrics_of_an_empty_store_are_metrics(folder):
    daybook("log", "-", "--store", folder / "s")
    check(daybook("metrics", "--prometheus", "-", "--store", folder / "s").out)


def a_file_of_metrics_is_replaced_at_once(folder):
    store = filled(folder)
    (folder / "m.prom").write_text("old\n")
    (store / "daybook.toml").write_text("nonsense = [\n")
    daybook("metrics", "--prometheus", folder / "m.prom", "--store", store, code=1)
    equal((folder / "m.prom").read_text(), "old\n")
    (store / "daybook.toml").write_text("")
    daybook("metrics", "--prometheus", folder / "m.prom", "--store", store)
    check((folder / "m.prom").read_text())
    equal(sorted(path.name for path in folder.iterdir()), ["m.prom", "s"])


CHECKS = [
    strict_parsers_read_the_metrics,
    metrics_of_an_empty_store_are_metrics,
    a_file_of_metrics_is_replaced_at_once,
]
