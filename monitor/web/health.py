"""``/livez`` and ``/readyz`` for platforms, ``/metrics`` for Prometheus.

Health is the agent's own: a watched database that is down makes neither fail,
or a broken database would keep its watcher from being deployed.
"""

import asyncio
from http import HTTPStatus
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.responses import Response

from monitor.web.answer import Answer
from monitor.web.answers import ErrorAnswer
from monitor.web.view import View

READY_SECONDS: Final = 3.0
"""How long the parts may take to say that they are ready."""

EXPOSITION: Final = "text/plain; version=0.0.4; charset=utf-8"
"""https://prometheus.io/docs/instrumenting/exposition_formats/"""


class Liveness(Answer):
    """Whether the agent makes progress."""

    format: Literal[1] = 1
    alive: bool


class Readiness(Answer):
    """Whether the agent can do its work."""

    format: Literal[1] = 1
    ready: bool
    reasons: tuple[str, ...] = Field(description="Why it is not ready; none when it is.")


def make_health_routes(view: View) -> APIRouter:
    """The routes that platforms and Prometheus ask."""
    router = APIRouter(tags=["health"])

    @router.get(
        "/livez",
        summary="Whether the agent makes progress",
        response_model=Liveness,
        responses={503: {"model": Liveness, "description": "It does not: restart it."}},
    )
    async def show_liveness() -> Response:
        is_alive = view.is_alive()
        return _answer(Liveness(alive=is_alive), is_good=is_alive)

    @router.get(
        "/readyz",
        summary="Whether the agent can do its work",
        response_model=Readiness,
        responses={503: {"model": Readiness, "description": "It cannot, and why."}},
    )
    async def show_readiness() -> Response:
        reasons = await _list_reasons(view)
        answer = Readiness(ready=not reasons, reasons=tuple(reasons))
        return _answer(answer, is_good=not reasons)

    @router.get(
        "/metrics",
        summary="Metrics in the Prometheus text format",
        response_class=Response,
        responses={
            200: {"content": {EXPOSITION: {}}},
            401: {"model": ErrorAnswer, "description": "A token is needed."},
            422: {"model": ErrorAnswer, "description": "A parameter is not valid."},
        },
    )
    async def show_metrics(
        database: Annotated[
            list[str] | None,
            Query(description="Only the series of these; repeat it for several."),
        ] = None,
    ) -> Response:
        return Response(view.render_metrics(database), media_type=EXPOSITION)

    return router


async def _list_reasons(view: View) -> list[str]:
    try:
        async with asyncio.timeout(READY_SECONDS):
            return await view.is_ready()
    except TimeoutError:
        return [f"The ledger did not answer within {READY_SECONDS:g} seconds."]


def _answer(answer: Answer, *, is_good: bool) -> Response:
    status = HTTPStatus.OK if is_good else HTTPStatus.SERVICE_UNAVAILABLE
    return JSONResponse(answer.model_dump(mode="json"), status)
