"""What a look is at, and what it brings."""

from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from monitor.checks.spelling import Spellings
from monitor.core.activity import Activity
from monitor.core.release import GRACE
from monitor.core.report import Report
from monitor.core.scope import DEFAULT_SCOPE, Scope
from monitor.core.snapshot import Snapshot
from monitor.core.waivers import Waivers
from monitor.sources.dsn import Dsn
from monitor.sources.postgres import Deadlines
from monitor.watch.memory import Memory
from monitor.watch.promise import Expectation, Kept, Locks


class Target(msgspec.Struct, frozen=True):
    """One database to look at.

    Attributes:
        environment: where it runs.
        database: its configured name.
        dsn: how it is reached.
        deadlines: how long each wait may take.
        memory: of its texts, between looks: whoever looks again keeps it.
        expectation: what it should be; None where a lock says it, or where the first
            settled snapshot stands for it.
        locks: tell which revisions it has; None where nothing does.
        schema: the schema that stands for that of the lock; None for the lock's own.
        beside: the locks of other histories in the same database.
        kept: the locks in the ledger, where these may be such.
        waivers: what may be wrong there and need not be told.
        spellings: proves that texts mean the same; None where nothing can.
        scope: what of it is compared.
        grace: how long the lock of a release may come after its migrations.
        deployed_at: when the last deployment was reported.
    """

    environment: str
    database: str
    dsn: Dsn
    deadlines: Deadlines
    memory: Memory
    expectation: Expectation | None = None
    locks: Locks | None = None
    schema: str | None = None
    beside: tuple[Locks, ...] = ()
    kept: Kept | None = None
    waivers: Waivers = Waivers()
    spellings: Spellings | None = None
    scope: Scope = DEFAULT_SCOPE
    grace: timedelta = GRACE
    deployed_at: datetime | None = None

    @property
    def has_expectation(self) -> bool:
        """Whether it is compared with more than its own baseline."""
        return self.expectation is not None or self.locks is not None


class Look(NamedTuple):
    """What a look found.

    Attributes:
        report: the outcome.
        snapshot: the schema, if it was read.
        activity: what was going on meanwhile.
        is_superuser: whether the role that read it may do anything: a session that
            only reads does not stop COPY TO PROGRAM.
    """

    report: Report
    snapshot: Snapshot | None
    activity: Activity = Activity()
    is_superuser: bool = False


async def add_locks(target: Target, at: datetime) -> Target:
    """The target with the locks that there are by now, in place of what they stand for.

    Raises:
        StoreError: the ledger cannot be read or written.
    """
    locks = await target.kept.refresh(at) if target.kept else None
    if locks is None:
        return target
    return msgspec.structs.replace(target, locks=locks, expectation=None)
