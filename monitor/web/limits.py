"""How much a request may bring: the agent has little memory, and nobody has much to say to it."""

import re
from http import HTTPStatus
from typing import Final

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY: Final = 1_048_576
"""Bytes: a thousand findings to accept, with their digests, are a tenth of that."""


MAX_LOCK: Final = 32 * MAX_BODY
"""Bytes of a lock: ten times what a large history makes."""

_PUSHED: Final = re.compile(r"/api/databases/[^/]+/lock")


def is_push(method: str, path: str) -> bool:
    """Whether a pipeline pushes a lock."""
    return method == "PUT" and _PUSHED.fullmatch(path) is not None


class BodyLimit:
    """Stops reading what is longer than it may be: whoever waits for it gets 413."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and count what is read of it."""
        read = 0
        is_lock = is_push(scope.get("method", ""), scope.get("path", ""))
        most = MAX_LOCK if is_lock else MAX_BODY

        async def receive_counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > most:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return message

        await self._app(scope, receive_counted, send)
