"""Looking at databases of the run's server, for tests of what is seen there."""

import subprocess
from typing import NamedTuple

import asyncpg

from monitor.core.decode import EXPRESSIONS, QUERIES
from monitor.core.snapshot import Snapshot
from monitor.sources.catalog import make_catalog_statement, make_text_statement
from monitor.sources.dsn import parse_dsn
from monitor.sources.engine import Cluster
from monitor.sources.postgres import connect
from monitor.sources.reading import take_snapshot


async def look(url: str, *, builder: str | None = None) -> Snapshot:
    async with connect(parse_dsn(url)[0]) as session:
        return await take_snapshot(session, builder=builder)


async def run(url: str, *scripts: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for script in scripts:
            await connection.execute(script)
    finally:
        await connection.close()


def copy(server: Cluster, source: str, target: str) -> None:
    """Dump one database and restore it into another, as operators do."""
    restore(server, source, server, target)


def restore(old: Cluster, source: str, new: Cluster, target: str) -> None:
    """Dump a database and restore it on another server, with that one's programs."""
    programs, environment = new.binaries.bin, new.binaries.environment()
    dump = subprocess.run(
        (programs / "pg_dump", "--dbname", old.url(source)),
        env=environment,
        check=True,
        capture_output=True,
    )
    subprocess.run(
        (programs / "psql", "-qX", "-v", "ON_ERROR_STOP=1", "--dbname", new.url(target)),
        input=dump.stdout,
        env=environment,
        check=True,
        capture_output=True,
    )


def name_of(url: str) -> str:
    return parse_dsn(url)[0].database or ""


class Read(NamedTuple):
    """What the statements return, as `decode` takes it."""

    rows: list[tuple[str | None, ...]]
    texts: list[tuple[str | None, ...]]


async def read_rows(url: str, major: int) -> Read:
    async with connect(parse_dsn(url)[0]) as session, session.reading() as reader:
        return Read(
            await reader.fetch(make_catalog_statement(major)),
            await reader.fetch(make_text_statement(major, (*EXPRESSIONS, *QUERIES))),
        )
