"""Texts that mean the same are notes, texts that do not are drift: on real servers."""

from collections.abc import Mapping

from monitor.checks.comparison import compare
from monitor.checks.spelling import Spellings
from monitor.core.diff import diff
from monitor.core.findings import Severity
from monitor.core.quoting import quote_ident
from monitor.core.snapshot import Snapshot
from monitor.sources.engine import Cluster
from tests.checks.builders import list_changes, list_noted
from tests.conftest import MakeDatabase
from tests.sources.looking import copy, look, name_of, run

EVERYWHERE = """
create schema app;
create extension btree_gist;
create type app.mood as enum ('sad', 'ok');
create domain app.code as varchar(20) default upper('a') check (value in ('a', 'b'));
create table app.t (
  id int primary key, code varchar(20) default lower('A' || 'b'::varchar),
  at timestamp, during tsrange,
  mood app.mood, tags app.mood[], n int,
  is_known boolean generated always as (code in ('a', 'b')) stored,
  constraint known check (code in ('a', 'b')),
  constraint between_and check (n between 1 and 2 and id > 0),
  constraint nested check ((n > 0 and n < 9) and (id > 0 and id < 9)),
  constraint apart exclude using gist (n with =, during with &&)
    where (code in ('a', 'b'))
);
create function app.f(a int, b varchar default 'x'::varchar || 'y') returns boolean
  language sql immutable begin atomic select b in ('a', 'b'); end;
create procedure app.p(b varchar) language sql
  begin atomic update app.t set n = 1 where code in ('a', 'b') and code = b; end;
create function app.fire() returns trigger language plpgsql as 'begin return new; end';
create index by_code on app.t ((code in ('a', 'b')), n) where code in ('a', 'b');
create view app.v as select t.id, app.f(t.id) as f from app.t, app.t u where t.code in ('a', 'b');
create view app.of_view as select v.id, t.n from app.v, app.t where t.code in ('x', 'y');
create materialized view app.m as select t.id, u.n from app.t, app.t u where t.code in ('a', 'b');
create trigger fired before insert on app.t for each row when (new.code in ('a', 'b'))
  execute function app.fire();
create rule ruled as on delete to app.t where old.code in ('a', 'b') do instead nothing;
create policy read on app.t using (code in ('a', 'b')) with check (code in ('c', 'd'));
create statistics app.s on (code in ('a', 'b')), (n + 1) from app.t;
create table app.parted (code varchar(20), at date) partition by list ((code in ('a', 'b')));
create table app.part partition of app.parted for values in (true);
create publication p for table app.t where (n between 1 and 2 and id > 0);
"""

FILTERS_SINCE = 15
"""Before, publications have no row filters."""

RESPELLED = {
    "check app.code.code_check",
    "check app.t.between_and",
    "check app.t.known",
    "column app.t.is_known",
    "exclusion app.t.apart",
    "function app.f(integer, character varying)",
    "index app.t.by_code",
    "materialized_view app.m",
    "policy app.t.read",
    "procedure app.p(character varying)",
    "publication p",
    "rule app.t.ruled",
    "statistics app.t.s",
    "table app.parted",
    "trigger app.t.fired",
    "view app.of_view",
    "view app.v",
}


async def test_dump_and_restore_respell_texts_everywhere_and_all_are_notes(
    server: Cluster, make_database: MakeDatabase, spellings: Spellings
) -> None:
    noted, sql = RESPELLED, EVERYWHERE
    if server.major < FILTERS_SINCE:
        noted, sql = noted - {"publication p"}, sql[: sql.index("create publication")]
    created, restored = await make_database(sql=sql), await make_database()
    copy(server, name_of(created), name_of(restored))
    expected, actual = await look(created), await look(restored)
    difference = await compare(expected, actual, spellings=spellings)
    assert list_changes(difference) == []
    assert list_noted(difference) == noted
    turned = await compare(actual, expected, spellings=spellings)
    assert list_changes(turned) == []


