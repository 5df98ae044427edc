"""When people are told: one pure step from what was open and what was seen.

    unseen -> suspected -> open -> (acknowledged) -> recovering -> resolved

No clock, no store, no message here. An incident gathers the findings of one
class on one database. A look that could not judge a class changes nothing
about it: unknown neither opens nor resolves.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from monitor.core.findings import Finding, FindingClass, Severity, digest_findings, get_worst
from monitor.core.patience import DEFAULT_POLICY, ClassPolicy, Policy
from monitor.core.rules import RULES


class Status(StrEnum):
    """Where an incident stands."""

    SUSPECTED = "suspected"
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RECOVERING = "recovering"
    RESOLVED = "resolved"


class EventKind(StrEnum):
    """What is worth telling about an incident."""

    OPENED = "opened"
    CHANGED = "changed"
    REMINDER = "reminder"
    RESOLVED = "resolved"
    VERDICT = "verdict"


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """The findings of one class on one database over time.

    Attributes:
        id: twelve letters, the same for every agent that sees it begin.
        status: where it stands.
        severity: of the worst finding.
        findings: what was seen last.
        first_seen: when it was first suspected.
        last_seen: when it was last seen.
        opened_at: when people were to be told; None while only suspected.
        resolved_at: when it was over.
        version: goes up with every event, so that each is told once.
        looks: how many looks in a row saw exactly ``findings``.
        clean_looks: how many looks in a row saw nothing any more.
        told: the digest of the findings that the last event told.
        told_severity: how bad the last event said it was.
        told_at: when the last event was decided.
        is_initial: whether it was there at the first look ever.
        is_rebaselined: whether it ended because a deployment made the schema, as it
            is, the new baseline: nobody repaired anything.
        waived: how many of its findings were still there when it ended, ignored or
            accepted: nobody repaired these.
        headline: what is said of a deployment, in one line.
    """

    id: str
    environment: str
    database: str
    finding_class: FindingClass
    status: Status
    severity: Severity
    findings: tuple[Finding, ...]
    first_seen: datetime
    last_seen: datetime
    opened_at: datetime | None = None
    resolved_at: datetime | None = None
    version: int = 0
    looks: int = 1
    clean_looks: int = 0
    told: str | None = None
    told_severity: Severity | None = None
    told_at: datetime | None = None
    is_initial: bool = False
    is_rebaselined: bool = False
    waived: int = 0
    headline: str = ""


class Event(msgspec.Struct, frozen=True):
    """A change of an incident worth telling.

    Attributes:
        incident: its id.
        version: the version of the incident that this event made.
        kind: what happened.
        at: when it was decided.
    """

    incident: str
    version: int
    kind: EventKind
    at: datetime


class Step(msgspec.Struct, frozen=True):
    """What a look did: incidents that are new or changed, and what to tell."""

    incidents: tuple[Incident, ...]
    events: tuple[Event, ...]


type Open = Mapping[FindingClass, Incident]


class Seen(Protocol):
    """What a look or a check found: `monitor.core.report`, `monitor.core.checkup`."""

    @property
    def environment(self) -> str:
        """Where the database runs."""
        ...

    @property
    def database(self) -> str:
        """Its configured name."""
        ...

    @property
    def at(self) -> datetime:
        """When it began, UTC."""
        ...

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All that is wrong and told."""
        ...

    @property
    def waived(self) -> tuple[Finding, ...]:
        """What is wrong and not told."""
        ...

    @property
    def judged(self) -> frozenset[FindingClass]:
        """The classes that it can say something about."""
        ...

    @property
    def is_emptied(self) -> bool:
        """Whether every table is gone: no deployment explains that."""
        ...


def step(  # noqa: PLR0913  # what a decision hangs on, by name
    unresolved: Open,
    report: Seen,
    *,
    policy: Policy = DEFAULT_POLICY,
    window_until: datetime | None = None,
    baseline_since: datetime | None = None,
    is_first_look: bool = False,
) -> Step:
    """The next incidents of one database, and the events to tell.

    Args:
        unresolved: the incident of each class that is not resolved.
        report: what the look found; its time is the only clock.
        policy: how patient to be.
        window_until: the end of the deploy window, if one is open.
        baseline_since: when the baseline was taken, where one is the expectation.
        is_first_look: whether the database was never looked at before.
    """
    incidents: list[Incident] = []
    events: list[Event] = []
    in_window = window_until is not None and report.at < window_until and not report.is_emptied
    for finding_class in sorted(report.judged):
        rules = policy.classes[finding_class]
        context = _Context(
            report=report,
            finding_class=finding_class,
            rules=rules,
            policy=policy,
            is_held=in_window and rules.is_held_in_window,
            baseline_since=baseline_since,
            is_first_look=is_first_look,
        )
        before = unresolved.get(finding_class)
        after, kind = _advance(before, context)
        if after is not None and kind is not None:
            after = _tell(after, report.at)
            events.append(Event(incident=after.id, version=after.version, kind=kind, at=report.at))
        if after is not None and after != before:
            incidents.append(after)
    return Step(incidents=tuple(incidents), events=tuple(events))


