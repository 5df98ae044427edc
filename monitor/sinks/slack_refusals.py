"""What Slack refuses in words of its own: its Web API with 200, a webhook with 400 as well."""

from datetime import datetime
from typing import Final

from monitor.core.errors import DeliveryError
from monitor.sinks.channel import FailureReason, read_retry_after
from monitor.sources.http import Answer

TOO_MUCH: Final = frozenset({"invalid_blocks", "msg_blocks_too_long", "msg_too_long"})
"""It is the layout that is refused: words alone are taken."""
PASSING: Final = frozenset(
    {"fatal_error", "internal_error", "request_timeout", "service_unavailable", "ratelimited"}
)
"""It may be taken a moment later."""


def defer(answer: Answer, word: str, at: datetime) -> DeliveryError:
    """Why it was not taken for now, in a word of `PASSING`."""
    is_asked = word == "ratelimited"
    return DeliveryError(
        f"{answer.label} is out of order: {word}.",
        next_step="It is tried again.",
        retry_after=read_retry_after(answer.headers.get("retry-after"), at),
        reason=FailureReason.RATE_LIMITED if is_asked else FailureReason.SERVER,
    )
