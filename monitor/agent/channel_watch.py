"""Watches the channels: one that takes nothing is announced on the others."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

import structlog

from monitor.core.channel_health import (
    Health,
    break_channel,
    has_recovered,
    judge_channel,
    mend_channel,
    name_channel,
)
from monitor.core.errors import DeliveryError, StoreError
from monitor.core.incidents import Incident
from monitor.sinks.channels import LATELY
from monitor.sinks.claims import Carrier
from monitor.sinks.faults import report_fault
from monitor.sinks.mending import end_trouble
from monitor.sinks.store import Store

_log = structlog.get_logger()

WATCH_SECONDS: Final = 15.0
SETTLE_SECONDS: Final = 60.0
"""What waited while the agent was away is tried first, before that is held against a channel."""


class ChannelWatch:
    """Says once that a channel is broken, and once that it works again.

    Args:
        store: the ledger: a restart says nothing twice.
        carrier: the agent.
        channels: those that are configured.
        observe: told of every channel whether it works.
        is_alone: whether nobody else writes into the ledger; else a channel that is not
            configured here may be another agent's.
    """

    def __init__(
        self,
        store: Store,
        *,
        carrier: Carrier,
        channels: Sequence[str],
        observe: Callable[[str, bool], None],
        is_alone: bool = True,
    ) -> None:
        self._is_alone = is_alone
        self._store = store
        self._carrier = carrier
        self._channels = channels
        self._observe = observe
        self._broken: set[str] = set()

    @property
    def can_tell(self) -> bool:
        """Whether some channel works, or none is wanted."""
        return not self._channels or any(name not in self._broken for name in self._channels)

    async def run(self, clock: Callable[[], datetime]) -> None:
        """Watch until cancelled."""
        with suppress(StoreError):
            self._show({name_channel(one) for one in await self._list_broken()})
        await asyncio.sleep(SETTLE_SECONDS)
        while True:
            with suppress(StoreError):  # the housekeeping tells of it
                await self.watch(clock())
            await asyncio.sleep(WATCH_SECONDS)

    async def watch(self, now: datetime) -> None:
        """See once how every channel is.

        Raises:
            StoreError: the ledger cannot be read or written.
        """
        found = await self._store.list_health(self._carrier, self._channels, now)
        broken = {name_channel(one): one for one in await self._list_broken()}
        await self._retire(broken, now)
        for channel, health in found.items():
            if (incident := broken.get(channel)) is None:
                await self._consider(health, now)
            elif has_recovered(incident, health, now):
                await self._mend(incident, now)
        self._show({name_channel(one) for one in await self._list_broken()})

    async def _list_broken(self) -> list[Incident]:
        return await self._store.list_broken(self._carrier.environment)

    async def _consider(self, health: Health, now: datetime) -> None:
        trouble = judge_channel(health, now)
        if trouble is None:
            return
        incident, event = break_channel(self._carrier.environment, health.channel, trouble, now)
        others = self._list_others(health.channel)
        if await self._store.open_channel_incident(incident, event, others):
            _log.error(
                "a channel takes no messages",
                channel=health.channel,
                reason=health.reason,
                told=others,
                next_step=incident.findings[0].remedy,
            )
            report_fault(
                DeliveryError(
                    trouble.sentence,
                    next_step=incident.findings[0].remedy,
                    reason=health.reason,
                )
            )

    async def _mend(self, incident: Incident, now: datetime) -> None:
        channel = name_channel(incident)
        others = self._list_others(channel)
        if await end_trouble(self._store, self._carrier, incident, others, now):
            _log.info("a channel takes messages again", channel=channel)

    async def _retire(self, broken: Mapping[str, Incident], now: datetime) -> None:
        """End what is about channels that are gone from the configuration, without a word."""
        for channel, incident in broken.items():
            is_others = not self._is_alone and now - incident.first_seen < LATELY
            if channel not in self._channels and not is_others:
                over, _ = mend_channel(incident, now)
                await self._store.end_channel_incident(over, None, ())

    def _list_others(self, channel: str) -> list[str]:
        """Where it is told: never on itself."""
        return [name for name in self._channels if name != channel]

    def _show(self, broken: set[str]) -> None:
        self._broken = broken
        for channel in self._channels:
            self._observe(channel, channel not in broken)
