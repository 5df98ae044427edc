"""Counting a look at a time: small tables at once, large ones in parts, and never a false zero."""

from datetime import UTC, datetime
from typing import Any

import asyncpg
import msgspec
import pytest

from monitor.checks.orphans import Limits, count_orphans
from monitor.core.orphans import Tally, find_orphans, name_relation
from monitor.core.relation import Relation
from monitor.core.relation_text import parse_relation
from monitor.sources.dsn import parse_dsn
from monitor.sources.postgres import DEADLINES, Deadlines
from tests.conftest import MakeDatabase
from tests.sources.looking import run

AT = datetime(2026, 11, 27, 12, tzinfo=UTC)
RELATION = parse_relation("orders.user_id -> users.id")
TABLES = """
create table users (id int primary key);
create table orders (id int primary key, user_id int, note text);
insert into users select n from generate_series(1, 50) n;
insert into orders select n, n % 60 from generate_series(1, 600) n;
analyze;
"""
"""Each tenth row and one more for each round of sixty: 100 orphans."""


async def tally(
    url: str,
    relation: Relation = RELATION,
    *,
    before: Tally | None = None,
    deadlines: Deadlines = DEADLINES,
    **limits: Any,
) -> Tally:
    known = {name_relation(before.relation): before} if before else {}
    [found] = await count_orphans(
        parse_dsn(url)[0],
        [relation],
        at=AT,
        deadlines=deadlines,
        limits=Limits(**limits),
        before=known,
    )
    return found


async def test_a_small_table_is_counted_at_one_moment(make_database: MakeDatabase) -> None:
    found = await tally(await make_database(sql=TABLES))
    assert found.orphans == 100
    assert found.is_complete
    assert found.count is not None
    assert found.count.is_momentary
    assert found.count.samples == ()


async def test_a_large_table_is_scanned_and_the_next_look_goes_on(
    make_database: MakeDatabase,
) -> None:
    url = await make_database(sql=TABLES)
    first = await tally(url, chunk=50, rows=200)
    assert first.scan is not None
    assert (first.scan.rows, first.count, first.is_complete) == (200, None, False)
    assert first.orphans == first.scan.orphans > 0
    again = msgspec.json.decode(msgspec.json.encode(first), type=Tally)  # as after a restart
    second = await tally(url, before=again, chunk=50, rows=200)
    assert second.scan is not None
    assert second.scan.rows == 400
    await run(url, "insert into orders select n, null from generate_series(601, 640) n")
    third = await tally(url, before=second, chunk=50, rows=5000)
    assert third.scan is None
    assert third.orphans == 100
    assert third.count is not None
    assert not third.count.is_momentary


async def test_what_was_counted_is_told_until_the_next_count_is_whole(
    make_database: MakeDatabase,
) -> None:
    url = await make_database(sql=TABLES)
    whole = await tally(url)
    await run(url, "delete from orders where user_id not in (select id from users)")
    part = await tally(url, before=whole, chunk=10, rows=20)
    assert (part.orphans, part.is_complete) == (100, False)
    [finding] = find_orphans([part], environment="test", database="app")
    assert finding.title.startswith("at least 100 rows of public.orders")
    assert (await tally(url, before=part, chunk=10)).orphans == 0


async def test_rows_that_got_their_parents_while_it_was_scanned_are_none(
    make_database: MakeDatabase,
) -> None:
    url = await make_database(sql=TABLES)
    part = await tally(url, chunk=50, rows=550)
    assert part.scan is not None
    assert part.orphans
    await run(url, "insert into users select n from generate_series(51, 60) n union select 0")
    assert (await tally(url, before=part, chunk=50)).orphans == 0


async def test_another_relation_under_the_name_begins_anew(make_database: MakeDatabase) -> None:
    url = await make_database(sql=TABLES)
    part = await tally(url, chunk=50, rows=200)
    other = parse_relation("orders.user_id -> users.id", where="id > 300")
    assert other.key == RELATION.key
    found = await tally(url, other, before=part)
    assert found.orphans == 50


