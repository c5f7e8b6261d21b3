"""How a process ends, and how one becomes two: logs write what waits at exit and on SIGTERM, and open again after a
fork."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import weakref
from types import FrameType
from typing import Any, Protocol

from daybook import store

__all__ = ["Open", "watch"]


class Open(Protocol):
    """Something that has to be closed before the process ends."""

    def close(self) -> None: ...
    def _after_fork(self) -> None: ...


_open: weakref.WeakSet[Open] = weakref.WeakSet()
#: For which process a finalizer is there.
_finalizers: dict[str, int] = {}


def watch(what: Open) -> None:
    """Closes this when the process ends, and tells it when it was forked."""
    _open.add(what)
    _install()


def _install() -> None:
    """Handles SIGTERM if nobody else does. Only the main thread may ask for that."""
    _install_in_worker(None)
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminated)


def _terminated(number: int, frame: FrameType | None) -> None:
    """Writes what waits, and dies by the signal as if nobody had handled it."""
    signal.signal(number, signal.SIG_DFL)
    try:
        _close_all()
    finally:
        os.kill(os.getpid(), number)


def _close_all() -> None:
    for one in list(_open):
        one.close()


def _after_fork() -> None:
    util: Any = sys.modules.get("multiprocessing.util")
    if util is not None:
        # It forgets the finalizers of the parent first, and calls this then.
        util.register_after_fork(_open, _install_in_worker)
    # Stores first: logs write into them.
    store.after_fork()
    for one in list(_open):
        one._after_fork()


def _install_in_worker(ignored: object) -> None:
    """Processes of `multiprocessing` end without what `atexit` knows, but with what it calls finalizers."""
    process: Any = sys.modules.get("multiprocessing.process")
    util: Any = sys.modules.get("multiprocessing.util")
    if process is not None and util is not None and process.parent_process() is not None:
        if _finalizers.get("pid") != os.getpid():
            _finalizers["pid"] = os.getpid()
            util.Finalize(None, _close_all, exitpriority=-100)


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
