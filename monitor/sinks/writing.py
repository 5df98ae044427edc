"""Incidents and events, written in a transaction of somebody's."""

from collections.abc import Collection

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
    if events:
        rows = [msgspec.structs.asdict(event) for event in events]
        await connection.execute(sa.insert(EVENTS), rows)
    await post_events(
        connection, backend, events=events, incidents=incidents, channels=set(channels)
    )


async def _write_incident(
    connection: AsyncConnection, backend: Backend, incident: Incident
) -> None:
    body = msgspec.json.encode(incident).decode()
    values = {"resolved_at": incident.resolved_at, "body": body}
    await connection.execute(
        backend.insert(INCIDENTS)
        .values(
            id=incident.id,
            environment=incident.environment,
            database=incident.database,
            finding_class=incident.finding_class,
            first_seen=incident.first_seen,
            **values,
        )
        .on_conflict_do_update(index_elements=[INCIDENTS.c.id], set_=values)
    )
