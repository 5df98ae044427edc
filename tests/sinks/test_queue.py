"""What the rows of the outbox promise, the same on both servers."""

import asyncio
import contextlib
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from monitor.core.incidents import EventKind
from monitor.sinks.channel import FailureReason
from monitor.sinks.claims import Claim
from monitor.sinks.delivery import Backlog, Delivery, DeliveryStatus, Grouping, Held
from monitor.sinks.store import Store, open_store
from tests.conftest import MakeDatabase
from tests.sinks.builders import NOW, a_decision, an_incident, lapse, statuses, told

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
RESOLVED = EventKind.RESOLVED
OPENED = EventKind.OPENED
CHANGED = EventKind.CHANGED


async def claim(
    store: Store, now: datetime = NOW, holder: str = "us", channel: str = "chat", limit: int = 100
) -> list[Delivery]:
    return await store.claim_due(
        Claim(now=now, holder=holder, lease=MINUTE, channel=channel), limit
    )


async def test_a_row_is_claimed_once_until_its_lease_ends(store: Store) -> None:
    assert await store.commit(told(1, OPENED, "chat"))
    (delivery,) = await claim(store)
    assert (delivery.channel, delivery.incident, delivery.version) == ("chat", "i1", 1)
    assert (delivery.kind, delivery.at, delivery.attempts) == (OPENED, NOW, 1)
    assert await claim(store, holder="them") == []
    assert await claim(store, NOW + MINUTE - SECOND, holder="them") == []
    await lapse(store)
    (again,) = await claim(store, NOW + MINUTE, holder="them")
    assert (again.id, again.attempts, again.holder) == (delivery.id, 2, "them")
    (outcome,) = await store.list_deliveries("i1")
    assert outcome.may_have_arrived, "nobody knows what the first holder did"


async def test_a_row_is_for_its_channel_and_not_before_it_is_due(store: Store) -> None:
    assert await store.commit(told(1, OPENED, "chat", "hook", "chat"))
    assert await claim(store, NOW - SECOND) == []
    assert await claim(store, channel="mail") == []
    assert [it.channel for it in await claim(store, channel="hook")] == ["hook"]
    assert len(await claim(store)) == 1


async def test_agents_that_claim_at_once_share_the_rows(url: str) -> None:
    async with contextlib.AsyncExitStack() as stack:
        agents = [await stack.enter_async_context(open_store(url)) for _ in range(4)]
        for number in range(24):
            incident = an_incident(f"i{number}", database=f"db{number}")
            assert await agents[0].commit(told(1, OPENED, "chat", incident=incident))
        claimed = await asyncio.gather(
            *(
                claim(agent, holder=f"agent {number}", limit=3)
                for number, agent in enumerate(agents * 4)
            )
        )
        taken = [delivery.id for deliveries in claimed for delivery in deliveries]
        assert len(taken) == len(set(taken)) == 24
        assert all(len(deliveries) <= 3 for deliveries in claimed)


async def test_agents_never_hold_two_rows_of_one_incident(url: str) -> None:
    async with open_store(url) as ours, open_store(url) as theirs:
        assert await ours.commit(told(1, OPENED, "chat"))
        for looks in range(2, 12):
            decision = told(looks, CHANGED, "chat")
            results = await asyncio.gather(
                claim(ours, NOW + HOUR, "us"), ours.commit(decision), claim(theirs, NOW + HOUR)
            )
            held = [*results[0], *results[2]]
            assert len(held) <= 1
            for delivery in held:
                await ours.complete([delivery], "ok", NOW)


async def test_the_newest_row_of_an_incident_supersedes_the_older(store: Store) -> None:
    for looks in (1, 2, 3):
        assert await store.commit(told(looks, CHANGED, "chat", "hook"))
    (delivery,) = await claim(store, NOW + HOUR)
    assert delivery.version == 3
    outcomes = await store.list_deliveries("i1")
    by_channel = [(it.delivery.channel, it.status.value) for it in outcomes]
    assert by_channel == [
        ("chat", "superseded"),
        ("hook", "pending"),
        ("chat", "superseded"),
        ("hook", "pending"),
        ("chat", "pending"),
        ("hook", "pending"),
    ]
    assert outcomes[0].ended == NOW + HOUR


async def test_while_one_sends_about_an_incident_nobody_else_does(store: Store) -> None:
    assert await store.commit(told(1, OPENED, "chat"))
    (first,) = await claim(store, NOW + MINUTE)
    assert await store.commit(told(2, RESOLVED, "chat"))
    assert await claim(store, NOW + MINUTE + SECOND, holder="them") == []
    await store.complete([first], "ok", NOW)
    (second,) = await claim(store, NOW + MINUTE + SECOND, holder="them")
    assert second.kind is RESOLVED
    assert await statuses(store) == ["delivered", "pending"]


