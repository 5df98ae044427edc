"""Rows without a parent, counted on a real server as a brute force counts them."""

import random
from collections.abc import Iterator
from typing import Any

import pytest

from monitor.core.errors import LookError, Refused
from monitor.core.keys import Kind, ObjectKey
from monitor.core.quoting import quote_ident
from monitor.core.relation import Origin, Relation, list_relations
from monitor.core.relation_text import parse_relation
from monitor.sources.dsn import parse_dsn
from monitor.sources.engine import Cluster
from monitor.sources.orphan_rows import Facts, count_chunk, count_rows, read_facts, sample_keys
from monitor.sources.postgres import connect
from tests.conftest import MakeDatabase
from tests.sources.looking import look, run
from tests.sources.peers import socket_url, weak_role


async def count(url: str, relation: Relation, *, chunk: int = 0) -> int:
    """How many there are, in one go or in chunks of that many rows."""
    async with connect(parse_dsn(url)[0]) as session, session.reading() as reader:
        facts = await read_facts(reader, relation)
        if not chunk:
            return await count_rows(reader, relation, facts)
        found, after = 0, None
        while True:
            part = await count_chunk(reader, relation, facts, after=after, limit=chunk)
            found += part.orphans
            if part.rows < chunk:
                return found
            after = part.last


async def read(url: str, relation: Relation) -> Facts:
    async with connect(parse_dsn(url)[0]) as session, session.reading() as reader:
        return await read_facts(reader, relation)


FILLED = """
create table users (id int primary key, boss int, code text collate "C" unique);
create table orders (id int primary key, user_id bigint, "a{0}" varchar(9), shop int, note text);
insert into users values (1, null, 'a'), (2, 1, 'b'), (3, 9, 'c'), (4, 4, 'd');
insert into orders select n, nullif(n % 7, 0), chr(96 + n), n % 2, null
  from generate_series(1, 14) n;
create schema "odd "" schema";
create table "odd "" schema"."t.""x" ("k%s" int primary key, x int, y text);
insert into "odd "" schema"."t.""x"
  values (1, 1, 'a'), (2, 1, 'c'), (3, null, 'c'), (4, 2, null), (5, null, null);
create table pairs (x bigint, y varchar(3), primary key (x, y));
insert into pairs values (1, 'a'), (2, 'b');
"""


@pytest.mark.parametrize(
    ("text", "where", "orphans"),
    [
        ("orders.user_id -> users.id", "", 4),
        ("orders.user_id -> users.id", "id > 10 -- only the late ones", 2),
        ("users.id -> orders.user_id", "", 0),
        ("users.boss -> users.id", "", 1),
        ('orders."a{0}" -> users.code', "", 10),
        ('"odd "" schema"."t.""x"(x, y) -> pairs(x, y)', "", 1),
    ],
)
@pytest.mark.parametrize("chunk", [0, 1, 3, 100])
async def test_rows_without_a_parent_are_counted(
    make_database: MakeDatabase, text: str, where: str, orphans: int, chunk: int
) -> None:
    url = await make_database(sql=FILLED)
    assert await count(url, parse_relation(text, where=where), chunk=chunk) == orphans


async def test_a_parent_that_must_have_a_child_is_counted_the_other_way_round(
    make_database: MakeDatabase,
) -> None:
    url = await make_database(sql=FILLED + "delete from orders where user_id = 3")
    relation = parse_relation("orders.user_id -> users.id", is_reverse=True)
    assert relation.name == "(id) -> public.orders(user_id)"
    assert await count(url, relation) == 1


KEYS = """
create table parent (id int primary key, a int, b int, unique (a, b));
create table child (n int primary key, a int, b int, up int);
insert into parent values (1, 1, 1), (2, 1, 2);
insert into child values (1, 1, 1, null), (2, 1, 9, 1), (3, 1, null, 2), (4, null, null, 7);
"""