class _Context(msgspec.Struct, frozen=True):
    report: Seen
    finding_class: FindingClass
    rules: ClassPolicy
    policy: Policy
    is_held: bool
    baseline_since: datetime | None
    is_first_look: bool

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Of this class; what is only information is shown, and nobody is told of it."""
        return tuple(
            f
            for f in self.report.findings
            if RULES[f.code].finding_class is self.finding_class
            and f.severity is not Severity.INFO
        )


def _advance(
    before: Incident | None, context: _Context
) -> tuple[Incident | None, EventKind | None]:
    findings = context.findings
    if before is None:
        return _consider(_suspect(context), context) if findings else (None, None)
    if not findings:
        return _recover(before, context)
    seen = _see(before, findings, context.report.at)
    if seen.status is Status.SUSPECTED:
        return _consider(seen, context)
    return _follow(seen, context)


def _suspect(context: _Context) -> Incident:
    report, findings = context.report, context.findings
    return Incident(
        id=_make_id(report, context.finding_class),
        environment=report.environment,
        database=report.database,
        finding_class=context.finding_class,
        status=Status.SUSPECTED,
        severity=get_worst(findings),
        findings=findings,
        first_seen=report.at,
        last_seen=report.at,
        is_initial=context.is_first_look,
    )


def _make_id(report: Seen, finding_class: FindingClass) -> str:
    """The same for every agent that sees the incident begin at the same look."""
    born = (report.environment, report.database, finding_class, report.at)
    return hashlib.sha256(msgspec.json.encode(born)).hexdigest()[:12]


def _see(before: Incident, findings: tuple[Finding, ...], at: datetime) -> Incident:
    """The incident after a look that saw it; agreeing looks are counted."""
    agrees = digest_findings(findings) == digest_findings(before.findings)
    return msgspec.structs.replace(
        before,
        findings=findings,
        severity=get_worst(findings),
        last_seen=at,
        looks=before.looks + 1 if agrees and before.clean_looks == 0 else 1,
        clean_looks=0,
        status=Status.OPEN if before.status is Status.RECOVERING else before.status,
    )


def _consider(incident: Incident, context: _Context) -> tuple[Incident, EventKind | None]:
    """Whether a suspicion has become certain."""
    if context.is_held:
        return incident, None
    age = context.report.at - incident.first_seen
    is_settled = incident.looks >= context.rules.open_looks and age >= context.rules.open_after
    if not is_settled and age < context.policy.unsettled_at_most:
        return incident, None
    opened = msgspec.structs.replace(incident, status=Status.OPEN, opened_at=context.report.at)
    return opened, EventKind.OPENED


def _follow(incident: Incident, context: _Context) -> tuple[Incident, EventKind | None]:
    """What an incident that people know of has to say after another look."""
    if context.is_held:
        return incident, None
    silent_for = context.report.at - (incident.told_at or incident.first_seen)
    if digest_findings(incident.findings) != incident.told:
        is_settled = incident.looks >= context.rules.open_looks
        # What never settles is told all the same when it has become worse.
        told_rank = incident.told_severity.rank if incident.told_severity else -1
        is_overdue = silent_for >= context.policy.unsettled_at_most
        if is_settled or (incident.severity.rank > told_rank and is_overdue):
            return incident, EventKind.CHANGED
    is_due = incident.status is Status.OPEN and silent_for >= context.rules.remind_every
    return incident, EventKind.REMINDER if is_due else None


def _recover(before: Incident, context: _Context) -> tuple[Incident, EventKind | None]:
    """A look that saw nothing any more: the end, when it is seen often enough."""
    at = context.report.at
    looks = before.clean_looks + 1
    if before.status is Status.SUSPECTED:
        # Nobody was told of it, so nobody is told of its end.
        over = msgspec.structs.replace(
            before, status=Status.RESOLVED, resolved_at=at, clean_looks=looks
        )
        return over, None
    if context.is_held or looks < context.rules.resolve_looks:
        waiting = msgspec.structs.replace(before, status=Status.RECOVERING, clean_looks=looks)
        return waiting, None
    since = context.baseline_since
    over = msgspec.structs.replace(
        before,
        status=Status.RESOLVED,
        resolved_at=at,
        clean_looks=looks,
        is_rebaselined=context.finding_class is FindingClass.DRIFT
        and since is not None
        and since > before.first_seen,
        waived=_count_waived(before, context.report),
    )
    return over, EventKind.RESOLVED


def _count_waived(incident: Incident, report: Seen) -> int:
    waived = {finding.identity for finding in report.waived}
    return sum(finding.identity in waived for finding in incident.findings)


def _tell(incident: Incident, at: datetime) -> Incident:
    return msgspec.structs.replace(
        incident,
        version=incident.version + 1,
        told=digest_findings(incident.findings),
        told_severity=incident.severity,
        told_at=at,
    )
