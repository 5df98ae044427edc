import asyncio

import pytest

from monitor.sources.shielding import finish


async def test_work_runs_to_its_end_although_its_waiter_is_cancelled() -> None:
    started, may_end, done = asyncio.Event(), asyncio.Event(), []

    async def work() -> None:
        started.set()
        await may_end.wait()
        done.append(1)

    waiter = asyncio.create_task(finish(work()))
    await started.wait()
    for _ in range(2):
        waiter.cancel()
        await asyncio.sleep(0)
    assert not waiter.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    assert done == [1]


async def test_the_result_and_the_error_of_the_work_come_back() -> None:
    async def fail() -> None:
        raise KeyError

    assert await finish(asyncio.sleep(0, "a")) == "a"
    with pytest.raises(KeyError):
        await finish(fail())
