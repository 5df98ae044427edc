"""The parts of a running agent, and what connects them."""

import asyncio
import os
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import structlog

from monitor.agent.channel_watch import ChannelWatch
from monitor.agent.checks import Checks, Suites
from monitor.agent.choices import choose_environment
from monitor.agent.deploys import Deploys
from monitor.agent.front import Front
from monitor.agent.gauges import begin_metrics
from monitor.agent.house import House
from monitor.agent.keeper import Keeper
from monitor.agent.lifelines import HEARTBEAT, SENTRY, Lifelines
from monitor.agent.looks import Looks, count_open
from monitor.agent.reach import Reach
from monitor.agent.roster import Roster
from monitor.agent.trouble import Trouble
from monitor.config.audience import describe_silence
from monitor.config.load import LoadedConfig
from monitor.config.place import judge_store
from monitor.config.policy import make_grouping, make_policy
from monitor.config.tokens import describe_short_tokens
from monitor.core.incidents import Incident
from monitor.sinks.channel import FailureReason
from monitor.sinks.heartbeat import Heartbeat
from monitor.sinks.outbox import Attempt, Courier, Fate, Route
from monitor.sinks.store import Store
from monitor.watch.expectation import Expectations
from monitor.watch.fleet import Fleet
from monitor.watch.pipeline import Pipeline
from monitor.watch.pulse import Pulse, judge
from monitor.watch.shelf import Shelf
from monitor.watch.target import Target

_log = structlog.get_logger()


