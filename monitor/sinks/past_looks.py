"""Looks of the past as pages draw them: counted by the server, so that a month is a few rows."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa

from monitor.core.verdict import State
from monitor.sinks.backend import Backend
from monitor.sinks.store_failures import read_word
from monitor.sinks.tables import CHECKS, LOOKS, RECORDS

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

type Place = tuple[str, str]
"""Environment and name: what identifies a database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look of the past: when it began, how long it took, what it found."""

    at: datetime
    seconds: float
    state: State
    findings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """The looks of one span that saw one state.

    Attributes:
        since: when the span begins.
        state: what they saw.
        looks: how many they are.
        longest: seconds of the one that took longest.
        total: seconds of all of them.
    """

    since: datetime
    state: State
    looks: int
    longest: float
    total: float


class PastLooks:
    """The part of the store that looks back. Every method raises StoreError."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def list_looks(
        self,
        environment: str,
        database: str,
        limit: int,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[Look]:
        """The last looks, the youngest first, of all times or of some."""
        query = (
            sa.select(LOOKS.c.at, LOOKS.c.seconds, LOOKS.c.state, LOOKS.c.findings)
            .where(LOOKS.c.environment == environment, LOOKS.c.database == database)
            .order_by(LOOKS.c.number.desc())
            .limit(limit)
        )
        if since is not None:
            query = query.where(LOOKS.c.at >= since)
        if until is not None:
            query = query.where(LOOKS.c.at <= until)
        async with self._backend.reading() as connection:
            return [
                Look(
                    at=row.at,
                    seconds=row.seconds,
                    state=read_word(State, row.state),
                    findings=row.findings,
                )
                for row in await connection.execute(query)
            ]

    async def sum_up_looks(
        self, environment: str, database: str, since: datetime, span: timedelta
    ) -> list[Stretch]:
        """Looks since a moment, by spans of whole seconds and by state, the oldest first."""
        seconds = int(span.total_seconds())
        place = sa.cast(sa.extract("epoch", LOOKS.c.at), sa.BigInteger) // seconds
        query = (
            sa.select(
                place.label("place"),
                LOOKS.c.state,
                sa.func.count().label("looks"),
                sa.func.max(LOOKS.c.seconds).label("longest"),
                sa.func.sum(LOOKS.c.seconds).label("total"),
            )
            .where(
                LOOKS.c.environment == environment,
                LOOKS.c.database == database,
                LOOKS.c.at >= since,
            )
            .group_by(sa.text("1"), LOOKS.c.state)
            .order_by(sa.text("1"), LOOKS.c.state)
        )
        async with self._backend.reading() as connection:
            return [
                Stretch(
                    since=_EPOCH + timedelta(seconds=row.place * seconds),
                    state=read_word(State, row.state),
                    looks=row.looks,
                    longest=row.longest,
                    total=row.total,
                )
                for row in await connection.execute(query)
            ]

    async def number_looks(self) -> dict[Place, int]:
        """How many looks and checks there were at each database: another number is news."""
        records = sa.select(RECORDS.c.environment, RECORDS.c.database, RECORDS.c.looks)
        checks = sa.select(CHECKS.c.environment, CHECKS.c.database, CHECKS.c.looks)
        done = records.union_all(checks).subquery()
        query = sa.select(
            done.c.environment, done.c.database, sa.func.sum(done.c.looks).label("looks")
        ).group_by(done.c.environment, done.c.database)
        async with self._backend.reading() as connection:
            rows = await connection.execute(query)
            return {(row.environment, row.database): int(row.looks) for row in rows}
