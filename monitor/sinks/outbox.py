"""From the outbox to the channels, at least once, and no more often than needed.

A row is claimed, rendered from the incident *as it stands now*, sent, and only then
given its receipt. A crash in between sends it again under the same id. Every
channel has a lane of its own: a slow one never delays another.
"""

import asyncio
import random
import traceback
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, final

import structlog

from monitor.core.errors import DeliveryError, StoreError
from monitor.core.findings import Severity
from monitor.core.incidents import EventKind, Incident, Status
from monitor.core.message import compose
from monitor.sinks.channel import Channel, FailureReason
from monitor.sinks.queue import Delivery
from monitor.sinks.retry import PACES, Pace, plan_retry, read_wish
from monitor.sinks.store import Store

SEND_SECONDS: Final = 30.0
"""A channel has shorter deadlines of its own; this one holds whatever it does."""
DRAIN_SECONDS: Final = 3.0
"""How long a delivery may take to end when the agent stops: it is killed after five."""
LEASE: Final = timedelta(minutes=2)
"""Longer than one attempt with its spacing and receipt; after a crash it is the delay."""
ROUND: Final = 20
"""Deliveries of one lane in a row; then others get a word in."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A channel, and how bad a thing must be to go there."""

    channel: Channel
    minimum: Severity = Severity.WARNING


