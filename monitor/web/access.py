"""One log line a request: method, path, status and time; no query string, no secret."""

import time
from http import HTTPStatus
from typing import Final

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitor.core.masking import Masker
from monitor.web.auth import describe_path

_log = structlog.get_logger()

_QUIET = ("/livez", "/readyz", "/metrics", "/static/", "/api/events")
"""What is asked every few seconds is logged for those who look closer."""

_HUNG_UP: Final = 499
"""What nginx logs where nobody waited for the answer; no answer has it."""


class AccessLog:
    """Logs what ``app`` answered, also when it failed.

    Args:
        app: the application.
        masker: hides the secrets of this agent, which people paste into any address.
    """

    def __init__(self, app: ASGIApp, masker: Masker) -> None:
        self._app = app
        self._masker = masker

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and log its end."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.monotonic()
        status = 500

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except ClientDisconnect:
            status = _HUNG_UP
        finally:
            self._write(scope, status, time.monotonic() - begun)

    def _write(self, scope: Scope, status: int, seconds: float) -> None:
        is_quiet = scope["path"].startswith(_QUIET) and status < HTTPStatus.BAD_REQUEST
        log = _log.debug if is_quiet else _log.info
        client = scope.get("client")
        log(
            "request answered",
            method=scope["method"],
            path=describe_path(scope["path"], self._masker),
            status=status,
            seconds=round(seconds, 3),
            client=client[0] if client else None,
        )
