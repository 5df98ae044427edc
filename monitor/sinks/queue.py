"""The rows of the outbox: who may send what, and what became of it.

    pending --claim--> (held until the lease ends) --> delivered | dead | superseded
       ^________________________postpone_|

A claim takes the newest waiting row of an incident on a channel and supersedes the
older ones: people want to know how it stands, not how it stood. While somebody sends
about an incident, nobody else sends about it on that channel.
"""

import zlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.incidents import Event, EventKind, Incident
from monitor.sinks.backend import Backend
from monitor.sinks.channel import FailureReason
from monitor.sinks.store_failures import read_word
from monitor.sinks.tables import OUTBOX
from monitor.sinks.ulid import make_ulid
from monitor.sources.dsn import printable

RECEIPT_LENGTH: Final = 200
_LOCK: Final = 0x6F757462
"""First key of the advisory lock; the second is the channel's."""


class Held(StrEnum):
    """Why a row is kept back on purpose: the closed list of a metric's label."""

    SILENCED = "silenced"
    """Somebody asked for quiet."""
    INHIBITED = "inhibited"
    """Something else is told that explains it."""
    OVERTAKEN = "overtaken"
    """It has begun again: that is told first."""


class DeliveryStatus(StrEnum):
    """What became of a row."""

    PENDING = "pending"
    DELIVERED = "delivered"
    SUPERSEDED = "superseded"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event on its way to one channel, held by who claimed it.

    Attributes:
        id: 26 letters that sort by time; the receiver's idempotency key.
        channel: where it goes.
        incident: the incident's id.
        version: the version of the incident that the event made.
        kind: what happened.
        at: when it was decided.
        attempts: how often it was claimed, this time included.
        holder: who holds it.
        held: why it was kept back before.
    """

    id: str
    channel: str
    incident: str
    version: int
    kind: EventKind
    at: datetime
    attempts: int
    holder: str
    held: Held | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A row of the outbox as it stands.

    Attributes:
        delivery: what is, or was, to be sent; `holder` is empty when nobody holds it.
        status: what became of it.
        due: when it is tried next, while it is pending.
        may_have_arrived: whether an attempt ended without a known outcome.
        reason: why the last attempt failed.
        receipt: what the channel answered.
        ended: when it was delivered, superseded or given up.
    """

    delivery: Delivery
    status: DeliveryStatus
    due: datetime
    may_have_arrived: bool
    reason: FailureReason | None
    receipt: str | None
    ended: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """The outbox of one channel: how many wait, since when, and how many were given up.

    What is kept back on purpose does not wait.
    """

    pending: int
    oldest: datetime | None
    dead: int


