"""Decorators and context managers, around everything that can be called."""

import asyncio
import time

import pytest


def run(coroutine):
    return asyncio.run(coroutine)


class Thing:
    """Functions of each kind, made with a decorator."""

    def __init__(self, around):
        @around
        def function(fail):
            if fail:
                raise ValueError("it broke")
            return 5

        @around
        async def coroutine(fail):
            await asyncio.sleep(0)
            return function.__wrapped__(fail)

        @around
        def generator(fail):
            got = yield 1
            yield got
            return function.__wrapped__(fail)

        @around
        async def async_generator(fail):
            got = yield 1
            yield got
            function.__wrapped__(fail)

        class Class:
            @around
            def method(self, fail):
                return function.__wrapped__(fail)

        async def drain(fail):
            return [value async for value in async_generator(fail)]

        self.calls = {
            "function": function, "coroutine": lambda fail: run(coroutine(fail)), "method": Class().method,
            "generator": lambda fail: list(generator(fail)), "async generator": lambda fail: run(drain(fail))}
        self.generator, self.async_generator = generator, async_generator


KINDS = ["function", "coroutine", "method", "generator", "async generator"]


@pytest.mark.parametrize("kind", KINDS)
def test_errors_are_recorded_and_come_out(log, recorded, kind):
    call = Thing(log.errors(context="Invoices")).calls[kind]
    assert call(False) in (5, [1, None])
    with pytest.raises(ValueError, match="it broke"):
        call(True)
    (event,) = recorded("kind", "level", "error_type", "error_message", "context", "stack_trace")
    assert "it broke" in event.pop("stack_trace")
    assert event == {"kind": "error", "level": "error", "error_type": "ValueError", "error_message": "it broke",
                     "context": "Invoices"}


@pytest.mark.parametrize("kind", KINDS)
def test_activity_says_how_it_went(log, recorded, kind):
    call = Thing(log.activity(action="Create Invoice")).calls[kind]
    call(False)
    with pytest.raises(ValueError):
        call(True)
    assert recorded("kind", "message", "status", "error_type") == [
        {"kind": "activity", "message": "Create Invoice", "status": "success"},
        {"kind": "activity", "message": "Create Invoice", "status": "failure", "error_type": "ValueError"}]
    assert all(event["duration_ms"] >= 0 for event in recorded())


def test_activity_without_a_name_has_that_of_the_function(log, recorded):
    @log.activity(result=True)
    def answer():
        """Of everything."""
        return 42

    assert answer() == 42 and answer.__name__ == "answer" and answer.__doc__ == "Of everything."
    (event,) = recorded("message", "result")
    assert event["message"].endswith("answer") and event["result"] == 42


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_takes_long_is_recorded(log, recorded, kind):
    Thing(log.performance(threshold_seconds=60)).calls[kind](False)
    Thing(log.performance(threshold_seconds=0)).calls[kind](False)
    (event,) = recorded("kind", "level", "threshold", "metric_unit")
    assert event == {"kind": "performance_warning", "level": "warning", "threshold": 0.0, "metric_unit": "s"}


def test_blocks(log, recorded):
    with pytest.raises(ZeroDivisionError), log.errors(context="A block"), log.activity("Dividing"):
        1 / 0
    with log.performance(0.01, metric="A nap"):
        time.sleep(0.02)

    async def block():
        async with log.activity("Waiting"):
            await asyncio.sleep(0.001)

    run(block())
    assert recorded("kind", "message") == [
        {"kind": "activity", "message": "Dividing"},
        {"kind": "error", "message": "ZeroDivisionError: division by zero"},
        {"kind": "performance_warning", "message": recorded()[2]["message"]}, {"kind": "activity", "message": "Waiting"}]
    assert recorded()[2]["message"].startswith("A nap is 0.0")


def test_generators_can_be_sent_to_thrown_into_and_closed(log, recorded):
    thing = Thing(log.errors())
    generator = thing.generator(False)
    assert next(generator) == 1 and generator.send("sent") == "sent"
    generator.close()

    async def asynchronous():
        generator = thing.async_generator(False)
        assert await generator.__anext__() == 1 and await generator.asend("sent") == "sent"
        await generator.aclose()
        generator = thing.async_generator(False)
        await generator.__anext__()
        with pytest.raises(KeyError):
            await generator.athrow(KeyError("thrown"))

    run(asynchronous())
    assert recorded("error_type") == [{"error_type": "KeyError"}]


def test_what_ends_a_program_or_a_task_is_no_error(log, recorded):
    @log.errors()
    def leave():
        raise SystemExit

    @log.errors()
    async def wait():
        await asyncio.sleep(60)

    async def cancel():
        task = asyncio.create_task(wait())
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with pytest.raises(SystemExit):
        leave()
    run(cancel())
    assert recorded() == []
