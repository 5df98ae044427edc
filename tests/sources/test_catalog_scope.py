"""What is an object of the schema, what is only counted, and what is not seen."""

import asyncpg
import pytest

from monitor.core.diff import diff, find_flaws
from monitor.core.keys import Kind
from monitor.core.snapshot import VersionTable
from monitor.sources.engine import Cluster
from tests.cases.reader import describe
from tests.conftest import MakeDatabase
from tests.sources.looking import look, name_of, run


async def test_a_version_table_of_type_text_has_no_width(make_database: MakeDatabase) -> None:
    url = await make_database(sql="create table v (junk int, version_num text)")
    assert (await look(url)).version_tables == ()
    await run(url, "alter table v drop column junk")
    assert (await look(url)).version_tables == (VersionTable("public", "v", None, ()),)


async def test_a_table_that_has_more_than_the_revision_is_an_object(
    make_database: MakeDatabase,
) -> None:
    url = await make_database(sql="create table v (version_num text, at timestamptz)")
    snapshot = await look(url)
    assert snapshot.version_tables == ()
    assert snapshot.count(Kind.TABLE) == 1


async def test_a_table_of_the_same_shape_is_an_object_unless_alembic_made_it(
    make_database: MakeDatabase,
) -> None:
    url = await make_database(
        sql="""
        create table versions (version_num varchar(32) constraint versions_pkc primary key);
        create table devices (version_num varchar(32) primary key);
        create index on devices (version_num varchar_pattern_ops);
        """
    )
    snapshot = await look(url)
    assert [table.name for table in snapshot.version_tables] == ["versions"]
    tables = [item.key.name for item in snapshot.objects if item.key.kind is Kind.TABLE]
    assert tables == ["devices"]


async def test_a_version_table_without_a_sign_of_alembic_is_read_and_compared(
    make_database: MakeDatabase,
) -> None:
    """With a name of its own and `version_table_pk=False`."""
    url = await make_database(sql="create table v (version_num varchar(32) not null)")
    snapshot = await look(url)
    assert [table.name for table in snapshot.version_tables] == ["v"]
    assert snapshot.count(Kind.TABLE) == 1


async def test_row_security_makes_a_version_table_unreadable_and_no_error(
    database: str, server: Cluster
) -> None:
    await run(
        database,
        "create table alembic_version (version_num varchar(32) primary key)",
        "alter table alembic_version enable row level security",
        "create role reads_versions login",
        "grant select on alembic_version to reads_versions",
    )
    [table] = (await look(server.socket_url(name_of(database), "reads_versions"))).version_tables
    await run(database, "drop owned by reads_versions", "drop role reads_versions")
    assert table.revisions is None


async def test_a_role_that_may_read_the_one_column_sees_the_revisions(
    database: str, server: Cluster
) -> None:
    await run(
        database,
        "create table alembic_version (version_num varchar(32) primary key)",
        "insert into alembic_version values ('f00')",
        "create role reads_column login",
        "grant select (version_num) on alembic_version to reads_column",
    )
    [table] = (await look(server.socket_url(name_of(database), "reads_column"))).version_tables
    await run(database, "drop owned by reads_column", "drop role reads_column")
    assert table.revisions == ("f00",)


async def test_what_an_extension_brought_is_never_an_object(
    make_database: MakeDatabase,
) -> None:
    extensions = ("citext", "hstore", "ltree", "pg_trgm", "postgres_fdw", "btree_gist", "cube")
    url = await make_database(sql="".join(f"create extension {name};" for name in extensions))
    snapshot = await look(url)
    assert {item.key.name for item in snapshot.objects} == {*extensions, "plpgsql", "public"}
    assert snapshot.others == {}
    assert snapshot.dependencies == ()


async def test_what_came_with_a_range_is_never_an_object(make_database: MakeDatabase) -> None:
    url = await make_database(sql="create type span as range (subtype = float8)")
    keys = {(item.key.kind, item.key.name) for item in (await look(url)).objects}
    assert keys == {
        (Kind.SCHEMA, "public"),
        (Kind.RANGE, "span"),
        (Kind.EXTENSION, "plpgsql"),
    }


