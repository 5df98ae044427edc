"""A run of a smoke suite as a check of the database that it belongs to."""

import asyncio
from collections.abc import Collection, Mapping
from datetime import datetime

import msgspec

from monitor.checks.smoke import SmokeDatabase, SmokeRunner
from monitor.core.checkup import CheckName, CheckRecord, CheckReport
from monitor.core.smoke import Suite
from monitor.core.suite_states import advance_suite, find_broken, put, summarise_suites
from monitor.core.waivers import Waivers
from monitor.watch.checkup import Checkup


class SmokeCheck:
    """The suites of one database.

    Args:
        environment: where it runs.
        database: its configured name.
        suites: by name.
        asked: what their SQL steps ask.
        runner: one for the process.
    """

    def __init__(
        self,
        environment: str,
        database: str,
        suites: Mapping[str, Suite],
        asked: SmokeDatabase,
        runner: SmokeRunner,
    ) -> None:
        self._environment = environment
        self._database = database
        self._suites = suites
        self._asked = asked
        self._runner = runner
        self.writing = asyncio.Lock()

    async def run(self, name: str, waivers: Waivers) -> Checkup:
        """Run one suite; what came of it is put beside the others when the checkup is done.

        So the record of a database is held for a moment only, however long a run takes.
        """
        suite = self._suites[name]
        outcome = await self._runner.run(suite, self._asked)
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
                summary=summarise_suites(kept),
            )

        return Checkup(self._environment, self._database, CheckName.SMOKE, conclude, waivers)

    def _list_names(self) -> Collection[str]:
        return self._suites.keys()
