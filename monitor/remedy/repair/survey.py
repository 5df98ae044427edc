"""A look at all that a repair concerns, and the plan that follows."""

from collections import Counter
from collections.abc import Iterator

import msgspec

from monitor.checks.orphans import Limits, find_problem
from monitor.core.errors import LookError, Refused, TooSlow
from monitor.core.quoting import quote_ident
from monitor.remedy.repair.closure import Closure, follow, group
from monitor.remedy.repair.ground import CHANGING, Ground, load
from monitor.remedy.repair.losing import find_lost
from monitor.remedy.repair.quarantine import (
    Shelf,
    judge_shelf,
    list_creation,
    list_event_triggers,
    read_shelf,
    write_batch,
    write_keeping,
)
from monitor.remedy.repair.reasons import (
    judge_adopt,
    judge_closure,
    judge_ground,
    judge_nullify,
    judge_size,
    judge_triggers,
    list_concerned,
    refuse_event_triggers,
    require_rights,
)
from monitor.remedy.repair.statements import (
    Statement,
    write_adopt,
    write_delete,
    write_keys,
    write_lock,
    write_nullify,
)
from monitor.remedy.repair.wish import Act, Outcome, Refusal, Strategy, Wish
from monitor.sources.orphan_rows import Facts, Place, count_rows, find_places
from monitor.sources.rows import Rows


class Survey(msgspec.Struct, frozen=True):
    """What was found.

    Attributes:
        facts: of the relation.
        ground: the tables and keys.
        shelf: what there is of the quarantine.
        orphans: where the rows without a parent are.
        total: how many there are.
        closure: what goes along.
        keys: how many parents are missing.
        partial: how many of these have a key that is null in part.
    """

    facts: Facts
    ground: Ground
    shelf: Shelf
    orphans: tuple[Place, ...]
    total: int
    closure: Closure
    keys: int = 0
    partial: int = 0


def require_countable(wish: Wish, facts: Facts) -> None:
    """Nothing, where the relation can be counted.

    Raises:
        LookError: it cannot; says why.
    """
    problem = find_problem(wish.relation, facts, Limits())
    if problem is not None and problem.code != "too_large":
        raise LookError(problem.message, next_step=problem.next_step)


async def survey(rows: Rows, wish: Wish, facts: Facts, ground: Ground) -> Survey:
    """Find the rows, and what goes along; raises as ``rows`` does.

    Args:
        rows: the transaction.
        wish: what is asked for.
        facts: of the relation.
        ground: the tables and keys.
    """
    relation, limit = wish.relation, wish.max_rows
    try:
        orphans = await find_places(rows, relation, facts, limit=limit + 1)
    except LookError as error:
        if not relation.where or isinstance(error, Refused | TooSlow):
            raise
        step = f"Look at the condition first, whose tables need their schemas: {relation.where}"
        raise LookError(error.message, next_step=step) from None
    total = len(orphans)
    if total > limit:
        total = await count_rows(rows, relation, facts)
    closure = Closure(orphans)
    if wish.strategy.takes_rows and total <= limit:
        closure = await follow(rows, ground, orphans, limit=limit)
    found = Survey(facts, ground, await read_shelf(rows), orphans, total, closure)
    if wish.strategy is not Strategy.ADOPT or not orphans or relation.is_period:
        return found
    return await _count_keys(rows, wish, found)


async def _count_keys(rows: Rows, wish: Wish, found: Survey) -> Survey:
    """The same, with how many parents are missing."""
    sql = load("keys").format(
        keys=write_keys(found.ground.find(wish.relation.parent), wish.relation, found.facts),
        columns=", ".join(f"k.{quote_ident(name)}" for name in wish.relation.referenced),
    )
    ((keys, partial),) = await rows.fetch(sql)
    return msgspec.structs.replace(found, keys=int(keys or 0), partial=int(partial or 0))


async def plan(
    rows: Rows, wish: Wish, facts: Facts, ground: Ground
) -> tuple[Survey | None, Outcome]:
    """What was found, and what would be done; nothing is looked for where it cannot be relied on.

    Args:
        rows: the transaction.
        wish: what is asked for.
        facts: of the relation.
        ground: the tables and keys.

    Raises:
        Refused: privileges are missing.
        LookError: rows cannot be read.
    """
    if refused := tuple(judge_ground(wish, ground)):
        outcome = Outcome(strategy=wish.strategy.value, relation=wish.label, refused=refused)
        return None, outcome
    found = await survey(rows, wish, facts, ground)
    outcome = make_plan(wish, found)
    if found.orphans and not outcome.refused:
        lost = await find_lost(rows, wish, ground, found.closure)
        outcome = msgspec.structs.replace(outcome, lost=lost)
    return found, outcome