@pytest.mark.parametrize(
    ("constraint", "orphans"),
    [
        ("foreign key (a, b) references parent (a, b) not valid", 1),
        ("foreign key (a, b) references parent (a, b) match full not valid", 2),
        ("foreign key (up) references parent not valid", 1),
        ("foreign key (up) references child not valid", 1),
    ],
)
async def test_a_foreign_key_is_counted_as_the_server_would_check_it(
    make_database: MakeDatabase, constraint: str, orphans: int
) -> None:
    url = await make_database(sql=f"{KEYS}; alter table child add constraint c {constraint}")
    [relation] = list_relations(None, await look(url))
    assert relation.origin is Origin.NOT_VALID
    assert await count(url, relation) == await count(url, relation, chunk=2) == orphans
    with pytest.raises(Exception, match="violates foreign key"):
        await run(url, "alter table child validate constraint c")


async def test_a_key_that_is_promised_and_missing_is_counted(make_database: MakeDatabase) -> None:
    promised = "alter table child add constraint c foreign key (up) references parent"
    expected = await look(await make_database(sql=f"{KEYS.partition('insert')[0]} {promised}"))
    url = await make_database(sql=KEYS)
    [relation] = list_relations(expected, await look(url))
    assert (relation.name, relation.origin) == ("c", Origin.MISSING)
    assert await count(url, relation) == 1
    await run(url, "delete from child where up = 7", f"{promised.replace('constraint c', '')}")
    [relation] = list_relations(expected, await look(url))
    assert relation.origin is Origin.VALIDATED, "the same key under another name"
    await run(url, "alter table child drop up")
    assert list_relations(expected, await look(url)) == ()


async def test_a_restore_without_triggers_breaks_a_key_that_looks_right(
    make_database: MakeDatabase,
) -> None:
    url = await make_database(
        sql=f"{KEYS} delete from child where up = 7; alter table child add constraint c "
        "foreign key (up) references parent; set session_replication_role = replica; "
        "delete from parent where id = 1"
    )
    [relation] = list_relations(None, await look(url))
    assert relation.origin is Origin.VALIDATED
    assert await count(url, relation) == 1


async def test_partitions_count_and_heirs_do_not(make_database: MakeDatabase) -> None:
    url = await make_database(
        sql="""
        create table parent (id int primary key) partition by hash (id);
        create table parent_0 partition of parent for values with (modulus 1, remainder 0);
        create table child (id int, up int references parent) partition by range (id);
        create table child_1 partition of child for values from (1) to (9);
        create table child_2 partition of child for values from (9) to (19);
        insert into parent values (1);
        insert into child values (1, 1), (10, 1);
        create table plain (id int primary key, up int);
        create table heir () inherits (plain);
        insert into plain values (1, 1), (2, 5);
        insert into heir values (3, 6), (2, 2);
        alter table plain add constraint c foreign key (up) references plain not valid;
        set session_replication_role = replica;
        insert into child values (2, 7), (11, 8), (12, null);
        """
    )
    named = {relation.name: relation for relation in list_relations(None, await look(url))}
    assert await count(url, named["child_up_fkey"]) == 2
    assert await count(url, named["c"]) == 1
    assert await count(url, parse_relation("plain.up -> plain.id")) == 2


@pytest.mark.parametrize(
    ("child", "parent", "extra"),
    [
        ("text", "varchar(20)", ""),
        ("char(9)", "text", ""),
        ("smallint", "bigint", ""),
        ("int", "numeric(9, 2)", ""),
        ("public.d", "int", "create domain d as int;"),
        ("int", "public.d", "create domain d as int;"),
        ("public.e", "public.e", "create type e as enum ('1', '2', '3');"),
        ("uuid", "uuid", ""),
        ("timestamptz", "timestamptz", ""),
        ("inet", "inet", ""),
        ('text collate "C"', 'text collate "POSIX"', ""),
        ("int[]", "int[]", ""),
        ("int4range", "int4range", ""),
    ],
)
async def test_columns_are_compared_as_their_keys_compare_them(
    make_database: MakeDatabase, child: str, parent: str, extra: str
) -> None:
    value = {
        "uuid": "('00000000-0000-0000-0000-00000000000' || n)",
        "timestamptz": "('2026-01-0' || n)",
        "inet": "('10.0.0.' || n)",
        "int[]": "('{' || n || '}')",
        "int4range": "('[' || n || ',9)')",
    }.get(child, "n::text")
    types = [one.split(" collate")[0] for one in (parent, child)]
    url = await make_database(
        sql=f"""{extra} create table p (x {parent} unique); create table c (id int, x {child});
        insert into p select {value}::{types[0]} from generate_series(1, 2) n;
        insert into c select n, {value}::{types[1]} from generate_series(1, 3) n;
        insert into c values (4, null)"""
    )
    assert await count(url, parse_relation("c.x -> p.x")) == 1


