"""Test messages: to every channel at the same time, past the outbox, and tried once."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from monitor.agent.reach import Reach
from monitor.agent.routes import make_routes
from monitor.cli.loop import run_loop
from monitor.cli.output import say
from monitor.cli.settings import load_settings
from monitor.config.audience import describe_silence
from monitor.config.load import LoadedConfig
from monitor.core.errors import StoreError, UsageError
from monitor.core.printing import clean
from monitor.sinks.backend import find_missing
from monitor.sinks.trial import Tried, make_test, note_taken, try_channel
from monitor.sinks.visit import visit_store
from monitor.sources.http import open_client


def send_tests(channel: str | None, config: str | None) -> list[Tried]:
    """Send one to the channel of that name, or to all.

    Raises:
        UsageError: there is no such channel, or none at all.
        ConfigurationError: the configuration, or a channel, cannot be used.
    """
    loaded = load_settings(config, may_be_empty=True)
    for sentence in describe_silence(loaded):
        say(f"only this test: {clean(sentence)}")
    return run_loop(_send(loaded, channel))


async def _send(loaded: LoadedConfig, wanted: str | None) -> list[Tried]:
    settings = loaded.settings
    async with open_client() as client:
        channels = [route.channel for route in make_routes(settings, client)]
        chosen = [one for one in channels if wanted in (None, one.name)]
        if not chosen:
            raise _find_nothing([one.name for one in channels], wanted)
        at = datetime.now(UTC)
        message = make_test(settings.environment, at=at, url=settings.public_url)
        tried = await asyncio.gather(*(try_channel(one, message, at) for one in chosen))
    await _note(loaded, tried, [one.name for one in channels])
    return list(tried)


async def _note(loaded: LoadedConfig, tried: Sequence[Tried], channels: Sequence[str]) -> None:
    """Tell the agent's ledger which channels work; without one there is nobody to tell."""
    url = loaded.settings.store_url.get_secret_value()
    if find_missing(url):
        return
    carrier = Reach(loaded, broken=()).carrier
    try:
        async with visit_store(url) as store:
            await note_taken(
                store,
                tried,
                carrier=carrier,
                channels=channels,
                at=datetime.now(UTC),
            )
    except StoreError as error:
        say(f"the agent does not hear of this test: {clean(str(error))}")


def _find_nothing(names: Sequence[str], wanted: str | None) -> UsageError:
    if not names:
        return UsageError(
            "No channel is configured.",
            next_step="Configure one, as ANCHORWATCH_SLACK__WEBHOOK_URL.",
        )
    return UsageError(
        f"There is no channel {wanted!r}.", next_step=f"Configured are: {', '.join(names)}."
    )


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
