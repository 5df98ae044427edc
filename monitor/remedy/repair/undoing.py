"""A batch of the quarantine, brought back: all of its rows, as they were, or none."""

from collections import Counter
from typing import Final

import msgspec

from monitor.core.errors import LookError, Rejected, WriteError
from monitor.core.quoting import quote_ident, quote_literal
from monitor.core.scope_managed import QUARANTINE
from monitor.remedy.repair.batch import (
    Batch,
    judge_batch,
    judge_keys,
    judge_values,
    list_tables,
    miss_batch,
    read_batch,
    require_batch_rights,
    write_part,
)
from monitor.remedy.repair.closure import group
from monitor.remedy.repair.counters import Counted, read_counts
from monitor.remedy.repair.ground import Ground, Table, list_fired, load, read_ground
from monitor.remedy.repair.identity import read_identity, require_same
from monitor.remedy.repair.quarantine import judge_shelf, read_shelf
from monitor.remedy.repair.statements import Statement, write_lock
from monitor.remedy.repair.texts import write_kept, write_row
from monitor.remedy.repair.transaction import (
    Withdrawn,
    change,
    require_allowed,
    require_size,
    verify_counts,
)
from monitor.remedy.repair.wish import MAX_ROWS, Act, Outcome, Refusal
from monitor.sources.dsn import Dsn
from monitor.sources.orphan_rows import Place
from monitor.sources.postgres import Deadlines, Session, connect
from monitor.sources.rows import Rows, Writer

UNDO: Final = "undo"
_REJECTED: Final = (
    "Repair what stands against it first. These rows lacked their parents: a foreign key lets "
    "them in when these are there, or while it is dropped. A NOT VALID check holds for what comes "
    "back."
)


class Undoing(msgspec.Struct, frozen=True, kw_only=True):
    """One batch to bring back.

    Attributes:
        batch: its number.
        fire_triggers: whether triggers of the user's may fire.
        max_rows: how many rows these may update or delete.
    """

    batch: int
    fire_triggers: bool = False
    max_rows: int = MAX_ROWS


class _Plan(msgspec.Struct, frozen=True):
    """What comes back, and what stands against it."""

    outcome: Outcome
    batch: Batch
    ground: Ground


async def undo(
    watched: Dsn, repaired: Dsn, wish: Undoing, *, deadlines: Deadlines, is_applied: bool
) -> Outcome:
    """What bringing a batch back would do, or what it did.

    Args:
        watched: the database as it is looked at.
        repaired: the same, as a role that may write.
        wish: which batch.
        deadlines: how long each statement may take.
        is_applied: whether to do it; else nothing is written.

    Raises:
        UsageError: the two are not the same database, or there is no such batch.
        LookError: it cannot be looked at.
        WriteError: it cannot be done; nothing was changed.
        Unsettled: the connection broke at the commit.
    """
    async with connect(watched, deadlines=deadlines) as session:
        identity = await read_identity(session, ())
    async with connect(repaired, deadlines=deadlines) as session:
        require_same(identity, await read_identity(session, ()))
        if is_applied:
            return await _apply(session, wish)
        async with session.reading() as rows:
            return (await _make_plan(rows, wish, is_read=True)).outcome


async def _make_plan(rows: Rows, wish: Undoing, *, is_read: bool = False) -> _Plan:
    """What would come back; where it is only read, it is proven that its values still can be."""
    shelf = await read_shelf(rows)
    if not shelf.is_ready:
        raise miss_batch(wish.batch)
    batch = await read_batch(rows, wish.batch)
    ground = await read_ground(rows, [part.home for part in batch.parts])
    require_batch_rights(ground, batch)
    refused = [
        *judge_shelf(shelf),
        *judge_batch(batch, ground, fires_triggers=wish.fire_triggers),
    ]
    if not refused and is_read:
        refused = [one async for one in judge_values(rows, batch, ground)]
    if not refused:
        refused = [one async for one in judge_keys(rows, batch, ground)]
    return _Plan(_describe(batch, ground, refused), batch, ground)


def _describe(batch: Batch, ground: Ground, refused: list[Refusal]) -> Outcome:
    acts = (Act(table=part.shown, action="restore", rows=part.rows) for part in batch.parts)
    statements = () if refused else (_write_insert(batch, ground).sql, _write_mark(batch).sql)
    return Outcome(
        strategy=UNDO,
        relation=batch.relation,
        batch=batch.number,
        rows=tuple(acts),
        statements=statements,
        refused=tuple(refused),
    )


