"""Rows without a parent, counted in a live database: in one go, or a chunk at a time.

Every value in a statement is a literal and every name is quoted; operators are named with their
schema, so that a search path chooses nothing. What reads runs in a transaction that only reads,
with row-level security off: a row that a policy hides is an error there, and never an orphan.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources
from typing import Final, Literal, NamedTuple

import msgspec

from monitor.core.homes import Home
from monitor.core.quoting import quote_ident, quote_literal
from monitor.core.relation import Relation
from monitor.sources.rows import Rows

_QUERIES: Final = resources.files("monitor.sources").joinpath("queries", "orphans")
_OWN: Final = "pg_catalog"
_ALONE: Final = "r"
"""A plain table: of those that inherit from it a foreign key knows nothing."""

type Key = tuple[str | None, ...]
"""The values of a key, as text."""


class Side(msgspec.Struct, frozen=True):
    """A table of a relation.

    Attributes:
        kind: `r` table, `p` partitioned, `f` foreign, `v` view, `m` materialised view.
        readable: whether this role may read it.
        heirs: whether others inherit from it, other than partitions.
        rows: an estimate, of all partitions and heirs together.
    """

    kind: str
    readable: bool
    heirs: bool
    rows: float


class Pair(msgspec.Struct, frozen=True):
    """A column of the child and one of the parent.

    Attributes:
        child: whether it is there.
        parent: whether it is there.
        schema: of the operator that says whether they are equal; None without one.
        operator: its name.
        cast: the type that a text of the child is taken for; None for other values.
        collation: what both are compared in, where theirs differ.
    """

    child: bool
    parent: bool
    schema: str | None
    operator: str | None
    cast: str | None
    collation: tuple[str, str] | None


class KeyColumn(msgspec.Struct, frozen=True, array_like=True):
    """A column of the child's key."""

    name: str
    type: str
    schema: str


class Facts(msgspec.Struct, frozen=True):
    """What there is of a relation.

    Attributes:
        child: the table whose rows are counted; None where it is not there.
        parent: the other one.
        pairs: of columns.
        key: of the child; empty without one that can be sorted by.
        is_indexed: whether the parent can be searched by these columns.
    """

    child: Side | None
    parent: Side | None
    pairs: tuple[Pair, ...]
    key: tuple[KeyColumn, ...]
    is_indexed: bool


class Chunk(msgspec.Struct, frozen=True):
    """A part of the rows, in the order of the key.

    Attributes:
        rows: how many there were.
        orphans: how many of them have no parent.
        last: the key of the last one; None where there was none.
    """

    rows: int
    orphans: int
    last: Key | None


_HARMLESS: Final = frozenset(
    {"smallint", "integer", "bigint", "uuid", "date", "oid"}
    | {f"timestamp with{zone} time zone" for zone in ("", "out")}
)


def describe_columns(key: Sequence[KeyColumn]) -> tuple[str, ...]:
    """A key in words, which are others for another key."""
    return tuple(f"{column.name} {column.type}" for column in key)


def is_harmless(key: Sequence[KeyColumn]) -> bool:
    """Whether values of a key say nothing about anybody: numbers, moments, UUIDs."""
    return all(column.type in _HARMLESS for column in key)


async def read_facts(reader: Rows, relation: Relation) -> Facts:
    """What there is of a relation; raises as `Session.reading` does."""
    sql = _load("facts").format(
        child_schema=quote_literal(relation.child[0] or ""),
        child_table=quote_literal(relation.child[1]),
        columns=_write_array(relation.columns),
        parent_schema=quote_literal(relation.parent[0] or ""),
        parent_table=quote_literal(relation.parent[1]),
        referenced=_write_array(relation.referenced),
    )
    ((sides, pairs, key, indexed),) = await reader.fetch(sql)
    found = msgspec.json.decode(sides or "{}", type=dict[Literal["child", "parent"], Side])
    columns = msgspec.json.decode(key or "[]", type=tuple[KeyColumn, ...])
    child = found.get("child")
    # Rows of heirs may have the same key: nothing makes it unique over all of them.
    is_whole = child is None or not (child.heirs and relation.with_heirs)
    is_sortable = is_whole and all(column.schema == _OWN for column in columns)
    return Facts(
        child=child,
        parent=found.get("parent"),
        pairs=msgspec.json.decode(pairs or "[]", type=tuple[Pair, ...]),
        key=columns if is_sortable else (),
        is_indexed=indexed == "true",
    )


