"""Databases that several histories share: services beside each other, a schema for each tenant."""

import asyncio
from pathlib import Path
from typing import NamedTuple

import pytest

from monitor.checks.diagnosis import Judged, diagnose_snapshot
from monitor.core.keys import Kind, ObjectKey
from monitor.core.lock import Lock
from monitor.core.lock_states import States
from monitor.core.release import Known
from monitor.core.shares import WHOLE, Share
from monitor.core.verdict import State
from monitor.sources.build import BuildOptions
from monitor.sources.dsn import parse_dsn
from monitor.sources.engine import Cluster
from monitor.sources.locking import LockOptions, build_lock
from monitor.sources.postgres import connect
from monitor.sources.reading import take_snapshot
from monitor.sources.scripts import read_scripts
from monitor.sources.shadows import open_shadows
from tests.conftest import MakeDatabase
from tests.sources.shadow_peers import write_history

SHOP = (
    "create table accounts (id int primary key, name text not null check (name <> ''))",
    "create type mood as enum ('x')",
    "create table f (id serial primary key, a int references accounts, m mood)",
    "create function fx(m mood) returns mood language sql as $$ select m $$",
    "create view v as select a.name, f.m from accounts a join f on f.a = a.id",
)
INDEX = "create index f_a on f (a)"
BILLS = ("create table bills (id int primary key)", "alter table bills add n int")


class Locks(NamedTuple):
    """Of two services, each with a version table of its own."""

    shop: Lock
    bills: Lock


