"""Charts, of what analyses answer."""

import datetime

import pytest

altair = pytest.importorskip("altair")

START = datetime.datetime(2026, 2, 3, tzinfo=datetime.timezone.utc)


@pytest.fixture()
def busy(empty):
    events = [{"ts": START + datetime.timedelta(minutes=3 * n), "kind": "deploy" if n % 5 else "login",
               "level": "info" if n % 17 else "error"} for n in range(800)]
    empty.ingest(events + [{"ts": START + datetime.timedelta(hours=20, seconds=n), "kind": "login", "level": "error"}
                           for n in range(300)])
    return empty


@pytest.mark.parametrize("ask", [
    lambda store: store.timeline(), lambda store: store.timeline(by="kind", every="1h"),
    lambda store: store.timeline(every="6h"), lambda store: store.facets(by=["kind", "level"]),
    lambda store: store.stats(), lambda store: store.patterns(), lambda store: store.patterns(of="bursts"),
], ids=["timeline", "by kind", "odd stretches", "facets", "stats", "patterns", "bursts"])
def test_charts_are_what_vega_lite_reads(busy, ask):
    chart = ask(busy).plot(title="A title", width=300)
    text = chart.to_json()
    assert "A title" in text and "vega-lite" in text


def test_what_has_no_chart_says_so(busy):
    with pytest.raises(ValueError, match="no chart of health"):
        busy.health().plot()
