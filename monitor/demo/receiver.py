"""Takes the agent's messages, as a chat would, and prints them."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from fastapi import FastAPI, Request

from monitor.core.masking import make_masker
from monitor.web.server import serve


class Receiver:
    """An HTTP endpoint for the generic webhook.

    Attributes:
        messages: what was received, the bodies in order.
        port: where it listens, once it is started.
    """

    def __init__(self, hear: Callable[[dict[str, Any]], None]) -> None:
        self._hear = hear
        self.messages: list[dict[str, Any]] = []
        self.port = 0
        self._is_started = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Listen until ``stop`` is set."""
        app = FastAPI()
        app.post("/")(self._take)
        await serve(app, "127.0.0.1", 0, stop, masker=make_masker(()), on_started=self._begin)

    def _begin(self, port: int) -> None:
        self.port = port
        self._is_started.set()

    async def wait_until_started(self) -> None:
        """Return when the port is known."""
        await self._is_started.wait()

    async def _take(self, request: Request) -> dict[str, bool]:
        body: dict[str, Any] = msgspec.json.decode(await request.body())
        self.messages.append(body)
        self._hear(body)
        return {"ok": True}
