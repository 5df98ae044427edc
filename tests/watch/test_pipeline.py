"""One look after the other at a real database: what is decided, told and remembered."""

import zlib
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from monitor.checks.comparison import compare
from monitor.core.difference import Difference
from monitor.core.errors import ConfigurationError
from monitor.core.findings import FindingClass
from monitor.core.incidents import EventKind, Status
from monitor.core.snapshot import Snapshot
from monitor.core.verdict import State
from monitor.sinks.tables import SNAPSHOTS
from tests.conftest import MakeDatabase
from tests.sources.shadow_peers import write_history
from tests.watch.builders import START, Watch, opened_watch

OPENED, RESOLVED = EventKind.OPENED, EventKind.RESOLVED
USERS = "CREATE TABLE users (id int PRIMARY KEY, email text)"
VERSIONS = "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)"


def stamp(revision: str) -> str:
    return f"DELETE FROM alembic_version; INSERT INTO alembic_version VALUES ('{revision}')"


# Two looks, one message


async def test_two_looks_must_agree_before_drift_is_announced(watch: Watch) -> None:
    await watch.run(USERS)
    assert await watch.see(0) is State.UNCHANGED
    await watch.run("ALTER TABLE users ADD note text")
    assert await watch.see(1) is State.DRIFTED
    assert watch.kinds == []
    assert await watch.see(2) is State.DRIFTED
    assert watch.kinds == [OPENED]
    await watch.run("ALTER TABLE users DROP note")
    assert await watch.see(3) is State.UNCHANGED
    assert watch.kinds == [OPENED, RESOLVED]


async def test_drift_that_is_gone_at_the_next_look_is_never_told(watch: Watch) -> None:
    await watch.run(USERS)
    await watch.see(0)
    await watch.run("ALTER TABLE users ADD note text")
    await watch.see(1)
    await watch.run("ALTER TABLE users DROP note")
    await watch.see(2)
    await watch.see(3)
    assert watch.kinds == []


async def test_every_event_waits_in_the_outbox_with_the_decision(watch: Watch) -> None:
    await watch.run(USERS)
    await watch.see(0)
    await watch.run("DROP TABLE users; CREATE TABLE other (a int)")
    await watch.see(1)
    decided = await watch.look(2)
    incident = decided.unresolved[FindingClass.DRIFT]
    assert [event.kind for event in await watch.store.list_events(incident.id)] == [OPENED]
    assert (await watch.store.count_outbox())["chat"].pending == 1


# Looks that fail


async def test_a_look_that_failed_never_resolves_anything(watch: Watch) -> None:
    await watch.run(USERS)
    await watch.see(0)
    await watch.run("ALTER TABLE users ADD note text")
    await watch.see(1)
    await watch.see(2)
    alive, watch.url = watch.url, "postgresql://nobody:wrong@127.0.0.1:1/app"
    for minute in (3, 4, 5):
        assert await watch.see(minute) is State.UNREACHABLE
    decided = await watch.look(6)
    assert decided.unresolved[FindingClass.DRIFT].status is Status.OPEN
    assert watch.kinds == [OPENED, OPENED]  # the drift, and that it cannot be reached
    watch.url = alive
    await watch.see(7)
    await watch.see(8)
    assert watch.kinds == [OPENED, OPENED, RESOLVED]  # reachable again, and still drifted
    assert await watch.see(9) is State.DRIFTED


async def test_a_database_whose_entry_is_broken_is_told_and_over_when_that_is_mended(
    watch: Watch,
) -> None:
    """A typo in a deployment would silence the database otherwise."""
    await watch.run(USERS)
    await watch.see(0)
    await watch.run("ALTER TABLE users ADD note text")
    await watch.see(1)
    await watch.see(2)
    error = ConfigurationError("databases.app.url is not set.", next_step="Set it.")
    for minute in (3, 8, 14):
        decided = await watch.break_down(minute, error)
    assert decided.record.state is State.UNKNOWN
    assert "databases.app.url" in decided.record.report.summary
    assert decided.unresolved[FindingClass.DRIFT].status is Status.OPEN
    assert watch.kinds == [OPENED, OPENED]  # the drift, and that nobody can look
    await watch.see(15)
    assert await watch.see(16) is State.DRIFTED
    assert watch.kinds == [OPENED, OPENED, RESOLVED]


