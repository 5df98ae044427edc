"""What a snapshot holds of a real database, and what it never does."""

import random
import re
from collections.abc import AsyncIterator
from importlib import resources
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
import sqlalchemy

from monitor.checks.comparison import compare
from monitor.checks.spelling import Spellings
from monitor.core.decode import EXPRESSIONS, QUERIES, decode
from monitor.core.diff import diff
from monitor.core.errors import UsageError
from monitor.core.keys import Kind
from monitor.core.kinds import KINDS
from monitor.core.snapshot import Snapshot, VersionTable, dump_snapshot, load_snapshot
from monitor.sources.build import BuildOptions
from monitor.sources.catalog import (
    MAJORS,
    list_queries,
    make_catalog_statement,
    make_text_statement,
    read_query,
)
from monitor.sources.engine import Cluster, find_binaries, running_cluster
from monitor.sources.postgres import PINNED
from tests.cases.reader import describe, read_cases
from tests.conftest import MakeDatabase
from tests.sources.looking import copy, look, name_of, read_rows, run

EVERY_KIND = Path(__file__).parents[1].joinpath("cases/whole/every_kind.sql").read_text("utf-8")
PLANTED = "pl4nted"

CASE_ROLES = ("case_owner", "case_reader", "case_writer", "case_super")
WHOLE_ROLES = ("whole_reader", "whole_owner")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def roles(server: Cluster) -> AsyncIterator[None]:
    """The roles that the schema with every kind mentions."""
    await run(server.socket_url(), *(f"create role {name}" for name in WHOLE_ROLES))
    yield
    await run(server.socket_url(), f"drop role {', '.join(WHOLE_ROLES)}")


@pytest.fixture
async def whole(roles: None, make_database: MakeDatabase) -> str:
    """A database with nearly every kind of object."""
    return await make_database(sql=EVERY_KIND)


async def test_the_schema_of_these_tests_has_every_kind(whole: str) -> None:
    snapshot = await look(whole)
    assert {kind for kind in Kind if not snapshot.count(kind)} == set()


async def test_a_source_does_not_differ_from_itself(whole: str) -> None:
    first, second = await look(whole), await look(whole)
    assert diff(first, second) == diff(second, first) == diff(first, first)
    assert not diff(first, second)
    assert first == second
    assert first.fingerprint == second.fingerprint


async def test_a_snapshot_survives_its_file(whole: str) -> None:
    snapshot = await look(whole)
    again = load_snapshot(dump_snapshot(snapshot), place="a file")
    assert snapshot == again
    assert snapshot.fingerprint == again.fingerprint


async def test_the_order_of_rows_means_nothing(whole: str, server: Cluster) -> None:
    expected = await look(whole)
    read = await read_rows(whole, server.major)
    for seed in range(5):
        for rows in read:
            random.Random(seed).shuffle(rows)  # noqa: S311  # any order, the same each run
        assert decode(*read, version_tables=expected.version_tables) == expected


async def test_dump_and_restore_are_no_drift(
    whole: str, server: Cluster, make_database: MakeDatabase
) -> None:
    # A dump does not say which version of an extension there was.
    await run(whole, "alter extension citext update", "alter extension pgcrypto update")
    once, twice = await make_database(), await make_database()
    copy(server, name_of(whole), name_of(once))
    copy(server, name_of(once), name_of(twice))
    created, restored, again = await look(whole), await look(once), await look(twice)
    spellings = Spellings(BuildOptions(shadow_url=server.url()))
    difference = await compare(created, restored, spellings=spellings)
    assert describe(difference) == (
        "note spelling check app.users.known_code",
        "note spelling index app.users.by_code",
        "note spelling view app.coded",
    )
    assert describe(diff(restored, again)) == ()
    assert restored.fingerprint == again.fingerprint


