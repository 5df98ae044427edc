from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
import sqlalchemy as sa

from monitor.core.checkup import CheckName, CheckRecord, CheckReport
from monitor.core.verdict import State
from monitor.sinks import past_looks
from monitor.sinks.backend import open_backend
from monitor.sinks.past_looks import Stretch
from monitor.sinks.store import Decision, Store, open_store
from monitor.sinks.tables import HOURS, LOOKS, VERSION_TABLE
from tests.sinks.builders import NOW, a_decision, a_record

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


async def look(store: Store, number: int, at_minutes: float, **changes: object) -> None:
    at = NOW + timedelta(minutes=at_minutes)
    record = a_record(number, at)
    report = msgspec.structs.replace(record.report, **changes)
    record = msgspec.structs.replace(record, report=report)
    assert await store.commit(a_decision(number, record=record))


def single(state: State) -> dict[str, object]:
    return {"seconds": 0.2, "state": state, "findings": 1}


async def test_looks_are_summed_up_by_span_and_state(store: Store) -> None:
    await look(store, 1, -90, state=State.IN_SYNC, seconds=9.0)
    await look(store, 2, 0, state=State.IN_SYNC, seconds=0.5)
    await look(store, 3, 10, state=State.DRIFTED, seconds=0.25)
    await look(store, 4, 59.9, state=State.DRIFTED, seconds=1.25)
    await look(store, 5, 60, state=State.IN_SYNC, seconds=0.5)
    half = Stretch(
        since=NOW, state=State.IN_SYNC, looks=1, longest=0.5, total=0.5, least=1, most=1
    )
    assert await store.sum_up_looks("production", "app", NOW - HOUR, HOUR) == [
        replace(half, state=State.DRIFTED, looks=2, longest=1.25, total=1.5),
        half,
        replace(half, since=NOW + HOUR),
    ]
    assert await store.sum_up_looks("production", "other", NOW - HOUR, HOUR) == []


async def test_looks_that_are_alike_and_one_after_another_are_one_run(store: Store) -> None:
    states = [State.DRIFTED, State.DRIFTED, State.IN_SYNC, State.DRIFTED, State.DRIFTED]
    for number, state in enumerate(states, 1):
        await look(store, number, number, state=state)
    await look(store, 6, 6, state=State.DRIFTED, findings=())
    runs = await store.list_runs("production", "app", 10, since=NOW + 2 * MINUTE)
    assert [(one.state, one.findings, one.looks, one.first - NOW) for one in runs] == [
        (State.DRIFTED, 0, 1, 6 * MINUTE),
        (State.DRIFTED, 1, 2, 4 * MINUTE),
        (State.IN_SYNC, 1, 1, 3 * MINUTE),
        (State.DRIFTED, 1, 1, 2 * MINUTE),
    ]
    assert runs[1].last - NOW == 5 * MINUTE
    few = await store.list_runs("production", "app", 1, since=NOW, until=NOW + 4 * MINUTE)
    assert [(one.looks, one.last - NOW) for one in few] == [(1, 4 * MINUTE)]
    assert await store.list_runs("production", "other", 10, since=NOW) == []


async def test_single_looks_go_by_their_number_and_their_hours_stay(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past_looks, "KEEP_LOOKS", 3)
    for number in range(1, 6):
        await look(store, number, number - 1)
    assert len(await store.list_looks("production", "app", 10)) == 5, "once an hour"
    await look(store, 6, 60)
    assert [one.at - NOW for one in await store.list_looks("production", "app", 10)] == [
        HOUR,
        4 * MINUTE,
        3 * MINUTE,
    ]
    assert len(await store.list_looks("production", "app", 1)) == 1
    assert await store.find_oldest("production", "app") == NOW + 3 * MINUTE
    assert await store.find_oldest("production", "other") is None
    hours = await store.sum_up_looks("production", "app", NOW, HOUR)
    assert [one.looks for one in hours] == [5, 1]


