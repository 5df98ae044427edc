"""When to look: APScheduler ticks, spreading, and never two looks at one database at once."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from monitor.core.fault import locate_fault
from monitor.watch.pulse import Progress, is_overdue

_log = structlog.get_logger()

STOP_SECONDS: Final = 3.0
"""How long looks that run may take to end when the agent stops: a platform
kills soon after it asks, and a look that is cut off decides nothing."""

SLOT_SECONDS: Final = 5.0
"""How long a look counts against the concurrency: what takes longer is not
working but waiting, and whoever waits holds up nobody else."""

BEAT_SECONDS: Final = 5.0
"""How often the scheduler proves that it lives, however rarely it looks."""

CLOCK_SECONDS: Final = 1.0
"""How often the schedule is held against the clock of the machine, which may be set."""


class Round(msgspec.Struct, frozen=True):
    """One database in the schedule, or one of its checks.

    Attributes:
        name: the database's; of a check with the check's behind it.
        interval: how often to look; None for at the start, and then only when asked.
        look: looks at it once, at the given time.
        min_interval: the least time from the beginning of a look to the next one.
    """

    name: str
    interval: timedelta | None
    look: Callable[[datetime], Awaitable[object]]
    min_interval: timedelta = timedelta(0)


class Fleet:
    """Looks at every database on its interval, and when asked for a look in between.

    The looks of one interval are spread over it, so that a hundred databases
    do not make a burst. At most ``concurrency`` looks run at once, not
    counting those that hang for longer than ``slot_seconds``.

    Args:
        rounds: the databases.
        concurrency: how many looks may run at once.
        on_fault: told of an exception that a look let through; it stops nothing.
        slot_seconds: how long a look counts as one that runs.
    """

    def __init__(
        self,
        rounds: Iterable[Round],
        *,
        concurrency: int,
        on_fault: Callable[[BaseException], None],
        slot_seconds: float = SLOT_SECONDS,
    ) -> None:
        self._rounds = {r.name: r for r in rounds}
        self._slots = asyncio.Semaphore(concurrency)
        self._slot_seconds = slot_seconds
        self._on_fault = on_fault
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._waiting: dict[str, asyncio.Event] = {}
        self._begun: dict[str, float] = {}
        self._ended: dict[str, float] = {}
        self._completed = 0
        self._started = 0.0
        self._has_ended = False
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._clock: asyncio.Task[None] | None = None
        self._last_tick = datetime.now(UTC)
        self._ticked = 0.0

    @property
    def last_tick(self) -> datetime:
        """When the scheduler last ticked: proof that it lives."""
        return self._last_tick

    @property
    def since_tick(self) -> timedelta:
        """How long ago that was, whatever the clock was set to meanwhile."""
        return timedelta(seconds=asyncio.get_running_loop().time() - self._ticked)

    def measure(self) -> Progress:
        """How far the looks are that come by themselves."""
        now = asyncio.get_running_loop().time()
        waited = {
            name: timedelta(seconds=now - self._ended.get(name, self._started))
            for name in self._rounds
        }
        intervals = {r.name: r.interval for r in self._rounds.values() if r.interval is not None}
        return Progress(
            completed=self._completed,
            idle=min(waited.values(), default=timedelta(0)),
            shortest=min(intervals.values(), default=None),
            overdue=[name for name, every in intervals.items() if is_overdue(every, waited[name])],
        )

    def start(self, after: Mapping[str, timedelta] | None = None) -> None:
        """Look at everything at once, then on every interval.

        Args:
            after: what was looked at not long ago, and is first looked at after a while.
        """
        self._started = self._ticked = asyncio.get_running_loop().time()
        groups: dict[timedelta, list[Round]] = defaultdict(list)
        for item in self._rounds.values():
            if item.interval is not None:
                groups[item.interval].append(item)
        for interval, group in groups.items():
            self._scheduler.add_job(
                self._tick, "interval", seconds=interval.total_seconds(), args=[group, interval]
            )
        self._scheduler.add_job(self._beat, "interval", seconds=BEAT_SECONDS)
        self._scheduler.start()
        self._clock = asyncio.create_task(self._mind_clock(), name="clock")
        for name in self._rounds:
            self.ask(name, after=(after or {}).get(name, timedelta(0)))

    async def _beat(self) -> None:
        self._last_tick = datetime.now(UTC)
        self._ticked = asyncio.get_running_loop().time()

    async def _mind_clock(self) -> None:
        """Go on looking when the clock is set back, which the scheduler goes by.

        It would wait until the clock shows again what it showed before: for hours.
        """
        while True:
            await asyncio.sleep(CLOCK_SECONDS)
            now = datetime.now(UTC)
            for job in self._scheduler.get_jobs():
                due, interval = job.next_run_time, job.trigger.interval
                if due is not None and due - now > interval:
                    job.modify(next_run_time=now + interval)

    async def _tick(self, group: list[Round], interval: timedelta) -> None:
        await self._beat()
        for place, item in enumerate(group):
            self.ask(item.name, after=interval * place / len(group))

    def ask(self, name: str, *, after: timedelta = timedelta(0)) -> bool:
        """Look at one database as soon as its `min_interval` lets us, or ``after`` a while.

        Returns:
            False when nothing more will come of it: a look is running, or was already
            due, or the end has come; one that waited for its turn in the interval now
            comes at once.

        Raises:
            KeyError: there is no such database.
        """
        item = self._rounds[name]
        if self._has_ended:
            return False
        if name in self._tasks:
            if not after and (hurry := self._waiting.get(name)):
                hurry.set()
            return False
        if after:
            self._waiting[name] = asyncio.Event()
        self._tasks[name] = asyncio.create_task(self._run(item, after), name=f"look {name}")
        self._tasks[name].add_done_callback(lambda _: self._forget(name))
        return True

    async def look(self, name: str) -> None:
        """Look at one database, and wait for the end: a look that began before is not that one.

        Raises:
            KeyError: there is no such database.
        """
        running = self._tasks.get(name)
        if running is not None and name not in self._waiting:
            await asyncio.wait([running])
        self.ask(name)
        if (task := self._tasks.get(name)) is not None:
            await asyncio.wait([task])

    def is_looking(self, name: str) -> bool:
        """Whether a look at a database is running, or comes as soon as it may."""
        return name in self._tasks and name not in self._waiting

    def _forget(self, name: str) -> None:
        self._tasks.pop(name, None)
        self._waiting.pop(name, None)

    async def _run(self, item: Round, after: timedelta) -> None:
        await self._wait(item, after)
        try:
            async with self._slot():
                self._begun[item.name] = asyncio.get_running_loop().time()
                await item.look(datetime.now(UTC))
                self._completed += 1
                self._ended[item.name] = asyncio.get_running_loop().time()
        except Exception as error:  # noqa: BLE001  # the bulkhead: the next tick looks again
            self._on_fault(error)
            _log.error("a look broke", database=item.name, fault=locate_fault(error))

    async def _wait(self, item: Round, after: timedelta) -> None:
        if hurry := self._waiting.get(item.name):
            with suppress(TimeoutError):
                async with asyncio.timeout(after.total_seconds()):
                    await hurry.wait()
            self._waiting.pop(item.name, None)
        if (begun := self._begun.get(item.name)) is not None:
            due = begun + item.min_interval.total_seconds()
            await asyncio.sleep(max(due - asyncio.get_running_loop().time(), 0))

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        """A place among the looks that run, given back early by one that hangs."""
        await self._slots.acquire()
        slot = _Slot(self._slots)
        timer = asyncio.get_running_loop().call_later(self._slot_seconds, slot.give_back)
        try:
            yield
        finally:
            timer.cancel()
            slot.give_back()

    async def stop(self) -> None:
        """No more looks; those that run are cancelled and waited for."""
        self._has_ended = True
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        tasks = list(self._tasks.values())
        if self._clock is not None:
            tasks.append(self._clock)
        for task in tasks:
            task.cancel()
        if tasks:
            _, left = await asyncio.wait(tasks, timeout=STOP_SECONDS)
            for task in left:
                _log.warning("a look did not end in time", look=task.get_name())


class _Slot:
    """A place that can be given back once."""

    def __init__(self, slots: asyncio.Semaphore) -> None:
        self._slots = slots
        self._is_held = True

    def give_back(self) -> None:
        if self._is_held:
            self._is_held = False
            self._slots.release()
