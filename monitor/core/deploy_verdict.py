"""What a deployment came to at one database, in one line.

production · 3f2a1c · a1409 -> b1cc7 · schema = lock ✓ · 0 orphans ✓ · smoke 4/4 ✓
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from monitor.core.deployment import Deployment, Phase
from monitor.core.findings import READ, Finding, FindingClass, Severity, get_worst, make_id
from monitor.core.incidents import Event, EventKind, Incident, Status
from monitor.core.report import Report
from monitor.core.rules import RULES
from monitor.core.verdict import State

_SHOWN: Final = 12
"""Characters of a revision or a commit that are shown."""
_GOOD, _BAD, _UNSURE = "✓", "✗", "?"
_RIGHT: Final = (State.IN_SYNC, State.UNCHANGED)


class Passed(msgspec.Struct, frozen=True):
    """How many steps of the suites of a database passed, of how many.

    ``is_known`` is false where a suite has not run since the deployment.
    """

    passed: int
    total: int
    is_known: bool = True


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
    is_good = not findings and all(part.is_good is not False for part in _list_parts(outlook))
    severity = Severity.INFO if is_good else get_worst(findings)
    incident = Incident(
        id=make_id(("deploy", outlook.environment, outlook.database, outlook.deployment.id)),
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


def _list_findings(outlook: Outlook) -> tuple[Finding, ...]:
    """What is wrong and worth telling."""
    told = outlook.report.findings if outlook.report else ()
    found = {one.id: one for one in (*told, *outlook.failing)}
    return tuple(one for one in found.values() if one.severity is not Severity.INFO)


def write_line(outlook: Outlook) -> str:
    """The verdict in one line."""
    return " · ".join(part.text for part in _list_parts(outlook))


class _Part(NamedTuple):
    """A piece of the line, and whether what it says is good: None if it judges nothing."""

    text: str
    is_good: bool | None = None


def _judge(text: str, mark: str) -> _Part:
    return _Part(f"{text} {mark}", mark == _GOOD)


def _list_parts(outlook: Outlook) -> Iterator[_Part]:
    yield _Part(outlook.database)
    if outlook.deployment.commit:
        yield _Part(outlook.deployment.commit[:_SHOWN])
    if outlook.deployment.phase is Phase.FAILED:
        yield _judge("the deployment failed", _BAD)
    if (moved := _write_revisions(outlook)) is not None:
        yield _Part(moved)
    yield _write_schema(outlook)
    if outlook.counts_orphans:
        yield _write_orphans(outlook)
    if outlook.smoke is not None:
        yield _write_smoke(outlook.smoke)


def _write_smoke(smoke: Passed) -> _Part:
    if not smoke.is_known:
        return _judge("smoke not run to the end", _UNSURE)
    is_good = smoke.passed == smoke.total
    return _judge(f"smoke {smoke.passed}/{smoke.total}", _GOOD if is_good else _BAD)


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


def _write_schema(outlook: Outlook) -> _Part:
    report = outlook.report
    if report is None or not report.state.meaning.is_looked:
        return _judge("schema not seen", _UNSURE)
    if report.state is State.MIGRATING:
        return _judge("schema is being changed", _UNSURE)
    count = sum(_is_of_schema(one) for one in _list_findings(outlook))
    if report.state in _RIGHT and not count:
        return _judge(f"schema = {outlook.expected or 'baseline'}", _GOOD)
    if report.state is State.PENDING and not count:
        number = len(report.pending or ())
        return _judge(f"{number} revision{'' if number == 1 else 's'} pending", _UNSURE)
    return _judge(f"schema {report.state.value.replace('_', ' ')}", _BAD)


def _is_of_schema(finding: Finding) -> bool:
    rule = RULES.get(finding.code)
    return rule is not None and rule.finding_class in READ


def _write_orphans(outlook: Outlook) -> _Part:
    if outlook.orphans is None:
        return _judge("orphans not counted", _UNSURE)
    if not outlook.orphans:
        return _judge("0 orphans", _GOOD)
    noun = "orphan" if outlook.orphans == 1 else "orphans"
    is_waived = outlook.report is not None and not any(
        RULES[one.code].finding_class is FindingClass.ORPHANS
        for one in _list_findings(outlook)
        if one.code in RULES
    )
    accepted = " accepted" if is_waived else ""
    return _judge(f"{outlook.orphans} {noun}{accepted}", _GOOD if is_waived else _BAD)
