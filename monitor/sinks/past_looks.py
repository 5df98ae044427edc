"""Looks of the past: each for about a week, and by the hour for a month.

A look is written twice in the transaction that decides on it: as a line of its own, and into
the sum of its hour. Nothing is compacted later, so nothing is counted twice or lost in
between, and what a page draws is a few hundred rows however often somebody looks.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.record import Record
from monitor.core.verdict import State
from monitor.sinks.backend import Backend
from monitor.sinks.store_failures import read_word
from monitor.sinks.tables import CHECKS, HOURS, LOOKS, RECORDS

KEEP_LOOKS: Final = 10_000
"""Single looks of one database, and those of an hour: a week of one look a minute."""

KEEP_HOURS_FOR: Final = timedelta(days=31)
"""A month, and the day in which it begins: after that the incidents tell the story."""

HOUR: Final = timedelta(hours=1)

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
class Run:
    """Looks one after another that saw as much as each other.

    Attributes:
        first: when the first of them began.
        last: when the last of them began.
        looks: how many they are.
        state: what they saw.
        findings: how many each of them found.
    """

    first: datetime
    last: datetime
    looks: int
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
        least: findings of the one that found least.
        most: findings of the one that found most.
    """

    since: datetime
    state: State
    looks: int
    longest: float
    total: float
    least: int = 0
    most: int = 0


