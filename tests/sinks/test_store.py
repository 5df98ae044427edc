"""What the ledger promises, the same on SQLite and on PostgreSQL."""

import asyncio
import contextlib
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from monitor.core.errors import StoreError
from monitor.core.findings import FindingClass
from monitor.core.incidents import EventKind, Status
from monitor.core.verdict import State
from monitor.sinks.backend import open_backend
from monitor.sinks.past_looks import Look
from monitor.sinks.store import Store, open_store
from monitor.sinks.tables import METADATA, OUTBOX, VERSION_TABLE
from tests.sinks.builders import NOW, a_decision, a_record, an_incident, told

Script = Callable[..., subprocess.Popen[str]]


async def test_what_was_never_looked_at_has_no_record(store: Store) -> None:
    assert await store.load("production", "app") is None
    assert await store.load_unresolved("production", "app") == {}
    assert await store.load_incident("i1") is None
    assert await store.load_snapshot_blob("d1") is None
    assert await store.count_outbox() == {}


async def test_a_decision_is_read_back_as_it_was_written(store: Store) -> None:
    decision = told(1, EventKind.OPENED, "chat", "hook")
    assert await store.commit(decision)
    assert await store.load("production", "app") == decision.record
    assert await store.list_records() == [decision.record]
    (incident,) = decision.incidents
    assert await store.load_unresolved("production", "app") == {FindingClass.DRIFT: incident}
    assert await store.load_incident(incident.id) == incident
    assert await store.list_events(incident.id) == list(decision.events)
    assert await store.list_looks("production", "app", 10) == [
        Look(at=NOW, seconds=0.25, state=State.DRIFTED, findings=1)
    ]
    outcomes = await store.list_deliveries(incident.id)
    assert [outcome.delivery.channel for outcome in outcomes] == ["chat", "hook"]
    assert {outcome.delivery.at for outcome in outcomes} == {NOW}


async def test_moments_keep_their_order_and_come_back_in_utc(store: Store) -> None:
    there = timezone(timedelta(hours=5, minutes=30))
    moments = [
        NOW.replace(microsecond=0),
        NOW.replace(microsecond=1).astimezone(there),
        (NOW + timedelta(seconds=1)).astimezone(timezone(timedelta(hours=-9))),
        datetime(2026, 10, 1, tzinfo=UTC),
    ]
    for number, moment in enumerate(moments):
        incident = an_incident(f"i{number}", first_seen=moment, database=f"db{number}")
        assert await store.commit(
            a_decision(at=moment, database=f"db{number}", incidents=(incident,))
        )
    incidents = await store.list_incidents()
    assert [incident.id for incident in incidents] == ["i3", "i2", "i1", "i0"]
    (look,) = await store.list_looks("production", "db1", 1)
    assert look.at == moments[1]
    assert look.at.utcoffset() == timedelta(0)


async def test_the_first_of_two_agents_wins_and_the_second_writes_nothing(url: str) -> None:
    async with open_store(url) as ours, open_store(url) as theirs:
        assert await ours.commit(a_decision())
        assert not await theirs.commit(told(1, EventKind.OPENED, "chat"))
        assert await theirs.commit(a_decision(2))
        late = replace(told(2, EventKind.OPENED, "chat"), snapshot=("d1", b"body"))
        assert not await ours.commit(late)
        assert await ours.load_incident("i1") is None
        assert await ours.list_deliveries("i1") == []
        assert await ours.load_snapshot_blob("d1") is None
        assert len(await ours.list_looks("production", "app", 10)) == 2


async def test_of_many_agents_at_once_exactly_one_wins_each_look(url: str) -> None:
    async with contextlib.AsyncExitStack() as stack:
        agents = [await stack.enter_async_context(open_store(url)) for _ in range(4)]
        for looks in range(1, 6):
            decision = told(looks, EventKind.CHANGED, "chat")
            wins = await asyncio.gather(*(agent.commit(decision) for agent in agents))
            assert wins.count(True) == 1
        assert len(await agents[0].list_deliveries("i1")) == 5


