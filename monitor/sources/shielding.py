"""Work that is finished even when whoever waits for it is cancelled."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any


async def finish[T](work: Coroutine[Any, Any, T]) -> T:
    """The result of ``work``, which runs to its end; a cancellation is raised after that.

    For what would leave something behind when it stops half-way. The work has to have
    deadlines of its own.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([task])
        raise
