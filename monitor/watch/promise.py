"""What one look compares a database with."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple, Protocol

from monitor.checks.comparison import FindUnstable
from monitor.core.history import History
from monitor.core.release import Known
from monitor.core.snapshot import Snapshot, VersionTable
from monitor.core.unstable import Unstable


class Expectation(Protocol):
    """What a database is compared with."""

    @property
    def history(self) -> History | None:
        """The revisions it knows, when it is an Alembic history."""
        ...

    async def prepare(self, stamped: tuple[str, ...]) -> None:
        """Read what it is made from, as new as a database with this stamp needs it."""
        ...

    async def snapshot_at(
        self, revisions: tuple[str, ...] | None, *, major: int | None
    ) -> Snapshot:
        """The schema that these revisions promise, as a server of ``major`` spells it."""
        ...

    async def find_unstable(
        self, revisions: tuple[str, ...] | None, *, major: int | None
    ) -> Unstable:
        """What of that schema comes out differently each time it is built."""
        ...


class Locks(Protocol):
    """What tells which revisions a database has, and not only what differs."""

    async def find_known(self, tables: Sequence[VersionTable]) -> Known:
        """The locks, as far as a database with these version tables needs them.

        Raises:
            AnchorwatchError: they cannot be read.
        """
        ...


class Kept(Protocol):
    """The locks of a database that the ledger keeps."""

    async def refresh(self, at: datetime) -> Locks | None:
        """What the database is held against by now; None where there is no lock at all.

        Raises:
            StoreError: the ledger cannot be read or written.
        """
        ...


class Promise(NamedTuple):
    """What a database should be.

    Attributes:
        schema: None where nothing is expected.
        again: builds it once more; None where it was not built.
    """

    schema: Snapshot | None
    again: FindUnstable | None = None


async def find_promise(
    expectation: Expectation, live: Snapshot, stamp: tuple[str, ...] | None
) -> Promise:
    """What a database that is stamped so should be.

    Raises:
        AnchorwatchError: that cannot be found out.
    """
    major = live.server.major if live.server else None
    schema = await expectation.snapshot_at(stamp, major=major)
    return Promise(schema, partial(expectation.find_unstable, stamp, major=major))