async def test_a_decision_that_fails_halfway_leaves_nothing(store: Store) -> None:
    assert await store.commit(told(1, EventKind.OPENED, "chat"))
    before = await store.load("production", "app")
    second = replace(
        told(2, EventKind.CHANGED, "chat"), events=told(1, EventKind.OPENED, "chat").events
    )
    with pytest.raises(StoreError) as caught:
        await store.commit(second)
    assert "orders" not in str(caught.value)
    assert await store.load("production", "app") == before
    assert len(await store.list_looks("production", "app", 10)) == 1
    incident = await store.load_incident("i1")
    assert incident is not None
    assert incident.version == 1


async def test_a_resolved_incident_makes_room_for_the_next_of_its_class(store: Store) -> None:
    assert await store.commit(told(1, EventKind.OPENED, "chat"))
    assert await store.commit(told(2, EventKind.RESOLVED, "chat"))
    assert await store.load_unresolved("production", "app") == {}
    second = an_incident("i2", first_seen=NOW + timedelta(hours=1), version=0)
    assert await store.commit(a_decision(3, incidents=(second,)))
    assert (await store.load_unresolved("production", "app"))[FindingClass.DRIFT].id == "i2"
    assert [it.id for it in await store.list_incidents()] == ["i2"]
    everything = await store.list_incidents(include_resolved=True)
    assert [(it.id, it.status) for it in everything] == [
        ("i2", Status.OPEN),
        ("i1", Status.RESOLVED),
    ]


async def test_two_unresolved_incidents_of_one_class_are_refused(store: Store) -> None:
    assert await store.commit(told(1, EventKind.OPENED))
    with pytest.raises(StoreError):
        await store.commit(a_decision(2, incidents=(an_incident("i2"),)))


async def test_what_began_again_is_found_by_what_is_over(store: Store) -> None:
    over = [an_incident(f"over-{name}", database=name) for name in ("app", "crm", "hr")]
    assert await store.find_newer(over) == {}
    again = an_incident("again", database="app")
    other = an_incident("other", database="crm", finding_class=FindingClass.SMOKE)
    perhaps = an_incident("perhaps", database="hr", status=Status.SUSPECTED)
    for incident in (again, other, perhaps):
        assert await store.commit(told(1, EventKind.OPENED, incident=incident))
    assert {id_: one.id for id_, one in (await store.find_newer(over)).items()} == {
        "over-app": "again"
    }
    assert await store.find_newer([]) == {}


async def test_incidents_are_listed_by_place(store: Store) -> None:
    for number, (environment, database) in enumerate(
        [("production", "app"), ("production", "crm"), ("staging", "app")]
    ):
        incident = an_incident(f"i{number}", environment=environment, database=database)
        assert await store.commit(
            a_decision(environment=environment, database=database, incidents=(incident,))
        )
    assert [it.id for it in await store.list_incidents("production")] == ["i0", "i1"]
    assert [it.id for it in await store.list_incidents(database="app")] == ["i0", "i2"]
    assert [it.id for it in await store.list_incidents("staging", "app")] == ["i2"]
    assert len(await store.list_incidents(limit=2)) == 2


async def test_nothing_is_found_under_a_name_that_no_server_can_hold(store: Store) -> None:
    await store.commit(a_decision())
    assert await store.load_incident("\0") is None
    assert await store.list_incidents(None, "\0", include_resolved=True) == []
    assert await store.withdraw("test", "app", ["\0"]) == frozenset()


async def test_a_snapshot_stays_while_a_database_refers_to_it(store: Store) -> None:
    body = b"schema" * 10_000
    assert await store.commit(a_decision(snapshot=("d1", body)))
    assert await store.commit(a_decision(database="crm", snapshot=("d1", body)))
    assert await store.commit(a_decision(2))
    assert await store.load_snapshot_blob("d1") == body
    assert await store.commit(a_decision(3, snapshot=("d2", b"other")))
    assert await store.load_snapshot_blob("d1") == body
    await store.forget("production", {"app"}, NOW)
    assert await store.load_snapshot_blob("d1") is None
    assert await store.load_snapshot_blob("d2") == b"other"


async def test_a_forgotten_database_keeps_its_incidents_as_history(store: Store) -> None:
    assert await store.commit(told(1, EventKind.OPENED, "chat"))
    assert await store.commit(a_decision(database="crm"))
    assert await store.commit(a_decision(environment="staging", database="app"))
    await store.forget("production", ["crm"], NOW)
    kept = [(it.environment, it.database) for it in await store.list_records()]
    assert kept == [("production", "crm"), ("staging", "app")]
    assert await store.list_looks("production", "app", 10) == []
    assert await store.list_incidents() == []
    assert [it.id for it in await store.list_incidents(include_resolved=True)] == ["i1"]
    assert len(await store.list_events("i1")) == 1
    await store.forget("staging", (), NOW)
    assert len(await store.list_records()) == 1
    assert await store.commit(a_decision()), "it may come back, and begins at its first look"
    assert [it.id for it in await store.list_incidents()] == ["i1"]


