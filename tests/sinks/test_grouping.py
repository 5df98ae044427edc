"""What people get in one message, what is kept back, and when it is told after all."""

import dataclasses
from datetime import datetime, timedelta

import msgspec
import pytest
import sqlalchemy as sa

from monitor.core.acknowledgement import acknowledge
from monitor.core.channel_health import judge_channel
from monitor.core.findings import FindingClass, Severity
from monitor.core.grouped import SEVERAL
from monitor.core.incidents import EventKind, Incident, Status
from monitor.core.silence import Silence, silence
from monitor.sinks.channel import ChannelKind
from monitor.sinks.claims import Carrier
from monitor.sinks.delivery import Grouping, Held
from monitor.sinks.outbox import HOLD, ROUND, Attempt, Courier, Fate, Route
from monitor.sinks.store import Store
from monitor.sinks.tables import OUTBOX
from tests.sinks.builders import NOW, a_decision, a_failure, an_incident, statuses, told
from tests.sinks.test_outbox import Recorder, hurry

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
OPENED, CHANGED, RESOLVED = EventKind.OPENED, EventKind.CHANGED, EventKind.RESOLVED
GROUPING = Grouping(wait=10 * SECOND, interval=5 * MINUTE)


@pytest.fixture
def store(file_store: Store) -> Store:
    return file_store


class Post:
    """A chat and a courier that tells it; what happened to each row is kept."""

    def __init__(self, store: Store, *answers: Exception) -> None:
        self.chat = Recorder("chat", *answers, kind=ChannelKind.SLACK)
        self.hook = Recorder("hook")
        self.seen: list[Attempt] = []
        self.courier = Courier(
            store,
            [Route(channel=self.chat), Route(channel=self.hook)],
            holder="us",
            luck=lambda: 0.5,
            sleep=hurry,
            grouping=GROUPING,
            observe=self.seen.append,
        )

    async def deliver(self, at: datetime) -> None:
        await self.courier.deliver_due(at)

    @property
    def headlines(self) -> list[str]:
        return [message.headline for message in self.chat.sent]


def of(database: str, **changes: object) -> Incident:
    return an_incident(f"i-{database}", database=database, **changes)


async def open_all(store: Store, *incidents: Incident) -> None:
    for incident in incidents:
        assert await store.commit(told(1, OPENED, "chat", "hook", incident=incident))


def a_silence(**changes: object) -> Silence:
    said = {"environment": "*", "database": "app", "finding_class": None, "object": "*"}
    when = {"reason": "we know", "by": "ann", "at": NOW, "until": NOW + HOUR}
    return silence(**{"id": "s1", **said, **when, **changes})  # type: ignore[arg-type]


async def test_people_get_one_message_and_machines_each_event(store: Store) -> None:
    post = Post(store)
    await open_all(store, *(of(f"db{n}") for n in range(3)))
    await post.deliver(NOW + SECOND)
    assert (len(post.chat.sent), len(post.hook.sent)) == (0, 3)
    await post.deliver(NOW + 10 * SECOND)
    [message] = post.chat.sent
    assert message.type == SEVERAL
    assert len(message.lines) == 3
    rows = [outcome for n in range(3) for outcome in await store.list_deliveries(f"i-db{n}")]
    assert {outcome.status.value for outcome in rows} == {"delivered"}
    fates = [attempt.fate for attempt in post.seen if attempt.channel == "chat"]
    assert fates == [Fate.DELIVERED, Fate.GROUPED, Fate.GROUPED]
    await post.deliver(NOW + HOUR)
    assert (len(post.chat.sent), len(post.hook.sent)) == (1, 3)


