"""Incidents: the findings of one class on one database, over time.

    unseen -> suspected -> open -> (acknowledged) -> recovering -> resolved

How one becomes the next is `monitor.core.step`.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from monitor.core.acknowledgement import Acknowledgement
from monitor.core.findings import Finding, FindingClass, Severity
from monitor.core.flapping import Turns


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
    FLAPPING = "flapping"
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
        reminders: how often people were reminded since they were told of a change.
        turns: when this and the ones before it were opened and ended lately.
        flapping_since: since when it comes and goes, while nothing is said of that.
        steady_since: when it last came or went, while it flaps.
        acknowledged: who is at it, and what was known of it then.
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
    reminders: int = 0
    turns: Turns = ()
    flapping_since: datetime | None = None
    steady_since: datetime | None = None
    acknowledged: Acknowledgement | None = None

    @property
    def is_acknowledged(self) -> bool:
        """Whether somebody is at it, and it is no worse than they know."""
        known = self.acknowledged
        return known is not None and known.covers(self.severity, self.findings)


def note(incident: Incident, known: Acknowledgement | None) -> Incident:
    """The incident with who is at it, and standing as that has it."""
    noted = msgspec.structs.replace(incident, acknowledged=known)
    return msgspec.structs.replace(noted, status=stand(noted, noted.status))


def set_back(incident: Incident, now: datetime) -> Incident:
    """The incident with every moment to come as one of now.

    A clock that was ahead is set back: what waits for time to pass would wait for hours.
    """

    def clip(moment: datetime | None) -> datetime | None:
        return None if moment is None else min(moment, now)

    return msgspec.structs.replace(
        incident,
        first_seen=min(incident.first_seen, now),
        last_seen=min(incident.last_seen, now),
        opened_at=clip(incident.opened_at),
        told_at=clip(incident.told_at),
        turns=tuple(min(turn, now) for turn in incident.turns),
        flapping_since=clip(incident.flapping_since),
        steady_since=clip(incident.steady_since),
    )


def stand(incident: Incident, status: Status) -> Status:
    """An open incident is acknowledged, or not."""
    if status not in (Status.OPEN, Status.ACKNOWLEDGED):
        return status
    return Status.ACKNOWLEDGED if incident.is_acknowledged else Status.OPEN


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
