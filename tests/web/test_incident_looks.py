from datetime import timedelta

import pytest

from monitor.core.findings import FindingClass
from monitor.core.verdict import State
from monitor.sinks import past_looks
from monitor.sinks.past_looks import HOUR, Stretch
from monitor.sinks.store import Decision, Store
from monitor.web import incident_looks
from monitor.web.incident_looks import gather_hours
from tests.web.builders import (
    NOW,
    a_finding,
    a_record,
    a_report,
    a_view,
    an_incident,
    client_of,
)

BEGIN = NOW.replace(minute=0, second=0) - 4 * HOUR
"""Of a whole hour, four of them ago."""


def an_hour(number: int, state: State = State.DRIFTED, **changes: int) -> Stretch:
    fields = {"looks": 60, "least": 1, "most": 1} | changes
    return Stretch(since=BEGIN + number * HOUR, state=state, longest=0.2, total=6.0, **fields)


async def plant(store: Store, *, looks: int, finding_class: FindingClass) -> None:
    """One look in 20 minutes, the last at four hours less 20 minutes; drift from the second on."""
    found = (a_finding("long"),)
    incident = an_incident(
        found,
        id="cafe",
        finding_class=finding_class,
        first_seen=BEGIN + timedelta(minutes=20),
        last_seen=NOW,
    )
    for number in range(1, looks + 1):
        is_wrong = number > 1
        report = a_report(
            "long",
            State.DRIFTED if is_wrong else State.IN_SYNC,
            at=BEGIN + (number - 1) * timedelta(minutes=20),
            findings=found if is_wrong else (),
        )
        assert await store.commit(
            Decision(
                record=a_record(report, looks=number),
                looks_before=number - 1 or None,
                incidents=(incident,) if number == looks else (),
            )
        )


async def fetch(store: Store) -> tuple[dict[str, object], str]:
    async with client_of(a_view(store)) as client:
        document = (await client.get("/api/incidents/cafe")).json()
        page = " ".join((await client.get("/incidents/cafe")).text.split())
    return document, page


def test_hours_that_are_alike_and_one_after_another_are_one() -> None:
    told = gather_hours(
        [
            an_hour(0, State.IN_SYNC, looks=20, least=0, most=0),
            an_hour(0, looks=40),
            an_hour(1),
            an_hour(3),
            an_hour(4, most=2),
        ]
    )
    assert [(one.since, one.until, one.looks, one.findings_most) for one in told] == [
        (BEGIN + 4 * HOUR, BEGIN + 5 * HOUR, 60, 2),
        (BEGIN + 3 * HOUR, BEGIN + 4 * HOUR, 60, 1),
        (BEGIN, BEGIN + 2 * HOUR, 100, 1),
        (BEGIN, BEGIN + HOUR, 20, 0),
    ]
    assert gather_hours([]) == ()


async def test_where_every_look_is_kept_nothing_is_told_by_the_hour(store: Store) -> None:
    await plant(store, looks=12, finding_class=FindingClass.DRIFT)
    document, page = await fetch(store)
    assert document["looks_are_whole"] is True
    assert document["earlier_looks"] == []
    assert "by the hour" not in page


async def test_an_incident_says_where_its_looks_are_kept_by_the_hour_only(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past_looks, "KEEP_LOOKS", 4)
    await plant(store, looks=12, finding_class=FindingClass.DRIFT)
    document, page = await fetch(store)
    assert document["looks_are_whole"] is False
    assert document["looks"] == [
        {
            "first": "2026-03-14T07:00:00Z",
            "last": "2026-03-14T08:40:00Z",
            "looks": 6,
            "state": "drifted",
            "findings": 1,
        }
    ]
    assert document["earlier_looks"] == [
        {
            "since": "2026-03-14T05:00:00Z",
            "until": "2026-03-14T08:00:00Z",
            "looks": 8,
            "state": "drifted",
            "findings_least": 1,
            "findings_most": 1,
        },
        {
            "since": "2026-03-14T05:00:00Z",
            "until": "2026-03-14T06:00:00Z",
            "looks": 1,
            "state": "in_sync",
            "findings_least": 0,
            "findings_most": 0,
        },
    ]
    assert "Before that the ledger keeps no single looks" in page
    assert "Earlier looks by the hour" in page


async def test_what_a_page_has_no_room_for_is_told_by_the_hour(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incident_looks, "RUNS", 0)
    await plant(store, looks=3, finding_class=FindingClass.DRIFT)
    document, _ = await fetch(store)
    assert document["looks"] == []
    assert [one["looks"] for one in document["earlier_looks"]] == [2, 1]  # type: ignore[attr-defined]


async def test_an_incident_whose_looks_are_forgotten_says_so(store: Store) -> None:
    await plant(store, looks=2, finding_class=FindingClass.DRIFT)
    await store.forget("production", (), NOW)
    document, page = await fetch(store)
    assert document["looks_are_whole"] is False
    assert "None is kept: the ledger forgets looks after a month." in page


async def test_of_other_checks_no_looks_are_told(store: Store) -> None:
    await plant(store, looks=2, finding_class=FindingClass.SMOKE)
    document, page = await fetch(store)
    assert document["looks"] == document["earlier_looks"] == []
    assert "keeps the last run of this check" in page
