"""What is looked at beside the schema, as documents of the JSON interface and the page."""

from collections.abc import Iterable
from datetime import UTC, datetime

from monitor.core.checkup import CheckRecord, CheckReport
from monitor.core.orphans import Tally
from monitor.core.relation_text import write_relation
from monitor.core.smoke import StepOutcome
from monitor.core.suite_states import SuiteState
from monitor.web.check_answers import (
    CheckAnswer,
    CheckedAssertionAnswer,
    CheckedRelationAnswer,
    CheckedStepAnswer,
    CheckedSuiteAnswer,
)


def describe_checks(checks: Iterable[CheckRecord]) -> tuple[CheckAnswer, ...]:
    """Every check as it was done last, by name."""
    return tuple(map(_describe_check, sorted(checks, key=lambda one: one.check)))


def _describe_check(check: CheckRecord) -> CheckAnswer:
    report = check.report
    severities = [finding.severity for finding in report.findings]
    return CheckAnswer(
        name=check.check,
        at=report.at.astimezone(UTC),
        seconds=report.seconds,
        last_success=_write_moment(check.last_success),
        failures=check.failures,
        summary=report.summary,
        problem=report.unknown.message if report.unknown else None,
        severity=max(severities, key=lambda one: one.rank, default=None),
        complete=_is_complete(report),
        relations=tuple(map(_describe_tally, report.tallies)),
        assertions=tuple(
            CheckedAssertionAnswer(name=one.name, holds=one.holds, problem=one.problem or None)
            for one in report.assertions
        ),
        suites=tuple(map(_describe_suite, report.suites)),
    )


def _is_complete(report: CheckReport) -> bool:
    return (
        report.unknown is None
        and all(tally.is_complete for tally in report.tallies)
        and all(one.holds is not None and not one.problem for one in report.assertions)
    )


def _describe_tally(tally: Tally) -> CheckedRelationAnswer:
    return CheckedRelationAnswer(
        name=write_relation(tally.relation),
        orphans=tally.orphans,
        complete=tally.is_complete,
        counted_at=_write_moment(tally.count.at if tally.count else None),
        problem=tally.problem.message if tally.problem else None,
    )


def _describe_suite(state: SuiteState) -> CheckedSuiteAnswer:
    outcome = state.outcome
    return CheckedSuiteAnswer(
        name=state.name,
        status=outcome.status,
        at=outcome.at.astimezone(UTC),
        seconds=outcome.seconds,
        failures=state.bad,
        certificate_ends=_write_moment(outcome.first_expiry),
        steps=tuple(map(_describe_step, outcome.steps)),
    )


def _describe_step(step: StepOutcome) -> CheckedStepAnswer:
    """Without the command that repeats it, and without what was answered."""
    return CheckedStepAnswer(
        name=step.name, status=step.status, http_status=step.code, seconds=step.seconds
    )


def _write_moment(at: datetime | None) -> datetime | None:
    return at.astimezone(UTC) if at is not None else None