class PastLooks:
    """The part of the store that looks back. Every method raises StoreError."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def list_looks(self, environment: str, database: str, limit: int) -> list[Look]:
        """The last looks, the youngest first."""
        query = (
            sa.select(LOOKS.c.at, LOOKS.c.seconds, LOOKS.c.state, LOOKS.c.findings)
            .where(_is_look(environment, database))
            .order_by(LOOKS.c.number.desc())
            .limit(limit)
        )
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

    async def find_oldest(self, environment: str, database: str) -> datetime | None:
        """When the oldest single look began that is kept; None where none is."""
        query = sa.select(sa.func.min(LOOKS.c.at)).where(_is_look(environment, database))
        async with self._backend.reading() as connection:
            oldest: datetime | None = await connection.scalar(query)
            return oldest

    async def list_runs(
        self,
        environment: str,
        database: str,
        limit: int,
        *,
        since: datetime,
        until: datetime | None = None,
    ) -> list[Run]:
        """The single looks of a time that are kept, the youngest first, alike ones in one."""
        alike = (LOOKS.c.state, LOOKS.c.findings)
        # Looks one after another that are alike have the same distance between their place
        # among all and their place among those like them.
        place = sa.func.row_number().over(order_by=LOOKS.c.number)
        among = sa.func.row_number().over(partition_by=alike, order_by=LOOKS.c.number)
        looks = sa.select(LOOKS.c.number, LOOKS.c.at, *alike, (place - among).label("run")).where(
            _is_look(environment, database), LOOKS.c.at >= since
        )
        if until is not None:
            looks = looks.where(LOOKS.c.at <= until)
        found = looks.subquery()
        query = (
            sa.select(
                found.c.state,
                found.c.findings,
                sa.func.min(found.c.at).label("first"),
                sa.func.max(found.c.at).label("last"),
                sa.func.count().label("looks"),
            )
            .group_by(found.c.state, found.c.findings, found.c.run)
            .order_by(sa.func.max(found.c.number).desc())
            .limit(limit)
        )
        async with self._backend.reading() as connection:
            return [
                Run(
                    first=row.first,
                    last=row.last,
                    looks=row.looks,
                    state=read_word(State, row.state),
                    findings=row.findings,
                )
                for row in await connection.execute(query)
            ]

    async def sum_up_looks(
        self,
        environment: str,
        database: str,
        since: datetime,
        span: timedelta = HOUR,
        *,
        until: datetime | None = None,
    ) -> list[Stretch]:
        """Looks since a moment, by spans and by state, the oldest first.

        Args:
            environment: where the database runs.
            database: its name.
            since: the hour in which this is comes whole.
            span: of whole hours.
            until: the hour in which this is comes whole as well; None for no end.
        """
        hours = span // HOUR
        place = HOURS.c.hour // hours
        query = (
            sa.select(
                place.label("place"),
                HOURS.c.state,
                sa.func.sum(HOURS.c.looks).label("looks"),
                sa.func.max(HOURS.c.longest).label("longest"),
                sa.func.sum(HOURS.c.total).label("total"),
                sa.func.min(HOURS.c.least).label("least"),
                sa.func.max(HOURS.c.most).label("most"),
            )
            .where(_is_hour(environment, database), HOURS.c.hour >= _count_hours(since))
            .group_by(sa.text("1"), HOURS.c.state)
            .order_by(sa.text("1"), HOURS.c.state)
        )
        if until is not None:
            query = query.where(HOURS.c.hour <= _count_hours(until))
        async with self._backend.reading() as connection:
            return [
                Stretch(
                    since=_EPOCH + row.place * hours * HOUR,
                    state=read_word(State, row.state),
                    looks=row.looks,
                    longest=row.longest,
                    total=row.total,
                    least=row.least,
                    most=row.most,
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


async def write_look(connection: AsyncConnection, backend: Backend, record: Record) -> None:
    """Note the last look of a database, and let go of what is too old."""
    report = record.report
    await connection.execute(
        sa.insert(LOOKS).values(
            environment=record.environment,
            database=record.database,
            number=record.looks,
            at=report.at,
            seconds=report.seconds,
            state=report.state,
            findings=len(report.findings),
        )
    )
    if await _add_to_hour(connection, backend, record) == 1:
        await _let_go(connection, record)


async def _let_go(connection: AsyncConnection, record: Record) -> None:
    """Drop what is too old: done once an hour, it costs a look nothing."""
    here = _is_look(record.environment, record.database)
    month = record.report.at - KEEP_HOURS_FOR
    for is_old in (LOOKS.c.number <= record.looks - KEEP_LOOKS, LOOKS.c.at < month):
        await connection.execute(sa.delete(LOOKS).where(here, is_old))
    await connection.execute(
        sa.delete(HOURS).where(
            _is_hour(record.environment, record.database), HOURS.c.hour < _count_hours(month)
        )
    )


async def _add_to_hour(connection: AsyncConnection, backend: Backend, record: Record) -> int:
    """How many looks of this hour saw this state, with this one."""
    report, found = record.report, len(record.report.findings)
    write = backend.insert(HOURS).values(
        environment=record.environment,
        database=record.database,
        hour=_count_hours(report.at),
        state=report.state,
        looks=1,
        longest=report.seconds,
        total=report.seconds,
        least=found,
        most=found,
    )
    new = write.excluded
    counted = await connection.execute(
        write.on_conflict_do_update(
            index_elements=[*HOURS.primary_key],
            set_={
                "looks": HOURS.c.looks + 1,
                "longest": _choose(new.longest > HOURS.c.longest, new.longest, HOURS.c.longest),
                "total": HOURS.c.total + new.total,
                "least": _choose(new.least < HOURS.c.least, new.least, HOURS.c.least),
                "most": _choose(new.most > HOURS.c.most, new.most, HOURS.c.most),
            },
        ).returning(HOURS.c.looks)
    )
    looks: int = counted.scalar_one()
    return looks


def _choose(
    is_so: sa.ColumnElement[bool], one: sa.ColumnElement[object], other: sa.ColumnElement[object]
) -> sa.Case[object]:
    """The two servers have no common word for the greater of two."""
    return sa.case((is_so, one), else_=other)


def _count_hours(at: datetime) -> int:
    """Whole hours since 1970."""
    return (at - _EPOCH) // HOUR


def _is_look(environment: str, database: str) -> sa.ColumnElement[bool]:
    return sa.and_(LOOKS.c.environment == environment, LOOKS.c.database == database)


def _is_hour(environment: str, database: str) -> sa.ColumnElement[bool]:
    return sa.and_(HOURS.c.environment == environment, HOURS.c.database == database)
