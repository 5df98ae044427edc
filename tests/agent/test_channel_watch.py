"""A channel that is broken is told on the others: once, and once more when it works again."""

import asyncio
import random
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from structlog.testing import capture_logs

from monitor.agent import channel_watch
from monitor.agent.channel_watch import ChannelWatch
from monitor.core.errors import DeliveryError
from monitor.core.findings import FindingClass
from monitor.core.incidents import EventKind
from monitor.core.message import Message
from monitor.sinks.channel import ChannelKind, FailureReason
from monitor.sinks.claims import Carrier
from monitor.sinks.mending import mend
from monitor.sinks.outbox import Courier, Route
from monitor.sinks.store import Store, open_store
from tests.agent.builders import SECONDS, TABLES, execute, load, running
from tests.conftest import MakeDatabase
from tests.sinks.builders import NOW, an_incident, sqlite_url, told

MINUTE = timedelta(minutes=1)
HERE = Carrier("production")


class Line:
    """A channel that works, is down for a while, or is gone."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.kind = ChannelKind.ALERTMANAGER  # which is tried again soonest
        self.failure: FailureReason | None = None
        self.refused = ""
        self.sent: list[Message] = []

    async def send(self, message: Message, *, attempt_at: datetime) -> str:  # noqa: ARG002
        if self.failure is not None:
            is_gone = self.failure is FailureReason.GONE
            raise DeliveryError("No.", next_step="", reason=self.failure, permanent=is_gone)
        if message.incident == self.refused:
            refusal = FailureReason.REFUSED
            raise DeliveryError("No.", next_step="", reason=refusal, permanent=True)
        self.sent.append(message)
        return "taken"

    @property
    def words(self) -> list[tuple[str, str]]:
        """What it was told of incidents of databases, in order."""
        return [
            (message.incident, message.type.removeprefix("incident."))
            for message in self.sent
            if not message.subject
        ]

    @property
    def heard(self) -> list[tuple[str, str]]:
        """What it was told of channels, in order."""
        return [
            (message.type.removeprefix("incident."), message.subject)
            for message in self.sent
            if message.subject
        ]


class Scene:
    """Some channels, an outbox, and a clock that is moved by hand."""

    def __init__(self, store: Store, *names: str, carrier: Carrier = HERE) -> None:
        self.store = store
        self.carrier = carrier
        self.lines = {name: Line(name) for name in names}
        self.now = NOW
        self.up: dict[str, bool] = {}
        self._looks: dict[str, int] = defaultdict(int)
        self.restart()

    def restart(self) -> None:
        """Another process on the same ledger."""
        routes = [Route(channel=line) for line in self.lines.values()]
        self.courier = Courier(
            self.store,
            routes,
            holder=f"us in {self.carrier.environment}",
            luck=lambda: 0.5,
            served=self.carrier.served,
        )
        self.watch = ChannelWatch(
            self.store,
            carrier=self.carrier,
            channels=list(self.lines),
            observe=self.up.__setitem__,
        )

    async def tell(self, name: str | None = None, *, over: bool = False) -> None:
        """Something happens, which every channel is to be told."""
        name = name or f"i{len(self._looks)}"
        looks = self._looks[name] = self._looks[name] + 1
        place = self.carrier.environment
        incident = an_incident(name, database=f"db-{name}", environment=place)
        kind = EventKind.RESOLVED if over else EventKind.OPENED
        decision = told(looks, kind, *self.lines, incident=incident)
        [event] = decision.events
        moved = msgspec.structs.replace(event, at=self.now)
        assert await self.store.commit(replace(decision, events=(moved,)))

    async def live(self, minutes: int = 1, *, step: int = 1) -> None:
        """Time passes, some minutes at a time."""
        for _ in range(0, minutes, step):
            self.now += step * MINUTE
            await self.courier.deliver_due(self.now)
            await self.watch.watch(self.now)
            await self.courier.deliver_due(self.now)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with open_store(sqlite_url(tmp_path / "ledger.db")) as opened:
        yield opened


async def test_one_that_is_gone_is_told_on_the_others_once(store: Store) -> None:
    scene = Scene(store, "chat", "hook", "pager")
    chat = scene.lines["chat"]
    chat.failure = FailureReason.GONE
    await scene.tell()
    with capture_logs() as logs:
        await scene.live(30, step=5)
    assert [log["event"] for log in logs].count("a channel takes no messages") == 1
    assert scene.lines["hook"].heard == scene.lines["pager"].heard == [("opened", "chat")]
    assert scene.up == {"chat": False, "hook": True, "pager": True}
    scene.restart()
    await scene.live(5)
    assert scene.lines["hook"].heard == [("opened", "chat")]
    chat.failure = None
    await scene.tell()
    await scene.live(5)
    assert scene.lines["hook"].heard == [("opened", "chat"), ("resolved", "chat")]
    assert chat.heard == []
    assert scene.up == dict.fromkeys(scene.lines, True)


async def test_a_test_message_that_is_taken_ends_it(store: Store) -> None:
    """Else the only channel of an agent stays broken until something else is wrong."""
    scene = Scene(store, "chat")
    scene.lines["chat"].failure = FailureReason.GONE
    await scene.tell()
    await scene.live(10, step=5)
    broken = scene.watch.can_tell
    scene.lines["chat"].failure = None
    await scene.live(10, step=5)
    mended = scene.watch.can_tell
    await mend(store, HERE, "chat", [], scene.now)
    await scene.live(1)
    assert (broken, mended, scene.watch.can_tell) == (False, False, True)
    scene.restart()
    await scene.live(10, step=5)
    assert scene.up == {"chat": True}


async def test_after_a_test_message_it_may_break_again_for_the_same_reason(store: Store) -> None:
    scene = Scene(store, "chat", "hook")
    scene.lines["chat"].failure = FailureReason.CONNECT
    await scene.tell()
    await scene.live(30, step=5)
    await mend(store, HERE, "chat", ["hook"], scene.now)
    await scene.live(10, step=5)
    assert scene.up == {"chat": True, "hook": True}, "it has a quarter of an hour again"
    await scene.live(30, step=5)
    assert scene.lines["hook"].heard == [
        ("opened", "chat"),
        ("resolved", "chat"),
        ("opened", "chat"),
    ]


# What it lost meanwhile


async def test_what_it_lost_is_told_when_it_works_again(store: Store) -> None:
    """Open or over, each once; what began and ended meanwhile is nobody's news."""
    scene = Scene(store, "chat", "hook")
    chat = scene.lines["chat"]
    await scene.tell("known")
    await scene.live(5)
    chat.failure = FailureReason.GONE
    await scene.tell("known", over=True)
    await scene.tell("still")
    await scene.tell("short")
    await scene.live(10)
    await scene.tell("short", over=True)
    await scene.live(10)
    assert chat.words == [("known", "opened")]
    chat.failure = None
    await scene.tell("next")
    await scene.live(10)
    assert sorted(chat.words[1:]) == [
        ("known", "resolved"),
        ("next", "opened"),
        ("still", "opened"),
    ]
    ids = [message.id for message in chat.sent]
    assert len(ids) == len(set(ids))
    await scene.live(30, step=5)
    assert len(chat.sent) == 4


