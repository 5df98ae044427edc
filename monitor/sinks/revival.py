"""What a channel lost while it was broken comes back into the outbox when it works again.

As nothing was delivered, it keeps its id. What is told of it is decided when it is sent, as of
every row: what is over by then, and was never told there, is told to nobody.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.sinks.channel import FailureReason
from monitor.sinks.claims import PENDING, RELEASED, is_served
from monitor.sinks.delivery import DeliveryStatus, has_status
from monitor.sinks.tables import OUTBOX

LOST: Final = sa.and_(
    has_status(OUTBOX, DeliveryStatus.DEAD), OUTBOX.c.reason != FailureReason.INCIDENT_LOST
)
"""What a channel did not take, and was given up."""
TAKEN: Final = has_status(OUTBOX, DeliveryStatus.DELIVERED)
WAITING: Final = sa.and_(PENDING, OUTBOX.c.reason.is_not(None), OUTBOX.c.held.is_(None))
"""What was tried in vain and is tried again; what is kept back may have failed long ago."""

_OF_THE_MESSAGE: Final = (FailureReason.REFUSED, FailureReason.INTERNAL)
"""What may be wrong with the message alone: tried each time, it would break the channel anew."""


async def revive(
    connection: AsyncConnection,
    channel: str,
    served: Collection[str] | None,
    *,
    broken_since: datetime,
    at: datetime,
) -> None:
    """Let everything be tried now that a channel lost, or that waits for it after a failure.

    Args:
        connection: in a transaction that writes.
        channel: its name.
        served: of which environments; None for all.
        broken_since: what it lost before it last took something by then is left alone: it
            worked, and it was the message that it did not take.
        at: now.
    """
    here = sa.and_(OUTBOX.c.channel == channel, is_served(served))
    await connection.execute(
        sa.update(OUTBOX)
        .where(
            here,
            LOST,
            _is_last_word(),
            _may_be_revived(),
            _is_younger(channel, served, broken_since),
        )
        .values(
            status=DeliveryStatus.PENDING,
            due=at,
            attempts=0,
            reason=None,
            ended=None,
            revived_at=at,
            **RELEASED,
        )
    )
    # Who asked to be left alone for a while works, and said for how long.
    asked = OUTBOX.c.reason == FailureReason.RATE_LIMITED
    await connection.execute(
        sa.update(OUTBOX)
        .where(here, WAITING, ~asked, OUTBOX.c.due > at, OUTBOX.c.holder.is_(None))
        .values(due=at)
    )


def _is_last_word() -> sa.ColumnElement[bool]:
    """Whether nothing younger was to be told of the incident there."""
    other = OUTBOX.alias("later")
    return ~sa.exists().where(
        other.c.channel == OUTBOX.c.channel,
        other.c.incident == OUTBOX.c.incident,
        other.c.version > OUTBOX.c.version,
    )


def _may_be_revived() -> sa.ColumnElement[bool]:
    return sa.or_(OUTBOX.c.reason.not_in(_OF_THE_MESSAGE), OUTBOX.c.revived_at.is_(None))


def _is_younger(
    channel: str, served: Collection[str] | None, broken_since: datetime
) -> sa.ColumnElement[bool]:
    other = OUTBOX.alias("taken")
    taken = (
        sa.select(sa.func.max(other.c.ended))
        .where(
            other.c.channel == channel,
            # What another agent's channel of this name took says nothing of this one.
            is_served(served, other),
            has_status(other, DeliveryStatus.DELIVERED),
            other.c.ended <= broken_since,
        )
        .scalar_subquery()
    )
    return sa.or_(taken.is_(None), OUTBOX.c.ended > taken)
