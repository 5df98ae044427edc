"""Rows without a parent, repaired on a real server: dry, applied, refused, never half."""

import asyncio
import uuid

import asyncpg
import pytest

from monitor.core.errors import LookError, Refused, UsageError, WriteError
from monitor.core.quoting import quote_ident
from monitor.core.relation_text import parse_relation
from monitor.remedy.repair.wish import Outcome
from monitor.sources.engine import Cluster
from monitor.sources.postgres import Deadlines
from tests.conftest import MakeDatabase
from tests.remedy.repair.rows import acts, ask, bring_back, dump, find, mend, reasons
from tests.sources.looking import name_of, run
from tests.sources.peers import socket_url, until, weak_role

SHOP = """
create table users (id int primary key, name text not null default 'ghost', team int);
create table orders (id int primary key, user_id int, note text);
create table items (id int primary key, order_id int references orders on delete cascade);
create table parts (id int primary key, item_id int references items on delete cascade);
insert into users values (1, 'ann', 1), (2, 'bob', 2);
insert into orders select n, n, 'note ' || n from generate_series(1, 5) n;
insert into items select n, n from generate_series(1, 4) n;
insert into parts select n, 3 from generate_series(1, 2) n;
alter table orders add constraint orders_user foreign key (user_id) references users not valid;
"""
ORPHANS = (
    "select count(*) from orders o where not exists (select from users u where u.id = user_id)"
)


@pytest.fixture
async def shop(make_database: MakeDatabase) -> str:
    return await make_database(sql=SHOP)


@pytest.mark.parametrize("strategy", ["quarantine", "delete", "nullify", "adopt"])
async def test_nothing_is_written_unless_it_is_told_to(shop: str, strategy: str) -> None:
    before = await dump(shop)
    done = await mend(shop, "orders_user", strategy, apply=False, with_dependents=True)
    assert (done.applied, done.refused, done.batch) == (False, (), None)
    assert done.statements
    assert sum(act.rows for act in done.rows) == {"nullify": 3, "adopt": 3}.get(strategy, 7)
    assert await dump(shop) == before
    assert await ask(shop, "select to_regnamespace('anchorwatch_quarantine') is null")


async def test_a_quarantine_with_a_grandchild_is_undone_as_it_was(shop: str) -> None:
    before = await dump(shop)
    done = await mend(shop, "orders_user", "quarantine", with_dependents=True, reason="old import")
    assert acts(done) == [
        ("public.orders", "quarantine", 3),
        ("public.items", "quarantine", 2),
        ("public.parts", "quarantine", 2),
    ]
    assert (done.applied, done.batch, done.remaining) == (True, 1, 0)
    assert await ask(shop, "select count(*) from orders") == 2
    assert await ask(shop, "select count(*) from parts") == 0
    told = "select relation || reason || version || kept from anchorwatch_quarantine.batches"
    assert await ask(shop, told) == "orders_userold import17"
    dry = await bring_back(shop, 1, apply=False)
    assert (dry.applied, acts(dry)) == (
        False,
        [
            ("public.orders", "restore", 3),
            ("public.items", "restore", 2),
            ("public.parts", "restore", 2),
        ],
    )
    assert await ask(shop, "select count(*) from orders") == 2
    await run(shop, "alter table orders drop constraint orders_user")
    assert (await bring_back(shop, 1)).applied
    assert await dump(shop) == before
    again = await bring_back(shop, 1)
    assert not again.applied
    assert "Batch 1 was undone at" in reasons(again)
    assert await dump(shop) == before


async def test_a_key_that_holds_what_is_new_stands_against_undoing(shop: str) -> None:
    """NOT VALID keys hold for rows that come: they come back once the key does not hold them."""
    await mend(shop, "orders_user", "quarantine", with_dependents=True)
    before = await dump(shop)
    done = await bring_back(shop, 1)
    assert not done.applied
    assert 'violates foreign key constraint "orders_user"' in reasons(done)
    assert await dump(shop) == before
    await run(shop, "insert into users select generate_series(3, 5)")
    assert (await bring_back(shop, 1)).applied
    assert await ask(shop, "select count(*) from parts") == 2


@pytest.mark.parametrize("strategy", ["quarantine", "delete"])
async def test_rows_that_a_cascade_would_take_need_to_be_asked_for(
    shop: str, strategy: str
) -> None:
    before = await dump(shop)
    for apply in (False, True):
        done = await mend(shop, "orders_user", strategy, apply=apply)
        assert reasons(done) == (
            "A cascade would take 4 rows along: 2 of public.items, 2 of public.parts."
        )
        assert not done.applied
    assert await dump(shop) == before


