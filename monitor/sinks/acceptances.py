"""The acceptances in the ledger: one a finding, whoever wrote it last."""

from collections.abc import Collection, Iterable
from typing import Final

import msgspec
import sqlalchemy as sa

from monitor.core.waivers import Acceptance
from monitor.sinks.backend import Backend
from monitor.sinks.store_failures import unreadable
from monitor.sinks.tables import ACCEPTANCES, NUL

_DECODER: Final = msgspec.json.Decoder(Acceptance)


class Acceptances:
    """The part of the store that keeps acceptances. Every method raises StoreError."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def list_acceptances(self, environment: str, database: str) -> list[Acceptance]:
        """Those of one database, the oldest first; also those that are over."""
        query = sa.select(ACCEPTANCES.c.body).where(_is_at(environment, database))
        async with self._backend.reading() as connection:
            rows = list(await connection.execute(query))
        return sorted((_read(row.body) for row in rows), key=lambda it: (it.at, it.title))

    async def accept(self, acceptances: Iterable[Acceptance]) -> None:
        """Write all of them, or none; one takes the place of an older one of its finding."""
        async with self._backend.writing() as connection:
            for acceptance in acceptances:
                body = msgspec.json.encode(acceptance).decode()
                await connection.execute(
                    self._backend.insert(ACCEPTANCES)
                    .values(
                        environment=acceptance.environment,
                        database=acceptance.database,
                        finding=acceptance.finding,
                        body=body,
                    )
                    .on_conflict_do_update(
                        index_elements=list(ACCEPTANCES.primary_key.columns),
                        set_={"body": body},
                    )
                )

    async def withdraw(
        self, environment: str, database: str, findings: Collection[str]
    ) -> frozenset[str]:
        """Take back the acceptances of these findings; those that there were."""
        delete = sa.delete(ACCEPTANCES).where(
            _is_at(environment, database),
            ACCEPTANCES.c.finding.in_([finding for finding in findings if NUL not in finding]),
        )
        async with self._backend.writing() as connection:
            rows = await connection.execute(delete.returning(ACCEPTANCES.c.finding))
            return frozenset(row.finding for row in rows)


def _is_at(environment: str, database: str) -> sa.ColumnElement[bool]:
    return sa.and_(ACCEPTANCES.c.environment == environment, ACCEPTANCES.c.database == database)


def _read(body: str) -> Acceptance:
    try:
        return _DECODER.decode(body)
    except msgspec.DecodeError:
        # Without its cause, which quotes the row.
        raise unreadable() from None
