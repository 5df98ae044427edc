"""The repair of one relation: looked at by default, done in one transaction when asked to.

The tables are locked against writers, everything is found again, done, and verified before it is
committed: the server's own count of changed rows has to be the planned one, and no row of the
relation may be left without a parent. Whatever is otherwise takes all of it back.
"""

from collections import Counter
from typing import Final

import msgspec

from monitor.core.errors import LookError, Rejected, WriteError
from monitor.core.scope_managed import QUARANTINE
from monitor.remedy.repair.closure import group
from monitor.remedy.repair.counters import Counted, Counts, read_counts
from monitor.remedy.repair.ground import CASCADE, CHANGING, Ground, read_ground
from monitor.remedy.repair.identity import read_identity, require_same
from monitor.remedy.repair.quarantine import keep, prepare_shelf
from monitor.remedy.repair.reasons import list_concerned, list_triggers, require_rights
from monitor.remedy.repair.statements import write_lock
from monitor.remedy.repair.survey import (
    Survey,
    plan,
    require_countable,
    write_change,
)
from monitor.remedy.repair.transaction import (
    Withdrawn,
    change,
    read_layout,
    refuse_layout,
    require_allowed,
    require_size,
    verify_counts,
)
from monitor.remedy.repair.wish import Act, Outcome, Refusal, Strategy, Wish
from monitor.sources.dsn import Dsn
from monitor.sources.orphan_rows import Facts, Place, count_rows, read_facts
from monitor.sources.postgres import Deadlines, Session, connect
from monitor.sources.rows import Rows, Writer

_AGAIN: Final = "Run it again: what is there is looked at anew."


async def repair(
    watched: Dsn, repaired: Dsn, wish: Wish, *, deadlines: Deadlines, is_applied: bool
) -> Outcome:
    """What would be done about a relation's rows without a parent, or what was.

    Args:
        watched: the database as it is looked at.
        repaired: the same, as a role that may write.
        wish: what is asked for.
        deadlines: how long each statement may take.
        is_applied: whether to do it; else nothing is written, and the transaction is READ ONLY.

    Raises:
        UsageError: the two are not the same database.
        LookError: it cannot be looked at.
        WriteError: it cannot be done; nothing was changed.
        Unsettled: the connection broke at the commit.
    """
    tables = (wish.relation.child, wish.relation.parent)
    async with connect(watched, deadlines=deadlines) as session:
        identity = await read_identity(session, tables)
    async with connect(repaired, deadlines=deadlines) as session:
        require_same(identity, await read_identity(session, tables))
        if is_applied:
            return await _apply(session, wish)
        async with session.reading() as rows:
            facts, ground = await _look(rows, wish)
            return (await plan(rows, wish, facts, ground))[1]


async def _look(rows: Rows, wish: Wish) -> tuple[Facts, Ground]:
    relation = wish.relation
    facts = await read_facts(rows, relation)
    require_countable(wish, facts)
    ground = await read_ground(
        rows, (relation.child,), (relation.parent,), with_heirs=relation.with_heirs
    )
    require_rights(wish, ground)
    return facts, ground


async def _apply(session: Session, wish: Wish) -> Outcome:
    planned: Outcome | None = None
    try:
        async with session.writing() as rows:
            before = await read_counts(rows)
            found, planned = await _plan_locked(rows, wish)
            require_allowed(planned)
            return await _act(rows, wish, found, planned, before)
    except Withdrawn as withdrawn:
        return withdrawn.outcome
    except Rejected as error:
        if planned is None:
            raise
        refusal = Refusal(reason=error.message, next=error.next_step)
        return msgspec.structs.replace(planned, refused=(refusal,))
    except LookError as error:
        raise WriteError(
            f"{error.message} Nothing was changed.", next_step=error.next_step
        ) from None


async def _plan_locked(rows: Writer, wish: Wish) -> tuple[Survey | None, Outcome]:
    """Lock the tables, and find everything as nobody else can change it any more."""
    _, seen = await _look(rows, wish)
    await rows.fetch(write_lock(list_concerned(wish, seen)).sql)
    facts, ground = await _look(rows, wish)
    if ground != seen:
        raise WriteError(
            "The tables changed before they were locked. Nothing was changed.", next_step=_AGAIN
        )
    return await plan(rows, wish, facts, ground)


