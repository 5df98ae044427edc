"""A hot standby is read like its primary, and what replay locks there is a migration."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from monitor.core.errors import Migrating
from monitor.sources.account import give, run_as, server_account
from monitor.sources.dsn import parse_dsn
from monitor.sources.engine import Binaries, Cluster, running_cluster
from monitor.sources.postgres import connect
from monitor.sources.reading import NOTHING_KNOWN, Reading, read_schema
from tests.sources.looking import run

SCHEMA = """
create table t (id int primary key, n int default 1, check (n > 0));
create view v as select n from t;
"""
WAL = {"wal_level": "replica", "max_wal_senders": "4"}


@contextmanager
def running_standby(primary: Cluster, home: Path) -> Iterator[Cluster]:
    """A standby of the primary, made with pg_basebackup."""
    account = server_account()
    give(home, account)
    done = run_as(
        account,
        (
            str(primary.binaries.bin / "pg_basebackup"),
            f"--pgdata={home / 'data'}",
            f"--dbname=host={primary.socket_dir} port={primary.port} user={primary.superuser}",
            "--write-recovery-conf",
            "--checkpoint=fast",
        ),
        environment=primary.binaries.environment(),
        timeout_seconds=60,
    )
    assert done.returncode == 0, done.stderr
    with running_cluster(primary.binaries, directory=home, settings=WAL) as standby:
        yield standby


@pytest.fixture
def pair(binaries: Binaries, open_directory: Path) -> Iterator[tuple[Cluster, Cluster]]:
    """A primary with a database called app, and its standby."""
    home = open_directory / "standby"
    home.mkdir()
    with running_cluster(binaries, settings=WAL) as primary:
        asyncio.run(run(primary.socket_url(), "create database app"))
        asyncio.run(run(primary.socket_url("app"), SCHEMA))
        with running_standby(primary, home) as standby:
            yield primary, standby


async def read(cluster: Cluster, known: Reading | None = None) -> Reading:
    async with connect(parse_dsn(cluster.socket_url("app"))[0]) as session:
        return await read_schema(session, known=known.texts if known else NOTHING_KNOWN)


async def flush(primary: Cluster) -> None:
    """Send on what the primary wrote: its WAL writer may sleep for five seconds."""
    await run(
        primary.socket_url("app"), "set synchronous_commit = on; select pg_current_xact_id()"
    )


async def until(*, is_migrating: bool, standby: Cluster) -> None:
    """Return once the standby has replayed what the primary did."""
    for _ in range(1000):
        try:
            reading = await read(standby)
        except Migrating:
            if is_migrating:
                return
        else:
            names = {item.key.name for item in reading.snapshot.objects}
            if not is_migrating and "later" in names:
                return
        await asyncio.sleep(0.02)
    raise AssertionError("the standby does not follow")


async def test_a_standby_is_read_like_its_primary(pair: tuple[Cluster, Cluster]) -> None:
    primary, standby = pair
    first, second = await read(primary), await read(standby)
    assert first.snapshot.fingerprint == second.snapshot.fingerprint
    assert second.snapshot.server is not None
    assert second.snapshot.server.in_recovery
    connection = await asyncpg.connect(primary.socket_url("app"))
    await connection.execute("begin; alter table t add column later int default 7")
    await flush(primary)
    await until(is_migrating=True, standby=standby)
    assert (await read(standby, second)).snapshot == second.snapshot
    assert (await read(standby, second)).activity.is_changing
    await connection.execute("commit")
    await connection.close()
    await flush(primary)
    await until(is_migrating=False, standby=standby)
    assert (await read(standby, second)).snapshot.fingerprint == (
        await read(primary)
    ).snapshot.fingerprint