async def count_rows(reader: Rows, relation: Relation, facts: Facts) -> int:
    """How many rows have no parent, all at one moment; raises as `Session.reading` does."""
    ((count,),) = await reader.fetch(
        _load("count").format(**_write_test(relation, facts), child=_write_child(relation, facts))
    )
    return int(count or 0)


async def count_chunk(
    reader: Rows, relation: Relation, facts: Facts, *, after: Key | None, limit: int
) -> Chunk:
    """The same of the next ``limit`` rows after a key, or of the first ones."""
    key = [quote_ident(column.name) for column in facts.key]
    names = [f"k{place}" for place in range(len(key))]
    values = [f"v{place}" for place in range(len(relation.columns))]
    columns = [f"c.{column} as {name}" for column, name in zip(key, names, strict=True)]
    columns += [
        f"c.{quote_ident(column)} as {name}"
        for column, name in zip(relation.columns, values, strict=True)
    ]
    conditions = [_write_where(relation)]
    if after is not None:
        bounds = [
            f"{quote_literal(value or '')}::{column.type}"
            for value, column in zip(after, facts.key, strict=True)
        ]
        conditions.append(f"({', '.join(f'c.{k}' for k in key)}) > ({', '.join(bounds)})")
    sql = _load("chunk").format(
        **_write_test(relation, facts, names=values, is_filtered=True),
        child=_write_child(relation, facts),
        columns=", ".join(columns),
        after=" and ".join(conditions),
        order=", ".join(f"c.{column}" for column in key),
        limit=limit,
        last=", ".join(f"c.{name}::text" for name in names),
        descending=", ".join(f"c.{name} desc" for name in names),
    )
    ((rows, orphans, last),) = await reader.fetch(sql)
    return Chunk(int(rows or 0), int(orphans or 0), _read_key(last) if last else None)


async def sample_keys(
    reader: Rows, relation: Relation, facts: Facts, *, limit: int
) -> tuple[Key, ...]:
    """The keys of up to ``limit`` rows without a parent; none where the child has no key."""
    if not facts.key:
        return ()
    sql = _load("sample").format(
        **_write_test(relation, facts),
        child=_write_child(relation, facts),
        key=", ".join(f"c.{quote_ident(column.name)}::text" for column in facts.key),
        limit=limit,
    )
    return tuple(_read_key(key or "[]") for (key,) in await reader.fetch(sql))


class Place(NamedTuple):
    """Where a row is: stable while nobody else can change its table.

    Attributes:
        table: the oid of the table or partition that holds it.
        tuple: its ctid, as text.
    """

    table: int
    tuple: str


async def find_places(
    reader: Rows, relation: Relation, facts: Facts, *, limit: int
) -> tuple[Place, ...]:
    """Where up to ``limit`` rows without a parent are."""
    sql = _load("places").format(
        **_write_test(relation, facts), child=_write_child(relation, facts), limit=limit
    )
    return tuple(Place(int(table or 0), row or "") for table, row in await reader.fetch(sql))


async def count_lost(
    reader: Rows, relation: Relation, facts: Facts, parents: Iterable[Place], own: Iterable[Place]
) -> int:
    """How many rows lose their last parents when some leave; raises as `Session.reading` does.

    Args:
        reader: the transaction.
        relation: of tables that hold rows themselves.
        facts: of the relation.
        parents: rows that nothing can reference any more.
        own: rows of the child that leave too, or reference nothing any more.
    """
    values = [f"c.{quote_ident(column)}" for column in relation.columns]
    left = _load("left").format(row="p", tables=1, places=2)
    sql = _load("lost").format(
        **_write_test(relation, facts),
        child=_write_child(relation, facts),
        parent=_write_parent(relation, facts),
        left=left,
        match=" and ".join(_write_match(relation, facts, values)),
        staying=_write_kept(relation, facts, values, among=f"not ({left})"),
        own=_load("left").format(row="c", tables=3, places=4),
    )
    ((count,),) = await reader.fetch(sql, *_split(parents), *_split(own))
    return int(count or 0)


