"""A migration at work is no drift, for a while; and it never mutes drift for good."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from monitor.core.findings import FindingClass
from monitor.core.incidents import EventKind
from monitor.core.report import Report
from monitor.core.rules import CANNOT_LOOK, STUCK_MIGRATION
from monitor.core.verdict import State
from tests.watch.builders import Watch

USERS = "CREATE TABLE users (id int PRIMARY KEY, email text CHECK (email <> ''))"
DRIFT = "ALTER TABLE users ADD note text"


@asynccontextmanager
async def open_transaction(url: str, *statements: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("; ".join(("begin", *statements)))
        yield connection
    finally:
        connection.terminate()


@pytest.fixture
async def expecting(watch: Watch, tmp_path: Path) -> Watch:
    """A watch whose database is in sync with a file."""
    file = tmp_path / "schema.sql"
    file.write_text(USERS)
    watch.expect(f"sql:{file}")
    await watch.run(USERS)
    return watch


async def test_what_differs_while_somebody_changes_the_schema_is_not_drift(
    expecting: Watch,
) -> None:
    assert await expecting.see(0) is State.IN_SYNC
    await expecting.run(DRIFT)
    async with open_transaction(expecting.url, "alter table users drop note"):
        decided = await expecting.look(1)
        assert decided.record.state is State.MIGRATING
        assert "users" in decided.record.report.summary
        assert not decided.record.report.judged & {FindingClass.DRIFT, FindingClass.HISTORY}
        assert await expecting.see(2) is State.MIGRATING
    assert await expecting.see(3) is State.DRIFTED
    assert await expecting.see(4) is State.DRIFTED
    assert expecting.kinds == [EventKind.OPENED]


async def test_a_schema_that_is_right_is_right_although_somebody_changes_it(
    expecting: Watch,
) -> None:
    assert await expecting.see(0) is State.IN_SYNC
    async with open_transaction(expecting.url, "alter table users add later int"):
        assert await expecting.see(1) is State.IN_SYNC


async def test_drift_that_was_open_stays_open_during_a_migration(expecting: Watch) -> None:
    await expecting.run(DRIFT)
    await expecting.see(0)
    assert await expecting.see(1) is State.DRIFTED
    async with open_transaction(expecting.url, "alter table users add later int"):
        decided = await expecting.look(2)
    assert decided.record.state is State.MIGRATING
    assert FindingClass.DRIFT in decided.unresolved
    assert expecting.kinds == [EventKind.OPENED]


async def test_a_transaction_that_is_stuck_does_not_mute_drift(expecting: Watch) -> None:
    await expecting.see(0)
    await expecting.run(DRIFT)
    async with open_transaction(expecting.url, "lock table users in share row exclusive mode"):
        states = [await expecting.see(minute) for minute in range(1, 15)]
        report = (await expecting.look(15)).record.report
    assert states[:10] == [State.MIGRATING] * 10
    assert states[10:] == [State.DRIFTED] * 4
    assert STUCK_MIGRATION.code in {finding.code for finding in report.findings}
    assert expecting.kinds == [EventKind.OPENED, EventKind.OPENED]
    after = (await expecting.look(16)).record.report
    assert STUCK_MIGRATION.code not in {finding.code for finding in after.findings}
    assert after.migrating_since is None


async def test_a_lock_on_what_was_never_read_is_a_migration_and_then_a_finding(
    expecting: Watch,
) -> None:
    async with open_transaction(expecting.url, "alter table users add later int"):
        states = [await expecting.see(minute) for minute in range(10)]
        report = (await expecting.look(10)).record.report
    assert states == [State.MIGRATING] * 10
    assert report.state is State.UNKNOWN
    assert {f.code for f in report.findings} == {CANNOT_LOOK.code, STUCK_MIGRATION.code}
    assert await expecting.see(11) is State.IN_SYNC


async def look_until_it_is_noted(watch: Watch) -> Report:
    for _ in range(1000):
        report = (await watch.look(0)).record.report
        if report.notes:
            return report
    raise AssertionError("the build was not seen")


async def test_an_index_that_is_being_built_is_a_note_for_half_an_hour(expecting: Watch) -> None:
    await expecting.run("insert into users values (1, 'a')")
    builder = await asyncpg.connect(expecting.url)
    async with open_transaction(expecting.url, "insert into users values (2, 'b')"):
        build = asyncio.create_task(
            builder.execute("create index concurrently slow on users (email)")
        )
        report = await look_until_it_is_noted(expecting)
        assert report.notes == ("index public.users.slow is being built.",)
        assert report.state is State.IN_SYNC
        assert await expecting.see(29) is State.IN_SYNC
        late = (await expecting.look(30)).record.report
        assert late.state is State.DRIFTED
        assert [finding.key.name for finding in late.findings if finding.key] == ["slow"]
        await expecting.run(f"select pg_cancel_backend({builder.get_server_pid()})")
        with pytest.raises(asyncpg.QueryCanceledError):
            await build
    await builder.close()
    broken = (await expecting.look(31)).record.report
    assert broken.state is State.DRIFTED
    assert broken.notes == ()
    assert broken.builds == ()