async def test_a_postponed_row_comes_back_when_it_is_due(store: Store) -> None:
    assert await store.commit(told(1, OPENED, "chat"))
    (delivery,) = await claim(store)
    await store.postpone([delivery], NOW + HOUR, FailureReason.SERVER)
    assert await claim(store, NOW + HOUR - SECOND) == []
    (outcome,) = await store.list_deliveries("i1")
    assert (outcome.due, outcome.reason) == (NOW + HOUR, FailureReason.SERVER)
    assert outcome.delivery.holder == ""
    assert not outcome.may_have_arrived
    (again,) = await claim(store, NOW + HOUR)
    assert again.attempts == 2


async def test_an_ended_row_is_never_claimed_again(store: Store) -> None:
    for number, end in enumerate(("complete", "bury", "supersede")):
        incident = an_incident(f"i{number}", database=f"db{number}")
        assert await store.commit(told(1, OPENED, "chat", incident=incident))
        (delivery,) = await claim(store)
        match end:
            case "complete":
                await store.complete([delivery], "fine\nthanks", NOW)
            case "bury":
                await store.bury([delivery], FailureReason.GONE, NOW)
            case _:
                await store.supersede([delivery], NOW)
    assert await claim(store, NOW + timedelta(days=9)) == []
    outcomes = [(await store.list_deliveries(f"i{number}"))[0] for number in range(3)]
    assert [it.status for it in outcomes] == [
        DeliveryStatus.DELIVERED,
        DeliveryStatus.DEAD,
        DeliveryStatus.SUPERSEDED,
    ]
    assert [it.receipt for it in outcomes] == ["fine\\nthanks", None, None]
    assert [it.reason for it in outcomes] == [None, FailureReason.GONE, None]
    assert {it.ended for it in outcomes} == {NOW}


async def test_who_lost_the_lease_cannot_put_a_row_back(store: Store) -> None:
    assert await store.commit(told(1, OPENED, "chat"))
    (late,) = await claim(store)
    await lapse(store)
    (current,) = await claim(store, NOW + MINUTE, holder="them")
    await store.postpone([late], NOW, FailureReason.SERVER)
    await store.bury([late], FailureReason.REFUSED, NOW)
    await store.supersede([late], NOW)
    (outcome,) = await store.list_deliveries("i1")
    assert (outcome.delivery.holder, outcome.status) == ("them", DeliveryStatus.PENDING)
    await store.complete([late], "it arrived after all", NOW)
    await store.postpone([current], NOW, FailureReason.SERVER)
    assert await statuses(store) == ["delivered"]


async def test_the_backlog_of_others_is_not_counted(store: Store) -> None:
    elsewhere = an_incident("i2", environment="staging", database="crm")
    assert await store.commit(told(1, OPENED, "chat"))
    assert await store.commit(told(1, OPENED, "chat", incident=elsewhere))
    assert (await store.count_outbox())["chat"].pending == 2
    assert (await store.count_outbox({"production"}))["chat"].pending == 1
    assert await store.count_outbox({"review"}) == {}


async def test_the_backlog_is_counted_by_channel(store: Store) -> None:
    assert await store.commit(told(1, OPENED, "chat", "hook"))
    second = an_incident("i2", database="crm")
    assert await store.commit(told(1, OPENED, "chat", incident=second))
    (delivery,) = await claim(store, channel="hook")
    await store.bury([delivery], FailureReason.GONE, NOW)
    assert await store.count_outbox() == {
        "chat": Backlog(pending=2, oldest=NOW, dead=0),
        "hook": Backlog(pending=0, oldest=None, dead=1),
    }


# Whether an end is told


async def test_nobody_was_told_of_what_was_never_sent(store: Store) -> None:
    assert await store.find_told("chat", ["i1"]) == set()
    assert await store.commit(told(1, OPENED, "chat", "hook"))
    (delivery,) = await claim(store)
    await store.postpone([delivery], NOW, FailureReason.SERVER)
    (delivery,) = await claim(store)
    await store.bury([delivery], FailureReason.REFUSED, NOW)
    assert await store.find_told("chat", ["i1"]) == set()
    (delivery,) = await claim(store, channel="hook")
    await store.complete([delivery], "ok", NOW)
    assert await store.find_told("hook", ["i1"]) == {"i1"}
    assert await store.find_told("chat", ["i1"]) == set()


@pytest.mark.parametrize("reason", [FailureReason.TIMEOUT, FailureReason.BROKEN_OFF])
async def test_an_attempt_without_an_answer_may_have_arrived(
    store: Store, reason: FailureReason
) -> None:
    assert await store.commit(told(1, OPENED, "chat"))
    (delivery,) = await claim(store)
    await store.postpone([delivery], NOW, reason)
    assert await store.find_told("chat", ["i1"]) == {"i1"}


async def test_a_crashed_holder_may_have_sent_it(store: Store) -> None:
    assert await store.commit(told(1, OPENED, "chat"))
    assert await claim(store)
    await lapse(store)
    assert await store.commit(told(2, RESOLVED, "chat"))
    (delivery,) = await claim(store, NOW + HOUR)
    assert delivery.kind is RESOLVED
    assert await statuses(store) == ["superseded", "pending"]
    assert await store.find_told("chat", ["i1"]) == {"i1"}