async def test_what_does_not_touch_the_schema_does_not_touch_the_fingerprint(whole: str) -> None:
    before = await look(whole)
    await run(
        whole,
        "insert into app.users (email, code) values ('a@b', 'a')",
        "select nextval('app.numbers'), setval('app.users_id_seq', 1000)",
        "alter sequence app.numbers restart with 12",
        "refresh materialized view app.counted",
        "refresh materialized view concurrently app.counted",
        "refresh materialized view app.not_yet",
        "vacuum full app.users",
        "vacuum (analyze)",
        "cluster app.orders",
        "reindex table app.orders",
        "reindex table concurrently app.users",
        "truncate app.users, app.orders, app.events restart identity",
        "analyze",
    )
    assert describe(diff(before, await look(whole))) == ()
    assert (await look(whole)).fingerprint == before.fingerprint


@pytest.mark.long
async def test_every_major_tells_the_same_schema_alike() -> None:
    told: dict[int, Snapshot] = {}
    for major in MAJORS:
        with running_cluster(find_binaries(major), listen="loopback") as cluster:
            await run(cluster.url(), *(f"create role {name}" for name in WHOLE_ROLES))
            await run(cluster.url(), "create database whole template template0")
            await run(cluster.url("whole"), EVERY_KIND)
            told[major] = await look(cluster.url("whole"))
    newest = told[max(told)]
    assert {major: describe(diff(newest, old)) for major, old in told.items()} == dict.fromkeys(
        MAJORS, ()
    )
    assert {snapshot.fingerprint for snapshot in told.values()} == {newest.fingerprint}


@pytest.mark.long
async def test_every_case_survives_dump_and_restore(
    server: Cluster, make_database: MakeDatabase
) -> None:
    await run(server.socket_url(), *(f"create role {name}" for name in CASE_ROLES))
    spellings = Spellings(BuildOptions(shadow_url=server.url()))
    setups = {case.file: case.setup for case in read_cases() if case.major <= server.major}
    # A dump does not say which version of an extension there was.
    setups["extension"] += "; alter extension citext update"
    told: dict[str, tuple[str, ...]] = {}
    for file, setup in setups.items():
        created, restored = await make_database(sql=setup), await make_database()
        copy(server, name_of(created), name_of(restored))
        difference = await compare(await look(created), await look(restored), spellings=spellings)
        told[file] = tuple(line for line in describe(difference) if not line.startswith("note"))
        for url in (created, restored):
            await run(server.socket_url(), f"drop database {name_of(url)}")
    await run(server.socket_url(), f"drop role {', '.join(CASE_ROLES)}")
    assert told == dict.fromkeys(setups, ())


TEXTS = tuple(f"texts/{catalog}" for catalog in (*EXPRESSIONS, *QUERIES))


@pytest.mark.parametrize("name", [*list_queries(), *TEXTS])
def test_a_query_runs_through_any_driver(name: str) -> None:
    text = resources.files("monitor.sources").joinpath("queries", f"{name}.sql").read_text("utf-8")
    assert text.startswith("--")
    assert "%" not in text
    assert "?" not in text
    assert not re.search(r"\$\d", text)
    assert not re.search(r"(?<![:\w]):\w", text)


@pytest.mark.parametrize("major", MAJORS)
@pytest.mark.parametrize("name", [*list_queries(), *TEXTS])
def test_a_query_is_sent_without_its_comments(name: str, major: int) -> None:
    assert "--" not in read_query(name, major=major)


def test_a_query_is_there_for_every_file() -> None:
    folder = resources.files("monitor.sources").joinpath("queries")
    files = {item.name for item in folder.iterdir() if item.is_file()}
    assert files == {f"{name}.sql" for name in list_queries()}
    assert list_queries()[0] == "server"
    texts = {item.name for item in folder.joinpath("texts").iterdir()}
    assert texts == {f"{catalog}.sql" for catalog in (*EXPRESSIONS, *QUERIES)}


def test_a_newer_server_is_asked_as_the_newest_that_is_known() -> None:
    assert make_catalog_statement(99) == make_catalog_statement(MAJORS[-1])


def test_an_old_server_is_refused_with_the_next_step() -> None:
    with pytest.raises(UsageError, match="Upgrade the server"):
        make_catalog_statement(MAJORS[0] - 1)


