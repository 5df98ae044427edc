"""What a check of a database found that goes beyond its schema, and what is remembered of it.

Rows without a parent, assertions, smoke tests: each has a schedule, a record and an incident of
its own, and goes the way of every look: findings, ledger, outbox, metrics, pages.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

import msgspec

from monitor.core.assertions import AssertionState
from monitor.core.findings import Finding, FindingClass, Unknown
from monitor.core.orphans import Tally
from monitor.core.report import Report
from monitor.core.suite_states import SuiteState
from monitor.core.waivers import Accepted, Ignored


class CheckName(StrEnum):
    """The checks that there are, as metrics and the API name them."""

    ORPHANS = "orphans"
    DATA = "data"
    SMOKE = "smoke"

    @property
    def finding_class(self) -> FindingClass:
        """The incident that its findings go to."""
        return FindingClass(self.value)


class CheckReport(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one check.

    Attributes:
        environment: where the database runs.
        database: its configured name.
        check: which one.
        at: when it began, UTC.
        seconds: how long it took.
        findings: all that is wrong and told, sorted by identity.
        unknown: why the check as a whole could not be done; None where it could.
        summary: one sentence for a person.
        ignored: what is wrong, and ignored by a rule.
        accepted: what is wrong, and accepted as it is.
        tallies: what is known of each relation, of the check for orphans.
        assertions: how each assertion stands, of the check for data.
        suites: how each suite stands, of smoke tests.
    """

    environment: str
    database: str
    check: CheckName
    at: datetime
    seconds: float = 0.0
    findings: tuple[Finding, ...] = ()
    unknown: Unknown | None = None
    summary: str = ""
    ignored: tuple[Ignored, ...] = ()
    accepted: tuple[Accepted, ...] = ()
    tallies: tuple[Tally, ...] = ()
    assertions: tuple[AssertionState, ...] = ()
    suites: tuple[SuiteState, ...] = ()

    @property
    def waived(self) -> tuple[Finding, ...]:
        """What is wrong and not told."""
        ignored = [one.finding for one in self.ignored]
        return (*ignored, *(one.finding for one in self.accepted))

    @property
    def judged(self) -> frozenset[FindingClass]:
        """Its class, where it could be done: else what was open stays open."""
        return frozenset() if self.unknown else frozenset({self.check.finding_class})

    @property
    def is_emptied(self) -> bool:
        """Whether every table is gone: that is for the schema to say."""
        return False


class CheckRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One check of one database as it was done last.

    Attributes:
        environment: where the database runs.
        database: its configured name.
        check: which one.
        report: the last one.
        last_success: when it could be done last.
        looks: how often it was done; also the fence against another agent.
    """

    environment: str
    database: str
    check: CheckName
    report: CheckReport
    last_success: datetime | None = None
    looks: int = 1


def advance_check(before: CheckRecord | None, report: CheckReport) -> CheckRecord:
    """The record after a check; one that could not be done leaves what was known."""
    if report.unknown is not None and before is not None:
        report = msgspec.structs.replace(
            before.report,
            at=report.at,
            seconds=report.seconds,
            unknown=report.unknown,
            summary=report.summary,
        )
    succeeded = report.at if report.unknown is None else None
    return CheckRecord(
        environment=report.environment,
        database=report.database,
        check=report.check,
        report=report,
        last_success=succeeded or (before.last_success if before else None),
        looks=before.looks + 1 if before else 1,
    )


def add_checks(report: Report, checks: Iterable[CheckRecord]) -> Report:
    """The last look at a database, with what its checks found: all that is wrong there."""
    for check in checks:
        found = check.report
        findings = sorted((*report.findings, *found.findings), key=lambda one: one.identity)
        report = msgspec.structs.replace(
            report,
            findings=tuple(findings),
            unknowns=(*report.unknowns, *((found.unknown,) if found.unknown else ())),
            ignored=(*report.ignored, *found.ignored),
            accepted=(*report.accepted, *found.accepted),
            others=(*report.others, found.check.finding_class),
        )
    return report
