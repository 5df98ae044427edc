"""What a check that goes beyond a schema leaves behind, done or not."""

from datetime import UTC, datetime
from typing import Any

import pytest

from monitor.core.checkup import (
    CheckName,
    CheckRecord,
    CheckReport,
    advance_check,
    keep_known,
)
from monitor.core.findings import Finding, FindingClass, Severity, Unknown
from monitor.core.keys import Kind
from tests.core.builders import a_key

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
ORPHANS = Finding("AW303", Severity.WARNING, "live", "app", a_key(Kind.TABLE, "t"), "37 rows")
SLOW = Unknown(
    FindingClass.ORPHANS, code="too_slow", message="It took too long.", next_step="Wait."
)


def a_report(**said: Any) -> CheckReport:
    return CheckReport(
        environment="live",
        database="app",
        check=said.pop("check", CheckName.ORPHANS),
        at=NOW,
        **said,
    )


def follow(record: CheckRecord | None, report: CheckReport) -> CheckRecord:
    return advance_check(record, keep_known(record, report))


@pytest.mark.parametrize(
    ("check", "code"),
    [(CheckName.ORPHANS, "AW309"), (CheckName.DATA, "AW319"), (CheckName.SMOKE, "AW409")],
)
def test_what_cannot_be_done_is_remarked_and_then_told(check: CheckName, code: str) -> None:
    record, severities = None, []
    for _ in range(3):
        record = follow(record, a_report(check=check, unknown=SLOW))
        [finding] = record.report.findings
        assert (finding.code, finding.remedy) == (code, "Wait.")
        severities.append(finding.severity)
    assert severities[0] is Severity.INFO
    assert Severity.INFO not in severities[1:]
    assert record is not None
    assert (record.failures, record.looks, record.last_success) == (3, 3, None)


def test_what_was_found_stays_until_somebody_can_say_that_it_is_over() -> None:
    record = follow(None, a_report(findings=(ORPHANS,)))
    for failures in (1, 2, 3):
        record = follow(record, a_report(unknown=SLOW))
        assert {one.code for one in record.report.findings} == {"AW303", "AW309"}
        assert (record.failures, record.last_success) == (failures, NOW)
    record = follow(record, a_report())
    assert (record.report.findings, record.failures) == ((), 0)


def test_that_nobody_can_connect_is_told_by_the_look_alone() -> None:
    record = None
    for _ in range(3):
        lost = Unknown(FindingClass.ORPHANS, code="unreachable", message="No.", next_step="Look.")
        record = follow(record, a_report(unknown=lost))
        assert [one.severity for one in record.report.findings] == [Severity.INFO]