async def test_delete_takes_the_closure(shop: str) -> None:
    done = await mend(shop, "orders_user", "delete", with_dependents=True)
    assert (done.applied, done.batch) == (True, None)
    assert await dump(shop) == {
        "items": ["(1,1)", "(2,2)"],
        "orders": ['(1,1,"note 1")', '(2,2,"note 2")'],
        "parts": [],
        "users": ["(1,ann,1)", "(2,bob,2)"],
    }


async def test_nullify_keeps_the_rows(shop: str) -> None:
    done = await mend(shop, "orders_user", "nullify")
    assert acts(done) == [("public.orders", "nullify", 3)]
    assert await ask(shop, "select count(*) from orders where user_id is null") == 3
    assert await ask(shop, "select count(*) from parts") == 2
    nothing = await mend(shop, "orders_user", "nullify")
    assert (nothing.applied, nothing.rows, nothing.refused) == (True, (), ())


async def test_adopt_makes_the_parents(shop: str) -> None:
    await run(shop, "alter table orders disable trigger all; insert into orders values (9, 5)")
    done = await mend(shop, "orders_user", "adopt", values=(("team", "7"), ("name", "it's {0}%")))
    assert acts(done) == [("public.users", "adopt", 3)]
    assert (
        await ask(shop, "select count(*) from users where team = 7 and name = 'it''s {0}%'") == 3
    )
    assert await ask(shop, ORPHANS) == 0


@pytest.mark.parametrize(
    ("change", "values", "words"),
    [
        ("alter team set not null", (), "needs values for team"),
        ("add constraint c check (team > 0)", (("team", "0"),), "check constraint"),
        ("add constraint u unique (team)", (("team", "9"),), "unique constraint"),
        ("add x int", (("y", "1"),), "has no column y"),
        ("add x int", (("id", "1"),), "has no column id"),
        ("add x int generated always as (id) stored", (("x", "1"),), "has no column x"),
    ],
)
async def test_parents_that_cannot_be_are_refused(
    shop: str, change: str, values: tuple[tuple[str, str], ...], words: str
) -> None:
    await run(shop, f"alter table users {change}")
    before = await dump(shop)
    done = await mend(shop, "orders_user", "adopt", values=values)
    assert not done.applied
    assert words in reasons(done)
    assert await dump(shop) == before


async def test_values_that_are_none_are_told_without_them(shop: str) -> None:
    before = await dump(shop)
    with pytest.raises(WriteError, match="22P02") as caught:
        await mend(shop, "orders_user", "adopt", values=(("team", "s3cret"),))
    assert "s3cret" not in str(caught.value)
    assert "Nothing was changed." in str(caught.value)
    assert await dump(shop) == before


async def test_more_rows_than_allowed_are_refused_with_their_number(shop: str) -> None:
    before = await dump(shop)
    for limit, words in [
        (2, "3 rows would be changed, and --max-rows is 2."),
        (6, "7 rows would be changed, and --max-rows is 6."),
        (4, "at least 5 rows would be changed, and --max-rows is 4."),
    ]:
        done = await mend(shop, "orders_user", "quarantine", max_rows=limit, with_dependents=True)
        assert words in reasons(done)
    assert await dump(shop) == before
    done = await mend(shop, "orders_user", "quarantine", max_rows=7, with_dependents=True)
    assert done.applied


@pytest.mark.parametrize("action", ["set null", "set default"])
async def test_rows_that_would_lose_their_reference_are_counted(shop: str, action: str) -> None:
    await run(
        shop,
        "create table bills (id int primary key, order_id int default 1);"
        "insert into bills values (1, 3), (2, 3), (3, 4), (4, 1);"
        f"alter table bills add foreign key (order_id) references orders on delete {action}",
    )
    before = await dump(shop)
    done = await mend(shop, "orders_user", "quarantine", with_dependents=True)
    assert f"would {action} of 3 rows of public.bills" in reasons(done)
    done = await mend(shop, "orders_user", "delete", max_rows=9, with_dependents=True)
    assert "10 rows would be changed" in reasons(done)
    assert f"would {action}" in reasons(await mend(shop, "orders_user", "delete"))
    assert await dump(shop) == before
    done = await mend(shop, "orders_user", "delete", with_dependents=True)
    assert ("public.bills", action, 3) in acts(done)
    value, count = ("null", 3) if "null" in action else ("1", 4)
    lost = f"select count(*) from bills where order_id is not distinct from {value}"
    assert await ask(shop, lost) == count


