"""What the ledger knows of the channels themselves: how they are, and which are broken."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.channel_health import Health, name_channel, name_place
from monitor.core.incidents import Event, Incident
from monitor.sinks.backend import Backend
from monitor.sinks.claims import AHEAD, Carrier, is_served
from monitor.sinks.revival import LOST, TAKEN, WAITING, revive
from monitor.sinks.tables import INCIDENTS, OUTBOX
from monitor.sinks.writing import announce, describe_row, describe_stand

LATELY: Final = timedelta(hours=24)
"""What was given up before says nothing of a channel that may be another one by now."""


class Channels:
    """The part of the store that watches channels. Every method raises StoreError."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def list_health(
        self, carrier: Carrier, channels: Collection[str], now: datetime
    ) -> dict[str, Health]:
        """How some channels are, by name.

        Args:
            carrier: the agent whose channels they are: what it delivers shows how they are.
            channels: their names.
            now: the time.
        """
        async with self._backend.reading() as connection:
            return {
                channel: await _find_health(connection, carrier, channel, now)
                for channel in channels
            }

    async def revive_lost(self, carrier: Carrier, channel: str, at: datetime) -> None:
        """Let a channel that works be told what it lost since it last took something."""
        async with self._backend.writing() as connection:
            await revive(connection, channel, carrier.served, broken_since=at, at=at)

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
        self,
        incident: Incident,
        event: Event | None,
        channels: Collection[str],
        *,
        served: Collection[str] | None = None,
    ) -> bool:
        """Write that it is over; False where another agent was first.

        With an event it is told, and so is what the channel lost meanwhile of the environments
        that are served; without one nobody is told of anything.
        """
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
            if event is not None:
                await revive(
                    connection,
                    name_channel(incident),
                    served,
                    broken_since=incident.first_seen,
                    at=event.at,
                )
        return True


async def _find_health(
    connection: AsyncConnection, carrier: Carrier, channel: str, now: datetime
) -> Health:
    """Each moment by an index of its own: an outbox grows for years.

    What is to come was noted by a clock that was ahead, and says nothing of how it is now.
    """
    here = sa.and_(OUTBOX.c.channel == channel, is_served(carrier.served))
    latest = now + AHEAD
    lately = sa.and_(LOST, OUTBOX.c.ended > now - LATELY, OUTBOX.c.ended <= latest)
    mended = sa.select(sa.func.max(INCIDENTS.c.resolved_at)).where(
        INCIDENTS.c.environment == carrier.environment,
        INCIDENTS.c.database == name_place(channel),
        INCIDENTS.c.resolved_at <= latest,
    )
    moments = (
        sa.select(sa.func.max(OUTBOX.c.ended)).where(here, TAKEN, OUTBOX.c.ended <= latest),
        sa.select(sa.func.max(OUTBOX.c.ended)).where(here, lately),
        sa.select(sa.func.min(OUTBOX.c.at)).where(here, WAITING),
        mended,
    )
    query = sa.select(*(one.scalar_subquery() for one in moments))
    taken, lost, waiting, worked = (await connection.execute(query)).one()
    reason = ""
    if lost or waiting:
        reason = await _find_reason(connection, here, lately if lost else WAITING)
    return Health(
        channel=channel,
        # A test message, which the outbox knows nothing of, may have shown that it works.
        taken=max((one for one in (taken, worked) if one), default=None),
        lost=lost,
        waiting=waiting,
        reason=reason,
    )


async def _find_reason(
    connection: AsyncConnection, here: sa.ColumnElement[bool], failed: sa.ColumnElement[bool]
) -> str:
    """Why the youngest of these failed."""
    query = (
        sa.select(OUTBOX.c.reason)
        .where(here, failed)
        .order_by(sa.func.coalesce(OUTBOX.c.ended, OUTBOX.c.at).desc())
        .limit(1)
    )
    return str((await connection.execute(query)).scalar() or "")
