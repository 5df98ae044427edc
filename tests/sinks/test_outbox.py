"""What the courier promises: what is said, when, and what is never said."""

import asyncio
import contextlib
import itertools
import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from monitor.core.errors import StoreError
from monitor.core.findings import Severity
from monitor.core.incidents import EventKind, Status
from monitor.core.message import Message
from monitor.sinks import outbox
from monitor.sinks.channel import ChannelKind, FailureReason
from monitor.sinks.choice import choose_kind
from monitor.sinks.claims import Carrier
from monitor.sinks.delivery import Backlog, Delivery, Grouping
from monitor.sinks.mending import mend
from monitor.sinks.outbox import LEASE, ROUND, Attempt, Courier, Fate, Route
from monitor.sinks.store import Store, open_store
from tests.sinks.builders import NOW, a_failure, a_finding, an_incident, sqlite_url, statuses, told

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
RESOLVED = EventKind.RESOLVED
OPENED = EventKind.OPENED
CHANGED = EventKind.CHANGED


class Recorder:
    """A channel that keeps what it took; `answers` fail or wait in turn before that."""

    def __init__(
        self,
        name: str = "chat",
        *answers: Exception | asyncio.Event,
        kind: ChannelKind = ChannelKind.WEBHOOK,
    ) -> None:
        self.name = name
        self.kind = kind
        self.sent: list[Message] = []
        self.tried: list[datetime] = []
        self.asked = asyncio.Event()
        self.answers = list(answers)

    async def send(self, message: Message, *, attempt_at: datetime) -> str:
        self.tried.append(attempt_at)
        self.asked.set()
        match self.answers.pop(0) if self.answers else None:
            case Exception() as failure:
                raise failure
            case asyncio.Event() as event:
                await event.wait()
        self.sent.append(message)
        return "HTTP 200"

    @property
    def told(self) -> list[tuple[str, str]]:
        return [
            (message.type.removeprefix("incident."), message.incident) for message in self.sent
        ]


async def hurry(_: float) -> None:
    """No pause between messages."""


def a_courier(store: Store, *channels: Recorder, holder: str = "us") -> Courier:
    routes = [Route(channel=channel) for channel in channels]
    return Courier(store, routes, holder=holder, luck=lambda: 0.5, sleep=hurry)


@pytest.mark.parametrize(
    ("kind", "status", "severity", "has_told", "said"),
    [
        (OPENED, Status.OPEN, Severity.WARNING, False, OPENED),
        (CHANGED, Status.OPEN, Severity.WARNING, True, CHANGED),
        (CHANGED, Status.OPEN, Severity.CRITICAL, False, OPENED),
        (EventKind.REMINDER, Status.OPEN, Severity.WARNING, False, OPENED),
        (EventKind.REMINDER, Status.ACKNOWLEDGED, Severity.WARNING, True, EventKind.REMINDER),
        (OPENED, Status.RECOVERING, Severity.WARNING, False, OPENED),
        (OPENED, Status.OPEN, Severity.INFO, False, None),
        (CHANGED, Status.OPEN, Severity.INFO, True, None),
        (OPENED, Status.RESOLVED, Severity.CRITICAL, False, None),
        (RESOLVED, Status.RESOLVED, Severity.CRITICAL, False, None),
        (RESOLVED, Status.RESOLVED, Severity.CRITICAL, True, RESOLVED),
        (RESOLVED, Status.RESOLVED, Severity.INFO, True, RESOLVED),
    ],
)
def test_what_is_said_follows_from_how_it_stands_and_what_was_told(
    kind: EventKind,
    status: Status,
    severity: Severity,
    has_told: bool,  # noqa: FBT001 - a column of the table above
    said: EventKind | None,
) -> None:
    incident = an_incident(status=status, severity=severity)
    assert choose_kind(kind, incident, has_told=has_told, minimum=Severity.WARNING) is said