@pytest.mark.parametrize(
    "action", ["no action", "restrict", "no action deferrable initially deferred"]
)
async def test_rows_that_may_not_lose_their_parent_stand_against_it(
    shop: str, action: str
) -> None:
    words = action.split(" deferrable")
    clause = f"on delete {words[0]}{' deferrable' + words[1] if words[1:] else ''}"
    await run(
        shop,
        "create table bills (id int primary key, order_id int, constraint bills_order "
        f"foreign key (order_id) references orders {clause}); insert into bills values (1, 3)",
    )
    before = await dump(shop)
    for strategy in ("quarantine", "delete"):
        done = await mend(shop, "orders_user", strategy, with_dependents=True)
        assert "1 row of public.bills reference them by bills_order" in reasons(done)
    assert await dump(shop) == before
    assert (await mend(shop, "orders_user", "nullify")).applied


async def test_triggers_need_to_be_allowed(shop: str) -> None:
    await run(
        shop,
        "create table log (what text);"
        "create function f() returns trigger language plpgsql as "
        "$$ begin insert into log values (tg_op); return null; end $$;"
        "create trigger noted after delete or update on parts for each row execute function f();"
        "create trigger told after insert on parts for each statement execute function f()",
    )
    before = await dump(shop)
    done = await mend(shop, "orders_user", "quarantine", with_dependents=True)
    assert reasons(done) == "Triggers would fire: public.parts.noted."
    assert await dump(shop) == before
    done = await mend(shop, "orders_user", "quarantine", with_dependents=True, fire_triggers=True)
    assert done.applied
    assert acts(done)[3:] == [("public.log", "trigger insert", 2)]
    await run(shop, "alter table orders drop constraint orders_user")
    done = await bring_back(shop, 1)
    assert reasons(done) == "Triggers would fire: public.parts.told."
    assert (await bring_back(shop, 1, fire_triggers=True)).applied
    after = await dump(shop)
    assert {**after, "log": []} == before
    assert after["log"] == ["(DELETE)", "(DELETE)", "(INSERT)"]


async def test_a_trigger_of_statements_fires_where_a_cascade_finds_nothing(shop: str) -> None:
    await run(
        shop,
        "create function f() returns trigger language plpgsql as 'begin return null; end';"
        "delete from parts;"
        "create trigger t before delete on parts for each statement execute function f()",
    )
    done = await mend(shop, "orders_user", "delete", with_dependents=True)
    assert reasons(done) == "Triggers would fire: public.parts.t."
    await run(shop, "alter table parts disable trigger t")
    assert (await mend(shop, "orders_user", "delete", with_dependents=True)).applied


@pytest.mark.parametrize(
    "body",
    [
        "delete from users where id = 8; return old;",
        "update users set name = 'x' where id = 8; return old;",
        "return null;",
    ],
)
async def test_what_a_trigger_would_lose_takes_the_quarantine_back(shop: str, body: str) -> None:
    await run(
        shop,
        f"create function f() returns trigger language plpgsql as $$ begin {body} end $$;"
        "create trigger t before delete on orders for each row execute function f();"
        "insert into users values (8)",
    )
    before = await dump(shop)
    with pytest.raises(WriteError, match=r"rows would (not )?be changed"):
        await mend(shop, "orders_user", "quarantine", with_dependents=True, fire_triggers=True)
    assert await dump(shop) == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("alter table orders alter user_id set not null", "is NOT NULL"),
        (
            (
                "alter table orders drop constraint orders_pkey cascade;"
                "alter table orders add primary key (id, user_id)"
            ),
            "part of the primary key",
        ),
        (
            (
                "alter table orders add unique (user_id);"
                "create table x (u int references orders (user_id))"
            ),
            "references columns",
        ),
    ],
)
async def test_columns_that_cannot_be_null_are_refused(shop: str, change: str, words: str) -> None:
    await run(shop, change)
    before = await dump(shop)
    done = await mend(shop, "orders_user", "nullify")
    assert words in reasons(done)
    assert await dump(shop) == before


async def test_match_full_sets_all_columns_to_null(make_database: MakeDatabase) -> None:
    url = await make_database(
        sql="""create table p (a int, b int, n int default 0, primary key (a, b));
        create table c (id int primary key, a int, b int);
        insert into p values (1, 1);
        insert into c values (1, 1, 1), (2, 1, 2), (3, null, 1), (4, null, null), (5, 1, 2);
        alter table c add constraint k foreign key (a, b) references p match full not valid"""
    )
    done = await mend(url, "k", "adopt")
    assert "MATCH FULL" in reasons(done)
    done = await mend(url, "k", "nullify")
    assert acts(done) == [("public.c", "nullify", 3)]
    assert (await dump(url))["c"] == ["(1,1,1)", "(2,,)", "(3,,)", "(4,,)", "(5,,)"]


