"""Whether the agent says that it is ready: only while its ledger can be read and written."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from functools import partial
from pathlib import Path

import pytest

from monitor.sources.engine import Cluster
from tests.agent.builders import SECONDS, TABLES, Running, execute, load, running
from tests.conftest import MakeDatabase
from tests.sources.peers import read

type Hinder = Callable[[], AbstractAsyncContextManager[None]]


async def wait_until_ready(agent: Running, *, is_ready: bool) -> list[str]:
    """The reasons, once it says so."""
    async with asyncio.timeout(SECONDS):
        while (found := await agent.get("/readyz"))[0] != (200 if is_ready else 503):  # noqa: ASYNC110  # seen from outside
            await asyncio.sleep(0.05)
    reasons: list[str] = json.loads(found[1])["reasons"]
    return reasons


async def set_read_only(server: Cluster, name: str, *, is_on: bool) -> None:
    """Let a database take no writes from now on, not of sessions that are open either."""
    await execute(
        server.socket_url(),
        f"ALTER DATABASE {name} SET default_transaction_read_only = {is_on};"
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        f" WHERE datname = '{name}' AND pid <> pg_backend_pid()",
    )


@pytest.fixture(params=["sqlite", "postgresql"])
async def ledger(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    server: Cluster,
    make_database: MakeDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[str, Hinder]:
    """The URL of a ledger, and a block in which it can be read and not written."""
    if request.param == "sqlite":
        monkeypatch.setattr(
            "monitor.sinks.backend._PRAGMAS",
            ("PRAGMA busy_timeout = 50", "PRAGMA journal_mode = WAL"),
        )
        path = tmp_path / "ledger.db"

        @asynccontextmanager
        async def hold() -> AsyncIterator[None]:
            connect = partial(sqlite3.connect, isolation_level=None, check_same_thread=False)
            with closing(connect(path)) as holder:
                # In a thread: a transaction of the agent may have to end first, on this loop.
                await asyncio.to_thread(holder.execute, "BEGIN IMMEDIATE")
                yield

        return f"sqlite:///{path}", hold
    url = await make_database()

    @asynccontextmanager
    async def refuse() -> AsyncIterator[None]:
        await set_read_only(server, read(url).database, is_on=True)
        yield
        await set_read_only(server, read(url).database, is_on=False)

    return url, refuse


@pytest.mark.parametrize("rhythm", ["wake: true", "wake: false"])
async def test_a_ledger_that_cannot_be_written_makes_not_ready_until_it_can(
    make_database: MakeDatabase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ledger: tuple[str, Hinder],
    rhythm: str,
) -> None:
    monkeypatch.setattr("monitor.agent.house.HOUSEKEEPING_SECONDS", 0.1)
    url, hinder = ledger
    databases = {"app": f'{{url: "{await make_database(sql=TABLES)}", {rhythm}}}'}
    async with running(load(tmp_path, databases, ANCHORWATCH_STORE_URL=url)) as agent:
        await agent.wait_for(app="unchanged")
        assert await wait_until_ready(agent, is_ready=True) == []
        async with hinder():
            # One, or two where a look lost its session and the try was refused.
            reasons = await wait_until_ready(agent, is_ready=False)
            assert reasons
            assert all("ledger" in reason for reason in reasons)
            assert (await agent.get("/livez"))[0] == 200
            assert (await agent.list_states())["app"] == "unchanged"
        await wait_until_ready(agent, is_ready=True)
