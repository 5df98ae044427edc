"""A ledger on each of its two servers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.sinks.store import Store, open_store
from tests.conftest import MakeDatabase
from tests.sinks.builders import sqlite_url


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path, make_database: MakeDatabase) -> str:
    """The URL of an empty place for a ledger: every test that asks runs on both."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "ledger.db")
    return await make_database()


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    """An open, empty ledger."""
    async with open_store(url) as opened:
        yield opened


@pytest.fixture
async def file_store(tmp_path: Path) -> AsyncIterator[Store]:
    async with open_store(sqlite_url(tmp_path / "ledger.db")) as opened:
        yield opened
