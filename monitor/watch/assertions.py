"""The assertions of one database, evaluated as a check."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from monitor.checks.smoke import SmokeDatabase, SmokeRunner
from monitor.core.assertions import (
    Assertion,
    advance_assertion,
    index_states,
    list_asserted,
    summarise_assertions,
)
from monitor.core.checkup import CheckName, CheckRecord, CheckReport
from monitor.core.smoke import Suite
from monitor.watch.target import Target

_ALONE = "assertions"


class AssertionCheck:
    """The check of one database.

    Args:
        assertions: what is asserted; each by itself.
        asked: the database.
    """

    def __init__(self, assertions: Sequence[Assertion], asked: SmokeDatabase) -> None:
        self._assertions = assertions
        self._asked = asked
        self._runner = SmokeRunner()

    async def run(
        self, target: Target, at: datetime, before: CheckRecord | None = None
    ) -> CheckReport:
        """Evaluate all of them; never raises an error of ours."""
        begun = asyncio.get_running_loop().time()
        steps = tuple(assertion.step for assertion in self._assertions)
        outcome = await self._runner.run(Suite(name=_ALONE, steps=steps), self._asked)
        known = index_states(before.report.assertions if before else ())
        states = tuple(
            advance_assertion(
                assertion,
                known.get(assertion.name),
                step,
                environment=target.environment,
                database=target.database,
            )
            for assertion, step in zip(self._assertions, outcome.steps, strict=True)
        )
        return CheckReport(
            environment=target.environment,
            database=target.database,
            check=CheckName.DATA,
            at=at,
            seconds=round(asyncio.get_running_loop().time() - begun, 3),
            findings=list_asserted(
                states, environment=target.environment, database=target.database
            ),
            assertions=states,
            summary=summarise_assertions(states),
        )