async def test_composite_keys_are_adopted_once_each(make_database: MakeDatabase) -> None:
    url = await make_database(
        sql="""create table p (a int, b varchar(3), n int generated always as identity,
          primary key (a, b));
        create table c (id int primary key, a bigint, b text);
        insert into p values (1, 'x');
        insert into c values (1, 1, 'x'), (2, 1, 'y'), (3, null, 'z'), (4, 2, 'x'), (5, 1, 'y')"""
    )
    relation = parse_relation("c(a, b) -> p(a, b)")
    done = await mend(url, relation, "adopt")
    assert acts(done) == [("public.p", "adopt", 2)]
    keys = "select string_agg(a || b, ' ' order by a, b) from p"
    assert await ask(url, keys) == "1x 1y 2x"
    await run(url, "insert into c values (6, 1, 'toolong')")
    with pytest.raises(WriteError, match="22001"):
        await mend(url, relation, "adopt")


HOSTILE = """
create schema "s ""x{0}%";
create table "s ""x{0}%"."p'%s" ("k ""{}" int primary key);
create table "s ""x{0}%"."c $$ {1}" ("id%" int primary key, "f {k}" int, "t\\" text);
create table "s ""x{0}%"."g;--" (id int primary key, "o'" int);
alter table "s ""x{0}%"."g;--" add foreign key ("o'")
  references "s ""x{0}%"."c $$ {1}" on delete cascade;
insert into "s ""x{0}%"."c $$ {1}" values (1, 7, 'a"b\\c,()'), (2, null, ''), (3, 7, null);
insert into "s ""x{0}%"."g;--" values (1, 1), (2, 1), (3, 2);
alter table "s ""x{0}%"."c $$ {1}" add constraint "k ""{2}%s"
  foreign key ("f {k}") references "s ""x{0}%"."p'%s" not valid
"""


async def test_names_may_hold_anything(make_database: MakeDatabase) -> None:
    url = await make_database(sql=HOSTILE)
    before = await dump(url)
    name = 'k "{2}%s'
    done = await mend(url, name, "quarantine", with_dependents=True)
    assert [act.rows for act in done.rows] == [2, 2]
    await run(url, 'alter table "s ""x{0}%"."c $$ {1}" drop constraint "k ""{2}%s"')
    assert (await bring_back(url, 1)).applied
    assert await dump(url) == before
    relation = parse_relation('"s ""x{0}%"."c $$ {1}"."f {k}" -> "s ""x{0}%"."p\'%s"."k ""{}"')
    assert (await mend(url, relation, "adopt")).applied
    await run(url, '''delete from "s ""x{0}%"."p'%s"''')
    assert (await mend(url, relation, "nullify")).applied


PARTED = """
create table users (id int primary key);
create table orders (id int, day int, user_id int,
  g int generated always as (id * 2) stored, primary key (id, day))
  partition by range (day);
create table orders_1 partition of orders for values from (0) to (10);
create table orders_2 (day int not null, gone int, user_id int, id int not null,
  g int generated always as (id * 2) stored);
alter table orders_2 drop gone;
alter table orders attach partition orders_2 for values from (10) to (20);
create table items (id int primary key, order_id int, day int,
  foreign key (order_id, day) references orders on delete cascade);
insert into users values (1);
insert into orders (id, day, user_id) select n, n, n % 3 from generate_series(1, 18) n;
insert into items select n, n, n from generate_series(1, 18) n;
"""


async def test_partitions_are_repaired_through_their_table(make_database: MakeDatabase) -> None:
    url = await make_database(sql=PARTED)
    before = await dump(url)
    done = await mend(url, "orders.user_id -> users.id", "quarantine", with_dependents=True)
    assert acts(done) == [("public.orders", "quarantine", 12), ("public.items", "quarantine", 12)]
    assert (await bring_back(url, 1)).applied
    assert await dump(url) == before
    assert (await mend(url, "orders.user_id -> users.id", "nullify")).applied
    assert await ask(url, "select count(*) from orders_2 where user_id is null") == 6
    done = await mend(url, "orders.day -> users.id", "nullify")
    assert "of the primary key" in reasons(done)


