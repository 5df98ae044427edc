"""What servers, extensions and operators do by themselves is no drift; what they leave is told."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from monitor.checks.schema import describe_change
from monitor.core.findings import Severity
from monitor.core.scope import DEFAULT_SCOPE, compare
from monitor.core.snapshot import Snapshot
from monitor.core.source import parse_source
from monitor.sources.build import BuildOptions
from monitor.sources.engine import Cluster, find_binaries, installed_majors, running_cluster
from monitor.sources.expected import read_source
from tests.cases.reader import describe_graded
from tests.conftest import MakeDatabase
from tests.sources.looking import look, name_of, restore, run

CONTRIB = (
    "btree_gin",
    "btree_gist",
    "citext",
    "cube",
    "dblink",
    "earthdistance",
    "fuzzystrmatch",
    "hstore",
    "intarray",
    "isn",
    "ltree",
    "pg_prewarm",
    "pg_stat_statements",
    "pg_trgm",
    "pgcrypto",
    "pgstattuple",
    "postgres_fdw",
    "seg",
    "tablefunc",
    "tsm_system_rows",
    "unaccent",
    "uuid-ossp",
)


def tell(expected: Snapshot, actual: Snapshot) -> tuple[str, ...]:
    return describe_graded(compare(expected, actual, DEFAULT_SCOPE))


# ---------------------------------------------------------------- leftovers


async def test_what_a_failed_reindex_leaves_behind_is_an_invalid_index(database: str) -> None:
    sound = "create or replace function f(n int) returns int immutable language sql as 'select n'"
    broken = (
        "create or replace function f(n int) returns int immutable language sql as 'select n / 0'"
    )
    await run(
        database,
        sound,
        "create table t (n int)",
        "insert into t values (1)",
        "create index t_f on t (f(n))",
    )
    before = await look(database)
    await run(database, broken)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await run(database, "reindex index concurrently t_f")
    await run(database, sound)
    [change] = compare(before, await look(database), DEFAULT_SCOPE).changes
    assert (change.key.name, change.code, change.severity) == ("t_f_ccnew", "AW282", Severity.INFO)
    assert describe_change(change) == (
        "index public.t.t_f_ccnew is invalid, REINDEX CONCURRENTLY left it behind"
    )


async def test_an_index_that_could_not_be_built_and_that_nothing_expects_is_invalid(
    database: str,
) -> None:
    await run(database, "create table t (n int)", "insert into t values (1), (1)")
    before = await look(database)
    with pytest.raises(asyncpg.UniqueViolationError):
        await run(database, "create unique index concurrently t_n on t (n)")
    [change] = compare(before, await look(database), DEFAULT_SCOPE).changes
    assert (change.code, change.severity) == ("AW282", Severity.WARNING)
    assert describe_change(change) == "index public.t.t_n is invalid, and nothing expects it"


# ---------------------------------------------------------------- extensions


async def test_an_extension_is_one_object_whatever_it_brings(database: str) -> None:
    before = await look(database)
    made = []
    for name in CONTRIB:
        # Not every server is installed with all of them, or with what they link to.
        with suppress(asyncpg.FeatureNotSupportedError, asyncpg.UndefinedFileError):
            await run(database, f'create extension "{name}"')
            made.append(name)
    assert len(made) > len(CONTRIB) // 2
    assert tell(before, await look(database)) == tuple(
        f"unexpected extension {name}" for name in sorted(made)
    )


async def test_an_extension_that_was_updated_is_information(make_database: MakeDatabase) -> None:
    url = await make_database(sql="create extension hstore version '1.4'")
    before = await look(url)
    await run(url, "alter extension hstore update")
    assert tell(before, await look(url)) == ("info altered extension hstore: version",)


async def test_a_partition_of_a_table_that_an_extension_brought_goes_with_it(
    make_database: MakeDatabase,
) -> None:
    url = await make_database(sql="create extension hstore")
    before = await look(url)
    await run(
        url,
        "create table brought (n int) partition by range (n)",
        "alter extension hstore add table brought",
        "create table brought_1 partition of brought for values from (1) to (2)",
        "create index on brought_1 (n)",
    )
    assert tell(before, await look(url)) == ("note left_out",)


# ---------------------------------------------------------------- roles


MIGRATIONS = """
create schema app;
create table app.t (id serial primary key, note text);
create table app.u (id int references app.t);
create view app.v as select id from app.t;
create function app.f(a int) returns int language sql as 'select a';
create type app.mood as enum ('sad', 'happy');
alter table app.t enable row level security;
create policy mine on app.t to current_user using (true);
alter default privileges in schema app grant select on tables to scope_reader;
create table app.readable (id int);
grant select on app.t to scope_reader;
"""


ROLES = "scope_migrator, scope_reader, scope_guest"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def roles(server: Cluster) -> AsyncIterator[None]:
    """Roles of an environment; other tests on this server look for what is left of shadows."""
    await run(server.socket_url(), *(f"create role {name}" for name in ROLES.split(", ")))
    yield
    await run(server.socket_url(), f"drop role {ROLES}")


async def build(tmp_path: Path, server: Cluster, text: str) -> Snapshot:
    """What a script makes in a shadow, as the agent builds it."""
    path = tmp_path / "schema.sql"
    path.write_text(text)
    return await read_source(parse_source(f"sql:{path}"), BuildOptions(shadow_url=server.url()))


async def migrate(make_database: MakeDatabase, server: Cluster, *more: str) -> Snapshot:
    """A database that the superuser owns and another role migrated."""
    url = await make_database()
    await run(
        server.socket_url(name_of(url)),
        f"grant create on database {name_of(url)} to scope_migrator",
        f"set role scope_migrator; {MIGRATIONS}; reset role; {''.join(more)}",
    )
    return await look(url)


@pytest.mark.usefixtures("roles")
async def test_what_a_shadow_built_is_what_another_role_migrated(
    server: Cluster, make_database: MakeDatabase, tmp_path: Path
) -> None:
    built = await build(tmp_path, server, MIGRATIONS)
    assert tell(built, await migrate(make_database, server)) == ("note owner",)


@pytest.mark.usefixtures("roles")
async def test_what_the_superuser_made_among_it_is_information(
    server: Cluster, make_database: MakeDatabase, tmp_path: Path
) -> None:
    built = await build(tmp_path, server, MIGRATIONS)
    by_hand = "alter table app.u owner to current_user; grant select on app.u to scope_guest;"
    assert tell(built, await migrate(make_database, server, by_hand)) == (
        "info altered table app.u: grants",
        "info altered table app.u: owner",
        "note owner",
    )


@pytest.mark.usefixtures("roles")
async def test_what_is_declared_is_held_to(
    server: Cluster, make_database: MakeDatabase, tmp_path: Path
) -> None:
    built = await build(tmp_path, server, MIGRATIONS)
    by_hand = "grant update on app.t to scope_guest; alter policy mine on app.t to scope_guest;"
    assert tell(built, await migrate(make_database, server, by_hand)) == (
        "altered policy app.t.mine: roles",
        "altered table app.t: grants",
        "note owner",
    )


@pytest.mark.usefixtures("roles")
async def test_a_right_of_the_role_that_came_to_own_it_is_no_difference(
    server: Cluster, make_database: MakeDatabase, tmp_path: Path
) -> None:
    grant = "grant all on app.u to scope_migrator; grant update (id) on app.u to scope_migrator;"
    built = await build(tmp_path, server, MIGRATIONS + grant)
    assert tell(built, await migrate(make_database, server)) == ("note owner",)


# ---------------------------------------------------------------- dump and restore


@pytest.mark.usefixtures("roles")
async def test_a_dump_is_what_it_was_taken_of_whoever_owns_the_copy(
    server: Cluster, make_database: MakeDatabase
) -> None:
    source, target = await make_database(sql=MIGRATIONS), await make_database()
    await run(target, f"alter database {name_of(target)} owner to scope_migrator")
    restore(server, name_of(source), server, name_of(target))
    assert tell(await look(source), await look(target)) == ()


PUBLIC = {
    "untouched": "select 1",
    "open": "grant create on schema public to public",
    "closed": "revoke create on schema public from public",
    "shut": "revoke all on schema public from public",
    "with a guest": "create role scope_guest; grant usage on schema public to scope_guest",
}


@pytest.fixture(scope="module")
def servers() -> Iterator[list[Cluster]]:
    """A server of every major at hand, the oldest first."""
    with ExitStack() as running:
        yield [
            running.enter_context(running_cluster(find_binaries(major), listen="loopback"))
            for major in installed_majors()
        ]


@pytest.mark.long
@pytest.mark.parametrize("done", PUBLIC)
async def test_a_schema_public_is_the_same_on_a_newer_server(
    servers: list[Cluster], done: str
) -> None:
    """What 15 takes from everybody is a default; what a dump carries along is what was."""
    old = servers[0]
    name = f"public_{done.replace(' ', '_')}"
    await run(old.url(), f"create database {name} template template0")
    await run(old.url(name), PUBLIC[done])
    before = await look(old.url(name))
    for new in servers[1:]:
        await run(new.url(), f"create database {name} template template0")
        if "guest" in done:
            await run(new.url(), "create role scope_guest")
        restore(old, name, new, name)
        assert tell(before, await look(new.url(name))) == (), new.major


@pytest.mark.long
async def test_databases_that_nobody_touched_are_the_same_on_all_servers(
    servers: list[Cluster],
) -> None:
    fresh = [await look(server.url("template1")) for server in servers]
    assert all(tell(one, other) == () for one in fresh for other in fresh)
