"""Objects that are left out of a comparison: listed, counted and told."""

from collections import defaultdict
from collections.abc import Set as AbstractSet
from typing import Final

import msgspec

from monitor.core.difference import Note
from monitor.core.homes import TABLES, Home, find_home
from monitor.core.keys import Kind, ObjectKey
from monitor.core.snapshot import Snapshot

LEFT_OUT: Final = "left_out"


class Omission(msgspec.Struct, frozen=True):
    """What is left out for one reason.

    Attributes:
        keys: the objects, left out of both sides.
        note: what is told about them.
    """

    keys: frozenset[ObjectKey]
    note: Note


def omit(keys: AbstractSet[ObjectKey], what: str, *, schema: str | None = None) -> list[Omission]:
    """One omission, counted; none where there are no objects.

    Args:
        keys: the objects.
        what: where they are and why they are left out, after their number.
        schema: the schema that they are in, where there is one.
    """
    if not keys:
        return []
    count = "1 object" if len(keys) == 1 else f"{len(keys)} objects"
    verb = "is" if len(keys) == 1 else "are"
    note = Note(
        note=LEFT_OUT,
        key=None if schema is None else schema_key(schema),
        message=f"{count} {what} {verb} not compared.",
    )
    return [Omission(frozenset(keys), note)]


def schema_key(name: str) -> ObjectKey:
    """The key of a schema."""
    return ObjectKey(kind=Kind.SCHEMA, schema=None, parent=None, name=name)


def leave_out(snapshot: Snapshot, keys: AbstractSet[ObjectKey]) -> Snapshot:
    """The snapshot without some of its objects; the same one where it has none of them."""
    if keys.isdisjoint(snapshot.by_key):
        return snapshot
    return msgspec.structs.replace(
        snapshot,
        objects=tuple(item for item in snapshot.objects if item.key not in keys),
        dependencies=tuple(
            edge
            for edge in snapshot.dependencies
            if edge.dependent not in keys and edge.needed not in keys
        ),
    )


def group_by_schema(snapshot: Snapshot) -> dict[str, set[ObjectKey]]:
    """Each schema with itself and everything in it."""
    found: dict[str, set[ObjectKey]] = defaultdict(set)
    for key in snapshot.by_key:
        schema = key.name if key.kind is Kind.SCHEMA else key.schema
        if schema is not None:
            found[schema].add(key)
    return found


def list_parts(snapshot: Snapshot, homes: AbstractSet[Home]) -> dict[Home, set[ObjectKey]]:
    """Tables by name, each with all that belongs to it."""
    found: dict[Home, set[ObjectKey]] = defaultdict(set)
    for item in snapshot.objects if homes else ():
        key = item.key
        home = (key.schema, key.name) if key.kind in TABLES else find_home(item)
        if home is not None and home in homes:
            found[home].add(key)
    return found
