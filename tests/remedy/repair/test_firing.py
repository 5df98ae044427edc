"""What triggers do at other times than when a row changes is counted, told or refused too."""

import pytest

from monitor.core.errors import WriteError
from monitor.core.quoting import quote_ident
from tests.conftest import MakeDatabase
from tests.remedy.repair.rows import acts, ask, bring_back, dump, mend, reasons
from tests.sources.looking import run

ORPHAN = """
create table p (id int primary key); create table c (id int primary key, pid int);
insert into c values (1, 9);
create table victim (id int primary key); insert into victim values (1), (2);
create table log (x text);
"""
DEFERRING = """
create table aud (x int);
create function kill() returns trigger language plpgsql as $$ begin {0}; return null; end $$;
create constraint trigger k after insert on aud deferrable initially deferred
  for each row execute function kill();
create function tf() returns trigger language plpgsql as $$ begin
  set constraints all deferred; insert into public.aud values (1); return null; end $$;
create constraint trigger t after delete on c deferrable initially deferred
  for each row execute function tf();
"""
EVENTS = """
create function ef() returns event_trigger language plpgsql as
  $$ begin {0}; insert into public.log values (tg_tag); end $$;
create event trigger "e v" on ddl_command_end {1} execute function ef();
"""
RELATION = "c.pid -> p.id"


async def test_nothing_is_left_for_the_commit(make_database: MakeDatabase) -> None:
    """A trigger that defers all others again does not get past the count."""
    url = await make_database(sql=ORPHAN + DEFERRING.format("delete from public.victim"))
    before = await dump(url)
    with pytest.raises(WriteError, match=r"delete of 2 more in public\.victim"):
        await mend(url, RELATION, "quarantine", fire_triggers=True)
    assert await dump(url) == before
    done = await mend(url, RELATION, "delete", fire_triggers=True)
    assert ("public.victim", "trigger delete", 2) in acts(done)


async def test_triggers_that_defer_each_other_for_ever_end(make_database: MakeDatabase) -> None:
    again = "set constraints all deferred; insert into public.aud values (1)"
    url = await make_database(sql=ORPHAN + DEFERRING.format(again))
    before = await dump(url)
    with pytest.raises(WriteError, match="without an end"):
        await mend(url, RELATION, "delete", fire_triggers=True)
    assert await dump(url) == before


async def test_event_triggers_of_the_first_quarantine_need_to_be_allowed(
    make_database: MakeDatabase,
) -> None:
    url = await make_database(sql=ORPHAN + EVENTS.format("null", ""))
    before = await dump(url)
    for apply in (False, True):
        done = await mend(url, RELATION, "quarantine", apply=apply)
        assert reasons(done) == ('Event triggers would fire when the quarantine is made: "e v".')
    assert await dump(url) == before
    done = await mend(url, RELATION, "quarantine", fire_triggers=True)
    assert done.applied
    [told] = [act for act in done.rows if act.action == "trigger insert"]
    assert told.rows == await ask(url, "select count(*) from log")
    await run(url, "insert into c values (1, 9)")
    assert (await mend(url, RELATION, "quarantine")).applied


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("delete from public.victim", r"delete of 2 more in public\.victim"),
        ("truncate public.victim", "no count of rows tells"),
    ],
)
async def test_event_triggers_take_nothing(
    make_database: MakeDatabase, body: str, words: str
) -> None:
    when = "when tag in ('CREATE SCHEMA')"
    url = await make_database(sql=ORPHAN + EVENTS.format(body, when))
    before = await dump(url)
    with pytest.raises(WriteError, match=words):
        await mend(url, RELATION, "quarantine", fire_triggers=True)
    assert await dump(url) == before


async def test_event_triggers_of_other_commands_do_not_fire(make_database: MakeDatabase) -> None:
    url = await make_database(sql=ORPHAN + EVENTS.format("null", "when tag in ('DROP TABLE')"))
    assert (await mend(url, RELATION, "quarantine")).applied


async def test_what_triggers_take_at_an_undo_counts_for_the_most_rows(
    make_database: MakeDatabase,
) -> None:
    url = await make_database(sql=ORPHAN)
    assert (await mend(url, RELATION, "quarantine")).applied
    await run(
        url,
        "create function f() returns trigger language plpgsql as "
        "$$ begin delete from public.victim; return null; end $$;"
        "create trigger t after insert on c for each row execute function f()",
    )
    before = await dump(url)
    with pytest.raises(WriteError, match="2 rows would be changed, and --max-rows is 1"):
        await bring_back(url, 1, fire_triggers=True, max_rows=1)
    assert await dump(url) == before
    done = await bring_back(url, 1, fire_triggers=True, max_rows=2)
    assert ("public.victim", "trigger delete", 2) in acts(done)


async def test_a_search_path_chooses_no_type_of_what_is_written(
    make_database: MakeDatabase,
) -> None:
    """Triggers find things by the path of the role: types before pg_catalog's in it as well."""
    url = await make_database(
        sql="create table p (id int primary key, n text, k char(4), a int[]);"
        "create table c (id int primary key, pid int); insert into c values (1, 7);"
        "create schema evil; create domain evil.text as varchar(1);"
        "create domain evil.int4 as pg_catalog.int4 check (value is null);"
        "create domain evil.bpchar as varchar(1)"
    )
    name = quote_ident(await ask(url, "select current_database()"))
    await run(url, f"alter database {name} set search_path = evil, pg_catalog, public")
    values = (("n", "hello"), ("k", "ab"), ("a", "{1,2}"))
    assert (await mend(url, RELATION, "adopt", values=values)).applied
    assert await ask(url, "select p::pg_catalog.text from p") == '(7,hello,"ab  ","{1,2}")'
