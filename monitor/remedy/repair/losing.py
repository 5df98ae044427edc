"""Rows elsewhere that lose their parents by a repair, where no constraint would say so.

Keys that are NOT ENFORCED or only expected, and relations that only the configuration names, let
their parents go. It stands against no repair, and is told. Their tables are not locked.
"""

import shlex
from collections.abc import Iterator
from typing import Final

from monitor.checks.orphans import Limits, find_problem
from monitor.core.errors import LookError, WriteError
from monitor.core.homes import Home
from monitor.core.quoting import quote_as_shown
from monitor.core.relation import Relation
from monitor.core.relation_text import write_relation
from monitor.remedy.repair.closure import Closure
from monitor.remedy.repair.ground import HOLDERS, Ground
from monitor.remedy.repair.transaction import saving
from monitor.remedy.repair.wish import Lost, Strategy, Wish
from monitor.sources.orphan_rows import Facts, Place, count_lost, read_facts
from monitor.sources.rows import Rows

_LOOK: Final = "`anchorwatch orphans` says whether it can be counted, and counts it."


async def find_lost(rows: Rows, wish: Wish, ground: Ground, closure: Closure) -> tuple[Lost, ...]:
    """Of each relation that nothing enforces, the rows that lose their parents.

    Args:
        rows: the transaction.
        wish: what is asked for.
        ground: the tables and keys.
        closure: what leaves, and what changes.
    """
    found = []
    for relation in wish.loose:
        gone = _list_gone(wish, ground, closure, relation.referenced)
        if _is_same(relation, wish.relation) or relation.parent not in _list_homes(ground, gone):
            continue
        own = _list_gone(wish, ground, closure, relation.columns)
        if (one := await _ask(rows, relation, gone, own)) is not None:
            found.append(one)
    return tuple(found)


def _is_same(one: Relation, other: Relation) -> bool:
    """Whether two say the same: of the one that is repaired, what remains is counted anyhow."""
    return (one.child, one.columns, one.parent, one.referenced) == (
        other.child,
        other.columns,
        other.parent,
        other.referenced,
    )


def _list_gone(
    wish: Wish, ground: Ground, closure: Closure, columns: tuple[str, ...]
) -> list[Place]:
    """The rows that leave, or in which one of some columns changes."""
    wanted = {*columns}
    gone = [*closure.taken] if wish.strategy.takes_rows else []
    if wish.strategy is Strategy.NULLIFY:
        child = ground.find(wish.relation.child)
        gone += closure.taken if wanted & child.list_touched(wish.relation.columns) else ()
    for link, places in closure.changed:
        gone += places if wanted & ground.by_oid[link.child].list_touched(link.columns) else ()
    return gone


def _list_homes(ground: Ground, places: list[Place]) -> set[Home]:
    """The tables that hold rows, and what these are partitions of."""
    return set(_walk_homes(ground, {place.table for place in places}))


def _walk_homes(ground: Ground, tables: set[int]) -> Iterator[Home]:
    for oid in tables:
        for other in (oid, *ground.by_oid[oid].ancestors):
            if other in ground.by_oid:
                yield ground.by_oid[other].schema, ground.by_oid[other].name


async def _ask(rows: Rows, relation: Relation, gone: list[Place], own: list[Place]) -> Lost | None:
    """What is lost of one relation; None where nothing is."""
    facts = await read_facts(rows, relation)
    problem = find_problem(relation, facts, Limits())
    if problem is not None and problem.code != "too_large":
        return _doubt(relation, problem.message, problem.next_step)
    if not _holds_rows(facts):
        return _doubt(relation, "one of its tables is a view, or elsewhere.", _LOOK)
    count = await _try(rows, relation, facts, gone, own)
    if count is None:
        return _doubt(relation, "the server refused the question.", _LOOK)
    text = write_relation(relation)
    repair = f"Repair these rows next: --relation {shlex.quote(text)}"
    return _make(relation, count, "", repair) if count else None


def _holds_rows(facts: Facts) -> bool:
    return all(side is not None and side.kind in HOLDERS for side in (facts.child, facts.parent))


async def _try(
    rows: Rows, relation: Relation, facts: Facts, gone: list[Place], own: list[Place]
) -> int | None:
    """The count; None where the server refuses it, which ends no transaction."""
    try:
        async with saving(rows):
            return await count_lost(rows, relation, facts, gone, own)
    except (LookError, WriteError):
        return None


def _doubt(relation: Relation, reason: str, step: str) -> Lost:
    return _make(relation, None, reason, step)


def _make(relation: Relation, count: int | None, reason: str, step: str) -> Lost:
    schema, name = relation.child
    return Lost(
        relation=write_relation(relation),
        table=f"{quote_as_shown(schema or '')}.{quote_as_shown(name)}",
        rows=count,
        reason=reason,
        next=step,
    )
