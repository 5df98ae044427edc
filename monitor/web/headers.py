"""What every answer carries, and HEAD for whatever takes GET.

Sources: https://www.w3.org/TR/CSP3/ , https://www.rfc-editor.org/rfc/rfc9110#section-9.3.2
"""

from collections.abc import Mapping
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COMMON: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Nothing is loaded from elsewhere, framed, sniffed, indexed or kept."""


class Headers:
    """Adds the common headers where an answer does not say otherwise, and answers HEAD."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, a HEAD as the GET that it stands for."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_head, is_over = scope["method"] == "HEAD", False

        async def send_with_headers(message: Message) -> None:
            nonlocal is_over
            if message["type"] == "http.response.start":
                _add_missing(MutableHeaders(scope=message), is_file=_is_file(scope["path"]))
            elif is_over:
                return
            elif is_head:
                # What follows is not waited for: a stream would never end.
                is_over, message = True, {"type": message["type"], "body": b""}
            await send(message)

        inner = {**scope, "method": "GET"} if is_head else scope
        await self._app(inner, receive, send_with_headers)


def _add_missing(headers: MutableHeaders, *, is_file: bool) -> None:
    for name, value in COMMON.items():
        headers.setdefault(name, value)
    if is_file:
        # The files are public and have an ETag: a browser asks whether they changed.
        headers["Cache-Control"] = "no-cache"


def _is_file(path: str) -> bool:
    return path.startswith("/static/")
