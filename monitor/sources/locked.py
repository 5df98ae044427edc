"""What a lock file promises at a revision."""

import asyncio
from collections.abc import Iterable
from typing import Final

from monitor.core.errors import BuildError
from monitor.core.lock import Lock
from monitor.core.lock_file import load_lock
from monitor.core.lock_states import States
from monitor.core.snapshot import Snapshot
from monitor.core.source import Source
from monitor.core.unstable import Unstable
from monitor.sources.build import BuildOptions
from monitor.sources.lock_place import LockDocument, LockPlace

_NAMES_SHOWN: Final = 3


class LockedExpectation:
    """What a database is expected to look like, at whatever revisions it is stamped."""

    def __init__(self, source: Source, options: BuildOptions) -> None:
        self.source = source
        self._place = LockPlace(source, options)
        self._states: States | None = None
        self.document = LockDocument(b"", "")

    async def read(self) -> States:
        """The lock as it is now where it is.

        Raises:
            BuildError: it cannot be read.
            DamagedFile: it is none.
        """
        document = await self._place.read()
        if self._states is None or document.digest != self.document.digest:
            lock = await asyncio.to_thread(load_lock, document.body, place=str(self.source))
            self._states, self.document = States(lock), document
        return self._states

    async def snapshot_at(
        self, revisions: tuple[str, ...] | None, *, major: int | None = None
    ) -> Snapshot:
        """The schema that a database stamped with ``revisions`` should have.

        Args:
            revisions: the version rows; None for what the source names.
            major: of the server that it is compared with: a lock has one spelling.

        Raises:
            UsageError: the lock has no such revision.
            BuildError: the lock cannot be read, or does not know what they make.
        """
        del major
        states = await self.read()
        if revisions is None:
            revisions = states.lock.history.resolve(self.source.revision or "")
        return await asyncio.to_thread(make_schema, states, revisions, self.source)

    async def find_unstable(
        self, revisions: tuple[str, ...] | None, *, major: int | None = None
    ) -> Unstable:
        """What of that schema has another name each time the history runs.

        Raises:
            UsageError: as for `snapshot_at`.
            BuildError: as for `snapshot_at`.
        """
        schema = await self.snapshot_at(revisions, major=major)
        return await asyncio.to_thread((await self.read()).find_fleeting, schema)


def make_schema(states: States, rows: Iterable[str], source: Source) -> Snapshot:
    """The schema of some version rows.

    Raises:
        BuildError: a revision on the way was not built, or the order of some decides what
            an object is.
    """
    lock = states.lock
    revisions = lock.history.ancestors(rows)
    unbuilt = lock.find_unbuilt(revisions)
    if unbuilt is not None:
        raise BuildError(
            f"{source} does not know what revision {unbuilt} does: {_tell_stop(lock, unbuilt)}.",
            next_step="Make it run, and build the lock again; or name a revision before it.",
        )
    fold = states.fold(revisions)
    if fold.unknown:
        names = [str(key) for key in sorted(fold.unknown, key=lambda key: key.order)]
        more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
        raise BuildError(
            f"In {source} the order of the revisions decides what "
            f"{', '.join(names[:_NAMES_SHOWN])}{more} is.",
            next_step="Name a revision that follows both branches, or build the set itself: "
            "`alembic:PATH/alembic.ini@REV`.",
        )
    return states.make_snapshot(revisions)


def _tell_stop(lock: Lock, name: str) -> str:
    """Why a revision was not built."""
    if name in lock.start:
        return "it is in what the lock begins with"
    if lock.stopped_at is None:
        return "it was not built"
    revision, reason = lock.stopped_at
    return f"the replay stopped at {revision} ({reason.rstrip('.')})"