async def test_a_single_failure_is_not_told(watch: Watch) -> None:
    await watch.run(USERS)
    await watch.see(0)
    alive, watch.url = watch.url, "postgresql://nobody:wrong@127.0.0.1:1/app"
    await watch.see(1)
    watch.url = alive
    await watch.see(2)
    assert watch.kinds == []


async def test_a_database_that_is_dropped_is_unreachable_and_keeps_its_baseline(
    watch: Watch, make_database: MakeDatabase
) -> None:
    await watch.run(USERS)
    baseline = (await watch.look(0)).record.baseline
    watch.url = watch.url.replace("/test_", "/gone_")
    decided = await watch.look(1)
    assert decided.record.state is State.UNREACHABLE
    assert decided.record.baseline == baseline


async def test_a_fault_nobody_foresaw_is_unknown_and_stays_with_its_database(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise ZeroDivisionError("pl4nted")

    await watch.run(USERS)
    monkeypatch.setattr("monitor.watch.inspection.read_schema", break_down)
    decided = await watch.look(0)
    assert decided.record.state is State.UNKNOWN
    assert "ZeroDivisionError" in decided.record.report.summary
    assert "pl4nted" not in decided.record.report.summary
    assert [type(fault) for fault in watch.faults] == [ZeroDivisionError]


# The first look


async def test_a_database_that_is_drifted_at_first_sight_is_one_report(
    watch: Watch, tmp_path: Path
) -> None:
    script = tmp_path / "expected.sql"
    script.write_text(f"{USERS}; CREATE TABLE orders (id int); CREATE TABLE carts (id int)")
    watch.expect(f"sql:{script}")
    await watch.run("CREATE TABLE users (id int PRIMARY KEY)")
    for minute in range(6):
        decided = await watch.look(minute)
    assert watch.kinds == [OPENED]
    incident = decided.unresolved[FindingClass.DRIFT]
    assert incident.is_initial
    assert len(incident.findings) == 3


async def test_what_is_wrong_by_itself_is_told_without_an_expectation(watch: Watch) -> None:
    await watch.run(f"{USERS}; ALTER TABLE users ADD CHECK (id > 0) NOT VALID")
    for minute in range(5):
        decided = await watch.look(minute)
        assert decided.record.state is State.UNCHANGED
    assert watch.kinds == [OPENED]
    await watch.run("ALTER TABLE users VALIDATE CONSTRAINT users_id_check")
    assert await watch.see(6) is State.DRIFTED  # it is not as it was, and no worse


# The baseline


async def test_the_first_settled_schema_is_the_baseline_and_survives_a_restart(
    database: str, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger.db"
    async with opened_watch(database, ledger) as watch:
        await watch.run(USERS)
        first = await watch.look(0)
        assert first.record.baseline == first.record.fingerprint
        assert first.record.report.summary == State.UNCHANGED.meaning.sentence
    async with opened_watch(database, ledger) as watch:
        await watch.run("ALTER TABLE users ADD note text")
        second = await watch.look(1)
    assert second.record.state is State.DRIFTED
    assert second.record.baseline == first.record.baseline
    assert second.record.baseline_since == first.record.baseline_since


async def test_an_empty_database_is_told_and_becomes_no_baseline(watch: Watch) -> None:
    assert await watch.see(0) is State.EMPTY
    decided = await watch.look(1)
    assert decided.record.baseline is None
    assert watch.kinds == [OPENED]
    await watch.run(USERS)
    decided = await watch.look(2)
    assert decided.record.state is State.UNCHANGED
    assert decided.record.baseline == decided.record.fingerprint
    assert watch.kinds == [OPENED, RESOLVED]


async def test_a_baseline_that_cannot_be_read_is_taken_anew(watch: Watch) -> None:
    await watch.run(USERS)
    await watch.look(0)
    async with watch.store._backend.writing() as connection:
        await connection.execute(sa.update(SNAPSHOTS).values(body=zlib.compress(b"{}")))
    await watch.run("ALTER TABLE users ADD note text")
    decided = await watch.look(1)
    assert decided.record.state is State.UNCHANGED
    assert decided.record.baseline == decided.record.fingerprint


# Deployments


async def test_a_deployment_takes_the_baseline_along_without_a_word(watch: Watch) -> None:
    await watch.run(f"{USERS}; {VERSIONS}; {stamp('r1')}")
    await watch.see(0)
    await watch.run(f"ALTER TABLE users ADD note text; {stamp('r2')}")
    assert await watch.see(1) is State.UNCHANGED
    await watch.run("CREATE INDEX ON users (note)")
    assert await watch.see(5) is State.UNCHANGED
    assert await watch.see(12) is State.UNCHANGED
    assert watch.kinds == []
    await watch.run("ALTER TABLE users DROP note")
    await watch.see(13)
    await watch.see(14)
    assert watch.kinds == [OPENED]


async def test_a_look_compares_once_also_where_the_baseline_moves(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    await watch.run(f"{USERS}; {VERSIONS}; {stamp('r1')}")
    await watch.see(0)
    compared = []

    async def record(expected: Snapshot, actual: Snapshot, *rest: Any, **more: Any) -> Difference:
        compared.append(expected.fingerprint)
        return await compare(expected, actual, *rest, **more)

    monkeypatch.setattr("monitor.watch.inspection.compare", record)
    await watch.run(f"ALTER TABLE users ADD note text; {stamp('r2')}")
    decided = await watch.look(1)
    assert decided.record.state is State.UNCHANGED
    assert compared == [decided.record.fingerprint]


async def test_in_the_window_of_a_deployment_only_unreachable_is_told(
    watch: Watch, tmp_path: Path
) -> None:
    ini = write_history(tmp_path, 'op.execute("create table t (a int)")', "pass")
    watch.expect(f"alembic:{ini}")
    await watch.run(f"CREATE TABLE t (a int); {VERSIONS}; {stamp('r1')}")
    assert await watch.see(0) is State.PENDING
    await watch.run(f"ALTER TABLE t ADD b int; {stamp('r2')}")
    for minute in (1, 4, 7):
        assert await watch.see(minute) is State.DRIFTED
    assert watch.kinds == []
    alive, watch.url = watch.url, "postgresql://nobody:wrong@127.0.0.1:1/app"
    for moment in (8, 9, 10.5):
        await watch.see(moment)
    assert watch.kinds == [OPENED]
    watch.url = alive
    decided = await watch.look(11.1)
    assert watch.kinds == [OPENED, OPENED]  # the window is over, and something is wrong
    assert FindingClass.DRIFT in decided.unresolved
    for minute in (12, 13, 14):
        await watch.see(minute)
    assert watch.kinds == [OPENED, OPENED, RESOLVED]


async def test_a_window_that_ends_well_is_never_told(watch: Watch, tmp_path: Path) -> None:
    ini = write_history(
        tmp_path, 'op.execute("create table t (a int)")', 'op.execute("create table u (a int)")'
    )
    watch.expect(f"alembic:{ini}")
    await watch.run(f"CREATE TABLE t (a int); {VERSIONS}; {stamp('r1')}")
    await watch.see(0)
    await watch.run(stamp("r2"))  # the code is slower than the stamp
    assert await watch.see(1) is State.DRIFTED
    assert await watch.see(2) is State.DRIFTED
    await watch.run("CREATE TABLE u (a int)")
    assert await watch.see(3) is State.IN_SYNC
    assert await watch.see(12) is State.IN_SYNC
    assert watch.kinds == []


# One agent of several


async def test_of_two_agents_that_look_at_once_one_decides(watch: Watch) -> None:
    await watch.run(USERS)
    await watch.look(0)
    load = watch.store.load

    class Slow:
        """A ledger on which another agent decides between our read and our write."""

        def __getattr__(self, name: str) -> object:
            return getattr(watch.store, name)

        async def load(self, environment: str, database: str) -> object:
            before = await load(environment, database)
            await watch.look(1)
            return before

    second = msgspec.structs.replace(watch.pipeline, store=Slow())
    assert await second.look(watch.target, START) is None
    record = await load("test", "app")
    assert record is not None
    assert record.looks == 2