async def test_an_operator_of_somebody_with_that_name_is_not_asked(
    make_database: MakeDatabase,
) -> None:
    url = await make_database(
        sql="""create table p (x int); create table c (id int, x bigint);
        insert into p values (1); insert into c values (1, 1), (2, 2);
        create function yes(int, bigint) returns boolean language sql as 'select true';
        create operator public.= (leftarg = int, rightarg = bigint, procedure = yes)"""
    )
    assert await count(url, parse_relation("c.x -> p.x")) == 1


async def test_types_of_extensions_are_compared_by_their_own_operators(
    make_database: MakeDatabase,
) -> None:
    url = await make_database(
        sql="""create schema ext; create extension citext schema ext;
        create table p (x ext.citext unique); create table c (id int primary key, x ext.citext);
        insert into p values ('A'); insert into c values (1, 'a'), (2, 'b')"""
    )
    relation = parse_relation("c.x -> p.x")
    assert await count(url, relation) == await count(url, relation, chunk=1) == 1


async def test_what_is_missing_is_seen_before_anything_is_counted(
    make_database: MakeDatabase,
) -> None:
    url = await make_database(sql=FILLED + "create table j (x json, y point)")
    facts = await read(url, parse_relation("nowhere.x -> users.gone"))
    assert facts.child is None
    assert [(pair.child, pair.parent) for pair in facts.pairs] == [(False, False)]
    facts = await read(url, parse_relation("j(x, y) -> j(x, y)"))
    assert [pair.operator for pair in facts.pairs] == [None, None]
    facts = await read(url, parse_relation("orders.user_id -> users.boss"))
    assert not facts.is_indexed
    assert [column.name for column in facts.key] == ["id"]
    assert (await read(url, parse_relation("orders.user_id -> users.id"))).is_indexed


async def test_what_cannot_be_compared_is_said(make_database: MakeDatabase) -> None:
    url = await make_database(sql=FILLED)
    with pytest.raises(LookError, match="cannot compare") as caught:
        await count(url, parse_relation("orders.note -> users.id"))
    assert caught.value.code == "not_comparable"


async def test_a_policy_that_hides_rows_is_no_orphan(
    server: Cluster, make_database: MakeDatabase
) -> None:
    url = await make_database(sql=FILLED)
    async with weak_role(server, url) as role:
        await run(
            url,
            f"grant select on orders, users to {quote_ident(role)}; "
            "alter table users enable row level security",
        )
        other = socket_url(server, url, role)
        with pytest.raises(Refused) as caught:
            await count(other, parse_relation("orders.user_id -> users.id"))
        assert "BYPASSRLS" in caught.value.next_step
        facts = await read(other, parse_relation("pairs.x -> users.id"))
        assert facts.child is not None
        assert not facts.child.readable


async def test_a_role_that_may_read_the_columns_counts(
    server: Cluster, make_database: MakeDatabase
) -> None:
    url = await make_database(sql=f"{FILLED} alter table users add secret text")
    relation = parse_relation("orders.user_id -> users.id")
    async with weak_role(server, url) as role:
        who = quote_ident(role)
        await run(
            url,
            f"grant select (id) on users to {who}; grant select (id, user_id) on orders to {who}",
        )
        assert await count(socket_url(server, url, role), relation) == await count(url, relation)