async def test_after_a_message_the_next_of_its_kind_waits_for_the_interval(store: Store) -> None:
    post = Post(store)
    await open_all(store, of("a"))
    await post.deliver(NOW + 10 * SECOND)
    await open_all(store, of("b"), of("c", finding_class=FindingClass.SMOKE))
    await open_all(store, of("d", environment="staging"))
    await post.deliver(NOW + 20 * SECOND)
    assert sorted(message.database for message in post.chat.sent) == ["a", "c", "d"]
    await post.deliver(NOW + 5 * MINUTE)
    assert len(post.chat.sent) == 3
    await post.deliver(NOW + 5 * MINUTE + 11 * SECOND)
    assert [message.database for message in post.chat.sent[3:]] == ["b"]


async def test_what_opened_and_ended_while_it_waited_is_not_said(store: Store) -> None:
    post = Post(store)
    await open_all(store, of("a"))
    await post.deliver(NOW + 10 * SECOND)
    await open_all(store, of("b"))
    assert await store.commit(told(2, RESOLVED, "chat", incident=of("b")))
    await post.deliver(NOW + HOUR)
    assert len(post.chat.sent) == 1


async def test_what_ended_and_came_again_while_it_waited_is_told_as_it_is(store: Store) -> None:
    """A message that said both of one database would end with the older word."""
    post = Post(store)
    first, second = of("a"), an_incident("i-again", database="a", first_seen=NOW + MINUTE)
    await open_all(store, first)
    await post.deliver(NOW + 10 * SECOND)
    assert await store.commit(told(2, RESOLVED, "chat", incident=first))
    assert await store.commit(told(3, OPENED, "chat", incident=second))
    await post.deliver(NOW + HOUR)
    assert [(one.incident, one.type) for one in post.chat.sent] == [
        ("i-a", "incident.opened"),
        ("i-again", "incident.opened"),
    ]


async def test_an_end_that_waited_too_long_is_not_told_after_the_next_beginning(
    store: Store,
) -> None:
    post = Post(store)
    first, second = of("a"), an_incident("i-again", database="a", first_seen=NOW + MINUTE)
    await open_all(store, first)
    await post.deliver(NOW + 10 * SECOND)
    assert await store.commit(told(2, RESOLVED, "chat", incident=first))
    post.chat.answers.append(a_failure())
    await post.deliver(NOW + 7 * MINUTE)
    assert await store.commit(told(3, OPENED, "chat", incident=second))
    await post.deliver(NOW + 7 * MINUTE + 4 * SECOND)
    await post.deliver(NOW + HOUR)
    assert [one.incident for one in post.chat.sent] == ["i-a", "i-again"]
    ends = [one for one in await store.list_deliveries("i-a") if one.delivery.channel == "chat"]
    assert [one.status.value for one in ends] == ["delivered", "superseded"]
    assert await store.commit(told(4, RESOLVED, "chat", incident=second))
    await post.deliver(NOW + 2 * HOUR)
    assert [one.type for one in post.chat.sent][-1] == "incident.resolved"


async def test_an_end_waits_for_a_beginning_that_is_not_told_yet(store: Store) -> None:
    """And is told where that ends before anybody knew of it."""
    post = Post(store)
    first, second = of("a"), an_incident("i-again", database="a", first_seen=NOW + MINUTE)
    await open_all(store, first)
    await post.deliver(NOW + 10 * SECOND)
    await store.add_silence(a_silence(database="a"))
    assert await store.commit(told(2, RESOLVED, "chat", incident=first))
    assert await store.commit(told(3, OPENED, "chat", incident=second))
    await post.deliver(NOW + 7 * MINUTE)
    held = {one.held for one in post.seen if one.fate is Fate.HELD and one.channel == "chat"}
    assert held == {Held.SILENCED, Held.OVERTAKEN}
    assert await store.commit(told(4, RESOLVED, "chat", incident=second))
    await post.deliver(NOW + 2 * HOUR)
    assert [(one.incident, one.type) for one in post.chat.sent][1:] == [
        ("i-a", "incident.resolved")
    ]


async def test_what_failed_together_is_tried_again_together(store: Store) -> None:
    post = Post(store, a_failure())
    await open_all(store, of("a"), of("b"))
    await post.deliver(NOW + 10 * SECOND)
    assert post.chat.sent == []
    await open_all(store, of("c"))
    await post.deliver(NOW + MINUTE)
    [message] = post.chat.sent
    assert message.database == "3 databases"
    failed = [attempt for attempt in post.seen if attempt.fate is Fate.POSTPONED]
    assert len(failed) == 1


