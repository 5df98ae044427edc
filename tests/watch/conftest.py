"""One watch a test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.sources.engine import Cluster
from tests.watch.builders import Watch, opened_watch


@pytest.fixture
async def watch(server: Cluster, database: str, tmp_path: Path) -> AsyncIterator[Watch]:
    """A watch over a fresh, empty database."""
    async with opened_watch(database, tmp_path / "ledger.db", shadow=server.url()) as opened:
        yield opened
