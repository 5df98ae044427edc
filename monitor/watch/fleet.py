"""When to look: APScheduler ticks, spreading, and never two looks at one database at once."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

_log = structlog.get_logger()

STOP_SECONDS: Final = 3.0
"""How long looks that run may take to end when the agent stops: a platform
kills soon after it asks, and a look that is cut off decides nothing."""


class Round(msgspec.Struct, frozen=True):
    """One database in the schedule.

    Attributes:
        name: the database's.
        interval: how often to look.
        look: looks at it once, at the given time.
    """

    name: str
    interval: timedelta
    look: Callable[[datetime], Awaitable[object]]


class Fleet:
    """Looks at every database on its interval, and asks for a look in between.

    One tick an interval group; within it the looks are spread over the
    interval, so that a hundred databases do not make a burst. At most
    ``concurrency`` looks run at once, and one that hangs delays no other.
    """

    def __init__(self, rounds: Iterable[Round], *, concurrency: int) -> None:
        self._rounds = {r.name: r for r in rounds}
        self._slots = asyncio.Semaphore(concurrency)
        self._running: dict[str, asyncio.Task[None]] = {}
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._last_tick = datetime.now(UTC)

    @property
    def last_tick(self) -> datetime:
        """When the scheduler last ticked: proof that it lives."""
        return self._last_tick

    @property
    def tick_interval(self) -> timedelta:
        """The shortest interval of all: how often a tick is due at least."""
        return min((r.interval for r in self._rounds.values()), default=timedelta(minutes=1))

    def start(self) -> None:
        """Look at everything at once, then on every interval."""
        groups: dict[timedelta, list[Round]] = defaultdict(list)
        for item in self._rounds.values():
            groups[item.interval].append(item)
        for interval, group in groups.items():
            self._scheduler.add_job(
                self._tick, "interval", seconds=interval.total_seconds(), args=[group, interval]
            )
        self._scheduler.start()
        for item in self._rounds.values():
            self.ask(item.name)

    async def _tick(self, group: list[Round], interval: timedelta) -> None:
        self._last_tick = datetime.now(UTC)
        for place, item in enumerate(group):
            self.ask(item.name, after=interval * place / len(group))

    def ask(self, name: str, *, after: timedelta = timedelta(0)) -> bool:
        """Look at one database; False when a look at it is already running or waiting."""
        if name in self._running:
            return False
        task = asyncio.create_task(self._run(self._rounds[name], after), name=f"look {name}")
        self._running[name] = task
        task.add_done_callback(lambda _: self._running.pop(name, None))
        return True

    async def _run(self, item: Round, after: timedelta) -> None:
        if after:
            await asyncio.sleep(after.total_seconds())
        async with self._slots:
            await item.look(datetime.now(UTC))

    async def stop(self) -> None:
        """No more ticks; looks that run are cancelled and waited for."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        if tasks:
            _, left = await asyncio.wait(tasks, timeout=STOP_SECONDS)
            for task in left:
                _log.warning("a look did not end in time", look=task.get_name())
