"""The composition root: builds the agent's objects, starts them, drains them, stops them."""

import asyncio
import os
import uuid
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog
from pydantic import SecretStr

from monitor import __version__
from monitor.config.databases import DatabaseSettings
from monitor.config.load import LoadedConfig
from monitor.config.place import judge_store
from monitor.config.policy import make_policy
from monitor.config.settings import Settings
from monitor.core.errors import StoreError
from monitor.core.findings import Severity
from monitor.core.incidents import Incident, Status
from monitor.core.record import Record
from monitor.core.snapshot import Snapshot, dump_snapshot
from monitor.core.source import Source, parse_source
from monitor.sinks.channel import FailureReason
from monitor.sinks.faults import report_fault, start_reporting
from monitor.sinks.metrics import Metrics, Watched
from monitor.sinks.outbox import Attempt, Courier, Fate, Route
from monitor.sinks.slack import Slack
from monitor.sinks.store import Store, open_store
from monitor.sinks.webhook import Webhook
from monitor.sources.dsn import reveal
from monitor.sources.expected import BuildOptions
from monitor.sources.http import Client, open_client
from monitor.sources.postgres import Deadlines
from monitor.watch.expectation import Expectations, LateExpectation
from monitor.watch.fleet import Fleet, Round
from monitor.watch.inspection import Target
from monitor.watch.pipeline import Decided, Pipeline
from monitor.web.app import make_app
from monitor.web.server import is_loopback, serve
from monitor.web.view import Configured, View

_log = structlog.get_logger()

HOUSEKEEPING_SECONDS: Final = 5.0
"""How often the gauges of the outbox and the scheduler are set."""

STALE_TICKS: Final = 3
"""Ticks that may be missed before the agent counts as stuck."""


def _ignore(_: int) -> None:
    """Tell nobody the port."""


async def run_agent(
    loaded: LoadedConfig,
    *,
    stop: asyncio.Event,
    on_started: Callable[[int], None] = _ignore,
) -> None:
    """Watch what the configuration names until ``stop`` is set.

    Args:
        loaded: the configuration.
        stop: ends the agent within five seconds.
        on_started: told the port when the page answers.

    Raises:
        ConfigurationError: the port or a channel cannot be used.
        StoreError: the ledger cannot be opened.
    """
    settings = loaded.settings
    start_reporting(
        _reveal(settings.sentry_dsn),
        environment=settings.environment,
        release=os.environ.get("RAILWAY_GIT_COMMIT_SHA", __version__),
        replica=os.environ.get("RAILWAY_REPLICA_ID"),
    )
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(settings.store_url.get_secret_value()))
        client = await stack.enter_async_context(open_client())
        agent = Agent(loaded, store=store, routes=make_routes(settings, client))
        agent.expect(Expectations(stack))
        await agent.restore()
        await _run_until(agent, stop, on_started)


async def _run_until(
    agent: "Agent", stop: asyncio.Event, on_started: Callable[[int], None]
) -> None:
    """Run every part; the first that fails ends them all, and so does ``stop``."""
    agent.fleet.start()
    parts = [
        asyncio.create_task(agent.deliver(), name="outbox"),
        asyncio.create_task(agent.keep_house(), name="housekeeping"),
        asyncio.create_task(agent.serve(stop, on_started), name="web"),
    ]
    try:
        done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.set()
        parts[0].cancel()
        parts[1].cancel()
        await asyncio.gather(agent.fleet.stop(), *parts, return_exceptions=True)
    for part in done:
        part.result()


