"""The ledger: what was decided, in one transaction with what is to be told.

    async with open_store("sqlite:////data/anchorwatch.db") as store:
        before = await store.load(environment, database)
        ...
        is_ours = await store.commit(Decision(...))

Nothing here reads a clock: a look, an event and a delivery bring their own time.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, final

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.checkup import CheckRecord
from monitor.core.incidents import Event, Incident
from monitor.core.record import Record
from monitor.sinks.acceptances import Acceptances
from monitor.sinks.backend import Backend, open_backend
from monitor.sinks.channels import Channels
from monitor.sinks.checks import Checks, forget_checks
from monitor.sinks.deployments import Deployments
from monitor.sinks.incidents import Incidents
from monitor.sinks.locks import Locks
from monitor.sinks.past_looks import PastLooks, write_look
from monitor.sinks.queue import Queue, release_forgotten
from monitor.sinks.silences import Silences
from monitor.sinks.store_failures import unreadable
from monitor.sinks.tables import RECORDS, SNAPSHOTS
from monitor.sinks.upgrade import upgrade_ledger
from monitor.sinks.writing import write_told

_SNAPSHOT_LOCK: Final = 0x736E6170
"""The key of the advisory lock under which snapshots come and go."""
_RECORD: Final = msgspec.json.Decoder(Record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one look, or one check, decided.

    Attributes:
        record: the database after the look, or the check as it was done.
        looks_before: `looks` of the record it was decided on; None at the first look.
        incidents: those that are new or changed.
        events: what is to be told; each belongs to one of `incidents`.
        channels: the names of the channels it is told on.
        snapshot: digest and bytes of a snapshot to keep for this database, in place of
            the one kept before; None leaves that as it is.
    """

    record: Record | CheckRecord
    looks_before: int | None
    incidents: tuple[Incident, ...] = ()
    events: tuple[Event, ...] = ()
    channels: tuple[str, ...] = ()
    snapshot: tuple[str, bytes] | None = None


