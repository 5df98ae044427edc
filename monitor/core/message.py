"""What people read: one message for one event, before any channel dresses it.

A message answers what, where, since when, what differs and what to do next.
"""

from datetime import datetime
from typing import Final

import msgspec

from monitor.core.cause import find_cause
from monitor.core.channel_health import name_channel
from monitor.core.duration import describe_duration
from monitor.core.findings import Evidence, Finding, FindingClass, Severity
from monitor.core.flapping import CALM_AFTER
from monitor.core.incidents import EventKind, Incident, Status
from monitor.core.kinds import Value
from monitor.core.printing import cut

VERDICT: Final = "deploy.verdict"
"""The type of the word about a deployment."""

TEST: Final = "test.ping"
"""The type of a message that somebody asks for."""

NO_DATABASE: Final = "-"
"""Stands where a database has its name, of a test message."""

MAX_LINES: Final = 8
"""Findings that are listed; the others are counted."""

MAX_VALUE: Final = 120
"""Characters of a value in a line."""

_LEAD: Final = 30
"""Characters that are shown before the place where two long values part."""


class Surroundings(msgspec.Struct, frozen=True):
    """What a reader asks for next, as far as it is known when a message is written.

    Attributes:
        deployed_at: when the last deployment that concerns the database was reported.
        revisions: what is stamped; None where that is unknown.
        expected_revisions: the heads of what is expected; None where there are none.
    """

    deployed_at: datetime | None = None
    revisions: tuple[str, ...] | None = None
    expected_revisions: tuple[str, ...] | None = None


UNKNOWN: Final = Surroundings()
"""Where nothing is known."""


class Message(msgspec.Struct, frozen=True):
    """What is told about one incident.

    Attributes:
        id: of the delivery; the same over every attempt.
        type: ``incident.opened``, ``incident.changed``, ``incident.reminder``,
            ``incident.resolved``, ``deploy.verdict``, ``test.ping``.
        incident: the incident's id.
        environment: where.
        database: where, too.
        severity: how bad it is.
        status: where the incident stands now.
        headline: a status word, the place and what is wrong, in one line.
        since: when it was first seen.
        at: when the event was decided.
        ended: when it was over.
        lines: the worst findings, one line each, hostile text and all: every
            channel escapes for itself.
        omitted: how many findings are not listed.
        findings: all of them, in the order of the lines.
        cause: what has most likely led to it; empty where nothing suggests anything.
        command: the next step on the command line.
        accept: the command that takes what was there at the first look as it is;
            None about anything else.
        url: the page of the database, when the agent has a public address.
        thread: the receipt of what the channel took of it before, where it keeps threads.
        root: what stands at the head of that thread from now on.
        finding_class: what the incident gathers; None of a test message.
        subject: which channel it is about, where it is about one of the agent's.
        has_alarm: whether it is the first word about something critical.
        around: what is known beside, of a message about one database.
    """

    id: str
    type: str
    incident: str
    environment: str
    database: str
    severity: Severity
    status: Status
    headline: str
    since: datetime
    at: datetime
    ended: datetime | None
    lines: tuple[str, ...]
    omitted: int
    findings: tuple[Finding, ...]
    command: str
    url: str | None
    accept: str | None = None
    cause: str = ""
    thread: str | None = None
    root: "Message | None" = None
    finding_class: FindingClass | None = None
    subject: str = ""
    has_alarm: bool = False
    around: Surroundings = UNKNOWN


