"""When databases are looked at: once at a time, spread, bounded, and when somebody asks."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from monitor.watch.fleet import BEAT_SECONDS, STOP_SECONDS, Fleet, Round
from tests.watch.builders import until

HOUR = timedelta(hours=1)


class Looks:
    """Counts looks, and how many of them run at the same time."""

    def __init__(self, *hanging: str) -> None:
        self.count: Counter[str] = Counter()
        self.running: Counter[str] = Counter()
        self.most = 0
        self.times: dict[str, list[float]] = {}
        self.go = asyncio.Event()
        self.faults: list[BaseException] = []
        self._hanging = hanging

    def round(
        self, name: str, *, interval: timedelta | None = HOUR, minimum: float = 0.0
    ) -> Round:
        async def look(_: datetime) -> None:
            self.count[name] += 1
            self.times.setdefault(name, []).append(asyncio.get_running_loop().time())
            self.running[name] += 1
            self.most = max(self.most, self.running.total())
            try:
                if name in self._hanging:
                    await self.go.wait()
            finally:
                self.running[name] -= 1

        return Round(
            name=name, interval=interval, look=look, min_interval=timedelta(seconds=minimum)
        )


@asynccontextmanager
async def running(
    looks: Looks, *rounds: Round, concurrency: int = 4, slot_seconds: float = 30.0
) -> AsyncIterator[Fleet]:
    fleet = Fleet(
        rounds, concurrency=concurrency, on_fault=looks.faults.append, slot_seconds=slot_seconds
    )
    fleet.start()
    try:
        yield fleet
    finally:
        await fleet.stop()


async def test_everything_is_looked_at_at_the_start() -> None:
    looks = Looks()
    names = [f"d{number}" for number in range(20)]
    async with running(looks, *map(looks.round, names)):
        await until(lambda: looks.count.total() == 20)
    assert set(looks.count.values()) == {1}


async def test_never_two_looks_at_one_database() -> None:
    looks = Looks("a")
    async with running(looks, looks.round("a")) as fleet:
        await until(lambda: looks.running["a"])
        assert [fleet.ask("a") for _ in range(5)] == [False] * 5
        looks.go.set()
        await until(lambda: fleet.ask("a"))
        await until(lambda: looks.count["a"] == 2)
    assert looks.most == 1


async def test_no_more_looks_than_allowed_run_at_once() -> None:
    names = [f"d{number}" for number in range(10)]
    looks = Looks(*names)
    async with running(looks, *map(looks.round, names), concurrency=3):
        await until(lambda: looks.running.total() == 3)
        looks.go.set()
        await until(lambda: looks.count.total() == 10)
    assert looks.most == 3


async def test_a_database_that_hangs_delays_no_other() -> None:
    looks = Looks("hangs")
    async with running(
        looks, looks.round("hangs"), looks.round("other"), concurrency=1, slot_seconds=0.1
    ):
        await until(lambda: looks.count["other"] == 1)
        assert looks.running["hangs"] == 1


async def test_looks_come_again_on_their_interval_and_are_spread_over_it() -> None:
    looks = Looks()
    interval = timedelta(seconds=0.6)
    rounds = [looks.round(name, interval=interval) for name in ("a", "b", "c")]
    async with running(looks, *rounds):
        await until(lambda: min(looks.count[name] for name in ("a", "b", "c")) >= 3)
    second = [looks.times[name][1] for name in ("a", "b", "c")]
    assert second == sorted(second)
    assert second[2] - second[0] > 0.2


async def test_a_database_that_may_not_be_woken_is_looked_at_once_and_when_asked() -> None:
    looks = Looks()
    quick = looks.round("quick", interval=timedelta(seconds=0.05))
    async with running(looks, looks.round("asleep", interval=None), quick) as fleet:
        await until(lambda: looks.count["quick"] >= 5)
        assert looks.count["asleep"] == 1
        assert fleet.ask("asleep")
        await until(lambda: looks.count["asleep"] == 2)


async def test_asking_hurries_a_look_that_waits_for_its_turn() -> None:
    looks = Looks()
    async with running(looks, looks.round("a", interval=None)) as fleet:
        await until(lambda: looks.count["a"] == 1 and not fleet._tasks)
        assert fleet.ask("a", after=HOUR)
        assert not fleet.ask("a")
        await until(lambda: looks.count["a"] == 2)


async def test_a_look_is_under_way_from_the_asking_to_its_end() -> None:
    looks = Looks("hangs")
    rounds = (looks.round("hangs", interval=None), looks.round("soon", interval=None, minimum=60))
    async with running(looks, *rounds) as fleet:
        await until(lambda: looks.running["hangs"] and not fleet.is_looking("soon"))
        assert fleet.is_looking("hangs")
        assert fleet.ask("soon")
        assert fleet.is_looking("soon")
        looks.go.set()
        await until(lambda: not fleet.is_looking("hangs"))
        assert fleet.ask("hangs", after=HOUR)
        assert not fleet.is_looking("hangs")  # that is its turn in the interval, as ever


async def test_after_the_end_nothing_is_looked_at() -> None:
    looks = Looks()
    async with running(looks, looks.round("a", interval=None)) as fleet:
        await until(lambda: looks.count["a"] == 1 and not fleet.is_looking("a"))
    assert not fleet.ask("a")
    assert not fleet.is_looking("a")


async def test_asking_respects_the_shortest_time_between_looks() -> None:
    looks = Looks()
    async with running(looks, looks.round("a", interval=None, minimum=0.4)) as fleet:
        await until(lambda: looks.count["a"] == 1 and not fleet._tasks)
        assert fleet.ask("a")
        await until(lambda: looks.count["a"] == 2)
    first, second = looks.times["a"]
    assert second - first >= 0.4


async def test_a_look_that_breaks_stops_nothing() -> None:
    looks = Looks()

    async def break_down(_: datetime) -> None:
        looks.count["bad"] += 1
        raise ZeroDivisionError

    often = timedelta(seconds=0.05)
    bad = Round(name="bad", interval=often, look=break_down)
    async with running(looks, bad, looks.round("good", interval=often)):
        await until(lambda: min(looks.count["bad"], looks.count["good"]) >= 3)
    assert {type(fault) for fault in looks.faults} == {ZeroDivisionError}


async def test_a_look_that_hangs_is_cancelled_at_the_end() -> None:
    looks = Looks("a", "b")
    loop = asyncio.get_running_loop()
    async with running(looks, looks.round("a"), looks.round("b"), looks.round("c")):
        await until(lambda: looks.running.total() == 2)
        begun = loop.time()
    assert loop.time() - begun < STOP_SECONDS
    assert looks.running.total() == 0


async def test_a_look_that_refuses_to_end_is_left_after_the_deadline() -> None:
    looks = Looks()
    stubborn = asyncio.Event()

    async def refuse(_: datetime) -> None:
        looks.count["a"] += 1
        while not stubborn.is_set():
            try:
                await stubborn.wait()
            except asyncio.CancelledError:
                continue

    loop = asyncio.get_running_loop()
    async with running(looks, Round(name="a", interval=None, look=refuse)):
        await until(lambda: looks.count["a"])
        begun = loop.time()
    assert loop.time() - begun < STOP_SECONDS + 1
    stubborn.set()


async def test_the_scheduler_proves_that_it_lives_without_any_interval() -> None:
    looks = Looks()
    async with running(looks, looks.round("a", interval=None)) as fleet:
        before = fleet.last_tick
        await fleet._beat()
        assert before < fleet.last_tick <= datetime.now(UTC)
        assert {job.name for job in fleet._scheduler.get_jobs()} == {"Fleet._beat"}


async def test_a_clock_that_is_set_back_stops_no_look() -> None:
    looks = Looks()
    async with running(looks, looks.round("a", interval=timedelta(seconds=0.2))) as fleet:
        await until(lambda: looks.count["a"])
        for job in fleet._scheduler.get_jobs():  # as they stand when it was set back by hours
            job.modify(next_run_time=datetime.now(UTC) + 5 * HOUR)
        seen = looks.count["a"]
        await until(lambda: looks.count["a"] > seen + 1)
        soon = datetime.now(UTC) + timedelta(seconds=BEAT_SECONDS)
        assert all(job.next_run_time <= soon for job in fleet._scheduler.get_jobs())


async def test_whether_the_scheduler_lives_is_told_by_time_that_passes() -> None:
    looks = Looks()
    async with running(looks, looks.round("a")) as fleet:
        fleet._last_tick -= 5 * HOUR  # the clock was set forward since
        assert fleet.since_tick < timedelta(seconds=BEAT_SECONDS)
