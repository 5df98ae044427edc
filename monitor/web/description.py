"""How what is remembered becomes a document: pure, without a store and without a clock."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, overload

from monitor.core.acknowledgement import Acknowledgement
from monitor.core.cause import find_cause
from monitor.core.checkup import CheckRecord
from monitor.core.findings import Evidence, Finding, FindingClass, Severity, Unknown, get_worst
from monitor.core.graph import GraphRow
from monitor.core.incidents import Event, Incident
from monitor.core.keys import ObjectKey
from monitor.core.message import choose_command, describe_class
from monitor.core.record import Record
from monitor.core.rules import RULES
from monitor.core.smoke import StepStatus, choose_worst
from monitor.core.verdict import State
from monitor.core.waivers import Accepted, Ignored, digest_all, is_waivable
from monitor.sinks.delivery import DeliveryStatus, Outcome
from monitor.sinks.past_looks import Look
from monitor.web.answers import (
    AcceptedAnswer,
    AcknowledgementAnswer,
    DatabaseAnswer,
    DatabasePage,
    DeliveryAnswer,
    EventAnswer,
    EvidenceAnswer,
    FindingAnswer,
    GraphRowAnswer,
    IgnoredAnswer,
    IncidentAnswer,
    IncidentPage,
    LookAnswer,
    RuleAnswer,
    UnknownAnswer,
)
from monitor.web.checks import describe_checks
from monitor.web.incident_looks import IncidentLooks
from monitor.web.view import Configured

OVERDUE_INTERVALS: Final = 3
"""Intervals without a look after which a database counts as overdue."""

OVERDUE_GRACE: Final = timedelta(seconds=60)
"""What a short interval is granted on top: one slow look is not a stopped agent."""


def describe_database(
    record: Record | None,
    configured: Configured | None,
    now: datetime,
    checks: Sequence[CheckRecord] = (),
) -> DatabaseAnswer:
    """What is said of a database that was looked at, is configured, or both.

    One that was never looked at is unknown.

    Args:
        record: what the last look left, with what the checks found.
        configured: its entry in the configuration.
        now: the time.
        checks: what goes beyond its schema, as it was done last.
    """
    known = _describe_record(record, now) if record else _describe_unseen(configured)
    return DatabaseAnswer(
        **known,
        orphans=count_orphans(checks),
        smoke=choose_smoke(checks),
        interval=configured.interval_seconds if configured else None,
        compared_with=configured.expected if configured else None,
        enabled=configured is not None and configured.is_enabled,
        overdue=_is_overdue(record, configured, now),
        looking=configured is not None and configured.is_looking,
        problem=configured.problem if configured else None,
    )


def _describe_record(record: Record, now: datetime) -> dict[str, Any]:
    report = record.report
    is_open = record.window_until is not None and record.window_until > now
    return {
        "name": record.database,
        "environment": record.environment,
        "state": record.state,
        "since": to_utc(record.state_since),
        "revision": _join(record.revisions),
        "expected": _join(report.expected_revisions),
        "differences": _count_differences(record),
        "last_look": to_utc(report.at),
        "state_code": record.state.meaning.code,
        "severity": max(
            record.state.meaning.severity, get_worst(report.findings), key=lambda s: s.rank
        ),
        "summary": report.summary,
        "by_severity": count_severities(report.findings),
        "difference_severities": count_severities(list(filter(_is_difference, report.findings))),
        "pending": len(report.pending) if report.pending is not None else None,
        "waived": {"accepted": len(report.accepted), "ignored": len(report.ignored)},
        "window_until": to_utc(record.window_until) if is_open else None,
        "last_success": to_utc(record.last_success),
    }


def _describe_unseen(configured: Configured | None) -> dict[str, Any]:
    """A database that nobody has looked at yet."""
    assert configured is not None  # noqa: S101  # the caller has one of the two
    if configured.problem:
        summary = "Its configuration is wrong, so nobody looks at it."
    elif configured.is_enabled:
        summary = "Not looked at yet."
    else:
        summary = "Disabled in the configuration."
    return {
        "name": configured.name,
        "environment": configured.environment,
        "state": State.UNKNOWN,
        "since": None,
        "revision": None,
        "expected": None,
        "differences": None,
        "last_look": None,
        "state_code": State.UNKNOWN.meaning.code,
        "severity": State.UNKNOWN.meaning.severity,
        "summary": summary,
        "by_severity": count_severities(()),
        "difference_severities": count_severities(()),
        "pending": None,
        "waived": {"accepted": 0, "ignored": 0},
        "window_until": None,
        "last_success": None,
    }


def _count_differences(record: Record) -> int | None:
    if FindingClass.DRIFT not in record.report.judged:
        return None
    return sum(map(_is_difference, record.report.findings))


def _is_difference(finding: Finding) -> bool:
    rule = RULES.get(finding.code)
    return rule is not None and rule.finding_class is FindingClass.DRIFT


def count_orphans(checks: Sequence[CheckRecord]) -> int | None:
    """Rows without a parent in all relations together; None where nobody has counted any."""
    counted = [tally.orphans for check in checks for tally in check.report.tallies]
    known = [orphans for orphans in counted if orphans is not None]
    return sum(known) if known else None


def choose_smoke(checks: Sequence[CheckRecord]) -> StepStatus | None:
    """The worst of the suites as they ran last; None where none has."""
    ran = [suite.outcome.status for check in checks for suite in check.report.suites]
    return choose_worst(ran) if ran else None


def count_severities(findings: Sequence[Finding]) -> dict[Severity, int]:
    """How many findings there are of each severity, the worst first."""
    severities = [finding.severity for finding in findings]
    return {severity: severities.count(severity) for severity in reversed(Severity)}


def _is_overdue(record: Record | None, configured: Configured | None, now: datetime) -> bool:
    if record is None or configured is None or not configured.is_enabled:
        return False
    if configured.interval_seconds is None:
        return False
    patience = timedelta(seconds=configured.interval_seconds) * OVERDUE_INTERVALS
    return now - record.report.at > patience + OVERDUE_GRACE


def _join(revisions: tuple[str, ...] | None) -> str | None:
    """One revision as it is, several joined by commas, none as null."""
    return ",".join(revisions) if revisions else None


def describe_finding(finding: Finding) -> FindingAnswer:
    """A finding, its key in its parts."""
    return FindingAnswer(**_list_finding(finding))


def _list_finding(finding: Finding) -> dict[str, Any]:
    rule = RULES.get(finding.code)
    return {
        "id": finding.id,
        "code": finding.code,
        "severity": finding.severity,
        "finding_class": rule.finding_class if rule else FindingClass.UNKNOWN,
        **list_key(finding.key),
        "title": finding.title,
        "evidence": tuple(_describe_evidence(evidence) for evidence in finding.evidence),
        "remedy": finding.remedy,
        "why": rule.why if rule else "",
        "digest": finding.digest,
        "acceptable": is_waivable(finding),
    }


def list_key(key: ObjectKey | None) -> dict[str, str | None]:
    """The parts of an object's key; all null for the database as a whole."""
    return {
        "kind": key.kind.value if key else None,
        "schema_name": key.schema if key else None,
        "parent": key.parent if key else None,
        "name": key.name if key else None,
    }


