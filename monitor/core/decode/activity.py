"""What the locks of other sessions say about the schema.

Modes: https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
"""

from typing import Final

import msgspec

from monitor.core.activity import Activity
from monitor.core.decode.rows import WHOLE, Directory, Rows
from monitor.core.keys import Kind, ObjectKey

_WRITE: Final = "RowExclusiveLock"
_BUILD: Final = "ShareUpdateExclusiveLock"
"""CREATE INDEX CONCURRENTLY and REINDEX CONCURRENTLY take it, and VACUUM and ANALYZE as well."""


def read_activity(rows: Rows, directory: Directory) -> Activity:
    """Who changes what at this moment."""
    locks = [(row.oid, msgspec.json.decode(row.body, type=str)) for row in rows.all("lock")]
    versions = {
        row.oid: ObjectKey(kind=Kind.TABLE, schema=row.schema, parent=None, name=row.name)
        for row in rows.version_tables
    }
    ddl = {oid for oid, mode in locks if mode not in (_WRITE, _BUILD)}
    ddl |= {oid for oid, mode in locks if mode == _WRITE and oid in versions}
    known = {oid: _find(oid, directory) or versions.get(oid) for oid in ddl}
    busy = {oid for oid, mode in locks if mode != _WRITE}
    return Activity(
        changing=tuple(sorted((k for k in known.values() if k), key=lambda k: k.order)),
        unseen=sum(oid not in directory.relations for oid, k in known.items() if k is None),
        building=_find_builds(rows, directory, busy),
    )


def _find(oid: str, directory: Directory) -> ObjectKey | None:
    place = ("pg_class", oid, WHOLE)
    return directory.keys.get(place) or directory.aliases.get(place)


def _find_builds(rows: Rows, directory: Directory, busy: set[str]) -> tuple[ObjectKey, ...]:
    """Invalid indexes that the server says are being built, or whose table is locked for it."""
    told = {row.oid for row in rows.all("building")}
    found = {
        _find(index.oid, directory)
        for row, index in rows.indexes
        if not index.valid and (index.oid in told or row.oid in busy)
    }
    return tuple(sorted((key for key in found if key), key=lambda k: k.order))