async def test_what_it_lost_is_told_after_a_test_message(store: Store) -> None:
    """Also what was lost a moment ago, of which nobody has said yet that it is broken."""
    scene = Scene(store, "chat")
    chat = scene.lines["chat"]
    chat.failure = FailureReason.GONE
    await scene.tell("app")
    await scene.courier.deliver_due(scene.now)
    chat.failure = None
    await mend(store, HERE, "chat", [], scene.now)
    await scene.live(2)
    assert chat.words == [("app", "opened")]
    assert scene.up == {"chat": True}
    assert await store.list_incidents(include_resolved=True, limit=9) != []


async def test_what_waits_for_it_is_told_at_once_when_it_works_again(store: Store) -> None:
    """After a day the next attempt of a webhook is half a day away."""
    scene = Scene(store, "hook")
    hook = scene.lines["hook"]
    hook.kind = ChannelKind.WEBHOOK
    scene.restart()
    hook.failure = FailureReason.CONNECT
    await scene.tell("app")
    await scene.live(26 * 60, step=20)
    hook.failure = None
    await scene.tell("crm")
    await scene.live(2)
    assert hook.words == [("crm", "opened"), ("app", "opened")]


async def test_who_asked_for_peace_has_it_though_it_takes_a_test(store: Store) -> None:
    scene = Scene(store, "chat")
    chat = scene.lines["chat"]
    chat.failure = FailureReason.RATE_LIMITED
    await scene.tell("app")
    await scene.live(16, step=1)
    chat.failure = None
    waiting = (await store.list_deliveries("app"))[0].due
    await mend(store, HERE, "chat", [], scene.now)
    assert (await store.list_deliveries("app"))[0].due == waiting