RENAMED = """
alter table app.t rename constraint known to t_code_check;
alter table app.t rename constraint apart to t_apart;
alter index app.by_code rename to t_code_idx;
alter trigger fired on app.t rename to t_fired;
alter policy read on app.t rename to t_read;
alter statistics app.s rename to t_stat;
"""


async def test_what_was_renamed_and_then_dumped_and_restored_is_renamed_and_no_more(
    server: Cluster, make_database: MakeDatabase, spellings: Spellings
) -> None:
    sql = EVERYWHERE[: EVERYWHERE.index("create publication")]
    created, restored = await make_database(sql=sql), await make_database()
    expected = await look(created)
    await run(created, *RENAMED.strip().splitlines())
    renamed = await look(created)
    copy(server, name_of(created), name_of(restored))
    difference = await compare(expected, await look(restored), spellings=spellings)
    assert list_changes(difference) == list_changes(await compare(expected, renamed))
    assert len(list_changes(difference)) == 6
    assert list_noted(difference) == RESPELLED - {"publication p"}


async def test_what_means_something_else_is_no_rename(
    make_database: MakeDatabase, spellings: Spellings
) -> None:
    """Of the same names, literals and operators: only a server can tell."""
    table = "create table t (a int, b int, constraint {} check ({}))"
    sides = (("old", "a - 1 > b"), ("new", "b - 1 > a"))
    expected, actual = [await look(await make_database(sql=table.format(*x))) for x in sides]
    difference = await compare(expected, actual, spellings=spellings)
    assert list_changes(difference) == [
        "missing check public.t.old",
        "unexpected check public.t.new",
    ]


PAIRS = {
    "now() and CURRENT_TIMESTAMP": (
        """create table t (a timestamptz default now(), check (a < now()));
        create view v as select 1 as one where now() > '2020-01-01'""",
        """create table t (a timestamptz default current_timestamp, check (a < current_timestamp));
        create view v as select 1 as one where transaction_timestamp() > '2020-01-01'""",
    ),
    "CURRENT_DATE as servers before 10 kept it": (
        "create table t (a date default current_date, check (a <= current_date))",
        """create table t (a date default ('now'::text)::date,
        check (a <= ('now'::text)::date))""",
    ),
    "CURRENT_USER by its other names": (
        "create table t (a name default current_user)",
        "create table t (a name default user)",
    ),
    "IN and = ANY": (
        "create table t (a text check (a in ('a', 'b')), b int check (b in (1, 2)))",
        """create table t (a text check (a = any (array['a', 'b'])),
        b int check (b = any (array[1, 2])))""",
    ),
    "IN and = ANY over a varchar": (
        "create table t (a varchar check (a in ('a', 'b')))",
        "create table t (a varchar check (a = any (array['a', 'b'])))",
    ),
    "BETWEEN and its two halves": (
        "create table t (a int, b int, constraint c check (a between 1 and 9 and b > 0))",
        "create table t (a int, b int, constraint c check (a >= 1 and a <= 9 and b > 0))",
    ),
    "a varchar that became a text": (
        """create table t (a varchar default 'a' check (a in ('a', 'b')),
        b varchar(9) default 'x');
        create index i on t (b) where a in ('a', 'b');
        alter table t alter a type text, alter b type varchar(20)""",
        """create table t (a text default 'a' check (a in ('a', 'b')), b varchar(20) default 'x');
        create index i on t (b) where a in ('a', 'b')""",
    ),
    "a text that became a varchar": (
        """create table t (a text default 'a', b text default 'b');
        alter table t alter a type varchar, alter b type varchar(9)""",
        "create table t (a varchar default 'a', b varchar(9) default 'b')",
    ),
    "a default that says its type and one that does not": (
        "create table t (a varchar(9) default 'a')",
        "create table t (a varchar(9) default 'a'::text)",
    ),
    "a collation of somebody's own": (
        """create collation mine (provider = libc, locale = 'C');
        create table t (a varchar, b text collate mine, check (a collate mine in ('a', 'b')),
        constraint d check (a in ('x', 'y')));
        create index i on t (b collate mine) where a in ('a', 'b')""",
        """create collation mine (provider = libc, locale = 'C');
        create table t (a varchar, b text collate mine, check (
        a collate mine = any (array[('a'::varchar)::text, ('b'::varchar)::text])),
        constraint d check (a = any (array[('x'::varchar)::text, ('y'::varchar)::text])));
        create index i on t (b collate mine)
        where a = any (array[('a'::varchar)::text, ('b'::varchar)::text])""",
    ),
    "default expressions of an index spelled out": (
        "create table t (a varchar); create index i on t ((a || 'x'))",
        "create table t (a varchar); create index i on t (((a::text) || 'x'::text))",
    ),
}


