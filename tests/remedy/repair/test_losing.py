"""Rows elsewhere that lose their parents by a repair are told: nothing else holds them."""

import msgspec
import pytest

from monitor.core.relation import Origin, list_loose
from monitor.core.relation_text import parse_relation
from monitor.remedy.repair.wish import Outcome
from tests.conftest import MakeDatabase
from tests.remedy.repair.rows import ask, find, mend
from tests.sources.looking import run

ORPHAN = """
create table p (id int primary key); create table c (id int primary key, pid int, code int);
create table notes (id int primary key, cid int);
insert into c values (1, 9, 5), (2, null, 5), (3, 9, 6);
insert into notes values (1, 1), (2, 3), (3, 3), (4, 2), (5, 8), (6, null);
"""
RELATION = "c.pid -> p.id"


def lost(outcome: Outcome) -> list[tuple[str, int | None]]:
    return [(one.table, one.rows) for one in outcome.lost]


@pytest.mark.parametrize("strategy", ["delete", "quarantine"])
async def test_rows_of_a_configured_relation_are_told(
    make_database: MakeDatabase, strategy: str
) -> None:
    url = await make_database(sql=ORPHAN)
    loose = (parse_relation("notes.cid -> c.id"), parse_relation("c.id -> notes.id"))
    for apply in (False, True):
        done = await mend(url, RELATION, strategy, apply=apply, loose=loose)
        assert (lost(done), done.refused) == ([("public.notes", 3)], ()), apply
    sql = "select count(*) from notes where cid not in (select id from c) and cid <> 8"
    assert await ask(url, sql) == 3


async def test_rows_of_a_key_that_is_not_enforced_are_told(make_database: MakeDatabase) -> None:
    url = await make_database(sql=ORPHAN)
    if int(await ask(url, "select current_setting('server_version_num')")) < 180000:
        pytest.skip("every foreign key is enforced below PostgreSQL 18")
    await run(
        url, "alter table notes add constraint ne foreign key (cid) references c not enforced"
    )
    found = await find(url, "ne")
    assert found.origin is Origin.NOT_ENFORCED
    assert list_loose([found]) == (found,)
    done = await mend(url, RELATION, "delete", loose=(found,))
    assert (done.applied, lost(done)) == (True, [("public.notes", 3)])


@pytest.mark.parametrize(
    ("relation", "strategy", "rows"),
    [
        ("notes.cid -> c.code", "delete", 1),  # a 6 goes, and one of two 5 stays
        ("notes.cid -> c.pid", "nullify", 1),
        ("notes.cid -> c.id", "nullify", 0),
        ("notes.cid -> c.id", "adopt", 0),
    ],
)
async def test_only_what_has_no_other_parent_is_told(
    make_database: MakeDatabase, relation: str, strategy: str, rows: int
) -> None:
    url = await make_database(sql=ORPHAN)
    await run(url, "delete from notes where id > 5; update notes set cid = id + 4")
    done = await mend(url, RELATION, strategy, loose=(parse_relation(relation),))
    assert (done.applied, lost(done)) == (True, [("public.notes", rows)] if rows else [])


@pytest.mark.parametrize("action", ["cascade", "set null"])
async def test_what_leaves_or_references_nothing_any_more_loses_nothing(
    make_database: MakeDatabase, action: str
) -> None:
    url = await make_database(sql=ORPHAN)
    key = f"alter table notes add foreign key (cid) references c on delete {action}"
    await run(url, "delete from notes where id = 5", key)
    loose = (parse_relation("notes.cid -> c.id"),)
    done = await mend(url, RELATION, "delete", loose=loose, with_dependents=True)
    assert (done.applied, done.lost) == (True, ())


async def test_what_cannot_be_counted_is_told_and_stops_nothing(
    make_database: MakeDatabase,
) -> None:
    url = await make_database(sql=ORPHAN)
    loose = (
        parse_relation("notes.cid -> c.id", where="no_such(id)"),
        parse_relation("gone.cid -> c.id"),
    )
    for apply in (False, True):
        done = await mend(url, RELATION, "delete", apply=apply, loose=loose)
        assert lost(done) == [("public.notes", None), ("public.gone", None)]
        assert [one.reason for one in done.lost] == [
            "the server refused the question.",
            "There is no table public.gone.",
        ]
    assert done.applied
    assert await ask(url, "select count(*) from c") == 1


async def test_a_period_loses_its_parent_with_a_part_of_it(make_database: MakeDatabase) -> None:
    url = await make_database(
        sql="create table p (id int primary key);"
        "create table c (id int, valid int4range, pid int);"
        "create table notes (id int primary key, cid int, during int4range);"
        "insert into c values (1, '[0,5)', null), (1, '[5,9)', 9), (2, '[0,9)', null);"
        "insert into notes values (1, 1, '[3,7)'), (2, 1, '[0,5)'), (3, 2, '[3,7)'),"
        " (4, 1, '[6,7)'), (5, 1, '[8,12)')"
    )
    written = parse_relation("notes(cid, during) -> c(id, valid)")
    loose = (msgspec.structs.replace(written, is_period=True),)
    done = await mend(url, RELATION, "delete", loose=loose)
    assert (done.applied, lost(done)) == (True, [("public.notes", 2)])
