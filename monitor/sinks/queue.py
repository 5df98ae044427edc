"""The rows of the outbox: who may send what, and what became of it.

    pending --claim--> (held until the lease ends) --> delivered | dead | superseded
       ^________________________postpone_|

A claim takes the newest waiting row of an incident on a channel and supersedes the
older ones: people want to know how it stands, not how it stood. While somebody sends
about an incident, nobody else sends about it on that channel.
"""

import zlib
from collections.abc import Collection
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.findings import FindingClass
from monitor.core.incidents import Event, EventKind, Incident
from monitor.sinks.backend import Backend
from monitor.sinks.channel import FailureReason
from monitor.sinks.claims import (
    ARRIVED,
    PENDING,
    RELEASED,
    Claim,
    Clock,
    is_served,
    select_due,
    select_ready,
    take,
)
from monitor.sinks.delivery import (
    Backlog,
    Delivery,
    DeliveryStatus,
    Grouping,
    Held,
    Outcome,
    has_status,
    read_outcome,
)
from monitor.sinks.tables import INCIDENTS, OUTBOX
from monitor.sinks.ulid import make_ulid
from monitor.sources.dsn import printable

RECEIPT_LENGTH: Final = 200
_LOCK: Final = 0x6F757462
"""First key of the advisory lock; the second is the channel's."""
_ALL: Final = 10_000
"""Rows of one environment and class: nobody watches as many databases with one agent."""
_WAITING: Final = sa.and_(PENDING, OUTBOX.c.held.is_(None))
_DEAD: Final = has_status(OUTBOX, DeliveryStatus.DEAD)
_UNANSWERED: Final = frozenset({FailureReason.TIMEOUT, FailureReason.BROKEN_OFF})


async def post_events(
    connection: AsyncConnection,
    backend: Backend,
    *,
    events: tuple[Event, ...],
    incidents: Collection[Incident],
    channels: set[str],
) -> None:
    """Put one row an event and channel into the outbox, in the caller's transaction."""
    about = {incident.id: incident for incident in incidents}
    rows = [
        {
            "id": make_ulid(event.at),
            "channel": channel,
            "incident": event.incident,
            "version": event.version,
            "environment": about[event.incident].environment,
            "finding_class": about[event.incident].finding_class,
            "kind": event.kind,
            "at": event.at,
            "status": DeliveryStatus.PENDING,
            "due": event.at,
            "attempts": 0,
            "may_have_arrived": False,
        }
        for event in events
        for channel in sorted(channels)
    ]
    if rows:
        await connection.execute(backend.insert(OUTBOX).on_conflict_do_nothing(), rows)


async def release_forgotten(
    connection: AsyncConnection, environment: str, keep: Collection[str], at: datetime
) -> None:
    """End what is kept back of databases that are not among ``keep``, but for ends."""
    gone = sa.select(INCIDENTS.c.id).where(
        INCIDENTS.c.environment == environment,
        INCIDENTS.c.database.not_in(keep),
        INCIDENTS.c.finding_class != FindingClass.CHANNEL,
        INCIDENTS.c.resolved_at.is_(None),
    )
    await connection.execute(
        sa.update(OUTBOX)
        .where(
            PENDING,
            OUTBOX.c.held.is_not(None),
            OUTBOX.c.kind != EventKind.RESOLVED,
            OUTBOX.c.incident.in_(gone),
        )
        .values(status=DeliveryStatus.SUPERSEDED, ended=at, **RELEASED)
    )


