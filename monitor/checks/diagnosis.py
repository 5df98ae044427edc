"""Holding a database against a lock: the pure verdict, and a server's word on its texts."""

import asyncio
from collections.abc import Iterable
from functools import partial

from monitor.checks.comparison import compare
from monitor.checks.spelling import Spellings
from monitor.core.diagnosis import Diagnosis, diagnose
from monitor.core.difference import Change
from monitor.core.findings import Severity
from monitor.core.lock_states import States
from monitor.core.scope import DEFAULT_SCOPE, Scope, narrow
from monitor.core.scope import compare as compare_within
from monitor.core.snapshot import Snapshot
from monitor.core.stamps import read_rows
from monitor.core.unstable import Unstable, excuse_unstable


async def diagnose_snapshot(
    states: States,
    live: Snapshot,
    scope: Scope = DEFAULT_SCOPE,
    *,
    spellings: Spellings | None = None,
) -> Diagnosis:
    """The verdict on a database that was read.

    Args:
        states: of the lock that it is held against.
        live: its schema and version rows, as the lock words them (`States.settle`).
        scope: what of it is compared.
        spellings: proves that texts mean the same; asked only where something is left that
            no revision explains.
    """
    patient = _Patient(states, live, scope)
    found = await asyncio.to_thread(patient.diagnose)
    if spellings is None or not found.unexplained or patient.measured is None:
        return found
    again = partial(find_fleeting, states, patient.measured)
    difference = await compare(patient.measured, live, scope, spellings=spellings, unstable=again)
    patient.proven = _count(difference.changes)
    return await asyncio.to_thread(patient.diagnose)


async def find_fleeting(states: States, schema: Snapshot) -> Unstable:
    """The objects of a schema of a lock that have another name at each run."""
    return await asyncio.to_thread(states.find_fleeting, schema)


class _Patient:
    """One database, and what was learnt of it."""

    def __init__(self, states: States, live: Snapshot, scope: Scope) -> None:
        self._states = states
        self._live = live
        self._scope = scope
        self.measured: Snapshot | None = None
        self.proven: int | None = None

    def diagnose(self) -> Diagnosis:
        """The verdict, as far as one can tell by now."""
        states = self._states
        everything = states.make_snapshot(frozenset(states.lock.by_id))
        compared = narrow(everything, self._live, self._scope).actual
        rows = read_rows(self._live.version_tables, states.lock)
        return diagnose(states, rows, compared, self._measure)

    def _measure(self, expected: Snapshot) -> int:
        if self.proven is not None:
            return self.proven
        self.measured = expected
        difference = compare_within(expected, self._live, self._scope)
        fleeting = self._states.find_fleeting(expected)
        found = excuse_unstable(difference, fleeting, side="expected", other=self._live)
        return _count(found.changes)


def _count(changes: Iterable[Change]) -> int:
    """What counts: information aside."""
    return sum(change.severity is not Severity.INFO for change in changes)
