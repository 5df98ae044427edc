"""How patient we are with each class of findings: what the step of an incident goes by."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final

import msgspec

from monitor.core.findings import FindingClass

LONGEST_GAP: Final = timedelta(days=1)
"""Between two reminders, unless the configuration asks for more."""
_DOUBLINGS: Final = 20
"""More make no difference: a second has become more than a day."""


class ClassPolicy(msgspec.Struct, frozen=True):
    """How patient we are with one class of findings.

    Attributes:
        open_looks: looks in a row that must agree before people are told.
        open_after: how long it must have been there as well.
        resolve_looks: clean looks in a row that end it.
        remind_every: how long after the last word an open incident is told again.
        is_held_in_window: whether a deployment may still explain it.
    """

    open_looks: int = 2
    open_after: timedelta = timedelta(0)
    resolve_looks: int = 1
    remind_every: timedelta = timedelta(hours=24)
    is_held_in_window: bool = True


class Policy(msgspec.Struct, frozen=True):
    """How patient we are with each class.

    Attributes:
        classes: one entry for each class.
        unsettled_at_most: a schema that keeps changing is told after this long
            all the same: a stuck migration must not mute drift.
        window: how long a deployment has, from the moment the stamp moves.
    """

    classes: Mapping[FindingClass, ClassPolicy]
    unsettled_at_most: timedelta = timedelta(minutes=10)
    window: timedelta = timedelta(minutes=10)


DEFAULT_POLICY: Final = Policy(
    classes=MappingProxyType(
        {
            FindingClass.UNREACHABLE: ClassPolicy(
                open_looks=3,
                open_after=timedelta(minutes=2),
                resolve_looks=2,
                remind_every=timedelta(hours=4),
                is_held_in_window=False,
            ),
            FindingClass.UNKNOWN: ClassPolicy(open_looks=3, open_after=timedelta(minutes=10)),
            FindingClass.HISTORY: ClassPolicy(),
            FindingClass.DRIFT: ClassPolicy(),
            # Counted twice before it is told, and seldom; no deployment repairs rows.
            FindingClass.ORPHANS: ClassPolicy(open_looks=1, is_held_in_window=False),
            FindingClass.DATA: ClassPolicy(is_held_in_window=False),
            # How many runs must fail or pass is said by each suite.
            FindingClass.SMOKE: ClassPolicy(open_looks=1, is_held_in_window=False),
        }
    )
)


def choose_gap(every: timedelta, reminders: int) -> timedelta:
    """How long to wait for the next reminder: twice as long each time, up to a day.

    Who wants to be reminded less often than daily is.
    """
    doubled: timedelta = every * 2 ** min(reminders, _DOUBLINGS)
    return max(every, min(doubled, LONGEST_GAP))