async def test_what_is_silenced_is_kept_back_and_told_when_that_is_over(store: Store) -> None:
    post = Post(store)
    await store.add_silence(a_silence())
    await open_all(store, of("app"), of("other"))
    await post.deliver(NOW + 10 * SECOND)
    assert [message.database for message in post.chat.sent] == ["other"]
    assert [message.database for message in post.hook.sent] == ["other"]
    assert [one.held for one in post.seen if one.fate is Fate.HELD] == [Held.SILENCED] * 2
    assert "chat" not in await store.count_outbox()
    await post.deliver(NOW + HOUR - SECOND)
    assert [one.held for one in post.seen if one.fate is Fate.HELD] == [Held.SILENCED] * 2
    await post.deliver(NOW + HOUR + HOLD)
    assert [message.database for message in post.chat.sent] == ["other", "app"]
    [outcome, _] = await store.list_deliveries("i-app")
    assert outcome.delivery.attempts == 1
    assert outcome.delivery.held is None


async def test_what_was_kept_back_is_tried_again_as_patiently_as_anything(store: Store) -> None:
    """Not each second: it would be given up before the channel is back."""
    post = Post(store, *(a_failure() for _ in range(60)))
    end = NOW + timedelta(days=4)
    await store.add_silence(a_silence(until=end))
    await open_all(store, of("app"))
    await post.deliver(NOW + MINUTE)
    for seconds in range(1, 120):
        await post.deliver(end + seconds * SECOND)
    assert len([at for at in post.chat.tried if at > end]) <= 4
    assert "pending" in await statuses(store, "i-app")
    post.chat.answers.clear()
    await post.deliver(end + HOUR)
    assert [one.type for one in post.chat.sent] == ["incident.opened"]


async def test_a_silence_that_is_ended_early_is_over(store: Store) -> None:
    post = Post(store)
    await store.add_silence(a_silence())
    await open_all(store, of("app"))
    await post.deliver(NOW + 10 * SECOND)
    assert (await store.end_silence("s1", NOW + 11 * SECOND)) is not None
    assert await store.end_silence("s1", NOW + 12 * SECOND) is None
    await post.deliver(NOW + 11 * SECOND + HOLD)
    assert [message.database for message in post.chat.sent] == ["app"]


async def test_what_began_and_ended_in_a_silence_is_never_told(store: Store) -> None:
    post = Post(store)
    await store.add_silence(a_silence())
    await open_all(store, of("app"))
    await post.deliver(NOW + 10 * SECOND)
    assert await store.commit(told(2, RESOLVED, "chat", "hook", incident=of("app")))
    await post.deliver(NOW + 2 * HOUR)
    assert post.chat.sent == post.hook.sent == []


@pytest.mark.parametrize("status", [Status.SUSPECTED, Status.OPEN])
async def test_of_a_database_that_cannot_be_reached_nothing_else_is_told(
    store: Store, status: Status
) -> None:
    post = Post(store)
    down = an_incident("down", finding_class=FindingClass.UNREACHABLE, status=status)
    smoke = an_incident("smoke", finding_class=FindingClass.SMOKE)
    assert await store.commit(a_decision(1, incidents=(down,)))
    assert await store.commit(told(2, OPENED, "chat", incident=smoke))
    await post.deliver(NOW + 2 * MINUTE)
    assert post.chat.sent == []
    over = msgspec.structs.replace(down, status=Status.RESOLVED, resolved_at=NOW + 3 * MINUTE)
    assert await store.commit(a_decision(3, incidents=(over,)))
    await post.deliver(NOW + 2 * MINUTE + SECOND + HOLD)
    assert [message.incident for message in post.chat.sent] == ["smoke"]
    assert [one.held for one in post.seen if one.fate is Fate.HELD] == [Held.INHIBITED]


