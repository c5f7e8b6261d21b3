"""Errors: one hierarchy, and Python's own types."""

import copy
import pickle

import pytest

import daybook

BUILT_IN = {
    daybook.NotFoundError: FileNotFoundError,
    daybook.InvalidError: ValueError,
    daybook.SyntaxInvalidError: ValueError,
    daybook.RefusedError: PermissionError,
    daybook.LimitError: TimeoutError,
    daybook.PermissionDeniedError: PermissionError,
    daybook.FullError: OSError,
    daybook.CorruptError: OSError,
    daybook.ClosedError: ValueError,
    daybook.IoError: OSError,
    daybook.InternalError: RuntimeError,
}


@pytest.mark.parametrize("kind", [getattr(daybook, name) for name in daybook.errors.__all__])
def test_errors_are_one_hierarchy_and_survive_pickling(kind):
    error = kind("it is so", "do that")
    assert isinstance(error, daybook.Error) and isinstance(error, BUILT_IN.get(kind, Exception))
    assert str(error) == "it is so\nhint: do that"
    assert str(kind("it is so")) == "it is so"
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(other) is kind and other.message == "it is so" and other.hint == "do that"
        assert str(other) == str(error)


def test_no_store(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        daybook.open(tmp_path / "nothing")
    assert isinstance(caught.value, daybook.NotFoundError) and "nothing" in str(caught.value)


@pytest.mark.parametrize(("call", "kind"), [
    (lambda store: store.sql("SELEC 1"), daybook.SyntaxInvalidError),
    (lambda store: store.sql("SELECT * FROM evnts"), daybook.SyntaxInvalidError),
    (lambda store: store.search("kind:("), daybook.SyntaxInvalidError),
    (lambda store: store.sql("DROP TABLE events"), daybook.RefusedError),
    (lambda store: store.sql("SELECT * FROM read_csv('/etc/passwd')"), daybook.RefusedError),
    (lambda store: store.timeline(every="never"), ValueError),
    (lambda store: store.facets(by="nothing"), ValueError),
    (lambda store: store.ingest("no/such/file.jsonl"), FileNotFoundError),
    (lambda store: store.ingest(5), daybook.InvalidError),
    (lambda store: store.ingest([5]), daybook.InvalidError),
    (lambda store: store.ingest([{}], format="nothing"), ValueError),
    (lambda store: store.compact("not a day"), ValueError),
    (lambda store: store.append({"ts": "no time at all"}), daybook.InvalidError),
    (lambda store: store.append({"ts": float("nan")}), daybook.InvalidError),
    (lambda store: store.append({}, durability="never"), ValueError),
    (lambda store: store.export("x.nothing"), ValueError),
], ids=str)
def test_what_is_wrong_has_its_kind(store, call, kind):
    with pytest.raises(kind):
        call(store)


def test_a_result_is_no_way_around_an_error(store):
    with pytest.raises(daybook.Error):
        store.sql("SELECT CAST(kind AS INTEGER) FROM events").to_arrow()
