"""Objects and snapshots for tests, by hand and by chance."""

from typing import Any

from hypothesis import strategies as st

from monitor.core.diff import diff
from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import KINDS
from monitor.core.snapshot import (
    Dependency,
    SchemaObject,
    ServerFacts,
    Snapshot,
    VersionTable,
    make_snapshot,
)
from tests.cases.reader import describe, turn_around

PARENTS = {
    Kind.COLUMN: Kind.TABLE,
    Kind.CHECK: Kind.TABLE,
    Kind.EXCLUSION: Kind.TABLE,
    Kind.FOREIGN_KEY: Kind.TABLE,
    Kind.INDEX: Kind.TABLE,
    Kind.POLICY: Kind.TABLE,
    Kind.PRIMARY_KEY: Kind.TABLE,
    Kind.RULE: Kind.TABLE,
    Kind.STATISTICS: Kind.TABLE,
    Kind.TRIGGER: Kind.TABLE,
    Kind.UNIQUE: Kind.TABLE,
    Kind.USER_MAPPING: Kind.FOREIGN_SERVER,
}
"""What each kind that is part of something is part of."""

WITHOUT_SCHEMA = frozenset(
    {
        Kind.CAST,
        Kind.EVENT_TRIGGER,
        Kind.EXTENSION,
        Kind.FOREIGN_DATA_WRAPPER,
        Kind.FOREIGN_SERVER,
        Kind.PUBLICATION,
        Kind.SCHEMA,
        Kind.USER_MAPPING,
    }
)


def a_key(
    kind: Kind, name: str, *, schema: str | None = "public", parent: str | None = None
) -> ObjectKey:
    """The key of something in schema public."""
    return ObjectKey(
        kind=kind, schema=None if kind in WITHOUT_SCHEMA else schema, parent=parent, name=name
    )


def an_object(
    kind: Kind, name: str, *, parent: str | None = None, **attributes: Any
) -> SchemaObject:
    """Something in schema public."""
    return SchemaObject(key=a_key(kind, name, parent=parent), attributes=attributes)


def a_table(name: str, *, columns: list[str], **attributes: Any) -> SchemaObject:
    """A table; its columns are objects of their own."""
    return an_object(Kind.TABLE, name, column_order=columns, **attributes)


def a_column(table: str, name: str, **attributes: Any) -> SchemaObject:
    """A column of type integer."""
    return an_object(Kind.COLUMN, name, parent=table, **{"type": "integer", **attributes})


def some_values(kind: Kind, attribute: str) -> st.SearchStrategy[Any]:
    """Values of the shape that an attribute has."""
    if attribute in _SHAPES:
        return _SHAPES[attribute]
    default = KINDS[kind][attribute].default
    if isinstance(default, bool):
        return st.booleans()
    if isinstance(default, int):
        return st.integers(-(2**63), 2**63 - 1)
    return st.none() | texts | st.lists(st.lists(texts | st.none(), max_size=2), max_size=2)


# Few names, so that objects of two snapshots meet.
names = st.sampled_from(["a", "b", 'q"\n.', "f(integer)"])
texts = st.text(
    alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8
)


role_names = st.sampled_from(["anna", "ben", '"Cleo"', "OWNER", "PUBLIC"])
rights = st.lists(
    st.tuples(role_names, st.sampled_from(["SELECT", "INSERT"]), st.booleans()).map(list),
    max_size=2,
    unique_by=tuple,
)
pairs = st.lists(st.lists(names, min_size=2, max_size=2), max_size=2, unique_by=tuple)

_SHAPES: dict[str, st.SearchStrategy[Any]] = {
    "column_order": st.lists(texts, max_size=3),
    "table_schema": names,
    "owned_by": st.none() | st.lists(texts, min_size=3, max_size=3),
    "inherits": st.none() | pairs,
    "internal_triggers": st.none() | pairs,
    "owner": st.none() | st.sampled_from(["anna", "ben", "Cleo"]),
    "grants": st.none() | rights.map(sorted),
    "revokes": st.none() | rights.map(sorted),
    "roles": st.lists(role_names, min_size=1, max_size=2, unique=True).map(sorted),
}
"""Attributes that are read into, and what is in them."""


def keys_of(kind: Kind) -> st.SearchStrategy[ObjectKey]:
    """Keys of a kind, few enough to meet."""
    return st.builds(
        ObjectKey,
        kind=st.just(kind),
        schema=st.none() if kind in WITHOUT_SCHEMA else names,
        parent=names if kind in PARENTS else st.none(),
        name=names,
    )


def objects_of(kind: Kind) -> st.SearchStrategy[SchemaObject]:
    """Objects of a kind with any of its attributes."""
    values = {name: some_values(kind, name) for name in KINDS[kind]}
    chosen = st.sampled_from(sorted(values)) if values else st.nothing()
    pairs = chosen.flatmap(lambda name: st.tuples(st.just(name), values[name]))
    attributes = st.lists(pairs, max_size=2).map(dict) if values else st.just({})
    return st.builds(SchemaObject, key=keys_of(kind), attributes=attributes)


objects = st.one_of([objects_of(kind) for kind in Kind])
"""Any object."""

snapshots = st.lists(objects, max_size=6, unique_by=lambda item: item.key).map(make_snapshot)
"""Any snapshot of objects and nothing else."""


@st.composite
def read_snapshots(draw: st.DrawFn) -> Snapshot:
    """Any snapshot, with all that is read beside the objects."""
    found = draw(snapshots).objects
    pairs = st.lists(st.tuples(st.sampled_from(found), st.sampled_from(found)), max_size=3)
    server = st.builds(
        ServerFacts,
        version_num=st.integers(140000, 190000),
        database=texts,
        owner=texts,
        in_recovery=st.booleans(),
    )
    table = st.builds(
        VersionTable,
        schema=names,
        name=names,
        width=st.none() | st.integers(1, 255),
        revisions=st.none() | st.lists(texts, max_size=2).map(tuple),
    )
    return make_snapshot(
        found,
        dependencies=[Dependency(a.key, b.key) for a, b in (draw(pairs) if found else [])],
        version_tables=draw(
            st.lists(table, max_size=2, unique_by=lambda table: (table.schema, table.name))
        ),
        others=draw(st.dictionaries(texts, st.integers(1, 9), max_size=2)),
        server=draw(st.none() | server),
        builder=draw(st.none() | texts),
    )


def say(expected: list[SchemaObject], actual: list[SchemaObject]) -> tuple[str, ...]:
    """What differs, as case files write it; the other direction is checked with it."""
    one, other = make_snapshot(expected), make_snapshot(actual)
    difference = diff(one, other)
    assert describe(diff(other, one)) == turn_around(difference)
    return describe(difference)
