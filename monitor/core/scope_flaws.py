"""What is wrong with partitions that are not compared: more than with what they come from.

An invalid index or a disabled trigger of this month's partition is told though nothing else of it
is compared. What its parent has as well is told there, or was meant; what is expected of it, too.
"""

from collections.abc import Iterable, Iterator

import msgspec

from monitor.core.diff import find_flaws
from monitor.core.difference import Change, keep_evidence
from monitor.core.findings import Evidence
from monitor.core.homes import TABLES, Home
from monitor.core.keys import Kind, ObjectKey
from monitor.core.snapshot import SchemaObject, Snapshot, make_snapshot
from monitor.core.triggers import INTERNAL, TriggerStates, find_mother, read_states


def find_own_flaws(
    partitions: Iterable[SchemaObject], expected: Snapshot, actual: Snapshot
) -> Iterator[Change]:
    """The flaws of partitions, and of what is part of them, that are nobody else's.

    Args:
        partitions: what is not compared of the live schema.
        expected: all that was promised.
        actual: all that there is.
    """
    flaws = find_flaws(make_snapshot(partitions))
    if not flaws:
        return
    states = TriggerStates(actual)
    for change in flaws:
        mother = _find_mother(change.key, actual)
        own = (_keep_own(one, mother, states) for one in change.attributes)
        left = [
            one
            for one in own
            if one is not None
            and not _is_promised(one, change.key, expected)
            and not _is_inherited(one, change.key, mother, actual)
        ]
        if left:
            yield keep_evidence(change, tuple(left))


def _find_mother(key: ObjectKey, actual: Snapshot) -> Home | None:
    """The table of which the object's table is a partition."""
    name = key.name if key.kind in TABLES else key.parent
    for kind in TABLES:
        table = ObjectKey(kind=kind, schema=key.schema, parent=None, name=name or "")
        if (item := actual.by_key.get(table)) is not None:
            return find_mother(item)
    return None


def _keep_own(evidence: Evidence, mother: Home | None, states: TriggerStates) -> Evidence | None:
    """The evidence without the triggers that are in the same state on the parent."""
    if evidence.name != INTERNAL or mother is None:
        return evidence
    found = read_states(evidence.actual).items()
    own = [[name, state] for name, state in found if states.get(mother, name) != state]
    return msgspec.structs.replace(evidence, actual=own) if own else None


def _is_promised(evidence: Evidence, key: ObjectKey, expected: Snapshot) -> bool:
    item = expected.by_key.get(key)
    return item is not None and item.get(evidence.name) == evidence.actual


def _is_inherited(
    evidence: Evidence, key: ObjectKey, mother: Home | None, actual: Snapshot
) -> bool:
    """Whether the column of that name of the parent is the same: it cannot be sounder."""
    if mother is None or key.kind is not Kind.COLUMN:
        return False
    schema, table = mother
    column = msgspec.structs.replace(key, schema=schema, parent=table)
    item = actual.by_key.get(column)
    return item is not None and item.get(evidence.name) == evidence.actual
