"""Test messages: to every channel at the same time, past the ledger, and tried once."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

import msgspec

from monitor.agent.routes import make_routes
from monitor.cli.loop import run_loop
from monitor.cli.output import say
from monitor.cli.settings import load_settings
from monitor.config.audience import describe_silence
from monitor.config.settings import Settings
from monitor.core.errors import DeliveryError, UsageError
from monitor.core.message import Message, compose_test
from monitor.core.printing import clean
from monitor.sinks.channel import Channel, FailureReason
from monitor.sinks.outbox import SEND_SECONDS
from monitor.sinks.ulid import make_ulid
from monitor.sources.http import open_client

_STEPS: Final[Mapping[str, str]] = MappingProxyType(
    {
        FailureReason.CONNECT: "Check its address, the network and the certificate.",
        FailureReason.TIMEOUT: "Look at the receiver: it may have got the message.",
        FailureReason.BROKEN_OFF: "Look at the receiver: it may have got the message.",
        FailureReason.RATE_LIMITED: "Wait a minute, and try again.",
        FailureReason.SERVER: "Look at the receiver, and at the address of the channel.",
    }
)
"""What to do, where a channel speaks of trying again: nobody tries a test again."""


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one test message: a receipt, or why there is none."""

    name: str
    kind: str
    receipt: str | None = None
    failure: str | None = None
    reason: str | None = None
    next_step: str | None = None


def send_tests(channel: str | None, config: str | None) -> list[Tried]:
    """Send one to the channel of that name, or to all.

    Raises:
        UsageError: there is no such channel, or none at all.
        ConfigurationError: the configuration, or a channel, cannot be used.
    """
    loaded = load_settings(config, may_be_empty=True)
    for sentence in describe_silence(loaded):
        say(f"only this test: {clean(sentence)}")
    return run_loop(_send(loaded.settings, channel))


async def _send(settings: Settings, wanted: str | None) -> list[Tried]:
    async with open_client() as client:
        channels = [route.channel for route in make_routes(settings, client)]
        chosen = [one for one in channels if wanted in (None, one.name)]
        if not chosen:
            raise _find_nothing([one.name for one in channels], wanted)
        at = datetime.now(UTC)
        message = compose_test(
            settings.environment, delivery=make_ulid(at), at=at, url=settings.public_url
        )
        return list(await asyncio.gather(*(_try(one, message, at) for one in chosen)))


def _find_nothing(names: Sequence[str], wanted: str | None) -> UsageError:
    if not names:
        return UsageError(
            "No channel is configured.",
            next_step="Configure one, as ANCHORWATCH_SLACK__WEBHOOK_URL.",
        )
    return UsageError(
        f"There is no channel {wanted!r}.", next_step=f"Configured are: {', '.join(names)}."
    )


async def _try(channel: Channel, message: Message, at: datetime) -> Tried:
    tried = Tried(name=channel.name, kind=channel.kind.value)
    try:
        async with asyncio.timeout(SEND_SECONDS):
            receipt = await channel.send(message, attempt_at=at)
    except DeliveryError as error:
        return msgspec.structs.replace(
            tried,
            failure=error.message,
            reason=error.reason,
            next_step=_STEPS.get(error.reason, error.next_step),
        )
    except TimeoutError:
        reason = FailureReason.TIMEOUT
        late = f"It took longer than {SEND_SECONDS:g} s."
        return msgspec.structs.replace(
            tried, failure=late, reason=reason.value, next_step=_STEPS[reason]
        )
    return msgspec.structs.replace(tried, receipt=receipt)


def write_tried(tried: Tried) -> str:
    """One line for one that took it, two for one that did not."""
    if tried.failure is None:
        return clean(f"{tried.name}: taken ({tried.receipt})")
    return (
        f"{clean(f'{tried.name}: not taken. {tried.failure}')}\n  {clean(tried.next_step or '')}"
    )


def describe_tried(tried: Tried) -> dict[str, Any]:
    """The same for programs."""
    error = {"code": tried.reason, "message": tried.failure, "next": tried.next_step}
    return {
        "name": tried.name,
        "kind": tried.kind,
        "ok": tried.failure is None,
        "receipt": tried.receipt,
        "error": error if tried.failure is not None else None,
    }
