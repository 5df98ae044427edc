"""What every channel promises, and what an HTTP answer means to all of them."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Final, Protocol

from monitor.core.errors import DeliveryError, LookError, TooSlow, Unreachable
from monitor.core.message import Message
from monitor.sources.http import Answer


class ChannelKind(StrEnum):
    """What a channel speaks."""

    SLACK = "slack"
    SLACK_BOT = "slack_bot"
    WEBHOOK = "webhook"
    ALERTMANAGER = "alertmanager"
    APPRISE = "apprise"


class FailureReason(StrEnum):
    """Why a delivery failed: the closed list of a metric's label."""

    CONNECT = "connect"
    TIMEOUT = "timeout"
    BROKEN_OFF = "broken_off"
    RATE_LIMITED = "rate_limited"
    SERVER = "server"
    REFUSED = "refused"
    REDIRECTED = "redirected"
    GONE = "gone"
    INTERNAL = "internal"
    INCIDENT_LOST = "incident_lost"


class Channel(Protocol):
    """One place where messages go."""

    @property
    def name(self) -> str:
        """Its name in the configuration and in the outbox."""
        ...

    @property
    def kind(self) -> ChannelKind:
        """What it speaks, and so how patiently it is tried again."""
        ...

    async def send(self, message: Message, *, attempt_at: datetime) -> str:
        """Deliver once and return a receipt, one short line without secrets.

        Raises:
            DeliveryError: it was not taken; `reason` is a `FailureReason`.
        """
        ...


_RETRIED: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY})
_REDIRECTS: Final = 300
_REFUSALS: Final = 400
_FAULTS: Final = 500
_SECONDS: Final = re.compile(r"[0-9]{1,9}")


def accept(
    answer: Answer, *, gone: frozenset[int], at: datetime, is_refusal_final: bool = True
) -> None:
    """Do nothing for an answer of 2xx.

    Args:
        answer: what the receiver said.
        gone: the codes with which it says that the channel itself is no more.
        at: when it was asked, to read a Retry-After that is a date.
        is_refusal_final: whether a 4xx means that trying again is pointless.

    Raises:
        DeliveryError: for every other code. 408, 425, 429, 5xx and 3xx may be tried
            again: a redirect is never followed, for it would carry the message to
            somebody nobody named, but it may be a passing one.
    """
    status = answer.status
    if HTTPStatus.OK <= status < _REDIRECTS:
        return
    reason = _judge(status, gone)
    raise DeliveryError(
        f"{answer.label} answered {status}.",
        next_step=_STEPS[reason],
        permanent=reason is FailureReason.GONE
        or (reason is FailureReason.REFUSED and is_refusal_final),
        retry_after=read_retry_after(answer.headers.get("retry-after"), at),
        reason=reason,
    )


def _judge(status: int, gone: frozenset[int]) -> FailureReason:
    if status in gone:
        return FailureReason.GONE
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return FailureReason.RATE_LIMITED
    if status in _RETRIED or status >= _FAULTS or status < HTTPStatus.OK:
        return FailureReason.SERVER
    return FailureReason.REDIRECTED if status < _REFUSALS else FailureReason.REFUSED


_STEPS: Final = {
    FailureReason.GONE: "The address is no more: make a new one and configure it.",
    FailureReason.RATE_LIMITED: "It is tried again when the receiver allows it.",
    FailureReason.SERVER: "It is tried again; look at the receiver if this goes on.",
    FailureReason.REDIRECTED: "Configure the address that it points to: none is followed.",
    FailureReason.REFUSED: "Check address and secret of the channel in the configuration.",
    FailureReason.CONNECT: "It is tried again; check the address if this goes on.",
    FailureReason.TIMEOUT: "It is tried again; look at the receiver if this goes on.",
    FailureReason.BROKEN_OFF: "It is tried again; look at the receiver if this goes on.",
    FailureReason.INTERNAL: "Report this to anchorwatch with the log around it.",
}


def explain(error: LookError) -> DeliveryError:
    """Why no answer came; the outcome is known only where no connection was made."""
    match error:
        case Unreachable():
            reason = FailureReason.CONNECT
        case TooSlow():
            reason = FailureReason.TIMEOUT
        case _:
            reason = FailureReason.BROKEN_OFF
    return DeliveryError(error.message, next_step=_STEPS[reason], reason=reason)


def read_retry_after(text: str | None, at: datetime) -> float | None:
    """Seconds to wait, from a number or a date; None for anything else.

    Source: RFC 9110, section 10.2.3.
    """
    if text is None:
        return None
    if _SECONDS.fullmatch(text.strip()):
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max((until - at).total_seconds(), 0.0)
