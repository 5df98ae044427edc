"""The parts of a running agent, and what connects them."""

import asyncio
import os
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

import structlog

from monitor import __version__
from monitor.agent.channel_watch import ChannelWatch
from monitor.agent.checks import Checks, Suites
from monitor.agent.choices import (
    BROKEN_EVERY,
    choose_environment,
    choose_interval,
    count_seconds,
    find_expected,
    list_beside,
    list_rules,
    make_deadlines,
    make_options,
    make_scope,
    name_expectation,
    reveal_secret,
)
from monitor.agent.deploys import Deploys
from monitor.agent.gauges import begin_metrics
from monitor.agent.keeper import Keeper
from monitor.agent.lifelines import HEARTBEAT, SENTRY, Lifelines
from monitor.agent.reach import Reach
from monitor.checks.spelling import Spellings
from monitor.config.audience import describe_silence
from monitor.config.databases import DatabaseSettings
from monitor.config.flaws import make_error
from monitor.config.load import LoadedConfig
from monitor.config.place import judge_store
from monitor.config.policy import make_grouping, make_policy
from monitor.core.errors import StoreError
from monitor.core.findings import Severity
from monitor.core.incidents import Event, Incident, Status
from monitor.core.source import Scheme
from monitor.core.waivers import Waivers
from monitor.sinks.channel import FailureReason
from monitor.sinks.faults import report_fault
from monitor.sinks.heartbeat import Heartbeat
from monitor.sinks.locks import Keeping
from monitor.sinks.outbox import Attempt, Courier, Fate, Route
from monitor.sinks.store import Store
from monitor.sinks.trial import Tried, make_test, try_channel
from monitor.sources.servers import WatchedServers
from monitor.watch.checkup import Checkup
from monitor.watch.expectation import Expectations, LateExpectation, LateLock
from monitor.watch.fleet import BEAT_SECONDS, Fleet, Round
from monitor.watch.kept_locks import KeptLocks
from monitor.watch.memory import Memory
from monitor.watch.pipeline import Decided, Pipeline
from monitor.watch.pulse import Pulse, judge
from monitor.watch.shelf import Shelf
from monitor.watch.target import Target
from monitor.web.app import make_app
from monitor.web.server import is_loopback, serve
from monitor.web.view import Configured, View

_log = structlog.get_logger()

HOUSEKEEPING_SECONDS: Final = 5.0
"""How often the gauges of the outbox and the scheduler are set."""

STALE_BEATS: Final = 12
"""Beats of the scheduler that may be missed before the agent counts as stuck."""

REPEAT_AFTER: Final = timedelta(minutes=5)
"""When a look is repeated that the ledger lost, if none would come before."""

_TAKES_LOCKS: Final = (Scheme.LOCK, Scheme.ALEMBIC)
"""What a lock that is pushed takes the place of; and the baseline."""


