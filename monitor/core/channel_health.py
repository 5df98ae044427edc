"""Whether a channel takes messages, and the incident about one that does not.

It is told on the other channels, once, and once more when it takes messages again.
"""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from monitor.core.duration import describe_duration
from monitor.core.findings import Finding, FindingClass, make_id
from monitor.core.incidents import Event, EventKind, Incident, Status
from monitor.core.rules import BROKEN_CHANNEL

PATIENCE: Final = timedelta(minutes=15)
"""How long a channel may take nothing that waits for it."""


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """What the outbox says of one channel.

    Attributes:
        channel: its name.
        taken: when it last took a message.
        lost: when a message was last given up, lately.
        waiting: when the oldest message was decided that waits and was tried in vain.
        reason: why that failed, in a bounded word.
    """

    channel: str
    taken: datetime | None = None
    lost: datetime | None = None
    waiting: datetime | None = None
    reason: str = ""


class Trouble(msgspec.Struct, frozen=True):
    """That a channel takes nothing: since when, and why."""

    since: datetime
    sentence: str


def judge_channel(health: Health, now: datetime) -> Trouble | None:
    """What is wrong with a channel; None where nothing is known to be.

    Holds: what it took after it refused something shows that it works; what waits behind
    a queue that moves is no trouble.
    """
    why = health.reason.replace("_", " ")
    if health.lost is not None and (health.taken is None or health.taken < health.lost):
        return Trouble(health.lost, f"It lost a message: {why}")
    if health.waiting is None:
        return None
    since = max(health.waiting, health.taken or health.waiting)
    if now - since < PATIENCE:
        return None
    waited = describe_duration(now - since)
    return Trouble(since, f"It has taken no message for {waited}: {why}")


def has_recovered(incident: Incident, health: Health, now: datetime) -> bool:
    """Whether the channel took something since it was said to be broken.

    Where a clock that was ahead said so, it took something lately and nothing is wrong by now.
    """
    if health.taken is None:
        return False
    opened = incident.opened_at or incident.first_seen
    if opened > now:
        return now - health.taken < PATIENCE and judge_channel(health, now) is None
    return health.taken > opened


def break_channel(
    environment: str, channel: str, trouble: Trouble, at: datetime
) -> tuple[Incident, Event]:
    """The incident that begins, the same for every agent that sees the same; and the word."""
    finding = Finding(
        code=BROKEN_CHANNEL.code,
        severity=BROKEN_CHANNEL.severity,
        environment=environment,
        database=name_place(channel),
        key=None,
        title=trouble.sentence,
        remedy=f"anchorwatch notify --test {channel}",
        subject=channel,
    )
    born = ("channel", environment, channel, trouble.since)
    incident = Incident(
        id=make_id(born),
        environment=environment,
        database=name_place(channel),
        finding_class=FindingClass.CHANNEL,
        status=Status.OPEN,
        severity=finding.severity,
        findings=(finding,),
        first_seen=min(trouble.since, at),
        last_seen=at,
        opened_at=at,
        version=1,
        told_severity=finding.severity,
        told_at=at,
    )
    return incident, Event(incident.id, incident.version, EventKind.OPENED, at)


def mend_channel(incident: Incident, at: datetime) -> tuple[Incident, Event]:
    """The incident as it ends; and the word."""
    over = msgspec.structs.replace(
        incident,
        status=Status.RESOLVED,
        resolved_at=at,
        last_seen=at,
        version=incident.version + 1,
        told_at=at,
    )
    return over, Event(over.id, over.version, EventKind.RESOLVED, at)


def name_place(channel: str) -> str:
    """What stands where a database has its name: no database can be called so."""
    return f"channel {channel}"


def name_channel(incident: Incident) -> str:
    """The channel that an incident is about; nothing where it is about a database."""
    is_channel = incident.finding_class is FindingClass.CHANNEL and incident.findings
    return incident.findings[0].subject if is_channel else ""
