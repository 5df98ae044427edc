"""The locks in the ledger: of each database those that came last, by the commit they are of."""

import asyncio
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.sinks.backend import Backend
from monitor.sinks.store_failures import unreadable
from monitor.sinks.tables import LOCK_BODIES, LOCKS, NUL

KEEP_LOCKS: Final = 20
"""Of one database: a month of releases, each of which may be rolled back to."""

_LOCK: Final = 0x6C6F636B
"""The key of the advisory lock under which they come and go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLock:
    """One lock of one database.

    Attributes:
        digest: SHA-256 of its bytes.
        commit: of the code that it was built from; empty where nobody said.
        at: when it was last brought.
    """

    digest: str
    commit: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLock:
    """A lock to keep.

    Attributes:
        environment: of the database.
        database: its configured name.
        lock: what it is called.
        body: its bytes.
    """

    environment: str
    database: str
    lock: KeptLock
    body: bytes = field(repr=False)


class Keeping(StrEnum):
    """What became of a lock."""

    NEW = "new"
    SAME = "same"
    CONFLICT = "conflict"
    """The commit has another one."""
    FOREIGN = "foreign"
    """It has no revision of those that are kept: it is of another application."""
    UNUSED = "unused"
    """The database is compared with something else."""


class Locks:
    """The part of the store that keeps locks. Every method raises StoreError."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def list_locks(self, environment: str, database: str) -> list[KeptLock]:
        """Those of one database, the newest first."""
        query = (
            sa.select(LOCKS.c.digest, LOCKS.c.commit, LOCKS.c.at)
            .where(_is_at(environment, database))
            .order_by(LOCKS.c.at.desc(), LOCKS.c.digest)
        )
        async with self._backend.reading() as connection:
            rows = list(await connection.execute(query))
        return [KeptLock(digest=row.digest, commit=row.commit, at=row.at) for row in rows]

    async def load_lock(self, digest: str) -> bytes | None:
        """The bytes of a lock; None where it is not kept any more."""
        query = sa.select(LOCK_BODIES.c.body).where(LOCK_BODIES.c.digest == digest)
        async with self._backend.reading() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            return None
        try:
            return await asyncio.to_thread(zlib.decompress, row.body)
        except zlib.error:
            raise unreadable() from None

    async def keep_lock(
        self, new: NewLock, *, deployed: str = "", replaces: bool = False
    ) -> Keeping:
        """Keep a lock, in place of the oldest where there are many.

        A commit has one lock: another one of the same commit changes nothing. The same one
        counts as brought anew.

        Args:
            new: the lock.
            deployed: a commit, or how one begins, of which the lock is kept however old it is.
            replaces: whether it takes the place of another one of its commit.
        """
        assert NUL not in new.lock.commit  # noqa: S101  # whoever takes one checks it
        packed = await asyncio.to_thread(zlib.compress, new.body)
        async with self._backend.writing() as connection:
            await self._take_turn(connection)
            if replaces and new.lock.commit:
                await connection.execute(
                    sa.delete(LOCKS).where(
                        _is_at(new.environment, new.database),
                        LOCKS.c.commit == new.lock.commit,
                        LOCKS.c.digest != new.lock.digest,
                    )
                )
            known = await _find(connection, new)
            if known is Keeping.CONFLICT:
                return known
            await connection.execute(
                self._backend.insert(LOCK_BODIES)
                .values(digest=new.lock.digest, body=packed)
                .on_conflict_do_nothing()
            )
            await connection.execute(
                self._backend.insert(LOCKS)
                .values(
                    environment=new.environment,
                    database=new.database,
                    commit=new.lock.commit,
                    digest=new.lock.digest,
                    at=new.lock.at,
                )
                .on_conflict_do_update(
                    index_elements=list(LOCKS.primary_key.columns), set_={"at": new.lock.at}
                )
            )
            await _prune(connection, new, deployed)
        return known

    async def forget_locks(self, environment: str, database: str) -> int:
        """Forget the locks of a database: its history begins anew; how many there were."""
        async with self._backend.writing() as connection:
            await self._take_turn(connection)
            gone = await connection.execute(
                sa.delete(LOCKS).where(_is_at(environment, database)).returning(LOCKS.c.digest)
            )
            count = len(list(gone))
            await _drop_bodies(connection)
        return count

    async def _take_turn(self, connection: AsyncConnection) -> None:
        """Keep another agent from dropping what this one is about to refer to."""
        if self._backend.is_postgres:
            await connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


_DIGITS: Final = re.compile(r"[0-9a-f]{7,40}|[0-9a-f]{64}", re.IGNORECASE)
"""A commit, or the digits by which people name one: the name of a tag is none of them."""


def is_same_commit(one: str, other: str) -> bool:
    """Whether two names of commits are of one: of digits a short one is how the other begins."""
    if one == other:
        return bool(one)
    shorter, longer = sorted((one, other), key=len)
    are_digits = _DIGITS.fullmatch(shorter) and _DIGITS.fullmatch(longer)
    return bool(are_digits) and longer.startswith(shorter)


def find_commit(known: Sequence[str], wanted: str) -> str | None:
    """The one that is wanted: by its very name, else the first that may be it."""
    if wanted and wanted in known:
        return wanted
    return next((one for one in known if is_same_commit(one, wanted)), None)


def _is_at(environment: str, database: str) -> sa.ColumnElement[bool]:
    return sa.and_(LOCKS.c.environment == environment, LOCKS.c.database == database)


async def _find(connection: AsyncConnection, new: NewLock) -> Keeping:
    """What the ledger knows of it."""
    query = sa.select(LOCKS.c.digest).where(
        _is_at(new.environment, new.database), LOCKS.c.commit == new.lock.commit
    )
    known = {row.digest for row in await connection.execute(query)}
    if new.lock.digest in known:
        return Keeping.SAME
    return Keeping.CONFLICT if known and new.lock.commit else Keeping.NEW


async def _prune(connection: AsyncConnection, new: NewLock, deployed: str) -> None:
    here = _is_at(new.environment, new.database)
    query = sa.select(LOCKS.c.commit, LOCKS.c.digest).where(here).order_by(LOCKS.c.at.desc())
    rows = list(await connection.execute(query))
    kept = find_commit([row.commit for row in rows], deployed)
    for row in rows[KEEP_LOCKS:]:
        if row.commit == kept:
            continue
        await connection.execute(
            sa.delete(LOCKS).where(
                here, LOCKS.c.commit == row.commit, LOCKS.c.digest == row.digest
            )
        )
    await _drop_bodies(connection)


async def _drop_bodies(connection: AsyncConnection) -> None:
    is_used = sa.exists().where(LOCKS.c.digest == LOCK_BODIES.c.digest)
    await connection.execute(sa.delete(LOCK_BODIES).where(~is_used))
