"""Sequences of unlogged tables: since PostgreSQL 15 they are unlogged as their table is.

Before, every sequence was permanent, and one that was dumped there is permanent wherever it
is restored. It outlives a crash that empties its table, which does no harm.
"""

from typing import Final, NamedTuple

from monitor.core.difference import Note
from monitor.core.keys import Kind, ObjectKey
from monitor.core.snapshot import SchemaObject, Snapshot

_FOLLOWING: Final = 15
"""The major since which a sequence follows its table."""
_UNLOGGED: Final = "unlogged"


class Followed(NamedTuple):
    """The actual snapshot, and what is told of its sequences."""

    actual: Snapshot
    notes: tuple[Note, ...]


def match_unlogged(expected: Snapshot, actual: Snapshot) -> Followed:
    """The actual snapshot, with sequences of unlogged tables as persistent as expected.

    Only where it is the age of a server that makes the difference; what outlives its table
    is told in a note.
    """
    changed: dict[ObjectKey, SchemaObject] = {}
    notes: list[Note] = []
    for item, other in _list_unlike(expected, actual):
        outlives = _is_unlogged(item)
        if outlives and (_is_old(actual) or expected.builder is not None):
            notes.append(_note(item.key))
        elif outlives or not _is_old(expected):
            continue
        changed[item.key] = _persist(other, like=item)
    return Followed(actual.swap(changed) if changed else actual, tuple(notes))


def _list_unlike(expected: Snapshot, actual: Snapshot) -> list[tuple[SchemaObject, SchemaObject]]:
    """Sequences that are permanent on one side only, though their table is unlogged on both."""
    return [
        (item, other)
        for item in expected.objects
        if item.key.kind is Kind.SEQUENCE
        and (other := actual.by_key.get(item.key)) is not None
        and _is_unlogged(item) != _is_unlogged(other)
        and _is_of_unlogged(item, expected)
        and _is_of_unlogged(other, actual)
    ]


def _is_of_unlogged(item: SchemaObject, snapshot: Snapshot) -> bool:
    owner = item.get("owned_by")
    if not isinstance(owner, list):
        return False
    schema, table, _ = owner
    key = ObjectKey(kind=Kind.TABLE, schema=schema, parent=None, name=table)
    mother = snapshot.by_key.get(key)
    return mother is not None and _is_unlogged(mother)


def _is_unlogged(item: SchemaObject) -> bool:
    return item.get("persistence") == _UNLOGGED


def _is_old(snapshot: Snapshot) -> bool:
    return snapshot.server is not None and snapshot.server.major < _FOLLOWING


def _persist(item: SchemaObject, *, like: SchemaObject) -> SchemaObject:
    persistence = like.get("persistence")
    return SchemaObject(key=item.key, attributes={**item.attributes, "persistence": persistence})


def _note(key: ObjectKey) -> Note:
    message = f"{key} is permanent though its table is unlogged, as before PostgreSQL 15."
    return Note(note=_UNLOGGED, key=key, message=message)