async def read_pairs(
    pairs: Mapping[str, tuple[str, str]], make_database: MakeDatabase
) -> list[Snapshot]:
    """Two databases: one side of each pair in each, in a schema called as the pair is."""
    snapshots = []
    for side in range(2):
        url = await make_database()
        for name, pair in pairs.items():
            schema = quote_ident(name)
            await run(url, f"create schema {schema}; set search_path = {schema}; {pair[side]}")
        snapshots.append(await look(url))
    return snapshots


async def test_two_spellings_of_one_thing_are_a_note(
    make_database: MakeDatabase, spellings: Spellings
) -> None:
    expected, actual = await read_pairs(PAIRS, make_database)
    assert list_changes(diff(expected, actual))
    assert list_changes(await compare(expected, actual, spellings=spellings)) == []
    assert list_changes(await compare(actual, expected, spellings=spellings)) == []


IN_A_FUNCTION = """
create function app.known(a varchar) returns varchar language sql immutable as 'select a';
create aggregate app.all_of(varchar) (sfunc = textcat, stype = text, initcond = '');
create table app.of_it (a varchar, b int);
create index by_it on app.of_it (b) where a = app.known('x') or a in ('a', 'b');
create view app.summed as select app.all_of(t.a) as s from app.of_it t, app.of_it u
  where t.a in ('a', 'b');
"""


async def test_what_a_text_calls_is_brought_along(
    server: Cluster, make_database: MakeDatabase, spellings: Spellings
) -> None:
    created = await make_database(sql=f"create schema app; {IN_A_FUNCTION}")
    restored = await make_database()
    copy(server, name_of(created), name_of(restored))
    difference = await compare(await look(created), await look(restored), spellings=spellings)
    assert list_changes(difference) == []
    assert list_noted(difference) == {"index app.of_it.by_it", "view app.summed"}


DRIFT = {
    "a cast that means something": (
        "create table t (value text, constraint c check (value::integer > 1))",
        "create table t (value text, constraint c check (value::numeric > 1))",
    ),
    "another label in IN": (
        "create table t (a varchar, constraint c check (a in ('a', 'b')))",
        "create table t (a varchar, constraint c check (a in ('a', 'c')))",
    ),
    "another bound of BETWEEN": (
        "create table t (a int, constraint c check (a between 1 and 9))",
        "create table t (a int, constraint c check (a between 1 and 8))",
    ),
    "other parentheses where they matter": (
        "create table t (a int, b int, constraint c check ((a > 0 or b > 0) and a < 9))",
        "create table t (a int, b int, constraint c check (a > 0 or (b > 0 and a < 9)))",
    ),
    "columns that changed places": (
        "create table t (a int, b int, constraint c check (a > b))",
        "create table t (a int, b int, constraint c check (b > a))",
    ),
    "a varchar that is cut off": (
        "create table t (a text, constraint c check (a = 'abc'))",
        "create table t (a text, constraint c check (a = 'abc'::varchar(2)::text))",
    ),
    "a function of the same name elsewhere": (
        """create function f(int) returns int language sql immutable as 'select 1';
        create schema s; create function s.f(int) returns int language sql immutable as 'select 1';
        create table t (a int, constraint c check (f(a) > 0))""",
        """create function f(int) returns int language sql immutable as 'select 1';
        create schema s; create function s.f(int) returns int language sql immutable as 'select 1';
        create table t (a int, constraint c check (s.f(a) > 0))""",
    ),
    "a function that only the database has": (
        "create table t (a int, constraint c check (abs(a) > 0))",
        """create function f(int) returns int language sql immutable as 'select 1';
        create table t (a int, constraint c check (f(a) > 0))""",
    ),
}

