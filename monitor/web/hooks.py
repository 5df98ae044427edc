"""What platforms and pipelines report: a deployment, which is looked at a little later.

Nothing is looked at before the answer. The secret is in the path, for Railway signs nothing;
a wrong one is answered as an address that does not exist.
"""

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field

from monitor.core.deployment import Deployment, read_railway, read_report
from monitor.web.answer import Answer
from monitor.web.answers import ErrorAnswer, ErrorBody
from monitor.web.auth import HOOKS, is_same
from monitor.web.problems import make_not_found
from monitor.web.view import View

type Read = Callable[[bytes, datetime], Deployment | None]

_NO_HOOK = ErrorBody(
    code="not_found",
    message="There is no such address.",
    next="Check the address: the last part of it is the secret.",
)


class Taken(Answer):
    """What became of a report."""

    format: Literal[1] = 1
    deployment: str | None = Field(
        description="Its id; null for what concerns no database that is watched here."
    )
    is_new: bool = Field(
        serialization_alias="new", description="False where it was reported before."
    )


def make_hook_routes(view: View) -> APIRouter:
    """The routes that platforms and pipelines post to."""
    router = APIRouter(prefix=HOOKS.rstrip("/"), tags=["hooks"])
    responses = {
        404: {"model": ErrorAnswer, "description": "The secret is wrong, or none is set."},
        422: {"model": ErrorAnswer, "description": "The body cannot be read."},
    }

    async def take(secret: str, wanted: str | None, request: Request, read: Read) -> Taken:
        if not wanted or not is_same(secret, wanted):
            raise make_not_found(_NO_HOOK)
        deployment = read(await request.body(), view.clock())
        if deployment is None:
            return Taken(deployment=None, is_new=False)
        is_new = await view.deployed(deployment)
        return Taken(deployment=None if is_new is None else deployment.id, is_new=bool(is_new))

    @router.post(
        "/railway/{secret}",
        status_code=HTTPStatus.ACCEPTED,
        summary="A webhook of Railway: what is deployed is looked at after `post_deploy_delay`",
        responses=responses,  # type: ignore[arg-type]  # of str and int keys
    )
    async def take_railway(
        secret: Annotated[str, Path(max_length=200)], request: Request
    ) -> Taken:
        return await take(secret, view.railway_secret, request, read_railway)

    @router.post(
        "/deploy/{secret}",
        status_code=HTTPStatus.ACCEPTED,
        summary='The report of a pipeline: `{"commit": "3f2a1c", "service": "web"}`',
        responses=responses,  # type: ignore[arg-type]  # as above
    )
    async def take_report(
        secret: Annotated[str, Path(max_length=200)], request: Request, response: Response
    ) -> Taken:
        del response
        return await take(secret, view.deploy_secret, request, read_report)

    return router
