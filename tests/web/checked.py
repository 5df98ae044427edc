"""A database with every check beside its schema, for the web tests."""

from datetime import timedelta
from typing import Final

from monitor.core.assertions import AssertionState
from monitor.core.checkup import CheckName, CheckRecord, CheckReport, advance_check
from monitor.core.findings import FindingClass, Severity, Unknown
from monitor.core.keys import Kind, ObjectKey
from monitor.core.orphans import Count, Problem, Tally
from monitor.core.relation import Origin, Relation
from monitor.core.smoke import Reason, StepOutcome, StepStatus, SuiteOutcome
from monitor.core.suite_states import SuiteState
from monitor.sinks.store import Decision, Store
from tests.web.builders import HOSTILE, NOW, a_finding

LATELY: Final = NOW - timedelta(minutes=7)


async def plant_checks(store: Store, database: str) -> None:
    """The checks of a database that was looked at; every name in them is a stranger's."""
    for record in list_checks(database):
        assert await store.commit(Decision(record=record, looks_before=None))


def list_checks(database: str) -> tuple[CheckRecord, ...]:
    """One record of each check: the last one could not be done since it was done once."""
    place = {"environment": "production", "database": database, "at": LATELY, "seconds": 1.25}
    orphans = CheckReport(
        check=CheckName.ORPHANS,
        summary="3 rows have lost their parents",
        findings=(a_finding(database, code="AW301", key=None, evidence=()),),
        tallies=(
            Tally(relation=a_relation("orders"), count=Count(orphans=3, at=LATELY)),
            Tally(relation=a_relation(HOSTILE), count=Count(orphans=0, at=LATELY)),
            Tally(
                relation=a_relation("events"),
                problem=Problem(code="too_slow", message=HOSTILE, next_step="Wait."),
            ),
        ),
        **place,  # type: ignore[arg-type]  # as the fields are
    )
    outcome = SuiteOutcome(
        name="signup " + HOSTILE,
        database=database,
        run_id="r1",
        at=LATELY,
        seconds=0.9,
        steps=(
            a_step("open the page", code=200, certificate_ends=NOW + timedelta(days=12)),
            a_step(HOSTILE, code=503, status=StepStatus.FAIL, reason=Reason.ASSERTION),
            a_step("ask", code=0, status=StepStatus.UNKNOWN, reason=Reason.TIMEOUT),
            a_step("clean up", status=StepStatus.SKIPPED),
        ),
    )
    smoke = CheckReport(
        check=CheckName.SMOKE,
        summary="0 of 1 smoke suite pass",
        findings=(
            a_finding(database, code="AW401", key=None, severity=Severity.CRITICAL, evidence=()),
        ),
        suites=(SuiteState(outcome=outcome, bad=2, is_told=True),),
        **place,  # type: ignore[arg-type]  # as the fields are
    )
    data = CheckReport(
        check=CheckName.DATA,
        summary=HOSTILE,
        unknown=Unknown(FindingClass.DATA, "refused", HOSTILE, "Grant it."),
        assertions=(
            AssertionState(name="no negative amounts", holds=True),
            AssertionState(name=HOSTILE, holds=None, problem=HOSTILE, failures=3),
        ),
        **place,  # type: ignore[arg-type]  # as the fields are
    )
    return tuple(advance_check(None, report) for report in (data, orphans, smoke))


def a_relation(child: str) -> Relation:
    """Rows of a table of `public` that need a customer."""
    key = ObjectKey(kind=Kind.FOREIGN_KEY, schema="public", parent=child, name=f"{child}_fkey")
    return Relation(
        key=key,
        origin=Origin.MISSING,
        child=("public", child),
        columns=("customer_id",),
        parent=("public", "customers"),
        referenced=("id",),
    )


def a_step(name: str, status: StepStatus = StepStatus.PASS, **changes: object) -> StepOutcome:
    """One step, tried once."""
    return StepOutcome(name=name, status=status, seconds=0.3, tries=1, **changes)  # type: ignore[arg-type]  # as the fields are
