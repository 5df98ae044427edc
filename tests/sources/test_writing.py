"""The transaction that writes: as a whole, or not at all, and honest where nobody knows."""

import asyncio
from contextlib import suppress

import asyncpg
import pytest

from monitor.core.errors import Rejected, Unsettled, WriteError
from monitor.sources.dsn import parse_dsn
from monitor.sources.postgres import Deadlines, Session, connect
from tests.conftest import MakeDatabase
from tests.remedy.repair.rows import ask
from tests.sources.peers import until

TABLES = """
create table t (id int primary key, up int references t deferrable initially deferred);
create table log (id int); insert into t values (1, null)
"""
COUNT = "select count(*) from t"


@pytest.fixture
async def url(make_database: MakeDatabase) -> str:
    return await make_database(sql=TABLES)


async def test_what_ends_by_itself_is_committed(url: str) -> None:
    async with connect(parse_dsn(url)[0]) as session:
        async with session.writing() as rows:
            assert await rows.fetch("insert into public.t values (2, 1) returning id::text") == [
                ("2",)
            ]
            level = (
                "select current_setting('transaction_isolation'), current_setting('row_security')"
            )
            assert await rows.fetch(level) == [("read committed", "off")]
        assert await ask(url, COUNT) == 2


async def write(session: Session, *statements: str) -> None:
    async with session.writing() as rows:
        for statement in statements:
            await rows.fetch(statement)


INSERT = "insert into public.t values (2, 1)"


async def test_whatever_ends_it_takes_it_back(url: str) -> None:
    async def break_off(session: Session) -> None:
        async with session.writing() as rows:
            await rows.fetch(INSERT)
            raise ZeroDivisionError

    async with connect(parse_dsn(url)[0]) as session:
        with pytest.raises(ZeroDivisionError):
            await break_off(session)
        with pytest.raises(Rejected, match="duplicate key"):
            await write(session, INSERT, INSERT)
        with pytest.raises(Rejected, match="foreign key") as caught:
            await write(session, INSERT, "insert into public.t values (4, 987654321)")
        assert "987654321" not in str(caught.value)
        assert "Nothing was changed." in str(caught.value)
        async with session.reading() as reader:
            assert await reader.fetch("select count(*)::text from public.t") == [("1",)]


async def test_a_statement_that_failed_is_never_taken_for_a_commit(url: str) -> None:
    async def swallow(session: Session) -> None:
        async with session.writing() as rows:
            await rows.fetch(INSERT)
            with suppress(WriteError):
                await rows.fetch("select 1 / 0")

    async with connect(parse_dsn(url)[0]) as session:
        with pytest.raises(WriteError, match="did not commit"):
            await swallow(session)
    assert await ask(url, COUNT) == 1


async def test_words_that_somebody_raises_are_not_repeated(url: str) -> None:
    raising = "do $$ begin raise exception 's3cret' using errcode = '23514'; end $$"
    async with connect(parse_dsn(url)[0]) as session:
        with pytest.raises(Rejected, match="error 23514") as caught:
            await write(session, raising)
    assert "s3cret" not in str(caught.value)


async def test_a_transaction_that_takes_too_long_is_taken_back(url: str) -> None:
    deadlines = Deadlines(script_seconds=0.3, close_seconds=1)
    async with connect(parse_dsn(url)[0], deadlines=deadlines) as session:
        with pytest.raises(WriteError, match=r"longer than 0.3 s"):
            await write(session, INSERT, "select pg_sleep(5)::text")
    assert await ask(url, COUNT) == 1


async def _kill(url: str, session: Session) -> None:
    (pid,) = (await session.fetch_values("select pg_backend_pid()"))[0]
    other = await asyncpg.connect(url)
    await other.execute("select pg_terminate_backend($1)", pid)
    await other.close()
    await asyncio.sleep(0.2)


async def write_and_lose(url: str, session: Session, *after: str) -> None:
    async with session.writing() as rows:
        await rows.fetch(INSERT)
        await _kill(url, session)
        for statement in after:
            await rows.fetch(statement)


async def test_a_connection_that_breaks_before_the_commit_is_told(url: str) -> None:
    async with connect(parse_dsn(url)[0]) as session:
        with pytest.raises(WriteError, match="Nothing was changed"):
            await write_and_lose(url, session, "select 1::text")
    assert await ask(url, COUNT) == 1


async def test_a_connection_that_breaks_at_the_commit_leaves_nobody_sure(url: str) -> None:
    async with connect(parse_dsn(url)[0]) as session:
        with pytest.raises(Unsettled, match="whether it was made is not known"):
            await write_and_lose(url, session)


async def test_who_interrupts_a_commit_learns_what_became_of_it(url: str) -> None:
    slow = """create function nap() returns trigger language plpgsql as
      $$ begin perform pg_sleep(0.5); return null; end $$;
    create constraint trigger nap after insert on t deferrable initially deferred
      for each row execute function nap()"""
    other = await asyncpg.connect(url)
    await other.execute(slow)
    async with connect(parse_dsn(url)[0]) as session:
        task = asyncio.create_task(write(session, INSERT))
        napping = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"
        await until(lambda: other.fetchval(napping))
        task.cancel()
        await task
    await other.close()
    assert await ask(url, COUNT) == 2
