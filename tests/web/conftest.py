from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.sinks.store import Store
from tests.web.builders import opened_fleet


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A ledger on SQLite with the builders' fleet in it."""
    async with opened_fleet(tmp_path) as opened:
        yield opened
