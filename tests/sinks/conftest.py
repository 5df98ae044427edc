"""A ledger on each of its two servers."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from monitor.sinks.store import Store, open_store
from monitor.sources.engine import Cluster
from tests.conftest import MakeDatabase, make_clone
from tests.sinks.builders import sqlite_url


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path, make_database: MakeDatabase) -> str:
    """The URL of an empty place for a ledger: every test that asks runs on both."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "ledger.db")
    return await make_database()


@pytest.fixture(scope="session")
def made_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an empty ledger, made once: its migrations take longer than most tests."""
    file = tmp_path_factory.mktemp("ledger") / "ledger.db"
    asyncio.run(_make_ledger(sqlite_url(file)))
    return file


@pytest.fixture(scope="session")
def made_database(server: Cluster) -> str:
    """The name of a database with an empty ledger, made once."""
    name = "made_ledger"

    async def make() -> None:
        admin = await asyncpg.connect(server.socket_url())
        await admin.execute(make_clone(server, name))
        await admin.close()
        await _make_ledger(server.url(name))

    asyncio.run(make())
    return name


async def _make_ledger(url: str) -> None:
    async with open_store(url):
        pass


@pytest.fixture(params=["sqlite", "postgresql"])
async def ledger(
    request: pytest.FixtureRequest,
    ledger_file: str,
    make_database: MakeDatabase,
    made_database: str,
) -> str:
    """The URL of an empty ledger: every test that asks runs on both servers."""
    if request.param == "sqlite":
        return ledger_file
    return await make_database(template=made_database)


@pytest.fixture
def ledger_file(made_file: Path, tmp_path: Path) -> str:
    """The URL of an empty ledger in a file."""
    return sqlite_url(Path(shutil.copy(made_file, tmp_path / "ledger.db")))


@pytest.fixture
async def store(ledger: str) -> AsyncIterator[Store]:
    """An open, empty ledger."""
    async with open_store(ledger) as opened:
        yield opened


@pytest.fixture
async def file_store(ledger_file: str) -> AsyncIterator[Store]:
    async with open_store(ledger_file) as opened:
        yield opened
