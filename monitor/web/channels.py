"""The channels on the page and through the API: what waits for each, and a test of one."""

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter

from monitor.core.channel_health import name_channel
from monitor.sinks.delivery import Backlog
from monitor.sinks.trial import Tried
from monitor.web.answers import (
    ChannelAnswer,
    ChannelList,
    ErrorBody,
    TrialAnswer,
)
from monitor.web.description import to_utc
from monitor.web.operating_routes import Number
from monitor.web.problems import make_not_found
from monitor.web.refusals import FOREIGN, NOT_FOUND
from monitor.web.view import View

NO_CHANNEL: Final = ErrorBody(
    code="not_found",
    message="No channel of this name is configured.",
    next="GET /api/channels lists those that are.",
)
_EMPTY: Final = Backlog(pending=0, oldest=None, dead=0)


async def list_channels(view: View) -> ChannelList:
    """Every channel, with what waits for it.

    Raises:
        StoreError: the ledger cannot be read.
    """
    backlogs = await view.store.count_outbox(view.served)
    broken = {
        name_channel(incident): incident.id
        for incident in await view.store.list_broken(view.environment)
    }
    return ChannelList(
        channels=tuple(_describe(name, kind, backlogs, broken) for name, kind in view.channels)
    )


def _describe(
    name: str, kind: str, backlogs: Mapping[str, Backlog], broken: Mapping[str, str]
) -> ChannelAnswer:
    backlog = backlogs.get(name, _EMPTY)
    return ChannelAnswer(
        name=name,
        kind=kind,
        pending=backlog.pending,
        oldest=to_utc(backlog.oldest),
        dead=backlog.dead,
        broken=broken.get(name),
    )


async def try_channel(view: View, name: str) -> TrialAnswer:
    """Send a test message, and say what became of it.

    Raises:
        HTTPException: there is no such channel.
    """
    tried = await view.try_channel(name)
    if tried is None:
        raise make_not_found(NO_CHANNEL)
    return _describe_trial(tried)


def _describe_trial(tried: Tried) -> TrialAnswer:
    error = None
    if tried.failure is not None:
        error = ErrorBody(
            code=tried.reason or "failed", message=tried.failure, next=tried.next_step or ""
        )
    return TrialAnswer(name=tried.name, ok=error is None, receipt=tried.receipt, error=error)


def add_channel_routes(router: APIRouter, view: View) -> None:
    """The routes below ``/api/channels``."""

    @router.get("/channels", tags=["channels"], summary="Where messages go, and what waits")
    async def show_channels() -> ChannelList:
        return await list_channels(view)

    @router.post(
        "/channels/{channel}/test",
        tags=["channels"],
        summary="Send a test message, past what waits, and once",
        responses=FOREIGN | NOT_FOUND,
    )
    async def try_one(channel: Number) -> TrialAnswer:
        return await try_channel(view, channel)