async def test_a_look_that_cannot_count_leaves_what_was_known_and_is_told_the_second_time(
    make_database: MakeDatabase,
) -> None:
    url = await make_database(sql=TABLES)
    whole = await tally(url)
    hurried = Deadlines(statement_seconds=0.001)
    relation = msgspec.structs.replace(RELATION, where="pg_sleep(0.05) is not null")
    first = await tally(url, relation, deadlines=hurried)
    assert (first.orphans, first.is_complete, first.failures) == (None, False, 1)
    assert first.problem is not None
    assert first.problem.code == "too_slow"
    await run(url, "alter table orders rename to gone")
    lost = await tally(url, before=whole)
    assert (lost.orphans, lost.failures) == (100, 1)
    severities = []
    for known in (lost, await tally(url, before=lost)):
        told = find_orphans([known], environment="test", database="app")
        severities.append({finding.code: finding.severity.value for finding in told})
    assert severities == [
        {"AW303": "warning", "AW309": "info"},
        {"AW303": "warning", "AW309": "warning"},
    ]


async def test_a_large_table_without_a_key_is_said_and_not_read(
    make_database: MakeDatabase,
) -> None:
    url = await make_database(sql=f"{TABLES} alter table orders drop constraint orders_pkey")
    found = await tally(url, chunk=10, rows=100)
    assert found.problem is not None
    assert found.problem.code == "too_large"
    assert (await tally(url, chunk=10)).orphans == 100


@pytest.mark.parametrize("chunk", [10, 100_000])
async def test_keys_are_sampled_where_they_may_be_told(
    make_database: MakeDatabase, chunk: int
) -> None:
    url = await make_database(sql=TABLES)
    found = await tally(url, chunk=chunk, samples=3)
    assert found.count is not None
    assert len(found.count.samples) == 3
    [finding] = find_orphans([found], environment="test", database="app")
    assert "; among them " in finding.title
    [other] = find_orphans([await tally(url)], environment="test", database="app")
    assert finding.digest == other.digest


async def test_a_server_that_goes_away_leaves_the_rest_unknown(
    make_database: MakeDatabase,
) -> None:
    url = await make_database(sql=TABLES)
    relation = msgspec.structs.replace(
        RELATION, where="pg_terminate_backend(pg_backend_pid()) is not null"
    )
    others = [relation, parse_relation("orders.id -> users.id")]
    found = await count_orphans(
        parse_dsn(url)[0], others, at=AT, deadlines=DEADLINES, limits=Limits(), before={}
    )
    assert [one.problem and one.problem.code for one in found] == ["interrupted", "interrupted"]


MANY = """
create table users (id int primary key);
create table orders (id {type} primary key, user_id int);
insert into orders select {value}, n from generate_series(1, 100) n;
analyze;
"""


@pytest.mark.parametrize(
    ("of_key", "value"),
    [
        ("char(10)", "'k' || lpad(n::text, 5, '0')"),
        ("char(3)[]", "array['k' || to_hex(n)]::char(3)[]"),
        ("varchar(5)", "'k ' || n || ' '"),
        ("bit(8)", "n::bit(8)"),
        ("varbit", "n::bit(8)::varbit"),
        ("numeric(10, 2)", "n * 1.10"),
        ("float8", "n * 0.1"),
        ("bytea", "decode(lpad(to_hex(n), 4, '0'), 'hex')"),
        ("interval", "n * interval '1 day 1 us'"),
        ("timestamptz(3)", "'2020-01-01'::timestamptz + n * interval '1.001 s'"),
        ("timetz", "'00:00:00+02'::timetz + n * interval '1 s'"),
        ("inet", "('10.0.0.' || n)::inet"),
        ('"char"', 'chr(n)::"char"'),
        ("int4range", "int4range(n, n + 1)"),
    ],
)
async def test_any_key_is_read_to_its_end(
    make_database: MakeDatabase, of_key: str, value: str
) -> None:
    url = await make_database(sql=MANY.format(type=of_key, value=value))
    found = await tally(url, chunk=7, rows=500)
    assert (found.orphans, found.problem, found.is_complete) == (100, None, True)


