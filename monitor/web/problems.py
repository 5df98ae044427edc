"""Every error in one shape: ``{"format", "error": {"code", "message", "next"}}``, or a page.

A failure that nobody foresaw tells nothing of itself: the log has it.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import structlog
from fastapi import FastAPI, HTTPException
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import Request
from starlette.responses import Response

from monitor.core.errors import DamagedFile, LookError, StoreError, UsageError
from monitor.web.answers import ErrorAnswer, ErrorBody
from monitor.web.headers import COMMON
from monitor.web.templating import render

_log = structlog.get_logger()

_READ_THE_LIST: Final = "GET /api/openapi.json lists what there is."

_WORDS: Final[Mapping[int, ErrorBody]] = {
    400: ErrorBody(
        code="bad_request",
        message="The request cannot be understood.",
        next="Correct it and try again.",
    ),
    404: ErrorBody(code="not_found", message="There is nothing here.", next=_READ_THE_LIST),
    405: ErrorBody(
        code="method_not_allowed",
        message="This address does not take that method.",
        next="The header Allow lists those it takes.",
    ),
    413: ErrorBody(code="too_large", message="The request is too large.", next="Send less."),
    500: ErrorBody(
        code="internal",
        message="Something failed here in a way that nobody foresaw.",
        next="The agent's log has the details; please report them.",
    ),
}
"""The answers to what the framework refuses by itself."""

NO_DATABASE: Final = ErrorBody(
    code="not_found",
    message="No database of this name is watched here.",
    next="GET /api/databases lists those that are.",
)
NOT_LOOKED_AT: Final = ErrorBody(
    code="not_looked_at",
    message="Nobody here looks at this database.",
    next="It is disabled, its configuration is wrong, or another agent watches it: see its page.",
)
NO_INCIDENT: Final = ErrorBody(
    code="not_found",
    message="There is no incident of this number.",
    next="GET /api/incidents?state=all lists those that there are.",
)
NO_SNAPSHOT: Final = ErrorBody(
    code="no_snapshot",
    message="No snapshot of this database is at hand.",
    next="Wait for the next look that can read the schema.",
)


def make_not_found(body: ErrorBody) -> HTTPException:
    """What a route raises when the thing it was asked for is not there."""
    return HTTPException(HTTPStatus.NOT_FOUND, detail=body)


def make_conflict(body: ErrorBody) -> HTTPException:
    """What a route raises when the thing is there, and is not in the state for it."""
    return HTTPException(HTTPStatus.CONFLICT, detail=body)


def install_handlers(app: FastAPI) -> None:
    """Every error of ``app`` is answered in the one shape."""
    app.add_exception_handler(StarletteHTTPException, _answer_http)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(StoreError, _answer_store)
    app.add_exception_handler(UsageError, _answer_usage)
    app.add_exception_handler(DamagedFile, _answer_damaged)
    app.add_exception_handler(LookError, _answer_unseen)
    app.add_exception_handler(Exception, _answer_unforeseen)


def answer_problem(
    request: Request, status: int, body: ErrorBody, headers: Mapping[str, str] | None = None
) -> Response:
    """The error as JSON, or as a page to a browser that asks for one."""
    carried = {**COMMON, **(headers or {})}
    if wants_page(request):
        page = render("problem.html", problem=body, status=status)
        return Response(page, status, carried, media_type="text/html")
    return JSONResponse(ErrorAnswer(error=body).model_dump(mode="json"), status, carried)


def wants_page(request: Request) -> bool:
    """Whether a person looks: machines' addresses always answer JSON."""
    path = request.url.path
    if path.startswith(("/api/", "/hooks/")) or path in ("/livez", "/readyz", "/metrics"):
        return False
    return "text/html" in request.headers.get("accept", "")


async def _answer_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException)  # noqa: S101  # registered for nothing else
    detail: object = error.detail
    body = detail if isinstance(detail, ErrorBody) else _describe_status(error.status_code)
    return answer_problem(request, error.status_code, body, error.headers)


def _describe_status(status: int) -> ErrorBody:
    phrase = HTTPStatus(status).phrase
    return _WORDS.get(status) or ErrorBody(
        code=phrase.lower().replace(" ", "_"), message=f"{phrase}.", next=_READ_THE_LIST
    )


async def _answer_invalid(request: Request, error: Exception) -> Response:
    """Names the parameter and the rule, never the value that was sent."""
    assert isinstance(error, RequestValidationError)  # noqa: S101  # registered for nothing else
    wrong = [f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors()]
    body = ErrorBody(
        code="invalid",
        message=f"The request is not valid: {'; '.join(wrong)}.",
        next="GET /api/openapi.json tells what is expected.",
    )
    return answer_problem(request, HTTPStatus.UNPROCESSABLE_ENTITY, body)


async def _answer_store(request: Request, error: Exception) -> Response:
    assert isinstance(error, StoreError)  # noqa: S101  # registered for nothing else
    _log.warning("the ledger failed", error=str(error))
    body = ErrorBody(code=error.code, message=error.message, next=error.next_step)
    return answer_problem(request, HTTPStatus.SERVICE_UNAVAILABLE, body)


async def _answer_usage(request: Request, error: Exception) -> Response:
    """What a person wrote, or asked for, does not go."""
    assert isinstance(error, UsageError)  # noqa: S101  # registered for nothing else
    body = ErrorBody(code=error.code, message=error.message, next=error.next_step)
    return answer_problem(request, HTTPStatus.UNPROCESSABLE_ENTITY, body)


async def _answer_damaged(request: Request, error: Exception) -> Response:
    """What was sent is not what it should be."""
    assert isinstance(error, DamagedFile)  # noqa: S101  # registered for nothing else
    body = ErrorBody(code=error.code, message=error.message, next=error.next_step)
    return answer_problem(request, HTTPStatus.UNPROCESSABLE_ENTITY, body)


async def _answer_unseen(request: Request, error: Exception) -> Response:
    """What is asked for hangs on a look, and there was none."""
    assert isinstance(error, LookError)  # noqa: S101  # registered for nothing else
    body = ErrorBody(code=error.code, message=error.message, next=error.next_step)
    return answer_problem(request, HTTPStatus.CONFLICT, body)


async def _answer_unforeseen(request: Request, _error: Exception) -> Response:
    """The framework passes the exception on to the server's log."""
    return answer_problem(request, HTTPStatus.INTERNAL_SERVER_ERROR, _WORDS[500])
