"""Deployments that were reported: everything is looked at a little later, and one line is told."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import structlog

from monitor.agent.choices import choose_environment
from monitor.config.databases import DatabaseSettings
from monitor.config.settings import Settings
from monitor.core.checkup import CheckName, CheckRecord, CheckReport, add_checks
from monitor.core.deploy_verdict import Outlook, Passed, judge_deployment
from monitor.core.deployment import Deployment, Phase, concerns
from monitor.core.errors import StoreError
from monitor.core.findings import Finding
from monitor.core.incidents import Event, Incident
from monitor.core.orphans import Tally
from monitor.core.record import Record
from monitor.core.smoke_findings import list_findings
from monitor.core.suite_states import SuiteState, count_steps
from monitor.sinks.claims import LEFT_FOR
from monitor.sinks.store import Store

_log = structlog.get_logger()

POLL_SECONDS: Final = 1.0
"""How often it is asked whether a deployment is due; a restart asks the ledger as well."""
LOOK_SECONDS: Final = 300.0
"""How long a verdict waits for its looks: people wait for it."""
_RECENT: Final = 20
_EARLIER: Final = timedelta(minutes=30)
"""Migrations run before a platform reports the deployment: so long before the move counts."""


class Seen(NamedTuple):
    """A database as the ledger has it after a deployment."""

    record: Record | None
    checks: Sequence[CheckRecord]


class Deploys:
    """Takes deployments, and concludes them.

    Args:
        settings: which databases each concerns.
        databases: those that are watched.
        store: where they wait.
        channels: where the verdict is told.
        look: looks at everything of a database.
        list_suites: the smoke suites of a database that a deployment asks for.
        name_expectation: what a database is compared with, in one word.
        observe: told of each deployment of a database, for metrics.
    """

    def __init__(  # noqa: PLR0913  # what it needs of the agent, by name
        self,
        settings: Settings,
        databases: Mapping[str, DatabaseSettings],
        *,
        store: Store,
        channels: Sequence[str],
        look: Callable[[str], Awaitable[None]],
        list_suites: Callable[[str], Collection[str]],
        name_expectation: Callable[[str], str | None],
        observe: Callable[[str, datetime], None],
    ) -> None:
        self._settings = settings
        self._databases = databases
        self._store = store
        self._channels = channels
        self._look = look
        self._list_suites = list_suites
        self._name_expectation = name_expectation
        self._observe = observe
        self._last: dict[str, datetime] = {}
        self._busy: set[str] = set()

    def find_last(self, database: str) -> datetime | None:
        """When the last deployment that concerns a database was reported."""
        return self._last.get(database)

    async def take(self, deployment: Deployment) -> bool | None:
        """Note a deployment; False where it was noted before, None where it concerns nobody here.

        Raises:
            StoreError: the ledger cannot be written.
        """
        concerned = self._list_concerned(deployment)
        if not concerned:
            _log.info("a deployment concerns no database here", deployment=deployment.id)
            return None
        if not await self._store.add_deployment(deployment):
            return False
        _log.info(
            "a deployment was reported",
            deployment=deployment.id,
            phase=deployment.phase.value,
            commit=deployment.commit,
            databases=concerned,
        )
        self._note(deployment)
        return True

    def _list_concerned(self, deployment: Deployment) -> list[str]:
        return [
            name
            for name, database in self._databases.items()
            if concerns(
                deployment,
                name,
                choose_environment(self._settings, database),
                database.services,
            )
        ]

    def _note(self, deployment: Deployment) -> None:
        if deployment.phase is not Phase.SUCCEEDED:
            return
        for name in self._list_concerned(deployment):
            self._last[name] = max(deployment.at, self._last.get(name, deployment.at))
            self._observe(name, self._last[name])

    async def restore(self) -> None:
        """Remember what was reported before the agent started."""
        for deployment in reversed(await self._store.list_deployments()):
            self._note(deployment)

    async def run(self, clock: Callable[[], datetime]) -> None:
        """Conclude what is due, until cancelled; what looks long holds up no other database."""
        async with asyncio.TaskGroup() as group:
            while True:
                with suppress(StoreError):  # the housekeeping tells of it
                    await self._begin_due(clock, group)
                await asyncio.sleep(POLL_SECONDS)

    async def _begin_due(self, clock: Callable[[], datetime], group: asyncio.TaskGroup) -> None:
        """Begin to conclude what is due: of a database one after the other, in order.

        Looked at side by side, each would be told what the other one did. What concerns nobody
        here is another agent's, and after a day nobody's.

        Raises:
            StoreError: the ledger cannot be read.
        """
        busy = set(self._busy)  # also what ends while the ledger is read, which may not know yet
        now = clock()
        for one in await self._list_due(now):
            concerned = self._list_concerned(one)
            is_ours = concerned or one.at < now - LEFT_FOR
            if is_ours and busy.isdisjoint(concerned):
                self._busy.update(concerned)
                group.create_task(self._conclude_once(one, concerned, clock))
            busy.update(concerned)

    async def _list_due(self, now: datetime) -> list[Deployment]:
        """What was deployed long enough ago, oldest first; what another agent took counts too.

        Raises:
            StoreError: the ledger cannot be read.
        """
        for deployment in await self._store.list_deployments(limit=_RECENT):
            self._note(deployment)
        before = now - self._settings.post_deploy_delay
        due = await self._store.list_deployments(before=before, is_waiting=True)
        return due[::-1]

    async def _conclude_once(
        self, deployment: Deployment, concerned: Sequence[str], clock: Callable[[], datetime]
    ) -> None:
        """Conclude it; where the ledger fails it is still due, and begun again."""
        try:
            with suppress(StoreError):  # as above
                await self._conclude(deployment, concerned, clock)
        finally:
            self._busy.difference_update(concerned)

    async def _conclude(
        self, deployment: Deployment, concerned: Sequence[str], clock: Callable[[], datetime]
    ) -> None:
        if deployment.phase is Phase.SUCCEEDED:
            with suppress(TimeoutError):  # what is not seen by then is not known
                async with asyncio.timeout(LOOK_SECONDS):
                    await asyncio.gather(*(self._look(name) for name in concerned))
        at = clock()
        verdicts = [await self._judge(deployment, name, at) for name in concerned]
        is_told = deployment.phase is Phase.SUCCEEDED
        await self._store.conclude_deployment(
            deployment.id,
            at,
            incidents=[incident for incident, _ in verdicts],
            events=tuple(event for _, event in verdicts) if is_told else (),
            channels=self._channels,
        )

    async def _judge(
        self, deployment: Deployment, name: str, at: datetime
    ) -> tuple[Incident, Event]:
        database = self._databases[name]
        environment = choose_environment(self._settings, database)
        seen = await self._load(environment, name)
        record = seen.record if _is_since(deployment, seen.record) else None
        checks = [check for check in seen.checks if check.report.at >= deployment.at]
        orphans, suites = _find_orphans(checks), _find_suites(checks, deployment)
        outlook = Outlook(
            deployment=deployment,
            environment=environment,
            database=name,
            at=at,
            before=_find_before(record, deployment),
            report=add_checks(record.report, checks) if record else None,
            expected=self._name_expectation(name),
            orphans=_count_orphans(orphans),
            counts_orphans=database.orphans.enabled and not _is_hidden(orphans),
            smoke=_count_steps(suites, self._list_suites(name)),
            failing=_list_failing(suites, environment),
        )
        return judge_deployment(outlook)

    async def _load(self, environment: str, name: str) -> Seen:
        record = await self._store.load(environment, name)
        return Seen(record, await self._store.list_checks(environment, name))


def _find_before(record: Record | None, deployment: Deployment) -> tuple[str, ...] | None:
    """The revisions before the deployment; None where they did not move."""
    move = record.move if record else None
    if move is None or move.at < deployment.at - _EARLIER:
        return None
    return move.before


def _is_since(deployment: Deployment, record: Record | None) -> bool:
    return record is not None and record.report.at >= deployment.at


def _find_orphans(checks: Sequence[CheckRecord]) -> CheckReport | None:
    """The check for orphans, where it could be done."""
    reports = (check.report for check in checks if check.check is CheckName.ORPHANS)
    return next((report for report in reports if report.unknown is None), None)


def _list_countable(report: CheckReport) -> list[Tally]:
    """What is known of relations that this role may count."""
    return [one for one in report.tallies if one.problem is None or not one.problem.is_expected]


def _is_hidden(report: CheckReport | None) -> bool:
    """Whether this role may count nothing of what there is: then nothing is said of orphans."""
    return report is not None and bool(report.tallies) and not _list_countable(report)


def _count_orphans(report: CheckReport | None) -> int | None:
    """Rows without a parent; None where somebody could not count them all."""
    if report is None:
        return None
    tallies = _list_countable(report)
    if not all(tally.is_complete for tally in tallies):
        return None
    return sum(tally.orphans or 0 for tally in tallies)


def _find_suites(checks: Sequence[CheckRecord], deployment: Deployment) -> Sequence[SuiteState]:
    """The suites that have run since the deployment."""
    states = [s for check in checks if check.check is CheckName.SMOKE for s in check.report.suites]
    return [state for state in states if state.outcome.at >= deployment.at]


def _count_steps(states: Sequence[SuiteState], names: Collection[str]) -> Passed | None:
    """The steps of the suites that a deployment asks for."""
    if not names:
        return None
    asked = [one for one in states if one.name in names]
    return Passed(*count_steps(asked), is_known=len(asked) == len(names))


def _list_failing(states: Sequence[SuiteState], environment: str) -> tuple[Finding, ...]:
    """What the last runs found: a deployment is judged by one, an incident by several."""
    return tuple(
        finding for state in states for finding in list_findings(state.outcome, environment)
    )
