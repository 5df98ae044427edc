"""Reading is never in the way of a migration, and a migration never makes a read wrong."""

import asyncio
import itertools
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
import pytest

from monitor.core.decode import Draft
from monitor.core.errors import Interrupted, LookError, Migrating
from monitor.core.keys import Kind, ObjectKey
from monitor.core.snapshot import Snapshot
from monitor.sources.dsn import parse_dsn
from monitor.sources.postgres import Session, connect
from monitor.sources.reading import NOTHING_KNOWN, QUERIES_AT_ONCE, Reading, read_schema
from tests.conftest import MakeDatabase
from tests.sources.looking import look, run

TABLES = """
create table t (id int primary key, n int default 1 + 1, constraint positive check (n > 0));
create index t_lower on t ((n + 1)) where n > 1;
create view v as select n from t;
"""


async def read(url: str, reading: Reading | None = None) -> Reading:
    async with connect(parse_dsn(url)[0]) as session:
        return await read_schema(session, known=reading.texts if reading else NOTHING_KNOWN)


@asynccontextmanager
async def open_transaction(url: str, *statements: str) -> AsyncIterator[None]:
    """Hold a transaction in which somebody changes the schema."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("begin")
        for statement in statements:
            await connection.execute(statement)
        yield
    finally:
        await connection.close()


@asynccontextmanager
async def logged_session(url: str) -> AsyncIterator[tuple[Session, list[str]]]:
    """A session, and the statements that it sends."""
    sent: list[str] = []

    def listen(record: Any) -> None:
        sent.append(record.query)

    async with connect(parse_dsn(url)[0]) as session:
        session._connection.add_query_logger(listen)
        yield session, sent
        await asyncio.sleep(0)


def get(snapshot: Snapshot, kind: Kind, name: str, attribute: str) -> object:
    key = ObjectKey(kind=kind, schema="public", parent="t", name=name)
    return snapshot.by_key[key].get(attribute)


async def test_a_table_that_a_migration_locks_is_read_with_the_texts_known_before(
    make_database: MakeDatabase,
) -> None:
    url = await make_database(sql=TABLES)
    before = await read(url)
    async with open_transaction(url, "alter table t add column later int"):
        during = await read(url, before)
    assert during.snapshot == before.snapshot
    assert during.activity.changing == (
        ObjectKey(kind=Kind.TABLE, schema="public", parent=None, name="t"),
    )
    assert not before.activity.is_changing


async def test_a_locked_table_of_which_no_text_is_known_is_being_migrated(
    make_database: MakeDatabase,
) -> None:
    url = await make_database(sql=TABLES)
    async with open_transaction(url, "alter table t add column later int"):
        with pytest.raises(Migrating, match="lock"):
            await read(url)
    assert (await read(url)).snapshot == await look(url)


async def test_a_table_that_is_being_created_is_activity_nobody_can_name(
    make_database: MakeDatabase,
) -> None:
    url = await make_database(sql=TABLES)
    async with open_transaction(url, "create table u (id int)"):
        activity = (await read(url)).activity
    assert (activity.changing, activity.unseen, activity.is_changing) == ((), 1, True)


async def test_a_stamp_that_is_being_moved_is_activity(make_database: MakeDatabase) -> None:
    url = await make_database(
        sql="create table alembic_version (version_num varchar(32) primary key);"
        "insert into alembic_version values ('a1')"
    )
    async with open_transaction(url, "update alembic_version set version_num = 'b2'"):
        reading = await read(url)
    assert [key.name for key in reading.activity.changing] == ["alembic_version"]
    assert reading.snapshot.version_tables[0].revisions == ("a1",)


async def test_rows_that_an_application_writes_and_its_temporary_tables_are_no_activity(
    make_database: MakeDatabase,
) -> None:
    url = await make_database(sql=TABLES)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("create temp table scratch (id int)")
        await connection.execute("begin; lock table scratch; insert into t values (1)")
        assert not (await read(url)).activity.is_changing
    finally:
        await connection.close()


async def test_an_index_that_is_being_built_is_told_apart_from_a_broken_one(
    make_database: MakeDatabase,
) -> None:
    url = await make_database(sql=TABLES)
    builder = await asyncpg.connect(url)
    async with open_transaction(url, "insert into t values (1)"):
        build = asyncio.create_task(builder.execute("create index concurrently slow on t (n)"))
        try:
            for _ in range(100):
                reading = await read(url)
                if reading.activity.building:
                    break
            slow = ObjectKey(kind=Kind.INDEX, schema="public", parent="t", name="slow")
            assert reading.activity.building == (slow,)
            assert reading.snapshot.by_key[slow].get("valid") is False
            assert not reading.activity.is_changing
        finally:
            await run(url, f"select pg_cancel_backend({builder.get_server_pid()})")
            with pytest.raises(asyncpg.QueryCanceledError):
                await build
    await builder.close()
    for _ in range(100):
        reading = await read(url)
        if not reading.activity.building:
            break
    assert reading.activity.building == ()
    assert reading.snapshot.by_key[slow].get("valid") is False


async def test_texts_are_not_read_again_when_nothing_changed(make_database: MakeDatabase) -> None:
    url = await make_database(sql=TABLES)
    first = await read(url)
    async with logged_session(url) as (session, sent):
        again = await read_schema(session, known=first.texts)
    assert again.snapshot == first.snapshot
    assert [query for query in sent if "anchorwatch texts" in query] == []


async def test_only_new_texts_are_read_when_something_was_added(
    make_database: MakeDatabase,
) -> None:
    url = await make_database(sql=TABLES)
    first = await read(url)
    await run(url, "alter table t add constraint small check (n < 10)")
    async with logged_session(url) as (session, sent):
        again = await read_schema(session, known=first.texts)
    assert again.snapshot == await look(url)
    [expressions, queries] = [query for query in sent if "anchorwatch texts" in query]
    assert expressions.count("from pg_constraint") == 1
    assert "pg_attrdef" not in expressions
    assert "pg_get_viewdef" in queries


@pytest.mark.parametrize(
    ("change", "kind", "name", "attribute", "text"),
    [
        ("alter table t rename n to m", Kind.CHECK, "positive", "expression", "(m > 0)"),
        ("alter table t rename n to m", Kind.INDEX, "t_lower", "predicate", "(m > 1)"),
        ("alter table t alter n set default 3", Kind.COLUMN, "n", "default", "3"),
    ],
)
async def test_a_text_follows_what_it_names(  # noqa: PLR0913, PLR0917  # the columns of a table
    make_database: MakeDatabase, change: str, kind: Kind, name: str, attribute: str, text: str
) -> None:
    url = await make_database(sql=TABLES)
    first = await read(url)
    await run(url, change)
    again = await read(url, first)
    assert get(again.snapshot, kind, name, attribute) == text
    assert again.snapshot == await look(url)


async def test_few_queries_are_deparsed_in_one_transaction(make_database: MakeDatabase) -> None:
    count = 2 * QUERIES_AT_ONCE + 1
    views = "".join(f"create view v{number} as select id from t;" for number in range(count))
    url = await make_database(sql=f"create table t (id int); {views}")
    async with logged_session(url) as (session, sent):
        await read_schema(session)
    kinds = [query.split(" ", 3)[:3] for query in sent]
    reads = [place for place, query in enumerate(sent) if "pg_get_viewdef" in query]
    assert len(reads) == 3
    assert all(kinds[place + 1][0] == "ROLLBACK" for place in reads)


@pytest.mark.parametrize("times", [15, pytest.param(100, marks=pytest.mark.long)])
async def test_a_schema_that_changes_all_the_time_is_never_told_wrongly(
    make_database: MakeDatabase, times: int
) -> None:
    """A read tells one of the schemas that were there, or that a migration is at work.

    Now and then nothing happens for as long as a read takes.
    """
    url = await make_database(sql=TABLES)
    await run(url, "alter table t rename n to n0; alter table t rename constraint positive to p0")
    is_over, is_read = asyncio.Event(), asyncio.Event()

    async def migrate() -> None:
        connection, turns = await asyncpg.connect(url), itertools.count()
        while not is_over.is_set():
            for turn in itertools.islice(turns, 40):
                await connection.execute(
                    f"alter table t rename n{turn} to n{turn + 1};"
                    f"alter table t rename constraint p{turn} to p{turn + 1}"
                )
                await asyncio.sleep(0.005)
            with suppress(TimeoutError):
                await asyncio.wait_for(is_read.wait(), 1)
        await connection.close()

    migration = asyncio.create_task(migrate())
    told: list[set[str]] = []
    refused = 0
    for _ in range(times):
        is_read.clear()
        try:
            told.append(find_turns((await read(url)).snapshot))
            is_read.set()
        except Migrating:
            refused += 1
    is_over.set()
    await migration
    assert [turns for turns in told if len(turns) != 1] == []
    assert told
    assert refused
    assert len(find_turns((await read(url)).snapshot)) == 1


def find_turns(snapshot: Snapshot) -> set[str]:
    """The turns that its names and its texts are of: of one schema it is one."""
    told = json.dumps([[str(item.key), dict(item.attributes)] for item in snapshot.objects])
    return set(re.findall(r"\b[np](\d+)\b", told))


async def test_a_draft_that_fails_leaves_the_session_to_the_next_try(
    make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = await make_database(sql=TABLES)
    drafts: list[object] = []

    def fail_once(rows: Any) -> Draft:
        drafts.append(rows)
        if len(drafts) == 1:
            raise Interrupted("It changed.", next_step="Look again.")
        return Draft(rows)

    monkeypatch.setattr("monitor.sources.reading.Draft", fail_once)
    assert (await read(url)).snapshot == await look(url)


async def test_a_version_table_of_a_million_rows_is_no_stamp(make_database: MakeDatabase) -> None:
    url = await make_database(
        sql="create table alembic_version (version_num varchar(32) primary key); "
        "insert into alembic_version select n::text from generate_series(1, 1000) n"
    )
    [table] = (await read(url)).snapshot.version_tables
    assert len(table.revisions or ()) == 1000
    more = "select n::text from generate_series(2000, 999999) n"
    await run(url, f"insert into alembic_version {more}")
    with pytest.raises(LookError, match="more than 1000 rows") as refused:
        await read(url)
    assert "alembic stamp --purge" in refused.value.next_step
