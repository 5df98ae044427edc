import subprocess

import pytest

from monitor.core.errors import BuildError
from monitor.core.keys import Kind
from monitor.sources.build import BuildOptions
from monitor.sources.dsn import parse_dsn
from monitor.sources.engine import Cluster
from monitor.sources.postgres import connect
from monitor.sources.reading import take_snapshot
from monitor.sources.shadow import ShadowServer, open_shadow
from monitor.sources.shadows import open_shadows
from monitor.sources.statements import run_script
from tests.conftest import MakeDatabase
from tests.sources.shadow_peers import find_leftovers

DUMPED = """
    create extension citext;
    create role app_owner; create role reader;
    create schema shop authorization app_owner;
    create type shop.mood as enum ('calm', 'wild');
    create table shop.items (id bigint generated always as identity primary key,
        name citext not null default 'a;b', mood shop.mood, price numeric(8,2) check (price > 0));
    alter table shop.items owner to app_owner;
    create index on shop.items (name) where mood = 'wild';
    create function shop.twice(a int) returns int language sql begin atomic select a * 2; end;
    create function shop.note() returns trigger language plpgsql as $$ begin return new; end $$;
    create trigger note before update on shop.items for each row execute function shop.note();
    create materialized view shop.top as select name from shop.items;
    grant select on shop.items to reader;
    alter default privileges for role app_owner in schema shop grant select on tables to reader;
    create table public.plain (id int);
    comment on table public.plain is E'it''s\\nplain';
    insert into public.plain values (1);
"""


async def test_a_dump_gives_the_schema_it_was_taken_of(
    server: Cluster, make_database: MakeDatabase
) -> None:
    url = await make_database(sql=DUMPED)
    dsn, _ = parse_dsn(url)
    try:
        async with connect(dsn) as session:
            live = await take_snapshot(session)
        command = (server.binaries.bin / "pg_dump", "--schema-only", "--dbname", url)
        dump = subprocess.run(  # noqa: ASYNC221  # it takes a moment and nothing else runs
            command, env=server.binaries.environment(), capture_output=True, check=True, text=True
        ).stdout
        assert "\\restrict" in dump
        async with open_shadows(BuildOptions(major=server.major)) as shadows:
            built = await shadows.build(lambda it: run_script(it, dump, place="dump.sql"))
    finally:
        async with connect(dsn) as session:
            for role in ("reader", "app_owner"):
                await session.execute(f"drop owned by {role} cascade; drop role {role}")
    assert built.count(Kind.TABLE) == 2
    mine = {item.key: {**item.attributes, "owner": None} for item in built.objects}
    theirs = {item.key: {**item.attributes, "owner": None} for item in live.objects}
    assert mine == theirs
    owners = {item.attributes.get("owner") for item in built.objects if item.key.schema == "shop"}
    assert "app_owner" in owners


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("create table a ();\n\ncreate table\n a ();", 'x.sql, line 3: .*42P07.*"a" already'),
        ("select 1;\nselect\n\n  nope;", "x.sql, line 4: .*42703"),
        ("select 1;\nselec 1;", "x.sql, line 2: .*42601"),
        ("create table t (a int);\ncopy public.t (a) from stdin;\n1\n\\.\n", "line 2: COPY"),
        ("\\i other.sql", "line 1: a command of psql"),
        ("create extension postgis_of_nobody;", "does not have the extension postgis_of_nobody"),
        ("alter system set work_mem = 1;", "x.sql, line 1: .*42501"),
        ("begin; select 1/0;", "x.sql, line 1: .*22012"),
    ],
)
async def test_a_script_that_fails_is_told_by_line_and_leaves_nothing(
    server: Cluster, script: str, said: str
) -> None:
    with pytest.raises(BuildError, match=said) as caught:
        async with open_shadow(url=server.url()) as shadow, shadow.scratch() as scratch:
            await run_script(scratch, script, place="x.sql")
    assert caught.value.next_step
    assert await find_leftovers(server.url()) == []


async def test_a_script_runs_as_psql_would_run_it(shadow: ShadowServer) -> None:
    script = """\\restrict k
        \\connect shop
        SET transaction_timeout = 0;
        create table t (a int);
        create index concurrently i on t (a);
        begin; create table gone (); rollback;
        do $$ begin perform 1; end $$;
        \\unrestrict k
    """
    async with shadow.scratch() as scratch:
        await run_script(scratch, script, place="x.sql")
        async with connect(scratch.dsn) as session:
            rows = await session.fetch_values(
                "select relname::text from pg_class where relnamespace = 'public'::regnamespace"
            )
    assert sorted(row[0] for row in rows) == ["i", "t"]
