"""The tables that a repair concerns, and the foreign keys between them, in the catalog."""

from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from importlib import resources
from typing import Final

import msgspec

from monitor.core.homes import Home
from monitor.core.quoting import quote_as_shown, quote_ident, quote_literal
from monitor.sources.rows import Rows

_QUERIES: Final = resources.files("monitor.remedy.repair").joinpath("queries")
CASCADE: Final = "c"
CHANGING: Final = {"n": "set null", "d": "set default"}
"""What ON DELETE does to rows that stay:
https://www.postgresql.org/docs/current/catalog-pg-constraint.html"""
_PARTITIONED: Final = "p"
HOLDERS: Final = frozenset({"r", _PARTITIONED})
"""Kinds of tables whose rows have places that can be relied on."""


class Column(msgspec.Struct, frozen=True):
    """A column of a table.

    Attributes:
        name: its name.
        type: as it is written in a cast: with its schema, without a length.
        is_required: whether it is NOT NULL.
        has_value: whether it has one by itself: a default or an identity.
        is_generated: whether it is computed from others.
        bases: of these, where it is.
        is_key: whether it is part of the primary key.
        is_bound: whether it chooses the partition.
    """

    name: str
    type: str
    is_required: bool
    has_value: bool
    is_generated: bool
    bases: tuple[str, ...]
    is_key: bool
    is_bound: bool


class Trigger(msgspec.Struct, frozen=True):
    """A trigger of the user's that is enabled.

    Attributes:
        name: its name.
        type: its bits: https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_trigger.h
    """

    name: str
    type: int

    @property
    def is_of_rows(self) -> bool:
        """Whether it fires for each row; else for each statement, with rows or without."""
        return bool(self.type & 1)

    def fires_on(self, event: str) -> bool:
        """Whether it fires on ``insert``, ``delete`` or ``update``."""
        return bool(self.type & {"insert": 4, "delete": 8, "update": 16}[event])


class Table(msgspec.Struct, frozen=True):
    """A table or a partition.

    Attributes:
        oid: what a row's tableoid says.
        schema: of the table.
        name: of the table.
        kind: `r` table, `p` partitioned, and others that cannot be repaired.
        top: the partitioned table that it is a part of in the end; itself where it is none.
        ancestors: itself and what it is a partition of; empty where it has to do with none.
        is_child: whether it holds rows of the relation's child.
        is_parent: whether it holds rows of the relation's parent.
        is_reached: whether a cascade from the child may come here.
        columns: in order.
        triggers: that may fire.
        rules: that rewrite what is done to it.
        rights: what this role may do to its rows.
    """

    oid: int
    schema: str
    name: str
    kind: str
    top: int
    ancestors: tuple[int, ...]
    is_child: bool
    is_parent: bool
    is_reached: bool
    columns: tuple[Column, ...]
    triggers: tuple[Trigger, ...]
    rules: tuple[str, ...]
    rights: tuple[str, ...] | None

    @property
    def sql(self) -> str:
        """Its name in SQL."""
        return f"{quote_ident(self.schema)}.{quote_ident(self.name)}"

    @property
    def shown(self) -> str:
        """Its name for a person."""
        return f"{quote_as_shown(self.schema)}.{quote_as_shown(self.name)}"

    @property
    def source(self) -> str:
        """Itself and its partitions in SQL, without what inherits from it otherwise."""
        return self.sql if self.kind == _PARTITIONED else f"only {self.sql}"

    def list_touched(self, columns: Iterable[str]) -> set[str]:
        """Columns that change with some: these, and what is computed from them."""
        own = {*columns}
        return own | {column.name for column in self.columns if own & {*column.bases}}


class Operator(msgspec.Struct, frozen=True):
    """What a foreign key compares a pair of columns with.

    Attributes:
        schema: of the operator.
        name: its name.
        left: schema and name of the type that it takes of the parent; None where it takes several.
        right: the same, of the child.
    """

    schema: str
    name: str
    left: tuple[str, str] | None
    right: tuple[str, str] | None