async def test_a_partition_may_be_named_itself(make_database: MakeDatabase) -> None:
    url = await make_database(
        sql=PARTED + "create table people (id int primary key) partition by range (id);"
        "create table people_1 partition of people for values from (0) to (99);"
        "create table marks (id int primary key, people_id int references people_1)"
    )
    before = await dump(url)
    relation = "orders_2.user_id -> users.id"
    done = await mend(url, relation, "quarantine", with_dependents=True)
    assert acts(done) == [("public.orders", "quarantine", 6), ("public.items", "quarantine", 6)]
    assert (await bring_back(url, 1)).applied
    assert await dump(url) == before
    assert acts(await mend(url, relation, "nullify")) == [("public.orders", "nullify", 6)]
    assert await ask(url, "select count(*) from orders_1 where user_id is null") == 0
    done = await mend(url, "items.order_id -> people_1.id", "adopt")
    assert acts(done) == [("public.people_1", "adopt", 18)]
    await run(url, "insert into marks values (1, 3)")
    done = await mend(url, "people.id -> users.id", "delete")
    assert "1 row of public.marks reference them by marks_people_id_fkey" in reasons(done)


async def test_heirs_are_repaired_where_their_rows_are(make_database: MakeDatabase) -> None:
    url = await make_database(
        sql="""create table p (id int primary key); create table c (id int, p_id int);
        create table d (more text) inherits (c);
        insert into c values (1, 1); insert into d values (2, 2, 'x')"""
    )
    before = await dump(url)
    done = await mend(url, "c.p_id -> p.id", "quarantine")
    assert acts(done) == [("public.c", "quarantine", 1), ("public.d", "quarantine", 1)]
    assert (await bring_back(url, 1)).applied
    assert await dump(url) == before


async def test_a_table_that_references_itself_cascades(make_database: MakeDatabase) -> None:
    url = await make_database(
        sql="""create table t (id int primary key, up int);
        insert into t values (1, 9), (2, 1), (3, 2), (4, 4), (5, 6), (6, 5), (7, null);
        alter table t add constraint up foreign key (up) references t
          on delete cascade not valid"""
    )
    before = await dump(url)
    done = await mend(url, "up", "quarantine", with_dependents=True)
    assert acts(done) == [("public.t", "quarantine", 3)]
    await run(url, "alter table t drop constraint up")
    assert (await bring_back(url, 1)).applied
    assert await dump(url) == before
    done = await mend(url, "t.up -> t.id", "delete")
    assert (done.remaining, acts(done)) == (1, [("public.t", "delete", 1)])


@pytest.mark.parametrize("action", ["set null", "set default", "no action", "restrict"])
async def test_keys_that_disagree_are_not_decided_between(shop: str, action: str) -> None:
    """Which of the two acts first is the server's to choose, and a row more could be lost."""
    await run(
        shop, f"alter table items add foreign key (order_id) references orders on delete {action}"
    )
    before = await dump(shop)
    done = await mend(shop, "orders_user", "delete", with_dependents=True)
    assert "which another key on the same columns would take" in reasons(done)
    assert await dump(shop) == before


async def test_cycles_end(make_database: MakeDatabase) -> None:
    url = await make_database(
        sql="""create table u (id int primary key);
        create table a (id int primary key, b int, u int);
        create table b (id int primary key, a int not null references a on delete cascade);
        insert into a values (1, null, 5), (2, null, null); insert into b values (1, 1), (2, 2);
        alter table a add foreign key (b) references b on delete cascade; update a set b = id;
        alter table b add k int references a on delete restrict; update b set k = a"""
    )
    before = await dump(url)
    done = await mend(url, "a.u -> u.id", "quarantine", with_dependents=True)
    assert acts(done) == [("public.a", "quarantine", 1), ("public.b", "quarantine", 1)]
    assert (await bring_back(url, 1)).applied
    assert await dump(url) == before


async def test_what_comes_back_is_held_against_what_is_there(shop: str) -> None:
    await mend(shop, "orders_user", "quarantine", with_dependents=True)
    await run(shop, "alter table orders drop constraint orders_user")
    await run(shop, "insert into orders values (3, 1, 'new')")
    for apply in (False, True):
        done = await bring_back(shop, 1, apply=apply)
        assert reasons(done) == (
            "public.orders has 1 rows again with the same id (public.orders_pkey)."
        )
    await run(shop, "delete from orders where id = 3; alter table orders drop note")
    done = await bring_back(shop, 1)
    assert "public.orders has no column note" in reasons(done)
    await run(shop, "alter table orders add note text; alter table parts rename to gone")
    assert "There is no table public.parts any more." in reasons(await bring_back(shop, 1))
    await run(shop, "alter table gone rename to parts; alter table parts add extra int default 4")
    assert (await bring_back(shop, 1)).applied
    assert await ask(shop, "select sum(extra) from parts") == 8


