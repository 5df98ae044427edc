"""What platforms and extensions keep in a database is theirs until somebody declares it."""

from typing import Any

import msgspec
import pytest

from monitor.core.keys import Kind, ObjectKey
from monitor.core.scope import DEFAULT_SCOPE, Scope, compare
from monitor.core.snapshot import SchemaObject, Snapshot, make_snapshot
from tests.cases.reader import describe
from tests.core.builders import a_column, a_table, an_object


def thing(kind: Kind, place: str | None, name: str, /, **attributes: Any) -> SchemaObject:
    key = ObjectKey(kind=kind, schema=place, parent=None, name=name)
    return SchemaObject(key=key, attributes=attributes)


def schema(name: str, owner: str) -> SchemaObject:
    return thing(Kind.SCHEMA, None, name, owner=owner)


def extension(name: str, place: str) -> SchemaObject:
    return thing(Kind.EXTENSION, None, name, version="1", schema=place)


def tell(*actual: SchemaObject, expected: Snapshot | None = None, **scope: Any) -> list[str]:
    """What is told where nothing is declared, and the sentences of the notes."""
    built = make_snapshot([], builder="builder") if expected is None else expected
    difference = compare(built, make_snapshot(actual), Scope(**scope))
    changes = msgspec.structs.replace(difference, notes=())
    return [*describe(changes), *(note.message for note in difference.notes)]


SUPABASE = (
    schema("auth", "supabase_admin"),
    thing(Kind.TABLE, "auth", "users", owner="supabase_auth_admin"),
    schema("extensions", "postgres"),
    thing(Kind.FUNCTION, "extensions", "grant_pg_net_access()", owner="supabase_admin"),
    extension("pgcrypto", "extensions"),
    thing(Kind.EVENT_TRIGGER, None, "issue_pg_net_access", owner="supabase_admin"),
    thing(Kind.PUBLICATION, None, "supabase_realtime", owner="postgres"),
    thing(Kind.DEFAULT_PRIVILEGE, "public", "supabase_admin tables"),
)
"""What a new database of Supabase holds, one of each kind of thing."""


def test_what_supabase_keeps_is_counted_and_not_compared() -> None:
    assert tell(*SUPABASE) == [
        "4 objects that Supabase made are not compared.",
        "2 objects of the schema auth, which Supabase manages, are not compared.",
        "2 objects of the schema extensions, which Supabase manages, are not compared.",
    ]


def test_what_neon_keeps_is_counted_and_not_compared() -> None:
    assert tell(
        schema("neon_auth", "neondb_owner"),
        thing(Kind.TABLE, "neon_auth", "users_sync", owner="neondb_owner"),
        thing(Kind.DEFAULT_PRIVILEGE, "public", "cloud_admin sequences"),
        thing(Kind.DEFAULT_PRIVILEGE, "public", "cloud_admin tables"),
    ) == [
        "2 objects that Neon made are not compared.",
        "2 objects of the schema neon_auth, which Neon manages, are not compared.",
    ]


def test_a_schema_of_such_a_name_is_the_applications_where_no_platform_is() -> None:
    assert tell(schema("auth", "app"), thing(Kind.TABLE, "auth", "users", owner="app")) == [
        "unexpected schema auth",
        "unexpected table auth.users",
    ]


def test_what_somebody_made_by_hand_as_a_role_of_the_platform_is_told() -> None:
    by_hand = thing(Kind.TABLE, "public", "notes", owner="supabase_admin")
    assert "unexpected table public.notes" in tell(*SUPABASE, by_hand)


def test_what_is_managed_can_be_compared() -> None:
    assert len(tell(*SUPABASE, managed=True)) == len(SUPABASE)


def test_what_is_declared_in_a_managed_schema_is_compared() -> None:
    declared = make_snapshot(
        [schema("auth", "supabase_admin"), thing(Kind.TABLE, "auth", "mine")], builder="builder"
    )
    assert tell(*SUPABASE[:2], expected=declared) == [
        "missing table auth.mine",
        "1 object of the schema auth, which Supabase manages, is not compared.",
    ]


