"""Indexes of partitioned tables that some partitions lack: which ones, on both sides alike.

Such an index is invalid, and that says it all where the other side's is valid. Where both are,
as halfway through building one partition by partition, each partition that has its part counts.
"""

from collections.abc import Collection
from typing import Any, Final

from monitor.core.keys import Kind
from monitor.core.snapshot import SchemaObject, Snapshot

_INDEXED: Final = frozenset({Kind.INDEX, Kind.PRIMARY_KEY, Kind.UNIQUE, Kind.EXCLUSION})
_INDEXES: Final = "partition_indexes"
_ATTACHED: Final = "attached"

type _Place = tuple[str | None, str]


def match_unfinished(expected: Snapshot, actual: Snapshot) -> tuple[Snapshot, Snapshot]:
    """Both snapshots, without the parts of indexes that are whole on the other side."""
    sides = (expected, actual)
    if not any(_list_attached(snapshot) for snapshot in sides):
        return sides
    both = _list_invalid(expected) & _list_invalid(actual)
    return _drop(expected, both), _drop(actual, both)


def _list_attached(snapshot: Snapshot) -> list[SchemaObject]:
    """The partitions that tell of a part of an index that is not whole."""
    return [
        item
        for item in snapshot.objects
        if item.key.kind is Kind.TABLE and any(map(_is_attached, _list_entries(item)))
    ]


def _list_entries(item: SchemaObject) -> list[Any]:
    value = item.attributes.get(_INDEXES)
    return value if isinstance(value, list) else []


def _is_attached(entry: list[object]) -> bool:
    return entry[2] == _ATTACHED


def _list_invalid(snapshot: Snapshot) -> set[_Place]:
    return {
        (item.key.schema, item.key.name)
        for item in snapshot.objects
        if item.key.kind in _INDEXED and item.get("valid") is False
    }


def _drop(snapshot: Snapshot, both: Collection[_Place]) -> Snapshot:
    changed = {item.key: _keep(item, both) for item in _list_attached(snapshot)}
    return snapshot.swap(changed) if changed else snapshot


def _keep(item: SchemaObject, both: Collection[_Place]) -> SchemaObject:
    kept = [
        entry
        for entry in _list_entries(item)
        if not _is_attached(entry) or (entry[0], entry[1]) in both
    ]
    others = {name: value for name, value in item.attributes.items() if name != _INDEXES}
    return SchemaObject(key=item.key, attributes=others | ({_INDEXES: kept} if kept else {}))