def compose(  # noqa: PLR0913  # what a message is made of, by name
    incident: Incident,
    kind: EventKind,
    *,
    delivery: str,
    at: datetime,
    url: str | None = None,
    around: Surroundings = UNKNOWN,
) -> Message:
    """The message about ``incident`` as it stands now.

    Args:
        incident: what it is about.
        kind: what happened.
        delivery: the id of the message.
        at: when that was decided.
        url: the page of the database.
        around: what is known beside.
    """
    worst_first = sorted(incident.findings, key=lambda f: (-f.severity.rank, f.identity))
    lines = tuple(describe_finding(finding) for finding in worst_first[:MAX_LINES])
    return Message(
        id=delivery,
        type=VERDICT if kind is EventKind.VERDICT else f"incident.{kind.value}",
        incident=incident.id,
        environment=incident.environment,
        database=incident.database,
        severity=incident.severity,
        status=incident.status,
        headline=_write_headline(incident, kind, at),
        since=incident.first_seen,
        at=at,
        ended=None if kind is EventKind.VERDICT else incident.resolved_at,
        lines=lines,
        omitted=len(worst_first) - len(lines),
        findings=tuple(worst_first),
        command=choose_command(incident),
        url=url,
        accept=_offer(incident, kind),
        cause="" if kind in _ENDS else find_cause(incident, around.deployed_at),
        finding_class=incident.finding_class,
        subject=name_channel(incident),
        has_alarm=is_alarm(incident, kind),
        around=around,
    )


def is_alarm(incident: Incident, kind: EventKind) -> bool:
    """Whether it is the first word about something critical that is not over."""
    is_critical = incident.severity is Severity.CRITICAL
    return kind is EventKind.OPENED and is_critical and incident.status is not Status.RESOLVED


def compose_test(
    environment: str, *, delivery: str, at: datetime, url: str | None = None
) -> Message:
    """A message that says that it is a test: it is about no database, whose name is ``-``."""
    return Message(
        id=delivery,
        type=TEST,
        incident=delivery,
        environment=environment,
        database=NO_DATABASE,
        severity=Severity.INFO,
        status=Status.OPEN,
        headline=f"TEST ({environment}): a message of anchorwatch's; nothing is wrong",
        since=at,
        at=at,
        ended=None,
        lines=("Somebody asked for it, to see whether messages arrive here.",),
        omitted=0,
        findings=(),
        command="anchorwatch notify --test",
        url=url,
    )


_ENDS: Final = frozenset({EventKind.RESOLVED, EventKind.VERDICT})
"""Kinds of which no cause is asked."""


def choose_command(incident: Incident) -> str:
    """The command that shows more of it."""
    match incident.finding_class:
        case FindingClass.CHANNEL:
            return f"anchorwatch notify --test {name_channel(incident)}".rstrip()
        case FindingClass.ORPHANS:
            return f"anchorwatch orphans {incident.database}"
        case FindingClass.SMOKE if len(incident.findings) == 1 and incident.findings[0].subject:
            return f"anchorwatch smoke run {incident.findings[0].subject}"
        case FindingClass.SMOKE:
            return "anchorwatch smoke run"
        case _:
            return f"anchorwatch check {incident.database}"


def _offer(incident: Incident, kind: EventKind) -> str | None:
    """An old database has its reasons: what was there before the watch began may stay."""
    is_offered = (
        incident.is_initial
        and kind is not EventKind.RESOLVED
        and incident.finding_class in (FindingClass.DRIFT, FindingClass.HISTORY)
    )
    return f'anchorwatch accept {incident.database} --reason "..."' if is_offered else None


def _write_headline(incident: Incident, kind: EventKind, at: datetime) -> str:
    place = f"{incident.database} ({incident.environment})"
    what = describe_class(incident)
    match kind:
        case EventKind.RESOLVED:
            lasted = describe_duration(at - incident.first_seen)
            return f"RESOLVED {place}: {_describe_end(incident, lasted)}"
        case EventKind.REMINDER:
            lasted = describe_duration(at - incident.first_seen)
            comes = ", it comes and goes" if incident.flapping_since else ""
            return f"STILL OPEN {place}: {what}, for {lasted}{comes}"
        case EventKind.VERDICT:
            return f"{_WORDS[incident.severity is Severity.INFO]} {incident.headline}"
        case EventKind.CHANGED:
            return f"CHANGED {place}: now {what}"
        case EventKind.FLAPPING:
            return f"FLAPPING {place}: {what}, {_describe_flapping(incident)}"
        case _:
            more = ", already so at the first look" if incident.is_initial else ""
            if incident.flapping_since is not None:
                # The first word about it, and for a while the last one.
                more = f", {_describe_flapping(incident)}"
            return f"{incident.severity.value.upper()} {place}: {what}{more}"


