"""Which servers hold the watched databases: nothing is built on them."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from monitor.core.errors import LookError
from monitor.sources.dsn import Dsn
from monitor.sources.postgres import connect

ASK_SECONDS: Final = 10.0
"""For all of them, at the same time, so that those that hang hide no other; who does not
answer by then is asked again before the next build."""


class WatchedServers:
    """The servers of some databases, each of which is asked once, when it is first needed.

    Args:
        dsns: the databases.
    """

    def __init__(self, dsns: Iterable[Dsn]) -> None:
        self._unasked = set(dsns)
        self._identifiers: set[str] = set()
        self._asking = asyncio.Lock()

    async def list_identifiers(self) -> frozenset[str]:
        """The `system_identifier` of every server that answered so far.

        One whose role may not know it has none.
        """
        async with self._asking:
            with suppress(TimeoutError):
                async with asyncio.timeout(ASK_SECONDS), asyncio.TaskGroup() as group:
                    for dsn in tuple(self._unasked):
                        group.create_task(self._ask(dsn))
        return frozenset(self._identifiers)

    async def _ask(self, dsn: Dsn) -> None:
        try:
            async with connect(dsn) as session:
                identifier = session.facts.system_identifier
        except LookError:
            return
        self._unasked.discard(dsn)
        if identifier is not None:
            self._identifiers.add(identifier)