async def test_a_message_is_delivered_once_and_receipted(file_store: Store) -> None:
    store, chat, hook = file_store, Recorder("chat"), Recorder("hook")
    assert await store.commit(told(1, OPENED, "chat", "hook"))
    courier = a_courier(store, chat, hook)
    for _ in range(3):
        await courier.deliver_due(NOW)
    assert chat.told == hook.told == [("opened", "i1")]
    outcomes = await store.list_deliveries("i1")
    assert [it.delivery.id for it in outcomes] == [chat.sent[0].id, hook.sent[0].id]
    assert {(it.status.value, it.receipt) for it in outcomes} == {("delivered", "HTTP 200")}


async def test_a_message_tells_how_it_stands_when_it_is_sent(file_store: Store) -> None:
    store, chat = file_store, Recorder()
    assert await store.commit(told(1, OPENED, "chat"))
    grown = an_incident(findings=(a_finding("a"), a_finding("b")))
    assert await store.commit(told(2, CHANGED, "chat", incident=grown))
    await a_courier(store, chat).deliver_due(NOW + HOUR)
    assert chat.told == [("opened", "i1")], "the first word is that it opened"
    assert len(chat.sent[0].findings) == 2
    assert await statuses(store) == ["superseded", "delivered"]


async def test_what_opened_and_ended_unsaid_is_not_said(file_store: Store) -> None:
    store, chat = file_store, Recorder("chat", a_failure())
    assert await store.commit(told(1, OPENED, "chat"))
    courier = a_courier(store, chat)
    await courier.deliver_due(NOW)
    assert await store.commit(told(2, RESOLVED, "chat"))
    await courier.deliver_due(NOW + HOUR)
    assert chat.told == []
    assert await statuses(store) == ["superseded", "superseded"]


async def test_an_end_is_told_to_those_who_know_of_the_beginning(file_store: Store) -> None:
    store, chat, hook = file_store, Recorder("chat"), Recorder("hook", *[a_failure()] * 9)
    assert await store.commit(told(1, OPENED, "chat", "hook"))
    courier = a_courier(store, chat, hook)
    await courier.deliver_due(NOW)
    assert await store.commit(told(2, RESOLVED, "chat", "hook"))
    await courier.deliver_due(NOW + HOUR)
    assert chat.told == [("opened", "i1"), ("resolved", "i1")]
    assert hook.told == []
    assert len(hook.tried) == 1


async def test_an_end_is_told_when_the_beginning_had_no_answer(file_store: Store) -> None:
    store, chat = file_store, Recorder("chat", a_failure(FailureReason.TIMEOUT))
    assert await store.commit(told(1, OPENED, "chat"))
    courier = a_courier(store, chat)
    await courier.deliver_due(NOW)
    assert await store.commit(told(2, RESOLVED, "chat"))
    await courier.deliver_due(NOW + HOUR)
    assert chat.told == [("resolved", "i1")]


async def test_a_channel_hears_of_what_is_bad_enough_for_it(file_store: Store) -> None:
    store, chat, pager = file_store, Recorder("chat"), Recorder("pager")
    routes = [Route(channel=chat), Route(channel=pager, minimum=Severity.CRITICAL)]
    courier = Courier(store, routes, holder="us")
    mild = an_incident(severity=Severity.WARNING)
    for looks, kind, incident in (
        (1, OPENED, mild),
        (2, CHANGED, an_incident(severity=Severity.CRITICAL)),
        (3, CHANGED, mild),
        (4, RESOLVED, mild),
    ):
        assert await store.commit(told(looks, kind, "chat", "pager", incident=incident))
        await courier.deliver_due(NOW + HOUR)
    assert [kind for kind, _ in chat.told] == ["opened", "changed", "changed", "resolved"]
    assert [kind for kind, _ in pager.told] == ["opened", "resolved"]


