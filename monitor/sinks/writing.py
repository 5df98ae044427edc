"""Incidents and events, written in a transaction of somebody's."""

from collections.abc import Collection
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.incidents import Event, Incident
from monitor.sinks.backend import Backend
from monitor.sinks.queue import post_events
from monitor.sinks.tables import EVENTS, INCIDENTS


async def write_told(
    connection: AsyncConnection,
    backend: Backend,
    *,
    incidents: Collection[Incident],
    events: tuple[Event, ...],
    channels: Collection[str],
) -> None:
    """The incidents as they are now, what is to be told of them, and a row a channel."""
    for incident in incidents:
        await _write_incident(connection, backend, incident)
    await announce(connection, backend, incidents=incidents, events=events, channels=channels)


async def announce(
    connection: AsyncConnection,
    backend: Backend,
    *,
    incidents: Collection[Incident],
    events: tuple[Event, ...],
    channels: Collection[str],
) -> None:
    """What is to be told of incidents that are written, and a row a channel."""
    if events:
        rows = [msgspec.structs.asdict(event) for event in events]
        await connection.execute(sa.insert(EVENTS), rows)
    await post_events(
        connection, backend, events=events, incidents=incidents, channels=set(channels)
    )


def describe_row(incident: Incident) -> dict[str, Any]:
    """The columns of an incident that never change."""
    return {
        "id": incident.id,
        "environment": incident.environment,
        "database": incident.database,
        "finding_class": incident.finding_class,
        "first_seen": incident.first_seen,
    }


def describe_stand(incident: Incident) -> dict[str, Any]:
    """The columns of an incident that say how it stands."""
    body = msgspec.json.encode(incident).decode()
    return {"resolved_at": incident.resolved_at, "body": body}


async def _write_incident(
    connection: AsyncConnection, backend: Backend, incident: Incident
) -> None:
    stand = describe_stand(incident)
    await connection.execute(
        backend.insert(INCIDENTS)
        .values({**describe_row(incident), **stand})
        .on_conflict_do_update(index_elements=[INCIDENTS.c.id], set_=stand)
    )