def describe_accepted(accepted: Accepted) -> AcceptedAnswer:
    """A finding that is accepted, with the reason."""
    acceptance = accepted.acceptance
    return AcceptedAnswer(
        **_list_finding(accepted.finding),
        reason=acceptance.reason,
        until=acceptance.until,
        by=acceptance.by,
        at=to_utc(acceptance.at),
    )


def describe_ignored(ignored: Ignored) -> IgnoredAnswer:
    """A finding that is ignored, with the rule."""
    rule = ignored.rule
    return IgnoredAnswer(
        **_list_finding(ignored.finding),
        reason=rule.reason,
        until=rule.until,
        rule=RuleAnswer(code=rule.code, object=rule.object),
    )


def _describe_evidence(evidence: Evidence) -> EvidenceAnswer:
    return EvidenceAnswer(name=evidence.name, expected=evidence.expected, actual=evidence.actual)


def describe_findings(findings: Sequence[Finding]) -> tuple[FindingAnswer, ...]:
    """The worst first, then by identity."""
    ordered = sorted(findings, key=lambda f: (-f.severity.rank, f.identity))
    return tuple(describe_finding(finding) for finding in ordered)


def describe_unknown(unknown: Unknown) -> UnknownAnswer:
    """What could not be looked at."""
    return UnknownAnswer(
        finding_class=unknown.finding_class,
        code=unknown.code,
        message=unknown.message,
        next=unknown.next_step,
    )


def describe_incident(incident: Incident) -> IncidentAnswer:
    """An incident as it stands."""
    return IncidentAnswer(
        **_list_incident(incident), findings=describe_findings(incident.findings)
    )


