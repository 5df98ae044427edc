"""What pipelines push: the lock of a release, before or after it is deployed."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response

from monitor.sinks.locks import Keeping
from monitor.web.answers import ErrorAnswer, ErrorBody, LockKept
from monitor.web.overview import find_database
from monitor.web.problems import make_conflict
from monitor.web.view import View

_CONFLICTS: Final[Mapping[Keeping, ErrorBody]] = {
    Keeping.CONFLICT: ErrorBody(
        code="commit_has_another_lock",
        message="Another lock is kept for this commit.",
        next="Build it from the commit that it is sent for; the same commit gives the same lock.",
    ),
    Keeping.FOREIGN: ErrorBody(
        code="another_application",
        message="This lock has no revision of the one that is kept for this database.",
        next="Check the name of the database; where its history begins anew, add `anew=true`.",
    ),
    Keeping.UNUSED: ErrorBody(
        code="not_expected",
        message="This database is not watched here, or is compared with something else.",
        next="Remove `expected` from its entry, or let it be `alembic:` or `lock:`.",
    ),
}
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    201: {"model": LockKept, "description": "It is kept."},
    404: {"model": ErrorAnswer, "description": "There is no such database."},
    409: {"model": ErrorAnswer, "description": "It cannot be of this commit, or database."},
    413: {"model": ErrorAnswer, "description": "It is longer than 32 megabytes."},
}


_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}}},
        "description": "What `anchorwatch lock build` wrote.",
    }
}


def add_push_routes(router: APIRouter, view: View) -> None:
    """Add the routes of pipelines."""

    @router.put(
        "/databases/{name}/lock",
        tags=["databases"],
        summary="Keep the lock of a release; the last 20 of each database are kept",
        responses=_RESPONSES,
        openapi_extra=_BODY,
    )
    async def push(  # noqa: PLR0913  # what a request has
        *,
        name: Annotated[str, Path(max_length=200)],
        request: Request,
        response: Response,
        commit: Annotated[
            str,
            Query(
                description="Of the code that the lock was built from.",
                pattern=r"^[0-9A-Za-z._-]{1,100}$",
            ),
        ],
        anew: Annotated[
            bool, Query(description="Forget the locks of another history of this database.")
        ] = False,
        environment: Annotated[str | None, Query(max_length=200)] = None,
    ) -> LockKept:
        found = (await find_database(view, name, environment)).answer
        place = found.environment, found.name
        keeping = await view.push(place, await request.body(), commit, anew=anew)
        if keeping in _CONFLICTS:
            raise make_conflict(_CONFLICTS[keeping])
        is_new = keeping is Keeping.NEW
        response.status_code = HTTPStatus.CREATED if is_new else HTTPStatus.OK
        return LockKept(
            name=found.name,
            environment=found.environment,
            commit=commit,
            status="new" if is_new else "same",
        )