@pytest.fixture(scope="module")
def locks(server: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Locks:
    options = BuildOptions(shadow_url=server.url())

    async def build(table: str, *steps: str) -> Lock:
        root = tmp_path_factory.mktemp(table)
        ini = write_history(root, *(f"op.execute({step!r})" for step in steps))
        env = root / "m/env.py"
        place = f"connection=connection, version_table={table!r}"
        env.write_text(env.read_text().replace("connection=connection", place))
        async with open_shadows(options) as shadows:
            return await build_lock(read_scripts(ini), shadows, LockOptions(build=options))

    async def build_both() -> Locks:
        shop = await build("alembic_version", "; ".join(SHOP), INDEX)
        return Locks(shop, await build("bills_version", *BILLS))

    return asyncio.run(build_both())


def stamp(row: str, table: str = "alembic_version") -> str:
    return (
        f"create table {table} (version_num varchar(32) constraint {table}_pkc primary key); "
        f"insert into {table} values ('{row}')"
    )


async def judge(url: str, lock: Lock, share: Share = WHOLE) -> Judged:
    async with connect(parse_dsn(url)[0]) as session:
        live = await take_snapshot(session)
    return await diagnose_snapshot(Known(States(lock)), live, share=share)


async def test_services_beside_each_other_have_a_verdict_each(
    locks: Locks, make_database: MakeDatabase
) -> None:
    shop, bills = locks
    made = (*SHOP, INDEX, stamp("r2"), *BILLS, stamp("r2", "bills_version"))
    url = await make_database(sql="; ".join(made))
    for lock, other in ((shop, bills), (bills, shop)):
        found = (await judge(url, lock, Share(beside=(other,)))).diagnosis
        assert (found.verdict, found.stamped) == (State.IN_SYNC, ("r2",))
    edit = "alter table bills add by_hand int"
    broken = (*SHOP, INDEX, stamp("r2"), BILLS[0], edit, stamp("r2", "bills_version"))
    hurt = await make_database(sql="; ".join(broken))
    assert (await judge(hurt, shop, Share(beside=(bills,)))).diagnosis.verdict is State.IN_SYNC
    found = (await judge(hurt, bills, Share(beside=(shop,)))).diagnosis
    assert (found.verdict, found.also) == (State.STAMPED_NOT_RUN, (State.DRIFTED,))
    assert found.unexplained == 1


async def test_what_no_service_makes_is_told_to_each(
    locks: Locks, make_database: MakeDatabase
) -> None:
    shop, bills = locks
    made = (*SHOP, INDEX, stamp("r2"), "create table stray (id int)")
    found = (
        await judge(await make_database(sql="; ".join(made)), shop, Share(beside=(bills,)))
    ).diagnosis
    assert (found.verdict, found.unexplained) == (State.DRIFTED, 1)


@pytest.mark.parametrize("schema", ["T 2", 'q"uote', "select", "v$1", "f", "x", "text", "a"])
async def test_each_tenant_has_a_verdict_of_its_own(
    locks: Locks, make_database: MakeDatabase, schema: str
) -> None:
    quoted = '"' + schema.replace('"', '""') + '"'
    whole = "; ".join((*SHOP, INDEX, stamp("r2")))
    url = await make_database(
        sql=f"create schema {quoted}; set search_path = {quoted}; {whole}; "
        f"create schema other; set search_path = other; {'; '.join(SHOP)}; {stamp('r2')}"
    )
    found = await judge(url, locks.shop, Share(schema))
    assert found.diagnosis.verdict is State.IN_SYNC, found.difference
    other = await judge(url, locks.shop, Share("other"))
    assert other.diagnosis.verdict is State.STAMPED_NOT_RUN
    nobody = (await judge(url, locks.shop, Share("nobody"))).diagnosis
    assert (nobody.verdict, nobody.summary) == (State.EMPTY, "there is no schema nobody")


async def test_a_function_keeps_the_schema_of_its_tenant(
    server: Cluster, make_database: MakeDatabase, tmp_path: Path
) -> None:
    step = (
        "create table t (id int); create function fx() returns int language sql "
        "security definer set search_path from current as 'select 1'"
    )
    ini = write_history(tmp_path, f'op.execute("set local search_path = public, pg_temp; {step}")')
    options = BuildOptions(shadow_url=server.url())
    async with open_shadows(options) as shadows:
        lock = await build_lock(read_scripts(ini), shadows, LockOptions(build=options))
    url = await make_database(
        sql=f'create schema "Acme-1"; set search_path = "Acme-1", pg_temp; {step}; {stamp("r1")}; '
        f"create schema other; set search_path = other, pg_temp; {step}; {stamp('r1')}; "
        'alter function fx() set search_path = "Acme-1", pg_temp'
    )
    found = await judge(url, lock, Share("Acme-1"))
    assert found.diagnosis.verdict is State.IN_SYNC, found.difference
    strayed = (await judge(url, lock, Share("other"))).diagnosis
    assert (strayed.verdict, strayed.unexplained) == (State.DRIFTED, 1)


FOREIGN = "foreign key (a) references public.accounts"
VIEW = "select a.name, f.m from public.accounts a join acme.f on f.a = a.id"


@pytest.mark.parametrize(
    "change",
    [
        "alter table acme.f alter id set default nextval('public.f_id_seq')",
        f"alter table acme.f drop constraint f_a_fkey, add constraint f_a_fkey {FOREIGN}",
        f"create or replace view acme.v as {VIEW}",
    ],
)
async def test_a_tenant_that_uses_the_locks_own_schema_has_drifted(
    locks: Locks, make_database: MakeDatabase, change: str
) -> None:
    whole = "; ".join((*SHOP, INDEX, stamp("r2")))
    url = await make_database(
        sql=f"{whole}; create schema acme; set search_path = acme; {whole}; {change}"
    )
    found = (await judge(url, locks.shop, Share("acme"))).diagnosis
    assert (found.verdict, found.unexplained) == (State.DRIFTED, 1)


async def test_what_differs_at_a_tenant_is_told_where_it_is(
    locks: Locks, make_database: MakeDatabase
) -> None:
    whole = "; ".join((*SHOP, INDEX, stamp("r2"), "alter table f add by_hand int"))
    url = await make_database(sql=f"create schema acme; set search_path = acme; {whole}")
    found = await judge(url, locks.shop, Share("acme"))
    assert found.difference is not None
    assert [change.key for change in found.difference.changes] == [
        ObjectKey(Kind.COLUMN, "acme", "f", "by_hand")
    ]
