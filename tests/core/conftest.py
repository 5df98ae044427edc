"""What tests of SQL as text share: a server that reads it."""

from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio

from monitor.sources.engine import Cluster

type Admin = asyncpg.Connection[asyncpg.Record]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def parser(server: Cluster) -> AsyncIterator[Admin]:
    """The server, asked to read what was quoted."""
    connection = await asyncpg.connect(server.socket_url())
    yield connection
    await connection.close()
