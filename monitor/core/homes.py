"""Where an object belongs: the table it is part of, the tables that its table comes from."""

from collections.abc import Iterator, Mapping
from typing import Final

from monitor.core.keys import Kind, ObjectKey
from monitor.core.snapshot import SchemaObject, Snapshot

TABLES: Final = (Kind.TABLE, Kind.FOREIGN_TABLE)
WHOLES: Final = frozenset(
    {
        *TABLES,
        Kind.VIEW,
        Kind.MATERIALIZED_VIEW,
        Kind.COMPOSITE,
        Kind.DOMAIN,
        Kind.FOREIGN_SERVER,
    }
)
"""Kinds that have parts; no two of them share a name in one schema."""

type Home = tuple[str | None, str]
"""Schema and name of a table, view, domain or server."""


def find_home(item: SchemaObject) -> Home | None:
    """What an object is part of, by name; a sequence belongs to the table of its column."""
    key = item.key
    if key.kind is Kind.SEQUENCE:
        owner = item.attributes.get("owned_by")
        return (owner[0], owner[1]) if isinstance(owner, list) else None
    if key.parent is None:
        return None
    schema = item.attributes.get("table_schema") if key.kind is Kind.STATISTICS else None
    return (schema if isinstance(schema, str) else key.schema, key.parent)


def find_parents(item: SchemaObject) -> list[Home]:
    """The tables that a table inherits from, or the one it is a partition of."""
    parents = item.attributes.get("inherits")
    return [(schema, name) for schema, name in parents] if isinstance(parents, list) else []


def is_partition(item: SchemaObject) -> bool:
    """Whether it is a partition; a child of legacy inheritance is none."""
    return item.attributes.get("partition_bound") is not None and bool(find_parents(item))


def find_table(snapshot: Snapshot, home: Home) -> SchemaObject | None:
    """The table or foreign table of that name."""
    schema, name = home
    for kind in TABLES:
        key = ObjectKey(kind=kind, schema=schema, parent=None, name=name)
        if (item := snapshot.by_key.get(key)) is not None:
            return item
    return None


def find_mothers(snapshot: Snapshot, column: ObjectKey) -> list[ObjectKey]:
    """The columns of the parents that a column comes from; a table may have its own as well."""
    table = find_table(snapshot, (column.schema, column.parent or ""))
    item = snapshot.by_key.get(column)
    if table is None or not (is_partition(table) or (item and item.attributes.get("inherited"))):
        return []
    return [
        ObjectKey(kind=Kind.COLUMN, schema=schema, parent=name, name=column.name)
        for schema, name in find_parents(table)
    ]


def find_top[T](key: T, wholes: Mapping[T, T | None]) -> T:
    """The object that speaks for it: itself, or the last of what it went along with."""
    seen = [key]
    while (whole := wholes[seen[-1]]) is not None and whole not in seen:
        seen.append(whole)
    return seen[-1] if wholes[seen[-1]] is None else key


_SPARSE: Final = (Kind.VIEW, Kind.MATERIALIZED_VIEW, Kind.COMPOSITE)
"""Kinds of whose columns only those are known that have something of their own."""


def take_sparse(
    items: dict[ObjectKey, SchemaObject], one: Snapshot, other: Snapshot
) -> Iterator[SchemaObject]:
    """Take away the columns that both sides have, one of them with nothing of its own."""
    for key in [key for key in items if key.kind is Kind.COLUMN]:
        wholes = (
            ObjectKey(kind=kind, schema=key.schema, parent=None, name=key.parent or "")
            for kind in _SPARSE
        )
        if any(whole in one.by_key and whole in other.by_key for whole in wholes):
            yield items.pop(key)
