"""A store in an event loop: what `daybook.Store` has, as coroutines.

    store = await daybook.aio.open("my-store")
    rows = (await store.sql("SELECT count(*) FROM events")).to_dicts()

The work is done in threads. Whoever cancels a task stops what it asked, and nothing else.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from daybook import store as _store
from daybook.errors import ClosedError
from daybook.result import Result

__all__ = ["Store", "open"]

_P = ParamSpec("_P")
_T = TypeVar("_T")

#: How long a query that is to stop is left alone before it is told again.
_AGAIN_SECONDS = 0.05


async def open(path: str | os.PathLike[str], *, create: bool = False, archives: Sequence[str | os.PathLike[str]] = (),
               key_file: str | os.PathLike[str] | None = None, threads: int = 4) -> Store:
    """Opens the store in a folder, as `daybook.open` does."""
    return await Store.open(path, create=create, archives=archives, key_file=key_file, threads=threads)


class _Method(Generic[_P, _T]):
    """A method of `daybook.Store`, as a coroutine."""

    def __init__(self, method: Callable[Concatenate[_store.Store, _P], _T], *, writes: bool = False) -> None:
        self._method, self._writes = method, writes
        self.__doc__ = method.__doc__
        self.__wrapped__ = method

    def __get__(self, store: Store | None, owner: type[Store]) -> _Bound[_P, _T]:
        if store is None:
            raise AttributeError(f"`{self._method.__name__}` is a method of an open store")
        return _Bound(store, self._method, self._writes)


class _Bound(Generic[_P, _T]):
    def __init__(self, store: Store, method: Callable[Concatenate[_store.Store, _P], _T], writes: bool) -> None:
        self._store, self._method, self._writes = store, method, writes
        self.__doc__ = method.__doc__

    async def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        return await self._store._do(lambda store: _whole(self._method(store, *args, **kwargs)), self._writes)

    def __repr__(self) -> str:
        return f"<{self._method.__name__} of {self._store!r}>"


class Store:
    """A store of events, asked from an event loop. `threads` is how many questions are worked on at once.

    Answers have been read to their end when they are given, so that using them waits for nothing."""

    def __init__(self, store: _store.Store, threads: int) -> None:
        self._main = store
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="daybook-aio")
        #: What is stopped is stopped as a whole, so that each question has a handle of its own meanwhile.
        self._idle: list[_store.Store] = []
        self._closed = False

    @classmethod
    async def open(cls, path: str | os.PathLike[str], *, create: bool = False,
                   archives: Sequence[str | os.PathLike[str]] = (),
                   key_file: str | os.PathLike[str] | None = None, threads: int = 4) -> Store:
        """Opens the store in a folder, as `daybook.open` does."""
        opened = asyncio.to_thread(_store.open, path, create=create, archives=archives, key_file=key_file)
        return cls(await opened, threads)

    sql = _Method(_store.Store.sql)
    search = _Method(_store.Store.search)
    recent = _Method(_store.Store.recent)
    failures = _Method(_store.Store.failures)
    stats = _Method(_store.Store.stats)
    timeline = _Method(_store.Store.timeline)
    facets = _Method(_store.Store.facets)
    slowest = _Method(_store.Store.slowest)
    history = _Method(_store.Store.history)
    file_history = _Method(_store.Store.file_history)
    sessions = _Method(_store.Store.sessions)
    session = _Method(_store.Store.session)
    trace = _Method(_store.Store.trace)
    show = _Method(_store.Store.show)
    patterns = _Method(_store.Store.patterns)
    metrics = _Method(_store.Store.metrics)
    health = _Method(_store.Store.health)
    audit = _Method(_store.Store.audit)
    schema = _Method(_store.Store.schema)
    usage = _Method(_store.Store.usage)
    ask = _Method(_store.Store.ask)
    changes = _Method(_store.Store.changes)
    now = _Method(_store.Store.now)
    ingest = _Method(_store.Store.ingest)
    explain = _Method(_store.Store.explain)
    quarantined = _Method(_store.Store.quarantined)
    export = _Method(_store.Store.export)
    compact = _Method(_store.Store.compact)
    expire = _Method(_store.Store.expire)
    erase = _Method(_store.Store.erase)
    archive = _Method(_store.Store.archive)
    restore = _Method(_store.Store.restore)
    maintain = _Method(_store.Store.maintain)
    encrypt = _Method(_store.Store.encrypt)
    backup = _Method(_store.Store.backup)
    verify = _Method(_store.Store.verify)
    head = _Method(_store.Store.head)
    append = _Method(_store.Store.append, writes=True)
    flush = _Method(_store.Store.flush, writes=True)
    seal = _Method(_store.Store.seal, writes=True)
    warnings = _Method(_store.Store.warnings, writes=True)

    async def close(self) -> None:
        """Flushes, and lets go of the store. Closing twice is fine."""
        self._closed = True
        handles, self._idle = [*self._idle, self._main], []
        for handle in handles:
            await asyncio.to_thread(handle.close)
        self._threads.shutdown(wait=False)

    async def __aenter__(self) -> Store:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"daybook.aio.Store({str(self._main.path)!r})"

    async def _do(self, work: Callable[[_store.Store], _T], writes: bool) -> _T:
        if self._closed:
            raise ClosedError("the store is closed")
        call = _Call(self, work, writes)
        future = self._threads.submit(call.run)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            if not writes and not future.cancel():
                # The event loop may end before the question does.
                threading.Thread(target=call.stop, args=(future,), name="daybook-stop", daemon=True).start()
            raise


class _Call(Generic[_T]):
    """A question, and the handle that it has while it is worked on."""

    def __init__(self, store: Store, work: Callable[[_store.Store], _T], writes: bool) -> None:
        self._store, self._work, self._writes = store, work, writes
        self.handle: _store.Store | None = None
        self.stopped = False

    def run(self) -> _T:
        if self._writes:
            return self._work(self._store._main)
        try:
            handle = self._store._idle.pop()
        except IndexError:
            main = self._store._main
            handle = _store.Store(main.path, archives=main._archives, key_file=main._key_file)
        self.handle = handle
        try:
            if self.stopped:
                raise CancelledError
            return self._work(handle)
        finally:
            self.handle = None
            if self.stopped or self._store._closed:
                # It may yet be told to stop.
                handle.close()
            else:
                self._store._idle.append(handle)

    def stop(self, future: Future[Any]) -> None:
        """Tells the question to stop, again and again: its query may begin only now."""
        self.stopped = True
        while not future.done():
            if (handle := self.handle) is not None:
                try:
                    handle.interrupt()
                except ClosedError:
                    return
            wait([future], timeout=_AGAIN_SECONDS)


def _whole(answer: _T) -> _T:
    """An answer that was read to its end."""
    if isinstance(answer, Result):
        answer._collect()
    return answer
