"""Whether the watch goes on, as one word a minute: for whoever is told when it is missing."""

from collections.abc import Collection
from datetime import timedelta
from enum import StrEnum
from typing import Final

import msgspec

LATE: Final = timedelta(minutes=15)
"""How much later than its interval a look may end, at least: a first build takes minutes."""
IDLE: Final = timedelta(minutes=5)
"""How much longer than it takes to the next look nothing may end."""
_NAMED: Final = 5


class Pulse(StrEnum):
    """What is said at the end of a cycle."""

    WELL = "well"
    FAULT = "fault"
    SILENT = "silent"


class Progress(msgspec.Struct, frozen=True):
    """How far the looks are that come by themselves.

    Attributes:
        completed: how many ended since the start, whatever they found.
        idle: how long ago the last one ended, or the agent started.
        shortest: the shortest interval; None where nothing is looked at by itself.
        overdue: the looks of which none ended for too long.
    """

    completed: int
    idle: timedelta
    shortest: timedelta | None
    overdue: Collection[str] = ()


def is_overdue(interval: timedelta, waited: timedelta) -> bool:
    """Whether a look should have ended: looks are spread over their interval, and may be slow."""
    return waited > interval + max(interval, LATE)


def judge(
    progress: Progress, *, is_ticking: bool, has_fault: bool, can_tell: bool
) -> tuple[Pulse, str]:
    """What is to be said, and why.

    Holds: an interval of a day silences nobody, for it is no cycle: between two looks it
    counts that the scheduler ticks and that no look is stuck. A look that found its
    database unreachable did complete.

    Args:
        progress: of the looks.
        is_ticking: whether the scheduler lives.
        has_fault: whether something broke inside since the last word, or the ledger fails.
        can_tell: whether what is found would reach somebody.
    """
    last = progress.shortest
    is_idle = last is not None and progress.idle > 2 * last + IDLE
    overdue = ", ".join(sorted(progress.overdue)[:_NAMED])
    reasons = (
        (not is_ticking, Pulse.FAULT, "the scheduler is stuck"),
        (has_fault, Pulse.FAULT, "something broke inside of the agent"),
        (bool(overdue), Pulse.SILENT, f"no end of: {overdue}"),
        (not progress.completed, Pulse.SILENT, "nothing was looked at yet"),
        (is_idle, Pulse.SILENT, "looks do not end any more"),
        (not can_tell, Pulse.SILENT, "no channel takes messages"),
    )
    found = ((pulse, reason) for holds, pulse, reason in reasons if holds)
    return next(found, (Pulse.WELL, "looks go on"))