async def test_a_slow_channel_delays_no_other(file_store: Store) -> None:
    store, answer = file_store, asyncio.Event()
    slow, quick = Recorder("slow", answer), Recorder("quick")
    assert await store.commit(told(1, OPENED, "slow", "quick"))
    courier = a_courier(store, slow, quick)
    first = asyncio.create_task(courier.deliver_due(NOW))
    await slow.asked.wait()
    second = an_incident("i2", database="crm")
    assert await store.commit(told(1, OPENED, "slow", "quick", incident=second))
    async with asyncio.timeout(10):
        while len(quick.told) < 2:
            await courier.deliver_due(NOW)
            await asyncio.sleep(0)
    assert slow.told == []
    answer.set()
    await first
    assert slow.told == [("opened", "i1"), ("opened", "i2")]


async def test_two_couriers_tell_each_thing_once(url: str) -> None:
    async with open_store(url) as ours, open_store(url) as theirs:
        chats = [Recorder("chat"), Recorder("chat")]
        couriers = [
            a_courier(store, chat, holder=name)
            for store, chat, name in zip((ours, theirs), chats, ("us", "them"), strict=True)
        ]
        for number in range(12):
            incident = an_incident(f"i{number:02}", database=f"db{number}")
            assert await ours.commit(told(1, OPENED, "chat", incident=incident))
        await asyncio.gather(*(courier.deliver_due(NOW) for courier in couriers))
        sent = [incident for chat in chats for _, incident in chat.told]
        assert sorted(sent) == [f"i{number:02}" for number in range(12)]


async def test_what_a_dead_agent_held_is_sent_again_under_its_id(file_store: Store) -> None:
    store, never, chat = file_store, Recorder("chat", asyncio.Event()), Recorder()
    assert await store.commit(told(1, OPENED, "chat"))
    dying = asyncio.create_task(a_courier(store, never, holder="dying").deliver_due(NOW))
    await never.asked.wait()
    dying.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await dying
    courier = a_courier(store, chat)
    await courier.deliver_due(NOW + LEASE - SECOND)
    assert chat.told == []
    await courier.deliver_due(NOW + LEASE + SECOND)
    assert chat.told == [("opened", "i1")]
    (outcome,) = await store.list_deliveries("i1")
    assert chat.sent[0].id == outcome.delivery.id
    assert outcome.delivery.attempts == 2


async def test_a_failure_is_tried_again_by_the_schedule(file_store: Store) -> None:
    store, chat = file_store, Recorder("chat", *[a_failure()] * 3, kind=ChannelKind.SLACK)
    assert await store.commit(told(1, OPENED, "chat"))
    courier = a_courier(store, chat)
    await courier.deliver_due(NOW)
    for wait in (5, 30, 120):
        tries = len(chat.tried)
        due = chat.tried[-1] + timedelta(seconds=wait)
        await courier.deliver_due(due - SECOND)
        assert len(chat.tried) == tries
        # Writing the failure down took a moment, too.
        await courier.deliver_due(due + SECOND)
        assert len(chat.tried) == tries + 1
    assert len(chat.tried) == 4
    assert chat.told == [("opened", "i1")]
    (outcome,) = await store.list_deliveries("i1")
    assert (outcome.delivery.attempts, outcome.reason) == (4, None)


async def test_a_refusal_is_given_up_and_the_next_is_tried(file_store: Store) -> None:
    store = file_store
    chat = Recorder("chat", a_failure(FailureReason.REFUSED, permanent=True))
    seen: list[Attempt] = []
    for number in range(2):
        incident = an_incident(f"i{number}", database=f"db{number}")
        assert await store.commit(told(1, OPENED, "chat", incident=incident))
    courier = Courier(store, [Route(channel=chat)], holder="us", observe=seen.append)
    await courier.deliver_due(NOW)
    assert len(chat.sent) == 1
    assert (await store.count_outbox())["chat"] == Backlog(pending=0, oldest=None, dead=1)
    assert seen == [
        Attempt(channel="chat", kind=OPENED, fate=Fate.BURIED, reason=FailureReason.REFUSED),
        Attempt(channel="chat", kind=OPENED, fate=Fate.DELIVERED),
    ]


