"""The agent remembers what it read, so that a migration is never in its way."""

from pathlib import Path

import asyncpg

from tests.agent.builders import load, running
from tests.conftest import MakeDatabase

TABLES = "CREATE TABLE users (id int PRIMARY KEY, age int DEFAULT 1 + 1 CHECK (age > 0))"


async def test_a_database_stays_what_it_was_while_a_migration_locks_its_tables(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    url = await make_database(sql=TABLES)
    async with running(load(tmp_path, {"app": f'{{url: "{url}"}}'})) as agent:
        await agent.wait_for(app="unchanged")
        migration = await asyncpg.connect(url)
        try:
            await migration.execute("BEGIN; ALTER TABLE users ADD COLUMN later int")
            await agent.wait_for_looks("app", 3)
            assert await agent.list_states() == {"app": "unchanged"}
        finally:
            await migration.close()
