"""What partitioned tables have on servers of one age only, left out where the ages differ.

Since PostgreSQL 17 a partition has the identity columns of its table, before it had none. Until
then a partitioned table could be called unlogged, which meant nothing: since 18 none can. A dump
that is restored on a newer server shows both, and nobody can put either right.

Source: https://www.postgresql.org/docs/release/17.0/ and https://www.postgresql.org/docs/release/18.0/
"""

from collections.abc import Iterator
from typing import Final

from monitor.core.homes import find_mothers, find_table, is_partition
from monitor.core.keys import Kind
from monitor.core.snapshot import SchemaObject, Snapshot

_HANDED_DOWN: Final = 17
_REFUSED: Final = 18
_PERSISTENCE: Final = "persistence"


def match_partitioned(expected: Snapshot, actual: Snapshot) -> tuple[Snapshot, Snapshot]:
    """Both snapshots, without what only one of their servers can have."""
    sides = (expected, actual)
    ages = {snapshot.server.major for snapshot in sides if snapshot.server is not None}
    if ages and min(ages) < _HANDED_DOWN <= max(ages):
        sides = (_leave_identities(sides[0]), _leave_identities(sides[1]))
    if ages and min(ages) < _REFUSED <= max(ages):
        sides = (_leave_persistence(sides[0]), _leave_persistence(sides[1]))
    return sides


def _leave_identities(snapshot: Snapshot) -> Snapshot:
    found = [*_list_handed_down(snapshot)]
    return snapshot.swap({item.key: _leave(item, "identity") for item in found})


def _list_handed_down(snapshot: Snapshot) -> Iterator[SchemaObject]:
    """The columns of partitions that have the identity of their table's column.

    Its options are the table's own: there is one sequence.
    """
    for item in snapshot.objects:
        if item.key.kind is not Kind.COLUMN or item.get("identity") is None:
            continue
        table = find_table(snapshot, (item.key.schema, item.key.parent or ""))
        if table is not None and is_partition(table):
            mothers = (snapshot.by_key.get(key) for key in find_mothers(snapshot, item.key))
            if any(
                it is not None and it.get("identity") == item.get("identity") for it in mothers
            ):
                yield item


def _leave_persistence(snapshot: Snapshot) -> Snapshot:
    return snapshot.swap(
        {
            item.key: _leave(item, _PERSISTENCE)
            for item in snapshot.objects
            if item.key.kind is Kind.TABLE
            and item.get("partition_by") is not None
            and item.get(_PERSISTENCE) == "unlogged"
        }
    )


def _leave(item: SchemaObject, name: str) -> SchemaObject:
    return item.keep(item.attributes.keys() - {name})
