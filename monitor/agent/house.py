"""Sets what no event sets: the gauges of the scheduler and the outbox; tries the ledger."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Final

import structlog

from monitor.agent.trouble import Trouble
from monitor.core.errors import StoreError
from monitor.sinks.metrics import Metrics
from monitor.sinks.store import Store
from monitor.watch.fleet import Fleet

_log = structlog.get_logger()

HOUSEKEEPING_SECONDS: Final = 5.0
"""How often it is done."""

TRY: Final = "try"
"""What the trouble with the ledger is called that the housekeeping has."""


class House:
    """Looks after what is the agent's own.

    Args:
        store: the ledger.
        channels: those that are configured.
        served: the environments whose words go there; None for all.
        fleet: whose scheduler ticks.
        metrics: where it shows.
        trouble: told of a ledger that takes no writes.
    """

    def __init__(  # noqa: PLR0913  # what it looks after, by name
        self,
        store: Store,
        *,
        channels: Sequence[str],
        served: Collection[str] | None,
        fleet: Fleet,
        metrics: Metrics,
        trouble: Trouble,
    ) -> None:
        self._store = store
        self._channels = channels
        self._served = served
        self._fleet = fleet
        self._metrics = metrics
        self._trouble = trouble

    async def run(self) -> None:
        """Keep house until cancelled."""
        while True:
            self._metrics.set_tick(self._fleet.last_tick)
            await self._try_ledger()
            await asyncio.sleep(HOUSEKEEPING_SECONDS)

    async def _try_ledger(self) -> None:
        try:
            await self._store.try_writing()
            await self._show_outbox()
        except StoreError as error:
            _log.error("the ledger cannot be used", error=str(error))
            self._trouble.note_ledger(TRY, error)
        else:
            self._trouble.clear_ledger(TRY)

    async def _show_outbox(self) -> None:
        backlogs = await self._store.count_outbox(self._served)
        for channel in self._channels:
            backlog = backlogs.get(channel)
            self._metrics.notifications.set_outbox(
                channel,
                pending=backlog.pending if backlog else 0,
                oldest=backlog.oldest if backlog else None,
                dead=backlog.dead if backlog else 0,
            )
