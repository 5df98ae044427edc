"""What stands against a repair or its undoing is named, with what to do about it."""

import pytest

from monitor.core.errors import WriteError
from tests.conftest import MakeDatabase
from tests.remedy.repair.rows import ask, bring_back, dump, mend, reasons
from tests.sources.looking import run

ORPHAN = """
create table p (id int primary key); create table c (id int primary key, pid int, v text);
insert into c values (1, 9, null);
"""
RELATION = "c.pid -> p.id"


async def test_keys_that_take_nulls_for_the_same_are_there_again(
    make_database: MakeDatabase,
) -> None:
    url = await make_database(sql=ORPHAN)
    if int(await ask(url, "select current_setting('server_version_num')")) < 150000:
        pytest.skip("nulls are always distinct below PostgreSQL 15")
    await run(url, "alter table c add constraint once unique nulls not distinct (v)")
    assert (await mend(url, RELATION, "quarantine")).applied
    await run(url, "insert into c values (2, null, null)")
    done = await bring_back(url, 1, apply=False)
    assert reasons(done) == "public.c has 1 rows again with the same v (public.once)."
    await run(url, "delete from c")
    assert (await bring_back(url, 1)).applied


async def test_a_published_table_needs_a_replica_identity(make_database: MakeDatabase) -> None:
    url = await make_database(
        sql=f"{ORPHAN} alter table c drop constraint c_pkey; create publication pub for table c"
    )
    before = await dump(url)
    with pytest.raises(WriteError, match="REPLICA IDENTITY"):
        await mend(url, RELATION, "delete")
    assert await dump(url) == before


async def test_a_value_may_be_too_large_to_be_kept(make_database: MakeDatabase) -> None:
    url = await make_database(sql=ORPHAN)
    await run(url, "update c set v = repeat('x', 270000000)")
    with pytest.raises(WriteError, match=r"too large .* --strategy delete"):
        await mend(url, RELATION, "quarantine")
    assert await ask(url, "select count(*) from c") == 1


KINDS = """
create type mood as enum ('ok', 'bad'); create type pair as (x int, y text);
create domain few as int check (value < 9); create domain sure as int not null default 1;
create table p (id int primary key);
create table c (id int primary key, pid int, m mood, q pair, f few, s sure, v varchar(5));
insert into c values (1, 9, 'ok', '(1,a)', 8, 1, 'abcde'), (2, 9, 'bad', null, null, 1, null);
"""


@pytest.mark.parametrize("apply", [False, True])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("alter type mood rename value 'ok' to 'good'", "column m no longer reads as public.mood"),
        ("alter type pair add attribute z int", "column q no longer reads as public.pair"),
        ("alter domain few add check (value < 5)", "column f no longer reads as public.few"),
        ("alter table c alter v type varchar(2)", "no longer reads as a row of it"),
    ],
)
async def test_what_no_longer_reads_as_it_was_kept_is_named(
    make_database: MakeDatabase, change: str, words: str, *, apply: bool
) -> None:
    url = await make_database(sql=KINDS)
    before = await dump(url)
    assert (await mend(url, RELATION, "quarantine")).applied
    await run(url, change)
    done = await bring_back(url, 1, apply=apply)
    assert reasons(done).startswith("What was kept of public.c"), done
    assert reasons(done).endswith(f"{words}."), done
    assert "anchorwatch_quarantine.rows" in done.refused[0].next
    if change.startswith("alter type mood"):
        await run(url, "alter type mood rename value 'good' to 'ok'")
        assert (await bring_back(url, 1)).applied
        assert await dump(url) == before
