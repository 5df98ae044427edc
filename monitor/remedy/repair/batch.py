"""A batch of the quarantine: what was kept together, and what would stand against its return."""

from collections.abc import AsyncIterator, Iterator
from typing import Final

import msgspec

from monitor.core.errors import (
    Interrupted,
    LookError,
    Migrating,
    Refused,
    TooSlow,
    UsageError,
)
from monitor.core.homes import Home
from monitor.core.quoting import quote_as_shown, quote_ident, quote_literal
from monitor.core.scope_managed import QUARANTINE
from monitor.remedy.repair.ground import HOLDERS, Column, Ground, Table, list_fired, load
from monitor.remedy.repair.reasons import refuse_triggers
from monitor.remedy.repair.texts import write_row
from monitor.remedy.repair.transaction import saving
from monitor.remedy.repair.wish import Refusal
from monitor.sources.rows import Rows

_RIGHTS: Final = frozenset({"insert", "select", "update"})
"""UPDATE is what locks the table against others: https://www.postgresql.org/docs/current/sql-lock.html"""


class Part(msgspec.Struct, frozen=True):
    """What a batch holds of one table.

    Attributes:
        schema: of the table.
        table: its name.
        rows: how many.
        columns: those that were kept.
    """

    schema: str
    table: str
    rows: int
    columns: tuple[str, ...] | None

    @property
    def home(self) -> Home:
        """The table."""
        return (self.schema, self.table)

    @property
    def shown(self) -> str:
        """Its name for a person."""
        return f"{quote_as_shown(self.schema)}.{quote_as_shown(self.table)}"


class Batch(msgspec.Struct, frozen=True):
    """What was kept together.

    Attributes:
        number: of the batch.
        relation: whose rows they were.
        undone_at: when they were brought back.
        undone_by: by whom.
        kept: how many rows were kept.
        parts: what is there of them now.
    """

    number: int
    relation: str
    undone_at: str | None
    undone_by: str | None
    kept: int
    parts: tuple[Part, ...]


async def read_batch(rows: Rows, number: int) -> Batch:
    """A batch by its number.

    Raises:
        UsageError: there is none.
    """
    found = await rows.fetch(load("batch").format(batch=number))
    if not found:
        raise miss_batch(number)
    ((relation, undone_at, undone_by, kept, parts),) = found
    return Batch(
        number,
        relation or "",
        undone_at,
        undone_by,
        int(kept or 0),
        msgspec.json.decode(parts or "[]", type=tuple[Part, ...]),
    )


def miss_batch(number: int) -> UsageError:
    """The error that there is none of that number."""
    return UsageError(
        f"There is no batch {number} in the quarantine.",
        next_step=f"Look for it in {QUARANTINE}.batches.",
    )


def find_table(ground: Ground, part: Part) -> Table | None:
    """The table that a part belongs to, where it is still there."""
    return next((t for t in ground.tables if (t.schema, t.name) == part.home), None)


def list_tables(ground: Ground, batch: Batch) -> list[tuple[Part, Table]]:
    """The parts with their tables, of those that are still there."""
    return [(part, table) for part in batch.parts if (table := find_table(ground, part))]


def require_batch_rights(ground: Ground, batch: Batch) -> None:
    """Nothing, where this role may bring the rows back.

    Raises:
        Refused: it may not; names all tables and what to grant.
    """
    missing = [
        f"{', '.join(sorted(lacking)).upper()} on {table.shown}"
        for _, table in list_tables(ground, batch)
        if (lacking := _RIGHTS - {*(table.rights or ())})
    ]
    if missing:
        raise Refused(
            f"The role of the repair URL lacks privileges: {'; '.join(missing)}.",
            next_step="Grant them to it, as the owner of these tables.",
        )


def judge_batch(batch: Batch, ground: Ground, *, fires_triggers: bool) -> Iterator[Refusal]:
    """Why it cannot be brought back, as far as the catalog tells."""
    if batch.undone_at is not None:
        yield Refusal(
            reason=f"Batch {batch.number} was undone at {batch.undone_at} by {batch.undone_by}.",
            next="Nothing is left to do: its rows were brought back.",
        )
        return
    left = sum(part.rows for part in batch.parts)
    if left != batch.kept:
        yield Refusal(
            reason=f"Batch {batch.number} kept {batch.kept} rows, and {left} of them are left.",
            next=f"Somebody changed {QUARANTINE}.rows: bring the rest back by hand.",
        )
    if ground.role != "origin" or not ground.is_counted:
        yield Refusal(
            reason="session_replication_role is not origin, or track_counts is off: what comes "
            "back cannot be verified.",
            next="Reset them for the role of the repair URL.",
        )
    for part in batch.parts:
        yield from _judge_part(part, find_table(ground, part))
    fired = list_fired((t for t in ground.tables if t.is_child), "insert", with_rows=True)
    if fired and not fires_triggers:
        yield refuse_triggers(fired)


