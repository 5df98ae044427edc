"""No row is lost, and none is made, whoever else writes meanwhile."""

import asyncio
import random

import asyncpg
import pytest

from monitor.core.errors import WriteError
from tests.conftest import MakeDatabase
from tests.remedy.repair.rows import ask, bring_back, mend

TABLES = """
create table users (id int primary key);
create table orders (id serial primary key, user_id int);
create table items (id serial primary key, order_id int references orders on delete cascade);
create table parts (id serial primary key, item_id int references items on delete cascade);
insert into users select generate_series(1, 5);
"""
WRITES = (
    "insert into orders (user_id) values ((random() * 9)::int)",
    "insert into items (order_id) select id from orders order by random() limit 1",
    "insert into parts (item_id) select id from items order by random() limit 1",
    "update parts set item_id = item_id where id % 3 = 0",
)


async def write(url: str, until: asyncio.Event, chance: random.Random) -> dict[str, int]:
    """Insert until it is enough; how many rows of each table were."""
    made = {"orders": 0, "items": 0, "parts": 0}
    connection = await asyncpg.connect(url)
    while not until.is_set():
        statement = chance.choice(WRITES)
        try:
            status = await connection.execute(statement)
        except (asyncpg.ForeignKeyViolationError, asyncpg.DeadlockDetectedError):
            continue  # what it references left just now, or two writers met
        if statement.startswith("insert"):
            made[statement.split()[2]] += int(status.split()[-1])
    await connection.close()
    return made


async def repair_for(url: str, rounds: int) -> list[int]:
    """Quarantine what there is, again and again; the batches."""
    batches = []
    for _ in range(rounds):
        try:
            done = await mend(
                url, "orders.user_id -> users.id", "quarantine", with_dependents=True
            )
        except WriteError as error:
            assert "Nothing was changed." in str(error)  # noqa: PT017  # one of many rounds
            continue
        if done.batch is not None:
            batches.append(done.batch)
    return batches


async def compete(url: str, rounds: int) -> None:
    enough = asyncio.Event()
    writers = [
        asyncio.create_task(write(url, enough, random.Random(seed)))  # noqa: S311  # a test
        for seed in range(3)
    ]
    batches = await repair_for(url, rounds)
    enough.set()
    made = await asyncio.gather(*writers)
    assert batches
    for batch in batches:
        assert (await bring_back(url, batch)).applied
    for table in ("orders", "items", "parts"):
        assert await ask(url, f"select count(*) from {table}") == sum(one[table] for one in made)


async def test_no_row_is_lost_while_others_write(make_database: MakeDatabase) -> None:
    await compete(await make_database(sql=TABLES), 12)


@pytest.mark.long
async def test_no_row_is_lost_in_many_rounds(make_database: MakeDatabase) -> None:
    await compete(await make_database(sql=TABLES), 300)
