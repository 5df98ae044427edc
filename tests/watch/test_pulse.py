"""When the agent says that it lives: never by a dead watch, and always by a living one."""

import asyncio
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.watch.fleet import Fleet, Round
from monitor.watch.pulse import IDLE, LATE, Progress, Pulse, is_overdue, judge
from tests.watch.builders import until

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
FINE = Progress(completed=3, idle=MINUTE, shortest=MINUTE)


def word(
    progress: Progress = FINE,
    *,
    is_ticking: bool = True,
    has_fault: bool = False,
    can_tell: bool = True,
) -> Pulse:
    return judge(progress, is_ticking=is_ticking, has_fault=has_fault, can_tell=can_tell)[0]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (word(), Pulse.WELL),
        (word(is_ticking=False), Pulse.FAULT),
        (word(has_fault=True), Pulse.FAULT),
        (word(can_tell=False), Pulse.SILENT),
        (word(Progress(completed=0, idle=MINUTE, shortest=MINUTE)), Pulse.SILENT),
        (word(Progress(completed=9, idle=8 * MINUTE, shortest=MINUTE)), Pulse.SILENT),
        (word(Progress(completed=9, idle=6 * MINUTE, shortest=MINUTE)), Pulse.WELL),
        (word(Progress(completed=1, idle=20 * DAY, shortest=None)), Pulse.WELL),
        (word(Progress(completed=1, idle=MINUTE, shortest=MINUTE, overdue=["a"])), Pulse.SILENT),
    ],
)
def test_what_is_said(said: Pulse, expected: Pulse) -> None:
    assert said is expected


@given(hours=st.integers(1, 48), waited=st.floats(0, 1))
def test_a_long_interval_silences_nobody(hours: int, waited: float) -> None:
    """Neither while it lasts, nor while its looks are spread over it."""
    interval = timedelta(hours=hours)
    idle = interval * (1 + waited)
    assert not is_overdue(interval, idle)
    assert word(Progress(completed=1, idle=idle, shortest=interval)) is Pulse.WELL


def test_one_that_hangs_is_missed_beside_others_that_do_not() -> None:
    assert is_overdue(MINUTE, MINUTE + LATE + timedelta(seconds=1))
    assert not is_overdue(MINUTE, LATE)
    assert LATE > IDLE


async def test_the_fleet_counts_looks_that_ended_and_not_those_that_hang_or_break() -> None:
    never = asyncio.Event()

    async def fine(_: datetime) -> None:
        """Ends at once."""

    async def hang(_: datetime) -> None:
        await never.wait()

    async def break_down(_: datetime) -> None:
        raise ValueError

    faults: list[BaseException] = []
    rounds = [
        Round(name=name, interval=every, look=look)
        for name, every, look in (
            ("fine", MINUTE, fine),
            ("hangs", DAY, hang),
            ("breaks", None, break_down),
        )
    ]
    fleet = Fleet(rounds, concurrency=4, on_fault=faults.append)
    fleet.start()
    try:
        await until(lambda: bool(faults) and fleet.measure().completed == 1)
        progress = fleet.measure()
        assert (progress.shortest, list(progress.overdue)) == (MINUTE, [])
        assert progress.idle < MINUTE
        loop = asyncio.get_running_loop()
        fleet._started = loop.time() - timedelta(days=3).total_seconds()
        assert list(fleet.measure().overdue) == ["hangs"]
    finally:
        await fleet.stop()
