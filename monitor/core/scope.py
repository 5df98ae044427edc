"""What of two schemas is compared, and what is left out and counted.

A comparison of everything is full of what nobody promised: tables of the platform, what
extensions make while they run, this month's partition. What is left out is told in a
note. What the expected source declares is left out only where the configuration says so.
"""

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Final, NamedTuple

import msgspec

from monitor.core.diff import diff
from monitor.core.difference import Difference, Note, sort_difference
from monitor.core.homes import Home
from monitor.core.keys import ObjectKey
from monitor.core.scope_flaws import find_own_flaws
from monitor.core.scope_managed import find_ledger, find_managed
from monitor.core.scope_omissions import Omission, group_by_schema, leave_out, omit
from monitor.core.scope_partitioned import match_partitioned
from monitor.core.scope_partitions import Children, find_partitions
from monitor.core.scope_public import match_public
from monitor.core.scope_roles import match_roles
from monitor.core.scope_unfinished import match_unfinished
from monitor.core.scope_unlogged import match_unlogged
from monitor.core.snapshot import SchemaObject, Snapshot


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What the configuration says about a comparison.

    Attributes:
        only: patterns of the schemas that are compared; none means all.
        without: patterns of schemas that are not.
        managed: whether what platforms and extensions manage is compared too.
        partitions: what is done about the partitions of a table that no rule names.
        parents: patterns of partitioned tables, ``events`` or ``app.events_*``, with what
            is done about their partitions; the first that fits.
        roles: what roles are called elsewhere, `scope_roles.OWNER` for the owner.
    """

    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    managed: bool = False
    partitions: Children = Children.IGNORE_EXTRA
    parents: tuple[tuple[str, Children], ...] = ()
    roles: Mapping[str, str] = {}

    def takes(self, schema: str) -> bool:
        """Whether a schema is compared."""
        is_wanted = not self.only or _fits(schema, self.only)
        return is_wanted and not _fits(schema, self.without)

    def choose(self, parent: Home) -> Children | None:
        """What is done about the partitions of one table; None where no rule names it."""
        schema, name = parent
        for pattern, policy in self.parents:
            if fnmatchcase(f"{schema}.{name}" if "." in pattern else name, pattern):
                return policy
        return None


DEFAULT_SCOPE: Final = Scope()
"""Where nothing is configured."""


class Narrowed(NamedTuple):
    """Two snapshots of what is compared.

    Attributes:
        expected: of what was promised.
        actual: of what is.
        notes: what was left out, and why.
        partitions: what there is of partitions that are not compared: what is wrong with it
            by itself is still wrong.
    """

    expected: Snapshot
    actual: Snapshot
    notes: tuple[Note, ...]
    partitions: tuple[SchemaObject, ...]


def compare(expected: Snapshot, actual: Snapshot, scope: Scope) -> Difference:
    """What has to be said about ``actual`` within a scope, with notes of what is left out."""
    narrowed = narrow(expected, actual, scope)
    difference = diff(narrowed.expected, narrowed.actual)
    flaws = find_own_flaws(narrowed.partitions, expected, actual)
    return sort_difference(
        Difference(
            changes=(*difference.changes, *flaws), notes=(*difference.notes, *narrowed.notes)
        )
    )


def narrow(expected: Snapshot, actual: Snapshot, scope: Scope) -> Narrowed:
    """The parts of both snapshots that are compared, with the same roles named the same.

    Holds: narrowed again they stay as they are.
    """
    omissions = [*_find_unwatched(expected, actual, scope), *find_ledger(expected, actual)]
    if not scope.managed:
        omissions += find_managed(expected, actual)
    partitions = [*find_partitions(expected, actual, scope.choose, scope.partitions)]
    out = _join([*omissions, *partitions])
    matched = match_roles(leave_out(expected, out), leave_out(actual, out), scope.roles)
    opened = match_public(matched.expected, matched.actual)
    unfinished = match_unfinished(matched.expected, opened.actual)
    wanted, found = match_partitioned(*unfinished)
    followed = match_unlogged(wanted, found)
    notes = (omission.note for omission in [*omissions, *partitions])
    return Narrowed(
        expected=wanted,
        actual=followed.actual,
        notes=(*notes, *matched.notes, *opened.notes, *followed.notes),
        partitions=tuple(
            actual.by_key[key]
            for key in _join(partitions) - _join(omissions)
            if key in actual.by_key
        ),
    )


def _find_unwatched(expected: Snapshot, actual: Snapshot, scope: Scope) -> Iterator[Omission]:
    """The schemas that the configuration leaves out, of both sides."""
    if not scope.only and not scope.without:
        return
    ours, theirs = group_by_schema(expected), group_by_schema(actual)
    for schema in sorted(ours.keys() | theirs.keys()):
        if not scope.takes(schema):
            keys = ours.get(schema, set()) | theirs.get(schema, set())
            yield from omit(keys, f"of the schema {schema}, by configuration,", schema=schema)


def _join(omissions: Iterable[Omission]) -> frozenset[ObjectKey]:
    return frozenset(key for omission in omissions for key in omission.keys)


def _fits(schema: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(schema, pattern) for pattern in patterns)
