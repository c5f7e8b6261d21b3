"""What can go wrong. Each error is also the built-in exception of its kind, where Python has one."""

from __future__ import annotations

__all__ = [
    "BusyError",
    "ClosedError",
    "CorruptError",
    "Error",
    "FullError",
    "InternalError",
    "InvalidError",
    "IoError",
    "LimitError",
    "NotFoundError",
    "PermissionDeniedError",
    "RefusedError",
    "StoppedError",
    "SyntaxInvalidError",
    "UnsupportedError",
]


class Error(Exception):
    """An error of Daybook: what happened and where, in a sentence."""

    #: What to do about it, if there is something to say.
    hint: str | None

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\nhint: {self.hint}"

    def __reduce__(self) -> tuple[type[Error], tuple[str, str | None]]:
        return type(self), (self.message, self.hint)


class NotFoundError(Error, FileNotFoundError):
    """There is no store, file or entry of that name."""


class InvalidError(Error, ValueError):
    """The request or its input is wrong."""


class SyntaxInvalidError(Error, ValueError):
    """The text of a query or filter does not parse, or names what is not there."""


class RefusedError(Error, PermissionError):
    """A query asked for what it may not have: queries only read, and only the store."""


class LimitError(Error, TimeoutError):
    """A limit of time or memory was reached."""


class StoppedError(Error):
    """The work was stopped from another thread."""


class PermissionDeniedError(Error, PermissionError):
    """The operating system denies access."""


class FullError(Error, OSError):
    """The disk is full."""


class CorruptError(Error, OSError):
    """Bytes on disk are not what was written: verify, then restore from a copy."""


class UnsupportedError(Error):
    """The store needs a newer Daybook, or the place cannot hold one."""


class BusyError(Error):
    """Others won the race too often: try again."""


class ClosedError(Error, ValueError):
    """The store, log or result takes no more calls."""


class IoError(Error, OSError):
    """Input or output failed in another way."""


class InternalError(Error, RuntimeError):
    """A defect in Daybook: please report it."""


_BY_KIND: dict[str, type[Error]] = {
    "not_found": NotFoundError,
    "invalid": InvalidError,
    "syntax": SyntaxInvalidError,
    "refused": RefusedError,
    "limit": LimitError,
    "interrupted": StoppedError,
    "permission": PermissionDeniedError,
    "full": FullError,
    "corrupt": CorruptError,
    "unsupported": UnsupportedError,
    "busy": BusyError,
    "closed": ClosedError,
    "io": IoError,
}


def of(kind: str, message: str, hint: str | None) -> Error:
    """The error of a kind, as the native half names it."""
    return _BY_KIND.get(kind, InternalError)(message, hint)