LENGTHS = {
    "varchar(8)": ("md5('x'::text)::varchar(8)", "md5('x'::text)"),
    "varchar(3)": ("'abcdef'::varchar(3)", "'abcdef'"),
    "char(1)": ("current_user::char(1)", "current_user::bpchar"),
    "bit(3)": ("9::bit(8)::bit(3)", "9::bit(8)"),
    "numeric(3,1)": ("(pi()::numeric)::numeric(3,1)", "pi()::numeric"),
    "interval second(0)": ("age(now())::interval second(0)", "age(now())"),
    "varchar(3)[]": ("array['abcdef']::varchar(3)[]", "array['abcdef']::text[]"),
}
"""Types, and a default that was cut off beside one that is refused, or comes out otherwise."""


async def test_a_default_that_is_cut_off_is_not_one_that_is_refused(
    make_database: MakeDatabase, spellings: Spellings
) -> None:
    made = "create table t (n text, c {} {}); create domain d {} default {}"
    pairs = {
        type_: (
            made.format(type_, f"default {cut}", type_, cut),
            made.format(type_, f"default {whole}", type_, whole),
        )
        for type_, (cut, whole) in LENGTHS.items()
    }
    generated = "create table t (name text, c varchar(9) generated always as ({}) stored)"
    pairs["generated"] = generated.format("name::varchar(3)"), generated.format("name")
    expected, actual = await read_pairs(pairs, make_database)
    difference = await compare(expected, actual, spellings=spellings)
    assert set(list_changes(difference)) == {
        *(f"altered column {name}.t.c: default" for name in LENGTHS),
        *(f"altered domain {name}.d: default" for name in LENGTHS),
        "altered column generated.t.c: generated",
    }


async def test_what_means_something_else_is_drift(
    make_database: MakeDatabase, spellings: Spellings
) -> None:
    expected, actual = await read_pairs(DRIFT, make_database)
    for one, other in ((expected, actual), (actual, expected)):
        difference = await compare(one, other, spellings=spellings)
        told = {line for line in list_changes(difference) if line.startswith("altered")}
        assert told == {f"altered check {name}.t.c: expression" for name in DRIFT}
        altered = [change for change in difference.changes if change.change == "altered"]
        assert {change.severity for change in altered} == {Severity.WARNING}
        assert list_noted(difference) == set()


async def test_a_column_of_another_type_does_not_make_its_checks_differ(
    make_database: MakeDatabase, spellings: Spellings
) -> None:
    sql = "create table t (a {} default 'a', constraint c check (a in ('a', 'b')))"
    expected, actual = [
        await look(await make_database(sql=sql.format(type_))) for type_ in ("varchar", "text")
    ]
    difference = await compare(expected, actual, spellings=spellings)
    assert list_changes(difference) == ["altered column public.t.a: type"]
    assert list_noted(difference) == {"column public.t.a", "check public.t.c"}


async def test_one_attribute_may_be_spelled_and_another_one_differ(
    make_database: MakeDatabase, spellings: Spellings
) -> None:
    expected, actual = [
        await look(await make_database(sql=sql))
        for sql in (
            "create table t (a varchar); create index i on t (a) where a in ('a', 'b')",
            """create table t (a varchar);
            create index i on t using hash (a) where a = any (array['a', 'b'])""",
        )
    ]
    difference = await compare(expected, actual, spellings=spellings)
    assert list_changes(difference) == ["altered index public.t.i: method"]
    assert list_noted(difference) == {"index public.t.i"}