class Link(msgspec.Struct, frozen=True):
    """A foreign key that is enforced.

    Attributes:
        name: of the constraint.
        child: the table that has it.
        parent: the table that it references.
        action: what happens to the child's rows when the parent's go.
        onward: other foreign keys, which reference the child by some of these columns.
        columns: of the child.
        referenced: of the parent.
        operators: what compares each pair.
        collations: in which each pair is compared, where theirs differ.
    """

    name: str
    child: int
    parent: int
    action: str
    onward: tuple[str, ...]
    columns: tuple[str, ...]
    referenced: tuple[str, ...]
    operators: tuple[Operator, ...]
    collations: tuple[tuple[str, str] | None, ...]


class Ground(msgspec.Struct, frozen=True, dict=True):
    """All of it.

    Attributes:
        tables: by schema and name.
        links: foreign keys that reference what a cascade from the child may reach.
        role: of the session in replication; `origin` where triggers fire as they should.
        is_counted: whether the server counts what a transaction changes.
    """

    tables: tuple[Table, ...]
    links: tuple[Link, ...]
    role: str
    is_counted: bool

    @cached_property
    def by_oid(self) -> dict[int, Table]:
        """The tables by what a row's tableoid says."""
        return {table.oid: table for table in self.tables}

    def find_top(self, oid: int) -> Table:
        """The table that rows of a partition are named by."""
        return self.by_oid[self.by_oid[oid].top]

    def list_links(self, table: Table) -> Iterator[tuple[int, Link]]:
        """The foreign keys that reference rows of a table, each with its number."""
        homes = {table.oid, *table.ancestors}
        return ((n, link) for n, link in enumerate(self.links) if link.parent in homes)

    def find(self, home: Home) -> Table:
        """The table of that name; it is there."""
        return next(table for table in self.tables if (table.schema, table.name) == home)

    def list_tops(self) -> list[Table]:
        """What is locked, in the one order in which every repair locks."""
        tops = {table.top for table in self.tables}
        return [table for table in self.tables if table.oid in tops]


async def read_ground(
    rows: Rows, children: Iterable[Home], parents: Iterable[Home] = (), *, with_heirs: bool = False
) -> Ground:
    """The tables and keys that a repair concerns; raises as ``rows`` does.

    Args:
        rows: the transaction.
        children: tables whose rows are changed.
        parents: tables that these need.
        with_heirs: whether what inherits from them without being a partition counts.
    """
    sql = load("ground").format(
        children=_write_names(children),
        parents=_write_names(parents),
        with_heirs="true" if with_heirs else "false",
    )
    ((tables, links, role, counted),) = await rows.fetch(sql)
    return Ground(
        tables=msgspec.json.decode(tables or "[]", type=tuple[Table, ...]),
        links=msgspec.json.decode(links or "[]", type=tuple[Link, ...]),
        role=role or "",
        is_counted=counted == "on",
    )


def _write_names(tables: Iterable[Home]) -> str:
    """Schemas and names in SQL; of none, what no table is called."""
    names = [f"({quote_literal(schema or '')}, {quote_literal(name)})" for schema, name in tables]
    return ", ".join(names) or "('', '')"


def list_fired(tables: Iterable[Table], event: str, *, with_rows: bool) -> list[str]:
    """The triggers that an event fires, as `table.trigger`.

    Args:
        tables: where it happens.
        event: what happens.
        with_rows: whether there are rows; without any, triggers of statements fire all the same.
    """
    return [
        f"{table.shown}.{quote_as_shown(trigger.name)}"
        for table in tables
        for trigger in table.triggers
        if trigger.fires_on(event) and (with_rows or not trigger.is_of_rows)
    ]


@cache
def load(name: str) -> str:
    """The text of a query."""
    return _QUERIES.joinpath(f"{name}.sql").read_text(encoding="utf-8")
