"""The version rows of one application, where several share a database."""

from collections.abc import Sequence

from monitor.core.lock import Lock
from monitor.core.snapshot import VersionTable


def read_rows(tables: Sequence[VersionTable], lock: Lock) -> tuple[str, ...] | None:
    """What the lock's version table says, sorted; None where it cannot be read.

    That is the table of the place where the history keeps it; else any of which the lock
    knows every row; else all of them.
    """
    known = lock.history.is_known
    own = [t for t in tables if (t.schema, t.name) == (lock.place.schema, lock.place.name)]
    own = own or [t for t in tables if t.revisions and all(map(known, t.revisions))]
    chosen = own or tables
    if any(table.revisions is None for table in chosen):
        return None
    return tuple(sorted(row for table in chosen for row in table.revisions or ()))
