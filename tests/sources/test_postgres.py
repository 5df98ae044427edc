"""What a session says, reads and runs, tried on a real server."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace

import asyncpg
import pytest

from monitor.core.errors import (
    Interrupted,
    LookError,
    StatementFailed,
    TooSlow,
)
from monitor.core.quoting import quote_ident
from monitor.sources.engine import Cluster
from monitor.sources.postgres import APPLICATION_NAME, DEADLINES, PINNED, connect
from tests.conftest import MakeDatabase
from tests.sources.peers import (
    PLANTED,
    SLEEP,
    Admin,
    administering,
    kill_by_name,
    read,
    run,
    socket_url,
    weak_role,
)


@pytest.fixture
async def admin(server: Cluster) -> AsyncIterator[Admin]:
    async with administering(server.socket_url()) as connection:
        yield connection


@pytest.fixture
async def role(server: Cluster, database: str) -> AsyncIterator[str]:
    async with weak_role(server, database) as name:
        yield name


# Facts


async def test_the_server_says_who_it_is(server: Cluster, database: str) -> None:
    async with connect(read(database)) as session:
        facts = session.facts
        ((identifier,),) = await session.fetch_values(
            "SELECT system_identifier::text FROM pg_control_system()"
        )
    assert facts.major == server.major == facts.version_num // 10_000
    assert facts.database == read(database).database
    assert (facts.in_recovery, facts.is_superuser) == (False, True)
    assert facts.system_identifier == identifier


async def test_an_identifier_that_is_not_permitted_is_none(
    server: Cluster, database: str, role: str
) -> None:
    await run(database, "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
    async with connect(read(socket_url(server, database, role))) as session:
        assert session.facts.system_identifier is None
        assert not session.facts.is_superuser


async def test_a_database_with_a_hostile_name_is_reached(make_database: MakeDatabase) -> None:
    name = f'a"b/c?d#e\n%41 {uuid.uuid4().hex[:8]}'
    async with connect(read(await make_database(name))) as session:
        assert session.facts.database == name


async def test_our_name_is_told_to_the_server_unless_the_url_has_one(database: str) -> None:
    for url, name in ((database, APPLICATION_NAME), (f"{database}?application_name=x", "x")):
        async with connect(read(url)) as session:
            ((shown,),) = await session.fetch_values("SHOW application_name")
            assert shown == name
    async with connect(read(database), application_name="anchorwatch shadow") as session:
        assert await session.fetch_values("SHOW application_name") == [("anchorwatch shadow",)]


async def test_options_of_the_url_reach_the_server(database: str) -> None:
    async with connect(read(f"{database}?options=-c%20geqo%3Doff")) as session:
        assert await session.fetch_values("SHOW geqo") == [("off",)]


# Reading


async def test_rows_come_back_as_text(database: str) -> None:
    async with connect(read(database)) as session, session.reading() as reader:
        rows = await reader.fetch("""SELECT 'a', NULL::text, '{"b": 1}'::json, 'n'::name""")
    assert rows == [("a", None, '{"b": 1}', "n")]


async def test_a_column_that_is_not_text_is_a_fault_of_the_query(database: str) -> None:
    async with connect(read(database)) as session, session.reading() as reader:
        with pytest.raises(TypeError, match="text and JSON only"):
            await reader.fetch("SELECT 1")


HOSTILE = {
    "search_path": "evil, pg_catalog",
    "TimeZone": "Asia/Kathmandu",
    "DateStyle": "SQL, DMY",
    "IntervalStyle": "iso_8601",
    "bytea_output": "escape",
    "extra_float_digits": "-15",
    "quote_all_identifiers": "on",
    "standard_conforming_strings": "off",
    "lc_monetary": "C",
    "xmloption": "document",
    "xmlbinary": "hex",
    "transform_null_equals": "on",
    "jit": "on",
    "row_security": "on",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "default_transaction_read_only": "off",
}


async def test_settings_of_a_role_or_database_never_change_what_is_read(
    server: Cluster, database: str, role: str
) -> None:
    name = quote_ident(read(database).database)
    await run(
        database,
        "CREATE SCHEMA evil; GRANT USAGE ON SCHEMA evil TO PUBLIC;"
        "CREATE FUNCTION evil.current_setting(text) RETURNS text LANGUAGE sql AS $$ SELECT '1' $$;"
        "CREATE VIEW evil.v AS SELECT date '2026-01-02' d, interval '1 day' i, 'a\\b'::text t;",
    )
    texts = {}
    for who in ("before", "DATABASE " + name, "ROLE " + quote_ident(role)):
        if who != "before":
            changes = [f"ALTER {who} SET {key} = {value!r}" for key, value in HOSTILE.items()]
            changes[0] = f"ALTER {who} SET search_path = evil, pg_catalog"
            await run(database, ";".join(changes))
        async with connect(read(socket_url(server, database, role))) as session:
            assert session.facts.major == server.major
            async with session.reading() as reader:
                shown = {key: (await reader.fetch(f"SHOW {key}"))[0][0] for key, _ in PINNED}
                texts[who] = await reader.fetch(
                    "SELECT pg_get_viewdef(c.oid), c.oid::regclass::text FROM pg_class c"
                    " WHERE relname = 'v'"
                )
        assert shown == dict(PINNED) | {"search_path": '""'}
    assert len(set(map(tuple, texts.values()))) == 1
    assert texts["before"][0][1] == "evil.v"


async def test_every_wait_on_the_server_has_a_deadline_there(database: str) -> None:
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    async with connect(read(database)) as session, session.reading() as reader:
        assert [(await reader.fetch(f"SHOW {name}"))[0][0] for name in names] == [
            "15s",
            "300ms",
            "30s",
        ]


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t VALUES (1) RETURNING 'x'",
        "SELECT nextval('public.s')::text",
        "CREATE TABLE public.u ()",
        "DROP TABLE public.t",
    ],
)
async def test_a_superuser_cannot_write_while_reading(database: str, sql: str) -> None:
    await run(database, "CREATE TABLE t (i int); CREATE SEQUENCE s")
    async with connect(read(database)) as session:
        assert session.facts.is_superuser
        with pytest.raises(LookError, match="25006"):
            async with session.reading() as reader:
                await reader.fetch(sql.replace("INTO t", "INTO public.t"))
        assert await session.fetch_values("SELECT is_called FROM s") == [(False,)]
        assert await session.fetch_values("SELECT count(*)::int FROM t") == [(0,)]


async def test_what_the_server_does_not_count_as_writing_is_rolled_back(database: str) -> None:
    async with connect(read(database)) as session:
        with suppress(LookError):  # PostgreSQL 16 and newer refuse it
            async with session.reading() as reader:
                await reader.fetch("SELECT lo_create(0)::text")
        assert await session.fetch_values("SELECT oid FROM pg_largeobject_metadata") == []


async def test_one_reading_sees_one_moment_and_the_next_a_later_one(database: str) -> None:
    await run(database, "CREATE TABLE t (a text)")
    count = "SELECT count(*)::text FROM public.t"
    async with connect(read(database)) as session:
        async with session.reading() as reader:
            assert await reader.fetch(count) == [("0",)]
            await run(database, "INSERT INTO t VALUES ('x')")
            assert await reader.fetch(count) == [("0",)]
        async with session.reading() as reader:
            assert await reader.fetch(count) == [("1",)]


async def test_nothing_of_a_reading_outlives_it(database: str) -> None:
    async with connect(read(database)) as session:
        before = await session.fetch_values("SELECT name, setting FROM pg_settings ORDER BY name")
        for failing in (False, True):
            with suppress(Interrupted):
                async with session.reading() as reader:
                    await reader.fetch("SELECT * FROM missing" if failing else "SELECT 'x'")
            after = await session.fetch_values(
                "SELECT name, setting FROM pg_settings ORDER BY name"
            )
            assert after == before


async def test_two_statements_at_once_are_a_fault_of_the_caller(database: str) -> None:
    async with connect(read(database)) as session, session.reading() as reader:
        first = asyncio.create_task(reader.fetch("SELECT pg_sleep(0.1)::text"))
        await asyncio.sleep(0)
        with pytest.raises(asyncpg.InterfaceError):
            await reader.fetch("SELECT 'x'")
        assert await first == [("",)]


# Scripts


async def test_a_script_runs_as_one_transaction_and_a_single_statement_by_itself(
    server: Cluster, database: str
) -> None:
    name = quote_ident(f"made_{uuid.uuid4().hex[:8]}")
    async with connect(read(database)) as session:
        await session.execute(f"CREATE DATABASE {name}")
        await session.execute(f"DROP DATABASE {name}")
        with pytest.raises(StatementFailed):
            await session.execute("CREATE TABLE t (); SELECT 1/0")
        assert await session.fetch_values("SELECT to_regclass('t')::text") == [(None,)]
        await session.execute("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2)")
        assert await session.fetch_values("SELECT a FROM t WHERE a > $1", 1) == [(2,)]


async def test_a_failed_statement_carries_what_the_server_said(database: str) -> None:
    async with connect(read(database)) as session:
        with pytest.raises(StatementFailed) as caught:
            await session.execute("SELECT 1;\nCREATE TABLE t (\n  a intt)")
    error = caught.value
    assert (error.sqlstate, error.position) == ("42704", 32)
    assert 'type "intt" does not exist' in error.message
    assert error.next_step == "Correct line 3 of the script."


async def test_a_failed_statement_does_not_quote_rows(database: str) -> None:
    async with connect(read(database)) as session:
        await session.execute("CREATE TABLE t (a text UNIQUE)")
        with pytest.raises(StatementFailed, match="23505") as caught:
            await session.execute(f"INSERT INTO t VALUES ('{PLANTED}'), ('{PLANTED}')")
    assert PLANTED not in str(caught.value)
    assert caught.value.position is None


async def test_a_script_without_end_is_ended(database: str) -> None:
    deadlines = replace(DEADLINES, script_seconds=0.2)
    async with connect(read(database), deadlines=deadlines) as session:
        with pytest.raises(TooSlow, match='deadline "script"'):
            await session.execute(SLEEP)
        assert await session.fetch_values("SELECT 1") == [(1,)]


async def test_a_script_whose_connection_is_killed_is_interrupted(
    database: str, admin: Admin
) -> None:
    name = uuid.uuid4().hex
    killer = asyncio.create_task(kill_by_name(admin, name))
    async with connect(read(database), application_name=name) as session:
        with pytest.raises(Interrupted):
            await session.execute(SLEEP)
        with pytest.raises(Interrupted):
            await session.execute("SELECT 1")
        with pytest.raises(Interrupted):
            await session.fetch_values("SELECT 1")
    await killer
