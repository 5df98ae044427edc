"""The rows that go along: what references rows that leave, and what becomes of it.

Cascades are followed from row to row, as far as they go; a row counts once, so that cycles end.
Places are relied on inside one snapshot, or while a lock keeps everybody else from writing.
"""

from collections import defaultdict
from collections.abc import Iterable
from itertools import batched
from typing import Final

import msgspec

from monitor.core.quoting import quote_ident
from monitor.remedy.repair.ground import CASCADE, CHANGING, Ground, Link, load
from monitor.sources.orphan_rows import Place
from monitor.sources.rows import Rows

_AT_ONCE: Final = 10_000
"""Places in one statement: what references more is asked for in several."""


class Closure(msgspec.Struct, frozen=True):
    """What leaves, what changes, and what stands against it.

    Attributes:
        taken: the rows that leave, in the order in which they were found: parents first.
        changed: what is left of references to them, by foreign key: these are set to null or
            to their default.
        blocked: rows that may not lose what they reference, by foreign key.
        disputed: rows of which one key says that they go, and one on the same columns that they
            stay: which acts first is the server's to choose.
        is_whole: whether all were found; else there are more than was asked for.
    """

    taken: tuple[Place, ...]
    changed: tuple[tuple[Link, tuple[Place, ...]], ...] = ()
    blocked: tuple[tuple[Link, tuple[Place, ...]], ...] = ()
    disputed: tuple[tuple[Link, tuple[Place, ...]], ...] = ()
    is_whole: bool = True

    @property
    def size(self) -> int:
        """Rows that are changed in any way."""
        return len(self.taken) + len({place for _, places in self.changed for place in places})


async def follow(rows: Rows, ground: Ground, orphans: Iterable[Place], *, limit: int) -> Closure:
    """What goes along with rows that leave; raises as ``rows`` does.

    Args:
        rows: the transaction.
        ground: the tables and keys.
        orphans: the rows that leave.
        limit: how many rows of each kind are looked for at most: beyond, it is not whole.
    """
    own = dict.fromkeys(orphans)
    taken = dict(own)
    front = list(taken)
    held: dict[int, dict[Place, None]] = defaultdict(dict)
    while front and len(taken) <= limit:
        reached: dict[Place, None] = {}
        for number, link, found in [
            (number, link, await _find(rows, ground, link, table, places, limit=limit))
            for table, places in group(front).items()
            for number, link in ground.list_links(ground.by_oid[table])
        ]:
            (reached if link.action == CASCADE else held[number]).update(dict.fromkeys(found))
        front = [place for place in reached if place not in taken]
        taken |= dict.fromkeys(front)
    left = [
        (ground.links[number], tuple(place for place in places if place not in taken))
        for number, places in sorted(held.items())
    ]
    return Closure(
        taken=tuple(taken),
        changed=tuple((link, some) for link, some in left if some and link.action in CHANGING),
        blocked=tuple((link, some) for link, some in left if some and link.action not in CHANGING),
        disputed=tuple(
            (ground.links[number], some)
            for number, places in sorted(held.items())
            if _is_disputed(ground, ground.links[number])
            and (some := tuple(place for place in places if place in taken and place not in own))
        ),
        is_whole=len(taken) <= limit and all(len(some) <= limit for _, some in left),
    )


def _is_disputed(ground: Ground, link: Link) -> bool:
    """Whether a cascade acts on the columns of a key that takes no rows."""
    return any(
        other.action == CASCADE
        and ground.find_top(other.child) == ground.find_top(link.child)
        and {*other.columns} & {*link.columns}
        for other in ground.links
    )


def group(places: Iterable[Place]) -> dict[int, list[str]]:
    """Places by their table, in order."""
    found: dict[int, list[str]] = defaultdict(list)
    for place in places:
        found[place.table].append(place.tuple)
    return found


async def _find(  # noqa: PLR0913  # whose references, by what, how many
    rows: Rows, ground: Ground, link: Link, table: int, places: list[str], *, limit: int
) -> list[Place]:
    """Rows that reference some of a table's by a foreign key.

    Twice the limit and one more: as many as the limit may be known already.
    """
    parent, child = ground.find_top(table), ground.by_oid[link.child]
    sql = load("references").format(
        child=child.source,
        parent=parent.source,
        table=table,
        match=_write_match(link),
        limit=2 * limit + 1,
    )
    found: list[Place] = []
    for some in batched(places, _AT_ONCE):
        answer = await rows.fetch(sql, list(some))
        found += (Place(int(home or 0), place or "") for home, place in answer)
    return found


def _write_match(link: Link) -> str:
    """Whether a row `c` references a row `p`, as the server would ask.

    It casts both to what the operator takes: blanks at the end of a text count, and those of a
    `char(n)` do not. https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/ruleutils.c
    (`generate_operator_clause`)
    """
    pairs = zip(link.columns, link.referenced, link.operators, link.collations, strict=True)
    return " and ".join(
        f"p.{quote_ident(other)}{_write_cast(operator.left)} "
        f"operator({quote_ident(operator.schema)}.{operator.name}) "
        f"c.{quote_ident(own)}{_write_cast(operator.right)}"
        + (f" collate {'.'.join(map(quote_ident, collation))}" if collation else "")
        for own, other, operator, collation in pairs
    )


def _write_cast(kind: tuple[str, str] | None) -> str:
    return f"::{'.'.join(map(quote_ident, kind))}" if kind else ""
