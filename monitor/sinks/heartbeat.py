"""The dead man's switch: a ping that somebody misses when it does not come.

Conventions of https://healthchecks.io/docs/http_api/, which Dead Man's Snitch, Uptime Kuma
and others share: GET says that all is well, `/fail` below it that it is not.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from http import HTTPStatus
from typing import Final, final
from urllib.parse import urlsplit, urlunsplit

from monitor.core.errors import DeliveryError, LookError
from monitor.sinks.channel import accept, explain
from monitor.sources.http import Client, read_address

PING_SECONDS: Final = 10.0
"""For one try."""
TRIES: Final = 3
PAUSE_SECONDS: Final = 1.0
"""Before the second try; twice that before the third."""

_GONE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


@final
class Heartbeat:
    """Pings one address.

    Args:
        url: the ping URL; a secret as a whole.
        client: with a deadline of `PING_SECONDS`.
        sleep: waits so many seconds.

    Raises:
        ConfigurationError: the URL is none.
    """

    def __init__(
        self,
        url: str,
        *,
        client: Client,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._well = read_address(url)
        self._fault = read_address(_add_path(url, "fail"))
        self._client = client
        self._sleep = sleep

    async def ping(self, *, is_well: bool, at: datetime) -> None:
        """Say that all is well, or that it is not; three tries, begun at the given time.

        Raises:
            DeliveryError: none of them was taken.
        """
        for attempt in range(1, TRIES + 1):
            try:
                return await self._try(is_well=is_well, at=at)
            except DeliveryError:
                if attempt == TRIES:
                    raise
            await self._sleep(attempt * PAUSE_SECONDS)
        return None

    async def _try(self, *, is_well: bool, at: datetime) -> None:
        try:
            answer = await self._client.get(self._well if is_well else self._fault)
        except LookError as error:
            raise explain(error) from None
        accept(answer, gone=_GONE, at=at)


def _add_path(url: str, part: str) -> str:
    parts = urlsplit(url.strip())
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{part}"))
