"""The shadow servers of one run, and what is built on them."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from monitor.core.errors import BuildError, Interrupted, Unreachable
from monitor.core.snapshot import Snapshot
from monitor.sources.build import BuildOptions
from monitor.sources.engine import installed_majors
from monitor.sources.postgres import connect
from monitor.sources.reading import take_snapshot
from monitor.sources.shadow import Scratch, ShadowServer, open_shadow

_MISSING_ROLE: Final = re.compile(r'role "([^"]+)" does not exist')
_MOST_ROLES: Final = 32
"""Each one costs another try; who names more has roles of its own making."""


class Shadows:
    """The shadow servers of one run, each started when it is first needed."""

    def __init__(self, options: BuildOptions, undo: AsyncExitStack) -> None:
        self._options = options
        self._undo = undo
        self._servers: dict[int | None, ShadowServer] = {}
        self._starting = asyncio.Lock()

    async def get(self, major: int | None = None) -> ShadowServer:
        """The server of a major version; a given server serves for every one.

        Raises:
            EngineError: there is none, and none can be started.
            UsageError: the given server must not be built on.
            LookError: the given server cannot be reached.
        """
        async with self._starting:
            url = self._options.shadow_url
            key = None if url else major
            forbidden = await self._options.forbidden() if url else frozenset[str]()
            for running in self._servers.values():
                if key is not None and running.major == key:
                    return running
            if key not in self._servers:
                self._servers[key] = await self._undo.enter_async_context(
                    open_shadow(major=major, url=url, forbidden=forbidden)
                )
            # More may be known to be watched than when it was opened.
            self._servers[key].refuse_watched(forbidden)
            return self._servers[key]

    async def build(
        self, work: Callable[[Scratch], Awaitable[None]], *, major: int | None = None
    ) -> Snapshot:
        """What ``work`` makes in a scratch of the wanted major version.

        Args:
            work: builds in the scratch.
            major: the version wanted when the options name none; where its programs
                are not at hand, the ones that are have to do.

        Roles that the server misses on the way get stand-ins, and the work starts again.

        Raises:
            BuildError: the work fails for another reason.
            LookError: the shadow cannot be read.
        """
        return await self._build(work, self._options.major or _choose_major(major))

    async def build_at(
        self, work: Callable[[Scratch], Awaitable[None]], *, major: int
    ) -> Snapshot:
        """The same in a scratch of just this major version, whatever the options name.

        Raises:
            EngineError: its programs are not at hand.
        """
        return await self._build(work, major)

    async def find_reader(self, major: int) -> int | None:
        """The version of the server at hand that best reads what one of ``major`` wrote.

        The same, else the oldest newer one, else the newest older one; None without any.

        Raises:
            LookError: the given server cannot be reached.
            UsageError: it must not be built on.
        """
        if self._options.shadow_url is not None:
            return (await self.get()).major
        at_hand = await asyncio.to_thread(installed_majors)
        return min((one for one in at_hand if one >= major), default=max(at_hand, default=None))

    async def _build(
        self, work: Callable[[Scratch], Awaitable[None]], wanted: int | None
    ) -> Snapshot:
        try:
            return await self._build_on(await self.get(wanted), work)
        except (Unreachable, Interrupted):
            if self._options.shadow_url is not None:
                raise
            # Our own server is gone: an operator's kill, or too little memory.
            self._forget(wanted)
            return await self._build_on(await self.get(wanted), work)

    def _forget(self, major: int | None) -> None:
        self._servers = {
            key: server
            for key, server in self._servers.items()
            if major not in {key, server.major}
        }

    async def _build_on(
        self, server: ShadowServer, work: Callable[[Scratch], Awaitable[None]]
    ) -> Snapshot:
        roles: list[str] = []
        while True:
            async with server.scratch(roles=tuple(roles)) as scratch:
                try:
                    await work(scratch)
                except BuildError as error:
                    missing = _MISSING_ROLE.search(error.message)
                    if not missing or missing[1] in roles or len(roles) >= _MOST_ROLES:
                        raise
                    roles.append(missing[1])
                    self._options.progress(f"again, with a stand-in for the role {missing[1]}")
                    continue
                async with connect(scratch.dsn) as session:
                    return await take_snapshot(session, builder=scratch.builder)


@asynccontextmanager
async def open_shadows(options: BuildOptions) -> AsyncIterator[Shadows]:
    """Hold shadow servers for several sources; none is started before it is needed."""
    async with AsyncExitStack() as undo:
        yield Shadows(options, undo)


def _choose_major(wanted: int | None) -> int | None:
    """The wanted version where its programs are at hand, else none in particular."""
    return wanted if wanted in installed_majors() else None