async def test_the_tables_are_those_of_the_migrations(url: str) -> None:
    def compare(connection: sa.Connection) -> list[object]:
        options = {"version_table": VERSION_TABLE, "compare_type": True}
        return list(
            compare_metadata(MigrationContext.configure(connection, opts=options), METADATA)
        )

    async with open_store(url):
        backend = open_backend(url)
        async with backend.reading() as connection:
            assert await connection.run_sync(compare) == []
        await backend.close()


async def test_opening_twice_changes_nothing(url: str) -> None:
    async with open_store(url) as store:
        assert await store.commit(told(1, EventKind.OPENED, "chat"))
    async with open_store(url) as store:
        assert len(await store.list_deliveries("i1")) == 1


async def test_agents_may_open_an_empty_ledger_at_once(url: str, python: Script) -> None:
    source = """
import asyncio, os, sys
from monitor.sinks.store import open_store
async def main():
    print("ready", flush=True)
    sys.stdin.readline()
    async with open_store(os.environ["LEDGER"]) as store:
        print(len(await store.list_records()), flush=True)
asyncio.run(main())
"""
    agents = [python(source, LEDGER=url) for _ in range(3)]
    for agent in agents:
        assert agent.stdout is not None
        assert agent.stdout.readline() == "ready\n"
    answers = await asyncio.gather(
        *(asyncio.to_thread(agent.communicate, "go\n") for agent in agents)
    )
    assert [out for out, _ in answers] == ["0\n"] * 3, answers


async def test_a_ledger_of_a_newer_version_is_refused(url: str) -> None:
    async with open_store(url):
        pass
    backend = open_backend(url)
    async with backend.writing() as connection:
        await connection.execute(sa.text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    await backend.close()
    with pytest.raises(StoreError, match="newer anchorwatch"):
        async with open_store(url):
            pass


async def test_a_row_that_cannot_be_read_is_told_without_being_quoted(
    ledger: str, store: Store
) -> None:
    assert await store.commit(a_decision())
    backend = open_backend(ledger)
    async with backend.writing() as connection:
        await connection.execute(sa.text("UPDATE anchorwatch_record SET body = '{\"secret\": 1}'"))
    await backend.close()
    with pytest.raises(StoreError, match="cannot be read by this version") as caught:
        await store.load("production", "app")
    assert "secret" not in str(caught.value)


async def test_reading_goes_on_while_others_write(store: Store) -> None:
    async def write(name: str) -> None:
        for looks in range(1, 11):
            assert await store.commit(a_decision(looks, database=name))

    names = [f"db{number}" for number in range(8)]
    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(write(name))
        for _ in range(10):
            group.create_task(store.list_records())
    records = await store.list_records()
    assert [(it.database, it.looks) for it in records] == [(name, 10) for name in names]


async def test_a_look_is_cancelled_without_harm(store: Store) -> None:
    assert await store.commit(a_decision())
    for _ in range(20):
        task = asyncio.create_task(store.commit(a_decision(2)))
        await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    record = await store.load("production", "app")
    assert record is not None
    assert await store.commit(a_decision(record.looks + 1))


async def test_a_naive_moment_is_refused(store: Store) -> None:
    with pytest.raises(sa.exc.StatementError, match="without a time zone"):
        await store.commit(a_decision(at=datetime(2026, 1, 1)))  # noqa: DTZ001 - the point of it


def test_every_value_survives_the_json_of_the_ledger() -> None:
    record = a_record(window_until=NOW, revisions=("a", "b"), baseline="f")
    assert msgspec.json.decode(msgspec.json.encode(record), type=type(record)) == record


def test_a_row_is_told_once_per_channel_incident_and_version() -> None:
    (unique,) = [it for it in OUTBOX.constraints if isinstance(it, sa.UniqueConstraint)]
    assert [column.name for column in unique.columns] == ["channel", "incident", "version"]
