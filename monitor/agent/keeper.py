"""Says again and again what is open, to channels that forget what they are not told again."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

import structlog

from monitor.core.errors import DeliveryError, StoreError
from monitor.core.incidents import EventKind, Incident, Status
from monitor.core.message import Message, compose
from monitor.sinks.alertmanager import KEEP_SECONDS, Alertmanager
from monitor.sinks.channel import FailureReason
from monitor.sinks.outbox import Route
from monitor.sinks.store import Store

_log = structlog.get_logger()

REMEMBER: Final = timedelta(minutes=15)
"""For how long the end of an incident is said again, as Prometheus does: another agent, which
read the ledger before, may have said that it is open."""


class Keeper:
    """Keeps every Alertmanager as the ledger is.

    Args:
        store: the truth: a restart goes on where the ledger stands.
        routes: all channels; those that are none of Alertmanager's are left alone.
        is_ours: whether this agent still looks at a place, environment and database.
        link: the page of a database by its name.
        observe: told of each failure, by channel.
    """

    def __init__(
        self,
        store: Store,
        routes: Iterable[Route],
        *,
        is_ours: Callable[[Incident], bool],
        link: Callable[[str], str | None],
        observe: Callable[[str, FailureReason], None],
    ) -> None:
        self._store = store
        self._kept = [one.channel for one in routes if isinstance(one.channel, Alertmanager)]
        self._is_ours = is_ours
        self._link = link
        self._observe = observe
        self._failing: set[str] = set()

    async def run(
        self, clock: Callable[[], datetime], *, every_seconds: float = KEEP_SECONDS
    ) -> None:
        """Keep them until cancelled; one that is slow holds up no other."""
        async with asyncio.TaskGroup() as group:
            for channel in self._kept:
                group.create_task(self._repeat(channel, clock, every_seconds))
        await asyncio.Event().wait()  # without any there is nothing to run

    async def _repeat(
        self, channel: Alertmanager, clock: Callable[[], datetime], every_seconds: float
    ) -> None:
        while True:
            await self.keep(channel, clock)
            await asyncio.sleep(every_seconds)

    async def keep(self, channel: Alertmanager, clock: Callable[[], datetime]) -> None:
        """Say once how everything stands that the channel was told of; a failure is logged."""

        async def load() -> list[Message]:
            told = await self._store.list_told(channel.name, since=clock() - REMEMBER)
            return [
                self._describe(incident, clock()) for incident in told if self._is_ours(incident)
            ]

        try:
            await channel.keep(load, clock=clock)
        except StoreError as error:
            _log.error("open alerts are not sent again", channel=channel.name, error=str(error))
        except DeliveryError as error:
            self._observe(channel.name, FailureReason(error.reason))
            if channel.name not in self._failing:  # once, and not every minute
                self._failing.add(channel.name)
                _log.warning(
                    "open alerts are not sent again", channel=channel.name, error=str(error)
                )
        else:
            self._failing.discard(channel.name)

    def _describe(self, incident: Incident, at: datetime) -> Message:
        is_over = incident.status is Status.RESOLVED
        return compose(
            incident,
            EventKind.RESOLVED if is_over else EventKind.OPENED,
            delivery=incident.id,
            at=incident.resolved_at or at,
            url=self._link(incident.database),
        )
