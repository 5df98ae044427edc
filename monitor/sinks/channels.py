"""What the ledger knows of the channels themselves: how they are, and which are broken."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.channel_health import Health
from monitor.core.incidents import Event, Incident
from monitor.sinks.backend import Backend
from monitor.sinks.channel import FailureReason
from monitor.sinks.delivery import DeliveryStatus
from monitor.sinks.tables import INCIDENTS, OUTBOX
from monitor.sinks.writing import announce, describe_row, describe_stand

LATELY: Final = timedelta(hours=24)
"""What was given up before says nothing of a channel that may be another one by now."""


class Channels:
    """The part of the store that watches channels. Every method raises StoreError."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def list_health(self, now: datetime) -> dict[str, Health]:
        """How every channel is that something was ever sent to, by name."""
        is_lost = sa.and_(
            OUTBOX.c.status == DeliveryStatus.DEAD,
            OUTBOX.c.reason != FailureReason.INCIDENT_LOST,
            OUTBOX.c.ended > now - LATELY,
        )
        # What is kept back on purpose may have failed before: that says nothing any more.
        is_waiting = sa.and_(
            OUTBOX.c.status == DeliveryStatus.PENDING,
            OUTBOX.c.reason.is_not(None),
            OUTBOX.c.held.is_(None),
        )
        is_taken = OUTBOX.c.status == DeliveryStatus.DELIVERED
        query = sa.select(
            OUTBOX.c.channel,
            sa.func.max(OUTBOX.c.ended).filter(is_taken),
            sa.func.max(OUTBOX.c.ended).filter(is_lost),
            sa.func.min(OUTBOX.c.at).filter(is_waiting),
        ).group_by(OUTBOX.c.channel)
        async with self._backend.reading() as connection:
            found = {
                channel: Health(channel=channel, taken=taken, lost=lost, waiting=waiting)
                for channel, taken, lost, waiting in await connection.execute(query)
            }
            for channel, health in found.items():
                failed = is_lost if health.lost else is_waiting
                if health.lost or health.waiting:
                    reason = await _find_reason(connection, channel, failed)
                    found[channel] = msgspec.structs.replace(health, reason=reason)
        return found

    async def open_channel_incident(
        self, incident: Incident, event: Event, channels: Collection[str]
    ) -> bool:
        """Write that a channel is broken; False where another agent was first."""
        write = (
            self._backend.insert(INCIDENTS)
            .values({**describe_row(incident), **describe_stand(incident)})
            .on_conflict_do_nothing()
        )
        async with self._backend.writing() as connection:
            if (await connection.execute(write.returning(INCIDENTS.c.id))).first() is None:
                return False
            await announce(
                connection,
                self._backend,
                incidents=(incident,),
                events=(event,),
                channels=channels,
            )
        return True

    async def end_channel_incident(
        self, incident: Incident, event: Event | None, channels: Collection[str]
    ) -> bool:
        """Write that it is over; False where another agent was first. No event tells nobody."""
        write = (
            sa.update(INCIDENTS)
            .where(INCIDENTS.c.id == incident.id, INCIDENTS.c.resolved_at.is_(None))
            .values(describe_stand(incident))
        )
        async with self._backend.writing() as connection:
            if (await connection.execute(write.returning(INCIDENTS.c.id))).first() is None:
                return False
            events = (event,) if event is not None else ()
            await announce(
                connection, self._backend, incidents=(incident,), events=events, channels=channels
            )
        return True


async def _find_reason(
    connection: AsyncConnection, channel: str, failed: sa.ColumnElement[bool]
) -> str:
    """Why the youngest of these failed."""
    query = (
        sa.select(OUTBOX.c.reason)
        .where(OUTBOX.c.channel == channel, failed)
        .order_by(sa.func.coalesce(OUTBOX.c.ended, OUTBOX.c.at).desc())
        .limit(1)
    )
    return str((await connection.execute(query)).scalar() or "")
