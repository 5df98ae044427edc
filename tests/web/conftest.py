import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.sinks.store import Store, open_store
from tests.web.builders import LEDGER, make_fleet, sqlite_url
from tests.web.sites import opened_fleet


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a ledger of the builders' fleet, made once."""
    directory = tmp_path_factory.mktemp("fleet")
    asyncio.run(make_fleet(directory))
    return directory


@pytest.fixture
def ledger_file(fleet: Path, tmp_path: Path) -> Path:
    """A copy of that ledger, the test's own."""
    shutil.copytree(fleet, tmp_path, dirs_exist_ok=True)
    return tmp_path / LEDGER


@pytest.fixture
async def store(ledger_file: Path) -> AsyncIterator[Store]:
    """The copy, opened."""
    async with open_store(sqlite_url(ledger_file.parent)) as opened:
        yield opened


@pytest.fixture(scope="session")
def full_fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a ledger that has something for every page, made once."""
    directory = tmp_path_factory.mktemp("full")

    async def fill() -> None:
        async with opened_fleet(directory):
            pass

    asyncio.run(fill())
    return directory


@pytest.fixture
async def full(full_fleet: Path, tmp_path: Path) -> AsyncIterator[Store]:
    """A copy of that ledger, the test's own, opened."""
    shutil.copytree(full_fleet, tmp_path, dirs_exist_ok=True)
    async with open_store(sqlite_url(tmp_path)) as opened:
        yield opened
