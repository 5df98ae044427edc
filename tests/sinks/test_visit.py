"""Commands that visit a ledger make nothing and migrate nothing."""

import asyncio
import os
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command

from monitor.core.errors import ConfigurationError, StoreError
from monitor.sinks.backend import open_backend
from monitor.sinks.store import open_store
from monitor.sinks.tables import VERSION_TABLE
from monitor.sinks.upgrade import _configure
from monitor.sinks.visit import visit_store
from tests.conftest import MakeDatabase
from tests.sinks.builders import a_decision, sqlite_url


async def test_the_ledger_of_an_agent_that_runs_is_visited(url: str) -> None:
    async with open_store(url) as agent:
        assert await agent.commit(a_decision())
        async with visit_store(url) as visitor:
            assert await visitor.load("production", "app") == a_decision().record


async def test_where_there_is_no_file_none_is_made(tmp_path: Path) -> None:
    place = tmp_path / "new" / "ledger.db"
    with pytest.raises(StoreError, match="There is no ledger at"):
        async with visit_store(sqlite_url(place)):
            pytest.fail("It is there.")
    assert await asyncio.to_thread(os.listdir, tmp_path) == []


async def test_a_url_that_names_no_ledger_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        async with visit_store("sqlite://"):
            pytest.fail("It is there.")


async def test_an_empty_database_is_no_ledger_and_stays_empty(
    make_database: MakeDatabase,
) -> None:
    url = await make_database()
    with pytest.raises(StoreError, match="not one of this version"):
        async with visit_store(url):
            pytest.fail("It is there.")
    backend = open_backend(url)
    async with backend.reading() as connection:
        tables = await connection.execute(
            sa.text("SELECT count(*) FROM pg_class WHERE relname ~ 'anchorwatch'")
        )
        assert tables.scalar_one() == 0
    await backend.close()


async def test_an_older_ledger_is_not_migrated_under_its_agent(url: str) -> None:
    backend = open_backend(url)

    def migrate_to_the_first(connection: sa.Connection) -> None:
        command.upgrade(_configure(connection), "0001")

    async with backend.writing() as connection:
        await connection.run_sync(migrate_to_the_first)
    with pytest.raises(StoreError, match="not one of this version") as caught:
        async with visit_store(url):
            pytest.fail("It is there.")
    assert "anchorwatch run" in caught.value.next_step
    async with backend.reading() as connection:
        rows = await connection.execute(sa.text(f"SELECT version_num FROM {VERSION_TABLE}"))
        assert rows.scalar_one() == "0001"
    await backend.close()


async def test_a_newer_ledger_is_said_to_be_one(url: str) -> None:
    async with open_store(url) as store, store._backend.writing() as connection:
        await connection.execute(sa.text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer anchorwatch"):
        async with visit_store(url):
            pytest.fail("It is there.")
