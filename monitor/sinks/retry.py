"""When a delivery is tried again: pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from monitor.core.errors import DeliveryError
from monitor.sinks.channel import ChannelKind, FailureReason

JITTER: Final = 0.2
"""A fifth more or less, so that agents that failed together do not come back together."""
LONGEST_WAIT: Final = 86_400.0
"""Seconds; who asks for more than a day is mistaken, or wants to be rid of us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How one kind of channel is treated.

    Attributes:
        delays: seconds before the second attempt, the third and so on; the last one
            repeats.
        patience: how old an event may grow before it is given up, once every delay was
            waited for.
        spacing: seconds between two messages.
        is_for_people: whether what belongs together is told in one message.
        has_threads: whether further words go where the first one is.
        hears_verdicts: whether the word about a deployment is sent there at all.
    """

    delays: tuple[float, ...]
    patience: timedelta
    spacing: float = 0.0
    is_for_people: bool = False
    has_threads: bool = False
    hears_verdicts: bool = True


CHAT: Final = Pace(
    delays=(5, 30, 120, 300, 900, 1800, 3600),
    patience=timedelta(hours=75),
    # https://docs.slack.dev/apis/web-api/rate-limits: one message a second.
    spacing=1.0,
    is_for_people=True,
)
"""People want to know soon, and after a day without the chat how everything stands by then:
what is sent tells that, however old the event is."""

WEBHOOK: Final = Pace(
    delays=(5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400),
    patience=timedelta(hours=75),
)
"""The schedule of the Standard Webhooks, section "Retries"."""

ALERTMANAGER: Final = Pace(
    delays=(5, 15, 30, 60, 120, 300),
    patience=timedelta(hours=75),
    # Sent without a request, it would count as taken: a channel that is down would seem to work.
    hears_verdicts=False,
)
"""A neighbour: it is back soon, and one small request more is nothing to it."""

PACES: Final[Mapping[ChannelKind, Pace]] = MappingProxyType(
    {
        ChannelKind.SLACK: CHAT,
        ChannelKind.SLACK_BOT: replace(CHAT, has_threads=True),
        ChannelKind.WEBHOOK: WEBHOOK,
        ChannelKind.ALERTMANAGER: ALERTMANAGER,
        ChannelKind.APPRISE: CHAT,
    }
)


def plan_retry(
    pace: Pace, failure: DeliveryError, *, attempts: int, age: timedelta, luck: float
) -> timedelta | None:
    """How long to wait before the next attempt; None to give up.

    The Retry-After of who counts our requests wins over the schedule, up to a day. From
    anybody else it is the least that we wait: a proxy says five seconds for as long as
    what is behind it is down.

    Args:
        pace: of the channel.
        failure: why the last attempt failed.
        attempts: how many there were, at least 1.
        age: how long ago the event was decided.
        luck: from 0 to 1, to spread attempts by `JITTER`.
    """
    has_waited = attempts > len(pace.delays)
    if failure.permanent or (has_waited and age >= pace.patience):
        return None
    asked = read_wish(failure)
    if asked is not None and failure.reason == FailureReason.RATE_LIMITED:
        return asked
    delay = pace.delays[min(attempts, len(pace.delays)) - 1]
    planned = timedelta(seconds=delay * (1 - JITTER + 2 * JITTER * luck))
    return max(planned, asked or planned)


def read_wish(failure: DeliveryError) -> timedelta | None:
    """How long the receiver asked to be left alone, a day at most; None if it did not.

    Nor did it if it asks for nothing: tried at once, it would be for days, without a pause.
    """
    if failure.retry_after is None or failure.retry_after < 1:
        return None
    return timedelta(seconds=min(failure.retry_after, LONGEST_WAIT))
