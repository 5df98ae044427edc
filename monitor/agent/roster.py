"""The databases of the configuration, and what is known of each before it is looked at."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from monitor.agent.choices import (
    choose_environment,
    find_expected,
    list_beside,
    list_rules,
    make_deadlines,
    make_options,
    make_scope,
    name_expectation,
)
from monitor.checks.spelling import Spellings
from monitor.config.databases import DatabaseSettings
from monitor.config.flaws import Problem
from monitor.config.load import LoadedConfig
from monitor.core.source import Scheme
from monitor.core.waivers import Waivers
from monitor.sinks.locks import Keeping
from monitor.sinks.store import Store
from monitor.sources.servers import WatchedServers
from monitor.watch.expectation import Expectations, LateExpectation, LateLock
from monitor.watch.kept_locks import KeptLocks
from monitor.watch.memory import Memory
from monitor.watch.target import Target

_TAKES_LOCKS: Final = (Scheme.LOCK, Scheme.ALEMBIC)
"""What a lock that is pushed takes the place of; and the baseline."""


class Roster:
    """Which databases there are, and what a look at each is at.

    Args:
        loaded: the configuration.
        store: where the locks are that were pushed.

    Attributes:
        databases: those that are looked at.
        broken: those whose entry cannot be used, with what is wrong with it.
    """

    def __init__(self, loaded: LoadedConfig, store: Store) -> None:
        self._settings = loaded.settings
        self._store = store
        self.databases: Mapping[str, DatabaseSettings] = {
            name: database
            for name, database in loaded.settings.databases.items()
            if database.enabled
        }
        self.broken: Mapping[str, Problem] = {
            problem.database: problem for problem in loaded.problems if problem.database
        }
        self._memories = {name: Memory() for name in self.databases}
        self._expectations: dict[str, LateExpectation] = {}
        self._kept: dict[str, KeptLocks] = {}
        self._beside: dict[str, tuple[LateLock, ...]] = {}
        self._spellings: dict[str, Spellings] = {}

    def find_environment(self, database: str) -> str:
        """Where a database runs; one that cannot be used, where the agent does."""
        known = self._settings.databases.get(database)
        return choose_environment(self._settings, known) if known else self._settings.environment

    def list_places(self) -> dict[str, str]:
        """The environment of each database that is looked at, or whose entry cannot be used."""
        return {name: self.find_environment(name) for name in (*self.databases, *self.broken)}

    def find(self, environment: str, database: str) -> DatabaseSettings | None:
        """A database that is looked at; None where this agent does not look there."""
        known = self.databases.get(database)
        return known if known and self.find_environment(database) == environment else None

    def expect(self, expectations: Expectations) -> None:
        """Say what databases are compared with; nothing is read or built yet."""
        servers = WatchedServers(database.dsn for database in self.databases.values())
        for name, database in self.databases.items():
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
                    self.find_environment(name),
                    name,
                    configured=lock,
                    commit=database.commit,
                )

    def name_expectation(self, database: str) -> str | None:
        """What it is compared with, in one word; None for its own baseline."""
        kept = self._kept.get(database)
        if kept is not None and kept.is_used:
            return Scheme.LOCK.value
        return name_expectation(self._settings.databases[database])

    def make_target(self, name: str, *, deployed_at: datetime | None) -> Target:
        """What a look at a database is at."""
        database = self.databases[name]
        return Target(
            environment=self.find_environment(name),
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
            deployed_at=deployed_at,
        )

    async def keep_lock(
        self, place: tuple[str, str], body: bytes, commit: str, now: datetime, *, anew: bool
    ) -> Keeping:
        """Keep a lock that was pushed for the database of an environment and name.

        Raises:
            DamagedFile: it is no lock.
            StoreError: the ledger cannot be read or written.
        """
        environment, name = place
        kept = self._kept.get(name)
        if kept is None or self.find(environment, name) is None:
            return Keeping.UNUSED
        return await kept.push(body, commit, now, anew=anew)