async def test_rows_that_are_gone_from_the_quarantine_stand_against_undoing(shop: str) -> None:
    await mend(shop, "orders_user", "quarantine", with_dependents=True)
    await run(shop, "delete from anchorwatch_quarantine.rows where number = 1")
    assert "kept 7 rows, and 6 of them are left" in reasons(await bring_back(shop, 1))


async def test_there_is_no_such_batch(shop: str) -> None:
    with pytest.raises(UsageError, match="There is no batch 1"):
        await bring_back(shop, 1)
    await mend(shop, "orders_user", "quarantine", with_dependents=True)
    with pytest.raises(UsageError, match="There is no batch 2"):
        await bring_back(shop, 2)


@pytest.mark.parametrize(
    "lock",
    ["lock table parts in row exclusive mode", "select from orders where id = 3 for update"],
)
@pytest.mark.parametrize("strategy", ["quarantine", "delete"])
async def test_a_lock_that_is_not_had_changes_nothing(shop: str, lock: str, strategy: str) -> None:
    before = await dump(shop)
    other = await asyncpg.connect(shop)
    async with other.transaction():
        await other.execute(lock)
        with pytest.raises(WriteError, match="has a lock on what was to be changed") as caught:
            await mend(shop, "orders_user", strategy, with_dependents=True)
    await other.close()
    assert "Nothing was changed." in str(caught.value)
    assert await dump(shop) == before
    assert (await mend(shop, "orders_user", strategy, with_dependents=True)).applied


async def test_rows_that_come_meanwhile_are_waited_for(shop: str) -> None:
    """Who references an orphan while it is looked at is seen, or waits."""
    other = await asyncpg.connect(shop)
    transaction = other.transaction()
    await transaction.start()
    await other.execute("insert into parts values (77, 4)")
    with pytest.raises(WriteError):
        await mend(shop, "orders_user", "delete", with_dependents=True)
    await transaction.commit()
    await other.close()
    done = await mend(shop, "orders_user", "delete", with_dependents=True)
    assert ("public.parts", "delete", 3) in acts(done)


async def test_tables_that_change_before_they_are_locked_are_left(shop: str) -> None:
    other = await asyncpg.connect(shop)
    transaction = other.transaction()
    await transaction.start()
    await other.execute("alter table parts add more int default 7")
    repairing = asyncio.create_task(
        mend(
            shop,
            await find(shop, "orders_user"),
            "quarantine",
            with_dependents=True,
            deadlines=Deadlines(lock_seconds=20),
        )
    )
    waiting = "select count(*) from pg_locks where not granted and database = (select oid from "
    waiting += "pg_database where datname = current_database())"
    await until(lambda: other.fetchval(waiting))
    await transaction.commit()
    with pytest.raises(WriteError, match="The tables changed before they were locked"):
        await repairing
    await other.close()
    assert (await mend(shop, "orders_user", "quarantine", with_dependents=True)).applied


async def test_tables_of_another_version_are_not_used(shop: str) -> None:
    await mend(shop, "orders_user", "quarantine", with_dependents=True)
    await run(
        shop,
        "alter table anchorwatch_quarantine.rows add more int",
        "alter table orders disable trigger all; insert into orders values (9, 9)",
    )
    done = await mend(shop, "orders_user", "quarantine")
    assert "are not as this version makes them" in reasons(done)
    await run(
        shop,
        "alter table anchorwatch_quarantine.rows drop more",
        "create trigger t before insert on anchorwatch_quarantine.rows for each row execute "
        "function suppress_redundant_updates_trigger()",
    )
    done = await mend(shop, "orders_user", "quarantine")
    assert "act on its tables" in reasons(done)


async def test_privileges_that_are_missing_are_named(
    server: Cluster, make_database: MakeDatabase
) -> None:
    url = await make_database(sql=SHOP)
    async with weak_role(server, url) as role:
        other, name = socket_url(server, url, role), quote_ident(role)
        await run(url, f"grant select on all tables in schema public to {name}")
        with pytest.raises(Refused, match=r"UPDATE on public.users") as caught:
            await mend(url, "orders_user", "delete", apply=False, by=other)
        assert "DELETE on public.orders" in str(caught.value)
        await run(url, f"grant update, delete on all tables in schema public to {name}")
        done = await mend(url, "orders_user", "quarantine", by=other, with_dependents=True)
        assert "may not make the schema" in reasons(done)
        await run(url, "alter table items enable row level security")
        with pytest.raises(LookError, match="row-level security") as refused:
            await mend(url, "orders_user", "delete", apply=False, by=other)
        assert "BYPASSRLS" in refused.value.next_step
        with pytest.raises(WriteError, match="row-level security"):
            await mend(url, "orders_user", "delete", by=other, with_dependents=True)
        await run(url, "alter table items disable row level security")
        assert (await mend(url, "orders_user", "delete", by=other, with_dependents=True)).applied


