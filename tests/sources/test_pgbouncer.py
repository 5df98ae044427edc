"""A pooler in transaction mode between us and the database changes nothing."""

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.core.errors import StatementFailed, TooSlow, Unreachable
from monitor.sources.account import server_account
from monitor.sources.dsn import Dsn, Endpoint, parse_dsn
from monitor.sources.engine import Cluster
from monitor.sources.postgres import DEADLINES, PINNED, connect
from monitor.sources.reading import read_schema
from tests.sources.looking import look, run

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="pgbouncer is not installed: apt-get install pgbouncer"
)
SERVERS = 2
CLIENTS = 8

CONFIGURATION = """
[databases]
* = host={host} port={port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {servers}
server_tls_sslmode = disable
"""


@contextmanager
def running_pooler(configuration: Path) -> Iterator[None]:
    """PgBouncer refuses root as well; the server's account may enter the server's socket."""
    account = server_account()
    process = subprocess.Popen(
        (str(PROGRAM), str(configuration)),
        user=account.uid,
        group=account.gid,
        extra_groups=account.groups,
        cwd=configuration.parent,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
async def pooled(server: Cluster, database: str, open_directory: Path) -> AsyncIterator[Dsn]:
    """The database behind a pooler with few connections, where everybody is the superuser."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listen = probe.getsockname()[1]
    configuration = open_directory / "pgbouncer.ini"
    configuration.write_text(
        CONFIGURATION.format(
            host=server.socket_dir,
            port=server.port,
            user=server.superuser,
            listen=listen,
            servers=SERVERS,
        )
    )
    place = Endpoint(host="127.0.0.1", port=listen)
    with running_pooler(configuration):
        dsn = replace(parse_dsn(database)[0], endpoints=(place,), password=None)
        await until_it_answers(dsn)
        yield dsn


async def until_it_answers(dsn: Dsn) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                async with connect(dsn):
                    return
            except Unreachable:
                await asyncio.sleep(0.02)


async def test_facts_and_reads_come_through(pooled: Dsn) -> None:
    async with connect(pooled) as session:
        assert session.facts.database == pooled.database
        async with session.reading() as reader:
            shown = {name: (await reader.fetch(f"SHOW {name}"))[0][0] for name, _ in PINNED}
    assert shown == dict(PINNED) | {"search_path": '""'}


async def test_many_clients_share_few_connections_without_an_error(pooled: Dsn) -> None:
    rounds = 50

    async def look(client: int) -> None:
        async with connect(pooled) as session:
            for number in range(rounds):
                value = client * rounds + number
                assert await session.fetch_values("SELECT $1::int", value) == [(value,)]
                async with session.reading() as reader:
                    assert await reader.fetch(f"SELECT '{value}'") == [(str(value),)]

    async with asyncio.TaskGroup() as group:
        for client in range(CLIENTS):
            group.create_task(look(client))


async def test_nothing_leaks_to_the_next_client(pooled: Dsn) -> None:
    query = "SELECT name, setting FROM pg_settings WHERE context IN ('user', 'superuser')"
    async with connect(pooled) as session:
        before = dict(await session.fetch_values(query))
    deadlines = replace(DEADLINES, statement_seconds=0.1, read_seconds=2)
    for sql in ("SELECT 'x'", "SELECT pg_sleep(9)::text"):
        try:
            async with (
                connect(pooled, deadlines=deadlines) as session,
                session.reading() as reader,
            ):
                await reader.fetch(sql)
        except TooSlow:
            pass
    async with connect(pooled) as one, connect(pooled) as two:
        for session in (one, two):
            assert dict(await session.fetch_values(query)) == before
            ((backends,),) = await session.fetch_values(
                "SELECT count(*)::int FROM pg_stat_activity"
                " WHERE datname = current_database() AND state LIKE 'idle in%'"
            )
            assert backends == 0


async def test_scripts_come_through(pooled: Dsn) -> None:
    async with connect(pooled) as session:
        await session.execute("CREATE TABLE t (a int); INSERT INTO t VALUES (7)")
        assert await session.fetch_values("SELECT a FROM t") == [(7,)]
        with pytest.raises(StatementFailed, match="42P07"):
            await session.execute("CREATE TABLE t (a int)")


async def test_a_database_that_the_pooler_cannot_reach_is_unreachable(pooled: Dsn) -> None:
    with pytest.raises(Unreachable, match="gone"):
        async with connect(replace(pooled, database="gone")):
            pass


async def test_a_snapshot_is_the_same_through_a_pooler(pooled: Dsn, database: str) -> None:
    await run(database, "create table t (id int primary key, n int default 1, check (n > 0))")
    async with connect(pooled) as session:
        through = await read_schema(session)
    assert through.snapshot == await look(database)
    async with connect(pooled) as session:
        again = await read_schema(session, known=through.texts)
    assert again.snapshot == through.snapshot