async def test_temporary_objects_are_not_seen(database: str) -> None:
    before = await look(database)
    other = await asyncpg.connect(database)
    try:
        await other.execute(
            "create temporary table t (id serial primary key, n int unique);"
            "create temporary view v as select id from t; create index on t (n)"
        )
        assert (await look(database)) == before
    finally:
        await other.close()


NOT_MODELLED = {
    "access method": "create access method heap2 type table handler heap_tableam_handler",
    "base type": """
        create type base;
        create function base_in(cstring) returns base
            language internal immutable strict as 'textin';
        create function base_out(base) returns cstring
            language internal immutable strict as 'textout';
        create type base (input = base_in, output = base_out, like = text)""",
    "collation": "create collation german (locale = 'C')",
    "conversion": "create conversion mine for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8",
    "language": "create trusted language words handler plpgsql_call_handler",
    "operator family": "create operator family mine using btree",
    "operator class": """
        create operator class mine for type int using btree family mine
            as operator 1 <, function 1 btint4cmp(int, int)""",
    "subscription": """
        create subscription mine connection 'host=/nowhere' publication p
            with (connect = false, slot_name = none)""",
    "text search configuration": "create text search configuration mine (copy = simple)",
    "text search dictionary": "create text search dictionary mine (template = simple)",
    "text search parser": """
        create text search parser mine (start = prsd_start, gettoken = prsd_nexttoken,
            end = prsd_end, lextypes = prsd_lextype)""",
    "text search template": "create text search template mine (lexize = dsimple_lexize)",
    "transform": """
        create transform for int language sql (
            from sql with function prsd_lextype(internal),
            to sql with function int4recv(internal))""",
}
"""Kinds that nobody compares, and how to get one of each."""


async def test_what_is_not_modelled_is_counted(
    server: Cluster, make_database: MakeDatabase
) -> None:
    bare = await look(await make_database())
    assert bare.others == {}
    url = await make_database()
    await run(url, *NOT_MODELLED.values())
    await run(server.socket_url(), f"alter database {name_of(url)} set work_mem = '8MB'")
    full = await look(url)
    await run(url, "drop subscription mine")
    assert full.others == dict.fromkeys([*NOT_MODELLED, "setting of this database"], 1)
    notes = [note for note in diff(bare, full).notes if note.note == "not_modelled"]
    assert len(notes) == len(full.others)


async def test_an_index_that_could_not_be_built_is_not_valid(database: str) -> None:
    await run(database, "create table t (id int)", "insert into t values (1), (1)")
    with pytest.raises(asyncpg.UniqueViolationError):
        await run(database, "create unique index concurrently t_id on t (id)")
    [flaw] = find_flaws(await look(database))
    assert (flaw.key.name, flaw.code) == ("t_id", "AW282")


async def test_what_the_server_numbers_its_columns_with_is_no_option(
    make_database: MakeDatabase,
) -> None:
    url = await make_database(
        sql="create table t (id int, n int, s text); alter table t alter n set (n_distinct = 5);"
        "create view v as select id from t; create type pair as (a int)"
    )
    before = await look(url)
    await run(
        url,
        "update pg_attribute set attoptions = array_prepend('pg_attver=' || attnum, attoptions)"
        " where attrelid in ('t'::regclass, 'v'::regclass, 'pair'::regclass) and attnum > 0",
    )
    assert describe(diff(before, await look(url))) == ()


async def test_public_made_anew_with_the_rights_of_its_birth_is_no_drift(
    database: str, server: Cluster
) -> None:
    before = await look(database)
    rights = "usage" if server.major >= 15 else "usage, create"
    await run(database, "drop schema public; create schema public")
    assert describe(diff(before, await look(database))) == ("altered schema public: revokes",)
    await run(database, f"grant {rights} on schema public to public")
    assert describe(diff(before, await look(database))) == ()