class Agent:
    """The parts of a running agent, and what connects them."""

    def __init__(self, loaded: LoadedConfig, *, store: Store, routes: Sequence[Route]) -> None:
        settings = loaded.settings
        self._loaded = loaded
        self._settings = settings
        self._store = store
        self._databases = {
            name: database for name, database in settings.databases.items() if database.enabled
        }
        self._expectations: dict[str, LateExpectation] = {}
        self._shelf: dict[tuple[str, str], tuple[str, bytes]] = {}
        self.metrics = self._make_metrics(routes)
        self._courier = Courier(
            store,
            routes,
            holder=uuid.uuid4().hex,
            link=self._link,
            observe=self._count_attempt,
        )
        self._pipeline = Pipeline(
            store=store,
            policy=make_policy(settings),
            channels=tuple(route.channel.name for route in routes),
            on_fault=report_fault,
        )
        self.fleet = Fleet(
            [self._make_round(name, database) for name, database in self._databases.items()],
            concurrency=settings.concurrency,
        )
        self._channels = [route.channel.name for route in routes]

    def _make_metrics(self, routes: Sequence[Route]) -> Metrics:
        metrics = Metrics(__version__)
        metrics.set_configuration(is_whole=not self._loaded.problems)
        for name, database in self._databases.items():
            metrics.watch(
                name,
                Watched(
                    environment=self._environment_of(database),
                    expected=_name_expectation(database) or "baseline",
                    host=f"{database.dsn.host}:{database.dsn.port}",
                    interval=_choose_interval(database).total_seconds(),
                ),
            )
        for route in routes:
            metrics.notifications.begin(route.channel.name, [r.value for r in FailureReason])
        return metrics

    def _environment_of(self, database: DatabaseSettings) -> str:
        return database.environment or self._settings.environment

    def expect(self, expectations: Expectations) -> None:
        """Say what databases are compared with; nothing is read or built yet."""
        for name, database in self._databases.items():
            if database.expected is not None:
                source = self._resolve(parse_source(database.expected.get_secret_value()))
                self._expectations[name] = expectations.find(source, _make_options(database))

    def _resolve(self, source: Source) -> Source:
        """The source; the name of a configured database becomes its URL."""
        named = self._settings.databases.get(source.name or "")
        return parse_source(reveal(named.dsn)) if named else source

    async def restore(self) -> None:
        """Show what the ledger remembers, until the first looks are done."""
        known = {self._environment_of(d): set[str]() for d in self._databases.values()}
        for name, database in self._databases.items():
            known[self._environment_of(database)].add(name)
        for environment, names in known.items():
            await self._store.forget(environment, names)
        for record in await self._store.list_records():
            if record.database in self._databases:
                unresolved = await self._store.load_unresolved(record.environment, record.database)
                self.metrics.restore(record, _count_open(unresolved.values()))

    def _make_round(self, name: str, database: DatabaseSettings) -> Round:
        async def look(at: datetime) -> None:
            await self._look(name, database, at)

        return Round(name=name, interval=_choose_interval(database), look=look)

    async def _look(self, name: str, database: DatabaseSettings, at: datetime) -> None:
        target = Target(
            environment=self._environment_of(database),
            database=name,
            dsn=database.dsn,
            deadlines=_make_deadlines(database),
            expectation=self._expectations.get(name),
        )
        try:
            decided = await self._pipeline.look(target, at)
        except StoreError as error:
            _log.error("nothing was decided, the ledger failed", database=name, error=str(error))
            return
        if decided is not None:
            self._show(decided)

    def _show(self, decided: Decided) -> None:
        record = decided.record
        classes = {incident.id: incident.finding_class for incident in decided.incidents}
        for event in decided.events:
            self.metrics.count_event(record.database, classes[event.incident], event.kind)
        self.metrics.see(record, _count_open(decided.unresolved.values()))
        if decided.snapshot is not None:
            self._shelve(record, decided.snapshot)
        _log.info(
            "looked",
            database=record.database,
            state=record.state.value,
            seconds=record.report.seconds,
            findings=len(record.report.findings),
        )

    def _shelve(self, record: Record, snapshot: Snapshot) -> None:
        """Keep the last snapshot for the API, packed: most are never asked for."""
        place = (record.environment, record.database)
        if self._shelf.get(place, ("", b""))[0] != snapshot.fingerprint:
            packed = zlib.compress(dump_snapshot(snapshot), 1)
            self._shelf[place] = (snapshot.fingerprint, packed)

    async def load_snapshot(self, environment: str, database: str) -> bytes | None:
        """The last snapshot of a database as JSON; None before its first look."""
        packed = self._shelf.get((environment, database))
        return zlib.decompress(packed[1]) if packed else None

    def _link(self, database: str) -> str | None:
        base = self._settings.public_url
        return f"{base}/databases/{database}" if base else None

    def _count_attempt(self, attempt: Attempt) -> None:
        if attempt.fate is Fate.DELIVERED:
            self.metrics.notifications.add_delivered(attempt.channel, attempt.kind.value)
        elif attempt.reason is not None:
            self.metrics.notifications.add_failed(attempt.channel, attempt.reason.value)

    async def deliver(self) -> None:
        """Deliver what is due until cancelled."""
        await self._courier.run(_now)

    async def keep_house(self) -> None:
        """Set the gauges that no event sets, until cancelled."""
        while True:
            self.metrics.set_tick(self.fleet.last_tick)
            try:
                backlogs = await self._store.count_outbox()
            except StoreError as error:
                _log.error("the outbox cannot be counted", error=str(error))
            else:
                for channel in self._channels:
                    backlog = backlogs.get(channel)
                    self.metrics.notifications.set_outbox(
                        channel,
                        pending=backlog.pending if backlog else 0,
                        oldest=backlog.oldest if backlog else None,
                        dead=backlog.dead if backlog else 0,
                    )
            await asyncio.sleep(HOUSEKEEPING_SECONDS)

    async def serve(self, stop: asyncio.Event, on_started: Callable[[int], None]) -> None:
        """Answer on the page, the API and the health checks until ``stop`` is set."""
        settings = self._settings
        view = View(
            store=self._store,
            environment=settings.environment,
            api_token=_reveal(settings.api_token),
            metrics_token=_reveal(settings.metrics_token),
            is_loopback=is_loopback(settings.host),
            render_metrics=self.metrics.render,
            is_alive=self._is_alive,
            is_ready=self._list_reasons,
            configured=self._list_configured,
            load_snapshot=self.load_snapshot,
            version=__version__,
            clock=_now,
            warnings=self._list_warnings(),
        )
        host = None if settings.host == "::" else settings.host
        await serve(make_app(view), host, settings.port, stop, on_started=on_started)

    def _is_alive(self) -> bool:
        """Whether the scheduler ticks: looks are waited for by nobody."""
        allowed = STALE_TICKS * self.fleet.tick_interval + timedelta(seconds=30)
        return _now() - self.fleet.last_tick < allowed

    async def _list_reasons(self) -> list[str]:
        """Why the agent is not ready; the watched databases never count."""
        try:
            await self._store.count_outbox()
        except StoreError as error:
            return [str(error)]
        return []

    def _list_configured(self) -> list[Configured]:
        listed = [
            Configured(
                name=name,
                environment=self._environment_of(database),
                expected=_name_expectation(database),
                interval_seconds=_choose_interval(database).total_seconds(),
                is_enabled=database.enabled,
            )
            for name, database in self._settings.databases.items()
        ]
        broken = [
            Configured(
                name=problem.database,
                environment=self._settings.environment,
                expected=None,
                interval_seconds=0.0,
                is_enabled=False,
                problem=f"{problem.message} {problem.next_step}",
            )
            for problem in self._loaded.problems
            if problem.database is not None
        ]
        return listed + broken

    def _list_warnings(self) -> list[str]:
        place = judge_store(self._settings.store_url, os.environ)
        return [] if place.will_survive else [place.sentence]


