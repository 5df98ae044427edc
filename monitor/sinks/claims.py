"""Which rows of the outbox may be taken, and taking them.

Of an incident the newest waiting row is taken, and the older ones are superseded: people
want to know how it stands, not how it stood. While somebody sends about an incident, nobody
else sends about it on that channel.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.sinks.delivery import (
    Delivery,
    DeliveryStatus,
    Grouping,
    has_status,
    read_delivery,
)
from monitor.sinks.tables import OUTBOX

LONGEST_DUE: Final = timedelta(days=1, hours=6)
"""Nothing is postponed for longer: what is due later was so by a clock that was ahead."""
LONGEST_HOLD: Final = timedelta(minutes=1)
"""As `LONGEST_DUE`, of what was never tried, or is kept back on purpose."""
LONGEST_LEASE: Final = timedelta(minutes=5)
"""As `LONGEST_DUE`, of a claim."""
LEFT_FOR: Final = timedelta(days=1)
"""How long an agent leaves to others what is not its own; then nobody else is there."""
AHEAD: Final = timedelta(minutes=1)
"""The clocks of two agents differ by less, and no word takes as long to be noted."""

PENDING: Final = has_status(OUTBOX, DeliveryStatus.PENDING)
ARRIVED: Final = sa.or_(has_status(OUTBOX, DeliveryStatus.DELIVERED), OUTBOX.c.may_have_arrived)
"""What a channel took, or may have taken.

An attempt without an answer counts: a "resolved" too many is better than an incident that stands
open for ever in somebody's chat.
"""
RELEASED: Final[dict[str, Any]] = {"holder": None, "claimed_until": None}
# Whoever ends a claim clears it: one that is still there was left by a crash.
_UNSURE: Final = sa.or_(OUTBOX.c.may_have_arrived, OUTBOX.c.claimed_until.is_not(None))


type Clock = Callable[[timedelta], sa.ColumnElement[datetime]]
"""The moment so long after now, by the one clock that all who share the ledger go by."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """An agent, as the ledger knows it: a channel of the same name may be another agent's.

    Attributes:
        environment: where it runs.
        served: the environments whose rows it delivers; None for all.
    """

    environment: str
    served: Collection[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Who takes rows of a channel, for how long, and of which environments.

    Attributes:
        now: the time of who takes them: what is due by then.
        holder: who takes them.
        lease: how long nobody else gets them.
        channel: where they go.
        served: the environments whose rows are taken; what happened elsewhere is left to
            others for `LEFT_FOR`. None takes all.
    """

    now: datetime
    holder: str
    lease: timedelta
    channel: str
    served: Collection[str] | None = None

    def list_conditions(self) -> list[sa.ColumnElement[bool]]:
        """What a row must be to be taken at all."""
        here = [OUTBOX.c.channel == self.channel, PENDING, _is_due(self.now), ~_has_newer()]
        if self.served is None:
            return here
        # By when it was to be tried: a channel that is down for days is somebody's all the time.
        is_left = OUTBOX.c.due <= self.now - LEFT_FOR
        return [*here, sa.or_(is_served(self.served), is_left)]


def is_served(served: Collection[str] | None, rows: Any = OUTBOX) -> sa.ColumnElement[bool]:
    """Whether a row of the outbox, or of an alias, is of these environments; None for all."""
    if served is None:
        return sa.true()
    # An agent from before 0006, which is still about to end, says of no row where it is.
    here: sa.ColumnElement[bool] = rows.c.environment.in_([*served, ""])
    return here


async def take(
    connection: AsyncConnection, claim: Claim, rows: sa.CTE, clock: Clock
) -> list[Delivery]:
    """Claim these rows, and supersede what is older of their incidents."""
    claimed = await connection.execute(
        sa.update(OUTBOX)
        .where(OUTBOX.c.id.in_(sa.select(rows.c.id)))
        .values(
            holder=claim.holder,
            claimed_until=clock(claim.lease),
            attempts=OUTBOX.c.attempts + 1,
            may_have_arrived=_UNSURE,
        )
        .returning(OUTBOX)
    )
    deliveries = sorted(map(read_delivery, claimed), key=lambda it: it.id)
    if deliveries:
        await _supersede_older(connection, claim)
    return deliveries


