"""States of triggers that partitions have of their parents: what the parent says is said."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from monitor.core.difference import Change, keep_evidence
from monitor.core.findings import Evidence
from monitor.core.homes import TABLES, Home, find_parents, is_partition
from monitor.core.keys import Kind
from monitor.core.kinds import Value
from monitor.core.snapshot import SchemaObject, Snapshot

INTERNAL: Final = "internal_triggers"
ORIGIN: Final = "origin"
"""As the server makes them."""


def read_states(value: Value) -> dict[str, str]:
    """The states that an attribute holds."""
    return dict(value) if isinstance(value, list) else {}


class TriggerStates:
    """The states of all triggers of a snapshot, by table."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._found: dict[Home, dict[str, str]] = defaultdict(dict)
        for item in snapshot.objects:
            key = item.key
            if key.kind is Kind.TRIGGER and item.get("enabled") != ORIGIN:
                self._found[key.schema, key.parent or ""][key.name] = str(item.get("enabled"))
            elif key.kind in TABLES and INTERNAL in item.attributes:
                self._found[key.schema, key.name] |= read_states(item.get(INTERNAL))

    def get(self, table: Home, trigger: str) -> str:
        """The state of one trigger."""
        return self._found.get(table, {}).get(trigger, ORIGIN)


def find_mother(item: SchemaObject) -> Home | None:
    """The table that it is a partition of."""
    return find_parents(item)[0] if is_partition(item) else None


def fold_triggers(
    changes: Iterable[Change], expected: Snapshot, actual: Snapshot
) -> Iterator[Change]:
    """The changes, without states of partitions that changed as their parent's did."""
    listed = [*changes]
    if not any(one.name == INTERNAL for change in listed for one in change.attributes):
        yield from listed
        return
    sides = TriggerStates(expected), TriggerStates(actual)
    for change in listed:
        item = actual.by_key.get(change.key)
        mother = find_mother(item) if item is not None else None
        if change.change == "altered" and mother is not None:
            yield from _leave_said(change, mother, sides)
        else:
            yield change


def _leave_said(
    change: Change, mother: Home, sides: tuple[TriggerStates, TriggerStates]
) -> Iterator[Change]:
    """The change without what the parent says, if anything is left of it."""
    left = [*_list_unsaid(change.attributes, mother, sides)]
    if left:
        yield keep_evidence(change, tuple(left))


def _list_unsaid(
    evidence: Iterable[Evidence], mother: Home, sides: tuple[TriggerStates, TriggerStates]
) -> Iterator[Evidence]:
    for one in evidence:
        if one.name != INTERNAL:
            yield one
            continue
        values = read_states(one.expected), read_states(one.actual)
        pairs = [*zip(values, sides, strict=True)]
        said = {
            name
            for name in values[0].keys() | values[1].keys()
            if all(value.get(name, ORIGIN) == side.get(mother, name) for value, side in pairs)
        }
        wanted, found = ([[*p] for p in value.items() if p[0] not in said] for value in values)
        if wanted != found:
            yield Evidence(name=INTERNAL, expected=wanted or None, actual=found or None)
