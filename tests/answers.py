"""Compares answers with what the cases of `tests/conformance` expect."""

import math


def plain(value, ignored):
    """Without what differs from store to store, such as the numbers of events."""
    if isinstance(value, dict):
        return {key: plain(inner, ignored) for key, inner in value.items() if key not in ignored}
    return [plain(inner, ignored) for inner in value] if isinstance(value, list) else value


def same(one, other):
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        both_whole = isinstance(one, int) and isinstance(other, int)
        return one == other if both_whole else math.isclose(one, other, rel_tol=1e-9)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other