class Fate(StrEnum):
    """What an attempt came to."""

    DELIVERED = "delivered"
    POSTPONED = "postponed"
    BURIED = "buried"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What is counted about an attempt; `reason` says why it failed."""

    channel: str
    kind: EventKind
    fate: Fate
    reason: FailureReason | None = None


class _Lane:
    """One channel, and what it is doing; the only state that changes here."""

    def __init__(self, route: Route) -> None:
        self.route = route
        self.pace: Pace = PACES[route.channel.kind]
        self.is_busy = False
        self.free_at = 0.0
        self.closed_until: datetime | None = None

    @property
    def name(self) -> str:
        return self.route.channel.name


def choose_kind(
    kind: EventKind, incident: Incident, *, has_told: bool, minimum: Severity
) -> EventKind | None:
    """What is to be said about an incident as it stands now; None for nothing.

    Holds: an end is told to those who were told of a beginning, however mild it was at
    last; the first word about an incident is always "opened".
    """
    if kind is EventKind.VERDICT:
        return kind
    if kind is EventKind.RESOLVED:
        return kind if has_told else None
    if incident.status is Status.RESOLVED or incident.severity.rank < minimum.rank:
        return None
    return kind if has_told else EventKind.OPENED


def _ignore(_: Attempt) -> None:
    """Count nothing."""


def _everywhere(_: Incident) -> bool:
    """People are told wherever it is."""
    return True


def _no_link(_: str) -> str | None:
    """Without a public address there are no links."""
    return None


@final
class Courier:
    """Delivers what is due.

    Args:
        store: the ledger with the outbox.
        routes: where to, each channel once.
        holder: a name for this process that no other one uses.
        luck: from 0 to 1, for the jitter.
        sleep: waits so many seconds.
        link: the page of a database by its name.
        observe: told of every attempt.
        is_heard: whether people are told of what is in the environment of an incident;
            what is not is dropped, also when it was decided where they were.
    """

    def __init__(  # noqa: PLR0913 - what it needs of the world, by name
        self,
        store: Store,
        routes: Sequence[Route],
        *,
        holder: str,
        luck: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        link: Callable[[str], str | None] = _no_link,
        observe: Callable[[Attempt], None] = _ignore,
        is_heard: Callable[[Incident], bool] = _everywhere,
    ) -> None:
        self._store = store
        self._is_heard = is_heard
        self._lanes = [_Lane(route) for route in routes]
        self._holder = holder
        self._luck = luck
        self._sleep = sleep
        self._link = link
        self._observe = observe

    async def deliver_due(self, now: datetime) -> None:
        """Deliver what is due on every channel; one that is still busy is left alone.

        Args:
            now: the time at the call; what passes meanwhile is added to it.

        Raises:
            StoreError: the ledger failed; every lane has ended by then.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        ends = await asyncio.gather(
            *(
                self._serve(lane, lambda: now + timedelta(seconds=loop.time() - began))
                for lane in self._lanes
            ),
            return_exceptions=True,
        )
        for end in ends:
            if end is not None:
                raise end

    async def run(self, clock: Callable[[], datetime], *, poll_seconds: float = 1.0) -> None:
        """Deliver on every channel by itself until cancelled; a failing ledger is logged."""
        async with asyncio.TaskGroup() as group:
            for lane in self._lanes:
                group.create_task(self._repeat(lane, clock, poll_seconds))

    async def _repeat(
        self, lane: _Lane, clock: Callable[[], datetime], poll_seconds: float
    ) -> None:
        while True:
            try:
                await self._serve(lane, clock)
            except StoreError as error:
                _log.error("outbox unreadable", channel=lane.name, error=str(error))
            await self._sleep(poll_seconds)

    async def _serve(self, lane: _Lane, clock: Callable[[], datetime]) -> None:
        if lane.is_busy or (lane.closed_until is not None and clock() < lane.closed_until):
            return
        lane.is_busy = True
        try:
            for _ in range(ROUND):
                claimed = await self._store.claim_due(
                    now=clock(), holder=self._holder, limit=1, lease=LEASE, channel=lane.name
                )
                if not claimed or not await _finish(self._handle(lane, claimed[0], clock)):
                    return
        finally:
            lane.is_busy = False

    async def _handle(
        self, lane: _Lane, delivery: Delivery, clock: Callable[[], datetime]
    ) -> bool:
        """Send one, or find that it need not be sent; whether the lane may go on."""
        incident = await self._store.load_incident(delivery.incident)
        if incident is None:
            await self._store.bury(delivery, FailureReason.INCIDENT_LOST, clock())
            self._tell(delivery, Fate.BURIED, FailureReason.INCIDENT_LOST)
            return True
        has_told = await self._store.has_delivered_open(lane.name, incident.id)
        kind = choose_kind(delivery.kind, incident, has_told=has_told, minimum=lane.route.minimum)
        if kind is None or not self._is_heard(incident):
            await self._store.supersede(delivery, clock())
            self._tell(delivery, Fate.SKIPPED)
            return True
        await self._wait_turn(lane)
        try:
            receipt = await self._send(lane, delivery, incident, kind, clock())
        except DeliveryError as failure:
            return await self._retreat(lane, delivery, failure, clock())
        await self._store.complete(delivery, receipt, clock())
        self._tell(delivery, Fate.DELIVERED)
        return True

    async def _send(
        self, lane: _Lane, delivery: Delivery, incident: Incident, kind: EventKind, at: datetime
    ) -> str:
        """One attempt; whatever goes wrong in it comes out as DeliveryError."""
        try:
            message = compose(
                incident,
                kind,
                delivery=delivery.id,
                at=delivery.at,
                url=self._link(incident.database),
            )
            async with asyncio.timeout(SEND_SECONDS):
                return await lane.route.channel.send(message, attempt_at=at)
        except DeliveryError:
            raise
        except TimeoutError:
            raise DeliveryError(
                f"The channel {lane.name} took longer than {SEND_SECONDS:g} s.",
                next_step="It is tried again; look at the receiver if this goes on.",
                reason=FailureReason.TIMEOUT,
            ) from None
        except Exception as error:  # noqa: BLE001 - the bulkhead of one delivery
            _log.error(
                "delivery broke", channel=lane.name, delivery=delivery.id, at=_locate(error)
            )
            raise DeliveryError(
                f"The channel {lane.name} broke with {type(error).__name__}.",
                next_step="Report this to anchorwatch with the log around it.",
                reason=FailureReason.INTERNAL,
            ) from None

    async def _retreat(
        self, lane: _Lane, delivery: Delivery, failure: DeliveryError, now: datetime
    ) -> bool:
        """Plan the next attempt, or give up; a channel that is ill is not pressed on."""
        reason = FailureReason(failure.reason)
        wait = plan_retry(
            lane.pace,
            failure,
            attempts=delivery.attempts,
            age=now - delivery.at,
            luck=self._luck(),
        )
        due = None if wait is None else now + wait
        if (asked := read_wish(failure)) is not None:
            # It was asked of the channel, not of one message.
            lane.closed_until = None if due is None else now + asked
        if due is None:
            await self._store.bury(delivery, reason, now)
        else:
            await self._store.postpone(delivery, due, reason)
        self._tell(delivery, Fate.BURIED if due is None else Fate.POSTPONED, reason)
        _log.warning(
            "delivery failed",
            channel=lane.name,
            delivery=delivery.id,
            incident=delivery.incident,
            attempts=delivery.attempts,
            reason=reason.value,
            error=str(failure),
            due=due.isoformat() if due else None,
        )
        return failure.permanent and reason is not FailureReason.GONE

    async def _wait_turn(self, lane: _Lane) -> None:
        loop = asyncio.get_running_loop()
        wait = lane.free_at - loop.time()
        if wait > 0:
            await self._sleep(wait)
        lane.free_at = loop.time() + lane.pace.spacing

    def _tell(self, delivery: Delivery, fate: Fate, reason: FailureReason | None = None) -> None:
        self._observe(
            Attempt(channel=delivery.channel, kind=delivery.kind, fate=fate, reason=reason)
        )


async def _finish(handling: Coroutine[Any, Any, bool]) -> bool:
    """The outcome; who is told to stop gives a delivery that is under way time to end.

    Cut off after the sending and before the receipt it would be sent twice.
    """
    task = asyncio.create_task(handling)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=DRAIN_SECONDS)
        task.cancel()
        raise


def _locate(error: Exception) -> str:
    """Where it was raised: the words of a stranger's exception may hold a secret."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} in {frames[-1].name}:{frames[-1].lineno}" if frames else "?"
