"""A store in an event loop."""

import asyncio
import inspect
import time

import pytest
from conftest import EVENTS, python

import daybook
from daybook import aio

LONG = "SELECT sum(a.range * b.range) FROM range(100000) a, range(1000000) b"


def run(path, work):
    async def main():
        async with await aio.open(path, create=True) as store:
            return await work(store)

    return asyncio.run(main())


def test_it_asks_and_writes(path):
    async def work(store):
        assert (await store.ingest(EVENTS))["stored"] == 3
        await store.append({"kind": "later"})
        rows = (await store.sql("SELECT count(*) AS n FROM events WHERE kind = $kind", kind="deploy")).to_dicts()
        assert rows == [{"n": 2}]
        assert (await store.stats())["total"] == 4
        assert len(await store.search("kind:later")) == 1
        assert repr(store).startswith("daybook.aio.Store(")
        with pytest.raises(daybook.SyntaxInvalidError):
            await store.search("kind:(")

    run(path, work)


def test_it_has_every_method_of_a_store():
    own = {name for name, value in inspect.getmembers(daybook.Store, inspect.isfunction) if not name.startswith("_")}
    assert own - {"interrupt"} <= set(dir(aio.Store)) | {"info"}


def test_questions_are_worked_on_at_once_and_the_loop_goes_on(path):
    async def work(store):
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticking = asyncio.create_task(tick())
        answers = await asyncio.gather(*(store.sql(LONG, timeout=0.5) for _ in range(3)), return_exceptions=True)
        ticking.cancel()
        assert all(isinstance(answer, TimeoutError) for answer in answers) and ticks > 10

    run(path, work)


def test_cancelling_a_task_stops_its_query_and_no_other(path):
    async def work(store):
        other = asyncio.create_task(store.sql("SELECT count(*) FROM range(30000000) a, range(10) b", timeout=60))
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(store.sql(LONG), 0.2)
        began = time.monotonic()
        assert (await other).scalar() == 300_000_000
        # Its thread is free again.
        for task in [asyncio.create_task(store.sql(LONG)) for _ in range(8)]:
            await asyncio.sleep(0.01)
            task.cancel()
        assert (await asyncio.wait_for(store.sql("SELECT 5"), 5)).scalar() == 5
        assert time.monotonic() - began < 20

    run(path, work)


@pytest.mark.parametrize("wait", [0, 0.001, 0.005, 0.02, 0.1])
def test_a_loop_that_ends_with_its_tasks_leaves_no_query_behind(path, wait):
    program = f"""if True:
        import asyncio
        from daybook import aio
        async def main():
            store = await aio.open({str(path)!r}, create=True)
            tasks = [asyncio.create_task(store.sql({LONG!r})) for _ in range(3)]
            await asyncio.sleep({wait})
        asyncio.run(main())
    """
    began = time.monotonic()
    assert python(program).returncode == 0 and time.monotonic() - began < 20


def test_use_after_close(path):
    async def main():
        store = await aio.open(path, create=True)
        await store.close()
        await store.close()
        with pytest.raises(daybook.ClosedError):
            await store.sql("SELECT 1")
        with pytest.raises(FileNotFoundError):
            await aio.open(path.parent / "nothing")

    asyncio.run(main())
