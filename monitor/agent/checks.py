"""The checks of every database beside the look at its schema: when they are due, and what runs."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from monitor.agent.choices import choose_environment, make_deadlines, make_orphan_plan
from monitor.checks.smoke import SmokeDatabase, SmokeRunner
from monitor.config.databases import DatabaseSettings
from monitor.config.settings import Settings
from monitor.core.checkup import CheckName, CheckRecord, CheckReport
from monitor.core.smoke import Suite
from monitor.sinks.faults import report_fault
from monitor.watch.assertions import AssertionCheck
from monitor.watch.checkup import Checkup
from monitor.watch.fleet import Round
from monitor.watch.orphans import OrphanCheck
from monitor.watch.smoke import SmokeCheck
from monitor.watch.target import Target


class Name(NamedTuple):
    """A check of a database; of smoke tests one suite."""

    database: str
    check: CheckName
    suite: str = ""

    def __str__(self) -> str:
        """What the schedule calls it; the name of a database has no blank."""
        return " ".join(filter(None, (self.database, self.check.value, self.suite)))


class Suites:
    """The smoke suites, by the database that they belong to.

    Args:
        settings: the suites.
        databases: those that are watched.
    """

    def __init__(self, settings: Settings, databases: Mapping[str, DatabaseSettings]) -> None:
        self.by_database: dict[str, dict[str, Suite]] = defaultdict(dict)
        runner = SmokeRunner()
        for one in settings.smoke:
            home = one.database or next(iter(settings.databases), "")
            if home in databases:
                self.by_database[home][one.suite] = one.make_suite()
        self._checks = {
            name: SmokeCheck(
                environment=choose_environment(settings, databases[name]),
                database=name,
                suites=suites,
                asked=SmokeDatabase(databases[name].dsn, make_deadlines(databases[name])),
                runner=runner,
                on_fault=report_fault,
            )
            for name, suites in self.by_database.items()
        }

    def find_check(self, database: str) -> SmokeCheck:
        """What runs the suites of a database that has some."""
        return self._checks[database]


def list_intervals(
    databases: Mapping[str, DatabaseSettings], suites: Suites
) -> Iterator[tuple[Name, timedelta | None]]:
    """The checks that there are, and how often each is done; None for only when asked."""
    for name, database in databases.items():
        if database.orphans.enabled:
            every = database.orphans.every if database.wake else None
            yield Name(name, CheckName.ORPHANS), every
        if database.assertions.checks:
            every = database.assertions.every if database.wake else None
            yield Name(name, CheckName.DATA), every
        for suite in suites.by_database.get(name, {}).values():
            seconds = suite.every_seconds if database.wake else None
            every = None if seconds is None else timedelta(seconds=seconds)
            yield Name(name, CheckName.SMOKE, suite.name), every


class Checks:
    """The checks of every database.

    Args:
        databases: those that are watched.
        suites: the smoke suites.
        find_target: what a look at one of them is at.
        do: does a check, and shows what it came to.
    """

    def __init__(
        self,
        databases: Mapping[str, DatabaseSettings],
        suites: Suites,
        *,
        find_target: Callable[[str], Target],
        do: Callable[[Checkup, datetime], Awaitable[None]],
    ) -> None:
        self._databases = databases
        self._find_target = find_target
        self._do = do
        self._suites = suites
        self._intervals = dict(list_intervals(databases, suites))
        self._done: dict[Name, datetime] = {}

    def list_rounds(self) -> Iterable[Round]:
        """Each check with its interval."""
        for name, every in self._intervals.items():
            is_smoke = name.check is CheckName.SMOKE
            look = self._make_run(name) if is_smoke else self._make_look(name)
            yield Round(name=str(name), interval=every, look=look)

    def _make_run(self, name: Name) -> Callable[[datetime], Awaitable[None]]:
        smoke = self._suites.find_check(name.database)

        async def look(at: datetime) -> None:
            waivers = self._find_target(name.database).waivers
            checkup = await smoke.run(name.suite, waivers)
            async with smoke.writing:
                await self._do(msgspec.structs.replace(checkup, round=str(name)), at)

        return look

    def _make_check(self, name: Name) -> OrphanCheck | AssertionCheck:
        database = self._databases[name.database]
        if name.check is CheckName.ORPHANS:
            return OrphanCheck(make_orphan_plan(database))
        asked = SmokeDatabase(database.dsn, make_deadlines(database))
        return AssertionCheck(database.assertions.make_assertions(), asked)

    def _make_look(self, name: Name) -> Callable[[datetime], Awaitable[None]]:
        check = self._make_check(name)

        async def look(at: datetime) -> None:
            target = self._find_target(name.database)

            async def run(at: datetime, before: CheckRecord | None) -> CheckReport:
                return await check.run(target, at, before)

            checkup = Checkup(
                target.environment, name.database, name.check, run, target.waivers, str(name)
            )
            await self._do(checkup, at)

        return look

    def remember(self, record: CheckRecord) -> None:
        """Note when a check was done last, before the agent started."""
        is_done = record.check is CheckName.ORPHANS and record.report.unknown is None
        if is_done and record.last_success is not None:
            self._done[Name(record.database, record.check)] = record.last_success

    def list_delays(self, now: datetime) -> dict[str, timedelta]:
        """How long those wait that were done not long ago: a restart is no reason to count."""
        return {
            str(name): max(self._done[name] + every - now, timedelta(0))
            for name, every in self._intervals.items()
            if name in self._done and every is not None
        }

    def list_names(self, database: str, *, is_deployed: bool = False) -> list[str]:
        """The checks of one database, as the schedule calls them.

        Args:
            database: its configured name.
            is_deployed: only those that a deployment asks for.
        """
        return [
            str(name)
            for name in self._intervals
            if name.database == database and not (is_deployed and self._is_left_alone(name))
        ]

    def list_deployed_suites(self, database: str) -> list[str]:
        """The smoke suites of a database that a deployment asks for."""
        suites = self._suites.by_database.get(database, {}).values()
        return [suite.name for suite in suites if suite.is_run_after_deploy]

    def is_configured(self, record: CheckRecord) -> bool:
        """Whether a check that the ledger knows of is still done."""
        places = {(name.database, name.check) for name in self._intervals}
        return (record.database, record.check) in places

    def _is_left_alone(self, name: Name) -> bool:
        """Whether it is a suite that no deployment asks for."""
        suite = self._suites.by_database.get(name.database, {}).get(name.suite)
        return suite is not None and not suite.is_run_after_deploy