def _split(places: Iterable[Place]) -> tuple[list[str], list[str]]:
    """Tables and places as a statement takes them."""
    listed = [*places]
    return [str(place.table) for place in listed], [place.tuple for place in listed]


def write_orphans(relation: Relation, facts: Facts) -> tuple[str, str]:
    """The child, called `c`, and the condition that makes a row of it an orphan, in SQL."""
    test = _write_test(relation, facts)
    return f"{_write_child(relation, facts)} as c", f"{test['present']} and not {test['kept']}"


def _read_key(text: str) -> Key:
    return msgspec.json.decode(text, type=tuple[str | None, ...])


def _write_test(
    relation: Relation,
    facts: Facts,
    *,
    names: Sequence[str] | None = None,
    is_filtered: bool = False,
) -> dict[str, str]:
    """What makes a row an orphan: it says something, and nothing keeps it."""
    own = [f"c.{quote_ident(column)}" for column in relation.columns]
    if names is not None:
        own = [f"c.{name}" for name in names]
    word = " or " if relation.is_full else " and "
    present = word.join(f"{column} is not null" for column in own)
    where = "" if is_filtered else f" and {_write_where(relation)}"
    return {"present": f"({present}){where}", "kept": _write_kept(relation, facts, own)}


def _write_where(relation: Relation) -> str:
    """The condition of the configuration; a comment at its end hides no parenthesis."""
    return f"({relation.where}\n)" if relation.where else "true"


def _write_kept(relation: Relation, facts: Facts, own: Sequence[str], among: str = "true") -> str:
    """Whether a row has a parent, among those of which a condition on `p` holds."""
    parent = _write_parent(relation, facts)
    match = " and ".join([*_write_match(relation, facts, own), among])
    if not relation.is_period:
        return f"exists (select from {parent} where {match})"
    # https://www.postgresql.org/docs/current/sql-createtable.html: the union of the parents'
    # periods covers the child's.
    return _load("covered").format(
        period=own[-1],
        covered=f"p.{quote_ident(relation.referenced[-1])}",
        parent=parent,
        match=match,
    )


def _write_match(relation: Relation, facts: Facts, own: Sequence[str]) -> list[str]:
    """What holds of a row `p` that is a parent, or of a period that is a part of one."""
    others = [f"p.{quote_ident(column)}" for column in relation.referenced]
    equal = [
        _write_equal(other, mine, pair)
        for other, mine, pair in zip(others, own, facts.pairs, strict=True)
    ]
    if relation.is_period:
        equal[-1] = f"{others[-1]} operator(pg_catalog.&&) {own[-1]}"
    return equal


def _write_equal(other: str, mine: str, pair: Pair) -> str:
    schema, name = pair.schema or _OWN, pair.operator or "="
    collation = ""
    if pair.collation is not None:
        collation = f" collate {'.'.join(map(quote_ident, pair.collation))}"
    cast = f"::{pair.cast}" if pair.cast is not None else ""
    return f"{other} operator({quote_ident(schema)}.{name}) {mine}{cast}{collation}"


def _write_child(relation: Relation, facts: Facts) -> str:
    return _write_table(relation.child, facts.child, relation)


def _write_parent(relation: Relation, facts: Facts) -> str:
    return f"{_write_table(relation.parent, facts.parent, relation)} as p"


def _write_table(table: Home, side: Side | None, relation: Relation) -> str:
    schema, name = table
    is_alone = side is not None and side.kind == _ALONE and not relation.with_heirs
    return f"{'only ' if is_alone else ''}{quote_ident(schema or '')}.{quote_ident(name)}"


def _write_array(names: Sequence[str]) -> str:
    return f"array[{', '.join(map(quote_literal, names))}]::text[]"


@cache
def _load(name: str) -> str:
    return _QUERIES.joinpath(f"{name}.sql").read_text(encoding="utf-8")