async def _act(
    rows: Writer, wish: Wish, found: Survey | None, planned: Outcome, before: Counted
) -> Outcome:
    if found is None or not found.orphans:
        return msgspec.structs.replace(planned, applied=True, remaining=0)
    ground, groups, batch = found.ground, group(found.closure.taken), None
    made: list[Act] = []
    if wish.strategy is Strategy.QUARANTINE:
        made = await _make_shelf(rows, found, before)
        batch = await keep(rows, wish, ground, groups)
        before = await read_counts(rows)  # neither what is kept nor what event triggers did
    await change(rows, write_change(wish, found), is_firing=wish.fire_triggers)
    fired = {*list_triggers(wish, ground, found.closure)}
    extra = await verify_counts(
        rows,
        ground,
        before,
        _expect(wish, found),
        spare=_spare(found),
        fired=fired,
        cascading=_list_cascading(wish, ground),
        is_kept=wish.strategy is Strategy.QUARANTINE,
    )
    extra = [*made, *extra]
    require_size(wish.max_rows, (*planned.rows, *extra))
    remaining = await _count_remaining(rows, wish, found)
    return msgspec.structs.replace(
        planned, applied=True, batch=batch, rows=(*planned.rows, *extra), remaining=remaining
    )


async def _make_shelf(rows: Writer, found: Survey, before: Counted) -> list[Act]:
    """Make the quarantine, where there is none yet; what event triggers add meanwhile.

    Raises:
        WriteError: it cannot be made, or they did more than add rows.
    """
    if found.shelf.is_ready:
        return []
    layout = await read_layout(rows, apart=QUARANTINE)
    await prepare_shelf(rows, found.shelf)
    if await read_layout(rows, apart=QUARANTINE) != layout:
        raise refuse_layout()
    return await verify_counts(
        rows,
        found.ground,
        before,
        {},
        spare={},
        fired={*found.shelf.event_triggers},
        is_kept=True,
    )


def _list_cascading(wish: Wish, ground: Ground) -> frozenset[tuple[int, str]]:
    """What foreign keys do to tables when rows leave, by table and event."""
    if not wish.strategy.takes_rows:
        return frozenset()
    return frozenset(
        (ground.find_top(link.child).oid, "delete" if link.action == CASCADE else "update")
        for link in ground.links
        if link.action == CASCADE or link.action in CHANGING
    )


def _expect(wish: Wish, found: Survey) -> Counts:
    """How many rows of each table are to be changed, at least."""
    ground, counts = found.ground, Counter[tuple[int, str]]()
    if wish.strategy is Strategy.ADOPT:
        counts[ground.find(wish.relation.parent).top, "insert"] = found.keys
        return counts
    event = "delete" if wish.strategy.takes_rows else "update"
    for place in found.closure.taken:
        counts[ground.by_oid[place.table].top, event] += 1
    for place in {place for _, places in found.closure.changed for place in places}:
        counts[ground.by_oid[place.table].top, "update"] += 1
    return counts


def _spare(found: Survey) -> Counts:
    """How often more: a row that several keys change is changed once or several times."""
    ground, counts, seen = found.ground, Counter[tuple[int, str]](), set[Place]()
    for _, places in found.closure.changed:
        for place in places:
            counts[ground.by_oid[place.table].top, "update"] += place in seen
        seen.update(places)
    return counts


async def _count_remaining(rows: Writer, wish: Wish, found: Survey) -> int:
    """Rows without a parent that are there now.

    Of a table that references itself by no foreign key, those that referenced rows that left.

    Raises:
        WriteError: there are some that should have been repaired.
    """
    relation = wish.relation
    remaining = await count_rows(rows, relation, found.facts)
    if remaining and not (wish.strategy.takes_rows and relation.child == relation.parent):
        raise WriteError(
            f"{remaining} rows would still have no parent. Nothing was changed.",
            next_step="Choose another strategy, or look at these rows by hand.",
        )
    return remaining