class Queue:
    """The outbox half of the store. Every method raises StoreError."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def claim_due(self, claim: Claim, limit: int) -> list[Delivery]:
        """Take up to `limit` due rows of a channel, newest event of each incident.

        Holds: until the lease is over nobody else gets these rows, nor another one of the same
        incident and channel. Older waiting rows of the incident are superseded. A lease is
        measured by the clock of the ledger's server: those of agents that share it may differ.
        """
        clock = self._read_clock(claim)
        async with self._backend.writing() as connection:
            await self._line_up(connection, claim.channel)
            return await take(connection, claim, select_due(claim, limit, clock), clock)

    async def claim_group(self, claim: Claim, grouping: Grouping) -> list[Delivery]:
        """Take all that is due of one environment and class, as `claim_due` does.

        Holds: nothing of them is taken while somebody sends of them, nor before the interval
        since the last message of them is over.
        """
        clock = self._read_clock(claim)
        async with self._backend.writing() as connection:
            await self._line_up(connection, claim.channel)
            ready = (await connection.execute(select_ready(claim, grouping, clock))).first()
            if ready is None:
                return []
            group = (ready.environment, ready.finding_class)
            rows = select_due(claim, _ALL, clock, group=group)
            return await take(connection, claim, rows, clock)

    async def release_claims(self, now: datetime) -> None:
        """End the claims that a crash left in a file, which one agent has to itself.

        In a shared ledger they run out by themselves: whoever holds them may live.
        """
        if not self._backend.is_postgres:
            async with self._backend.writing() as connection:
                await connection.execute(
                    sa.update(OUTBOX)
                    .where(PENDING, OUTBOX.c.claimed_until > now)
                    .values(holder=None, claimed_until=now)
                )

    async def complete(
        self, deliveries: Collection[Delivery], receipt: str, now: datetime
    ) -> None:
        """Note that the channel took them."""
        await self._end(
            # Also when the lease was over meanwhile: they have arrived.
            sa.update(OUTBOX).where(OUTBOX.c.id.in_([one.id for one in deliveries])),
            status=DeliveryStatus.DELIVERED,
            receipt=printable(receipt, limit=RECEIPT_LENGTH),
            reason=None,
            held=None,
            ended=now,
        )

    async def postpone(
        self, deliveries: Collection[Delivery], due: datetime, reason: FailureReason
    ) -> None:
        """Let them wait until `due`."""
        await self._end(
            _held_by(deliveries), due=due, reason=reason, may_have_arrived=_mark(reason), held=None
        )

    async def hold(
        self, deliveries: Collection[Delivery], due: datetime, why: Held | None
    ) -> None:
        """Keep them back until `due`, on purpose, or let them wait their turn: no attempt."""
        await self._end(_held_by(deliveries), due=due, held=why, attempts=OUTBOX.c.attempts - 1)

    async def bury(
        self, deliveries: Collection[Delivery], reason: FailureReason, now: datetime
    ) -> None:
        """Give them up."""
        await self._end(
            _held_by(deliveries),
            status=DeliveryStatus.DEAD,
            reason=reason,
            may_have_arrived=_mark(reason),
            ended=now,
        )

    async def supersede(self, deliveries: Collection[Delivery], now: datetime) -> None:
        """Drop what was claimed and need not be sent."""
        await self._end(_held_by(deliveries), status=DeliveryStatus.SUPERSEDED, ended=now)

    async def find_told(self, channel: str, incidents: Collection[str]) -> set[str]:
        """Those of some incidents of which the channel took word, or may have taken it."""
        query = sa.select(OUTBOX.c.incident).where(
            OUTBOX.c.channel == channel,
            OUTBOX.c.incident.in_(list(incidents)),
            OUTBOX.c.kind != EventKind.RESOLVED,
            ARRIVED,
        )
        async with self._backend.reading() as connection:
            return {incident for (incident,) in await connection.execute(query.distinct())}

    async def list_threads(self, channel: str, incidents: Collection[str]) -> dict[str, str]:
        """The receipt of the last word that the channel took of each incident."""
        query = (
            sa.select(OUTBOX.c.incident, OUTBOX.c.receipt)
            .where(
                OUTBOX.c.channel == channel,
                OUTBOX.c.incident.in_(list(incidents)),
                has_status(OUTBOX, DeliveryStatus.DELIVERED),
                OUTBOX.c.receipt.is_not(None),
            )
            .order_by(OUTBOX.c.version)
        )
        async with self._backend.reading() as connection:
            rows = await connection.execute(query)
            return {row.incident: row.receipt for row in rows}

    async def list_in_thread(self, channel: str, receipt: str) -> list[str]:
        """The incidents of which the channel gave this receipt last, by id."""
        other = OUTBOX.alias("other")
        later = sa.exists().where(
            other.c.channel == OUTBOX.c.channel,
            other.c.incident == OUTBOX.c.incident,
            has_status(other, DeliveryStatus.DELIVERED),
            other.c.version > OUTBOX.c.version,
        )
        query = (
            sa.select(OUTBOX.c.incident)
            .where(OUTBOX.c.channel == channel, OUTBOX.c.receipt == receipt, ~later)
            .distinct()
            .order_by(OUTBOX.c.incident)
        )
        async with self._backend.reading() as connection:
            return [incident for (incident,) in await connection.execute(query)]

    async def list_deliveries(self, incident: str) -> list[Outcome]:
        """Every row about an incident, oldest first."""
        query = (
            sa.select(OUTBOX)
            .where(OUTBOX.c.incident == incident)
            .order_by(OUTBOX.c.version, OUTBOX.c.channel)
        )
        async with self._backend.reading() as connection:
            return [read_outcome(row) for row in await connection.execute(query)]

    async def count_outbox(self, served: Collection[str] | None = None) -> dict[str, Backlog]:
        """What waits and what was given up, by channel; channels without either are absent.

        Args:
            served: of which environments; None for all.
        """
        channel, here = OUTBOX.c.channel, is_served(served)
        waiting = (
            sa.select(channel, sa.func.count(), sa.func.min(OUTBOX.c.at))
            .where(_WAITING, here)
            .group_by(channel)
        )
        dead = sa.select(channel, sa.func.count()).where(_DEAD, here).group_by(channel)
        async with self._backend.reading() as connection:
            oldest = {row[0]: (row[1], row[2]) for row in await connection.execute(waiting)}
            lost = {row[0]: row[1] for row in await connection.execute(dead)}
        return {
            name: _count(*oldest.get(name, (0, None)), lost.get(name, 0))
            for name in {*oldest, *lost}
        }

    async def _end(self, update: sa.Update, **values: object) -> None:
        async with self._backend.writing() as connection:
            await connection.execute(update.values({**values, **RELEASED}))

    def _read_clock(self, claim: Claim) -> Clock:
        return lambda later: self._backend.tell_time(claim.now, later)

    async def _line_up(self, connection: AsyncConnection, channel: str) -> None:
        """Let one agent at a time choose from a channel: each must see what others hold."""
        if self._backend.is_postgres:
            # Its two keys are signed numbers of 32 bits.
            key = zlib.crc32(channel.encode()) - 2**31
            await connection.execute(
                sa.text("SELECT pg_advisory_xact_lock(:lock, :key)"), {"lock": _LOCK, "key": key}
            )


def _count(pending: int, oldest: datetime | None, dead: int) -> Backlog:
    return Backlog(pending=pending, oldest=oldest, dead=dead)


def _held_by(deliveries: Collection[Delivery]) -> sa.Update:
    """Rows that changed hands meanwhile are left alone."""
    return sa.update(OUTBOX).where(
        OUTBOX.c.id.in_([one.id for one in deliveries]),
        OUTBOX.c.holder.in_({one.holder for one in deliveries}),
        PENDING,
    )


def _mark(reason: FailureReason) -> sa.ColumnElement[bool]:
    return sa.true() if reason in _UNANSWERED else OUTBOX.c.may_have_arrived