def test_two_databases_of_a_platform_are_compared_without_it() -> None:
    """A platform upgrades its schemas when it likes, which is nobody's drift."""
    newer = thing(Kind.TABLE, "auth", "sessions", owner="supabase_auth_admin")
    assert tell(*SUPABASE, newer, expected=make_snapshot(SUPABASE)) == [
        "4 objects that Supabase made are not compared.",
        "3 objects of the schema auth, which Supabase manages, are not compared.",
        "2 objects of the schema extensions, which Supabase manages, are not compared.",
    ]


TEMPLATE = (
    a_table("template_public_events", columns=["id"]),
    a_column("template_public_events", "id"),
)


def test_templates_of_pg_partman_are_its_own_where_it_is_installed() -> None:
    partman = extension("pg_partman", "public")
    built = make_snapshot([partman], builder="builder")
    assert tell(partman, *TEMPLATE, expected=built) == [
        "2 objects that the extension pg_partman made are not compared."
    ]
    assert tell(*TEMPLATE) == ["unexpected table public.template_public_events"]


def test_what_timescale_makes_while_it_runs_is_its_own() -> None:
    timescale = extension("timescaledb", "public")
    blocker = an_object(
        Kind.TRIGGER,
        "ts_insert_blocker",
        parent="t",
        definition="BEFORE INSERT ON public.t FOR EACH ROW "
        "EXECUTE FUNCTION _timescaledb_functions.insert_blocker()",
    )
    table = a_table("t", columns=["at"])
    chunk = thing(
        Kind.TABLE, "_timescaledb_internal", "_hyper_1_1_chunk", inherits=[["public", "t"]]
    )
    built = make_snapshot([timescale, table], builder="builder")
    made, internal = tell(timescale, table, blocker, chunk, expected=built)
    assert made == "1 object that the extension timescaledb made is not compared."
    assert "_timescaledb_internal, which the extension timescaledb manages" in internal


def test_a_schema_that_holds_nothing_but_an_extension_is_told_as_the_extension() -> None:
    topology = (schema("topology", "app"), extension("postgis_topology", "topology"))
    note = "schema topology holds nothing but the extension postgis_topology and is not compared."
    assert tell(*topology) == ["unexpected extension postgis_topology", note]
    table = thing(Kind.TABLE, "topology", "mine")
    assert "unexpected schema topology" in tell(*topology, table)
    declared = make_snapshot(topology[:1], builder="builder")
    assert tell(topology[1], expected=declared) == [
        "missing schema topology",
        "unexpected extension postgis_topology",
    ]


def test_a_child_of_a_table_that_an_extension_brought_goes_with_it() -> None:
    child = a_table("part_1", columns=["n"], inherits=[["partman", "brought"]])
    built = make_snapshot([], builder="builder")
    assert tell(child, a_column("part_1", "n")) == [
        "2 objects that inherit from a table of an extension are not compared."
    ]
    known = make_snapshot([child], builder="builder")
    assert tell(expected=known) == ["missing table public.part_1"]
    assert describe(compare(built, known, DEFAULT_SCOPE))


def test_a_topology_belongs_to_postgis() -> None:
    topology = extension("postgis_topology", "topology")
    key = ObjectKey(Kind.TRIGGER, "city", "relation", "relation_integrity_checks")
    definition = "BEFORE INSERT ON city.relation FOR EACH ROW "
    definition += "EXECUTE FUNCTION topology.relationtrigger('1', 'city')"
    made = (
        schema("city", "app"),
        thing(Kind.TABLE, "city", "relation"),
        SchemaObject(key=key, attributes={"definition": definition}),
    )
    built = make_snapshot([topology], builder="builder")
    [note] = tell(topology, *made, expected=built)
    assert "3 objects of the schema city, which the extension postgis_topology manages" in note


@pytest.mark.parametrize("name", ["tiger_data", "tiger_staging"])
def test_loaded_street_data_belongs_to_the_geocoder(name: str) -> None:
    geocoder = extension("postgis_tiger_geocoder", "tiger")
    loaded = (schema(name, "app"), thing(Kind.TABLE, name, "ma_edges"))
    built = make_snapshot([geocoder], builder="builder")
    [note] = tell(geocoder, *loaded, expected=built)
    assert f"2 objects of the schema {name}, which the extension" in note
