"""The locks of one database that the ledger keeps: which is deployed, and which others there are.

A pipeline pushes them, or they are read from where the configuration says; both ends here. The
deployed one is that of the commit that is deployed, where somebody says which that is, and
otherwise the one that came last.
"""

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime

import structlog

from monitor.core.errors import AnchorwatchError, DamagedFile, LookError
from monitor.core.lock import Lock
from monitor.core.lock_building import succeed
from monitor.core.lock_file import load_lock
from monitor.core.lock_states import States
from monitor.core.release import Known
from monitor.core.snapshot import VersionTable
from monitor.core.stamps import read_rows
from monitor.sinks.locks import Keeping, KeptLock, Locks, NewLock, find_commit, is_same_commit
from monitor.watch.expectation import LateLock

_log = structlog.get_logger()

type _Question = tuple[tuple[str, ...], tuple[str, ...]]
"""Revisions, and the locks that may know them."""


class KeptLocks:
    """The locks of one database.

    Args:
        store: the ledger.
        environment: where the database runs.
        database: its configured name.
        configured: where the configuration says that its lock is.
        commit: what is deployed; empty where nobody says.
    """

    def __init__(
        self,
        store: Locks,
        environment: str,
        database: str,
        *,
        configured: LateLock | None = None,
        commit: str = "",
    ) -> None:
        self._store = store
        self._place = environment, database
        self._configured = configured
        self._commit = commit
        self._kept: list[KeptLock] = []
        self._trouble = ""
        self._deployed: tuple[tuple[str, ...], States] | None = None
        self._newer: tuple[_Question, States | None] | None = None

    @property
    def is_used(self) -> bool:
        """Whether there was any at the last look."""
        return bool(self._kept)

    async def refresh(self, at: datetime) -> "KeptLocks | LateLock | None":
        """What the database is held against by now; None where there is no lock at all.

        Raises:
            StoreError: the ledger cannot be read or written.
        """
        self._kept = await self._store.list_locks(*self._place)
        self._trouble = ""
        if self._configured is not None:
            try:
                await self._configured.find_known(())
            except AnchorwatchError as error:
                if not self._kept:
                    return self._configured  # the look will say why
                self._trouble = f"The lock cannot be read anew, so the last one holds: {error}"
                _log.warning(
                    "the lock cannot be read anew, the last one holds",
                    database=self._place[1],
                    error=str(error),
                )
            else:
                await self._keep_configured(self._configured, at)
        return self if self._kept else None

    async def _keep_configured(self, configured: LateLock, at: datetime) -> None:
        document = configured.locked.document
        own = [one for one in self._kept if one.commit == document.commit]
        if own and own[0].digest == document.digest:
            return
        lock = KeptLock(digest=document.digest, commit=document.commit, at=at)
        environment, database = self._place
        new = NewLock(environment=environment, database=database, lock=lock, body=document.body)
        # What the configured place says now is what holds.
        await self._store.keep_lock(new, deployed=self._commit, replaces=True)
        self._kept = await self._store.list_locks(*self._place)

    async def push(self, body: bytes, commit: str, at: datetime, *, anew: bool) -> Keeping:
        """Keep a lock that a pipeline has built.

        Args:
            body: its bytes.
            commit: of the code that it was built from.
            at: when it came.
            anew: whether those that are kept are forgotten, where it has another history.

        Raises:
            DamagedFile: it is no lock.
            StoreError: the ledger cannot be read or written.
        """
        lock = await asyncio.to_thread(load_lock, body, place="What was sent")
        kept = await self._store.list_locks(*self._place)
        if anew:
            await self._store.forget_locks(*self._place)
        elif kept and not await self._is_related(lock, kept[0].digest):
            return Keeping.FOREIGN
        environment, database = self._place
        digest = hashlib.sha256(body).hexdigest()
        new = NewLock(
            environment=environment,
            database=database,
            lock=KeptLock(digest=digest, commit=commit, at=at),
            body=body,
        )
        return await self._store.keep_lock(new, deployed=self._commit)

    async def _is_related(self, lock: Lock, digest: str) -> bool:
        """Whether a lock has a revision of one that is kept; of one without any each is."""
        try:
            known = (await self._load(digest)).by_id.keys()
        except DamagedFile:
            return True
        return not known or not known.isdisjoint(lock.by_id)

    async def find_known(self, tables: Sequence[VersionTable]) -> Known:
        """The deployed lock, and a newer one where only that knows what is stamped.

        Raises:
            StoreError: the ledger cannot be read.
            DamagedFile: the deployed lock was written by another release of anchorwatch.
        """
        chosen = choose_deployed(self._kept, self._commit)
        deployed = await self._load_deployed(chosen)
        rows = read_rows(tables, deployed.lock) or ()
        notes = tuple(self._list_doubts(chosen))
        if deployed.lock.history.knows(rows):
            return Known(deployed, notes=notes)
        newer = await self._find_newer(chosen, (*rows, *deployed.lock.history.heads))
        return Known(deployed, (newer,) if newer else (), notes=notes)

    def _list_doubts(self, chosen: KeptLock) -> Iterator[str]:
        """Why the lock may not be that of the deployed release."""
        if self._trouble:
            yield f"{self._trouble} It is of {chosen.at:%Y-%m-%d %H:%M} UTC."
        if self._commit and not is_same_commit(chosen.commit, self._commit):
            yield (
                f"No lock is kept for the deployed commit {self._commit}: the one that came last "
                "is taken for it."
            )

    async def _load_deployed(self, chosen: KeptLock) -> States:
        """The deployed lock, with what those that came before it know and it does not."""
        before = [one.digest for one in self._kept if one.at < chosen.at]
        name = (chosen.digest, *dict.fromkeys(before))
        if self._deployed is None or self._deployed[0] != name:
            former: Lock | None = None
            for digest in reversed(name[1:]):
                with suppress(DamagedFile):
                    former = await asyncio.to_thread(succeed, await self._load(digest), former)
            lock = await self._load(chosen.digest)
            lock = await asyncio.to_thread(succeed, lock, former)
            self._deployed = name, States(lock)
        return self._deployed[1]

    async def _find_newer(self, chosen: KeptLock, names: tuple[str, ...]) -> States | None:
        """The newest other lock that knows some revisions; searched for once."""
        others = [one.digest for one in self._kept if one.digest != chosen.digest]
        asked = (names, tuple(dict.fromkeys(others)))
        if self._newer is None or self._newer[0] != asked:
            self._newer = asked, await self._search(*asked)
        return self._newer[1]

    async def _search(self, names: tuple[str, ...], digests: tuple[str, ...]) -> States | None:
        for digest in digests:
            with suppress(DamagedFile):
                states = States(await self._load(digest))
                if states.lock.history.knows(names):
                    return states
        return None

    async def _load(self, digest: str) -> Lock:
        body = await self._store.load_lock(digest)
        if body is None:
            raise LookError(
                "A lock went from the ledger during the look.", next_step="Wait for the next one."
            )
        return await asyncio.to_thread(load_lock, body, place="a lock in the ledger")


def choose_deployed(kept: Sequence[KeptLock], commit: str) -> KeptLock:
    """That of the commit, or the one that came last.

    Args:
        kept: the newest first, one at least.
        commit: what is deployed, or how it begins; empty where nobody says.
    """
    name = find_commit([one.commit for one in kept], commit)
    return next((one for one in kept if one.commit == name), kept[0])
