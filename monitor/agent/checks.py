"""The checks of every database beside the look at its schema: when they are due, and what runs."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from monitor.agent.choices import make_orphan_plan
from monitor.config.databases import DatabaseSettings
from monitor.core.checkup import CheckName, CheckRecord, CheckReport
from monitor.watch.checkup import Checkup
from monitor.watch.fleet import Round
from monitor.watch.orphans import OrphanCheck
from monitor.watch.target import Target


class Name(NamedTuple):
    """A check of a database."""

    database: str
    check: CheckName

    def __str__(self) -> str:
        """What the schedule calls it; the name of a database has no blank."""
        return f"{self.database} {self.check.value}"


def list_intervals(
    databases: Mapping[str, DatabaseSettings],
) -> Iterator[tuple[Name, timedelta | None]]:
    """The checks that there are, and how often each is done; None for only when asked."""
    for name, database in databases.items():
        if database.orphans.enabled:
            every = database.orphans.every if database.wake else None
            yield Name(name, CheckName.ORPHANS), every


class Checks:
    """The checks of every database.

    Args:
        databases: those that are watched.
        find_target: what a look at one of them is at.
        do: does a check, and shows what it came to.
    """

    def __init__(
        self,
        databases: Mapping[str, DatabaseSettings],
        *,
        find_target: Callable[[str], Target],
        do: Callable[[Checkup, datetime], Awaitable[None]],
    ) -> None:
        self._databases = databases
        self._find_target = find_target
        self._do = do
        self._intervals = dict(list_intervals(databases))
        self._done: dict[Name, datetime] = {}

    def list_rounds(self) -> Iterable[Round]:
        """Each check with its interval."""
        for name, every in self._intervals.items():
            yield Round(name=str(name), interval=every, look=self._make_look(name))

    def _make_look(self, name: Name) -> Callable[[datetime], Awaitable[None]]:
        orphans = OrphanCheck(make_orphan_plan(self._databases[name.database]))

        async def look(at: datetime) -> None:
            target = self._find_target(name.database)

            async def run(at: datetime, before: CheckRecord | None) -> CheckReport:
                return await orphans.run(target, at, before)

            await self._do(
                Checkup(target.environment, name.database, name.check, run, target.waivers), at
            )

        return look

    def remember(self, record: CheckRecord) -> None:
        """Note when a check was done last, before the agent started."""
        self._done[Name(record.database, record.check)] = record.report.at

    def list_delays(self, now: datetime) -> dict[str, timedelta]:
        """How long those wait that were done not long ago: a restart is no reason to count."""
        return {
            str(name): max(self._done[name] + every - now, timedelta(0))
            for name, every in self._intervals.items()
            if name in self._done and every is not None
        }

    def list_names(self, database: str) -> list[str]:
        """The checks of one database, as the schedule calls them."""
        return [str(name) for name in self._intervals if name.database == database]
