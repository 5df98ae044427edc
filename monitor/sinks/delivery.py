"""What waits in the outbox, and what became of it: one event on its way to one channel."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from monitor.core.incidents import EventKind
from monitor.sinks.channel import FailureReason
from monitor.sinks.store_failures import read_word


class Held(StrEnum):
    """Why a row is kept back on purpose: the closed list of a metric's label."""

    SILENCED = "silenced"
    """Somebody asked for quiet."""
    INHIBITED = "inhibited"
    """Something else is told that explains it."""
    OVERTAKEN = "overtaken"
    """It has begun again: that is told first."""


class DeliveryStatus(StrEnum):
    """What became of a row."""

    PENDING = "pending"
    DELIVERED = "delivered"
    SUPERSEDED = "superseded"
    DEAD = "dead"


def has_status(rows: Any, status: DeliveryStatus) -> sa.ColumnElement[bool]:
    """Whether a row of the outbox, or of an alias of it, is that far.

    Written into the statement as it is: a parameter would hide from SQLite that an index of only
    these rows will do (https://www.sqlite.org/partialindex.html, section 3).
    """
    column: sa.ColumnElement[str] = rows.c.status
    return column == sa.literal(status.value, sa.Text, literal_execute=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event on its way to one channel, held by who claimed it.

    Attributes:
        id: 26 letters that sort by time; the receiver's idempotency key.
        channel: where it goes.
        incident: the incident's id.
        version: the version of the incident that the event made.
        kind: what happened.
        at: when it was decided.
        attempts: how often it was claimed, this time included.
        holder: who holds it.
        held: why it was kept back before.
    """

    id: str
    channel: str
    incident: str
    version: int
    kind: EventKind
    at: datetime
    attempts: int
    holder: str
    held: Held | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A row of the outbox as it stands.

    Attributes:
        delivery: what is, or was, to be sent; `holder` is empty when nobody holds it.
        status: what became of it.
        due: when it is tried next, while it is pending.
        may_have_arrived: whether an attempt ended without a known outcome.
        reason: why the last attempt failed.
        receipt: what the channel answered.
        ended: when it was delivered, superseded or given up.
    """

    delivery: Delivery
    status: DeliveryStatus
    due: datetime
    may_have_arrived: bool
    reason: FailureReason | None
    receipt: str | None
    ended: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """The outbox of one channel: how many wait, since when, and how many were given up.

    What is kept back on purpose does not wait.
    """

    pending: int
    oldest: datetime | None
    dead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """How what a channel is told of is grouped, by environment and class.

    Attributes:
        wait: how long the first waits for others.
        interval: how long after one message the next one may follow.
    """

    wait: timedelta
    interval: timedelta


def read_delivery(row: sa.Row[Any]) -> Delivery:
    """A row on its way."""
    return Delivery(
        id=row.id,
        channel=row.channel,
        incident=row.incident,
        version=row.version,
        kind=read_word(EventKind, row.kind),
        at=row.at,
        attempts=row.attempts,
        holder=row.holder or "",
        held=read_word(Held, row.held) if row.held else None,
    )


def read_outcome(row: sa.Row[Any]) -> Outcome:
    """A row as it stands."""
    return Outcome(
        delivery=read_delivery(row),
        status=read_word(DeliveryStatus, row.status),
        due=row.due,
        may_have_arrived=row.may_have_arrived,
        reason=read_word(FailureReason, row.reason) if row.reason else None,
        receipt=row.receipt,
        ended=row.ended,
    )
