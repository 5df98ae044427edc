"""A database whose stamp is not of the release that is deployed.

A rolling deployment and a code rollback leave a database ahead of the lock: that is no fault.
Only what no lock knows, once the time is over that a newer one may take to come, is unknown.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from monitor.core.diagnosis import Diagnosis
from monitor.core.lock_safety import Risk, Safety, judge_safety
from monitor.core.lock_states import States
from monitor.core.verdict import State
from monitor.core.way_out import name_revisions

GRACE: Final = timedelta(minutes=15)
"""How long the lock of a release may come after its migrations."""


class Move(msgspec.Struct, frozen=True):
    """A change of what is stamped.

    Attributes:
        at: when it was first seen.
        before: what was stamped until then.
    """

    at: datetime
    before: tuple[str, ...]


class Known(NamedTuple):
    """The locks of one application.

    Attributes:
        deployed: that of the release that runs.
        others: further ones, the newest first.
        move: the last change of the stamp, where it was not long ago.
        notes: why the deployed one may not be that of the release that runs.
    """

    deployed: States
    others: tuple[States, ...] = ()
    move: Move | None = None
    notes: tuple[str, ...] = ()

    def choose(self, rows: Sequence[str] | None) -> States:
        """The lock that a database with these rows is held against.

        The deployed one, but for a newer one where only that knows them all: it has every head
        of the deployed one, and something that comes after.
        """
        if not rows or self.deployed.lock.history.knows(rows):
            return self.deployed
        heads = self.deployed.lock.history.heads
        newer = (
            one
            for one in self.others
            if one.lock.history.knows(rows) and one.lock.history.knows(heads)
        )
        return next(newer, self.deployed)


def put_ahead(found: Diagnosis, deployed: States, newer: States) -> Diagnosis:
    """What a newer lock says of a database, for those who run the older release.

    Args:
        found: the verdict by the newer lock.
        deployed: the lock of the release that runs.
        newer: the lock that knows what is stamped.

    Returns:
        `ahead`, with all that is wrong besides; or what was found, where that is no verdict on
        the schema.
    """
    if found.verdict in _NOT_JUDGED:
        return found
    rows = found.stamped or ()
    held = [*zip((found.verdict, *found.also), found.sentences, strict=True)]
    left = [pair for pair in held if pair[0] not in (State.PENDING, State.IN_SYNC)]
    risk = _judge_risk(found, deployed, newer, is_right=not left)
    summary = (
        f"{name_revisions(rows)} is stamped, which a newer release brought; the deployed one "
        f"ends at {name_revisions(deployed.lock.history.heads)}: {_SAID[risk.safety]}"
    )
    return msgspec.structs.replace(
        found,
        verdict=State.AHEAD,
        also=tuple(state for state, _ in left),
        heads=deployed.lock.history.heads,
        pending=(),
        summary=summary + (f" ({risk.reason})" if risk.reason else ""),
        sentences=(summary, *(sentence for _, sentence in left)),
        remedy=found.remedy if left else (),
        risk=risk,
    )


_NOT_JUDGED: Final = (State.UNKNOWN, State.EMPTY, State.UNSTAMPED, State.UNKNOWN_REVISION)
"""What is said before a schema is held against its revisions: none of it is fine."""


def _judge_risk(found: Diagnosis, deployed: States, newer: States, *, is_right: bool) -> Risk:
    """What the schema does to the older release: no yes where it is not what revisions make."""
    older = deployed.lock.history.ancestors(deployed.lock.history.heads)
    ran = [one.id for one in newer.lock.revisions if one.id in found.present - older]
    made = newer.fold(older | {*ran}).objects
    risk = judge_safety(newer.lock, ran, deployed.fold(older).objects, made)
    if risk.safety is Safety.YES and not is_right:
        return Risk(Safety.UNKNOWN, "the schema is not what its revisions make")
    return risk


_SAID: Final = {
    Safety.YES: "its code can run on this schema",
    Safety.NO: "its code cannot run on this schema",
    Safety.UNKNOWN: "whether its code can run on this schema is not known",
}


def wait_for_lock(found: Diagnosis, move: Move, *, lacking: int) -> Diagnosis:
    """A stamp that no lock knows, shortly after it moved from one that the lock knows.

    Args:
        found: the verdict that it is unknown.
        move: how it came about.
        lacking: how many objects of the release before are not as they were.
    """
    if found.verdict is not State.UNKNOWN_REVISION or lacking:
        return found
    summary = (
        f"{name_revisions(found.stamped or ())} is stamped since {move.at:%H:%M} UTC, after "
        f"{name_revisions(move.before)}: waiting for the lock of the release that brought it"
    )
    return msgspec.structs.replace(
        found,
        verdict=State.AHEAD,
        also=(),
        pending=(),
        summary=summary,
        sentences=(summary,),
        remedy=("Bring the lock of the new release: the agent reads it at every look",),
        risk=Risk(Safety.UNKNOWN),
    )


def may_wait(known: Known, now: datetime, grace: timedelta) -> Move | None:
    """The move that excuses a stamp which no lock knows; None where nothing does."""
    move = known.move
    if move is None or now - move.at >= grace or not move.before:
        return None
    return move if known.deployed.lock.history.knows(move.before) else None