async def test_a_broken_channel_is_left_in_peace_for_the_round(file_store: Store) -> None:
    gone = a_failure(FailureReason.GONE, permanent=True)
    store, chat = file_store, Recorder("chat", gone)
    for number in range(3):
        incident = an_incident(f"i{number}", database=f"db{number}")
        assert await store.commit(told(1, OPENED, "chat", incident=incident))
    await a_courier(store, chat).deliver_due(NOW)
    assert len(chat.tried) == 1
    assert (await store.count_outbox())["chat"].dead == 1


async def test_who_asks_for_patience_gets_it_for_every_message(file_store: Store) -> None:
    limited = a_failure(FailureReason.RATE_LIMITED, retry_after=600)
    store, chat = file_store, Recorder("chat", limited)
    for number in range(2):
        incident = an_incident(f"i{number}", database=f"db{number}")
        assert await store.commit(told(1, OPENED, "chat", incident=incident))
    courier = a_courier(store, chat)
    await courier.deliver_due(NOW)
    await courier.deliver_due(NOW + timedelta(seconds=599))
    assert len(chat.tried) == 1
    await courier.deliver_due(NOW + timedelta(seconds=601))
    assert len(chat.sent) == 2


async def test_a_fault_of_ours_stops_one_delivery_and_shows_no_secret(
    file_store: Store,
) -> None:
    store = file_store
    broken = Recorder("broken", RuntimeError("https://hooks.example/hunter2"))
    fine = Recorder("fine")
    assert await store.commit(told(1, OPENED, "broken", "fine"))
    courier = a_courier(store, broken, fine)
    with capture_logs() as logs:
        await courier.deliver_due(NOW)
    assert fine.told == [("opened", "i1")]
    assert "hunter2" not in str(logs)
    assert "RuntimeError in send:" in str(logs)
    outcome, _ = await store.list_deliveries("i1")
    assert outcome.reason is FailureReason.INTERNAL
    await courier.deliver_due(NOW + MINUTE)
    assert broken.told == [("opened", "i1")]