LONGEST_DUE: Final = timedelta(days=1, hours=6)
"""Nothing is postponed for longer: what is due later was so by a clock that was ahead."""
LONGEST_HOLD: Final = timedelta(minutes=1)
"""As `LONGEST_DUE`, of what was never tried, or is kept back on purpose."""
LONGEST_LEASE: Final = timedelta(minutes=5)
"""As `LONGEST_DUE`, of a claim."""
_ALL: Final = 10_000
"""Rows of one environment and class: nobody watches as many databases with one agent."""
LEFT_FOR: Final = timedelta(days=1)
"""How long an agent leaves to others what it may not tell; then nobody else is there."""
_AHEAD: Final = timedelta(minutes=1)
"""The clocks of two agents differ by less."""
_PENDING: Final = OUTBOX.c.status == DeliveryStatus.PENDING
_WAITING: Final = sa.and_(_PENDING, OUTBOX.c.held.is_(None))
# Whoever ends a claim clears it: one that is still there was left by a crash.
_UNSURE: Final = sa.or_(OUTBOX.c.may_have_arrived, OUTBOX.c.claimed_until.is_not(None))
_UNANSWERED: Final = frozenset({FailureReason.TIMEOUT, FailureReason.BROKEN_OFF})
_RELEASED: Final[dict[str, Any]] = {"holder": None, "claimed_until": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """How what a channel is told of is grouped, by environment and class.

    Attributes:
        wait: how long the first waits for others.
        interval: how long after one message the next one may follow.
    """

    wait: timedelta
    interval: timedelta


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


class Queue:
    """The outbox half of the store. Every method raises StoreError."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def claim_due(  # noqa: PLR0913  # what a claim hangs on, by name
        self,
        *,
        now: datetime,
        holder: str,
        limit: int,
        lease: timedelta,
        channel: str,
        served: Collection[str] | None = None,
    ) -> list[Delivery]:
        """Take up to `limit` due rows of a channel, newest event of each incident.

        Holds: until `now + lease` nobody else gets these rows, nor another one of the
        same incident and channel. Older waiting rows of the incident are superseded. What
        happened elsewhere than in the environments that are `served` is left to others for
        `LEFT_FOR`; None serves all.
        """
        claim = _Claim(now=now, holder=holder, lease=lease, channel=channel, served=served)
        async with self._backend.writing() as connection:
            await self._line_up(connection, channel)
            return await _take(connection, claim, _select_due(claim, limit))

    async def claim_group(  # noqa: PLR0913  # as above
        self,
        *,
        now: datetime,
        holder: str,
        lease: timedelta,
        channel: str,
        grouping: Grouping,
        served: Collection[str] | None = None,
    ) -> list[Delivery]:
        """Take all that is due of one environment and class, as `claim_due` does.

        Holds: nothing of them is taken while somebody sends of them, nor before the interval
        since the last message of them is over.
        """
        claim = _Claim(now=now, holder=holder, lease=lease, channel=channel, served=served)
        async with self._backend.writing() as connection:
            await self._line_up(connection, channel)
            ready = (await connection.execute(_select_ready(claim, grouping))).first()
            if ready is None:
                return []
            rows = _select_due(claim, _ALL, group=(ready.environment, ready.finding_class))
            return await _take(connection, claim, rows)

    async def release_claims(self, now: datetime) -> None:
        """End the claims that a crash left in a file, which one agent has to itself.

        In a shared ledger they run out by themselves: whoever holds them may live.
        """
        if not self._backend.is_postgres:
            async with self._backend.writing() as connection:
                await connection.execute(
                    sa.update(OUTBOX)
                    .where(_PENDING, OUTBOX.c.claimed_until > now)
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
            _held_by(deliveries), due=due, reason=reason, may_have_arrived=_mark(reason)
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
        """Those of some incidents of which the channel took word, or may have taken it.

        An attempt without an answer counts: a "resolved" too many is better than an
        incident that stands open for ever in somebody's chat.
        """
        told = sa.or_(OUTBOX.c.status == DeliveryStatus.DELIVERED, OUTBOX.c.may_have_arrived)
        query = sa.select(OUTBOX.c.incident).where(
            OUTBOX.c.channel == channel,
            OUTBOX.c.incident.in_(list(incidents)),
            OUTBOX.c.kind != EventKind.RESOLVED,
            told,
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
                OUTBOX.c.status == DeliveryStatus.DELIVERED,
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
            other.c.status == DeliveryStatus.DELIVERED,
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
            return [_read_outcome(row) for row in await connection.execute(query)]

    async def count_outbox(self) -> dict[str, Backlog]:
        """What waits and what was given up, by channel; channels without rows are absent."""
        dead = OUTBOX.c.status == DeliveryStatus.DEAD
        query = sa.select(
            OUTBOX.c.channel,
            sa.func.count().filter(_WAITING),
            sa.func.min(OUTBOX.c.at).filter(_WAITING),
            sa.func.count().filter(dead),
        ).group_by(OUTBOX.c.channel)
        async with self._backend.reading() as connection:
            rows = await connection.execute(query)
            return {
                channel: Backlog(pending=pending, oldest=oldest, dead=dead)
                for channel, pending, oldest, dead in rows
            }

    async def _end(self, update: sa.Update, **values: object) -> None:
        async with self._backend.writing() as connection:
            await connection.execute(update.values({**values, **_RELEASED}))

    async def _line_up(self, connection: AsyncConnection, channel: str) -> None:
        """Let one agent at a time choose from a channel: each must see what others hold."""
        if self._backend.is_postgres:
            # Its two keys are signed numbers of 32 bits.
            key = zlib.crc32(channel.encode()) - 2**31
            await connection.execute(
                sa.text("SELECT pg_advisory_xact_lock(:lock, :key)"), {"lock": _LOCK, "key": key}
            )


class _Claim(NamedTuple):
    """Who takes rows of a channel, for how long, and of which environments."""

    now: datetime
    holder: str
    lease: timedelta
    channel: str
    served: Collection[str] | None

    def list_conditions(self) -> list[sa.ColumnElement[bool]]:
        """What a row must be to be taken at all."""
        here = [OUTBOX.c.channel == self.channel, _PENDING, _is_due(self.now), ~_has_newer()]
        if self.served is None:
            return here
        is_left = OUTBOX.c.at <= self.now - LEFT_FOR
        # An agent from before 0006, which is still about to end, says of no row where it is.
        return [*here, sa.or_(OUTBOX.c.environment.in_([*self.served, ""]), is_left)]


async def _take(connection: AsyncConnection, claim: _Claim, rows: sa.CTE) -> list[Delivery]:
    claimed = await connection.execute(
        sa.update(OUTBOX)
        .where(OUTBOX.c.id.in_(sa.select(rows.c.id)))
        .values(
            holder=claim.holder,
            claimed_until=claim.now + claim.lease,
            attempts=OUTBOX.c.attempts + 1,
            may_have_arrived=_UNSURE,
        )
        .returning(OUTBOX)
    )
    deliveries = sorted(map(_read_delivery, claimed), key=lambda it: it.id)
    if deliveries:
        await _supersede_older(connection, claim)
    return deliveries


def _select_due(claim: _Claim, limit: int, *, group: tuple[str, str] | None = None) -> sa.CTE:
    other = OUTBOX.alias("other")
    same = sa.and_(
        other.c.channel == OUTBOX.c.channel,
        other.c.incident == OUTBOX.c.incident,
        other.c.status == DeliveryStatus.PENDING,
    )
    held = sa.exists().where(same, _is_claimed(other, claim.now))
    here = [*claim.list_conditions(), ~held]
    if group is not None:
        here += [OUTBOX.c.environment == group[0], OUTBOX.c.finding_class == group[1]]
    return (
        sa.select(OUTBOX.c.id)
        .where(*here)
        # What is kept back is asked about when nothing else waits.
        .order_by(OUTBOX.c.held.is_not(None), OUTBOX.c.due, OUTBOX.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=OUTBOX)
        .cte("due")
    )


def _has_newer() -> sa.Exists:
    """Whether a younger word about the incident waits as well: that one is told."""
    other = OUTBOX.alias("newer")
    return sa.exists().where(
        other.c.channel == OUTBOX.c.channel,
        other.c.incident == OUTBOX.c.incident,
        other.c.status == DeliveryStatus.PENDING,
        other.c.version > OUTBOX.c.version,
    )


def _is_due(now: datetime) -> sa.ColumnElement[bool]:
    """Whether a row may be sent; none waits for longer than it was told to, whatever the clock.

    A clock that was ahead when a row was written, and is put right, would keep it for hours.
    """
    was_decided_ahead = sa.and_(OUTBOX.c.at > now + _AHEAD, OUTBOX.c.due >= OUTBOX.c.at)
    was_kept_ahead = sa.or_(
        OUTBOX.c.due > now + LONGEST_DUE,
        sa.and_(
            OUTBOX.c.due > now + LONGEST_HOLD,
            sa.or_(OUTBOX.c.attempts == 0, OUTBOX.c.held.is_not(None)),
        ),
    )
    return sa.or_(OUTBOX.c.due <= now, was_decided_ahead, was_kept_ahead)


def _select_ready(claim: _Claim, grouping: Grouping) -> sa.Select[Any]:
    """The environment and class that have waited longest, and may be told of again."""
    now = claim.now
    other = OUTBOX.alias("other")
    same = sa.and_(
        other.c.channel == OUTBOX.c.channel,
        other.c.environment == OUTBOX.c.environment,
        other.c.finding_class == OUTBOX.c.finding_class,
    )
    # Also a little after now, for agents whose clocks differ; not when a clock was far ahead.
    is_sent = sa.and_(
        other.c.status == DeliveryStatus.DELIVERED,
        other.c.ended > now - grouping.interval,
        other.c.ended <= now + grouping.interval,
    )
    is_held = sa.and_(other.c.status == DeliveryStatus.PENDING, _is_claimed(other, now))
    oldest = sa.func.min(OUTBOX.c.at)
    return (
        sa.select(OUTBOX.c.environment, OUTBOX.c.finding_class)
        .where(
            *claim.list_conditions(),
            ~sa.exists().where(same, sa.or_(is_sent, is_held)),
        )
        .group_by(OUTBOX.c.environment, OUTBOX.c.finding_class)
        .having(sa.or_(oldest <= now - grouping.wait, oldest > now + grouping.wait))
        .order_by(sa.func.count().filter(OUTBOX.c.held.is_(None)) == 0, sa.func.min(OUTBOX.c.due))
        .limit(1)
    )


def _is_claimed(rows: Any, now: datetime) -> sa.ColumnElement[bool]:
    """Whether somebody holds a row; no claim is longer than its lease, whatever the clock."""
    until = rows.c.claimed_until
    return sa.and_(until > now, until <= now + LONGEST_LEASE)


async def _supersede_older(connection: AsyncConnection, claim: _Claim) -> None:
    """What waits and is older than what was claimed of its incident: all of it at once."""
    mine = OUTBOX.alias("mine")
    is_claimed = sa.exists().where(
        mine.c.channel == OUTBOX.c.channel,
        mine.c.status == DeliveryStatus.PENDING,
        mine.c.holder == claim.holder,
        mine.c.claimed_until == claim.now + claim.lease,
        mine.c.incident == OUTBOX.c.incident,
        mine.c.version > OUTBOX.c.version,
    )
    await connection.execute(
        sa.update(OUTBOX)
        .where(OUTBOX.c.channel == claim.channel, _PENDING, is_claimed)
        .values(
            status=DeliveryStatus.SUPERSEDED,
            may_have_arrived=_UNSURE,
            ended=claim.now,
            **_RELEASED,
        )
    )


def _held_by(deliveries: Collection[Delivery]) -> sa.Update:
    """Rows that changed hands meanwhile are left alone."""
    return sa.update(OUTBOX).where(
        OUTBOX.c.id.in_([one.id for one in deliveries]),
        OUTBOX.c.holder.in_({one.holder for one in deliveries}),
        _PENDING,
    )


def _mark(reason: FailureReason) -> sa.ColumnElement[bool]:
    return sa.true() if reason in _UNANSWERED else OUTBOX.c.may_have_arrived


def _read_delivery(row: sa.Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        channel=row.channel,
        incident=row.incident,
        version=row.version,
        kind=read_word(EventKind, row.kind),
        at=row.at,
        attempts=row.attempts,
        holder=row.holder or "",
        held=read_word(Held, row.held) if row.held else None,
    )


def _read_outcome(row: sa.Row[Any]) -> Outcome:
    return Outcome(
        delivery=_read_delivery(row),
        status=read_word(DeliveryStatus, row.status),
        due=row.due,
        may_have_arrived=row.may_have_arrived,
        reason=read_word(FailureReason, row.reason) if row.reason else None,
        receipt=row.receipt,
        ended=row.ended,
    )
