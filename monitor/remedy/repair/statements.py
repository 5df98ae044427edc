"""What is done, in SQL. Every name is quoted, every operator is named with its schema.

Rows are told by where they are, the oid of their table and their ctid, which a lock holds in
place: https://www.postgresql.org/docs/current/ddl-system-columns.html. What goes in one statement
goes at once: foreign keys are asked when it is over, so that neither cycles nor RESTRICT stand
between rows that leave, or come back, together.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from monitor.core.errors import WriteError
from monitor.core.quoting import quote_ident, quote_literal
from monitor.core.relation import Relation
from monitor.remedy.repair.ground import Ground, Table
from monitor.sources.orphan_rows import Facts, write_orphans


class Statement(NamedTuple):
    """A statement and its parameters: the places of rows, one list a table."""

    sql: str
    places: tuple[Sequence[str], ...] = ()

    def require_counts(self, answer: Sequence[Sequence[str | None]]) -> None:
        """Nothing, where it changed each row that it was told to.

        Raises:
            WriteError: a trigger kept it from some.
        """
        told = [str(len(places)) for places in self.places]
        if self.places and [[*row] for row in answer] != [told]:
            raise WriteError(
                "Some rows would not be changed. Nothing was changed.",
                next_step="Look for a trigger that keeps them, and repair the rows by hand.",
            )


def write_lock(tables: Iterable[Table]) -> Statement:
    """Nobody else writes to these tables until the transaction ends; reading goes on.

    https://www.postgresql.org/docs/current/explicit-locking.html
    """
    names = ", ".join(table.sql for table in tables)
    return Statement(
        f"/* anchorwatch repair: lock */ lock table {names} in share row exclusive mode"
    )


def write_delete(ground: Ground, places: Mapping[int, Sequence[str]]) -> Statement:
    """Take rows away; returns how many of each table it took."""
    parts = [
        f"d{n} as (delete from {ground.find_top(table).source} as c "
        f"where {_write_place(table, n + 1)} returning 1)"
        for n, table in enumerate(places)
    ]
    return _combine("delete", parts, places)


def write_nullify(
    ground: Ground, columns: Iterable[str], places: Mapping[int, Sequence[str]]
) -> Statement:
    """Set columns of rows to null; returns how many of each table."""
    nulls = ", ".join(f"{quote_ident(column)} = null" for column in columns)
    parts = [
        f"d{n} as (update {ground.find_top(table).source} as c set {nulls} "
        f"where {_write_place(table, n + 1)} returning 1)"
        for n, table in enumerate(places)
    ]
    return _combine("nullify", parts, places)


def _combine(what: str, parts: Sequence[str], places: Mapping[int, Sequence[str]]) -> Statement:
    """All of it at once; returns how many rows each part changed."""
    sql = f"with {', '.join(parts)} select {_write_counts(parts)}"
    return Statement(f"/* anchorwatch repair: {what} */ {sql}", (*places.values(),))


def _write_place(table: int, parameter: int) -> str:
    return (
        f"c.tableoid operator(pg_catalog.=) {table}::pg_catalog.oid and c.ctid "
        f"operator(pg_catalog.=) any (${parameter}::pg_catalog.text[]::pg_catalog.tid[])"
    )


def _write_counts(parts: Sequence[str]) -> str:
    return ", ".join(
        f"(select pg_catalog.count(*) from d{n})::pg_catalog.text" for n in range(len(parts))
    )


def write_adopt(
    parent: Table, relation: Relation, facts: Facts, values: Iterable[tuple[str, str]]
) -> Statement:
    """Insert a parent for each distinct key that has none."""
    listed = [*values]
    types = {column.name: column.type for column in parent.columns}
    columns = ", ".join(map(quote_ident, (*relation.referenced, *(name for name, _ in listed))))
    given = "".join(f", {quote_literal(text)}::{types[name]}" for name, text in listed)
    return Statement(
        "/* anchorwatch repair: adopt */ "
        f"with d0 as (insert into {parent.sql} ({columns}) overriding system value "
        f"select k.*{given} from ({write_keys(parent, relation, facts)}) as k returning 1) "
        f"select {_write_counts(['d0'])}"
    )


def write_keys(parent: Table, relation: Relation, facts: Facts) -> str:
    """The distinct keys of the parents that are missing, as the parent has them."""
    types = {column.name: column.type for column in parent.columns}
    keys = ", ".join(
        f"c.{quote_ident(own)}::{types[other]} as {quote_ident(other)}"
        for own, other in zip(relation.columns, relation.referenced, strict=True)
    )
    source, condition = write_orphans(relation, facts)
    return f"select distinct {keys} from {source} where {condition}"
