"""The ledger of an agent, for commands that only visit: nothing is made, nothing migrated."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from monitor.core.errors import StoreError
from monitor.sinks.backend import find_missing, open_backend
from monitor.sinks.store import Store
from monitor.sinks.upgrade import require_current
from monitor.sources.dsn import printable


@asynccontextmanager
async def visit_store(url: str) -> AsyncIterator[Store]:
    """The ledger at a URL, as `monitor.sinks.store.open_store` takes it.

    Raises:
        ConfigurationError: the URL names no place for a ledger.
        StoreError: there is no ledger, or it is not of this version, or cannot be read.
    """
    if missing := find_missing(url):
        raise StoreError(
            f"There is no ledger at {printable(str(missing))}.",
            next_step="Start `anchorwatch run`, or name the store_url that it has.",
        )
    backend = open_backend(url)
    try:
        async with backend.reading() as connection:
            await connection.run_sync(require_current)
        yield Store(backend)
    finally:
        await backend.close()
