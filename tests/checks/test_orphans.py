"""Counting a look at a time: small tables at once, large ones in parts, and never a false zero."""

from datetime import UTC, datetime
from typing import Any

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