async def test_what_it_refuses_each_time_is_tried_once_more(store: Store) -> None:
    """A message that no receiver takes, and that breaks the channel each time it is tried."""
    scene = Scene(store, "chat", "hook")
    chat = scene.lines["chat"]
    chat.refused = "poison"
    await scene.tell("poison")
    await scene.live(5)
    for name in ("a", "b", "c", "d"):
        await scene.tell(name)
        await scene.live(10)
    assert [name for name, _ in chat.words] == ["a", "b", "c", "d"]
    heard = [word for word, _ in scene.lines["hook"].heard]
    # Where the next message is taken a moment after it was refused again, nothing is broken.
    assert heard in (["opened", "resolved"], ["opened", "resolved"] * 2)


async def test_what_it_lost_long_before_it_broke_is_not_told_again(store: Store) -> None:
    scene = Scene(store, "chat", "hook")
    chat = scene.lines["chat"]
    chat.refused = "old"
    await scene.tell("old")
    await scene.courier.deliver_due(scene.now)
    await scene.tell("fine")
    await scene.live(5)
    chat.refused = ""
    chat.failure = FailureReason.GONE
    await scene.tell("app")
    await scene.live(5)
    chat.failure = None
    await scene.tell("next")
    await scene.live(5)
    assert [name for name, _ in chat.words] == ["fine", "next", "app"]


async def test_one_that_is_down_is_told_after_a_quarter_of_an_hour(store: Store) -> None:
    scene = Scene(store, "chat", "hook")
    scene.lines["chat"].failure = FailureReason.CONNECT
    await scene.tell()
    await scene.live(10, step=5)
    assert scene.lines["hook"].heard == []
    await scene.live(120, step=15)
    assert scene.lines["hook"].heard == [("opened", "chat")]
    scene.lines["chat"].failure = None
    await scene.live(10, step=5)
    assert scene.lines["hook"].heard == [("opened", "chat"), ("resolved", "chat")]


async def test_two_that_are_down_do_not_talk_about_each_other_for_ever(store: Store) -> None:
    scene = Scene(store, "chat", "hook")
    for line in scene.lines.values():
        line.failure = FailureReason.CONNECT
    await scene.tell()
    await scene.live(180, step=15)
    assert scene.up == {"chat": False, "hook": False}
    assert len(await store.list_broken("production")) == 2
    scene.lines["hook"].failure = None
    await scene.live(20, step=5)
    assert scene.up == {"chat": False, "hook": True}
    assert scene.lines["hook"].heard == [("opened", "chat")]
    scene.lines["chat"].failure = None
    await scene.live(20, step=5)
    # That the hook was broken is over: nobody is told of it any more.
    assert scene.lines["chat"].heard == []
    assert scene.lines["hook"].heard == [("opened", "chat"), ("resolved", "chat")]
    assert await store.list_broken("production") == []


async def test_the_only_one_is_recorded_and_told_nowhere(store: Store) -> None:
    scene = Scene(store, "chat")
    scene.lines["chat"].failure = FailureReason.GONE
    await scene.tell()
    await scene.live()
    (incident,) = await store.list_broken("production")
    assert await store.list_deliveries(incident.id) == []
    assert not scene.watch.can_tell


async def test_one_that_left_the_configuration_is_over_without_a_word(store: Store) -> None:
    scene = Scene(store, "chat", "hook")
    scene.lines["chat"].failure = FailureReason.GONE
    await scene.tell()
    await scene.live()
    del scene.lines["chat"]
    scene.restart()
    await scene.live(5)
    assert await store.list_broken("production") == []
    assert scene.lines["hook"].heard == [("opened", "chat")]


