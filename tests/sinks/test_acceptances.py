"""Acceptances in the ledger, the same on SQLite and on PostgreSQL."""

from datetime import date, timedelta
from typing import Any

import asyncpg
import msgspec
import pytest
import sqlalchemy as sa
from alembic import command

from monitor.core.errors import StoreError
from monitor.core.keys import Kind, ObjectKey
from monitor.core.record import Record
from monitor.core.waivers import Acceptance, accept
from monitor.sinks.backend import open_backend
from monitor.sinks.store import Store, _write, open_store
from monitor.sinks.tables import ACCEPTANCES, RECORDS
from monitor.sinks.upgrade import _configure
from tests.conftest import MakeDatabase
from tests.sinks.builders import HOSTILE, NOW, a_decision, a_finding


def an_acceptance(name: str = "orders", **changes: Any) -> Acceptance:
    (made,) = accept([a_finding(name)], reason="known", until=None, by="us", at=NOW)
    return msgspec.structs.replace(made, **changes)


async def list_all(store: Store, database: str = "app") -> list[Acceptance]:
    return await store.list_acceptances("production", database)


async def test_an_acceptance_is_read_back_as_it_was_written(store: Store) -> None:
    key = ObjectKey(kind=Kind.INDEX, schema=HOSTILE, parent=HOSTILE, name=HOSTILE)
    odd = an_acceptance(
        HOSTILE, key=key, reason=HOSTILE, until=date(2027, 1, 31), at=NOW + timedelta(days=1)
    )
    await store.accept([an_acceptance(), odd])
    assert await list_all(store) == [an_acceptance(), odd]


async def test_a_second_acceptance_of_a_finding_takes_the_place_of_the_first(
    store: Store,
) -> None:
    await store.accept([an_acceptance(), an_acceptance("other")])
    again = an_acceptance(digest="0" * 16, reason="again", at=NOW + timedelta(days=1))
    await store.accept([again])
    assert await list_all(store) == [an_acceptance("other"), again]


async def test_acceptances_are_of_one_database_in_one_environment(store: Store) -> None:
    here, there = an_acceptance(), an_acceptance(environment="staging")
    other = an_acceptance(database="crm")
    await store.accept([here, there, other])
    assert await list_all(store) == [here]
    assert await store.list_acceptances("staging", "app") == [there]
    assert await list_all(store, "crm") == [other]
    assert await store.withdraw("staging", "app", [there.finding]) == {there.finding}
    assert await list_all(store) == [here]


async def test_what_is_withdrawn_is_gone_and_what_was_not_there_is_not_counted(
    store: Store,
) -> None:
    first, second = an_acceptance(), an_acceptance("other")
    await store.accept([first, second])
    gone = await store.withdraw("production", "app", [first.finding, "never"])
    assert gone == {first.finding}
    assert await list_all(store) == [second]
    assert await store.withdraw("production", "app", [first.finding]) == frozenset()
    assert await store.withdraw("production", "app", []) == frozenset()


async def test_what_one_agent_accepts_another_one_reads(url: str) -> None:
    async with open_store(url) as ours, open_store(url) as theirs:
        await ours.accept([an_acceptance()])
        assert await list_all(theirs) == [an_acceptance()]
        await theirs.withdraw("production", "app", [an_acceptance().finding])
        assert await list_all(ours) == []


async def test_a_database_that_comes_back_finds_its_acceptances(store: Store) -> None:
    assert await store.commit(a_decision())
    await store.accept([an_acceptance()])
    await store.forget("production", [], NOW)
    assert await list_all(store) == [an_acceptance()]


async def test_nothing_of_a_look_changes_what_is_accepted(store: Store) -> None:
    await store.accept([an_acceptance()])
    assert await store.commit(a_decision())
    assert await store.commit(a_decision(2))
    assert await list_all(store) == [an_acceptance()]


async def test_all_are_written_or_none(store: Store) -> None:
    async def fail_halfway() -> None:
        await store.accept([an_acceptance(), an_acceptance(finding=None)])

    with pytest.raises(StoreError):
        await fail_halfway()
    assert await list_all(store) == []


async def test_a_row_that_this_version_cannot_read_is_said_and_not_quoted(store: Store) -> None:
    await store.accept([an_acceptance()])
    async with store._backend.writing() as connection:
        await connection.execute(sa.update(ACCEPTANCES).values(body='{"reason": "s3cret"}'))
    with pytest.raises(StoreError, match="cannot be read by this version") as caught:
        await list_all(store)
    assert "s3cret" not in str(caught.value)


async def test_a_ledger_of_the_first_version_gains_the_table_and_keeps_its_rows(url: str) -> None:
    backend = open_backend(url)
    record = a_decision().record
    assert isinstance(record, Record)

    def migrate_to_the_first(connection: sa.Connection) -> None:
        command.upgrade(_configure(connection), "0001")

    async with backend.writing() as connection:
        await connection.run_sync(migrate_to_the_first)
        await connection.execute(
            sa.insert(RECORDS).values(
                environment="production", database="app", looks=1, body=_write(record)
            )
        )
    await backend.close()
    async with open_store(url) as store:
        assert await store.load("production", "app") is not None
        await store.accept([an_acceptance()])
        assert await list_all(store) == [an_acceptance()]


async def test_a_ledger_that_takes_no_writes_says_so(make_database: MakeDatabase) -> None:
    url = await make_database()
    async with open_store(url) as store:
        await store.accept([an_acceptance()])
    connection = await asyncpg.connect(url)
    name = await connection.fetchval("SELECT quote_ident(current_database())")
    await connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    await connection.close()
    backend = open_backend(url)
    store = Store(backend)
    assert await list_all(store) == [an_acceptance()]
    with pytest.raises(StoreError, match="takes no writes"):
        await store.accept([an_acceptance("other")])
    await backend.close()