async def test_a_month_of_a_database_that_flaps_is_bounded(
    store: Store, ledger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every hour saw three states, and there were three times as many looks as are kept."""
    monkeypatch.setattr(past_looks, "KEEP_LOOKS", 300)
    await look(store, 1, 0)
    begin, states = int(NOW.timestamp()) // 3600, (State.IN_SYNC, State.DRIFTED, State.UNKNOWN)
    place = {"environment": "production", "database": "app"}
    sums = {"looks": 60, "longest": 1.0, "total": 9.0, "least": 0, "most": 3}
    hours = [
        {**place, "hour": begin - hour, "state": state, **sums}
        for hour in range(1, 33 * 24)
        for state in states
    ]
    looks = [
        {**place, "number": -number, "at": NOW - number * MINUTE / 4, **single(states[number % 3])}
        for number in range(3 * past_looks.KEEP_LOOKS)
    ]
    backend = open_backend(ledger)
    async with backend.writing() as connection:
        await connection.execute(sa.delete(LOOKS))
        await connection.execute(sa.insert(HOURS), hours)
        await connection.execute(sa.insert(LOOKS), looks)
    await look(store, 2, 60)
    async with backend.reading() as connection:
        kept = [
            await connection.scalar(sa.select(sa.func.count()).select_from(table))
            for table in (LOOKS, HOURS)
        ]
    await backend.close()
    assert kept[0] == past_looks.KEEP_LOOKS - 1
    assert kept[1] == 31 * 24 * len(states) - len(states) + 2
    month = await store.sum_up_looks("production", "app", NOW - 30 * 24 * HOUR, 3 * HOUR)
    assert len(month) <= (30 * 8 + 1) * len(states)
    assert len(await store.list_runs("production", "app", 200, since=NOW - 24 * HOUR)) == 200


async def test_after_a_month_an_hour_goes_and_not_before(store: Store) -> None:
    day = 24 * 60
    await look(store, 1, 0)
    await look(store, 2, 31 * day)
    assert [one.looks for one in await store.sum_up_looks("production", "app", NOW, HOUR)] == [
        1,
        1,
    ]
    await look(store, 3, 31 * day + 60)
    (kept,) = await store.sum_up_looks("production", "app", NOW, 24 * HOUR)
    assert kept.looks == 2
    assert len(await store.list_looks("production", "app", 10)) == 2


async def test_the_hours_of_a_database_go_with_it(store: Store) -> None:
    await look(store, 1, 0)
    await store.forget("production", (), NOW)
    assert await store.sum_up_looks("production", "app", NOW, HOUR) == []


async def test_looks_of_an_older_version_are_summed_up_when_its_ledger_is_opened(
    url: str,
) -> None:
    async with open_store(url) as store:
        await look(store, 1, -0.005, state=State.DRIFTED, seconds=0.5, findings=())
        await look(store, 2, 0, state=State.DRIFTED, seconds=1.5)
        await look(store, 3, 59.995, state=State.DRIFTED, seconds=0.25, findings=())
        written = await store.sum_up_looks("production", "app", NOW - HOUR, HOUR)
    assert [(one.looks, one.longest, one.total, one.least, one.most) for one in written] == [
        (1, 0.5, 0.5, 0, 0),
        (2, 1.5, 1.75, 0, 1),
    ]
    backend = open_backend(url)
    async with backend.writing() as connection:
        await connection.execute(sa.text("DROP TABLE anchorwatch_hour"))
        await connection.execute(sa.text(f"UPDATE {VERSION_TABLE} SET version_num = '0007'"))
    await backend.close()
    async with open_store(url) as store:
        assert await store.sum_up_looks("production", "app", NOW - HOUR, HOUR) == written


async def test_a_look_and_a_check_are_another_number(store: Store) -> None:
    assert await store.number_looks() == {}
    await look(store, 1, 0)
    assert await store.number_looks() == {("production", "app"): 1}
    await look(store, 2, 1)
    report = CheckReport(
        environment="production", database="app", check=CheckName.SMOKE, at=NOW, summary="fine"
    )
    check = CheckRecord(
        environment="production", database="app", check=CheckName.SMOKE, report=report
    )
    assert await store.commit(Decision(record=check, looks_before=None))
    assert await store.number_looks() == {("production", "app"): 3}
