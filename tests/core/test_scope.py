"""The laws of narrowing, and what a configuration leaves out."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.keys import Kind, ObjectKey
from monitor.core.quoting import quote_ident
from monitor.core.scope import DEFAULT_SCOPE, Scope, compare, narrow
from monitor.core.scope_names import OWNER
from monitor.core.scope_partitions import Children
from monitor.core.snapshot import SchemaObject, Snapshot, make_snapshot
from tests.cases.reader import describe
from tests.core.builders import (
    a_column,
    a_key,
    a_table,
    an_object,
    names,
    read_snapshots,
    texts,
)

scopes = st.builds(
    Scope,
    only=st.lists(names, max_size=1).map(tuple),
    without=st.lists(names, max_size=1).map(tuple),
    managed=st.booleans(),
    partitions=st.sampled_from(Children),
    parents=st.lists(st.tuples(names, st.sampled_from(Children)), max_size=1).map(tuple),
    roles=st.dictionaries(st.sampled_from(["anna", "ben"]), st.sampled_from(["Cleo", OWNER])),
)
"""Any scope."""


_DISGUISES = {
    "a": "auth",
    "b": "_timescaledb_internal",
    "f(integer)": "template_events",
}
_EXTENSIONS = {"a": "timescaledb", "b": "pg_partman", "f(integer)": "postgis_tiger_geocoder"}


def disguise(snapshot: Snapshot) -> Snapshot:
    """The snapshot as if platforms and extensions were at work in it."""
    return make_snapshot(
        (_disguise(item) for item in snapshot.objects),
        version_tables=snapshot.version_tables,
        server=snapshot.server,
        builder=snapshot.builder,
    )


def _disguise(item: SchemaObject) -> SchemaObject:
    key, attributes = item.key, dict(item.attributes)
    known = _EXTENSIONS if key.kind is Kind.EXTENSION else _DISGUISES
    name = known.get(key.name, key.name)
    if key.kind is Kind.DEFAULT_PRIVILEGE:
        name = f"{'supabase_admin' if key.name == 'a' else quote_ident(key.name)} tables"
    if attributes.get("owner") == "anna":
        attributes["owner"] = "supabase_admin"
    if key.kind is Kind.EXTENSION:
        attributes["schema"] = "auth"
    schema = None if key.schema is None else _DISGUISES.get(key.schema, key.schema)
    parent = None if key.parent is None else _DISGUISES.get(key.parent, key.parent)
    return SchemaObject(ObjectKey(key.kind, schema, parent, name), attributes)


managed = read_snapshots().map(disguise) | read_snapshots()


# ---------------------------------------------------------------- laws


@given(managed, scopes)
def test_what_is_equal_stays_equal(snapshot: Snapshot, scope: Scope) -> None:
    narrowed = narrow(snapshot, snapshot, scope)
    assert narrowed.expected.objects == narrowed.actual.objects
    changes = compare(snapshot, snapshot, scope).changes
    assert {change.key for change in changes} <= {item.key for item in narrowed.partitions}


@given(managed, managed, texts)
def test_nothing_that_is_declared_is_left_out(
    expected: Snapshot, actual: Snapshot, builder: str
) -> None:
    built = msgspec.structs.replace(expected, builder=builder)
    narrowed = narrow(built, actual, DEFAULT_SCOPE)
    assert len(narrowed.expected.objects) == len(built.objects)
    assert built.by_key.keys() & actual.by_key.keys() <= narrowed.actual.by_key.keys()


@given(managed, managed, scopes)
def test_what_is_narrowed_stays_as_it_is(
    expected: Snapshot, actual: Snapshot, scope: Scope
) -> None:
    once = narrow(expected, actual, scope)
    again = narrow(once.expected, once.actual, scope)
    assert (again.expected, again.actual) == (once.expected, once.actual)


@given(managed, managed, scopes)
def test_what_is_left_out_is_told(expected: Snapshot, actual: Snapshot, scope: Scope) -> None:
    narrowed = narrow(expected, actual, scope)
    is_less = len(narrowed.actual.objects) < len(actual.objects)
    assert not is_less or any(note.note in ("left_out", "partition") for note in narrowed.notes)


@given(managed, managed, scopes)
def test_what_is_narrowed_is_a_snapshot(
    expected: Snapshot, actual: Snapshot, scope: Scope
) -> None:
    for side in narrow(expected, actual, scope)[:2]:
        assert side.objects == make_snapshot(side.objects).objects
        assert len(side.by_key) == len(side.objects)
        ends = {key for edge in side.dependencies for key in (edge.needed, edge.dependent)}
        assert ends <= side.by_key.keys() | expected.by_key.keys() | actual.by_key.keys()


# ---------------------------------------------------------------- schemas


def a_database(*schemas: str, tables: tuple[str, ...] = ("t",)) -> Snapshot:
    """A database with the same tables in several schemas."""
    items = [an_object(Kind.SCHEMA, schema) for schema in schemas]
    for schema in schemas:
        items += [SchemaObject(a_key(Kind.TABLE, t, schema=schema), {}) for t in tables]
    return make_snapshot(items)


def describe_within(scope: Scope, expected: Snapshot, actual: Snapshot) -> tuple[str, ...]:
    return describe(compare(expected, actual, scope))


def test_only_the_schemas_that_are_named_are_compared() -> None:
    scope = Scope(only=("app", "tenant_*"))
    actual = a_database("app", "tenant_1", "other")
    assert describe_within(scope, a_database("app"), actual) == (
        "note left_out schema other",
        "unexpected schema tenant_1",
        "unexpected table tenant_1.t",
    )


def test_a_schema_that_is_left_out_by_configuration_is_left_out_of_both_sides() -> None:
    scope = Scope(without=("scratch",))
    built = msgspec.structs.replace(a_database("app", "scratch"), builder="builder")
    difference = compare(built, a_database("app", "scratch", tables=("u", "v")), scope)
    assert describe(difference)[0] == "missing table app.t"
    assert [note.message for note in difference.notes] == [
        "4 objects of the schema scratch, by configuration, are not compared."
    ]


def test_what_lives_outside_of_schemas_is_compared_whatever_schemas_are_named() -> None:
    extension = make_snapshot([an_object(Kind.EXTENSION, "hstore", schema="scratch")])
    scope = Scope(without=("scratch",))
    assert describe_within(scope, extension, make_snapshot([])) == ("missing extension hstore",)


def test_the_ledger_of_anchorwatch_is_not_compared() -> None:
    ledger = [
        a_table("anchorwatch_record", columns=["n"]),
        a_column("anchorwatch_record", "n"),
        an_object(Kind.INDEX, "by_n", parent="anchorwatch_record"),
    ]
    for scope in (DEFAULT_SCOPE, Scope(managed=True)):
        [note] = compare(make_snapshot([]), make_snapshot(ledger), scope).notes
        assert note.message == "3 objects of the ledger of anchorwatch are not compared."
        assert not compare(make_snapshot([]), make_snapshot(ledger), scope)
