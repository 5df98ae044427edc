"""When people are told: one pure step from what was open and what was seen.

No clock, no store, no message here. A look that could not judge a class changes
nothing about it: unknown neither opens nor resolves. What comes and goes stays one
incident, which is over when it has been gone for a while.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, Protocol

import msgspec

from monitor.core.findings import (
    Finding,
    FindingClass,
    Severity,
    digest_findings,
    get_worst,
    make_id,
)
from monitor.core.flapping import CALM_AFTER, add_turn, is_flapping
from monitor.core.incidents import Event, EventKind, Incident, Status, set_back, stand
from monitor.core.patience import DEFAULT_POLICY, ClassPolicy, Policy, choose_gap
from monitor.core.rules import RULES


class Step(msgspec.Struct, frozen=True):
    """What a look did: incidents that are new or changed, and what to tell."""

    incidents: tuple[Incident, ...]
    events: tuple[Event, ...]


type Open = Mapping[FindingClass, Incident]
_NONE: Final[Open] = MappingProxyType({})


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
    ended: Open = _NONE,
) -> Step:
    """The next incidents of one database, and the events to tell.

    Args:
        unresolved: the incident of each class that is not resolved.
        report: what the look found; its time is the only clock.
        policy: how patient to be.
        window_until: the end of the deploy window, if one is open.
        baseline_since: when the baseline was taken, where one is the expectation.
        is_first_look: whether the database was never looked at before.
        ended: the last incident of each class that ended not long ago.
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
            last=ended.get(finding_class),
        )
        before = unresolved.get(finding_class)
        after, kind = _advance(before, context)
        if after is not None and kind is not None:
            after = _tell(after, kind, report.at)
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
    last: Incident | None

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
    findings, at = context.findings, context.report.at
    if before is None:
        return _consider(_suspect(context), context) if findings else (None, None)
    before = set_back(before, at)
    if not findings:
        return _recover(before, context)
    seen = _see(before, findings, at)
    if seen.status is Status.SUSPECTED:
        return _consider(seen, context)
    return _follow(seen, context)


def _suspect(context: _Context) -> Incident:
    report, findings = context.report, context.findings
    # The same for every agent that sees the incident begin at the same look.
    born = (report.environment, report.database, context.finding_class, report.at)
    return Incident(
        id=make_id(born),
        environment=report.environment,
        database=report.database,
        finding_class=context.finding_class,
        status=Status.SUSPECTED,
        severity=get_worst(findings),
        findings=findings,
        first_seen=report.at,
        last_seen=report.at,
        is_initial=context.is_first_look,
        turns=set_back(context.last, report.at).turns if context.last else (),
    )


def _see(before: Incident, findings: tuple[Finding, ...], at: datetime) -> Incident:
    """The incident after a look that saw it; agreeing looks are counted."""
    agrees = digest_findings(findings) == digest_findings(before.findings)
    seen = msgspec.structs.replace(
        before,
        findings=findings,
        severity=get_worst(findings),
        last_seen=at,
        looks=before.looks + 1 if agrees and before.clean_looks == 0 else 1,
        clean_looks=0,
        steady_since=at if before.clean_looks else before.steady_since,
    )
    status = Status.OPEN if before.status is Status.RECOVERING else before.status
    return msgspec.structs.replace(seen, status=stand(seen, status))


def _consider(incident: Incident, context: _Context) -> tuple[Incident, EventKind | None]:
    """Whether a suspicion has become certain."""
    if context.is_held:
        return incident, None
    age = context.report.at - incident.first_seen
    is_settled = incident.looks >= context.rules.open_looks and age >= context.rules.open_after
    if not is_settled and age < context.policy.unsettled_at_most:
        return incident, None
    at = context.report.at
    opened = msgspec.structs.replace(
        incident, status=Status.OPEN, opened_at=at, turns=add_turn(incident.turns, at)
    )
    if is_flapping(opened.turns):
        return _flap(opened, at), EventKind.FLAPPING
    return opened, EventKind.OPENED


