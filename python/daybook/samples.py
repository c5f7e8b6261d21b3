"""A year of sample events, to try things with."""

from __future__ import annotations

import datetime
import os

from daybook.errors import InvalidError
from daybook.store import Store

__all__ = ["demo"]


def demo(path: str | os.PathLike[str], *, events: int = 230_000, until: datetime.date | str | None = None) -> Store:
    """A store with a year of about so many sample events of five applications, up to a day or today; among them are a few
    stories worth finding. The same for the same day. A store that has events already stays as it is."""
    if not 1_000 <= events <= 50_000_000:
        raise InvalidError(f"{events} is no number of sample events", "ask for 1,000 to 50,000,000")
    store = Store(path, create=True)
    if not store.usage()["events"]:
        store._native.ingest_demo(str(until or datetime.datetime.now(datetime.timezone.utc).date()), float(events))
    return store
