"""Deployments in the ledger: each is concluded once, by whichever agent is first."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

import msgspec
import sqlalchemy as sa

from monitor.core.deployment import Deployment
from monitor.core.incidents import Event, Incident
from monitor.sinks.backend import Backend
from monitor.sinks.store_failures import unreadable
from monitor.sinks.tables import DEPLOYMENTS
from monitor.sinks.writing import write_told

KEEP_FOR: Final = timedelta(days=90)
"""A quarter's deployments are what people look back at."""
_DECODER: Final = msgspec.json.Decoder(Deployment)


class Deployments:
    """The part of the store that keeps deployments. Every method raises StoreError."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def add_deployment(self, deployment: Deployment) -> bool:
        """Note a deployment that has to be looked at; False where it was noted before."""
        write = (
            self._backend.insert(DEPLOYMENTS)
            .values(
                id=deployment.id,
                at=deployment.at,
                body=msgspec.json.encode(deployment).decode(),
            )
            .on_conflict_do_nothing()
        )
        old = sa.delete(DEPLOYMENTS).where(DEPLOYMENTS.c.at < deployment.at - KEEP_FOR)
        async with self._backend.writing() as connection:
            written = (await connection.execute(write.returning(DEPLOYMENTS.c.id))).first()
            await connection.execute(old)
        return written is not None

    async def list_deployments(
        self, *, before: datetime | None = None, is_waiting: bool = False, limit: int = 100
    ) -> list[Deployment]:
        """The last ones, the youngest first.

        Args:
            before: only those that were reported before.
            is_waiting: only those that nobody has concluded.
            limit: how many at most.
        """
        query = sa.select(DEPLOYMENTS.c.body).order_by(DEPLOYMENTS.c.at.desc()).limit(limit)
        if before is not None:
            query = query.where(DEPLOYMENTS.c.at <= before)
        if is_waiting:
            query = query.where(DEPLOYMENTS.c.concluded_at.is_(None))
        async with self._backend.reading() as connection:
            return [_read(row.body) for row in await connection.execute(query)]

    async def conclude_deployment(  # what is written, by name
        self,
        deployment: str,
        at: datetime,
        *,
        incidents: Collection[Incident] = (),
        events: tuple[Event, ...] = (),
        channels: Collection[str] = (),
    ) -> bool:
        """Write what a deployment came to, whole; False where another agent was first."""
        here = sa.and_(DEPLOYMENTS.c.id == deployment, DEPLOYMENTS.c.concluded_at.is_(None))
        write = sa.update(DEPLOYMENTS).where(here).values(concluded_at=at)
        async with self._backend.writing() as connection:
            if (await connection.execute(write.returning(DEPLOYMENTS.c.id))).first() is None:
                return False
            await write_told(
                connection, self._backend, incidents=incidents, events=events, channels=channels
            )
        return True


def _read(body: str) -> Deployment:
    try:
        return _DECODER.decode(body)
    except msgspec.DecodeError:
        # Without its cause, which quotes the row.
        raise unreadable() from None