def _flap(incident: Incident, at: datetime) -> Incident:
    return msgspec.structs.replace(incident, flapping_since=at, steady_since=at)


def _calm(incident: Incident, at: datetime) -> Incident:
    """It stays one way: what came before counts no more."""
    return msgspec.structs.replace(incident, flapping_since=None, steady_since=None, turns=(at,))


def _is_calm(incident: Incident, at: datetime) -> bool:
    """Whether one that flaps has stayed one way for long enough."""
    return incident.steady_since is not None and at - incident.steady_since >= CALM_AFTER


def _follow(incident: Incident, context: _Context) -> tuple[Incident, EventKind | None]:
    """What an incident that people know of has to say after another look."""
    at = context.report.at
    if context.is_held:
        return incident, None
    if _is_changed(incident, context):
        return incident, EventKind.CHANGED
    if incident.flapping_since is not None and _is_calm(incident, at):
        return _calm(incident, at), EventKind.CHANGED
    gap = choose_gap(context.rules.remind_every, incident.reminders)
    is_due = incident.status is Status.OPEN and _count_silence(incident, at) >= gap
    return incident, EventKind.REMINDER if is_due else None


def _is_changed(incident: Incident, context: _Context) -> bool:
    """Whether there is something new that people have to know.

    Of what somebody is at, and of what comes and goes, only that it has become worse.
    """
    if digest_findings(incident.findings) == incident.told or incident.is_acknowledged:
        return False
    told_rank = incident.told_severity.rank if incident.told_severity else -1
    is_graver = incident.severity.rank > told_rank
    is_settled = incident.looks >= context.rules.open_looks
    # What never settles is told all the same when it has become worse.
    is_overdue = _count_silence(incident, context.report.at) >= context.policy.unsettled_at_most
    if incident.flapping_since is not None:
        return is_graver and (is_settled or is_overdue)
    return is_settled or (is_graver and is_overdue)


def _count_silence(incident: Incident, at: datetime) -> timedelta:
    """How long nothing was said."""
    return at - (incident.told_at or incident.first_seen)


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
    gone = _go(before, at, looks)
    if context.is_held or looks < context.rules.resolve_looks:
        return gone, None
    if before.flapping_since is not None:
        return _end(_calm(gone, at), context) if _is_calm(gone, at) else (gone, None)
    turned = msgspec.structs.replace(gone, turns=add_turn(gone.turns, at))
    if is_flapping(turned.turns):
        return _flap(turned, at), EventKind.FLAPPING
    return _end(turned, context)


def _go(before: Incident, at: datetime, looks: int) -> Incident:
    """One that was not seen, by so many looks in a row."""
    return msgspec.structs.replace(
        before,
        status=Status.RECOVERING,
        clean_looks=looks,
        steady_since=before.steady_since if before.clean_looks else at,
    )


def _end(gone: Incident, context: _Context) -> tuple[Incident, EventKind]:
    since = context.baseline_since
    over = msgspec.structs.replace(
        gone,
        status=Status.RESOLVED,
        resolved_at=context.report.at,
        steady_since=None,
        is_rebaselined=context.finding_class is FindingClass.DRIFT
        and since is not None
        and since > gone.first_seen,
        waived=_count_waived(gone, context.report),
    )
    return over, EventKind.RESOLVED


def _count_waived(incident: Incident, report: Seen) -> int:
    waived = {finding.identity for finding in report.waived}
    return sum(finding.identity in waived for finding in incident.findings)


def _tell(incident: Incident, kind: EventKind, at: datetime) -> Incident:
    is_reminder = kind is EventKind.REMINDER
    return msgspec.structs.replace(
        incident,
        version=incident.version + 1,
        told=digest_findings(incident.findings),
        told_severity=incident.severity,
        told_at=at,
        reminders=incident.reminders + 1 if is_reminder else 0,
    )
