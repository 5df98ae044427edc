"""What a check of a database found that goes beyond its schema, and what is remembered of it.

Rows without a parent, assertions, smoke tests: each has a schedule, a record and an incident of
its own, and goes the way of every look: findings, ledger, outbox, metrics, pages.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from monitor.core.assertions import AssertionState
from monitor.core.findings import Evidence, Finding, FindingClass, Severity, Unknown
from monitor.core.orphans import Tally
from monitor.core.overall import find_overall
from monitor.core.report import Report
from monitor.core.rule import Rule
from monitor.core.rules_data import NOT_EVALUATED, UNCOUNTED
from monitor.core.rules_smoke import SMOKE_UNKNOWN
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
        ran: the suite that was run.
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
    ran: str = ""

    @property
    def waived(self) -> tuple[Finding, ...]:
        """What is wrong and not told."""
        ignored = [one.finding for one in self.ignored]
        return (*ignored, *(one.finding for one in self.accepted))

    @property
    def judged(self) -> frozenset[FindingClass]:
        """Its class; where it could not be done, what was known is among the findings."""
        return frozenset({self.check.finding_class})

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
        failures: how many times in a row it could not.
        looks: how often it was done; also the fence against another agent.
    """

    environment: str
    database: str
    check: CheckName
    report: CheckReport
    last_success: datetime | None = None
    failures: int = 0
    looks: int = 1


TOLD_AFTER: Final = 2
"""Times in a row that a check cannot be done before people are told."""
_CANNOT: Final[Mapping[CheckName, Rule]] = {
    CheckName.ORPHANS: UNCOUNTED,
    CheckName.DATA: NOT_EVALUATED,
    CheckName.SMOKE: SMOKE_UNKNOWN,
}
_TOLD_ELSEWHERE: Final = "unreachable"
"""That nobody can connect is told by the look at the schema."""


def keep_known(before: CheckRecord | None, report: CheckReport) -> CheckReport:
    """The report; of a check that could not be done, with all that was known and with that.

    Unknown is never the end of what was found, and is told when it goes on.
    """
    if report.unknown is None:
        return report
    finding = _find_unknown(report, report.unknown, _count_failures(before))
    if before is None:
        return msgspec.structs.replace(report, findings=(finding,))
    was = before.report
    known = (*was.findings, *was.waived)
    findings = [one for one in known if one.identity != finding.identity]
    return msgspec.structs.replace(
        was,
        at=report.at,
        seconds=report.seconds,
        unknown=report.unknown,
        summary=report.summary,
        findings=tuple(sorted([*findings, finding], key=lambda one: one.identity)),
        ignored=(),
        accepted=(),
    )


def _count_failures(before: CheckRecord | None) -> int:
    """Times in a row, with one more that cannot be done."""
    return (before.failures if before else 0) + 1


def _find_unknown(report: CheckReport, unknown: Unknown, failures: int) -> Finding:
    rule = _CANNOT[report.check]
    is_told = failures >= TOLD_AFTER and unknown.code != _TOLD_ELSEWHERE
    finding = find_overall(
        rule,
        environment=report.environment,
        database=report.database,
        title=f"the check for {report.check.value} cannot be done: {unknown.message}",
        evidence=(Evidence(name="reason", expected=None, actual=unknown.code),),
        remedy=unknown.next_step,
    )
    severity = rule.severity if is_told else Severity.INFO
    return msgspec.structs.replace(finding, severity=severity)


def advance_check(before: CheckRecord | None, report: CheckReport) -> CheckRecord:
    """The record after a check; what was known stays where it could not be done."""
    is_done = report.unknown is None
    return CheckRecord(
        environment=report.environment,
        database=report.database,
        check=report.check,
        report=report,
        last_success=report.at if is_done else before.last_success if before else None,
        failures=0 if is_done else _count_failures(before),
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