async def test_up_to_so_many_keys_are_sampled(make_database: MakeDatabase) -> None:
    url = await make_database(sql=FILLED)
    relation = parse_relation("orders.user_id -> users.id")
    async with connect(parse_dsn(url)[0]) as session, session.reading() as reader:
        facts = await read_facts(reader, relation)
        keys = await sample_keys(reader, relation, facts, limit=3)
        assert len(keys) == 3
        assert {key for (key,) in keys} <= {"5", "6", "12", "13"}
        bare = parse_relation("pairs.x -> users.id")
        assert await sample_keys(reader, bare, await read_facts(reader, bare), limit=3) == ()


async def test_periods_have_to_be_covered(make_database: MakeDatabase) -> None:
    url = await make_database(
        sql="""create table p (id int, at daterange); create table c (n int, id int, at daterange);
        insert into p values (1, '[2026-01-01,2026-02-01)'), (1, '[2026-02-01,2026-03-01)');
        insert into c values (1, 1, '[2026-01-10,2026-02-10)'), (2, 1, '[2026-02-10,2026-03-10)'),
          (3, 2, '[2026-01-10,2026-02-10)'), (4, null, '[2026-01-10,2026-02-10)')"""
    )
    relation = Relation(
        key=ObjectKey(kind=Kind.FOREIGN_KEY, schema="public", parent="c", name="f"),
        origin=Origin.MISSING,
        child=("public", "c"),
        columns=("id", "at"),
        parent=("public", "p"),
        referenced=("id", "at"),
        is_period=True,
    )
    assert await count(url, relation) == 2


# ---------------------------------------------------------------- against a brute force


def make_rows(chance: random.Random, width: int) -> Iterator[tuple[int | None, ...]]:
    for _ in range(chance.randrange(25)):
        yield tuple(chance.choice([None, 1, 2, 3]) for _ in range(width))


def count_by_hand(children: list[Any], parents: list[Any], *, is_full: bool) -> int:
    known = {row for row in parents if None not in row}
    found = 0
    for row in children:
        nulls = row.count(None)
        is_checked = nulls < len(row) if is_full else nulls == 0
        found += is_checked and row not in known
    return found


def write_rows(table: str, rows: list[Any]) -> str:
    if not rows:
        return ""
    values = ", ".join(
        f"({', '.join('null' if v is None else str(v) for v in row)})" for row in rows
    )
    columns = ", ".join(f"c{place}" for place in range(len(rows[0])))
    return f"insert into {table} ({columns}) values {values};"


async def compare_with_brute_force(make_database: MakeDatabase, seed: int, cases: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # a test
    scripts, wanted = [], []
    for number in range(cases):
        width, is_full = chance.randint(1, 3), chance.random() < 0.4
        columns = ", ".join(f"c{place} int" for place in range(width))
        children, parents = [*make_rows(chance, width)], [*make_rows(chance, width)]
        scripts.append(
            f"create table c{number} (id int generated always as identity primary key, {columns});"
            f"create table p{number} ({columns});"
            f"{write_rows(f'c{number}', children)}{write_rows(f'p{number}', parents)}"
        )
        wanted.append((width, is_full, count_by_hand(children, parents, is_full=is_full)))
    url = await make_database(sql="".join(scripts))
    for number, (width, is_full, orphans) in enumerate(wanted):
        names = tuple(f"c{place}" for place in range(width))
        relation = Relation(
            key=ObjectKey(kind=Kind.FOREIGN_KEY, schema="public", parent=f"c{number}", name="f"),
            origin=Origin.MISSING,
            child=("public", f"c{number}"),
            columns=names,
            parent=("public", f"p{number}"),
            referenced=names,
            is_full=is_full,
        )
        found = await count(url, relation), await count(url, relation, chunk=chance.randint(1, 9))
        assert found == (orphans, orphans), (seed, number)


async def test_random_tables_are_counted_as_by_hand(make_database: MakeDatabase) -> None:
    await compare_with_brute_force(make_database, 1, 40)


@pytest.mark.long
async def test_many_random_tables_are_counted_as_by_hand(make_database: MakeDatabase) -> None:
    for seed in range(2, 32):
        await compare_with_brute_force(make_database, seed, 50)