async def test_a_role_needs_no_right_to_partitions(
    server: Cluster, make_database: MakeDatabase
) -> None:
    url = await make_database(sql=PARTED)
    async with weak_role(server, url) as role:
        name = quote_ident(role)
        await run(
            url,
            f"grant select, insert, update, delete on users, orders, items to {name}",
            f"grant create on database {quote_ident(name_of(url))} to {name}",
        )
        other = socket_url(server, url, role)
        before = await dump(url)
        done = await mend(
            url, "orders.user_id -> users.id", "quarantine", by=other, with_dependents=True
        )
        assert done.applied
        assert await ask(url, "select who from anchorwatch_quarantine.batches") == role
        done = await bring_back(other, 1)
        assert done.applied
        assert await dump(url) == before


async def test_the_repair_url_leads_to_the_watched_database(
    make_database: MakeDatabase, other_server: Cluster
) -> None:
    url = await make_database(sql=SHOP)
    elsewhere = await make_database(sql=SHOP)
    for by in (elsewhere, other_server.url()):
        with pytest.raises(UsageError, match="does not lead to the watched database"):
            await mend(url, "orders_user", "delete", by=by)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("create rule r as on delete to orders do also select 1", "A rule rewrites"),
        ("create rule r as on delete to parts do instead nothing", "A rule rewrites"),
        ("alter database {d} set session_replication_role = replica", "session_replication_role"),
        ("alter database {d} set track_counts = off", "track_counts is off"),
    ],
)
async def test_what_cannot_be_relied_on_is_refused(shop: str, change: str, words: str) -> None:
    name = quote_ident(await ask(shop, "select current_database()"))
    await run(shop, change.replace("{d}", name))
    before = await dump(shop)
    done: Outcome = await mend(shop, "orders_user", "delete", with_dependents=True)
    assert words in reasons(done)
    assert await dump(shop) == before


async def test_views_are_no_tables(shop: str) -> None:
    await run(shop, "create view v as select * from orders")
    done = await mend(shop, "v.user_id -> users.id", "delete")
    assert "is no plain table" in reasons(done)


async def test_a_quarantine_of_somebody_elses_is_not_used(
    server: Cluster, make_database: MakeDatabase
) -> None:
    url = await make_database(sql=SHOP)
    async with weak_role(server, url) as role:
        await run(url, f"create schema anchorwatch_quarantine authorization {quote_ident(role)}")
        done = await mend(url, "orders_user", "quarantine", with_dependents=True)
        assert "belongs to somebody else" in reasons(done)
        await run(url, "drop schema anchorwatch_quarantine cascade")


async def test_a_value_that_does_not_come_back_takes_the_quarantine_back(shop: str) -> None:
    """A domain that its own rows no longer keep: their text is read as no such value."""
    await run(
        shop,
        "create domain d as int; alter table orders add x d; update orders set x = id;"
        "alter domain d add constraint small check (value < 4) not valid",
    )
    before = await dump(shop)
    done = await mend(shop, "orders_user", "quarantine", with_dependents=True)
    assert "violates check constraint" in reasons(done)
    assert await dump(shop) == before


async def test_only_rows_of_the_condition_are_repaired(shop: str) -> None:
    relation = parse_relation("orders.user_id -> users.id", where="id > 4")
    assert acts(await mend(shop, relation, "delete")) == [("public.orders", "delete", 1)]
    assert await ask(shop, ORPHANS) == 2


FIRING = """
create table precious (x int); insert into precious select generate_series(1, 20);
create function act() returns trigger language plpgsql as $$ begin {0}; return null; end $$;
create trigger acts after delete on orders for each statement execute function act();
"""


@pytest.mark.parametrize("strategy", ["quarantine", "delete"])
@pytest.mark.parametrize(
    "what",
    [
        "truncate public.precious",
        "alter table public.precious drop column x",
        "drop table public.precious",
        "perform lo_create(0)",
    ],
)
async def test_a_trigger_may_not_do_what_no_count_of_rows_tells(
    make_database: MakeDatabase, strategy: str, what: str
) -> None:
    url = await make_database(sql=f"{SHOP} {FIRING.format(what)}")
    before = await dump(url)
    with pytest.raises(WriteError, match="no count of rows tells"):
        await mend(url, "orders_user", strategy, fire_triggers=True, with_dependents=True)
    assert await dump(url) == before