def summarise_incident(incident: Incident) -> IncidentAnswer:
    """An incident as lists show it: without its findings, of which there may be thousands."""
    return IncidentAnswer(**_list_incident(incident), findings=())


def describe_incident_detail(
    incident: Incident,
    events: Sequence[Event],
    deliveries: Sequence[Outcome],
    looks: IncidentLooks,
) -> IncidentPage:
    """An incident with what was told about it and where, and the looks while it lasted."""
    return IncidentPage(
        **_list_incident(incident),
        findings=describe_findings(incident.findings),
        events=tuple(_describe_event(event) for event in events),
        deliveries=tuple(_describe_delivery(outcome) for outcome in deliveries),
        looks=looks.runs,
        looks_are_whole=looks.are_whole,
        earlier_looks=looks.earlier,
    )


def _describe_event(event: Event) -> EventAnswer:
    return EventAnswer(version=event.version, kind=event.kind, at=to_utc(event.at))


def _describe_delivery(outcome: Outcome) -> DeliveryAnswer:
    """A channel may answer anything: its receipt was made one short printable line."""
    is_waiting = outcome.status is DeliveryStatus.PENDING
    return DeliveryAnswer(
        channel=outcome.delivery.channel,
        version=outcome.delivery.version,
        kind=outcome.delivery.kind,
        status=outcome.status,
        attempts=outcome.delivery.attempts,
        due=to_utc(outcome.due) if is_waiting else None,
        ended=to_utc(outcome.ended),
        reason=outcome.reason,
        receipt=outcome.receipt,
        may_have_arrived=outcome.may_have_arrived,
        held=outcome.delivery.held if is_waiting else None,
    )


def _list_incident(incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "environment": incident.environment,
        "database": incident.database,
        "finding_class": incident.finding_class,
        "status": incident.status,
        "severity": incident.severity,
        "headline": describe_class(incident),
        "cause": find_cause(incident),
        "command": choose_command(incident),
        "acknowledged": _describe_acknowledgement(incident.acknowledged),
        "flapping_since": to_utc(incident.flapping_since),
        "first_seen": to_utc(incident.first_seen),
        "last_seen": to_utc(incident.last_seen),
        "opened_at": to_utc(incident.opened_at),
        "resolved_at": to_utc(incident.resolved_at),
        "was_there_at_first_look": incident.is_initial,
        "waived": incident.waived,
    }


def _describe_acknowledgement(known: Acknowledgement | None) -> AcknowledgementAnswer | None:
    if known is None:
        return None
    return AcknowledgementAnswer(by=known.by, at=to_utc(known.at), note=known.note)


def describe_look(look: Look) -> LookAnswer:
    """One look of the past."""
    return LookAnswer(
        at=to_utc(look.at), seconds=look.seconds, state=look.state, findings=look.findings
    )


def describe_row(row: GraphRow) -> GraphRowAnswer:
    """One line of the history."""
    return GraphRowAnswer(
        cells=row.cells, revision=row.revision, marks=row.marks, folded=row.folded
    )


def describe_database_detail(
    base: DatabaseAnswer,
    record: Record | None,
    *,
    incidents: Sequence[Incident],
    looks: Sequence[Look],
    checks: Sequence[CheckRecord],
) -> DatabasePage:
    """One database with everything that is known of it."""
    report = record.report if record else None
    return DatabasePage(
        **dict(base),
        findings=describe_findings(report.findings if report else ()),
        seen=digest_all(filter(is_waivable, report.findings if report else ())),
        accepted=tuple(map(describe_accepted, report.accepted if report else ())),
        ignored=tuple(map(describe_ignored, report.ignored if report else ())),
        unknowns=tuple(describe_unknown(u) for u in (report.unknowns if report else ())),
        checks=describe_checks(checks),
        notes=report.notes if report else (),
        server_version=report.server_version if report else None,
        incidents=tuple(describe_incident(incident) for incident in incidents),
        looks=tuple(describe_look(look) for look in looks),
        graph=tuple(map(describe_row, report.graph if report else ())),
    )


@overload
def to_utc(at: datetime) -> datetime: ...
@overload
def to_utc(at: None) -> None: ...
def to_utc(at: datetime | None) -> datetime | None:
    """The same moment in UTC, so that it is written with a Z."""
    return at.astimezone(UTC) if at is not None else None
