"""Does the looks and the checks that the schedule asks for, and shows what they came to."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

import structlog

from monitor.agent.choices import BROKEN_EVERY, choose_interval
from monitor.agent.roster import Roster
from monitor.agent.trouble import Trouble
from monitor.config.databases import DatabaseSettings
from monitor.config.flaws import make_error
from monitor.core.errors import StoreError
from monitor.core.findings import Severity
from monitor.core.incidents import Event, Incident, Status
from monitor.sinks.metrics import Metrics
from monitor.watch.checkup import Checkup
from monitor.watch.fleet import Round
from monitor.watch.pipeline import Decided, Pipeline
from monitor.watch.shelf import Shelf
from monitor.watch.target import Target

_log = structlog.get_logger()

REPEAT_AFTER: Final = timedelta(minutes=5)
"""When a look is repeated that the ledger lost, if none would come before."""

LOOK: Final = "look"
"""What the trouble with the ledger is called that looks and checks have."""


class Looks:
    """Looks at databases, and shows in metrics and logs what was decided.

    Args:
        roster: the databases.
        pipeline: does a look, and decides in the ledger.
        find_target: what a look at a database is at.
        metrics: where it shows.
        shelf: where the last snapshots lie.
        trouble: told of a ledger that fails.
        ask: asks for a round by its name.
    """

    def __init__(  # noqa: PLR0913  # what it needs of the agent, by name
        self,
        roster: Roster,
        *,
        pipeline: Pipeline,
        find_target: Callable[[str], Target],
        metrics: Metrics,
        shelf: Shelf,
        trouble: Trouble,
        ask: Callable[[str], None],
    ) -> None:
        self._roster = roster
        self._pipeline = pipeline
        self._find_target = find_target
        self._metrics = metrics
        self._shelf = shelf
        self._trouble = trouble
        self._ask = ask
        self._superusers: set[str] = set()

    def list_rounds(self) -> Iterator[Round]:
        """The look at each database, with its interval."""
        for name, database in self._roster.databases.items():
            yield self._make_round(name, database)
        for name in self._roster.broken:
            yield self._make_broken_round(name)

    def _make_round(self, name: str, database: DatabaseSettings) -> Round:
        async def look(at: datetime) -> None:
            if not await self._conclude(name, self._pipeline.look(self._find_target(name), at)):
                self._repeat(name, database)

        return Round(
            name=name,
            interval=choose_interval(database),
            look=look,
            min_interval=database.min_interval,
        )

    def _make_broken_round(self, name: str) -> Round:
        """An entry that cannot be used is told as any look that fails, until it is mended."""
        environment = self._roster.find_environment(name)
        error = make_error([self._roster.broken[name]])

        async def look(at: datetime) -> None:
            await self._conclude(name, self._pipeline.fail(environment, name, at, error))

        return Round(name=name, interval=BROKEN_EVERY, look=look, min_interval=timedelta(0))

    async def _conclude(self, name: str, look: Awaitable[Decided | None]) -> bool:
        """Show what a look came to; False where the ledger did not take it."""
        try:
            decided = await look
        except StoreError as error:
            self._note_lost(name, error)
            return False
        self._trouble.clear_ledger(LOOK)
        if decided is not None:
            self._warn_of_superuser(decided)
            await self._show(decided)
        return True

    async def check(self, checkup: Checkup, at: datetime) -> None:
        """Do a check, and show what it came to."""
        name = checkup.database
        try:
            checked = await self._pipeline.check(checkup, at)
        except StoreError as error:
            self._note_lost(name, error)
            return
        self._trouble.clear_ledger(LOOK)
        if checked is None:
            return
        self._count_events(name, checked.incidents, checked.events)
        self._metrics.see_check(checked.record, count_open(checked.unresolved.values()))
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

    def _note_lost(self, name: str, error: StoreError) -> None:
        _log.error("nothing was decided, the ledger failed", database=name, error=str(error))
        self._trouble.note(error)
        self._trouble.note_ledger(LOOK, error)

    def _repeat(self, name: str, database: DatabaseSettings) -> None:
        """Look again after a while, where the next look is far away or would never come."""
        interval = choose_interval(database)
        if interval is None or interval > REPEAT_AFTER:
            self._ask_later(name)

    def _ask_later(self, name: str) -> None:
        """Ask for a round after a while; one that is due before comes before."""
        loop = asyncio.get_running_loop()
        loop.call_later(REPEAT_AFTER.total_seconds(), self._ask, name)

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
        if record.database in self._roster.databases:
            expected = self._roster.name_expectation(record.database)
            self._metrics.expect(record.database, expected or "baseline")
        self._metrics.see(record, count_open(decided.unresolved.values()))
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
            self._metrics.count_event(name, classes[event.incident], event.kind)


def count_open(incidents: Iterable[Incident]) -> Counter[Severity]:
    """How many of them are more than a suspicion, by severity."""
    return Counter(i.severity for i in incidents if i.status is not Status.SUSPECTED)