async def test_what_triggers_take_counts_for_the_most_rows(make_database: MakeDatabase) -> None:
    url = await make_database(sql=f"{SHOP} {FIRING.format('delete from public.precious')}")
    before = await dump(url)
    with pytest.raises(WriteError, match="--max-rows is 10"):
        await mend(
            url, "orders_user", "delete", fire_triggers=True, with_dependents=True, max_rows=10
        )
    assert await dump(url) == before
    done = await mend(
        url, "orders_user", "delete", fire_triggers=True, with_dependents=True, max_rows=100
    )
    assert ("public.precious", "trigger delete", 20) in acts(done)


async def test_what_a_change_of_a_change_would_reach_is_refused(
    make_database: MakeDatabase,
) -> None:
    """SET NULL of a column that others reference with ON UPDATE CASCADE goes on to them."""
    url = await make_database(
        sql=f"{SHOP} create table c (id int primary key, oid int unique references orders "
        "on delete set null); insert into c select id, id from orders;"
        "create table d (id int primary key, cid int, constraint onward foreign key (cid) "
        "references c (oid) on update cascade); insert into d select id, id from orders;"
    )
    refused = await mend(url, "orders_user", "delete", with_dependents=True)
    assert not refused.applied
    assert "set null" in reasons(refused)
    assert "which onward reference" in reasons(refused)


async def test_nobody_is_let_into_the_quarantine_by_default(make_database: MakeDatabase) -> None:
    url = await make_database(sql=SHOP)
    name = f"snoop_{uuid.uuid4().hex[:8]}"
    await run(
        url,
        f"create role {name}",
        f"alter default privileges grant select on tables to {name}, public",
        f"alter default privileges grant usage on sequences to {name}",
        f"alter default privileges grant usage on schemas to {name}",
    )
    try:
        assert (await mend(url, "orders_user", "quarantine", with_dependents=True)).applied
        seen = await ask(
            url,
            f"select has_schema_privilege('{name}', 'anchorwatch_quarantine', 'usage') or "
            f"has_table_privilege('{name}', 'anchorwatch_quarantine.rows', 'select') or "
            f"has_table_privilege('{name}', 'anchorwatch_quarantine.batches', 'select')",
        )
        assert seen is False
    finally:
        await run(url, f"drop owned by {name}", f"drop role {name}")


@pytest.mark.parametrize("what", ["delete from anchorwatch_quarantine.rows", "truncate orders"])
async def test_triggers_do_not_take_what_was_kept(make_database: MakeDatabase, what: str) -> None:
    url = await make_database(sql=SHOP)
    one = parse_relation("orders.user_id -> users.id", where="id = 5")
    older = await mend(url, one, "quarantine")
    assert older.applied
    await run(url, FIRING.format(what).replace("act", "acted"))
    before = await dump(url)
    with pytest.raises(WriteError):
        await mend(url, "orders_user", "quarantine", fire_triggers=True, with_dependents=True)
    assert await dump(url) == before
    assert await ask(url, "select count(*) from anchorwatch_quarantine.rows") == 1


async def test_a_batch_comes_back_into_what_became_a_partition(
    make_database: MakeDatabase,
) -> None:
    url = await make_database(
        sql="create table users (id int primary key);"
        "create table orders (id int primary key, user_id int); insert into orders values (1, 7)"
    )
    relation = "orders.user_id -> users.id"
    assert (await mend(url, relation, "quarantine")).applied
    await run(
        url,
        "create table every (id int not null, user_id int) partition by range (id)",
        "alter table every attach partition orders for values from (0) to (100)",
    )
    assert (await bring_back(url, 1)).applied
    assert await ask(url, "select count(*) from orders where user_id = 7") == 1


async def test_checks_find_what_they_mention_when_a_batch_comes_back(
    make_database: MakeDatabase,
) -> None:
    url = await make_database(
        sql="create table settings (most int); insert into settings values (100);"
        "create function fits(int) returns bool language plpgsql as "
        "$$ begin return $1 < (select most from settings); end $$;"
        "create table users (id int primary key);"
        "create table orders (id int primary key check (fits(id)), user_id int);"
        "insert into orders values (1, 7)"
    )
    assert (await mend(url, "orders.user_id -> users.id", "quarantine")).applied
    assert (await bring_back(url, 1)).applied


@pytest.mark.parametrize(
    "where", ["id > all (select 4 from items)", "no_such(id)", "sum(id) > 1", "deletd_at is null"]
)
async def test_a_condition_that_cannot_be_used_is_the_first_suspect(shop: str, where: str) -> None:
    relation = parse_relation("orders.user_id -> users.id", where=where)
    with pytest.raises(LookError) as caught:
        await mend(shop, relation, "delete", apply=False)
    assert where in caught.value.next_step
