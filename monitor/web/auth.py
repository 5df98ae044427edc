"""Who may see what: closed unless a rule here opens it.

Without a token everything is open to this machine and nothing to others. With
one, a request brings it as ``Authorization: Bearer`` (RFC 6750), a browser as
a cookie that the form at ``/login`` sets: a keyed hash, never the token.
"""

import hashlib
import hmac
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final
from urllib.parse import SplitResult, urlsplit

import structlog
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from monitor.core.loopback import is_own_host
from monitor.core.masking import Masker
from monitor.web.answers import ErrorBody
from monitor.web.limits import is_push
from monitor.web.problems import answer_problem, wants_page
from monitor.web.templating import render
from monitor.web.view import View

_log = structlog.get_logger()

COOKIE: Final = "anchorwatch_session"
SESSION: Final = timedelta(days=30)
"""How long a browser stays logged in."""

HOOKS: Final = "/hooks/"
_OPEN: Final = frozenset({"/livez", "/readyz", "/login", "/logout"})
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_HOOK_KINDS: Final = ("railway", "deploy")

_NEEDED: Final = ErrorBody(
    code="unauthorized",
    message="A token is needed here.",
    next="Send it as `Authorization: Bearer TOKEN`, or log in at /login.",
)
_UNSET: Final = ErrorBody(
    code="token_not_configured",
    message="This agent listens beyond its own machine and has no token, so it shows nothing.",
    next=(
        "Set ANCHORWATCH_API_TOKEN to a long random text (for /metrics alone "
        "ANCHORWATCH_METRICS_TOKEN is enough), restart, and send it as "
        "`Authorization: Bearer TOKEN`."
    ),
)
_STRANGE_HOST: Final = ErrorBody(
    code="strange_host",
    message="This agent is open to its own machine only, and was asked for by a strange name.",
    next="Open it as http://localhost, or set ANCHORWATCH_PUBLIC_URL to the name that it has, "
    "or ANCHORWATCH_API_TOKEN.",
)
_FOREIGN: Final = ErrorBody(
    code="foreign_origin",
    message="The request comes from another site.",
    next="Open the page of this agent and try again there.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """Makes and checks the cookie; nothing of it is remembered here.

    Attributes:
        view: the token and the clock.
    """

    view: View

    def begin(self) -> str:
        """The value of a fresh cookie."""
        assert self.view.api_token  # noqa: S101  # nobody logs in where there is no token
        issued = str(int(self.view.clock().timestamp()))
        return f"{issued}.{_seal(self.view.api_token, issued)}"

    def holds(self, cookie: str | None) -> bool:
        """Whether the cookie was made with today's token and is not too old."""
        if not self.view.api_token or not cookie:
            return False
        issued, _, seal = cookie.partition(".")
        if not is_same(seal, _seal(self.view.api_token, issued)):
            return False
        return _is_recent(issued, self.view.clock())


def _seal(token: str, issued: str) -> str:
    message = f"anchorwatch session {issued}".encode("utf-8", "replace")
    return hmac.new(token.encode(), message, hashlib.sha256).hexdigest()


def _is_recent(issued: str, now: datetime) -> bool:
    """A sealed time is one of ours, so it is a number."""
    return timedelta(0) <= now - datetime.fromtimestamp(int(issued), now.tzinfo) < SESSION


def is_same(one: str, other: str) -> bool:
    """Takes the same time wherever the two differ."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def is_token(view: View, given: str) -> bool:
    """Whether ``given`` is the token that opens everything."""
    return bool(view.api_token) and is_same(given, view.api_token or "")


class Guard:
    """Stands before every route: lets through what may pass, answers the rest."""

    def __init__(self, app: ASGIApp, view: View) -> None:
        self._app = app
        self._view = view
        self._sessions = Sessions(view=view)
        self._masker = view.masker

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        refusal = self._judge(Request(scope)) if scope["type"] == "http" else None
        await (refusal or self._app)(scope, receive, send)

    def _judge(self, request: Request) -> Response | None:
        if request.url.path.startswith(HOOKS):
            return None  # its secret is in the path, and platforms post from browsers too
        if not _is_same_origin(request):
            return answer_problem(request, HTTPStatus.FORBIDDEN, _FOREIGN)
        path = request.url.path
        if path in _OPEN or path.startswith("/static/"):
            return None
        accepted = self._list_accepted(request.method, path)
        if not accepted and self._view.is_loopback:
            is_meant = self._is_meant(request)
            return None if is_meant else answer_problem(request, 403, _STRANGE_HOST)
        is_known = self._is_known(request, accepted)
        return None if is_known else self._refuse(request, is_set=bool(accepted))

    def _is_meant(self, request: Request) -> bool:
        """Whether the browser took this agent for itself, and not for a site of that name.

        Any site can let its name lead to this machine, and then its scripts read what is open
        here: DNS rebinding. It needs a name; one that is an address is asked for on purpose.
        """
        place = _read_place(f"//{request.headers.get('host', '')}")
        if place is None:
            return False
        host = place.hostname or ""
        return not host or host == self._view.public_host or is_own_host(host)

    def _list_accepted(self, method: str, path: str) -> Sequence[str]:
        """The tokens that open this address; an empty one opens nothing."""
        own = self._view.metrics_token if path == "/metrics" else None
        if is_push(method, path):
            own = self._view.push_token
        return [token for token in (self._view.api_token, own) if token]

    def _is_known(self, request: Request, accepted: Sequence[str]) -> bool:
        given = _read_bearer(request.headers)
        if given is not None:
            return any(is_same(given, token) for token in accepted)
        return self._sessions.holds(request.cookies.get(COOKIE))

    def _refuse(self, request: Request, *, is_set: bool) -> Response:
        if "authorization" in request.headers:
            _log.warning(
                "a wrong token was sent",
                client=request.client.host if request.client else None,
                address=describe_path(request.url.path, self._masker),
            )
        headers = {"WWW-Authenticate": 'Bearer realm="anchorwatch"'}
        if is_set and wants_page(request) and self._view.api_token:
            if _is_link_elsewhere(request):
                headers["Refresh"] = "0"
            page = render("login.html", back=_find_way_back(request), problem=None, has_token=True)
            return Response(page, HTTPStatus.UNAUTHORIZED, headers, media_type="text/html")
        body = _NEEDED if is_set else _UNSET
        return answer_problem(request, HTTPStatus.UNAUTHORIZED, body, headers)


def _is_link_elsewhere(request: Request) -> bool:
    """Whether somebody followed a link on another site, as in a message.

    A browser keeps a strict cookie back there, also of a person who is logged in. When the page
    asks for itself once more it is its own site that asks, and the cookie comes along.
    """
    is_foreign = request.headers.get("sec-fetch-site") in ("cross-site", "same-site")
    return request.method == "GET" and is_foreign


def _find_way_back(request: Request) -> str:
    """Where a person wanted to go, with all that the address asks for.

    A form that was sent is not sent again, and its address shows nothing: so to the first page.
    """
    if request.method not in _SAFE:
        return "/"
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _read_bearer(headers: Headers) -> str | None:
    """The token of the header, None when there is none; RFC 6750 section 2.1."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    return token.strip().encode("latin-1").decode("utf-8", "replace")


def _is_same_origin(request: Request) -> bool:
    """Whether a request that changes something was made by a page of ours or by no page.

    Browsers say where a request comes from; other programs say nothing, and
    bring no cookie that somebody else could ride on.
    """
    if request.method in _SAFE:
        return True
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    if origin is None:
        return True
    place = _read_place(origin)
    return place is not None and place.netloc == request.headers.get("host")


def _read_place(address: str) -> SplitResult | None:
    """The parts of an address; None for what is none, as a bracket that nothing closes."""
    with suppress(ValueError):
        return urlsplit(address)
    return None


def describe_path(path: str, masker: Masker) -> str:
    """The path as a log may show it: what hangs below a hook is a secret, also a wrong one.

    However it is written: a slash too many or a wrong case opens nothing, and is logged. The
    secrets that this agent has are hidden in every address.
    """
    parts = path.split("/")
    place = next((n for n, part in enumerate(parts) if "hook" in part.lower()), None)
    if place is not None and parts[place + 1 :]:
        kept = place + 1 + (parts[place + 1] in _HOOK_KINDS and len(parts) > place + 2)
        path = "/".join([*parts[:kept], "***"])
    return masker.hide(path)[:200]
