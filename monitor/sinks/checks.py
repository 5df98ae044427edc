"""Checks in the ledger that go beyond a schema: one row a check of a database, as it was last."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.checkup import CheckName, CheckRecord
from monitor.core.incidents import Status
from monitor.sinks.backend import Backend
from monitor.sinks.incidents import read_incident
from monitor.sinks.store_failures import unreadable
from monitor.sinks.tables import CHECKS, INCIDENTS
from monitor.sinks.writing import write_told

_DECODER: Final = msgspec.json.Decoder(CheckRecord)


class Checks:
    """The part of the store that keeps checks. Every method raises StoreError."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def load_check(
        self, environment: str, database: str, check: CheckName
    ) -> CheckRecord | None:
        """One check as it was done last; None when it never was."""
        query = sa.select(CHECKS.c.body).where(_is_at(environment, database, check))
        async with self._backend.reading() as connection:
            row = (await connection.execute(query)).first()
        return _read(row.body) if row else None

    async def list_checks(
        self, environment: str | None = None, database: str | None = None
    ) -> list[CheckRecord]:
        """The checks of one database, or of all, by environment, database and name."""
        query = sa.select(CHECKS.c.body).order_by(*CHECKS.primary_key.columns)
        if environment is not None:
            query = query.where(CHECKS.c.environment == environment)
        if database is not None:
            query = query.where(CHECKS.c.database == database)
        async with self._backend.reading() as connection:
            return [_read(row.body) for row in await connection.execute(query)]

    async def retire_check(self, record: CheckRecord, at: datetime) -> None:
        """Forget a check that is not done any more, and end its incident; nobody is told.

        Whoever took it out of the configuration knows; nothing would ever end it else.
        """
        place = record.environment, record.database
        open_ones = sa.select(INCIDENTS.c.body).where(
            INCIDENTS.c.environment == record.environment,
            INCIDENTS.c.database == record.database,
            INCIDENTS.c.finding_class == record.check.finding_class,
            INCIDENTS.c.resolved_at.is_(None),
        )
        async with self._backend.writing() as connection:
            await connection.execute(sa.delete(CHECKS).where(_is_at(*place, record.check)))
            left = [read_incident(row.body) for row in await connection.execute(open_ones)]
            over = [
                msgspec.structs.replace(one, status=Status.RESOLVED, resolved_at=at)
                for one in left
            ]
            await write_told(connection, self._backend, incidents=over, events=(), channels=())

    async def write_check(
        self, connection: AsyncConnection, record: CheckRecord, looks_before: int | None
    ) -> bool:
        """Write a check in a transaction of somebody's; False where another agent was first."""
        values = {"looks": record.looks, "body": msgspec.json.encode(record).decode()}
        write: sa.Update | sa.Insert
        if looks_before is None:
            write = (
                self._backend.insert(CHECKS)
                .values(
                    environment=record.environment,
                    database=record.database,
                    check=record.check,
                    **values,
                )
                .on_conflict_do_nothing()
            )
        else:
            here = _is_at(record.environment, record.database, record.check)
            fence = CHECKS.c.looks == looks_before
            write = sa.update(CHECKS).where(here, fence).values(**values)
        written = await connection.execute(write.returning(CHECKS.c.looks))
        return written.first() is not None


async def forget_checks(
    connection: AsyncConnection, environment: str, keep: Collection[str]
) -> None:
    """Drop the checks of databases that are not among ``keep``."""
    await connection.execute(
        sa.delete(CHECKS).where(
            CHECKS.c.environment == environment, CHECKS.c.database.not_in(keep)
        )
    )


def _is_at(environment: str, database: str, check: CheckName) -> sa.ColumnElement[bool]:
    return sa.and_(
        CHECKS.c.environment == environment,
        CHECKS.c.database == database,
        CHECKS.c.check == check,
    )


def _read(body: str) -> CheckRecord:
    try:
        return _DECODER.decode(body)
    except msgspec.DecodeError:
        # Without its cause, which quotes the row.
        raise unreadable() from None
