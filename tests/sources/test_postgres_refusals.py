"""Why there is no answer: every refusal and interruption has its own words and next step."""

import asyncio
import socket
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from monitor.core.errors import (
    Interrupted,
    LookError,
    Refused,
    Unreachable,
)
from monitor.core.quoting import quote_ident
from monitor.sources.dsn import Dsn, Endpoint
from monitor.sources.engine import Cluster
from monitor.sources.postgres import DEADLINES, Deadlines, connect
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

SHORT = replace(DEADLINES, connect_seconds=0.3, close_seconds=0.3)


@pytest.fixture
async def admin(server: Cluster) -> AsyncIterator[Admin]:
    async with administering(server.socket_url()) as connection:
        yield connection


@pytest.fixture
async def role(server: Cluster, database: str) -> AsyncIterator[str]:
    async with weak_role(server, database) as name:
        yield name


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def black_hole() -> Iterator[int]:
    """A port whose listener takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


# Privileges


async def test_a_missing_privilege_names_the_grant_that_cures_it(
    server: Cluster, database: str, role: str
) -> None:
    await run(database, 'CREATE SCHEMA "S x"; CREATE TABLE "S x"."T ""y" (a text)')
    url = socket_url(server, database, role)
    steps = []
    for _ in range(2):
        with pytest.raises(Refused) as caught:
            async with connect(read(url)) as session, session.reading() as reader:
                await reader.fetch('SELECT a FROM "S x"."T ""y"')
        steps.append(caught.value.next_step)
        grant = caught.value.next_step.removeprefix("Run: ")
        await run(database, f'SET search_path = "S x"; {grant}')
    assert [step.split(" TO ")[0] for step in steps] == [
        'Run: GRANT USAGE ON SCHEMA "S x"',
        'Run: GRANT SELECT ON "T ""y"',
    ]
    async with connect(read(url)) as session, session.reading() as reader:
        assert await reader.fetch('SELECT a FROM "S x"."T ""y"') == []


async def test_rows_hidden_by_a_policy_are_refused_and_not_absent(
    server: Cluster, database: str, role: str
) -> None:
    await run(
        database,
        "CREATE TABLE alembic_version (version_num text); GRANT SELECT ON alembic_version "
        f"TO {quote_ident(role)}; ALTER TABLE alembic_version ENABLE ROW LEVEL SECURITY",
    )
    with pytest.raises(Refused, match="row-level security") as caught:
        async with (
            connect(read(socket_url(server, database, role))) as session,
            session.reading() as reader,
        ):
            await reader.fetch("SELECT version_num FROM public.alembic_version")
    assert caught.value.next_step == f"Run: ALTER ROLE {quote_ident(role)} BYPASSRLS;"


async def test_a_role_without_connect_is_told_the_grant(
    server: Cluster, database: str, role: str
) -> None:
    name = quote_ident(read(database).database)
    await run(database, f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC")
    with pytest.raises(Refused) as caught:
        await run(socket_url(server, database, role), "SELECT 1")
    await run(database, caught.value.next_step.removeprefix("Run: "))
    await run(socket_url(server, database, role), "SELECT 1")


# No connection


async def refuse(dsn: Dsn, *, deadlines: Deadlines = DEADLINES) -> Unreachable:
    with pytest.raises(Unreachable) as caught:
        async with connect(dsn, deadlines=deadlines):
            pass
    assert dsn.password is None or dsn.password not in f"{caught.value!s}{caught.value!r}"
    return caught.value


async def test_a_wrong_password_is_told_without_the_password(
    server: Cluster, database: str
) -> None:
    error = await refuse(replace(read(database), password=PLANTED))
    assert 'refused the password of role "postgres"' in error.message
    assert "percent-encode" in error.next_step


async def test_an_unknown_role_reads_like_a_wrong_password(database: str) -> None:
    assert "nobody" in (await refuse(replace(read(database), user="nobody"))).message


async def test_a_missing_password_is_told(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSFILE", "/nonexistent")
    monkeypatch.delenv("PGPASSWORD", raising=False)
    assert "password" in (await refuse(replace(read(database), password=None))).message


async def test_a_missing_database_is_told(database: str) -> None:
    error = await refuse(replace(read(database), database="gone\n"))
    assert "no such database" in error.message
    assert r"/gone\n" in error.message


async def test_a_role_without_connections_to_spare_is_told(
    server: Cluster, database: str, role: str
) -> None:
    await run(database, f"ALTER ROLE {quote_ident(role)} CONNECTION LIMIT 0")
    error = await refuse(read(socket_url(server, database, role)))
    assert "no connection to spare" in error.message


async def test_a_role_that_may_not_log_in_is_told(
    server: Cluster, database: str, role: str
) -> None:
    await run(database, f"ALTER ROLE {quote_ident(role)} NOLOGIN")
    error = await refuse(read(socket_url(server, database, role)))
    assert "does not let role" in error.message


async def test_a_port_where_nothing_listens_is_told(free_port: int) -> None:
    error = await refuse(read(f"postgresql://u:{PLANTED}@127.0.0.1:{free_port}/d"))
    assert error.message == f"Nothing listens at 127.0.0.1:{free_port}/d."


async def test_a_missing_socket_is_told(free_port: int) -> None:
    error = await refuse(read(f"postgresql://u@/d?host=/nonexistent&port={free_port}"))
    assert "no socket" in error.message


async def test_a_name_that_does_not_resolve_is_told() -> None:
    error = await refuse(read(f"postgresql://u:{PLANTED}@database.invalid/d"))
    assert "does not resolve" in error.message


@pytest.mark.parametrize("mode", ["disable", "prefer", "require"])
async def test_a_silent_host_costs_the_connect_deadline_and_no_more(
    black_hole: int, mode: str
) -> None:
    started = time.monotonic()
    dsn = read(f"postgresql://u:{PLANTED}@127.0.0.1:{black_hole}/d?sslmode={mode}")
    error = await refuse(dsn, deadlines=SHORT)
    assert '(deadline "connect")' in error.message
    assert 0.25 < time.monotonic() - started < 2


async def test_connect_timeout_of_the_url_wins(black_hole: int) -> None:
    dsn = read(f"postgresql://u:{PLANTED}@127.0.0.1:{black_hole}/d?connect_timeout=0.2")
    assert "within 0.2 s" in (await refuse(dsn)).message


async def test_a_peer_that_is_no_postgresql_is_unreachable() -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as listener:
        port = listener.sockets[0].getsockname()[1]
        for mode in ("disable", "prefer", "require"):
            await refuse(
                read(f"postgresql://u:{PLANTED}@127.0.0.1:{port}/d?sslmode={mode}"),
                deadlines=SHORT,
            )


async def test_the_next_host_answers_when_the_first_is_silent(
    database: str, black_hole: int
) -> None:
    dsn = read(database)
    hosts = (Endpoint(host="127.0.0.1", port=black_hole), *dsn.endpoints)
    async with connect(replace(dsn, endpoints=hosts), deadlines=SHORT) as session:
        assert session.facts.database == dsn.database


@pytest.mark.parametrize(
    ("wish", "is_met"),
    [("primary", True), ("read-write", True), ("prefer-standby", True), ("standby", False)],
)
async def test_the_kind_of_server_that_is_asked_for_is_found_or_told(
    database: str, wish: str, *, is_met: bool
) -> None:
    dsn = replace(read(database), target_session_attrs=wish)
    if is_met:
        async with connect(dsn) as session:
            assert not session.facts.in_recovery
    else:
        assert "target attribute" in (await refuse(dsn)).message


# Interruptions


async def test_a_connection_that_is_killed_while_reading_is_interrupted(
    database: str, admin: Admin
) -> None:
    name = uuid.uuid4().hex
    killer = asyncio.create_task(kill_by_name(admin, name))
    with pytest.raises(Interrupted, match="ended the connection"):
        async with (
            connect(read(database), application_name=name) as session,
            session.reading() as reader,
        ):
            await reader.fetch(SLEEP)
    await killer


async def test_a_database_that_is_dropped_between_two_reads_is_interrupted(
    database: str, admin: Admin
) -> None:
    name = quote_ident(read(database).database)
    async with connect(read(database)) as session, session.reading() as reader:
        await reader.fetch("SELECT 'x'")
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        with pytest.raises(Interrupted):
            await reader.fetch("SELECT 'x'")


async def test_an_object_that_vanished_is_interrupted_and_not_missing(database: str) -> None:
    async with connect(read(database)) as session:
        for sql in (
            "SELECT a FROM public.gone",
            "SELECT 'public.gone'::regclass::text",
            "SELECT gone FROM pg_catalog.pg_class",
            "SELECT 'gone.t'::regtype::text",
        ):
            with pytest.raises(Interrupted, match="changed while it was read"):
                async with session.reading() as reader:
                    await reader.fetch(sql)


async def test_a_value_that_cannot_be_read_is_not_quoted(database: str) -> None:
    async with connect(read(database)) as session:
        with pytest.raises(LookError, match="22P02") as caught:
            async with session.reading() as reader:
                await reader.fetch(f"SELECT ('{PLANTED}'::text)::int::text")
    assert PLANTED not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_text_that_is_not_utf8_is_told(make_database: MakeDatabase, server: Cluster) -> None:
    name = (read(await make_database())).database + "_ascii"
    quoted = quote_ident(name)
    await run(
        server.url(),
        f"CREATE DATABASE {quoted} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'",
    )
    try:
        with pytest.raises(LookError, match="UTF-8"):
            async with connect(read(server.url(name))) as session, session.reading() as reader:
                await reader.fetch(r"SELECT E'\xff'::text")
    finally:
        await run(server.url(), f"DROP DATABASE {quoted}")