async def test_a_channel_that_never_answers_is_given_up_on(
    file_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.sinks.outbox.SEND_SECONDS", 0.05)
    store, chat = file_store, Recorder("chat", asyncio.Event())
    assert await store.commit(told(1, OPENED, "chat"))
    await a_courier(store, chat).deliver_due(NOW)
    (outcome,) = await store.list_deliveries("i1")
    assert outcome.reason is FailureReason.TIMEOUT


async def test_slack_gets_a_message_a_second(file_store: Store) -> None:
    store, waits = file_store, list[float]()
    chat, hook = Recorder("chat", kind=ChannelKind.SLACK), Recorder("hook")
    for number in range(3):
        incident = an_incident(f"i{number}", database=f"db{number}")
        assert await store.commit(told(1, OPENED, "chat", "hook", incident=incident))

    async def note(seconds: float) -> None:
        waits.append(seconds)

    routes = [Route(channel=chat), Route(channel=hook)]
    await Courier(store, routes, holder="us", sleep=note).deliver_due(NOW)
    assert len(chat.sent) == len(hook.sent) == 3
    assert len(waits) == 2
    assert all(0 < wait <= 1 for wait in waits)


async def test_one_round_has_an_end(file_store: Store) -> None:
    chat = Recorder()
    for number in range(ROUND + 1):
        incident = an_incident(f"i{number}", database=f"db{number}")
        assert await file_store.commit(told(1, OPENED, "chat", incident=incident))
    await a_courier(file_store, chat).deliver_due(NOW)
    assert len(chat.sent) == ROUND


async def test_a_message_links_to_its_database(file_store: Store) -> None:
    chat = Recorder()
    assert await file_store.commit(told(1, OPENED, "chat"))
    routes = [Route(channel=chat)]
    link = "https://watch/{}".format
    await Courier(file_store, routes, holder="us", link=link).deliver_due(NOW)
    assert chat.sent[0].url == "https://watch/app"


async def test_who_is_down_for_long_by_his_own_word_is_tried_when_a_test_shows_that_he_is_not(
    file_store: Store,
) -> None:
    chat = Recorder("chat", a_failure(FailureReason.SERVER, retry_after=86_400))
    assert await file_store.commit(told(1, OPENED, "chat"))
    courier = a_courier(file_store, chat)
    await courier.deliver_due(NOW)
    await mend(file_store, Carrier("production"), "chat", [], NOW + HOUR)
    await courier.deliver_due(NOW + HOUR)
    assert chat.told == [("opened", "i1")]


class Threads(Recorder):
    """One that begins a thread for each incident."""

    async def send(self, message: Message, *, attempt_at: datetime) -> str:
        await super().send(message, attempt_at=attempt_at)
        return f"C1/{message.incident}"


async def test_what_its_lease_may_not_last_for_is_given_back(
    file_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receiver that takes its time for each: another agent would send the rest as well."""
    chat = Threads("chat", kind=ChannelKind.SLACK_BOT)
    at_once = Grouping(wait=timedelta(0), interval=timedelta(0))
    routes = [Route(channel=chat)]
    courier = Courier(file_store, routes, holder="us", sleep=hurry, grouping=at_once)
    incidents = [an_incident(f"i{n}", database=f"db{n}") for n in range(4)]
    for number, incident in enumerate(incidents):
        assert await file_store.commit(told(1, OPENED, "chat", incident=incident))
        await courier.deliver_due(NOW + number * timedelta(seconds=1))
    for incident in incidents:
        assert await file_store.commit(told(2, RESOLVED, "chat", incident=incident))
    given_back: list[int] = []
    hold = file_store.hold

    async def note(deliveries: Sequence[Delivery], *rest: Any) -> None:
        given_back.append(len(deliveries))
        await hold(deliveries, *rest)

    monkeypatch.setattr(file_store, "hold", note)
    monkeypatch.setattr(outbox, "LEASE", timedelta(0))
    await courier.deliver_due(NOW + HOUR)
    assert given_back == [3, 2, 1]
    assert [word for word, _ in chat.told].count("resolved") == 4


async def test_a_failing_ledger_is_raised_when_every_lane_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.sinks.backend._PRAGMAS", ("PRAGMA busy_timeout = 50",))
    async with open_store(sqlite_url(tmp_path / "ledger.db")) as store:
        assert await store.commit(told(1, OPENED, "a", "b"))
        other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        courier = a_courier(store, Recorder("a"), Recorder("b"))
        with pytest.raises(StoreError):
            await courier.deliver_due(NOW)
        other.execute("ROLLBACK")
        other.close()
        await courier.deliver_due(NOW)
        assert await statuses(store) == ["delivered", "delivered"]


async def test_a_running_courier_survives_a_failing_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.sinks.backend._PRAGMAS", ("PRAGMA busy_timeout = 50",))
    async with open_store(sqlite_url(tmp_path / "ledger.db")) as store:
        chat, polls = Recorder(), itertools.count()
        other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
        assert await store.commit(told(1, OPENED, "chat"))
        other.execute("BEGIN IMMEDIATE")

        async def free_the_ledger(seconds: float) -> None:
            assert seconds == 7
            if next(polls) == 1:
                other.execute("ROLLBACK")

        courier = Courier(store, [Route(channel=chat)], holder="us", sleep=free_the_ledger)
        with capture_logs() as logs:
            running = asyncio.create_task(courier.run(lambda: NOW, poll_seconds=7))
            await chat.asked.wait()
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
        other.close()
    assert [line["event"] for line in logs[:2]] == ["outbox unreadable"] * 2


async def test_where_nobody_is_told_nothing_is_sent_whenever_it_was_decided(
    file_store: Store,
) -> None:
    """A clone of the ledger brings what waited there."""
    store, chat = file_store, Recorder("chat")
    await store.commit(told(1, OPENED, "chat"))
    silent = an_incident("i2", environment="preview")
    await store.commit(told(1, OPENED, "chat", incident=silent))
    courier = Courier(
        store,
        [Route(channel=chat)],
        holder="us",
        sleep=hurry,
        is_heard=lambda incident: incident.environment == "production",
    )
    await courier.deliver_due(NOW)
    assert chat.told == [("opened", "i1")]
    assert await statuses(store, "i2") == ["superseded"]
