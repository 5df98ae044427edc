"""No foreign key takes or changes a row that was not named, whatever triggers fire besides."""

import pytest

from monitor.core.errors import WriteError
from tests.conftest import MakeDatabase
from tests.remedy.repair.rows import acts, ask, dump, mend, reasons
from tests.sources.looking import run

BLANKS = """
create table p (id int primary key);
create table c (code char(3) primary key, pid int, v text);
create table g (id int primary key, code text,
  constraint g_c foreign key (code) references c on delete {0});
insert into c values ('ab', 5, 'x');
alter table c add constraint c_p foreign key (pid) references p not valid;
insert into g values (2, 'ab '), (3, 'ab  ');
create table log (x text);
create function note() returns trigger language plpgsql as
  $$ begin insert into public.log values (tg_op); return null; end $$;
create trigger noted after delete on c for each row execute function note();
"""


async def test_rows_are_compared_as_the_key_compares_them(make_database: MakeDatabase) -> None:
    """A text references a char(n) whatever blanks it ends with."""
    url = await make_database(sql=BLANKS.format("cascade"))
    before = await dump(url)
    for apply in (False, True):
        done = await mend(url, "c_p", "delete", apply=apply, fire_triggers=True)
        assert reasons(done) == "A cascade would take 2 rows along: 2 of public.g."
    assert await dump(url) == before
    done = await mend(url, "c_p", "delete", fire_triggers=True, with_dependents=True)
    assert acts(done) == [
        ("public.c", "delete", 1),
        ("public.g", "delete", 2),
        ("public.log", "trigger insert", 1),
    ]


async def test_references_that_would_be_set_to_null_are_compared_so(
    make_database: MakeDatabase,
) -> None:
    url = await make_database(sql=BLANKS.format("set null"))
    done = await mend(url, "c_p", "delete", fire_triggers=True)
    assert "g_c would set null of 2 rows of public.g" in reasons(done)


@pytest.mark.parametrize(
    ("parent", "child"),
    [
        ("int", "bigint"),
        ("numeric", "int"),
        ("varchar(9)", "text"),
        ("text", "char(4)"),
        ("int[]", "int[]"),
        ("d", "text"),
        ("int4range", "int4range"),
        ("mood", "mood"),
    ],
)
async def test_keys_of_any_types_are_followed(
    make_database: MakeDatabase, parent: str, child: str
) -> None:
    url = await make_database(
        sql="create domain d as varchar(7); create type mood as enum ('7');"
        f"create table p (id int primary key); create table c (k {parent} primary key, pid int);"
        f"create table g (id int primary key, k {child} references c on delete cascade)"
    )
    value = {"int[]": "{7}", "int4range": "[7,8)"}.get(parent, "7")
    await run(url, f"insert into c values ('{value}', 5)", f"insert into g values (1, '{value}')")
    done = await mend(url, "c.pid -> p.id", "delete", with_dependents=True)
    assert acts(done) == [("public.c", "delete", 1), ("public.g", "delete", 1)]


async def test_a_trigger_hides_nothing_that_a_cascade_might_take(
    make_database: MakeDatabase,
) -> None:
    """Who wrote where a cascade acts is not told: more than was planned is refused."""
    url = await make_database(
        sql=f"{BLANKS.format('cascade')} insert into c values ('cd');"
        "insert into g values (9, 'cd');"
        "create function more() returns trigger language plpgsql as "
        "$$ begin delete from public.g where id = 9; return null; end $$;"
        "create trigger more after delete on c for each row execute function more()"
    )
    before = await dump(url)
    with pytest.raises(WriteError, match=r"delete of 1 more in public\.g"):
        await mend(url, "c_p", "delete", fire_triggers=True, with_dependents=True)
    assert await dump(url) == before


async def test_what_is_computed_from_a_nullified_column_is_referenced_too(
    make_database: MakeDatabase,
) -> None:
    url = await make_database(
        sql="create table p (id int primary key); create table c (id int primary key, pid int, "
        "same int generated always as (id) stored unique, "
        "k int generated always as (coalesce(pid, 0)) stored unique); insert into c values (1, 9);"
        "create table g (id int primary key, k int constraint g_k references c (k) on update "
        "cascade); insert into g values (1, 9);"
        "create table h (k int constraint h_k references c (same)); insert into h values (1);"
        "create function f() returns trigger language plpgsql as 'begin return new; end';"
        "create trigger t before update on c for each row execute function f()"
    )
    before = await dump(url)
    done = await mend(url, "c.pid -> p.id", "nullify", fire_triggers=True)
    assert reasons(done) == "g_k references columns that would change."
    assert await dump(url) == before
    await run(url, "drop table g")
    assert (await mend(url, "c.pid -> p.id", "nullify", fire_triggers=True)).applied


async def test_what_is_computed_from_a_reference_is_referenced_too(
    make_database: MakeDatabase,
) -> None:
    url = await make_database(
        sql="create table p (id int primary key); create table c (id int primary key, pid int);"
        "insert into c values (1, 9); create table g (cid int references c on delete set null, "
        "k int generated always as (coalesce(cid, 0)) stored unique); insert into g values (1);"
        "create table h (k int constraint h_k references g (k) on update cascade)"
    )
    done = await mend(url, "c.pid -> p.id", "delete", apply=False, with_dependents=True)
    assert "of public.g, which h_k reference" in reasons(done)


async def test_rows_that_would_move_to_another_partition_are_refused(
    make_database: MakeDatabase,
) -> None:
    url = await make_database(
        sql="create table p (id int primary key); create table c (id int primary key, pid int);"
        "insert into c values (1, 9); create table g (id int, cid int references c on delete "
        "set null) partition by list (cid); create table g_1 partition of g for values in (1);"
        "create table g_2 partition of g default; insert into g values (1, 1)"
    )
    done = await mend(url, "c.pid -> p.id", "delete", apply=False, with_dependents=True)
    assert "and the column cid chooses the partition" in reasons(done)
    assert await ask(url, "select count(*) from g_1") == 1