@final
class Store(
    Queue,
    Incidents,
    Acceptances,
    Silences,
    Locks,
    Checks,
    Deployments,
    Channels,
    PastLooks,
):
    """The ledger with all its parts. Every method raises StoreError."""

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend)
        self._backend = backend

    async def load(self, environment: str, database: str) -> Record | None:
        """The database as the last look left it; None when it was never looked at."""
        query = sa.select(RECORDS.c.body).where(_is_record(environment, database))
        rows = await self._fetch(query)
        return _read(_RECORD, rows[0].body) if rows else None

    async def commit(self, decision: Decision) -> bool:
        """Write a decision whole, or not at all.

        Returns:
            False, with nothing written, when another agent wrote the record since
            it was loaded.
        """
        record, kept = decision.record, await _compress(decision.snapshot)
        async with self._backend.writing() as connection:
            if kept is not None:
                await self._lock_snapshots(connection)
            if isinstance(record, CheckRecord):
                is_ours = await self.write_check(connection, record, decision.looks_before)
            else:
                is_ours = await self._write_record(connection, record, decision.looks_before)
            if not is_ours:
                return False
            await write_told(
                connection,
                self._backend,
                incidents=decision.incidents,
                events=decision.events,
                channels=decision.channels,
            )
            if isinstance(record, Record):
                await write_look(connection, self._backend, record)
                if kept is not None:
                    await self._keep_snapshot(connection, record, kept)
        return True

    async def try_writing(self) -> None:
        """Take the right to write, and write nothing: a standby or a lock refuses it."""
        nothing = sa.update(RECORDS).where(sa.false()).values(looks=RECORDS.c.looks)
        async with self._backend.writing() as connection:
            await connection.execute(nothing)

    async def list_records(self) -> list[Record]:
        """Every database that is watched, by environment and name."""
        query = sa.select(RECORDS.c.body).order_by(RECORDS.c.environment, RECORDS.c.database)
        return [_read(_RECORD, row.body) for row in await self._fetch(query)]

    async def load_snapshot_blob(self, digest: str) -> bytes | None:
        """The bytes that were kept under a digest."""
        rows = await self._fetch(sa.select(SNAPSHOTS.c.body).where(SNAPSHOTS.c.digest == digest))
        if not rows:
            return None
        try:
            return await asyncio.to_thread(zlib.decompress, rows[0].body)
        except zlib.error:
            raise unreadable() from None

    async def forget(self, environment: str, keep: Collection[str], at: datetime) -> None:
        """Drop the records of databases that are not among `keep`.

        Their looks go as well; incidents, events and deliveries stay as history. What is kept
        back of them is over `at` now: nobody will see what it waits for.
        """
        async with self._backend.writing() as connection:
            await self._lock_snapshots(connection)
            await connection.execute(
                sa.delete(RECORDS).where(
                    RECORDS.c.environment == environment, RECORDS.c.database.not_in(keep)
                )
            )
            await forget_checks(connection, environment, keep)
            await release_forgotten(connection, environment, keep, at)
            await _prune_snapshots(connection)

    async def _fetch(self, query: sa.Select[Any]) -> list[sa.Row[Any]]:
        async with self._backend.reading() as connection:
            return list(await connection.execute(query))

    async def _write_record(
        self, connection: AsyncConnection, record: Record, looks_before: int | None
    ) -> bool:
        values = {"looks": record.looks, "body": _write(record)}
        here = _is_record(record.environment, record.database)
        write: sa.Update | sa.Insert
        if looks_before is None:
            write = (
                self._backend.insert(RECORDS)
                .values(environment=record.environment, database=record.database, **values)
                .on_conflict_do_nothing()
            )
        else:
            fence = RECORDS.c.looks == looks_before
            write = sa.update(RECORDS).where(here, fence).values(**values)
        written = await connection.execute(write.returning(RECORDS.c.looks))
        return written.first() is not None

    async def _keep_snapshot(
        self, connection: AsyncConnection, record: Record, snapshot: tuple[str, bytes]
    ) -> None:
        digest, body = snapshot
        await connection.execute(
            self._backend.insert(SNAPSHOTS)
            .values(digest=digest, body=body)
            .on_conflict_do_nothing()
        )
        here = _is_record(record.environment, record.database)
        await connection.execute(sa.update(RECORDS).where(here).values(snapshot=digest))
        await _prune_snapshots(connection)

    async def _lock_snapshots(self, connection: AsyncConnection) -> None:
        """Keep another agent from pruning what this one is about to refer to."""
        if self._backend.is_postgres:
            await connection.execute(
                sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SNAPSHOT_LOCK}
            )


async def _compress(snapshot: tuple[str, bytes] | None) -> tuple[str, bytes] | None:
    """Off the event loop: a large schema takes a moment."""
    if snapshot is None:
        return None
    digest, body = snapshot
    return digest, await asyncio.to_thread(zlib.compress, body)


async def _prune_snapshots(connection: AsyncConnection) -> None:
    is_used = sa.exists().where(RECORDS.c.snapshot == SNAPSHOTS.c.digest)
    await connection.execute(sa.delete(SNAPSHOTS).where(~is_used))


def _is_record(environment: str, database: str) -> sa.ColumnElement[bool]:
    return sa.and_(RECORDS.c.environment == environment, RECORDS.c.database == database)


def _write(value: Record) -> str:
    return msgspec.json.encode(value).decode()


def _read[T](decoder: msgspec.json.Decoder[T], body: str) -> T:
    try:
        return decoder.decode(body)
    except msgspec.DecodeError:
        # Without its cause, which quotes the row.
        raise unreadable() from None


@asynccontextmanager
async def open_store(url: str) -> AsyncIterator[Store]:
    """The ledger at a URL, with its tables as this version wants them.

    Args:
        url: `sqlite:///relative.db`, `sqlite:////absolute.db` (the directory is made),
            or any spelling of a PostgreSQL URL.

    Raises:
        ConfigurationError: the URL names no place for a ledger.
        StoreError: the place cannot be read or written, or is ahead of this version.
    """
    backend = open_backend(url)
    try:
        async with backend.writing() as connection:
            await connection.run_sync(upgrade_ledger)
        yield Store(backend)
    finally:
        await backend.close()
