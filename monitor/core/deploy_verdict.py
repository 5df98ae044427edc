"""What a deployment came to at one database, in one line.

production · 3f2a1c · a1409 -> b1cc7 · schema = lock ✓ · 0 orphans ✓ · smoke 4/4 ✓
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

import msgspec

from monitor.core.deployment import Deployment, Phase
from monitor.core.findings import Finding, FindingClass, Severity, get_worst
from monitor.core.incidents import Event, EventKind, Incident, Status
from monitor.core.report import Report
from monitor.core.rules import RULES
from monitor.core.verdict import State

_SHOWN: Final = 12
"""Characters of a revision or a commit that are shown."""
_GOOD, _BAD, _UNSURE = "✓", "✗", "?"
_RIGHT: Final = (State.IN_SYNC, State.UNCHANGED)


class Passed(msgspec.Struct, frozen=True):
    """How many steps of the suites of a database passed, of how many."""

    passed: int
    total: int


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """What was found at a database after a deployment.

    Attributes:
        deployment: what was deployed.
        environment: where the database runs.
        database: its configured name.
        at: when it was looked at.
        before: the revisions before; None where they are not known.
        report: the look, with what the checks found.
        expected: what it is compared with, in a word.
        orphans: rows without a parent; None where that is not known.
        counts_orphans: whether they are counted at all.
        smoke: the steps of its suites; None where it has none.
        failing: what is wrong with their last runs.
    """

    deployment: Deployment
    environment: str
    database: str
    at: datetime
    before: tuple[str, ...] | None
    report: Report | None
    expected: str | None
    orphans: int | None
    counts_orphans: bool
    smoke: Passed | None
    failing: tuple[Finding, ...] = ()


def judge_deployment(outlook: Outlook) -> tuple[Incident, Event]:
    """The verdict as something that is over at once, and the word about it."""
    findings = _list_findings(outlook)
    is_good = _is_good(outlook, findings)
    severity = Severity.INFO if is_good else get_worst(findings)
    incident = Incident(
        id=_make_id(outlook),
        environment=outlook.environment,
        database=outlook.database,
        finding_class=FindingClass.DEPLOY,
        status=Status.RESOLVED,
        severity=max(severity, Severity.INFO if is_good else Severity.WARNING, key=_rank),
        findings=findings,
        first_seen=outlook.deployment.at,
        last_seen=outlook.at,
        opened_at=outlook.deployment.at,
        resolved_at=outlook.at,
        version=1,
        headline=write_line(outlook),
    )
    return incident, Event(incident.id, incident.version, EventKind.VERDICT, outlook.at)


def _rank(severity: Severity) -> int:
    return severity.rank


def _make_id(outlook: Outlook) -> str:
    born = ("deploy", outlook.environment, outlook.database, outlook.deployment.id)
    return hashlib.sha256(msgspec.json.encode(born)).hexdigest()[:12]


def _list_findings(outlook: Outlook) -> tuple[Finding, ...]:
    """What is wrong and worth telling."""
    told = outlook.report.findings if outlook.report else ()
    found = {one.id: one for one in (*told, *outlook.failing)}
    return tuple(one for one in found.values() if one.severity is not Severity.INFO)


def _is_good(outlook: Outlook, findings: Sequence[Finding]) -> bool:
    return not findings and _BAD not in write_line(outlook) and _UNSURE not in write_line(outlook)


def write_line(outlook: Outlook) -> str:
    """The verdict in one line."""
    return " · ".join(_list_parts(outlook))


def _list_parts(outlook: Outlook) -> Iterator[str]:
    yield outlook.database
    if outlook.deployment.commit:
        yield outlook.deployment.commit[:_SHOWN]
    if outlook.deployment.phase is Phase.FAILED:
        yield f"the deployment failed {_BAD}"
    if (moved := _write_revisions(outlook)) is not None:
        yield moved
    yield _write_schema(outlook)
    if outlook.counts_orphans:
        yield _write_orphans(outlook)
    if outlook.smoke is not None:
        passed, total = outlook.smoke.passed, outlook.smoke.total
        yield f"smoke {passed}/{total} {_GOOD if passed == total else _BAD}"


def _write_revisions(outlook: Outlook) -> str | None:
    after = outlook.report.revisions if outlook.report else None
    if after is None or not (after or outlook.before):
        return None
    now = _join(after)
    if outlook.before is None or outlook.before == after:
        return now
    return f"{_join(outlook.before)} -> {now}"


def _join(revisions: tuple[str, ...]) -> str:
    return "+".join(revision[:_SHOWN] for revision in revisions) or "nothing"


def _write_schema(outlook: Outlook) -> str:
    report = outlook.report
    if report is None or not report.state.meaning.is_looked:
        return f"schema not seen {_UNSURE}"
    if report.state is State.MIGRATING:
        return f"schema is being changed {_UNSURE}"
    count = sum(_is_of_schema(one) for one in _list_findings(outlook))
    if report.state in _RIGHT and not count:
        return f"schema = {outlook.expected or 'baseline'} {_GOOD}"
    if report.state is State.PENDING and not count:
        number = len(report.pending or ())
        return f"{number} revision{'' if number == 1 else 's'} pending {_UNSURE}"
    return f"schema {report.state.value.replace('_', ' ')} {_BAD}"


def _is_of_schema(finding: Finding) -> bool:
    rule = RULES.get(finding.code)
    return rule is not None and rule.finding_class in (FindingClass.DRIFT, FindingClass.HISTORY)


def _write_orphans(outlook: Outlook) -> str:
    if outlook.orphans is None:
        return f"orphans not counted {_UNSURE}"
    if not outlook.orphans:
        return f"0 orphans {_GOOD}"
    noun = "orphan" if outlook.orphans == 1 else "orphans"
    is_waived = outlook.report is not None and not any(
        RULES[one.code].finding_class is FindingClass.ORPHANS
        for one in _list_findings(outlook)
        if one.code in RULES
    )
    return f"{outlook.orphans} {noun} {'accepted ' + _GOOD if is_waived else _BAD}"