class Agent:
    """The parts of a running agent, and what connects them."""

    def __init__(self, loaded: LoadedConfig, *, store: Store, routes: Sequence[Route]) -> None:
        settings = loaded.settings
        self._loaded = loaded
        self._settings = settings
        self._faults = 0
        self._ledger_faults: dict[str, str] = {}
        self._superusers: set[str] = set()
        self._store = store
        self._databases = {
            name: database for name, database in settings.databases.items() if database.enabled
        }
        self._broken = {
            problem.database: problem for problem in loaded.problems if problem.database
        }
        self._reach = Reach(loaded, broken=self._broken)
        self._memories = {name: Memory() for name in self._databases}
        self._expectations: dict[str, LateExpectation] = {}
        self._kept: dict[str, KeptLocks] = {}
        self._beside: dict[str, tuple[LateLock, ...]] = {}
        self._spellings: dict[str, Spellings] = {}
        self._shelf = Shelf()
        self._suites = Suites(settings, self._databases)
        self.metrics = begin_metrics(
            loaded, self._databases, self._broken, suites=self._suites, routes=routes
        )
        self._courier = Courier(
            store,
            routes,
            holder=uuid.uuid4().hex,
            link=self._reach.link,
            find_deployment=self._find_deployment,
            grouping=make_grouping(settings),
            observe=self._count_attempt,
            is_heard=self._reach.is_heard,
            served=None if self._is_alone else self._reach.list_served(),
        )
        self._keeper = Keeper(
            store,
            routes,
            is_ours=self._reach.is_watched,
            link=self._reach.link,
            observe=lambda name, reason: self.metrics.notifications.add_failed(name, reason.value),
        )
        self._pipeline = Pipeline(
            store=store,
            policy=make_policy(settings),
            channels=tuple(route.channel.name for route in routes),
            on_fault=self._note_fault,
        )
        self._checks = Checks(
            self._databases, self._suites, find_target=self._make_target, do=self._check
        )
        self.fleet = Fleet(
            [
                *(self._make_round(name, database) for name, database in self._databases.items()),
                *(self._make_broken_round(name) for name in self._broken),
                *self._checks.list_rounds(),
            ],
            concurrency=settings.concurrency,
            on_fault=self._note_fault,
        )
        self._routes = routes
        self._channels = [route.channel.name for route in routes]
        self._channel_watch = ChannelWatch(
            store,
            environment=settings.environment,
            channels=self._channels,
            observe=lambda name, is_up: self.metrics.notifications.set_up(name, is_up=is_up),
            is_alone=self._is_alone,
        )
        self._deploys = Deploys(
            settings,
            self._databases,
            store=store,
            channels=self._channels,
            look=self._look_at_all,
            list_suites=self._checks.list_deployed_suites,
            name_expectation=lambda name: self._name_expectation(name, self._databases[name]),
            observe=self.metrics.see_deployment,
        )

    def _name_expectation(self, name: str, database: DatabaseSettings) -> str | None:
        """What it is compared with, in one word; None for its own baseline."""
        kept = self._kept.get(name)
        is_locked = kept is not None and kept.is_used
        return Scheme.LOCK.value if is_locked else name_expectation(database)

    def _environment_of(self, database: DatabaseSettings) -> str:
        return choose_environment(self._settings, database)

    def expect(self, expectations: Expectations) -> None:
        """Say what databases are compared with; nothing is read or built yet."""
        servers = WatchedServers(database.dsn for database in self._databases.values())
        for name, database in self._databases.items():
            options = replace(make_options(database), forbidden=servers.list_identifiers)
            self._spellings[name] = expectations.find_spellings(options)
            source = find_expected(self._settings, database)
            self._beside[name] = tuple(
                expectations.find_lock(other, options) for other in list_beside(database)
            )
            lock = None
            if source is not None and source.scheme is Scheme.LOCK:
                lock = expectations.find_lock(source, options)
            elif source is not None:
                self._expectations[name] = expectations.find(source, options)
            if source is None or source.scheme in _TAKES_LOCKS:
                self._kept[name] = KeptLocks(
                    self._store,
                    self._environment_of(database),
                    name,
                    configured=lock,
                    commit=database.commit,
                )

    async def restore(self) -> None:
        """Show what the ledger remembers, until the first looks are done."""
        for warning in self._list_warnings():
            _log.warning(warning)
        await self._store.release_claims(_now())
        if not self._loaded.problems:  # what is broken today is watched again tomorrow
            await self._forget()
        places = {name: self._environment_of(one) for name, one in self._databases.items()}
        places |= dict.fromkeys(self._broken, self._settings.environment)
        for record in await self._store.list_records():
            if places.get(record.database) == record.environment:
                unresolved = await self._store.load_unresolved(record.environment, record.database)
                self.metrics.restore(record, _count_open(unresolved.values()))
        for check in await self._store.list_checks():
            if places.get(check.database) != check.environment:
                continue
            if check.database in self._databases and not self._checks.is_configured(check):
                await self._store.retire_check(check, _now())
                continue
            self.metrics.restore_check(check)
            self._checks.remember(check)
        await self._deploys.restore()

    def start(self) -> None:
        """Begin to look; a check that was done not long ago waits for its turn."""
        self.fleet.start(after=self._checks.list_delays(_now()))

    async def _forget(self) -> None:
        """Forget the databases that left the configuration; one that is disabled has not.

        A file is nobody else's, so that an environment of which nothing is left goes as a
        whole; in a PostgreSQL database it may be another agent's.
        """
        known: dict[str, set[str]] = {}
        for name, database in self._settings.databases.items():
            known.setdefault(self._environment_of(database), set()).add(name)
        if self._is_alone:
            for record in await self._store.list_records():
                known.setdefault(record.environment, set())
        for environment, names in known.items():
            await self._store.forget(environment, names)

    def _make_round(self, name: str, database: DatabaseSettings) -> Round:
        async def look(at: datetime) -> None:
            await self._look(name, database, at)

        return Round(
            name=name,
            interval=choose_interval(database),
            look=look,
            min_interval=database.min_interval,
        )

    def _make_broken_round(self, name: str) -> Round:
        """An entry that cannot be used is told as any look that fails, until it is mended."""
        environment, error = self._settings.environment, make_error([self._broken[name]])

        async def look(at: datetime) -> None:
            await self._conclude(name, self._pipeline.fail(environment, name, at, error))

        return Round(name=name, interval=BROKEN_EVERY, look=look, min_interval=timedelta(0))

    def _make_target(self, name: str) -> Target:
        """What a look at a database is at."""
        database = self._databases[name]
        return Target(
            environment=self._environment_of(database),
            database=name,
            dsn=database.dsn,
            deadlines=make_deadlines(database),
            memory=self._memories[name],
            expectation=self._expectations.get(name),
            waivers=Waivers(rules=list_rules(self._settings, database)),
            spellings=self._spellings.get(name),
            scope=make_scope(database),
            kept=self._kept.get(name),
            schema=database.lock_schema,
            beside=self._beside.get(name, ()),
            grace=database.lock_grace,
            deployed_at=self._deploys.find_last(name),
        )

    async def _look_at_all(self, name: str) -> None:
        """Look at the schema, and do every check, at once; wait for the end of all."""
        names = (name, *self._checks.list_names(name, is_deployed=True))
        await asyncio.gather(*(self.fleet.look(one) for one in names))

    async def _look(self, name: str, database: DatabaseSettings, at: datetime) -> None:
        if not await self._conclude(name, self._pipeline.look(self._make_target(name), at)):
            self._repeat(name, database)

    async def _conclude(self, name: str, look: Awaitable[Decided | None]) -> bool:
        """Show what a look came to; False where the ledger did not take it."""
        try:
            decided = await look
        except StoreError as error:
            self._note_ledger(name, error)
            return False
        self._ledger_faults.pop("look", None)
        if decided is not None:
            self._warn_of_superuser(decided)
            await self._show(decided)
        return True

    def _note_fault(self, error: BaseException) -> None:
        """Report what nobody expected; the next heartbeat says that something broke."""
        self._faults += 1
        report_fault(error)

    def _note_ledger(self, name: str, error: StoreError) -> None:
        _log.error("nothing was decided, the ledger failed", database=name, error=str(error))
        self._note_fault(error)
        self._ledger_faults["look"] = str(error)

    async def _check(self, checkup: Checkup, at: datetime) -> None:
        """Do a check, and show what it came to."""
        name = checkup.database
        try:
            checked = await self._pipeline.check(checkup, at)
        except StoreError as error:
            self._note_ledger(name, error)
            return
        self._ledger_faults.pop("look", None)
        if checked is None:
            return
        self._count_events(name, checked.incidents, checked.events)
        self.metrics.see_check(checked.record, _count_open(checked.unresolved.values()))
        report = checked.record.report
        if report.unknown is not None:
            self._ask_later(checkup.round)
        _log.info(
            "checked",
            database=name,
            check=checkup.check.value,
            seconds=report.seconds,
            findings=len(report.findings),
            is_known=report.unknown is None,
        )

    def _repeat(self, name: str, database: DatabaseSettings) -> None:
        """Look again after a while, where the next look is far away or would never come."""
        interval = choose_interval(database)
        if interval is None or interval > REPEAT_AFTER:
            self._ask_later(name)

    def _ask_later(self, name: str) -> None:
        """Ask for a round after a while; one that is due before comes before."""
        loop = asyncio.get_running_loop()
        loop.call_later(REPEAT_AFTER.total_seconds(), self.fleet.ask, name)

    def _warn_of_superuser(self, decided: Decided) -> None:
        """Once a run for each database: who starts the agent reads its log."""
        name = decided.record.database
        if decided.is_superuser and name not in self._superusers:
            self._superusers.add(name)
            _log.warning(
                "the role is a superuser: read-only sessions do not stop COPY TO PROGRAM",
                database=name,
                next_step="`anchorwatch grants` prints the SQL for a role that may only look.",
            )

    async def _show(self, decided: Decided) -> None:
        record = decided.record
        self._count_events(record.database, decided.incidents, decided.events)
        database = self._databases.get(record.database)
        if database is not None:
            expected = self._name_expectation(record.database, database)
            self.metrics.expect(record.database, expected or "baseline")
        self.metrics.see(record, _count_open(decided.unresolved.values()))
        if decided.snapshot is not None:
            await self._shelf.put(record.environment, record.database, decided.snapshot)
        _log.info(
            "looked",
            database=record.database,
            state=record.state.value,
            seconds=record.report.seconds,
            findings=len(record.report.findings),
        )

    def _count_events(
        self, name: str, incidents: Iterable[Incident], events: Iterable[Event]
    ) -> None:
        classes = {incident.id: incident.finding_class for incident in incidents}
        for event in events:
            self.metrics.count_event(name, classes[event.incident], event.kind)

    def _find_deployment(self, incident: Incident) -> datetime | None:
        return self._deploys.find_last(incident.database)

    def _count_attempt(self, attempt: Attempt) -> None:
        notifications = self.metrics.notifications
        if attempt.fate is Fate.DELIVERED:
            notifications.add_delivered(attempt.channel, attempt.kind.value)
        elif attempt.fate is Fate.GROUPED:
            notifications.add_suppressed(attempt.channel, Fate.GROUPED.value)
        elif attempt.held is not None:
            notifications.add_suppressed(attempt.channel, attempt.held.value)
        elif attempt.reason is not None:
            self._faults += attempt.reason is FailureReason.INTERNAL
            notifications.add_failed(attempt.channel, attempt.reason.value)

    async def deliver(self) -> None:
        """Deliver what is due until cancelled."""
        await self._courier.run(_now)
        await asyncio.Event().wait()  # without channels there is nothing to run

    async def keep_alerts(self) -> None:
        """Say again what is open to channels that forget it, until cancelled."""
        await self._keeper.run(_now)

    @property
    def _is_alone(self) -> bool:
        """Whether the ledger is a file, which is nobody else's."""
        return self._settings.store_url.get_secret_value().startswith("sqlite")

    async def watch_channels(self) -> None:
        """Announce a channel that is broken on the others, until cancelled."""
        await self._channel_watch.run(_now)

    async def conclude_deployments(self) -> None:
        """Look at what was deployed, and tell what came of it, until cancelled."""
        await self._deploys.run(_now)

    async def tell_of_life(self, heartbeat: Heartbeat | None) -> None:
        """Say once a minute that the watch goes on, until cancelled."""
        is_open = self._reach.is_open
        watched = self._settings.environment if self._settings.sentry_dsn and is_open else None
        heartbeat = heartbeat if is_open else None
        for target, is_used in ((HEARTBEAT, heartbeat), (SENTRY, watched)):
            if is_used is not None:
                self.metrics.set_heartbeat(target, None)
        lines = Lifelines(
            self._take_pulse,
            heartbeat=heartbeat,
            monitor=watched,
            observe=self.metrics.set_heartbeat,
        )
        await lines.run(_now)

    async def _take_pulse(self) -> tuple[Pulse, str]:
        """Whether the watch goes on; a fault is said once."""
        faults, self._faults = self._faults, 0
        return judge(
            self.fleet.measure(),
            is_ticking=self._is_alive(),
            has_fault=bool(faults or self._ledger_faults),
            can_tell=self._channel_watch.can_tell,
        )

    async def keep_house(self) -> None:
        """Set what no event sets, until cancelled: gauges, and whether the ledger takes writes."""
        while True:
            self.metrics.set_tick(self.fleet.last_tick)
            try:
                await self._store.try_writing()
                backlogs = await self._store.count_outbox()
            except StoreError as error:
                _log.error("the ledger cannot be used", error=str(error))
                self._ledger_faults["try"] = str(error)
            else:
                self._ledger_faults.pop("try", None)
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
            api_token=reveal_secret(settings.api_token),
            metrics_token=reveal_secret(settings.metrics_token),
            push_token=reveal_secret(settings.push_token),
            railway_secret=reveal_secret(settings.railway_webhook_secret),
            deploy_secret=reveal_secret(settings.deploy_webhook_secret),
            is_loopback=is_loopback(settings.host),
            public_host=urlsplit(settings.public_url or "").hostname,
            render_metrics=self.metrics.render,
            is_alive=self._is_alive,
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
            warnings=self._list_warnings(),
        )
        host = None if settings.host == "::" else settings.host
        await serve(
            make_app(view),
            host,
            settings.port,
            stop,
            masker=view.masker,
            on_started=on_started,
        )

    async def _push(
        self, place: tuple[str, str], body: bytes, commit: str, *, anew: bool
    ) -> Keeping:
        """Keep a lock that a pipeline has built, and look with it."""
        environment, name = place
        kept = self._kept.get(name)
        if kept is None or self._environment_of(self._databases[name]) != environment:
            return Keeping.UNUSED
        keeping = await kept.push(body, commit, _now(), anew=anew)
        if keeping in (Keeping.NEW, Keeping.SAME):
            _log.info("a lock was pushed", database=name, commit=commit, kept=keeping.value)
            self.fleet.ask(name)
        return keeping

    async def _try_channel(self, name: str) -> Tried | None:
        """Send a test message to a channel, past the ledger; None where there is none."""
        channel = next((r.channel for r in self._routes if r.channel.name == name), None)
        if channel is None:
            return None
        at, settings = _now(), self._settings
        message = make_test(settings.environment, at=at, url=settings.public_url)
        tried = await try_channel(channel, message, at)
        if tried.failure is None:
            self._channel_watch.note_taken(name, _now())
        _log.info("a channel was tried", channel=name, is_taken=tried.failure is None)
        return tried

    def _ask(self, environment: str, name: str) -> bool:
        """Ask for a look; False where this agent does not look."""
        database = self._databases.get(name)
        if database is None or self._environment_of(database) != environment:
            return False
        for one in (name, *self._checks.list_names(name)):
            self.fleet.ask(one)
        return True

    def _is_alive(self) -> bool:
        """Whether the scheduler ticks: looks are waited for by nobody."""
        return self.fleet.since_tick < STALE_BEATS * timedelta(seconds=BEAT_SECONDS)

    async def _list_reasons(self) -> list[str]:
        """Why the agent is not ready; the watched databases never count."""
        try:
            await self._store.count_outbox()
        except StoreError as error:
            return [str(error)]
        # Reading may work where writing does not: a standby, a lock that stays. A full
        # disk shows at a look only, which writes more than nothing.
        return sorted({*self._ledger_faults.values()})

    def _list_configured(self) -> list[Configured]:
        listed = [
            Configured(
                name=name,
                environment=self._environment_of(database),
                expected=self._name_expectation(name, database),
                interval_seconds=count_seconds(choose_interval(database)),
                is_enabled=database.enabled,
                is_looking=database.enabled and self.fleet.is_looking(name),
                services=database.services,
            )
            for name, database in self._settings.databases.items()
        ]
        broken = [
            Configured(
                name=name,
                environment=self._settings.environment,
                expected=None,
                interval_seconds=None,
                is_enabled=False,
                problem=str(problem),
            )
            for name, problem in self._broken.items()
        ]
        return listed + broken

    def _list_warnings(self) -> list[str]:
        place = judge_store(self._settings.store_url, os.environ)
        fleeting = [] if place.will_survive else [place.sentence]
        return fleeting + describe_silence(self._loaded)


def _count_open(incidents: Iterable[Incident]) -> Counter[Severity]:
    return Counter(i.severity for i in incidents if i.status is not Status.SUSPECTED)


def _now() -> datetime:
    return datetime.now(UTC)
