"""From the outbox to the channels, at least once, and no more often than needed.

A row is claimed, rendered from the incident *as it stands now*, sent, and only then
given its receipt. A crash in between sends it again under the same id. Every
channel has a lane of its own: a slow one never delays another.

People get what is due of one environment and class in one message, a machine gets each
event by itself. What is silenced, or explained by something else, is kept back: when that
is over, what is still so is told.
"""

import asyncio
import random
import traceback
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, final

import structlog

from monitor.core.errors import DeliveryError, StoreError
from monitor.core.findings import Severity
from monitor.core.incidents import EventKind, Incident
from monitor.sinks.bundling import Bundler
from monitor.sinks.channel import Channel, FailureReason
from monitor.sinks.choice import Bundle
from monitor.sinks.claims import Claim
from monitor.sinks.delivery import Delivery, Grouping, Held
from monitor.sinks.retry import PACES, Pace, plan_retry, read_wish
from monitor.sinks.sorting import Ear, Sorted, Sorter
from monitor.sinks.store import Store

SEND_SECONDS: Final = 30.0
"""A channel has shorter deadlines of its own; this one holds whatever it does."""
DRAIN_SECONDS: Final = 3.0
"""How long a delivery may take to end when the agent stops: it is killed after five."""
LEASE: Final = timedelta(minutes=2)
"""Longer than one attempt with its spacing and receipt; after a crash it is the delay."""
ROUND: Final = 20
"""Deliveries of one lane in a row; then others get a word in."""
MOST_BUNDLES: Final = 40
"""Messages of one claim: with their spacing they are sent before the lease is over."""
HOLD: Final = timedelta(seconds=30)
"""How often it is asked whether what is kept back may go."""

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
    HELD = "held"
    GROUPED = "grouped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What is counted about an attempt.

    Attributes:
        channel: where to.
        kind: what happened.
        fate: what it came to.
        reason: why it failed.
        held: why it is kept back, when it was not before.
    """

    channel: str
    kind: EventKind
    fate: Fate
    reason: FailureReason | None = None
    held: Held | None = None


class _Lane:
    """One channel, and what it is doing; the only state that changes here."""

    def __init__(self, route: Route) -> None:
        self.route = route
        self.pace: Pace = PACES[route.channel.kind]
        self.is_busy = False
        self.free_at = 0.0
        self.closed: tuple[datetime, datetime] | None = None

    def is_closed(self, now: datetime) -> bool:
        """Whether the receiver asked to be left alone; a clock that is set back opens it."""
        return self.closed is not None and self.closed[0] <= now < self.closed[1]

    @property
    def name(self) -> str:
        return self.route.channel.name

    @property
    def ear(self) -> Ear:
        keeps_apart = self.pace.has_threads or not self.pace.is_for_people
        return Ear(self.name, self.route.minimum, keeps_apart, self.pace.hears_verdicts)


def _ignore(_: Attempt) -> None:
    """Count nothing."""


def _everywhere(_: Incident) -> bool:
    """People are told wherever it is."""
    return True


def _no_link(_: str | None) -> str | None:
    """Without a public address there are no links."""
    return None


def _no_deployment(_: Incident) -> datetime | None:
    """Where none is reported."""
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
        link: the page of a database by its name; of all for None.
        find_deployment: when a deployment that concerns an incident was last reported.
        grouping: how messages to people are grouped; None groups nothing.
        observe: told of every attempt.
        is_heard: whether people are told of what is in the environment of an incident;
            what is not is dropped, also when it was decided where they were.
        served: the environments of which it takes words; what others share the ledger for is
            theirs. None for all.
    """

    def __init__(  # noqa: PLR0913 - what it needs of the world, by name
        self,
        store: Store,
        routes: Sequence[Route],
        *,
        holder: str,
        luck: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        link: Callable[[str | None], str | None] = _no_link,
        find_deployment: Callable[[Incident], datetime | None] = _no_deployment,
        grouping: Grouping | None = None,
        observe: Callable[[Attempt], None] = _ignore,
        is_heard: Callable[[Incident], bool] = _everywhere,
        served: Collection[str] | None = None,
    ) -> None:
        self._store = store
        self._served = served
        self._sorter = Sorter(store, is_heard)
        self._bundler = Bundler(store, link=link, find_deployment=find_deployment)
        self._lanes = [_Lane(route) for route in routes]
        self._holder = holder
        self._luck = luck
        self._sleep = sleep
        self._grouping = grouping
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
        if lane.is_busy or lane.is_closed(clock()):
            return
        lane.is_busy = True
        try:
            for _ in range(ROUND):
                claimed = await self._claim(lane, clock())
                if not claimed or not await _finish(self._handle(lane, claimed, clock)):
                    return
        finally:
            lane.is_busy = False

    async def _claim(self, lane: _Lane, now: datetime) -> list[Delivery]:
        """What goes out next: of one incident, or for people of all that belongs together."""
        claim = Claim(
            now=now,
            holder=self._holder,
            lease=LEASE,
            channel=lane.name,
            served=self._served,
        )
        if self._grouping is None or not lane.pace.is_for_people:
            return await self._store.claim_due(claim, 1)
        return await self._store.claim_group(claim, self._grouping)

    async def _handle(
        self, lane: _Lane, deliveries: Sequence[Delivery], clock: Callable[[], datetime]
    ) -> bool:
        """Send them, or find that they need not be sent; whether the lane may go on."""
        found = await self._sorter.sort(lane.ear, deliveries, clock())
        await self._put_away(found, clock())
        bundles = await self._bundler.bundle(
            lane.name, found.told, has_threads=lane.pace.has_threads
        )
        return await self._send_all(lane, bundles, clock)

    async def _send_all(
        self, lane: _Lane, bundles: Sequence[Bundle], clock: Callable[[], datetime]
    ) -> bool:
        """Send one after the other; after a failure none of the others is tried.

        Nor is what another agent may hold by then: a receiver takes its time for each.
        """
        end = clock() + LEASE / 2
        for number, bundle in enumerate(bundles, start=1):
            await self._wait_turn(lane)
            try:
                receipt = await self._send(lane, bundle, clock())
            except DeliveryError as failure:
                await self._let_wait(bundles[number:], clock())
                return await self._retreat(lane, bundle.deliveries, failure, clock())
            await self._store.complete(bundle.deliveries, receipt, clock())
            self._tell(bundle.deliveries[:1], Fate.DELIVERED)
            self._tell(bundle.deliveries[1:], Fate.GROUPED)
            if number == MOST_BUNDLES or clock() > end:
                await self._let_wait(bundles[number:], clock())
                break
        return True

    async def _let_wait(self, bundles: Sequence[Bundle], now: datetime) -> None:
        """Give back what was claimed and not tried."""
        if rest := [delivery for bundle in bundles for delivery in bundle.deliveries]:
            await self._store.hold(rest, now, None)

    async def _put_away(self, found: Sorted, now: datetime) -> None:
        """Note what is not sent."""
        if found.lost:
            await self._store.bury(found.lost, FailureReason.INCIDENT_LOST, now)
            self._tell(found.lost, Fate.BURIED, FailureReason.INCIDENT_LOST)
        if found.silent:
            await self._store.supersede(found.silent, now)
            self._tell(found.silent, Fate.SKIPPED)
        for why, deliveries in found.held.items():
            await self._store.hold(deliveries, now + HOLD, why)
            fresh = [delivery for delivery in deliveries if delivery.held is not why]
            self._tell(fresh, Fate.HELD, held=why)

    async def _send(self, lane: _Lane, bundle: Bundle, at: datetime) -> str:
        """One attempt; whatever goes wrong in it comes out as DeliveryError."""
        try:
            message = self._bundler.compose(bundle)
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
                "delivery broke",
                channel=lane.name,
                delivery=bundle.deliveries[0].id,
                at=_locate(error),
            )
            raise DeliveryError(
                f"The channel {lane.name} broke with {type(error).__name__}.",
                next_step="Report this to anchorwatch with the log around it.",
                reason=FailureReason.INTERNAL,
            ) from None

    async def _retreat(
        self, lane: _Lane, sent: Sequence[Delivery], failure: DeliveryError, now: datetime
    ) -> bool:
        """Plan the next attempt, or give up; a channel that is ill is not pressed on.

        What was to be told together is tried together again: as the oldest of it would be.
        """
        reason = FailureReason(failure.reason)
        wait = plan_retry(
            lane.pace,
            failure,
            attempts=max(delivery.attempts for delivery in sent),
            age=now - min(delivery.at for delivery in sent),
            luck=self._luck(),
        )
        due = None if wait is None else now + wait
        asked = read_wish(failure)
        if asked is not None and reason is FailureReason.RATE_LIMITED:
            # It was asked of the channel, not of one message. Who is only down may be back sooner.
            lane.closed = None if due is None else (now, now + asked)
        if due is None:
            await self._store.bury(sent, reason, now)
        else:
            await self._store.postpone(sent, due, reason)
        self._tell(sent[:1], Fate.BURIED if due is None else Fate.POSTPONED, reason)
        _log.warning(
            "delivery failed",
            channel=lane.name,
            delivery=sent[0].id,
            incident=sent[0].incident,
            incidents=len(sent),
            attempts=sent[0].attempts,
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

    def _tell(
        self,
        deliveries: Sequence[Delivery],
        fate: Fate,
        reason: FailureReason | None = None,
        *,
        held: Held | None = None,
    ) -> None:
        for one in deliveries:
            self._observe(
                Attempt(channel=one.channel, kind=one.kind, fate=fate, reason=reason, held=held)
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
