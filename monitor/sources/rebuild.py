"""A source that is built a second time, to find out what does not come out alike."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from monitor.core.errors import AnchorwatchError, BuildError
from monitor.core.snapshot import Snapshot
from monitor.core.source import Scheme
from monitor.core.unstable import Unstable, find_unstable
from monitor.sources.build import AHEAD_SECONDS, BuildOptions

BUILT: Final = frozenset({Scheme.ALEMBIC, Scheme.MODELS, Scheme.SQL})
"""Sources that are built in a shadow; the others are read as they are."""
RETRY_SECONDS: Final = 600.0
"""How long a second build that failed is not tried again: it costs as much as the first."""
_MOST: Final = 64

type Build = Callable[[BuildOptions], Awaitable[Snapshot]]


async def rebuild(first: Snapshot, build: Build, options: BuildOptions) -> Unstable:
    """What a second build, as of a later day, does not have as the first one has it.

    Raises:
        AnchorwatchError: it cannot be built again.
    """
    options.progress("building what is expected once more, as of a later day")
    said: set[str] = set()
    now = datetime.now(UTC)
    today, later = now.date(), (now + timedelta(seconds=AHEAD_SECONDS)).date()
    try:
        second = await build(replace(options, is_later=True, hear=said.update))
    except BuildError:  # not every application stands a clock that was moved
        return find_unstable(first, await build(options), today=today)
    return find_unstable(first, second, today=today, later=later, said=said)


class Rebuilds:
    """What second builds have shown, remembered with the first, for the day.

    A default that is the day of the build is no more than that on another day.
    """

    def __init__(self) -> None:
        self._known: dict[str, Unstable] = {}
        self._failed: dict[str, tuple[float, AnchorwatchError]] = {}

    async def find(self, first: Snapshot, build: Build, options: BuildOptions) -> Unstable:
        """What is unstable about ``first``; built when it is asked for the first time.

        Raises:
            AnchorwatchError: it cannot be built again, or could not a short while ago.
        """
        name = f"{first.fingerprint} {datetime.now(UTC).date()}"
        if name in self._known:
            return self._known[name]
        clock = asyncio.get_running_loop().time
        failure = self._failed.get(name)
        if failure is not None and clock() < failure[0]:
            raise failure[1]
        try:
            self._known[name] = await rebuild(first, build, options)
        except AnchorwatchError as error:
            self._failed = {n: f for n, f in self._failed.items() if clock() < f[0]}
            self._failed[name] = (clock() + RETRY_SECONDS, error)
            raise
        if len(self._known) > _MOST:
            del self._known[next(iter(self._known))]
        return self._known[name]
