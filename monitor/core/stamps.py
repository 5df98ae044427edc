"""Version rows: whose they are, and what is wrong with them whatever the schema is."""

from collections.abc import Iterable, Sequence
from itertools import combinations

from monitor.core.history import History
from monitor.core.lock import Lock
from monitor.core.snapshot import VersionTable


def read_rows(tables: Sequence[VersionTable], lock: Lock) -> tuple[str, ...] | None:
    """What the lock's version table says, sorted; None where it cannot be read.

    That is the table of the place where the history keeps it; else any of which the lock
    knows every row; else all of them.
    """
    own = [t for t in tables if (t.schema, t.name) == (lock.place.schema, lock.place.name)]
    own = own or [t for t in tables if t.revisions and lock.history.knows(t.revisions)]
    chosen = own or tables
    if any(table.revisions is None for table in chosen):
        return None
    return tuple(sorted(row for table in chosen for row in table.revisions or ()))


def has_strangers(history: History, rows: Iterable[str]) -> bool:
    """Whether two rows lead to different heads, and no label says that they belong apart.

    Rows that a later revision brings together are right, and so are those of an expand and
    contract history.
    """
    return any(
        _find_heads(history, one).isdisjoint(_find_heads(history, other))
        and not _is_labelled(history, one, other)
        for one, other in combinations(history.reduce(rows), 2)
    )


def _find_heads(history: History, row: str) -> frozenset[str]:
    return frozenset(head for head in history.heads if row in history.ancestors((head,)))


def _is_labelled(history: History, one: str, other: str) -> bool:
    """Whether each of two rows is on a branch with a label that the other one is not on."""
    ours, theirs = (_list_labels(history, row) for row in (one, other))
    return bool(ours - theirs) and bool(theirs - ours)


def _list_labels(history: History, row: str) -> frozenset[str]:
    names = history.lineage((row,))
    return frozenset(label for name in names for label in history.by_id[name].branch_labels)


def find_too_long(history: History, width: int | None) -> str | None:
    """The longest id where it is longer than the version column takes; None where all fit."""
    longest = max(history.by_id, key=len, default="")
    return longest if width is not None and len(longest) > width else None
