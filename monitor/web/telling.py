"""What was told about an incident, in words: when, where, how often, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from monitor.sinks.channel import FailureReason
from monitor.sinks.delivery import DeliveryStatus, Held
from monitor.web.answers import DeliveryAnswer, EventAnswer, IncidentPage
from monitor.web.wording import name_state

_REASONS: Final[Mapping[FailureReason, str]] = {
    FailureReason.CONNECT: "no connection",
    FailureReason.TIMEOUT: "no answer in time",
    FailureReason.BROKEN_OFF: "the connection broke off",
    FailureReason.RATE_LIMITED: "the channel asked to be slower",
    FailureReason.SERVER: "the channel had a fault of its own",
    FailureReason.REFUSED: "the channel refused it",
    FailureReason.REDIRECTED: "the channel sent us elsewhere, and nobody follows",
    FailureReason.GONE: "the channel is gone",
    FailureReason.INTERNAL: "a fault of the agent, see its log",
    FailureReason.INCIDENT_LOST: "the incident is not in the ledger any more",
}
_TONES: Final[Mapping[DeliveryStatus, str]] = {
    DeliveryStatus.DELIVERED: "good",
    DeliveryStatus.PENDING: "moving",
    DeliveryStatus.SUPERSEDED: "unknown",
    DeliveryStatus.DEAD: "critical",
}
_STANDINGS: Final[Mapping[DeliveryStatus, str]] = {
    DeliveryStatus.DELIVERED: "delivered",
    DeliveryStatus.PENDING: "waits",
    DeliveryStatus.SUPERSEDED: "left out",
    DeliveryStatus.DEAD: "given up",
}
_UNSURE: Final = "it may have arrived all the same"


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One message on its way to one channel.

    Attributes:
        kind: what it says: opened, changed, resolved.
        decided: when it was decided.
        channel: where it goes; None where nobody was to be told.
        tone: colour and shape.
        standing: what became of it, in a word or two.
        tries: how often it was tried.
        outcome: what was answered, or why it waits.
        ended: when it was over.
        due: when it is tried next, where that is still to come.
    """

    kind: str
    decided: datetime
    channel: str | None
    tone: str = "unknown"
    standing: str = ""
    tries: int = 0
    outcome: str = ""
    ended: datetime | None = None
    due: datetime | None = None


_HOLDS: Final = {
    Held.SILENCED: "kept back: silenced",
    Held.INHIBITED: "kept back: the database cannot be reached, and that is told alone",
    Held.OVERTAKEN: "kept back: it has begun again, which is told first",
}


def list_tellings(incident: IncidentPage, now: datetime) -> list[Telling]:
    """Every message, in the order of what happened, then by channel."""
    told = []
    for event in incident.events:
        sent = [one for one in incident.deliveries if one.version == event.version]
        told += [describe_telling(event, one, now) for one in sent] or [
            Telling(kind=event.kind.value, decided=event.at, channel=None)
        ]
    return told


def describe_telling(event: EventAnswer, delivery: DeliveryAnswer, now: datetime) -> Telling:
    """One message as it stands."""
    is_to_come = delivery.due is not None and delivery.due > now
    return Telling(
        kind=event.kind.value,
        decided=event.at,
        channel=delivery.channel,
        tone=_TONES[delivery.status],
        standing=_STANDINGS[delivery.status],
        tries=delivery.attempts,
        outcome=_describe_outcome(delivery, is_to_come=is_to_come),
        ended=delivery.ended,
        due=delivery.due if is_to_come else None,
    )


def _describe_outcome(delivery: DeliveryAnswer, *, is_to_come: bool) -> str:
    why = _name_reason(delivery.reason)
    match delivery.status:
        case DeliveryStatus.DELIVERED:
            return delivery.receipt or ""
        case DeliveryStatus.SUPERSEDED:
            parts = ["what came after it was told instead", _tell_doubt(delivery)]
        case DeliveryStatus.DEAD:
            parts = [why, _tell_doubt(delivery)]
        case _ if delivery.held is not None:
            parts = [_HOLDS[delivery.held]]
        case _ if why:
            parts = [why, _tell_doubt(delivery)]
        case _:
            parts = ["held back until its time" if is_to_come else "its turn has not come"]
    return ", ".join(part for part in parts if part)


def _tell_doubt(delivery: DeliveryAnswer) -> str:
    return _UNSURE if delivery.may_have_arrived else ""


def _name_reason(reason: FailureReason | None) -> str:
    if reason is None:
        return ""
    return _REASONS.get(reason) or name_state(reason.value)
