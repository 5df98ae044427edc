"""The form that trades the token for a cookie, and the way out."""

from http import HTTPStatus
from typing import Final

import structlog
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from monitor.web.auth import COOKIE, SESSION, Sessions, is_token
from monitor.web.forms import read_form
from monitor.web.templating import render
from monitor.web.view import View

_log = structlog.get_logger()

MAX_FORM: Final = 4096
"""Bytes that the form may have: a token and a path."""


def make_login_routes(view: View) -> APIRouter:
    """``/login`` and ``/logout``; not part of the JSON interface."""
    router = APIRouter(include_in_schema=False)
    sessions = Sessions(view=view)

    @router.get("/login")
    async def show_form() -> Response:
        return _show_form(view, back="/", problem=None)

    @router.post("/login")
    async def log_in(request: Request) -> Response:
        form = await read_form(request, MAX_FORM)
        back = _choose_way_back(form.get("back", "/"))
        if not is_token(view, form.get("token", "").strip()):
            client = request.client.host if request.client else None
            _log.warning("a login failed", client=client)
            return _show_form(view, back=back, problem="That is not the token.")
        answer = RedirectResponse(back, HTTPStatus.SEE_OTHER)
        _set_cookie(answer, request, sessions.begin())
        return answer

    @router.post("/logout")
    async def log_out() -> Response:
        answer = RedirectResponse("/login", HTTPStatus.SEE_OTHER)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    return router


def _show_form(view: View, *, back: str, problem: str | None) -> Response:
    page = render("login.html", back=back, problem=problem, has_token=bool(view.api_token))
    status = HTTPStatus.UNAUTHORIZED if problem else HTTPStatus.OK
    return Response(page, status, media_type="text/html")


def _set_cookie(answer: Response, request: Request, value: str) -> None:
    answer.set_cookie(
        COOKIE,
        value,
        max_age=int(SESSION.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=_is_https(request),
    )


def _is_https(request: Request) -> bool:
    """Also behind a proxy that ends TLS; a forged header costs only the forger the cookie."""
    forwarded = request.headers.get("x-forwarded-proto", "").split(",")[0].strip()
    return (forwarded or request.url.scheme) == "https"


def _choose_way_back(asked: str) -> str:
    """A path of this agent: nobody sends a person elsewhere through the login."""
    is_ours = asked.startswith("/") and not asked.startswith(("//", "/\\"))
    return asked if is_ours and asked.isprintable() else "/"