class Agent:
    """The parts of a running agent, and what connects them."""

    def __init__(self, loaded: LoadedConfig, *, store: Store, routes: Sequence[Route]) -> None:
        settings = loaded.settings
        self._loaded = loaded
        self._settings = settings
        self._store = store
        self._trouble = Trouble()
        self._roster = Roster(loaded, store)
        self._reach = Reach(loaded, broken=self._roster.broken)
        carrier = self._reach.carrier
        databases = self._roster.databases
        suites = Suites(settings, databases)
        self.metrics = begin_metrics(
            loaded, databases, self._roster.broken, suites=suites, routes=routes
        )
        channels = [route.channel.name for route in routes]
        shelf = Shelf()
        looks = Looks(
            self._roster,
            pipeline=Pipeline(
                store=store,
                policy=make_policy(settings),
                channels=tuple(channels),
                on_fault=self._trouble.note,
            ),
            find_target=self._find_target,
            metrics=self.metrics,
            shelf=shelf,
            trouble=self._trouble,
            ask=self._ask,
        )
        self._checks = Checks(databases, suites, find_target=self._find_target, do=looks.check)
        self.fleet = Fleet(
            [*looks.list_rounds(), *self._checks.list_rounds()],
            concurrency=settings.concurrency,
            on_fault=self._trouble.note,
        )
        self._deploys = Deploys(
            settings,
            databases,
            store=store,
            channels=channels,
            look=self._look_at_all,
            list_suites=self._checks.list_deployed_suites,
            name_expectation=self._roster.name_expectation,
            observe=self.metrics.see_deployment,
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
            served=carrier.served,
        )
        self._keeper = Keeper(
            store,
            routes,
            is_ours=self._reach.is_watched,
            link=self._reach.link,
            observe=lambda name, reason: self.metrics.notifications.add_failed(name, reason.value),
        )
        self._channel_watch = ChannelWatch(
            store,
            carrier=carrier,
            channels=channels,
            observe=lambda name, is_up: self.metrics.notifications.set_up(name, is_up=is_up),
            is_alone=self._reach.is_alone,
        )
        self._house = House(
            store,
            channels=channels,
            served=carrier.served,
            fleet=self.fleet,
            metrics=self.metrics,
            trouble=self._trouble,
        )
        self._front = Front(
            settings,
            store=store,
            roster=self._roster,
            fleet=self.fleet,
            checks=self._checks,
            routes=routes,
            deploys=self._deploys,
            carrier=carrier,
            metrics=self.metrics,
            shelf=shelf,
            trouble=self._trouble,
        )

    def expect(self, expectations: Expectations) -> None:
        """Say what databases are compared with; nothing is read or built yet."""
        self._roster.expect(expectations)

    async def restore(self) -> None:
        """Show what the ledger remembers, until the first looks are done."""
        for warning in self._list_warnings() + describe_short_tokens(self._settings):
            _log.warning(warning)
        await self._store.release_claims(_now())
        if not self._loaded.problems:  # what is broken today is watched again tomorrow
            await self._forget()
        places = self._roster.list_places()
        for record in await self._store.list_records():
            if places.get(record.database) == record.environment:
                unresolved = await self._store.load_unresolved(record.environment, record.database)
                self.metrics.restore(record, count_open(unresolved.values()))
        for check in await self._store.list_checks():
            if places.get(check.database) != check.environment:
                continue
            if check.database in self._roster.databases and not self._checks.is_configured(check):
                await self._store.retire_check(check, _now())
                continue
            self.metrics.restore_check(check)
            self._checks.remember(check)
        await self._deploys.restore()

    async def _forget(self) -> None:
        """Forget the databases that left the configuration; one that is disabled has not.

        A file is nobody else's, so that an environment of which nothing is left goes as a
        whole; in a PostgreSQL database it may be another agent's.
        """
        known: dict[str, set[str]] = {}
        for name, database in self._settings.databases.items():
            known.setdefault(choose_environment(self._settings, database), set()).add(name)
        if self._reach.is_alone:
            for record in await self._store.list_records():
                known.setdefault(record.environment, set())
        for environment, names in known.items():
            await self._store.forget(environment, names, _now())

    def start(self) -> None:
        """Begin to look; a check that was done not long ago waits for its turn."""
        self.fleet.start(after=self._checks.list_delays(_now()))

    def _find_target(self, name: str) -> Target:
        """What a look at a database is at."""
        return self._roster.make_target(name, deployed_at=self._deploys.find_last(name))

    def _ask(self, name: str) -> None:
        self.fleet.ask(name)

    async def _look_at_all(self, name: str) -> None:
        """Look at the schema, and do every check, at once; wait for the end of all."""
        names = (name, *self._checks.list_names(name, is_deployed=True))
        await asyncio.gather(*(self.fleet.look(one) for one in names))

    def _find_deployment(self, incident: Incident) -> datetime | None:
        # A ledger that is shared has incidents of other environments: there the database is
        # another one, though it is called the same.
        if self._roster.find(incident.environment, incident.database) is None:
            return None
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
            if attempt.reason is FailureReason.INTERNAL:
                self._trouble.count()
            notifications.add_failed(attempt.channel, attempt.reason.value)

    async def deliver(self) -> None:
        """Deliver what is due until cancelled."""
        await self._courier.run(_now)
        await asyncio.Event().wait()  # without channels there is nothing to run

    async def keep_alerts(self) -> None:
        """Say again what is open to channels that forget it, until cancelled."""
        await self._keeper.run(_now)

    async def watch_channels(self) -> None:
        """Announce a channel that is broken on the others, until cancelled."""
        await self._channel_watch.run(_now)

    async def conclude_deployments(self) -> None:
        """Look at what was deployed, and tell what came of it, until cancelled."""
        await self._deploys.run(_now)

    async def keep_house(self) -> None:
        """Set what no event sets, until cancelled: gauges, and whether the ledger takes writes."""
        await self._house.run()

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
        return judge(
            self.fleet.measure(),
            is_ticking=self._front.is_alive(),
            has_fault=self._trouble.take(),
            can_tell=self._channel_watch.can_tell,
        )

    async def serve(self, stop: asyncio.Event, on_started: Callable[[int], None]) -> None:
        """Answer on the page, the API and the health checks until ``stop`` is set."""
        await self._front.serve(stop, on_started, self._list_warnings())

    def _list_warnings(self) -> list[str]:
        place = judge_store(self._settings.store_url, os.environ)
        fleeting = [] if place.will_survive else [place.sentence]
        return fleeting + describe_silence(self._loaded)


def _now() -> datetime:
    return datetime.now(UTC)
