"""What a log records around functions and blocks."""

from __future__ import annotations

import contextvars
import functools
import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from daybook.logger import Logger

__all__ = ["Activity", "Errors", "Performance", "Watch"]

_F = TypeVar("_F", bound=Callable[..., Any])

#: When the blocks began that are running here, innermost last.
_began: contextvars.ContextVar[tuple[float, ...]] = contextvars.ContextVar("daybook_began", default=())


class Watch:
    """A decorator and a context manager. What a function or block raises comes out of it."""

    def __init__(self, log: Logger, fields: dict[str, Any]) -> None:
        self._log = log
        self._fields = fields

    def __call__(self, function: _F) -> _F:
        import inspect

        wrapper: Any
        if inspect.isasyncgenfunction(function):
            wrapper = _around_async_generator(self, function)
        elif inspect.isgeneratorfunction(function):
            wrapper = _around_generator(self, function)
        elif inspect.iscoroutinefunction(function):
            wrapper = _around_coroutine(self, function)
        else:
            wrapper = _around_function(self, function)
        return wrapper  # type: ignore[no-any-return]

    def __enter__(self) -> None:
        _began.set((*_began.get(), time.perf_counter()))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        *outer, began = _began.get() or (time.perf_counter(),)
        _began.set(tuple(outer))
        self._over(None, time.perf_counter() - began, error, None)

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        self.__exit__(kind, error, trace)

    def __repr__(self) -> str:
        return f"<daybook.{type(self).__name__} of {self._log!r}>"

    def _over(self, function: str | None, seconds: float, error: BaseException | None, result: Any) -> None:
        """A call or block is over; a block has no function."""
        raise NotImplementedError


class Errors(Watch):
    """Records what is raised. What ends a program or a task on purpose is no error."""

    def __init__(self, log: Logger, context: str | Mapping[str, Any] | None, fields: dict[str, Any]) -> None:
        super().__init__(log, fields)
        self._context = context

    def _over(self, function: str | None, seconds: float, error: BaseException | None, result: Any) -> None:
        if isinstance(error, Exception):
            self._log.error(error, self._context, function=function, **self._fields)


class Activity(Watch):
    """Records each call."""

    def __init__(self, log: Logger, action: str | None, result: bool, fields: dict[str, Any]) -> None:
        super().__init__(log, fields)
        self._action, self._result = action, result

    def _over(self, function: str | None, seconds: float, error: BaseException | None, result: Any) -> None:
        fields: dict[str, Any] = {"function": function, "status": "success" if error is None else "failure",
                  "duration_ms": seconds * 1000, "result": result if self._result else None,
                  "error_type": None if error is None else type(error).__name__,
                  "error_message": None if error is None else str(error), **self._fields}
        self._log.event("activity", self._action or function, **fields)


class Performance(Watch):
    """Records what takes longer than it should."""

    def __init__(self, log: Logger, threshold_seconds: float, metric: str | None, fields: dict[str, Any]) -> None:
        super().__init__(log, fields)
        self._threshold, self._metric = threshold_seconds, metric

    def _over(self, function: str | None, seconds: float, error: BaseException | None, result: Any) -> None:
        if seconds > self._threshold:
            self._log.performance_warning(self._metric or function or "a block", seconds, self._threshold, "s",
                                          function=function, duration_ms=seconds * 1000, **self._fields)


class _Call:
    """A call of a function that is watched."""

    def __init__(self, watch: Watch, function: Callable[..., Any]) -> None:
        self._watch = watch
        self._name = getattr(function, "__qualname__", repr(function))
        self.result: Any = None

    def __enter__(self) -> _Call:
        self._began = time.perf_counter()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        # Whoever closes a generator early does not make it fail.
        error = None if isinstance(error, GeneratorExit) else error
        self._watch._over(self._name, time.perf_counter() - self._began, error, self.result)


def _around_function(watch: Watch, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with _Call(watch, function) as call:
            call.result = function(*args, **kwargs)
            return call.result

    return wrapper


def _around_coroutine(watch: Watch, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        with _Call(watch, function) as call:
            call.result = await function(*args, **kwargs)
            return call.result

    return wrapper


def _around_generator(watch: Watch, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        with _Call(watch, function) as call:
            call.result = yield from function(*args, **kwargs)
            return call.result

    return wrapper


def _around_async_generator(watch: Watch, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        with _Call(watch, function):
            inner = function(*args, **kwargs)
            try:
                value = await inner.__anext__()
                while True:
                    try:
                        sent = yield value
                    except GeneratorExit:
                        await inner.aclose()
                        raise
                    except BaseException as error:
                        value = await inner.athrow(error)
                    else:
                        value = await inner.asend(sent)
            except StopAsyncIteration:
                pass

    return wrapper
