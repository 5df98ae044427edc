"""One connection of somebody who may be slow on purpose.

uvicorn waits for a request as long as the other side likes, and for a reader as long: anybody
who reaches the port could hold as many connections as there are file descriptors, without a
token, and the agent needs those for its databases.
"""

import asyncio
from enum import Enum
from typing import Any, Final, cast, final

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS: Final = 15.0
"""For the head of a request, from the connection or the last answer on."""

BODY_SECONDS: Final = 120.0
"""For its body: the largest lock over a line of two megabits."""

STALL_SECONDS: Final = 60.0
"""Without a byte taken by who asked: then nobody reads any more."""

MAX_CONNECTIONS: Final = 512
"""At once: browsers hold up to six each, and 64 streams of news are told at most."""


class _Awaited(Enum):
    """What has to come next, and within how many seconds."""

    HEAD = "head"
    BODY = "body"
    NOTHING = "nothing"


@final
class Connection(H11Protocol):
    """Is closed when a request does not come in time, or an answer is not read.

    Where there are too many, the one goes that has been waited for the longest.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for a request."""
        super().connection_made(transport)
        self.awaited = _Awaited.NOTHING
        self.since = self.loop.time()
        self._limit: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None
        self._wait()
        if len(self.connections) > MAX_CONNECTIONS:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        """Some of a request, or all of it."""
        super().data_received(data)
        self._wait()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._wait()

    def pause_writing(self) -> None:
        """What was written is not read as fast."""
        super().pause_writing()
        self._stall = self.loop.call_later(STALL_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """It is read on."""
        super().resume_writing()
        if self._stall is not None:
            self._stall.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for."""
        for timer in (self._limit, self._stall):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def _wait(self) -> None:
        awaited = self._find_awaited()
        if awaited is self.awaited:
            return
        self.awaited, self.since = awaited, self.loop.time()
        if self._limit is not None:
            self._limit.cancel()
        if awaited is not _Awaited.NOTHING:
            seconds = HEAD_SECONDS if awaited is _Awaited.HEAD else BODY_SECONDS
            self._limit = self.loop.call_later(seconds, self.transport.abort)

    def _find_awaited(self) -> _Awaited:
        cycle: Any = self.cycle
        # What is left of a body that was answered is dropped, and waited for as what comes after.
        if cycle is None or cycle.response_complete:
            return _Awaited.HEAD
        return _Awaited.BODY if cycle.more_body else _Awaited.NOTHING

    def _make_room(self) -> None:
        """At the cost of who takes the longest to ask; of the newcomer, where all have asked."""
        others = cast("set[Connection]", self.connections)
        waiting = [one for one in others if one.awaited is not _Awaited.NOTHING]
        min(waiting, key=lambda one: one.since).transport.abort()