def make_plan(wish: Wish, found: Survey) -> Outcome:
    """What would be done, and what stands against it.

    Raises:
        Refused: privileges are missing.
    """
    if found.orphans:
        require_rights(wish, found.ground, found.closure)
    number = found.keys if wish.strategy is Strategy.ADOPT else found.total
    is_sized = number <= wish.max_rows and found.closure.is_whole
    refused = tuple(_judge(wish, found)) if found.orphans else ()
    is_shown = is_sized and not (refused and wish.strategy is Strategy.ADOPT)
    return Outcome(
        strategy=wish.strategy.value,
        relation=wish.label,
        rows=tuple(_list_acts(wish, found)),
        statements=tuple(one.sql for one in _list_statements(wish, found)) if is_shown else (),
        refused=refused,
    )


def _judge(wish: Wish, found: Survey) -> Iterator[Refusal]:
    ground, closure = found.ground, found.closure
    if wish.strategy is Strategy.ADOPT:
        yield from judge_size(wish, found.keys, is_exact=True)
        yield from judge_adopt(wish, found.ground.find(wish.relation.parent))
        yield from _judge_partial(found)
    elif found.total > wish.max_rows:
        yield from judge_size(wish, found.total, is_exact=True)
    else:
        yield from judge_size(wish, closure.size, is_exact=closure.is_whole)
    if wish.strategy.takes_rows and closure.is_whole:
        yield from judge_closure(wish, ground, found.orphans, closure)
    if wish.strategy is Strategy.QUARANTINE:
        yield from judge_shelf(found.shelf)
        if (events := list_event_triggers(found.shelf)) and not wish.fire_triggers:
            yield refuse_event_triggers(events)
    if wish.strategy is Strategy.NULLIFY:
        yield from judge_nullify(wish, ground)
    yield from judge_triggers(wish, ground, closure)


def _judge_partial(found: Survey) -> Iterator[Refusal]:
    """A key of MATCH FULL that is null in part has no parent that could be made."""
    if found.partial:
        yield Refusal(
            reason="MATCH FULL: a key that is null in part can have no parent.",
            next="Use --strategy nullify, which sets all of its columns to null.",
        )


def _list_acts(wish: Wish, found: Survey) -> Iterator[Act]:
    ground, action = found.ground, wish.strategy.value
    if wish.strategy is Strategy.ADOPT:
        if found.keys:
            yield Act(
                table=found.ground.find(wish.relation.parent).shown, action=action, rows=found.keys
            )
        return
    if found.total > wish.max_rows:
        child = ground.find(wish.relation.child)
        yield Act(table=child.shown, action=action, rows=found.total)
        return
    counts = Counter(ground.find_top(place.table).shown for place in found.closure.taken)
    yield from (Act(table=name, action=action, rows=rows) for name, rows in counts.items())
    for link, places in found.closure.changed:
        home = ground.by_oid[link.child].shown
        yield Act(table=home, action=CHANGING[link.action], rows=len(places))


def write_change(wish: Wish, found: Survey) -> Statement:
    """What changes the rows of the tables themselves."""
    groups = group(found.closure.taken)
    match wish.strategy:
        case Strategy.QUARANTINE | Strategy.DELETE:
            return write_delete(found.ground, groups)
        case Strategy.NULLIFY:
            return write_nullify(found.ground, wish.relation.columns, groups)
        case Strategy.ADOPT:
            return write_adopt(
                found.ground.find(wish.relation.parent), wish.relation, found.facts, wish.values
            )


def _list_statements(wish: Wish, found: Survey) -> Iterator[Statement]:
    """All of it in order, as it is shown."""
    if not found.orphans:
        return
    yield write_lock(list_concerned(wish, found.ground))
    if wish.strategy is Strategy.QUARANTINE:
        yield from list_creation(found.shelf)
        yield write_batch(wish, len(found.closure.taken))
        after = 0
        for table, places in group(found.closure.taken).items():
            yield write_keeping(found.ground, table, places, batch="BATCH", after=after)
            after += len(places)
    yield write_change(wish, found)
