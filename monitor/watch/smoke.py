"""A run of a smoke suite as a check of the database that it belongs to."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from functools import partial

import msgspec
import structlog

from monitor.checks.smoke import SmokeDatabase, SmokeRunner
from monitor.core.checkup import CheckName, CheckRecord, CheckReport
from monitor.core.errors import LookError
from monitor.core.fault import locate_fault
from monitor.core.smoke import StepOutcome, StepStatus, Suite, SuiteOutcome
from monitor.core.suite_states import advance_suite, find_broken, put, summarise_suites
from monitor.core.waivers import Waivers
from monitor.watch.bulkhead import contain
from monitor.watch.checkup import Checkup

_log = structlog.get_logger()


class SmokeCheck:
    """The suites of one database.

    Args:
        environment: where it runs.
        database: its configured name.
        suites: by name.
        asked: what their SQL steps ask.
        runner: one for the process.
        on_fault: told of an exception that nobody expected.
    """

    def __init__(  # noqa: PLR0913  # all by name; a class for them would only be taken apart here
        self,
        *,
        environment: str,
        database: str,
        suites: Mapping[str, Suite],
        asked: SmokeDatabase,
        runner: SmokeRunner,
        on_fault: Callable[[Exception], object],
    ) -> None:
        self._environment = environment
        self._database = database
        self._suites = suites
        self._asked = asked
        self._runner = runner
        self._on_fault = on_fault
        self.writing = asyncio.Lock()

    async def run(self, name: str, waivers: Waivers) -> Checkup:
        """Run one suite; what came of it is put beside the others when the checkup is done.

        So the record of a database is held for a moment only, however long a run takes.
        """
        suite = self._suites[name]
        outcome = await contain(
            self._runner.run(suite, self._asked),
            instead=partial(_break_off, suite),
            on_fault=lambda error: self._tell(name, error),
        )
        outcome = msgspec.structs.replace(outcome, database=self._database)

        async def conclude(at: datetime, before: CheckRecord | None) -> CheckReport:
            states = {state.name: state for state in (before.report.suites if before else ())}
            state = advance_suite(states.get(name), outcome, suite, self._environment)
            kept = put(states, state, self._list_names())
            return CheckReport(
                environment=self._environment,
                database=self._database,
                check=CheckName.SMOKE,
                at=at,
                seconds=round(outcome.seconds, 3),
                findings=find_broken(kept, self._environment),
                suites=kept,
                ran=name,
                summary=summarise_suites(kept),
            )

        return Checkup(self._environment, self._database, CheckName.SMOKE, conclude, waivers)

    def _list_names(self) -> Collection[str]:
        return self._suites.keys()

    def _tell(self, suite: str, error: Exception) -> None:
        self._on_fault(error)
        _log.error(
            "a suite broke",
            database=self._database,
            suite=suite,
            fault=locate_fault(error),
        )


def _break_off(suite: Suite, error: LookError) -> SuiteOutcome:
    """A run that broke: nothing is known, and that is not fine."""
    message = f"{error.message} {error.next_step}"
    step = StepOutcome(name="run", status=StepStatus.UNKNOWN, messages=(message,))
    return SuiteOutcome(
        name=suite.name,
        database=suite.database,
        run_id="",
        at=datetime.now(UTC),
        seconds=0.0,
        steps=(step,),
    )
