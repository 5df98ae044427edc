"""The tables in which rows are kept, and rows that go into them.

A batch stays when it was undone, as history. What is kept is proven to come back as the same text
before its row leaves.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from monitor.core.errors import WriteError
from monitor.core.quoting import quote_as_shown, quote_literal
from monitor.core.scope_managed import QUARANTINE
from monitor.core.script import split_script
from monitor.remedy.repair.ground import Ground, Table, load
from monitor.remedy.repair.statements import Statement
from monitor.remedy.repair.texts import list_kept, write_kept, write_row
from monitor.remedy.repair.wish import Refusal, Wish
from monitor.sources.rows import Rows, Writer

_TABLES: Final = 2
_REVOKED: Final = {
    "schema": ("schema",),
    "table": ("all tables in schema", "all sequences in schema"),
}


class Shelf(msgspec.Struct, frozen=True):
    """What there is of the quarantine.

    Attributes:
        is_there: whether its schema is.
        is_ours: whether that belongs to this role, or to a superuser.
        tables: how many of its tables are as they should be.
        is_acting: whether anything of somebody's acts when they are written.
        may_create: whether this role may make the schema.
        event_triggers: that are enabled and fire when it is made.
    """

    is_there: bool
    is_ours: bool
    tables: int
    is_acting: bool
    may_create: bool
    event_triggers: tuple[str, ...]

    @property
    def is_ready(self) -> bool:
        """Whether rows can be kept in it, and read."""
        return self.is_there and self.tables == _TABLES


async def read_shelf(rows: Rows) -> Shelf:
    """What there is of the quarantine; raises as ``rows`` does."""
    ((there, ours, tables, acting, may_create, fired),) = await rows.fetch(load("shelf"))
    return Shelf(
        there == "true",
        ours == "true",
        int(tables or 0),
        acting != "0",
        may_create == "true",
        msgspec.json.decode(fired or "[]", type=tuple[str, ...]),
    )


def judge_shelf(shelf: Shelf) -> Iterator[Refusal]:
    """Why nothing can be kept there."""
    if not shelf.is_there:
        if not shelf.may_create:
            yield Refusal(
                reason=f"This role may not make the schema {QUARANTINE}.",
                next=f"Grant it CREATE on the database, or make it: CREATE SCHEMA {QUARANTINE} "
                "AUTHORIZATION the role.",
            )
        return
    if not shelf.is_ours or shelf.is_acting:
        yield Refusal(
            reason=f"The schema {QUARANTINE} belongs to somebody else, or triggers, rules or "
            "policies of somebody's act on its tables.",
            next="Look whose it is; give it to the role of the repair URL, or rename it.",
        )
    elif shelf.tables not in (0, _TABLES):
        yield Refusal(
            reason=f"The tables of {QUARANTINE} are not as this version makes them.",
            next=f"Rename the schema {QUARANTINE}: a new one is made, what is kept stays.",
        )


def list_event_triggers(shelf: Shelf) -> list[str]:
    """Those that fire when the tables have to be made."""
    return [] if shelf.is_ready else [*map(quote_as_shown, shelf.event_triggers)]


def list_creation(shelf: Shelf) -> list[Statement]:
    """What makes the tables, where they are not there yet; only their owner can read them."""
    if shelf.is_ready:
        return []
    found = [Statement(one.text) for one in split_script(load("quarantine"))]
    return found[1:] if shelf.is_there else found


def write_batch(wish: Wish, rows: int) -> Statement:
    """Begin a batch; returns its number."""
    values = ", ".join(map(quote_literal, (wish.label, wish.reason or "-", wish.version)))
    return Statement(
        f"/* anchorwatch repair: batch */ insert into {QUARANTINE}.batches "
        "(relation, reason, version, kept) "
        f"values ({values}, {rows}) returning id::text"
    )


def write_keeping(
    ground: Ground, table: int, places: Sequence[str], *, batch: str, after: int
) -> Statement:
    """Keep rows of a table; returns how many.

    Args:
        ground: the tables.
        table: that holds them, as their tableoid.
        places: where they are.
        batch: its number, in SQL.
        after: how many rows of the batch come before.
    """
    top = ground.find_top(table)
    return Statement(
        f"/* anchorwatch repair: keep */ with k as (insert into {QUARANTINE}.rows "
        '(batch, number, "schema", "table", "values") '
        f"select {batch}, {after} + row_number() over (order by c.ctid), "
        f"{quote_literal(top.schema)}, {quote_literal(top.name)}, "
        f"{write_kept(list_kept(top), 'c')} from {top.source} as c "
        f"where c.tableoid = {table}::oid and c.ctid = any ($1::text[]::tid[]) returning 1) "
        "select count(*)::text from k",
        (places,),
    )


async def prepare_shelf(rows: Writer, shelf: Shelf) -> None:
    """Make the tables, where they are not there yet, for nobody but their owner.

    Whoever default privileges let in was not meant to read rows of every table.

    Raises:
        WriteError: they cannot be made.
    """
    statements = list_creation(shelf)
    for statement in statements:
        await rows.fetch(statement.sql)
    if not statements:
        return
    for what, role in await rows.fetch(load("readers")):
        whose = "public" if role == "-" else role
        for kind in _REVOKED[what or ""]:
            await rows.fetch(f"revoke all on {kind} {QUARANTINE} from {whose} cascade")


async def keep(
    rows: Writer, wish: Wish, ground: Ground, groups: Mapping[int, Sequence[str]]
) -> int:
    """Keep rows, and prove that they come back as they are.

    Returns:
        the number of the batch.

    Raises:
        WriteError: one does not; nothing was changed.
    """
    total = sum(map(len, groups.values()))
    ((batch,),) = await rows.fetch(write_batch(wish, total).sql)
    after = 0
    for table, places in groups.items():
        statement = write_keeping(ground, table, places, batch=batch or "", after=after)
        ((kept,),) = await rows.fetch(statement.sql, *statement.places)
        after += int(kept or 0)
    if after != total:
        raise _lost(f"{total - after} of {total} rows were not kept")
    for top in {ground.find_top(table).oid: None for table in groups}:
        expected = sum(len(p) for table, p in groups.items() if ground.find_top(table).oid == top)
        await _prove(rows, ground.by_oid[top], batch or "", expected)
    return int(batch or 0)


async def _prove(rows: Writer, table: Table, batch: str, expected: int) -> None:
    """Read each kept row as a row of its table, and compare its text."""
    names = list_kept(table)
    sql = load("kept").format(
        row=write_row(table, names, 'k."values"'),
        again=write_kept(names, "(b.r)"),
        batch=batch,
        schema=quote_literal(table.schema),
        table=quote_literal(table.name),
    )
    ((count, same),) = await rows.fetch(sql)
    if not int(count or 0) == int(same or 0) == expected:
        raise _lost(
            f"{expected - int(same or 0)} rows of {table.shown} would not come back as they are"
        )


def _lost(what: str) -> WriteError:
    return WriteError(
        f"The quarantine was not made: {what}. Nothing was changed.",
        next_step="Keep a copy of these rows by other means, and use --strategy delete.",
    )
