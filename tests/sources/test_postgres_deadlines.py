"""Every wait has an end, here and on the server."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from monitor.core.errors import (
    Migrating,
    TooSlow,
)
from monitor.sources.engine import Cluster
from monitor.sources.postgres import DEADLINES, connect
from tests.sources.peers import (
    SLEEP,
    Admin,
    administering,
    read,
    run,
    stalling_proxy,
    until,
)


@pytest.fixture
async def admin(server: Cluster) -> AsyncIterator[Admin]:
    async with administering(server.socket_url()) as connection:
        yield connection


async def test_a_slow_statement_is_ended_by_the_server(database: str) -> None:
    deadlines = replace(DEADLINES, statement_seconds=0.1)
    with pytest.raises(TooSlow, match='deadline "statement"'):
        async with (
            connect(read(database), deadlines=deadlines) as session,
            session.reading() as reader,
        ):
            await reader.fetch(SLEEP)


async def test_a_lock_of_a_migration_is_not_waited_for(database: str, admin: Admin) -> None:
    await run(database, "CREATE TABLE t (a text)")
    async with connect(read(database)) as migration, connect(read(database)) as session:
        await migration.execute("BEGIN")
        await migration.execute("LOCK TABLE t")
        started = time.monotonic()
        with pytest.raises(Migrating, match='deadline "lock"'):
            async with session.reading() as reader:
                await reader.fetch("SELECT a FROM public.t")
        assert time.monotonic() - started < 2


async def test_a_server_that_falls_silent_is_given_up_within_the_deadlines(database: str) -> None:
    deadlines = replace(DEADLINES, statement_seconds=0.2, grace_seconds=0.1, close_seconds=0.2)
    async with stalling_proxy(read(database)) as (dsn, is_silent):
        started = time.monotonic()
        async with connect(dsn, deadlines=deadlines) as session, session.reading() as reader:
            is_silent.set()
            with pytest.raises(TooSlow, match='deadline "statement"'):
                await reader.fetch("SELECT 'x'")
        assert time.monotonic() - started < 3


async def test_a_whole_read_has_an_end_and_the_session_goes_on(database: str) -> None:
    deadlines = replace(DEADLINES, read_seconds=0.2)
    async with connect(read(database), deadlines=deadlines) as session:
        with pytest.raises(TooSlow, match='deadline "read"'):
            async with session.reading() as reader:
                await reader.fetch(SLEEP)
        async with session.reading() as reader:
            assert await reader.fetch("SELECT 'x'") == [("x",)]


async def test_a_timeout_of_the_caller_s_own_stays_the_caller_s(database: str) -> None:
    async with connect(read(database)) as session:
        with pytest.raises(TimeoutError):
            async with session.reading() as reader, asyncio.timeout(0.1):
                await reader.fetch(SLEEP)
        with pytest.raises(TimeoutError):
            async with session.reading():
                raise TimeoutError


async def test_a_cancelled_look_leaves_no_statement_running(database: str, admin: Admin) -> None:
    name = uuid.uuid4().hex

    async def count() -> int:
        return int(
            await admin.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1", name
            )
        )

    async def look() -> None:
        async with connect(read(database), application_name=name) as session:
            await session.execute(SLEEP)

    task = asyncio.create_task(look())
    await until(count)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    async def is_gone() -> bool:
        return await count() == 0

    await until(is_gone)


async def test_a_cancelled_look_at_a_silent_server_ends_in_bounded_time(database: str) -> None:
    deadlines = replace(DEADLINES, close_seconds=0.2)
    async with stalling_proxy(read(database)) as (dsn, is_silent):
        is_reading = asyncio.Event()

        async def look() -> None:
            async with connect(dsn, deadlines=deadlines) as session, session.reading() as reader:
                is_silent.set()
                is_reading.set()
                await reader.fetch("SELECT 'x'")

        task = asyncio.create_task(look())
        await is_reading.wait()
        started = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.monotonic() - started < 2
