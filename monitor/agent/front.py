"""What the page, the API and the health checks are given of the agent."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

import structlog

from monitor import __version__
from monitor.agent.checks import Checks
from monitor.agent.choices import choose_interval, count_seconds, reveal_secret
from monitor.agent.deploys import Deploys
from monitor.agent.roster import Roster
from monitor.agent.trouble import Trouble
from monitor.config.settings import Settings
from monitor.core.errors import StoreError
from monitor.sinks.claims import Carrier
from monitor.sinks.locks import Keeping
from monitor.sinks.metrics import Metrics
from monitor.sinks.outbox import Route
from monitor.sinks.store import Store
from monitor.sinks.trial import Tried, make_test, note_taken, try_channel
from monitor.watch.fleet import BEAT_SECONDS, Fleet
from monitor.watch.shelf import Shelf
from monitor.web.app import make_app
from monitor.web.server import is_loopback, serve
from monitor.web.view import Configured, View

_log = structlog.get_logger()

STALE_BEATS: Final = 12
"""Beats of the scheduler that may be missed before the agent counts as stuck."""


class Front:
    """Answers for the agent.

    Args:
        settings: the address, the tokens, and what is configured.
        store: the ledger.
        roster: the databases.
        fleet: looks when it is asked.
        checks: what is done beside the looks.
        routes: the channels.
        deploys: takes deployments that are reported.
        carrier: this agent, as one that delivers.
        metrics: what ``/metrics`` says.
        shelf: the last snapshots.
        trouble: what keeps the agent from being ready.
    """

    def __init__(  # noqa: PLR0913  # what it answers for, by name
        self,
        settings: Settings,
        *,
        store: Store,
        roster: Roster,
        fleet: Fleet,
        checks: Checks,
        routes: Sequence[Route],
        deploys: Deploys,
        carrier: Carrier,
        metrics: Metrics,
        shelf: Shelf,
        trouble: Trouble,
    ) -> None:
        self._settings = settings
        self._store = store
        self._roster = roster
        self._fleet = fleet
        self._checks = checks
        self._routes = routes
        self._deploys = deploys
        self._carrier = carrier
        self._metrics = metrics
        self._shelf = shelf
        self._trouble = trouble

    async def serve(
        self, stop: asyncio.Event, on_started: Callable[[int], None], warnings: Sequence[str]
    ) -> None:
        """Answer until ``stop`` is set.

        Args:
            stop: ends it.
            on_started: told the port.
            warnings: sentences that every page shows.

        Raises:
            ConfigurationError: the port cannot be used.
        """
        view = self._make_view(warnings)
        host = None if self._settings.host == "::" else self._settings.host
        await serve(
            make_app(view),
            host,
            self._settings.port,
            stop,
            masker=view.masker,
            on_started=on_started,
        )

    def _make_view(self, warnings: Sequence[str]) -> View:
        settings = self._settings
        return View(
            store=self._store,
            environment=settings.environment,
            api_token=reveal_secret(settings.api_token),
            metrics_token=reveal_secret(settings.metrics_token),
            push_token=reveal_secret(settings.push_token),
            railway_secret=reveal_secret(settings.railway_webhook_secret),
            deploy_secret=reveal_secret(settings.deploy_webhook_secret),
            is_loopback=is_loopback(settings.host),
            public_host=urlsplit(settings.public_url or "").hostname,
            render_metrics=self._metrics.render,
            is_alive=self.is_alive,
            is_ready=self._list_reasons,
            configured=self._list_configured,
            load_snapshot=self._shelf.load,
            ask=self._ask,
            deployed=self._deploys.take,
            channels=[(one.channel.name, one.channel.kind.value) for one in self._routes],
            try_channel=self._try_channel,
            push=self._push,
            version=__version__,
            clock=_now,
            served=self._carrier.served,
            warnings=warnings,
        )

    def is_alive(self) -> bool:
        """Whether the scheduler ticks: looks are waited for by nobody."""
        return self._fleet.since_tick < STALE_BEATS * timedelta(seconds=BEAT_SECONDS)

    async def _list_reasons(self) -> list[str]:
        """Why the agent is not ready; the watched databases never count."""
        try:
            await self._store.count_outbox()
        except StoreError as error:
            return [str(error)]
        # Reading may work where writing does not: a standby, a lock that stays. A full
        # disk shows at a look only, which writes more than nothing.
        return self._trouble.list_ledger()

    def _list_configured(self) -> list[Configured]:
        listed = [
            Configured(
                name=name,
                environment=self._roster.find_environment(name),
                expected=self._roster.name_expectation(name),
                interval_seconds=count_seconds(choose_interval(database)),
                is_enabled=database.enabled,
                is_looking=database.enabled and self._fleet.is_looking(name),
                services=database.services,
            )
            for name, database in self._settings.databases.items()
        ]
        broken = [
            Configured(
                name=name,
                environment=self._roster.find_environment(name),
                expected=None,
                interval_seconds=None,
                is_enabled=False,
                problem=str(problem),
            )
            for name, problem in self._roster.broken.items()
        ]
        return listed + broken

    def _ask(self, environment: str, name: str) -> bool:
        """Ask for a look; False where this agent does not look."""
        if self._roster.find(environment, name) is None:
            return False
        for one in (name, *self._checks.list_names(name)):
            self._fleet.ask(one)
        return True

    async def _push(
        self, place: tuple[str, str], body: bytes, commit: str, *, anew: bool
    ) -> Keeping:
        """Keep a lock that a pipeline has built, and look with it."""
        keeping = await self._roster.keep_lock(place, body, commit, _now(), anew=anew)
        if keeping in (Keeping.NEW, Keeping.SAME):
            _, name = place
            _log.info("a lock was pushed", database=name, commit=commit, kept=keeping.value)
            self._fleet.ask(name)
        return keeping

    async def _try_channel(self, name: str) -> Tried | None:
        """Send a test message to a channel, past the outbox; None where there is none."""
        channel = next((r.channel for r in self._routes if r.channel.name == name), None)
        if channel is None:
            return None
        at, settings = _now(), self._settings
        message = make_test(settings.environment, at=at, url=settings.public_url)
        tried = await try_channel(channel, message, at)
        with suppress(StoreError):  # the housekeeping tells of it
            await note_taken(
                self._store,
                [tried],
                carrier=self._carrier,
                channels=[route.channel.name for route in self._routes],
                at=_now(),
            )
        _log.info("a channel was tried", channel=name, is_taken=tried.failure is None)
        return tried


def _now() -> datetime:
    return datetime.now(UTC)
