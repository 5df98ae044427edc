"""``GET /api/events``: what is new at the databases, as server-sent events.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html

A page without it asks every few seconds; with it a page knows at once, and asks for what changed.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from monitor.web.answers import ErrorAnswer, ErrorBody, NewsList
from monitor.web.news import Listener, News
from monitor.web.problems import answer_problem
from monitor.web.view import View

STOPPING: Final = "anchorwatch.stopping"
"""Where a scope holds the `asyncio.Event` that is set when the agent stops."""

HEARTBEAT: Final = 15.0
"""Seconds after which a stream says something: proxies close what is silent for a minute."""

LIFETIME: Final = 3600.0
"""Seconds of a stream; who asks again has to be known still."""

RETRY: Final = 5000
"""Milliseconds after which a browser asks again."""

_CROWD: Final = ErrorBody(
    code="too_many_listeners",
    message="Too many pages are told of news already.",
    next="Ask for what you need every few seconds instead, or close some.",
)
_EXAMPLE: Final = (
    'event: looks\ndata: {"format":1,"databases":[{"environment":"production","name":"billing",'
    '"state":"drifted","last_look":"2026-03-14T09:26:31Z","changed":true}]}\n\n'
)
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "One event `looks` for each `NewsList`; comments keep it open.",
        "content": {"text/event-stream": {"example": _EXAMPLE}},
    },
    503: {"model": ErrorAnswer, "description": "Too many listen already."},
}


def add_event_routes(router: APIRouter, view: View) -> None:
    """The route of the stream."""
    news = News(view)

    @router.get(
        "/events",
        tags=["databases"],
        summary="What is new at the databases, as server-sent events",
        response_class=StreamingResponse,
        responses=_ANSWERS,
    )
    async def stream_events(request: Request) -> StreamingResponse:
        return _Stream(request, news)


class _Stream(StreamingResponse):
    """The stream of one listener, or 503 where there are too many."""

    def __init__(self, request: Request, news: News) -> None:
        self._request = request
        self._news = news
        super().__init__((), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._news.is_full:
            crowded = answer_problem(
                self._request,
                HTTPStatus.SERVICE_UNAVAILABLE,
                _CROWD,
                {"Retry-After": str(RETRY // 1000)},
            )
            await crowded(scope, receive, send)
            return
        async with self._news.listen() as listener:
            self.body_iterator = _tell(listener, scope.get(STOPPING) or asyncio.Event())
            await super().__call__(scope, receive, send)


async def _tell(listener: Listener, stopping: asyncio.Event) -> AsyncIterator[str]:
    """What the listener hears, until the agent stops or the stream is old."""
    until = time.monotonic() + LIFETIME
    yield f"retry: {RETRY}\n\n"
    while not stopping.is_set() and time.monotonic() < until:
        taken = await _take(listener, stopping)
        if taken is not None:
            yield write_event(taken)
        elif not stopping.is_set():
            yield ": still here\n\n"


async def _take(listener: Listener, stopping: asyncio.Event) -> NewsList | None:
    """What is new; None when it is time to say something else."""
    taking, end = asyncio.create_task(listener.take()), asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait((taking, end), timeout=HEARTBEAT, return_when=asyncio.FIRST_COMPLETED)
        return taking.result() if taking.done() else None
    finally:
        taking.cancel()
        end.cancel()


def write_event(news: NewsList) -> str:
    """One event; JSON has no line ends of its own."""
    return f"event: looks\ndata: {news.model_dump_json()}\n\n"
