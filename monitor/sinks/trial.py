"""A test message to a channel: past the outbox, and tried once."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

import msgspec

from monitor.core.errors import DeliveryError
from monitor.core.message import Message, compose_test
from monitor.sinks.channel import Channel, FailureReason
from monitor.sinks.claims import Carrier
from monitor.sinks.mending import mend
from monitor.sinks.outbox import SEND_SECONDS
from monitor.sinks.store import Store
from monitor.sinks.ulid import make_ulid

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


def make_test(environment: str, *, at: datetime, url: str | None) -> Message:
    """A test message with an id of its own."""
    return compose_test(environment, delivery=make_ulid(at), at=at, url=url)


async def try_channel(channel: Channel, message: Message, at: datetime) -> Tried:
    """What becomes of a test message."""
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


async def note_taken(
    store: Store,
    tried: Iterable[Tried],
    *,
    carrier: Carrier,
    channels: Collection[str],
    at: datetime,
) -> None:
    """Note of each channel that took its test message that it works, as `mend` does.

    Args:
        store: the ledger, which knows nothing of test messages.
        tried: what became of them.
        carrier: the agent whose channels they are.
        channels: the names of all that are configured.
        at: now.

    Raises:
        StoreError: the ledger cannot be read or written.
    """
    for one in tried:
        if one.failure is None:
            await mend(store, carrier, one.name, channels, at)