async def test_what_is_kept_back_of_a_database_that_left_the_configuration_is_over(
    store: Store,
) -> None:
    """Nobody will see that it can be reached again; an end is still told to who waits for it."""
    post = Post(store)
    known = of("app", finding_class=FindingClass.SMOKE)
    decision = told(1, OPENED, "chat", incident=known)
    assert await store.commit(decision)
    await post.deliver(NOW + MINUTE)
    down = an_incident("down", finding_class=FindingClass.UNREACHABLE)
    drift = an_incident("drift")
    assert await store.commit(a_decision(2, incidents=(down,)))
    assert await store.commit(told(3, OPENED, "chat", incident=drift))
    assert await store.commit(told(4, RESOLVED, "chat", incident=known))
    await post.deliver(NOW + 10 * MINUTE)
    assert [one.held for one in post.seen if one.fate is Fate.HELD] == [Held.INHIBITED] * 2
    await store.forget("production", ["other"], NOW + 11 * MINUTE)
    await post.deliver(NOW + 20 * MINUTE)
    assert await statuses(store, "drift") == ["superseded"]
    assert await statuses(store, "i-app") == ["delivered", "delivered"]
    assert [one.type for one in post.chat.sent] == ["incident.opened", "incident.resolved"]


async def test_an_end_waits_for_nothing_of_a_database_that_left(store: Store) -> None:
    """What began in its place is told to nobody, so that the end need not wait for that."""
    post = Post(store)
    known = of("app")
    assert await store.commit(told(1, OPENED, "chat", incident=known))
    await post.deliver(NOW + MINUTE)
    await store.add_silence(a_silence(until=NOW + 8 * HOUR))
    again = an_incident("again", first_seen=NOW + 3 * MINUTE)
    assert await store.commit(told(2, RESOLVED, "chat", incident=known))
    assert await store.commit(told(3, OPENED, "chat", incident=again))
    await post.deliver(NOW + 10 * MINUTE)
    assert post.seen[-1].held is not None
    await store.forget("production", ["other"], NOW + 11 * MINUTE)
    await store.end_silence("s1", NOW + 12 * MINUTE)
    await post.deliver(NOW + 20 * MINUTE)
    assert await statuses(store, "again") == ["superseded"]
    assert await statuses(store, "i-app") == ["delivered", "delivered"]


async def test_what_is_kept_back_hurries_nobody(store: Store) -> None:
    """The first of a group waits for others, also where an old one is silenced."""
    post = Post(store)
    await store.add_silence(a_silence(database="quiet"))
    await open_all(store, of("quiet"))
    await post.deliver(NOW + 10 * SECOND)
    start = NOW + 10 * MINUTE
    for number in range(3):
        decision = told(1, OPENED, "chat", incident=of(f"loud{number}"))
        [event] = decision.events
        events = (msgspec.structs.replace(event, at=start + number * SECOND),)
        assert await store.commit(dataclasses.replace(decision, events=events))
        await post.deliver(start + number * SECOND)
    assert post.chat.sent == []
    await post.deliver(start + 10 * SECOND)
    assert [one.database for one in post.chat.sent] == ["3 databases"]


async def test_that_it_cannot_be_reached_is_told(store: Store) -> None:
    post = Post(store)
    down = an_incident(finding_class=FindingClass.UNREACHABLE)
    assert await store.commit(told(1, OPENED, "chat", incident=down))
    await post.deliver(NOW + 10 * SECOND)
    assert [message.incident for message in post.chat.sent] == ["i1"]