def _write_insert(batch: Batch, ground: Ground) -> Statement:
    """All rows in one statement, parents before children; returns where they are."""
    parts, found = [], []
    for n, (part, table) in enumerate(list_tables(ground, batch)):
        names = part.columns or ()
        told = write_part(batch, part)
        parts.append(
            f"b{n} as materialized (select {write_row(table, names, 'k."values"')} as r "
            f"from {QUARANTINE}.rows as k where k.batch operator(pg_catalog.=) "
            f'{told["batch"]}::pg_catalog.int8 and k."schema" operator(pg_catalog.=) '
            f'{told["schema"]}::pg_catalog.text and k."table" operator(pg_catalog.=) '
            f"{told['table']}::pg_catalog.text order by k.number), "
            f"i{n} as (insert into {table.sql} {_write_columns(names)} from b{n} as b "
            "returning tableoid, ctid)"
        )
        found.append(
            f"select tableoid::pg_catalog.int8::pg_catalog.text, ctid::pg_catalog.text from i{n}"
        )
    return Statement(
        f"/* anchorwatch repair: restore */ with {', '.join(parts)} {' union all '.join(found)}"
    )


def _write_columns(names: tuple[str, ...]) -> str:
    """Values of an identity are those that were kept."""
    columns = [*map(quote_ident, names)]
    values = ", ".join(f"(b.r).{column}" for column in columns)
    return f"({', '.join(columns)}) overriding system value select {values}"


def _write_mark(batch: Batch) -> Statement:
    return Statement(
        f"/* anchorwatch repair: undone */ update {QUARANTINE}.batches "
        "set undone_at = now(), undone_by = session_user "
        f"where id = {batch.number} and undone_at is null returning id::text"
    )


async def _apply(session: Session, wish: Undoing) -> Outcome:
    plan: _Plan | None = None
    try:
        async with session.reading() as reader:
            require_allowed((await _make_plan(reader, wish, is_read=True)).outcome)
        async with session.writing() as rows:
            before = await read_counts(rows)
            plan = await _plan_locked(rows, wish)
            require_allowed(plan.outcome)
            return await _act(rows, wish, plan, before)
    except Withdrawn as withdrawn:
        return withdrawn.outcome
    except Rejected as error:
        if plan is None:
            raise
        refusal = Refusal(reason=error.message, next=_REJECTED)
        return msgspec.structs.replace(plan.outcome, refused=(refusal,))
    except LookError as error:
        raise WriteError(
            f"{error.message} Nothing was changed.", next_step=error.next_step
        ) from None


async def _plan_locked(rows: Writer, wish: Undoing) -> _Plan:
    """Lock the batches and the tables: nobody else undoes, or writes, until this is over."""
    seen = await _make_plan(rows, wish)
    tables = [table for _, table in list_tables(seen.ground, seen.batch)]
    if tables:
        by_name = sorted(tables, key=lambda table: (table.schema, table.name))
        await rows.fetch(write_lock(by_name).sql)
    await rows.fetch(f"lock table {QUARANTINE}.batches in share row exclusive mode")
    plan = await _make_plan(rows, wish)
    if plan.ground != seen.ground:
        raise WriteError(
            "The tables changed before they were locked. Nothing was changed.",
            next_step="Run it again: what is there is looked at anew.",
        )
    return plan


async def _act(rows: Writer, wish: Undoing, plan: _Plan, before: Counted) -> Outcome:
    batch, ground = plan.batch, plan.ground
    answer = await change(rows, _write_insert(batch, ground), is_firing=wish.fire_triggers)
    places = [Place(int(table or 0), place or "") for table, place in answer]
    expected = Counter[tuple[int, str]]()
    for part, table in list_tables(ground, batch):
        expected[table.top, "insert"] += part.rows
    fired = {*list_fired((t for t in ground.tables if t.is_child), "insert", with_rows=True)}
    extra = await verify_counts(
        rows, ground, before, expected, spare={}, fired=fired, is_kept=False
    )
    require_size(wish.max_rows, extra)
    await _compare(rows, batch, ground, places)
    if not await rows.fetch(_write_mark(batch).sql):
        raise _differs(f"batch {batch.number} was undone by somebody else")
    return msgspec.structs.replace(plan.outcome, applied=True, rows=(*plan.outcome.rows, *extra))


async def _compare(rows: Writer, batch: Batch, ground: Ground, places: list[Place]) -> None:
    """Hold what is there now against what was kept.

    Raises:
        WriteError: they differ.
    """
    groups = group(places)
    for part, table in list_tables(ground, batch):
        own = [
            (str(home), place)
            for home, some in groups.items()
            if table.oid in (home, *ground.by_oid[home].ancestors)
            for place in some
        ]
        ((differing,),) = await rows.fetch(
            _write_comparison(batch, part.home, part.columns or (), table),
            [home for home, _ in own],
            [place for _, place in own],
        )
        if differing != "0" or len(own) != part.rows:
            raise _differs(f"rows of {table.shown} would not be as they were kept")


def _write_comparison(
    batch: Batch, home: tuple[str | None, str], names: tuple[str, ...], table: Table
) -> str:
    schema, name = home
    return load("restored").format(
        batch=batch.number,
        schema=quote_literal(schema or ""),
        table=quote_literal(name),
        again=write_kept(names, "c"),
        source=table.source,
    )


def _differs(what: str) -> WriteError:
    return WriteError(
        f"The batch was not brought back: {what}. Nothing was changed.",
        next_step=f"Look at {QUARANTINE}.rows, and bring them back by hand.",
    )