@settings(max_examples=3)
@given(seed=st.integers(0, 10**6))
def test_whatever_goes_down_and_comes_back_each_word_is_said_in_turn(seed: int) -> None:
    """Never about itself, never twice, never an end without a beginning; and all ends well."""
    asyncio.run(_simulate(random.Random(seed)))  # noqa: S311  # no secret


async def _simulate(chance: random.Random) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:  # it is memory
        async with open_store(sqlite_url(Path(folder) / "ledger.db")) as store:
            scene = Scene(store, "a", "b", "c")
            for _ in range(6):
                for line in scene.lines.values():
                    down = FailureReason.GONE if line.name == "c" else FailureReason.CONNECT
                    line.failure = chance.choice([None, None, down])
                await scene.tell()
                await scene.live(chance.choice([5, 10, 20]), step=5)
                if chance.random() < 0.3:
                    scene.restart()
            for line in scene.lines.values():
                line.failure = None
            await scene.tell()
            await scene.live(20, step=5)
            assert await store.list_broken("production") == []
            assert set(scene.up.values()) == {True}
            for line in scene.lines.values():
                words = defaultdict(list)
                for word, subject in line.heard:
                    words[subject].append(word)
                assert line.name not in words
                for said in words.values():
                    assert said == ["opened", "resolved"] * (len(said) // 2)


async def test_the_word_about_a_deployment_which_it_never_gets_shows_not_that_it_works(
    store: Store,
) -> None:
    """Alertmanager takes no events: it is asked nothing, and so has taken nothing."""
    scene = Scene(store, "alerts", "hook")
    scene.lines["hook"].kind = ChannelKind.WEBHOOK
    scene.restart()
    scene.lines["alerts"].failure = FailureReason.GONE
    await scene.tell()
    await scene.live(5)
    verdict = an_incident("deploy", finding_class=FindingClass.DEPLOY, findings=(), headline="app")
    at = scene.now
    [event] = told(1, EventKind.VERDICT, incident=verdict).events
    decision = told(1, EventKind.VERDICT, *scene.lines, incident=verdict)
    decision = replace(decision, events=(msgspec.structs.replace(event, at=at),))
    assert await store.commit(decision)
    await scene.live(5)
    assert scene.up == {"alerts": False, "hook": True}
    assert scene.lines["hook"].heard == [("opened", "alerts")]
    assert [outcome.status.value for outcome in await store.list_deliveries("deploy")] == [
        "superseded",
        "delivered",
    ]


# A clock that is set


async def test_what_it_took_by_a_clock_that_was_ahead_hides_no_loss(store: Store) -> None:
    scene = Scene(store, "chat", "hook")
    scene.now += 24 * 60 * MINUTE
    await scene.tell()
    await scene.live()
    scene.now -= 23 * 60 * MINUTE
    scene.lines["chat"].failure = FailureReason.GONE
    await scene.tell()
    await scene.live(5)
    assert scene.lines["hook"].heard == [("opened", "chat")]
    scene.lines["chat"].failure = None
    await scene.tell()
    await scene.live(5)
    assert scene.lines["hook"].heard == [("opened", "chat"), ("resolved", "chat")]


async def test_one_that_broke_by_a_clock_that_was_ahead_is_mended_today(store: Store) -> None:
    scene = Scene(store, "chat", "hook")
    scene.now += 24 * 60 * MINUTE
    scene.lines["chat"].failure = FailureReason.GONE
    await scene.tell()
    await scene.live(5)
    scene.now -= 23 * 60 * MINUTE
    await scene.live(20)
    assert scene.up == {"chat": False, "hook": True}
    scene.lines["chat"].failure = None
    await scene.tell("next")
    await scene.live(5)
    assert scene.up == {"chat": True, "hook": True}
    assert sorted(scene.lines["chat"].words) == [("i0", "opened"), ("next", "opened")]


async def test_a_running_agent_shows_and_tells_it(
    make_database: MakeDatabase,
    tmp_path: Path,
    httpserver: HTTPServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(channel_watch, "SETTLE_SECONDS", 0.1)
    monkeypatch.setattr(channel_watch, "WATCH_SECONDS", 0.1)
    url = await make_database(sql=TABLES)
    httpserver.expect_request("/slack").respond_with_data("no_team", status=404)
    httpserver.expect_request("/hook").respond_with_data("")
    loaded = load(
        tmp_path,
        {"app": f'{{url: "{url}"}}'},
        ANCHORWATCH_SLACK__WEBHOOK_URL=httpserver.url_for("/slack"),
        ANCHORWATCH_WEBHOOKS__OPS__URL=httpserver.url_for("/hook"),
    )

    def list_posted() -> list[str]:
        hooks = [request for request, _ in httpserver.log if request.path == "/hook"]
        return [request.get_json()["headline"] for request in hooks]

    async with running(loaded) as agent:
        await agent.wait_for(app="unchanged")
        await execute(url, "DROP TABLE orders")
        async with asyncio.timeout(SECONDS):
            while len(list_posted()) < 2:  # noqa: ASYNC110  # seen from outside
                await asyncio.sleep(0.05)
        _, page = await agent.get("/incidents")
        _, api = await agent.get("/api/incidents")
        _, metrics = await agent.get("/metrics")
    assert list_posted()[1] == ("CRITICAL channel slack (test): It lost a message: gone")
    assert "It lost a message: gone" in page
    assert "channel slack" in page
    assert '"class":"channel"' in api.replace(" ", "")
    assert 'anchorwatch_channel_up{channel="slack"} 0.0' in metrics
    assert 'anchorwatch_channel_up{channel="webhook:ops"} 1.0' in metrics


async def test_a_channel_of_its_own_is_broken_though_anothers_of_the_same_name_works(
    store: Store,
) -> None:
    """Agents of two environments share a ledger, and each says where its chat is."""
    here = Scene(store, "chat", "hook", carrier=Carrier("production", {"production"}))
    there = Scene(store, "chat", carrier=Carrier("staging", {"staging"}))
    chat = here.lines["chat"]
    chat.failure = FailureReason.GONE
    await here.tell("app")
    for number in range(3):
        await there.tell(f"of staging {number}")
        await here.live()
        await there.live()
    assert here.up == {"chat": False, "hook": True}
    assert here.lines["hook"].heard == [("opened", "chat")]
    assert there.up == {"chat": True}
    there.lines["chat"].failure = FailureReason.GONE
    await there.tell("lost in staging")
    await there.live()
    chat.failure = None
    await here.tell("crm")
    await here.live(3)
    assert here.lines["hook"].heard == [("opened", "chat"), ("resolved", "chat")]
    assert chat.words == [("crm", "opened"), ("app", "opened")]
    assert there.up == {"chat": False}
    await mend(store, there.carrier, "chat", [], there.now)
    assert (await store.list_deliveries("lost in staging"))[0].status == "pending"


async def test_what_it_lost_is_told_though_anothers_of_the_same_name_took_something_since(
    store: Store,
) -> None:
    here = Scene(store, "chat", carrier=Carrier("production", {"production"}))
    there = Scene(store, "chat", carrier=Carrier("staging", {"staging"}))
    chat = here.lines["chat"]
    chat.failure = FailureReason.GONE
    await here.tell("app")
    await here.courier.deliver_due(here.now)
    await there.tell("of staging")
    there.now += MINUTE
    await there.courier.deliver_due(there.now)
    chat.failure = None
    await mend(store, here.carrier, "chat", [], here.now + 2 * MINUTE)
    await here.live(3)
    assert chat.words == [("app", "opened")]
    assert here.up == {"chat": True}


async def test_a_channel_of_another_agent_is_left_to_it(store: Store) -> None:
    """Two agents of one environment share a ledger, and one of them has a pager."""
    scene = Scene(store, "hook", "pager")
    other = ChannelWatch(
        store,
        carrier=HERE,
        channels=["hook"],
        observe=lambda _name, _is_up: None,
        is_alone=False,
    )
    scene.lines["pager"].failure = FailureReason.GONE
    await scene.tell()
    for _ in range(5):
        await scene.live()
        await other.watch(scene.now)
    await scene.live()
    assert scene.up == {"hook": True, "pager": False}
    await other.watch(scene.now + timedelta(days=2))
    assert await store.list_broken("production") == []