async def test_who_is_at_an_incident_stays_noted_whatever_the_agent_writes(store: Store) -> None:
    await open_all(store, of("app"))
    loaded = await store.load_incident("i-app")
    assert loaded is not None
    known = acknowledge(loaded.severity, loaded.findings, by="ann", note="on it", at=NOW)
    await store.acknowledge("i-app", known)
    assert await store.commit(told(2, CHANGED, "chat", incident=loaded))
    after = await store.load_incident("i-app")
    assert after is not None
    assert (after.acknowledged, after.status) == (known, Status.ACKNOWLEDGED)
    again = acknowledge(Severity.INFO, (), by="bob", note="", at=NOW)
    await store.acknowledge("i-app", again)
    recent = await store.load_recent("production", "app", NOW)
    assert recent.unresolved[FindingClass.DRIFT].acknowledged == again
    assert recent.unresolved[FindingClass.DRIFT].status is Status.OPEN
    await store.acknowledge("i-app", None)
    after = await store.load_incident("i-app")
    assert after is not None
    assert after.acknowledged is None


async def test_what_ended_not_long_ago_is_found_by_class(store: Store) -> None:
    for looks, at in enumerate((NOW, NOW + MINUTE), start=1):
        over = an_incident(f"i{looks}", status=Status.RESOLVED, resolved_at=at)
        assert await store.commit(a_decision(looks, incidents=(over,)))
    recent = await store.load_recent("production", "app", NOW - SECOND)
    assert recent.unresolved == {}
    assert recent.ended[FindingClass.DRIFT].id == "i2"
    assert (await store.load_recent("production", "app", NOW + MINUTE)).ended == {}


async def test_an_end_does_not_wait_for_what_the_channel_never_hears_of(store: Store) -> None:
    chat = Recorder("chat", kind=ChannelKind.SLACK)
    route = Route(channel=chat, minimum=Severity.CRITICAL)
    courier = Courier(store, [route], holder="us", sleep=hurry, grouping=GROUPING)
    first = of("a")
    mild = {"severity": Severity.WARNING, "first_seen": NOW + MINUTE}
    second = an_incident("i-again", database="a", **mild)
    await open_all(store, first)
    await courier.deliver_due(NOW + 10 * SECOND)
    assert await store.commit(told(2, RESOLVED, "chat", incident=first))
    assert await store.commit(told(3, OPENED, "chat", incident=second))
    await courier.deliver_due(NOW + HOUR)
    assert [one.type for one in chat.sent] == ["incident.opened", "incident.resolved"]


async def test_what_was_decided_in_the_future_holds_up_nobody_else(store: Store) -> None:
    """The clock of an agent was ahead, and is right again."""
    post = Post(store)
    await open_all(store, of("a"))
    late = told(2, CHANGED, "chat", incident=of("a"))
    [event] = late.events
    ahead = msgspec.structs.replace(event, at=NOW + 24 * HOUR)
    assert await store.commit(dataclasses.replace(late, events=(ahead,)))
    await open_all(store, of("b", finding_class=FindingClass.SMOKE))
    for seconds in range(12, 60):
        await post.deliver(NOW + seconds * SECOND)
    assert sorted(one.database for one in post.chat.sent) == ["a", "b"]


async def test_what_was_sent_in_the_future_keeps_nobody_waiting(store: Store) -> None:
    post = Post(store)
    await open_all(store, of("a"))
    await post.deliver(NOW + 24 * HOUR)
    await open_all(store, of("b"))
    await post.deliver(NOW + HOUR)
    assert sorted(one.database for one in post.chat.sent) == ["a", "b"]


async def test_a_channel_is_not_broken_by_what_is_kept_back(store: Store) -> None:
    """It failed once, and was silenced before it was tried again."""
    post = Post(store, a_failure())
    await open_all(store, of("app"))
    await post.deliver(NOW + 10 * SECOND)
    await store.add_silence(a_silence())
    await post.deliver(NOW + 5 * MINUTE)
    health = (await store.list_health(Carrier("production"), ["chat"], NOW + 30 * MINUTE))["chat"]
    assert judge_channel(health, NOW + 30 * MINUTE) is None


async def test_a_silence_of_an_object_hides_no_word_about_a_deployment(store: Store) -> None:
    post = Post(store)
    await store.add_silence(a_silence(object="table:public.audit_*"))
    verdict = of("app", finding_class=FindingClass.DEPLOY, findings=(), headline="app: all right")
    assert await store.commit(told(1, EventKind.VERDICT, "chat", incident=verdict))
    await post.deliver(NOW + MINUTE)
    assert len(post.chat.sent) == 1