async def check_each_query(url: str, major: int) -> None:
    connection = await asyncpg.connect(url)
    try:
        for name in list_queries():
            for row in await connection.fetch(read_query(name, major=major)):
                assert len(row) == 9
        for catalog in (*EXPRESSIONS, *QUERIES):
            for oids in (None, {catalog: ["16384", "16385"]}):
                for row in await connection.fetch(make_text_statement(major, [catalog], oids)):
                    assert len(row) == 2
        for row in await connection.fetch(make_catalog_statement(major)):
            assert all(cell is None or isinstance(cell, str) for cell in row)
    finally:
        await connection.close()


async def test_each_query_runs_on_its_own(whole: str, server: Cluster) -> None:
    await check_each_query(whole, server.major)


@pytest.mark.long
@pytest.mark.parametrize("major", MAJORS)
async def test_each_query_runs_on_every_major(major: int) -> None:
    with running_cluster(find_binaries(major), listen="loopback") as cluster:
        await check_each_query(cluster.url(), major)


async def test_the_statement_runs_unchanged_through_sqlalchemy(
    whole: str, server: Cluster
) -> None:
    expected = await look(whole)
    engine = sqlalchemy.create_engine(whole.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.connect() as connection:
        for name, value in PINNED:
            connection.exec_driver_sql(f"set local {name} = '{value}'")
        statements = (
            make_catalog_statement(server.major),
            make_text_statement(server.major, (*EXPRESSIONS, *QUERIES)),
        )
        read = [connection.exec_driver_sql(statement).fetchall() for statement in statements]
    engine.dispose()
    rows, texts = ([tuple(row) for row in some] for some in read)
    assert decode(rows, texts).fingerprint == expected.fingerprint


async def test_the_settings_of_a_role_do_not_change_a_word(whole: str, server: Cluster) -> None:
    expected = await look(whole)
    name = name_of(whole)
    settings = {
        "search_path": "app, public",
        "timezone": "'Pacific/Auckland'",
        "datestyle": "'German'",
        "intervalstyle": "'sql_standard'",
        "bytea_output": "'escape'",
        "quote_all_identifiers": "on",
        "extra_float_digits": "-5",
        "default_transaction_isolation": "'read committed'",
    }
    await run(
        server.socket_url(), *(f"alter database {name} set {k} = {v}" for k, v in settings.items())
    )
    actual = await look(whole)
    assert expected.fingerprint == actual.fingerprint
    assert actual.others == {"setting of this database": 1}


async def test_a_role_that_may_only_connect_sees_the_same_schema(
    whole: str, server: Cluster
) -> None:
    expected = await look(whole)
    await run(server.socket_url(), "create role only_connects login")
    try:
        actual = await look(server.socket_url(name_of(whole), "only_connects"))
    finally:
        await run(server.socket_url(), "drop role only_connects")
    assert describe(diff(expected, actual)) == ()
    assert expected.fingerprint == actual.fingerprint
    assert {table.name: table.revisions for table in actual.version_tables} == {
        "alembic_version": None,
        "versions": None,
    }


async def test_a_version_table_is_never_an_object_whatever_its_name(whole: str) -> None:
    snapshot = await look(whole)
    assert snapshot.version_tables == (
        VersionTable('Other "quoted" schema', "versions", 64, ()),
        VersionTable("public", "alembic_version", 32, ("ba7", "f00")),
    )
    names = {part for item in snapshot.objects for part in (item.key.parent, item.key.name)}
    assert not names & {"alembic_version", "versions", "version_num", "alembic_version_pkc"}


async def test_secrets_in_options_never_leave_the_server(whole: str, server: Cluster) -> None:
    snapshot = await look(whole)
    assert PLANTED.encode() not in dump_snapshot(snapshot)
    assert PLANTED not in repr(snapshot)
    assert PLANTED not in repr(await read_rows(whole, server.major))
    assert {
        item.key.name: item.get("option_names")
        for item in snapshot.objects
        if "option_names" in KINDS[item.key.kind]
    } == {"elsewhere": ["host", "password"], "wrapper": ["secret"]}


async def test_who_built_a_shadow_owns_nothing_there(whole: str, server: Cluster) -> None:
    built = await look(whole, builder=server.superuser)
    owners = {item.attributes["owner"] for item in built.objects if "owner" in item.attributes}
    assert owners == {"whole_owner"}
    assert describe(diff(built, await look(whole))) == ()