def _judge_part(part: Part, table: Table | None) -> Iterator[Refusal]:
    if table is None or table.kind not in HOLDERS:
        yield Refusal(
            reason=f"There is no table {part.shown} any more.", next="Make it again as it was."
        )
        return
    there = {column.name for column in table.columns if not column.is_generated}
    if missing := [name for name in part.columns or () if name not in there]:
        yield Refusal(
            reason=f"{part.shown} has no column {', '.join(map(quote_as_shown, missing))} that "
            "takes what was kept.",
            next="Make it again as it was, or bring the rows back by hand.",
        )
    if table.rules:
        yield Refusal(
            reason=f"A rule rewrites what is done to {part.shown}.", next="Drop the rule first."
        )


async def judge_values(rows: Rows, batch: Batch, ground: Ground) -> AsyncIterator[Refusal]:
    """Values that read no longer, as their types changed; raises as ``rows`` does."""
    for part, table in list_tables(ground, batch):
        names = part.columns or ()
        if await _reads(rows, batch, part, write_row(table, names, 'k."values"')):
            continue
        kept = [column for column in table.columns if column.name in names]
        lost = [one for one in kept if not await _reads(rows, batch, part, _write_value(one))]
        said = [
            f"in column {quote_as_shown(one.name)} no longer reads as {one.type}" for one in lost
        ]
        yield Refusal(
            reason=f"What was kept of {table.shown} "
            f"{', '.join(said) or 'no longer reads as a row of it'}.",
            next="Make these types as they were (values of an enum, attributes, checks, lengths), "
            f"or bring the rows back by hand: they are in {QUARANTINE}.rows.",
        )


async def _reads(rows: Rows, batch: Batch, part: Part, value: str) -> bool:
    """Whether what a batch holds of a table still is what it is read as."""
    try:
        async with saving(rows):
            await rows.fetch(load("reads").format(value=value, **write_part(batch, part)))
    except (Refused, TooSlow, Migrating, Interrupted):
        raise
    except LookError:
        return False
    return True


def _write_value(column: Column) -> str:
    """What was kept of a column, as a value of it, in SQL."""
    name = quote_literal(column.name)
    return f'pg_catalog.jsonb_extract_path_text(k."values", {name})::{column.type}'


async def judge_keys(rows: Rows, batch: Batch, ground: Ground) -> AsyncIterator[Refusal]:
    """Keys that are there again; raises as ``rows`` does."""
    for part, table in list_tables(ground, batch):
        for name, columns, operators, same in await rows.fetch(
            load("uniques").format(table=table.oid)
        ):
            listed = msgspec.json.decode(columns or "[]", type=tuple[str, ...])
            if not {*listed} <= {*(part.columns or ())}:
                continue
            compared = msgspec.json.decode(operators or "[]", type=tuple[tuple[str, str], ...])
            sql = load("again").format(
                row=write_row(table, part.columns or (), 'k."values"'),
                source=table.source,
                match=_write_match(listed, compared, with_nulls=same == "true"),
                **write_part(batch, part),
            )
            ((count,),) = await rows.fetch(sql)
            if count != "0":
                shown = ", ".join(map(quote_as_shown, listed))
                yield Refusal(
                    reason=f"{table.shown} has {count} rows again with the same {shown} ({name}).",
                    next="Decide which rows stay, and take the others away first.",
                )


def _write_match(
    columns: tuple[str, ...], operators: tuple[tuple[str, str], ...], *, with_nulls: bool
) -> str:
    """Whether a row `e` has the key of `b.r`; two nulls are the same where the key says so."""
    nulls = " or (e.{0} is null and (b.r).{0} is null)" if with_nulls else ""
    return " and ".join(
        f"(e.{column} operator({quote_ident(schema)}.{sign}) (b.r).{column}{nulls.format(column)})"
        for column, (schema, sign) in zip(map(quote_ident, columns), operators, strict=True)
    )


def write_part(batch: Batch, part: Part) -> dict[str, str]:
    """What tells the kept rows of one table, in SQL."""
    return {
        "batch": str(batch.number),
        "schema": quote_literal(part.schema),
        "table": quote_literal(part.table),
    }
