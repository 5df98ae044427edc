"""The states that a database can be in, from the worst down. State codes only grow."""

from enum import StrEnum
from typing import Final

import msgspec

from monitor.core.findings import Severity


class State(StrEnum):
    """What a database is, as a function of its stamp, its schema and what is expected."""

    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"
    MIGRATING = "migrating"
    EMPTY = "empty"
    UNSTAMPED = "unstamped"
    UNKNOWN_REVISION = "unknown_revision"
    AHEAD = "ahead"
    OVERLAPPING = "overlapping"
    MULTIPLE_HEADS = "multiple_heads"
    HALF_APPLIED = "half_applied"
    HOLE = "hole"
    STAMPED_NOT_RUN = "stamped_not_run"
    APPLIED_BY_HAND = "applied_by_hand"
    EDITED_REVISION = "edited_revision"
    DRIFTED = "drifted"
    PENDING = "pending"
    UNCHANGED = "unchanged"
    IN_SYNC = "in_sync"

    @property
    def meaning(self) -> "Meaning":
        """Its number, severity and sentence."""
        return STATES[self]


class Meaning(msgspec.Struct, frozen=True):
    """What a state stands for.

    Attributes:
        code: its number in metrics, 0 for in_sync.
        severity: how bad it is.
        is_looked: whether the schema could be judged at all.
        sentence: what it means, for a person.
    """

    code: int
    severity: Severity
    sentence: str
    is_looked: bool = True


def _means(code: int, severity: Severity, sentence: str) -> Meaning:
    return Meaning(code=code, severity=severity, sentence=sentence)


_INFO, _WARNING, _CRITICAL = Severity.INFO, Severity.WARNING, Severity.CRITICAL

STATES: Final[dict[State, Meaning]] = {
    State.UNREACHABLE: Meaning(1, _CRITICAL, "no connection can be made", is_looked=False),
    State.UNKNOWN: Meaning(2, _WARNING, "connected, but could not look", is_looked=False),
    State.MIGRATING: _means(3, _INFO, "a migration is running"),
    State.EMPTY: _means(4, _WARNING, "there are no tables at all"),
    State.UNSTAMPED: _means(5, _WARNING, "there are tables, but no Alembic revision"),
    State.UNKNOWN_REVISION: _means(6, _CRITICAL, "nothing here knows the stamped revision"),
    State.AHEAD: _means(7, _INFO, "stamped with a revision of a newer release"),
    State.OVERLAPPING: _means(8, _WARNING, "one stamped revision is an ancestor of another"),
    State.MULTIPLE_HEADS: _means(9, _WARNING, "more revisions are stamped than there are heads"),
    State.HALF_APPLIED: _means(10, _CRITICAL, "a revision ran halfway"),
    State.HOLE: _means(11, _CRITICAL, "a revision in the middle is missing"),
    State.STAMPED_NOT_RUN: _means(12, _CRITICAL, "stamped with a revision that never ran"),
    State.APPLIED_BY_HAND: _means(13, _WARNING, "a revision is there that is not stamped"),
    State.EDITED_REVISION: _means(14, _WARNING, "a revision is not the one that was released"),
    State.DRIFTED: _means(15, _WARNING, "the schema differs from what is expected"),
    State.PENDING: _means(16, _INFO, "right, with revisions still to come"),
    State.UNCHANGED: _means(17, _INFO, "as it was when the watch began"),
    State.IN_SYNC: _means(0, _INFO, "the schema is what is expected"),
}