def select_due(
    claim: Claim, limit: int, clock: Clock, *, group: tuple[str, str] | None = None
) -> sa.CTE:
    """The rows that may be taken, of one environment and class or of all, those kept back last."""
    other = OUTBOX.alias("other")
    held = sa.exists().where(_waits_beside(other), _is_claimed(other, clock))
    here = [*claim.list_conditions(), ~held]
    if group is not None:
        here += [OUTBOX.c.environment == group[0], OUTBOX.c.finding_class == group[1]]
    return (
        sa.select(OUTBOX.c.id)
        .where(*here)
        # What is kept back is asked about when nothing else waits; in the order of what happened.
        .order_by(OUTBOX.c.held.is_not(None), OUTBOX.c.at, OUTBOX.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=OUTBOX)
        .cte("due")
    )


def select_ready(claim: Claim, grouping: Grouping, clock: Clock) -> sa.Select[Any]:
    """The environment and class that have waited longest, and may be told of again."""
    now = claim.now
    other = OUTBOX.alias("other")
    same = sa.and_(
        other.c.channel == OUTBOX.c.channel,
        other.c.environment == OUTBOX.c.environment,
        other.c.finding_class == OUTBOX.c.finding_class,
    )
    # Also a little after now, for agents whose clocks differ; not when a clock was far ahead.
    is_sent = sa.and_(
        has_status(other, DeliveryStatus.DELIVERED),
        other.c.ended > now - grouping.interval,
        other.c.ended <= now + grouping.interval,
    )
    is_held = sa.and_(has_status(other, DeliveryStatus.PENDING), _is_claimed(other, clock))
    # What is kept back has waited, and hurries nobody; alone it is asked about at once.
    oldest = sa.func.min(OUTBOX.c.at).filter(OUTBOX.c.held.is_(None))
    return (
        sa.select(OUTBOX.c.environment, OUTBOX.c.finding_class)
        .where(
            *claim.list_conditions(),
            ~sa.exists().where(same, sa.or_(is_sent, is_held)),
        )
        .group_by(OUTBOX.c.environment, OUTBOX.c.finding_class)
        .having(
            sa.or_(oldest.is_(None), oldest <= now - grouping.wait, oldest > now + grouping.wait)
        )
        .order_by(sa.func.count().filter(OUTBOX.c.held.is_(None)) == 0, sa.func.min(OUTBOX.c.due))
        .limit(1)
    )


def _has_newer() -> sa.Exists:
    """Whether a younger word about the incident waits as well: that one is told."""
    other = OUTBOX.alias("newer")
    return sa.exists().where(_waits_beside(other), other.c.version > OUTBOX.c.version)


def _waits_beside(other: Any) -> sa.ColumnElement[bool]:
    """Whether another row is about the same incident on the same channel, and waits as well."""
    return sa.and_(
        other.c.channel == OUTBOX.c.channel,
        other.c.incident == OUTBOX.c.incident,
        has_status(other, DeliveryStatus.PENDING),
    )


def _is_due(now: datetime) -> sa.ColumnElement[bool]:
    """Whether a row may be sent; none waits for longer than it was told to, whatever the clock.

    A clock that was ahead when a row was written, and is put right, would keep it for hours.
    """
    was_decided_ahead = sa.and_(OUTBOX.c.at > now + AHEAD, OUTBOX.c.due >= OUTBOX.c.at)
    was_kept_ahead = sa.or_(
        OUTBOX.c.due > now + LONGEST_DUE,
        sa.and_(
            OUTBOX.c.due > now + LONGEST_HOLD,
            sa.or_(OUTBOX.c.attempts == 0, OUTBOX.c.held.is_not(None)),
        ),
    )
    return sa.or_(OUTBOX.c.due <= now, was_decided_ahead, was_kept_ahead)


def _is_claimed(rows: Any, clock: Clock) -> sa.ColumnElement[bool]:
    """Whether somebody holds a row; no claim is longer than its lease, whatever the clock."""
    until = rows.c.claimed_until
    return sa.and_(until > clock(timedelta()), until <= clock(LONGEST_LEASE))


async def _supersede_older(connection: AsyncConnection, claim: Claim) -> None:
    """What waits and is older than what was claimed of its incident: all of it at once."""
    mine = OUTBOX.alias("mine")
    is_claimed = sa.exists().where(
        _waits_beside(mine),
        mine.c.holder == claim.holder,
        mine.c.version > OUTBOX.c.version,
    )
    await connection.execute(
        sa.update(OUTBOX)
        .where(OUTBOX.c.channel == claim.channel, PENDING, is_claimed)
        .values(
            status=DeliveryStatus.SUPERSEDED,
            may_have_arrived=_UNSURE,
            ended=claim.now,
            **RELEASED,
        )
    )
