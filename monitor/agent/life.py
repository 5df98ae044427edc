"""From the start of the agent to its end: opens, starts, drains, stops."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

from monitor import __version__
from monitor.agent.choices import COMMIT, reveal_secret
from monitor.agent.parts import Agent
from monitor.agent.routes import make_routes
from monitor.config.load import LoadedConfig
from monitor.sinks.faults import start_reporting, stop_reporting
from monitor.sinks.heartbeat import PING_SECONDS, Heartbeat
from monitor.sinks.store import open_store
from monitor.sources.http import open_client
from monitor.watch.expectation import Expectations


def _ignore(_: int) -> None:
    """Tell nobody the port."""


async def run_agent(
    loaded: LoadedConfig,
    *,
    stop: asyncio.Event,
    on_started: Callable[[int], None] = _ignore,
) -> None:
    """Watch what the configuration names until ``stop`` is set.

    Args:
        loaded: the configuration.
        stop: ends the agent within five seconds.
        on_started: told the port when the page answers.

    Raises:
        ConfigurationError: the port or a channel cannot be used.
        StoreError: the ledger cannot be opened.
    """
    settings = loaded.settings
    async with AsyncExitStack() as stack:
        start_reporting(
            reveal_secret(settings.sentry_dsn),
            environment=settings.environment,
            release=os.environ.get(COMMIT, __version__),
            replica=os.environ.get("RAILWAY_REPLICA_ID"),
        )
        stack.push_async_callback(asyncio.to_thread, stop_reporting)
        agent = await _unless(stop, _open(loaded, stack))
        if agent is not None:
            heartbeat = await _open_heartbeat(loaded, stack)
            await _run_until(agent, heartbeat, stop, on_started)


async def _open(loaded: LoadedConfig, stack: AsyncExitStack) -> Agent:
    """The agent with all that it remembers."""
    settings = loaded.settings
    store = await stack.enter_async_context(open_store(settings.store_url.get_secret_value()))
    client = await stack.enter_async_context(open_client())
    agent = Agent(loaded, store=store, routes=make_routes(settings, client))
    agent.expect(Expectations(stack))
    await agent.restore()
    return agent


async def _open_heartbeat(loaded: LoadedConfig, stack: AsyncExitStack) -> Heartbeat | None:
    """The dead man's switch, where one is configured."""
    url = reveal_secret(loaded.settings.heartbeat_url)
    if url is None:
        return None
    client = await stack.enter_async_context(open_client(total_seconds=PING_SECONDS))
    return Heartbeat(url, client=client)


async def _unless[T](stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """What comes of the work; None when it was cut off, because ``stop`` was set before.

    A ledger that does not answer is waited for as long as its deadlines say, and longer
    than the platform waits for the agent to end.
    """
    working = asyncio.create_task(work)
    asked = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((working, asked), return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        asked.cancel()
        working.cancel()
        await asyncio.gather(asked, working, return_exceptions=True)


async def _run_until(
    agent: Agent,
    heartbeat: Heartbeat | None,
    stop: asyncio.Event,
    on_started: Callable[[int], None],
) -> None:
    """Run every part; the first that fails ends them all, and so does ``stop``.

    They end at the same time: what each of them may take at the end does not add up.
    """
    agent.start()
    asked = asyncio.create_task(stop.wait(), name="stop")
    parts = [
        asyncio.create_task(agent.deliver(), name="outbox"),
        asyncio.create_task(agent.keep_alerts(), name="alerts"),
        asyncio.create_task(agent.keep_house(), name="housekeeping"),
        asyncio.create_task(agent.watch_channels(), name="channels"),
        asyncio.create_task(agent.conclude_deployments(), name="deployments"),
        asyncio.create_task(agent.tell_of_life(heartbeat), name="lifelines"),
        asyncio.create_task(agent.serve(stop, on_started), name="web"),
    ]
    try:
        await asyncio.wait([asked, *parts], return_when=asyncio.FIRST_COMPLETED)
        done = [part for part in parts if part.done()]
    finally:
        stop.set()
        for part in parts[:-1]:
            part.cancel()
        await asyncio.gather(agent.fleet.stop(), asked, *parts, return_exceptions=True)
    for part in done:
        part.result()
