"""One message about several incidents of one class in one environment, as people read them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from monitor.core.cause import find_cause
from monitor.core.duration import describe_duration
from monitor.core.findings import FindingClass, Severity
from monitor.core.incidents import EventKind, Incident, Status
from monitor.core.message import (
    Message,
    describe_class,
    describe_finding,
    is_alarm,
)

SEVERAL: Final = "incidents.grouped"
"""The type of a message about several incidents."""
MOST_SINGLY: Final = 5
"""Databases of which each is told with its worst finding; of more there is one line each."""
MAX_LINES: Final = 10


class Part(msgspec.Struct, frozen=True):
    """One incident, and what is to be said of it.

    Attributes:
        incident: as it stands now.
        kind: what happened.
        delivery: the id of what was to be sent of it alone.
        at: when that was decided.
    """

    incident: Incident
    kind: EventKind
    delivery: str
    at: datetime


def keep_newest(parts: Sequence[Part]) -> list[Part]:
    """Of each database the newest incident: that an older one is over goes without saying."""
    newest: dict[str, Part] = {}
    for part in sorted(parts, key=lambda one: (one.incident.first_seen, one.incident.id)):
        newest[part.incident.database] = part
    return list(newest.values())


def compose_several(parts: Sequence[Part], *, url: str | None = None) -> Message:
    """The message about two incidents or more.

    Args:
        parts: of one environment and class, one a database.
        url: the page of all databases.
    """
    worst_first = sorted(parts, key=_rank)
    first = worst_first[0].incident
    is_over = _is_over(worst_first[0])
    lines = tuple(_write_line(part, len(parts)) for part in worst_first[:MAX_LINES])
    return Message(
        id=min(part.delivery for part in parts),
        type=SEVERAL,
        incident=first.id,
        environment=first.environment,
        database=_count(parts),
        severity=find_worst([part for part in parts if not _is_over(part)] or parts),
        status=first.status,
        headline=_write_headline(worst_first),
        since=min(part.incident.first_seen for part in parts),
        at=max(part.at for part in parts),
        ended=first.resolved_at if is_over else None,
        lines=lines,
        omitted=len(parts) - len(lines),
        findings=(),
        command="anchorwatch incidents",
        url=url,
        cause=_find_cause(worst_first),
        has_alarm=any(is_alarm(part.incident, part.kind) for part in parts),
    )


def _is_over(part: Part) -> bool:
    return part.incident.status is Status.RESOLVED


def _count(parts: Sequence[Part]) -> str:
    """What of, and how many: the agent's own channels are no databases."""
    is_channels = parts[0].incident.finding_class is FindingClass.CHANNEL
    return f"{len(parts)} {'channels' if is_channels else 'databases'}"


def _rank(part: Part) -> tuple[bool, int, datetime, str]:
    """What goes on first, the worst first, the oldest first."""
    one = part.incident
    return _is_over(part), -one.severity.rank, one.first_seen, one.database


def _find_cause(parts: Sequence[Part]) -> str:
    """What is the likely cause of all of them; empty where they differ in it."""
    causes = {find_cause(part.incident) for part in parts if not _is_over(part)}
    return causes.pop() if len(causes) == 1 else ""


def _write_headline(parts: Sequence[Part]) -> str:
    first = parts[0].incident
    place = f"{_count(parts)} ({first.environment})"
    over = sum(map(_is_over, parts))
    if parts[0].kind is EventKind.VERDICT:
        wrong = sum(part.incident.severity is not Severity.INFO for part in parts)
        if not wrong:
            return f"DEPLOYED {place}: all right"
        return f"DEPLOYED, NOT RIGHT {place}: {wrong} not right"
    name = _NAMES.get(first.finding_class, "findings")
    if over == len(parts):
        return f"RESOLVED {place}: {name}, all over"
    ends = f", {over} of them resolved" if over else ""
    open_ones = [part for part in parts if not _is_over(part)]
    return f"{find_worst(open_ones).value.upper()} {place}: {name}{ends}"


def find_worst(parts: Sequence[Part]) -> Severity:
    """How bad the worst of them is."""
    return max((part.incident.severity for part in parts), key=lambda one: one.rank)


_NAMES: Final = {
    FindingClass.UNREACHABLE: "no connection",
    FindingClass.UNKNOWN: "no look possible",
    FindingClass.HISTORY: "wrong histories",
    FindingClass.DRIFT: "schema differences",
    FindingClass.ORPHANS: "rows without a parent",
    FindingClass.DATA: "assertions that do not hold",
    FindingClass.SMOKE: "smoke tests that do not pass",
    FindingClass.CHANNEL: "no messages taken",
}


def _write_line(part: Part, count: int) -> str:
    one = part.incident
    if part.kind is EventKind.VERDICT:
        return one.headline
    if one.status is Status.RESOLVED:
        return f"{one.database}: resolved after {describe_duration(part.at - one.first_seen)}"
    what = describe_class(one)
    lasted = describe_duration(part.at - one.first_seen)
    word = _WORDS.get(part.kind, "")
    worst = _name_worst(one, what) if count <= MOST_SINGLY else ""
    return f"{one.database}: {what}{worst}, for {lasted}{word}"


_WORDS: Final = {
    EventKind.CHANGED: " (changed)",
    EventKind.REMINDER: " (still)",
    EventKind.FLAPPING: " (comes and goes)",
}


def _name_worst(incident: Incident, what: str) -> str:
    worst = max(incident.findings, key=lambda one: one.severity.rank, default=None)
    if worst is None or worst.title == what:
        return ""
    return f", {describe_finding(worst)}"
