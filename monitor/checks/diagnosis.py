"""Holding a database against a lock: the pure verdict, and a server's word on its texts."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

import msgspec

from monitor.checks.comparison import compare
from monitor.checks.spelling import Spellings
from monitor.core.diagnosis import Diagnosis, diagnose, make_explained
from monitor.core.difference import Change, Difference, add_notes
from monitor.core.findings import Severity
from monitor.core.lock_states import States
from monitor.core.release import GRACE, Known, Move, may_wait, put_ahead, wait_for_lock
from monitor.core.scope import DEFAULT_SCOPE, Scope, narrow
from monitor.core.scope import compare as compare_within
from monitor.core.shares import WHOLE, Share, give_back, is_there, take_share
from monitor.core.snapshot import Snapshot
from monitor.core.stamps import read_rows
from monitor.core.unstable import Unstable, excuse_unstable
from monitor.core.verdict import State


class Judged(NamedTuple):
    """A verdict, and what it was found with.

    Attributes:
        diagnosis: the verdict.
        states: of the lock that knows what is stamped.
        difference: what no revision explains; None where the stamp alone decides.
    """

    diagnosis: Diagnosis
    states: States
    difference: Difference | None


async def diagnose_snapshot(  # noqa: PLR0913  # a database, and all that is known of it
    known: Known,
    live: Snapshot,
    scope: Scope = DEFAULT_SCOPE,
    *,
    spellings: Spellings | None = None,
    now: datetime | None = None,
    grace: timedelta = GRACE,
    share: Share = WHOLE,
) -> Judged:
    """The verdict on a database that was read.

    Args:
        known: the locks that it is held against.
        live: its schema and version rows.
        scope: what of it is compared.
        spellings: proves that texts mean the same; asked only where something is left that
            no revision explains.
        now: the moment of the look.
        grace: how long the lock of a release may come after its migrations.
        share: what of it this history answers for.
    """
    deployed = known.deployed.lock
    has_schema = is_there(live, share)
    live = await asyncio.to_thread(take_share, live, deployed, share)
    rows = read_rows(live.version_tables, deployed)
    states = known.choose(rows)
    patient = await asyncio.to_thread(_Patient, states, live, scope, rows)
    found = await asyncio.to_thread(patient.diagnose)
    if spellings is not None and found.unexplained:
        await patient.prove(found, spellings)
        found = await asyncio.to_thread(patient.diagnose)
    if not has_schema:
        found = msgspec.structs.replace(
            found,
            summary=f"there is no schema {share.schema}",
            remedy=("Check `lock_schema` of the entry, or --schema",),
        )
    difference = None
    if found.verdict not in _STAMP_DECIDES:
        difference = await asyncio.to_thread(patient.find_difference, found)
        difference = give_back(difference, deployed, share)
    if states is not known.deployed:
        found = await asyncio.to_thread(put_ahead, found, known.deployed, states)
    elif (move := may_wait(known, now or datetime.now(UTC), grace)) is not None:
        lacking = await asyncio.to_thread(patient.count_lacking, move)
        found = wait_for_lock(found, move, lacking=lacking)
    return Judged(found, states, difference)


_STAMP_DECIDES: Final = frozenset(
    {State.EMPTY, State.UNSTAMPED, State.UNKNOWN_REVISION, State.UNKNOWN}
)
"""States in which what differs would only repeat what is wrong."""


class _Patient:
    """One database, held against one lock, and what was learnt of it."""

    def __init__(
        self, states: States, live: Snapshot, scope: Scope, rows: tuple[str, ...] | None
    ) -> None:
        self._states = states
        self._live, self._notes = states.settle(live)
        self._scope = scope
        self._rows = rows
        self._differences: dict[str, Difference] = {}

    def diagnose(self) -> Diagnosis:
        """The verdict, as far as one can tell by now."""
        states = self._states
        everything = states.make_snapshot(frozenset(states.lock.by_id))
        compared = narrow(everything, self._live, self._scope).actual
        return diagnose(states, self._rows, compared, self._measure)

    def find_difference(self, found: Diagnosis) -> Difference:
        """What differs from what the revisions make that it is taken to have."""
        return add_notes(self._compare(self._expect(found)), self._notes)

    async def prove(self, found: Diagnosis, spellings: Spellings) -> None:
        """Let a server say which of its texts mean the same."""
        expected = await asyncio.to_thread(self._expect, found)
        again = partial(self._find_fleeting, expected)
        self._differences[expected.fingerprint] = await compare(
            expected, self._live, self._scope, spellings=spellings, unstable=again
        )

    def count_lacking(self, move: Move) -> int:
        """How many objects of what was stamped before are gone, or are others."""
        before = self._states.lock.history.ancestors(move.before)
        changes = self._compare(self._states.make_snapshot(before)).changes
        return _count(change for change in changes if change.change != "unexpected")

    def _expect(self, found: Diagnosis) -> Snapshot:
        states = self._states.use_editions(found.edited)
        return make_explained(states, found.present, found.half, self._live)

    def _measure(self, expected: Snapshot) -> int:
        return _count(self._compare(expected).changes)

    def _compare(self, expected: Snapshot) -> Difference:
        """What differs; from the same schema only once."""
        known = self._differences.get(expected.fingerprint)
        if known is not None:
            return known
        difference = compare_within(expected, self._live, self._scope)
        fleeting = self._states.find_fleeting(expected)
        found = excuse_unstable(difference, fleeting, side="expected", other=self._live)
        self._differences[expected.fingerprint] = found
        return found

    async def _find_fleeting(self, expected: Snapshot) -> Unstable:
        return await asyncio.to_thread(self._states.find_fleeting, expected)


def _count(changes: Iterable[Change]) -> int:
    """What counts: information aside."""
    return sum(change.severity is not Severity.INFO for change in changes)
