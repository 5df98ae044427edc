"""Tells others that the agent lives: once a minute, or not at all."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import Final

import structlog

from monitor.core.errors import DeliveryError, StoreError
from monitor.sinks.faults import check_in
from monitor.sinks.heartbeat import Heartbeat
from monitor.watch.pulse import Pulse

_log = structlog.get_logger()

CYCLE_SECONDS: Final = 60.0
"""A cycle: who waits for the ping waits for little longer."""
EAGER_SECONDS: Final = 1.0
"""How often it is asked before the first word: a deployment is watched by people."""

HEARTBEAT: Final = "heartbeat"
SENTRY: Final = "sentry"


class Lifelines:
    """The heartbeat, and Sentry's check-in.

    Args:
        judge: what is to be said, and why.
        heartbeat: None where no address is configured.
        monitor: the environment that Sentry's monitor is named after; None without Sentry.
        observe: told of each word that was taken, by target.
    """

    def __init__(
        self,
        judge: Callable[[], Awaitable[tuple[Pulse, str]]],
        *,
        heartbeat: Heartbeat | None,
        monitor: str | None,
        observe: Callable[[str, datetime], None],
    ) -> None:
        self._judge = judge
        self._heartbeat = heartbeat
        self._monitor = monitor
        self._observe = observe
        self._has_spoken = False
        self._last = Pulse.WELL

    async def run(self, clock: Callable[[], datetime]) -> None:
        """Say it every minute, until cancelled."""
        while self._heartbeat is not None or self._monitor is not None:
            await self.beat(clock)
            await asyncio.sleep(CYCLE_SECONDS if self._has_spoken else EAGER_SECONDS)
        await asyncio.Event().wait()  # there is nobody to tell

    async def beat(self, clock: Callable[[], datetime]) -> Pulse:
        """Say once how it is; what is silent says why in the log, when it begins."""
        with suppress(StoreError):  # the housekeeping tells of it, and it is a fault
            pulse, reason = await self._judge()
            if pulse is not self._last and (pulse is not Pulse.SILENT or self._has_spoken):
                level = _log.info if pulse is Pulse.WELL else _log.warning
                level("the heartbeat changed", pulse=pulse.value, reason=reason)
            self._last = pulse
            if pulse is not Pulse.SILENT:
                self._has_spoken = True
                await self._say(pulse, clock)
            return pulse
        return Pulse.SILENT

    async def _say(self, pulse: Pulse, clock: Callable[[], datetime]) -> None:
        is_well = pulse is Pulse.WELL
        if self._monitor is not None:
            check_in(self._monitor, is_well=is_well)
            self._observe(SENTRY, clock())
        if self._heartbeat is None:
            return
        try:
            await self._heartbeat.ping(is_well=is_well, at=clock())
        except DeliveryError as error:
            _log.warning("the heartbeat was not taken", error=str(error))
        else:
            if is_well:
                self._observe(HEARTBEAT, clock())