@pytest.mark.parametrize(
    ("parent", "child", "there", "value"),
    [
        ("char(5)", "text", "ab", "ab  "),
        ("char(5)", "varchar(10)", "ab", "ab  "),
        ("varchar(5)", "char(5)", "ab  ", "ab"),
        ("varchar(5)", "char(5)", "ab", "ab"),
        ("text", "char(5)", "ab", "ab"),
        ("text", "char(5)", "ab  ", "ab"),
        ("text", "name", "ab", "ab"),
        ("numeric", "int", "1.0", "1"),
        ("float8", "numeric", "1.0", "1"),
        ("int8", "int2", "1", "1"),
    ],
)
async def test_values_are_equal_where_the_server_says_so(
    make_database: MakeDatabase, parent: str, child: str, there: str, value: str
) -> None:
    """Held against `VALIDATE CONSTRAINT`, on a row that no trigger looked at."""
    url = await make_database(
        sql=f"create table users (id {parent} primary key);"
        f"create table orders (id int primary key, user_id {child});"
        "alter table orders add constraint f foreign key (user_id) references users not valid;"
        f"set session_replication_role = replica; insert into users values ('{there}');"
        f"insert into orders values (1, '{value}'), (2, '7')"
    )
    assert (await tally(url)).orphans == 1 + await is_refused(url, "id = 2")


async def is_refused(url: str, where: str) -> bool:
    """Whether the server holds the other rows for orphans."""
    await run(url, f"delete from orders where {where}")
    try:
        await run(url, "alter table orders validate constraint f")
    except asyncpg.ForeignKeyViolationError:
        return True
    return False


@pytest.mark.parametrize("chunk", [2, 4, 100_000])
async def test_rows_of_heirs_are_all_counted_or_none_are(
    make_database: MakeDatabase, chunk: int
) -> None:
    """They may share a key, which is therefore no way through all of them."""
    url = await make_database(
        sql="create table users (id int primary key);"
        "create table orders (id int primary key, user_id int);"
        "create table a () inherits (orders); create table b () inherits (orders);"
        "insert into a select n, 2 from generate_series(1, 60) n;"
        "insert into b select n, 2 from generate_series(1, 60) n; analyze"
    )
    found = await tally(url, chunk=chunk, rows=1000)
    if found.problem is None:
        assert found.orphans == 120
    else:
        assert (found.problem.code, found.orphans) == ("too_large", None)


@pytest.mark.parametrize("other", ["add primary key (user_id, id)", "add primary key (ref)"])
async def test_another_key_begins_another_scan_and_forgets_nothing(
    make_database: MakeDatabase, other: str
) -> None:
    url = await make_database(
        sql="create table users (id int primary key);"
        "create table orders (id int primary key, ref int not null, user_id int);"
        "insert into orders select n, -n, n from generate_series(1, 100) n; analyze"
    )
    part = await tally(url, chunk=5, rows=20)
    assert part.scan is not None
    await run(url, f"alter table orders drop constraint orders_pkey; alter table orders {other}")
    again = await tally(url, before=part, chunk=5, rows=10)
    assert again.scan is not None
    assert (again.scan.rows, again.orphans) == (10, 20), "what was seen is not gone"
    assert (await tally(url, before=again, chunk=5, rows=500)).orphans == 100


async def test_a_confirmation_that_takes_too_long_keeps_the_count(
    make_database: MakeDatabase,
) -> None:
    """A scan reads a part at a time; looking for rows that are orphans still reads them all."""
    url = await make_database(sql=TABLES)
    part = await tally(url, chunk=50, rows=550)
    assert part.scan is not None
    seen = part.scan.orphans
    await run(
        url,
        "insert into users select 0 union select generate_series(51, 59)",
        "do $$ begin execute format('alter database %I set enable_seqscan = off', "
        "current_database()); end $$",
    )
    slow = msgspec.structs.replace(RELATION, where="id > 550 or pg_sleep(0.01) is not null")
    part = msgspec.structs.replace(part, relation=slow)
    hurried = Deadlines(statement_seconds=0.5)
    found = await tally(url, slow, before=part, deadlines=hurried, chunk=50)
    assert (found.problem, found.is_complete) == (None, True)
    assert found.orphans == seen > 0
