"""Names of days that are not over yet: whoever makes a later one makes these as well.

Of the tables that a migration makes for the months ahead an old database has others than a new
one, so another month's excuses one that is missing. But where each month follows the one before
and a later one is there, this one was made with it, whenever that was: it was dropped, and what
is written in its time has no place.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from itertools import pairwise
from typing import Final, NamedTuple

from monitor.core.dated import DATED, add_months, begins_near, read_date, write_date
from monitor.core.keys import ObjectKey

_DAY: Final = timedelta(days=1)

type _Move = Callable[[date, int], date]


class Clock(NamedTuple):
    """What a build held for the day.

    Attributes:
        today: what its server did.
        later: what its application did, where that was told another day.
    """

    today: date
    later: date | None = None


def list_due(names: Iterable[str], clock: Clock) -> frozenset[str]:
    """The names that a build of today gives to days to come, one after the other.

    What is over today or tomorrow is not among them, wherever the server is.

    Args:
        names: that another build gave.
        clock: its clock.
    """
    rows: dict[str, dict[date, str]] = defaultdict(dict)
    for name in names:
        days = _list_days(name)
        if days:
            rows[DATED.sub("\0", name)][days[0]] = name
    return frozenset(name for row in rows.values() for name in _list_due(row, clock))


def _list_due(row: Mapping[date, str], clock: Clock) -> Iterator[str]:
    days = sorted(row)
    move = add_months if all(day.day == 1 for day in days) else _add_days
    is_unbroken = all(move(one, 1) == other for one, other in pairwise(days))
    passed = _count_passed(days[0], clock, move)
    if len(days) == 1 or not is_unbroken or passed is None:
        return
    for day in days:
        if move(day, 1 - passed) > clock.today + 2 * _DAY:
            yield _rename(row[day], lambda it: move(it, -passed))


def _count_passed(first: date, clock: Clock, move: _Move) -> int | None:
    """How many steps the clock that began a row is ahead of today; None where none began it."""
    if begins_near(first, clock.today):
        return 0
    if clock.later is None or not begins_near(first, clock.later):
        return None
    if move is _add_days:
        return (clock.later - clock.today).days
    years, months = clock.later.year - clock.today.year, clock.later.month - clock.today.month
    return years * 12 + months


def _add_days(day: date, steps: int) -> date:
    return day + steps * _DAY


def _rename(name: str, move: Callable[[date], date]) -> str:
    """The name with each of its days moved."""

    def write(found: re.Match[str]) -> str:
        day = read_date(found)
        return write_date(found, move(day)) if day else found[0]

    return DATED.sub(write, name)


def _list_days(name: str) -> list[date]:
    return [day for found in DATED.finditer(name) if (day := read_date(found)) is not None]


def is_later(one: ObjectKey, other: ObjectKey) -> bool:
    """Whether an object has the name that another one has, of a later day."""
    ours, theirs = (_list_days(f"{key.schema} {key.parent} {key.name}") for key in (one, other))
    return len(ours) == len(theirs) and ours > theirs