async def test_a_resolved_message_is_no_open_one(store: Store) -> None:
    assert await store.commit(told(1, RESOLVED, "chat"))
    (delivery,) = await claim(store)
    await store.complete([delivery], "ok", NOW)
    assert await store.find_told("chat", ["i1"]) == set()


async def test_without_events_nothing_waits(store: Store) -> None:
    assert await store.commit(a_decision(channels=("chat",)))
    assert await store.count_outbox() == {}


async def test_what_was_decided_by_a_clock_that_was_ahead_waits_for_no_hours(store: Store) -> None:
    assert await store.commit(told(1, OPENED, "chat"))
    (delivery,) = await claim(store, NOW - 5 * HOUR)
    assert (delivery.kind, delivery.attempts) == (OPENED, 1)


async def test_what_a_clock_that_was_ahead_kept_back_waits_for_no_hours(store: Store) -> None:
    assert await store.commit(told(1, OPENED, "chat"))
    await store.hold(await claim(store), NOW + SECOND, Held.SILENCED)
    assert await claim(store, NOW) == []
    assert len(await claim(store, NOW - 5 * HOUR)) == 1


async def test_what_was_postponed_by_a_clock_that_was_years_ahead_comes_back(
    store: Store,
) -> None:
    assert await store.commit(told(1, OPENED, "chat"))
    await store.postpone(await claim(store), NOW + DAY, FailureReason.SERVER)
    assert await claim(store, NOW) == [], "somebody asked for a day of peace"
    assert len(await claim(store, NOW - 365 * DAY)) == 1


async def test_a_claim_of_a_clock_that_was_ahead_ends_with_its_lease(file_store: Store) -> None:
    assert await file_store.commit(told(1, OPENED, "chat"))
    assert len(await claim(file_store, NOW + 5 * HOUR, holder="them")) == 1
    assert len(await claim(file_store, NOW)) == 1


@pytest.mark.parametrize("apart", [timedelta(minutes=-4), 3 * MINUTE, -5 * HOUR, 5 * HOUR, DAY])
async def test_agents_whose_clocks_differ_leave_each_other_what_they_hold(
    make_database: MakeDatabase, apart: timedelta
) -> None:
    """Two machines, and nobody keeps their time: the server that they share does."""
    grouping = Grouping(wait=timedelta(0), interval=timedelta(0))
    async with open_store(await make_database()) as store:
        assert await store.commit(told(1, OPENED, "chat", "hook"))
        for channel in ("chat", "hook"):
            assert len(await claim(store, NOW + MINUTE, channel=channel)) == 1
        theirs = NOW + MINUTE + apart
        assert await claim(store, theirs, holder="them", channel="hook") == []
        wish = Claim(now=theirs, holder="them", lease=MINUTE, channel="chat")
        assert await store.claim_group(wish, grouping) == []
        await lapse(store)
        assert len(await store.claim_group(wish, grouping)) == 1


async def test_who_waits_for_the_interval_waits_for_no_clock(store: Store) -> None:
    grouping = Grouping(wait=10 * SECOND, interval=MINUTE)

    async def claim_all(now: datetime) -> list[Delivery]:
        claim = Claim(now=now, holder="us", lease=MINUTE, channel="chat")
        return await store.claim_group(claim, grouping)

    assert await store.commit(told(1, OPENED, "chat"))
    await store.complete(await claim_all(NOW + MINUTE), "ok", NOW + MINUTE)
    second = an_incident("i2", database="crm")
    assert await store.commit(told(1, OPENED, "chat", incident=second))
    assert await claim_all(NOW + MINUTE + SECOND) == [], "a message went out a second ago"
    (delivery,) = await claim_all(NOW - 5 * HOUR)
    assert delivery.incident == "i2"


async def test_what_is_claimed_together_takes_a_few_statements(store: Store) -> None:
    """A fleet that is silenced is claimed every half minute."""
    for number in range(30):
        incident = an_incident(f"i{number}", database=f"db{number}")
        await store.commit(told(1, EventKind.OPENED, "chat", incident=incident))
        await store.commit(told(2, EventKind.CHANGED, "chat", incident=incident))
    statements: list[str] = []

    def count(*_: object) -> None:
        statements.append("one")

    sa.event.listen(sa.Engine, "before_cursor_execute", count)
    try:
        claimed = await store.claim_group(
            Claim(now=NOW + HOUR, holder="us", lease=2 * MINUTE, channel="chat"),
            Grouping(wait=timedelta(0), interval=timedelta(0)),
        )
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", count)
    assert {one.version for one in claimed} == {2}
    assert len(claimed) == 30
    assert len(statements) < 10
    assert await statuses(store, "i7") == ["superseded", "pending"]