def make_routes(settings: Settings, client: Client) -> list[Route]:
    """The channels that are configured.

    Raises:
        ConfigurationError: an address or a secret is none.
    """
    routes = []
    if settings.slack is not None:
        url = settings.slack.webhook_url.get_secret_value()
        channel = Slack("slack", url, client=client)
        routes.append(Route(channel=channel, minimum=settings.slack.min_severity))
    for name, webhook in settings.webhooks.items():
        secrets = " ".join(secret.get_secret_value() for secret in webhook.signing_secrets)
        url = webhook.url.get_secret_value()
        hook = Webhook(f"webhook:{name}", url, secrets=secrets, client=client)
        routes.append(Route(channel=hook, minimum=webhook.min_severity))
    return routes


def _make_options(database: DatabaseSettings) -> BuildOptions:
    return BuildOptions(
        python=Path(database.python) if database.python else None,
        url_env=database.url_env,
        shadow_url=database.shadow_url.get_secret_value() if database.shadow_url else None,
    )


def _make_deadlines(database: DatabaseSettings) -> Deadlines:
    return Deadlines(
        connect_seconds=database.connect_timeout.total_seconds(),
        statement_seconds=database.statement_timeout.total_seconds(),
        lock_seconds=database.lock_timeout.total_seconds(),
    )


def _choose_interval(database: DatabaseSettings) -> timedelta:
    return max(database.interval, database.min_interval)


def _name_expectation(database: DatabaseSettings) -> str | None:
    """What it is compared with, in one word; never a URL."""
    if database.expected is None:
        return None
    return parse_source(database.expected.get_secret_value()).scheme.value


def _count_open(incidents: Iterable[Incident]) -> Counter[Severity]:
    return Counter(i.severity for i in incidents if i.status is not Status.SUSPECTED)


def _reveal(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def _now() -> datetime:
    return datetime.now(UTC)
