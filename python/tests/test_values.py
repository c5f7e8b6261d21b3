"""Objects that JSON does not know."""

import collections
import dataclasses
import datetime
import decimal
import enum
import json
import pathlib
import types
import uuid

import numpy
import pandas
import pytest

from daybook import values

UTC = datetime.timezone.utc


class Color(enum.Enum):
    RED = "red"
    BOTH = (1, 2)


class Number(enum.IntEnum):
    ONE = 1


@dataclasses.dataclass
class Point:
    x: int
    y: object = None


Pair = collections.namedtuple("Pair", "a b")


class Strange:
    def __repr__(self):
        return "<strange>"


class Broken:
    def __repr__(self):
        raise RuntimeError("no repr")


class Named(dict):
    pass


class Text(str):
    def __str__(self):
        return "something else"


CASES = [
    (None, None), (True, True), (1, 1), (1.5, 1.5), ("x", "x"), ([1, [2]], [1, [2]]), ((1, 2), [1, 2]),
    (2**63, 2**63), (-(2**70), -(2**70)),
    (float("nan"), "NaN"), (float("inf"), "Infinity"), (float("-inf"), "-Infinity"),
    ("\ud800", "\\ud800"), ("\x00\x1f\"\\\u2028é🎉", "\x00\x1f\"\\\u2028é🎉"), ({"\udfff": 1}, {"\\udfff": 1}),
    (datetime.datetime(2026, 2, 3, 4, 5, 6, 789, UTC), "2026-02-03T04:05:06.000789Z"),
    (datetime.datetime(2026, 2, 3, 6, tzinfo=datetime.timezone(datetime.timedelta(hours=2))), "2026-02-03T04:00:00Z"),
    (datetime.date(2026, 2, 3), "2026-02-03"), (datetime.time(4, 5), "04:05:00"),
    (datetime.timedelta(seconds=1.5), 1.5),
    (decimal.Decimal("0.5"), 0.5), (decimal.Decimal("3"), 3), (decimal.Decimal("NaN"), "NaN"),
    (decimal.Decimal("0.1000000000000000055511151231257827"), "0.1000000000000000055511151231257827"),
    (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
    (b"text", "text"), (b"\xff\x00", "base64:/wA="), (bytearray(b"x"), "x"), (memoryview(b"x"), "x"),
    (Color.RED, "red"), (Color.BOTH, [1, 2]), (Number.ONE, 1), (Text("x"), "x"),
    (Point(1, Point(2)), {"x": 1, "y": {"x": 2, "y": None}}), (Pair(1, "b"), {"a": 1, "b": "b"}),
    ({1: "a", None: "b", (1, 2): "c", Color.RED: "d"}, {"1": "a", "None": "b", "[1, 2]": "c", "red": "d"}),
    (Named(a=1), {"a": 1}), (types.MappingProxyType({"a": 1}), {"a": 1}), (collections.Counter("aab"), {"a": 2, "b": 1}),
    ({3, 1, 2}, [1, 2, 3]), (frozenset({"b", "a"}), ["a", "b"]), ({1, "a"}, ["a", 1]), (range(3), [0, 1, 2]),
    (collections.deque([1, 2]), [1, 2]), (pathlib.PurePosixPath("a/b"), "a/b"),
    (ValueError("it broke"), "ValueError: it broke"), (int, "builtins.int"), (Strange(), "<strange>"),
    (Broken(), "<Broken>"), (lambda: 1, None),
    (numpy.int64(5), 5), (numpy.float32(0.5), 0.5), (numpy.bool_(True), True), (numpy.str_("x"), "x"),
    (numpy.float64("nan"), "NaN"), (numpy.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]), (numpy.array(5), 5),
    (numpy.datetime64("2026-02-03T04:05:06"), "2026-02-03T04:05:06Z"), (numpy.datetime64("NaT"), None),
    (numpy.datetime64("2026-02-03"), "2026-02-03"), (numpy.timedelta64(1500, "ms"), 1.5),
    (pandas.Timestamp("2026-02-03T04:05:06Z"), "2026-02-03T04:05:06Z"), (pandas.NaT, None), (pandas.NA, None),
    (pandas.Timedelta(seconds=1.5), 1.5), (pandas.Series([1, 2]), [1, 2]), (pandas.Index(["a"]), ["a"]),
    (pandas.DataFrame({"a": [1, 2]}), [{"a": 1}, {"a": 2}]),
]


@pytest.mark.parametrize(("value", "expected"), CASES, ids=lambda value: type(value).__name__)
def test_every_object_is_recorded_as_what_is_closest(value, expected):
    got = json.loads(values.encode({"value": value}))["value"]
    if callable(value) and expected is None:
        assert got.startswith("<function")
    else:
        assert got == expected and type(got) is type(expected)


def cycle():
    one = {"name": "one"}
    one["itself"] = [one]
    return one


def deep():
    value = []
    for _ in range(100_000):
        value = [value]
    return value


class Endless(collections.abc.Mapping):
    def __getitem__(self, key):
        return self

    def __iter__(self):
        return iter(["again"])

    def __len__(self):
        return 1


@dataclasses.dataclass
class Node:
    next: object = None


def ring():
    node = Node()
    node.next = node
    return node


@pytest.mark.parametrize("make", [cycle, deep, Endless, ring])
def test_what_has_no_end_is_cut(make, log, recorded):
    log.event("x", value=make(), n=1)
    assert recorded("kind", "n") == [{"kind": "x", "n": 1}]
    assert b"(nested too deep)" in values.encode(make())


def test_a_time_without_a_zone_is_local():
    local = datetime.datetime(2026, 2, 3, 4)
    assert values.plain(local) == local.astimezone(UTC).isoformat().replace("+00:00", "Z")


def test_all_of_them_in_one_event_do_not_raise(log, recorded):
    log.event("x", **{f"v{number}": value for number, (value, _) in enumerate(CASES)})
    assert recorded("kind") == [{"kind": "x"}]


def test_a_long_repr_is_cut():
    class Long:
        def __repr__(self):
            return "x" * 1_000_000

    assert len(values.encode(Long())) < 20_000
