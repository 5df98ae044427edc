"""What one look compares a database with."""

import asyncio
from functools import partial
from typing import NamedTuple, Protocol

from monitor.checks.comparison import FindUnstable
from monitor.checks.diagnosis import diagnose_snapshot, find_fleeting
from monitor.checks.spelling import Spellings
from monitor.core.diagnosis import Diagnosis, make_explained
from monitor.core.difference import Note
from monitor.core.errors import BuildError
from monitor.core.history import History
from monitor.core.lock_states import States
from monitor.core.scope import Scope
from monitor.core.snapshot import Snapshot
from monitor.core.unstable import Unstable
from monitor.core.verdict import State


class Expectation(Protocol):
    """What a database is compared with."""

    @property
    def history(self) -> History | None:
        """The revisions it knows, when it is an Alembic history."""
        ...

    @property
    def states(self) -> States | None:
        """What every set of its revisions makes, when it is a lock."""
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


class Promise(NamedTuple):
    """What a database should be.

    Attributes:
        schema: None where nothing is expected.
        again: tells what of it comes out differently each time; None where nothing can.
        live: the database as the lock words it; None for as it is.
        notes: what is worded otherwise there.
        diagnosis: which revisions the database has, where a lock says that: the schema is
            what these make, and not what is stamped.
    """

    schema: Snapshot | None
    again: FindUnstable | None = None
    diagnosis: Diagnosis | None = None
    live: Snapshot | None = None
    notes: tuple[Note, ...] = ()


async def find_promise(
    expectation: Expectation,
    live: Snapshot,
    stamp: tuple[str, ...] | None,
    scope: Scope,
    spellings: Spellings | None,
) -> Promise:
    """What a database that is stamped so should be.

    Raises:
        AnchorwatchError: that cannot be found out.
    """
    states = expectation.states
    if states is None:
        major = live.server.major if live.server else None
        schema = await expectation.snapshot_at(stamp, major=major)
        return Promise(schema, partial(expectation.find_unstable, stamp, major=major))
    live, notes = await asyncio.to_thread(states.settle, live)
    found = await diagnose_snapshot(states, live, scope, spellings=spellings)
    if found.verdict is State.UNKNOWN:
        raise BuildError(f"{found.summary}.", next_step=f"{'; '.join(found.remedy)}.")
    schema = make_explained(states, found.present, found.half, live)
    again = partial(find_fleeting, states, schema)
    return Promise(schema, again, diagnosis=found, live=live, notes=notes)


async def find_fit(
    expectation: Expectation | None, live: Snapshot, scope: Scope
) -> Diagnosis | None:
    """Which revision a database is of that says nothing known about it; None without a lock."""
    states = expectation.states if expectation else None
    if states is None:
        return None
    settled, _ = await asyncio.to_thread(states.settle, live)
    return await diagnose_snapshot(states, settled, scope)