@pytest.mark.parametrize("kind", [ChannelKind.SLACK, ChannelKind.WEBHOOK])
async def test_who_may_not_tell_leaves_the_word_to_who_may(
    store: Store, kind: ChannelKind
) -> None:
    """A clone in an environment where nobody is told shares the ledger of its original."""
    chats = [Recorder("chat", kind=kind), Recorder("chat", kind=kind)]
    clone, original = (
        Courier(
            store,
            [Route(channel=chat)],
            holder=holder,
            sleep=hurry,
            grouping=GROUPING,
            is_heard=lambda _, holder=holder: holder == "original",  # type: ignore[misc]
            served={"production"} if holder == "original" else {"pr-7"},
        )
        for chat, holder in zip(chats, ("clone", "original"), strict=True)
    )
    await open_all(store, of("a"), of("b", environment="pr-7"))
    for seconds in range(10, 20):
        await clone.deliver_due(NOW + seconds * SECOND)
        await original.deliver_due(NOW + seconds * SECOND)
    assert [[one.database for one in chat.sent] for chat in chats] == [[], ["a"]]
    assert "chat" not in await store.count_outbox()


async def test_what_a_channel_did_not_take_for_days_is_left_to_who_may_tell_it(
    store: Store,
) -> None:
    """The clone's channel of that name works, and it would drop what it may not tell."""
    chat, other = Recorder("hook", *[a_failure()] * 99), Recorder("hook")
    original, clone = (
        Courier(
            store,
            [Route(channel=channel)],
            holder=environment,
            luck=lambda: 0.5,
            sleep=hurry,
            is_heard=lambda _, place=environment: place == "production",  # type: ignore[misc]
            served={environment},
        )
        for channel, environment in ((chat, "production"), (other, "pr-7"))
    )
    assert await store.commit(told(1, OPENED, "hook", incident=of("a")))
    now = NOW
    for _ in range(50):
        now += HOUR
        for agent in (clone, original):
            await agent.deliver_due(now)
    assert await statuses(store, "i-a") == ["pending"]
    chat.answers.clear()
    await original.deliver_due(now + 24 * HOUR)
    assert ([one.database for one in chat.sent], other.sent) == (["a"], [])


async def test_what_is_kept_back_crowds_out_nobody(store: Store) -> None:
    """A fleet that is silenced is asked about every half minute, and may take longer than that."""
    post = Post(store)
    await store.add_silence(a_silence(database="quiet*"))
    await open_all(store, *(of(f"quiet{number}") for number in range(ROUND + 5)))
    for _ in range(2):
        await post.deliver(NOW + SECOND)
    later = NOW + SECOND + HOLD
    decision = told(1, OPENED, "hook", incident=of("loud"))
    [event] = decision.events
    events = (msgspec.structs.replace(event, at=later + SECOND),)
    assert await store.commit(dataclasses.replace(decision, events=events))
    await post.deliver(later + 2 * SECOND)
    assert [one.database for one in post.hook.sent] == ["loud"]


async def test_what_an_older_agent_says_is_told_by_place(store: Store) -> None:
    """It ends a moment after the ledger was upgraded, and says of no row where it is."""
    post = Post(store)
    await open_all(store, of("a"), of("b", environment="staging"))
    await open_all(store, of("c", finding_class=FindingClass.SMOKE))
    async with store._backend.writing() as connection:
        nowhere = sa.update(OUTBOX).values(environment="", finding_class="")
        await connection.execute(nowhere)
    post.courier = Courier(
        store,
        [Route(channel=post.chat)],
        holder="us",
        sleep=hurry,
        grouping=GROUPING,
        served={"production", "staging"},
    )
    await post.deliver(NOW + MINUTE)
    assert sorted(one.database for one in post.chat.sent) == ["a", "b", "c"]
