"""Texts over what somebody made, after a dump and a restore: spelt anew, and the same."""

import pytest

from monitor.checks.comparison import compare
from monitor.checks.spelling import Spellings
from monitor.sources.engine import Cluster
from tests.checks.builders import list_changes, list_noted
from tests.conftest import MakeDatabase
from tests.sources.looking import copy, look, name_of, run

OWN = {
    "operator class": (
        """create operator class mine for type int using btree as operator 1 <, operator 2 <=,
             operator 3 =, operator 4 >=, operator 5 >, function 1 btint4cmp(int, int);
           create table t (a varchar, n int);
           create index i on t (n mine) where a in ('x', 'y')""",
        {"i"},
    ),
    "cast": (
        """create type c as (a int);
           create function f(c) returns text language sql immutable as 'select ($1).a::text';
           create cast (c as text) with function f(c);
           create table t (a varchar, c c, check (a in ('x', 'y') and c::text <> 'b'));
           create view v as select a, c::text as d from t where a in ('x', 'y')""",
        {"t_check", "v"},
    ),
    "base type": (
        """create type b;
           create function b_in(cstring) returns b language internal immutable strict as 'textin';
           create function b_out(b) returns cstring language internal immutable strict
             as 'textout';
           create type b (input = b_in, output = b_out, like = text);
           create table t (a varchar, b b, bs b[], check (a in ('x', 'y')));
           create view v as select a, b, bs from t where a in ('x', 'y')""",
        {"t_a_check", "v"},
    ),
    "text search": (
        """create text search dictionary "a.d" (template = simple);
           create text search configuration "o'c" (copy = simple);
           create table t (a varchar, check (a in ('x', 'y')
             and to_tsvector('"o''c"', a) is not null and ts_lexize('"a.d"', a) is not null));
           create index i on t using gin (to_tsvector('"o''c"', a)) where a in ('x', 'y');
           create view v as select to_tsvector('"o''c"', a) as d from t where a in ('x', 'y')""",
        {"t_a_check", "i", "v"},
    ),
    "operator": (
        """create function f(text, text) returns boolean language sql immutable
             as 'select $1 = $2';
           create operator === (leftarg = text, rightarg = text, procedure = f);
           create table t (a varchar, check (a in ('x', 'y') and a::text === 'b'));
           create view v as select a from t where a in ('x', 'y') and a::text === 'x'""",
        {"t_a_check", "v"},
    ),
    "aggregate": (
        """create aggregate g(int) (sfunc = int4pl, stype = int, initcond = '0');
           create table t (a varchar, n int);
           create view v as select g(n) as d from t where a in ('x', 'y')""",
        {"v"},
    ),
    "range": (
        """create type r as range (subtype = float8);
           create table t (a varchar, r r, check (a in ('x', 'y') and not isempty(r)))""",
        {"t_check"},
    ),
}


@pytest.mark.parametrize("name", OWN)
async def test_what_a_dump_and_a_restore_spell_anew_is_no_drift_and_another_text_is(
    server: Cluster, make_database: MakeDatabase, spellings: Spellings, name: str
) -> None:
    sql, respelt = OWN[name]
    created, restored = await make_database(), await make_database()
    await run(created, sql)
    copy(server, name_of(created), name_of(restored))
    expected = await look(created)
    difference = await compare(expected, await look(restored), spellings=spellings)
    assert list_changes(difference) == []
    assert {note.key.name for note in difference.notes if note.key} == respelt
    other = await look(await make_database(sql=sql.replace("'y'", "'z'")))
    difference = await compare(expected, other, spellings=spellings)
    assert {change.key.name for change in difference.changes} == respelt
    assert not list_noted(difference)
