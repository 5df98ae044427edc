"""What is new at the watched databases, told to every open page at once.

One task asks the ledger while somebody listens, whoever wrote to it: another agent's looks are
news too. It reads numbers, and only what has another one is read whole. A listener that is slow
finds all that it missed merged: nobody's backlog grows beyond one line a database.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from typing import Final

import structlog

from monitor.core.errors import StoreError
from monitor.web.answers import DatabaseAnswer, NewsAnswer, NewsList
from monitor.web.overview import Place, list_databases, list_some
from monitor.web.view import View

_log = structlog.get_logger()

PERIOD: Final = 2.0
"""Seconds between two questions to the ledger."""

MAX_LISTENERS: Final = 64
"""Streams that are open at once; who comes later asks again by itself."""

MAX_READ: Final = 100
"""Databases that are read one by one; of more, all are read."""

_AGES: Final = frozenset({"last_look", "last_success", "looking", "overdue"})
"""What changes by itself, and is no reason to draw a page again."""


class Listener:
    """Somebody who is told; see `News.listen`."""

    def __init__(self) -> None:
        self._waiting: dict[Place, NewsAnswer] = {}
        self._is_there = asyncio.Event()

    def tell(self, news: NewsAnswer) -> None:
        """Merge news into what waits: a change stays one until it was taken."""
        place = (news.environment, news.name)
        before = self._waiting.get(place)
        if before is not None and before.changed:
            news = news.model_copy(update={"changed": True})
        self._waiting[place] = news
        self._is_there.set()

    async def take(self) -> NewsList:
        """All that is new since the last time; waits until something is."""
        await self._is_there.wait()
        self._is_there.clear()
        taken, self._waiting = self._waiting, {}
        return NewsList(databases=tuple(taken[place] for place in sorted(taken)))


class News:
    """Watches the ledger while somebody listens.

    Args:
        view: what the application was given.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._listeners: set[Listener] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_full(self) -> bool:
        """Whether nobody else can listen."""
        return len(self._listeners) >= MAX_LISTENERS

    @contextlib.asynccontextmanager
    async def listen(self) -> AsyncIterator[Listener]:
        """A listener who is told everything from now on."""
        listener = Listener()
        self._listeners.add(listener)
        if self._task is None:
            self._task = asyncio.create_task(self._watch())
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
            if not self._listeners and self._task is not None:
                self._task.cancel()
                self._task = None

    async def _watch(self) -> None:
        numbers: dict[Place, int] | None = None
        looks: dict[Place, bytes] = {}
        while True:
            with contextlib.suppress(StoreError):  # the pages say so, and the next time may do
                if numbers is None:
                    numbers, looks = await self._begin()
                else:
                    numbers = await self._ask(numbers, looks)
            await asyncio.sleep(PERIOD)

    async def _begin(self) -> tuple[dict[Place, int], dict[Place, bytes]]:
        numbers = await self._view.store.number_looks()
        shown = await list_databases(self._view)
        return dict(numbers), {(one.environment, one.name): _draw(one) for one in shown}

    async def _ask(self, before: dict[Place, int], looks: dict[Place, bytes]) -> dict[Place, int]:
        numbers = dict(await self._view.store.number_looks())
        moved = {place for place in numbers | before if numbers.get(place) != before.get(place)}
        if not moved:
            return numbers
        one_by_one = len(moved) <= MAX_READ
        shown = await (list_some(self._view, moved) if one_by_one else list_databases(self._view))
        for database in shown:
            place = (database.environment, database.name)
            if place in moved:
                drawn = _draw(database)
                self._tell(database, has_changed=looks.get(place) != drawn)
                looks[place] = drawn
        return numbers

    def _tell(self, database: DatabaseAnswer, *, has_changed: bool) -> None:
        news = NewsAnswer(
            environment=database.environment,
            name=database.name,
            state=database.state,
            last_look=database.last_look,
            changed=has_changed,
        )
        for listener in self._listeners:
            listener.tell(news)


def _draw(database: DatabaseAnswer) -> bytes:
    """Stands for all that a person would see change."""
    return hashlib.sha256(database.model_dump_json(exclude=set(_AGES)).encode()).digest()
