"""What is true of all events of a request, a task or a thread: who, in which session, over which route.

    with daybook.context.bind(actor="ann", session="s-1"):
        ...

It goes along with `contextvars`: a task of asyncio has what was bound where it was started.
"""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Generator, Mapping
from typing import Any

__all__ = ["bind", "current", "set", "unset"]

_bound: contextvars.ContextVar[Mapping[str, Any] | None] = contextvars.ContextVar("daybook", default=None)


def current() -> Mapping[str, Any] | None:
    """What is bound here."""
    return _bound.get()


def set(**fields: Any) -> contextvars.Token[Mapping[str, Any] | None]:
    """Binds more fields, until `unset` with what this gives."""
    known = {name: value for name, value in fields.items() if value is not None}
    return _bound.set({**(_bound.get() or {}), **known})


def unset(token: contextvars.Token[Mapping[str, Any] | None]) -> None:
    """Takes back what `set` bound."""
    _bound.reset(token)


@contextlib.contextmanager
def bind(**fields: Any) -> Generator[None, None, None]:
    """Binds more fields within a `with` block."""
    token = set(**fields)
    try:
        yield
    finally:
        unset(token)
