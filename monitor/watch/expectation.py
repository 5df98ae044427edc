"""What databases are compared with, opened when it is first needed.

A history that cannot be read is that database's trouble, at its look: it
must not keep the agent from starting. Databases that expect the same share
what was built.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

from monitor.checks.spelling import Spellings
from monitor.core.history import History
from monitor.core.release import Known
from monitor.core.snapshot import Snapshot, VersionTable
from monitor.core.source import Source
from monitor.core.unstable import Unstable
from monitor.sources.expected import (
    BuildOptions,
    Expectation,
    open_expectation,
    read_history,
)
from monitor.sources.locked import LockedExpectation


class LateExpectation:
    """An expectation that is opened at the first `prepare`, and tried again after a failure."""

    def __init__(self, source: Source, options: BuildOptions, stack: AsyncExitStack) -> None:
        self._source = source
        self._options = options
        self._stack = stack
        self._opened: Expectation | None = None
        self._opening = asyncio.Lock()
        self._read_again: History | None = None

    @property
    def history(self) -> History | None:
        """The revisions it knows; None without a history, and before `prepare`."""
        return self._read_again or (self._opened.history if self._opened else None)

    async def prepare(self, stamped: tuple[str, ...]) -> None:
        """Open it, and read the history again where it does not know a stamped revision.

        A deployment brings the file and the stamp at the same time.

        Raises:
            AnchorwatchError: it cannot be read.
        """
        opened = await self._open()
        if opened.history is None or opened.history.knows(stamped):
            self._read_again = None
        else:
            self._read_again = await read_history(self._source, self._options)

    async def snapshot_at(
        self, revisions: tuple[str, ...] | None, *, major: int | None
    ) -> Snapshot:
        """The schema that these revisions promise, spelt as a server of ``major`` spells it.

        Raises:
            AnchorwatchError: it cannot be built.
        """
        snapshot = await (await self._open()).snapshot_at(revisions, major=major)
        self._read_again = None  # it was read for this just now
        return snapshot

    async def find_unstable(
        self, revisions: tuple[str, ...] | None, *, major: int | None
    ) -> Unstable:
        """What of that schema comes out differently each time it is built.

        Raises:
            AnchorwatchError: it cannot be built again.
        """
        return await (await self._open()).find_unstable(revisions, major=major)

    async def _open(self) -> Expectation:
        async with self._opening:
            if self._opened is None:
                self._opened = await self._stack.enter_async_context(
                    open_expectation(self._source, self._options)
                )
            return self._opened


class LateLock:
    """A lock in a file or at an address, read anew at each look.

    Attributes:
        locked: what was read of it last.
    """

    def __init__(self, source: Source, options: BuildOptions) -> None:
        self.locked = LockedExpectation(source, options)

    async def find_known(self, tables: Sequence[VersionTable]) -> Known:
        """The lock as it is now.

        Raises:
            BuildError: it cannot be read.
            DamagedFile: it is none.
        """
        del tables  # it is the only one
        return Known(await self.locked.read())


class Expectations:
    """Every expectation of a run, one for each source and way to build it."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self._known: dict[tuple[Source, BuildOptions], LateExpectation] = {}
        self._locks: dict[tuple[Source, BuildOptions], LateLock] = {}
        self._spellings: dict[tuple[str | None, object], Spellings] = {}

    def find(self, source: Source, options: BuildOptions) -> LateExpectation:
        """The expectation for a source; the same one for the same source."""
        key = (source, options)
        if key not in self._known:
            self._known[key] = LateExpectation(source, options, self._stack)
        return self._known[key]

    def find_lock(self, source: Source, options: BuildOptions) -> LateLock:
        """The lock of a source; the same one for the same source."""
        return self._locks.setdefault((source, options), LateLock(source, options))

    def find_spellings(self, options: BuildOptions) -> Spellings:
        """What is known of spellings; the same for databases with the same shadow."""
        key = (options.shadow_url, options.forbidden)
        if key not in self._spellings:
            self._spellings[key] = Spellings(options)
        return self._spellings[key]
