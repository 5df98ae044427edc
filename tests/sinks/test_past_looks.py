from datetime import timedelta

import msgspec

from monitor.core.checkup import CheckName, CheckRecord, CheckReport
from monitor.core.verdict import State
from monitor.sinks.past_looks import Stretch
from monitor.sinks.store import Decision, Store
from tests.sinks.builders import NOW, a_decision, a_record

HOUR = timedelta(hours=1)


async def look(store: Store, number: int, at_minutes: float, **changes: object) -> None:
    at = NOW + timedelta(minutes=at_minutes)
    record = a_record(number, at)
    report = msgspec.structs.replace(record.report, **changes)
    record = msgspec.structs.replace(record, report=report)
    assert await store.commit(a_decision(number, record=record))


async def test_looks_are_summed_up_by_span_and_state(store: Store) -> None:
    await look(store, 1, -90, state=State.IN_SYNC, seconds=9.0)
    await look(store, 2, 0, state=State.IN_SYNC, seconds=0.5)
    await look(store, 3, 10, state=State.DRIFTED, seconds=0.25)
    await look(store, 4, 59.9, state=State.DRIFTED, seconds=1.25)
    await look(store, 5, 60, state=State.IN_SYNC, seconds=0.5)
    stretches = await store.sum_up_looks("production", "app", NOW - HOUR, HOUR)
    assert stretches == [
        Stretch(since=NOW, state=State.DRIFTED, looks=2, longest=1.25, total=1.5),
        Stretch(since=NOW, state=State.IN_SYNC, looks=1, longest=0.5, total=0.5),
        Stretch(since=NOW + HOUR, state=State.IN_SYNC, looks=1, longest=0.5, total=0.5),
    ]
    assert await store.sum_up_looks("production", "other", NOW - HOUR, HOUR) == []


async def test_the_looks_of_a_time_are_listed_the_youngest_first(store: Store) -> None:
    for number in range(1, 6):
        await look(store, number, number)
    minute = timedelta(minutes=1)
    found = await store.list_looks(
        "production", "app", 10, since=NOW + 2 * minute, until=NOW + 4 * minute
    )
    assert [one.at - NOW for one in found] == [4 * minute, 3 * minute, 2 * minute]
    assert len(await store.list_looks("production", "app", 2, since=NOW)) == 2


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