def _describe_flapping(incident: Incident) -> str:
    is_gone = incident.status is Status.RECOVERING
    return (
        f"{'gone' if is_gone else 'there'} for now; it comes and goes, so the next word is when "
        f"it has stayed one way for {describe_duration(CALM_AFTER)}"
    )


_WORDS: Final = {True: "DEPLOYED", False: "DEPLOYED, NOT RIGHT"}


def _describe_end(incident: Incident, lasted: str) -> str:
    """Nobody is told that something was repaired which was only accepted, or ignored."""
    over, what = _OVER[incident.finding_class], describe_class(incident)
    if incident.is_rebaselined:
        return (
            "a deployment came, the schema as it is now is the new baseline; "
            f"{what} of {lasted} ago were not undone"
        )
    if not incident.waived:
        return f"{over} after {lasted}"
    if incident.waived >= len(incident.findings):
        return f"{what}, accepted or ignored and not undone, after {lasted}"
    return f"{over}, but for {incident.waived} accepted or ignored, after {lasted}"


_OVER: Final = {
    FindingClass.UNREACHABLE: "reachable again",
    FindingClass.UNKNOWN: "can be looked at again",
    FindingClass.HISTORY: "the history is right again",
    FindingClass.DRIFT: "the schema is as expected again",
    FindingClass.ORPHANS: "every row has its parent again",
    FindingClass.DATA: "every assertion holds again",
    FindingClass.SMOKE: "the smoke tests pass again",
    FindingClass.CHANNEL: "it takes messages again",
}


def describe_class(incident: Incident) -> str:
    """What is wrong, in a few words."""
    count = len(incident.findings)
    if incident.headline:
        return incident.headline
    match incident.finding_class:
        case FindingClass.DRIFT:
            return f"{count} schema difference{'s' if count != 1 else ''}"
        case FindingClass.ORPHANS if count > 1:
            return f"{count} relations with rows that have no parent, or that nobody can count"
        case FindingClass.DATA if count > 1:
            return f"{count} assertions do not hold, or cannot be evaluated"
        case FindingClass.SMOKE if count > 1:
            return f"{count} smoke suites do not pass"
        case _:
            return incident.findings[0].title if incident.findings else "nothing any more"


def describe_finding(finding: Finding) -> str:
    """One line: the sentence, and what was expected beside what is."""
    shown = [e for e in finding.evidence if e.expected is not None or e.actual is not None]
    if len(shown) != 1:
        return finding.title
    return f"{finding.title} ({describe_evidence(shown[0])})"


def describe_evidence(evidence: Evidence) -> str:
    """``type: expected text, is integer``."""
    expected, actual = describe_sides(evidence)
    return f"{evidence.name}: expected {expected}, is {actual}"


def describe_sides(evidence: Evidence) -> tuple[str, str]:
    """Expected and actual in few characters; of long ones, the place where they part."""
    sides = _write(evidence.expected), _write(evidence.actual)
    if all(len(side) <= MAX_VALUE for side in sides):
        return sides
    pairs = enumerate(zip(*sides, strict=False))
    start = next((place for place, (a, b) in pairs if a != b), min(map(len, sides))) - _LEAD
    expected, actual = (side if start <= 0 else f"…{side[start:]}" for side in sides)
    return cut(expected, MAX_VALUE), cut(actual, MAX_VALUE)


def _write(value: Value) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join("-" if part is None else str(part) for part in value) or "nothing"
        case _:
            return str(value)
