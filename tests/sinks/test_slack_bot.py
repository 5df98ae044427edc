"""Slack's Web API as a bot meets it: threads, heads that turn green, and every way to say no."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from monitor.core.errors import DeliveryError
from monitor.core.findings import Severity
from monitor.core.incidents import EventKind, Incident
from monitor.sinks.channel import FailureReason
from monitor.sinks.delivery import Grouping
from monitor.sinks.outbox import Courier, Route
from monitor.sinks.slack_bot import SlackBot
from monitor.sinks.store import Store
from monitor.sources.http import Client, open_client
from tests.sinks.builders import HOSTILE, NOW, a_finding, a_message, an_incident, statuses, told
from tests.sinks.test_outbox import hurry

TOKEN = "xoxb-pl4nted-s3cret"  # noqa: S105  # no real one
OPENED, CHANGED, RESOLVED = EventKind.OPENED, EventKind.CHANGED, EventKind.RESOLVED
MINUTE = timedelta(minutes=1)


class Workspace:
    """One channel of Slack: its messages by their `ts`, and their threads."""

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for("/api")
        self.messages: dict[str, dict[str, Any]] = {}
        self.threads: dict[str, list[dict[str, Any]]] = {}
        self.refusals: list[Response | str] = []
        self.asked: list[str] = []
        server.expect_request("/api/chat.postMessage").respond_with_handler(self._take)
        server.expect_request("/api/chat.update").respond_with_handler(self._take)

    def _take(self, request: Request) -> Response:
        body = json.loads(request.get_data())
        self.asked.append(request.path.rpartition(".")[2])
        if request.headers["Authorization"] != f"Bearer {TOKEN}":
            return _say(ok=False, error="invalid_auth")
        match self.refusals.pop(0) if self.refusals else None:
            case Response() as answer:
                return answer
            case str(word):
                return _say(ok=False, error=word)
        if body["channel"] not in ("C1", "alerts"):
            return _say(ok=False, error="channel_not_found")
        return self._update(body) if "ts" in body else self._post(body)

    def _update(self, body: dict[str, Any]) -> Response:
        if body["channel"] != "C1":  # it takes no name
            return _say(ok=False, error="channel_not_found")
        if body["ts"] not in self.messages:
            return _say(ok=False, error="message_not_found")
        self.messages[body["ts"]] = body
        return _say(ok=True, channel="C1", ts=body["ts"])

    def _post(self, body: dict[str, Any]) -> Response:
        ts = f"1700000000.{len(self.asked):06d}"
        if (head := body.get("thread_ts")) is not None:
            self.threads.setdefault(head, []).append(body)
        else:
            self.messages[ts] = body
        return _say(ok=True, channel="C1", ts=ts)

    @property
    def titles(self) -> list[str]:
        return [message["text"] for message in self.messages.values()]


def _say(**body: Any) -> Response:
    return Response(json.dumps(body), content_type="application/json")


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with open_client() as opened:
        yield opened


@pytest.fixture
def store(file_store: Store) -> Store:
    return file_store


@pytest.fixture
def workspace(httpserver: HTTPServer) -> Workspace:
    return Workspace(httpserver)


def a_bot(workspace: Workspace, client: Client, *, token: str = TOKEN, **said: Any) -> SlackBot:
    options = {"channel": "alerts", "api": workspace.url, **said}
    return SlackBot("slack", token=token, client=client, **options)


def a_courier(store: Store, bot: SlackBot, *, interval: timedelta = timedelta(0)) -> Courier:
    return Courier(
        store,
        [Route(channel=bot)],
        holder="us",
        luck=lambda: 0.5,
        sleep=hurry,
        grouping=Grouping(wait=timedelta(0), interval=interval),
    )


async def tell(store: Store, looks: int, kind: EventKind, incident: Incident) -> None:
    assert await store.commit(told(looks, kind, "slack", incident=incident))


async def test_the_head_says_how_it_stands_and_the_thread_what_happened(
    store: Store, workspace: Workspace, client: Client
) -> None:
    courier = a_courier(store, a_bot(workspace, client))
    more = an_incident(findings=(a_finding(), a_finding("users")))
    for looks, (kind, incident) in enumerate(
        [(OPENED, an_incident()), (CHANGED, more), (RESOLVED, more)], start=1
    ):
        await tell(store, looks, kind, incident)
        await courier.deliver_due(NOW + looks * MINUTE)
        [head] = workspace.titles
        if kind is CHANGED:
            assert head == "🔴 CRITICAL app (production): 2 schema differences"
    assert head == "🟢 RESOLVED app (production): the schema is as expected again after 2 min"
    [replies] = workspace.threads.values()
    assert [reply["text"] for reply in replies] == [
        "🔴 CHANGED app (production): now 2 schema differences",
        "🟢 RESOLVED app (production): the schema is as expected again after 2 min",
    ]
    assert not any(reply["reply_broadcast"] for reply in replies)


async def test_what_was_opened_together_ends_one_by_one_in_one_thread(
    store: Store, workspace: Workspace, client: Client
) -> None:
    courier = a_courier(store, a_bot(workspace, client))
    both = [an_incident(f"i-{name}", database=name) for name in ("app", "crm")]
    for incident in both:
        await tell(store, 1, OPENED, incident)
    await courier.deliver_due(NOW + MINUTE)
    assert workspace.titles == ["🔴 CRITICAL 2 databases (production): schema differences"]
    await tell(store, 2, RESOLVED, both[0])
    await courier.deliver_due(NOW + 2 * MINUTE)
    assert workspace.titles == [
        "🔴 CRITICAL 2 databases (production): schema differences, 1 of them resolved"
    ]
    await tell(store, 2, RESOLVED, both[1])
    await courier.deliver_due(NOW + 3 * MINUTE)
    assert workspace.titles == [
        "🟢 RESOLVED 2 databases (production): schema differences, all over"
    ]
    [replies] = workspace.threads.values()
    assert [reply["text"][2:14] for reply in replies] == ["RESOLVED app", "RESOLVED crm"]


async def test_another_agent_goes_on_in_the_same_thread(
    store: Store, workspace: Workspace, client: Client
) -> None:
    await tell(store, 1, OPENED, an_incident())
    await a_courier(store, a_bot(workspace, client)).deliver_due(NOW)
    await tell(store, 2, RESOLVED, an_incident())
    await a_courier(store, a_bot(workspace, client)).deliver_due(NOW + 2 * MINUTE)
    assert len(workspace.messages) == len(workspace.threads) == 1


async def test_a_head_that_was_deleted_is_begun_anew(
    store: Store, workspace: Workspace, client: Client
) -> None:
    courier = a_courier(store, a_bot(workspace, client))
    await tell(store, 1, OPENED, an_incident())
    await courier.deliver_due(NOW)
    workspace.messages.clear()
    await tell(store, 2, CHANGED, an_incident(findings=(a_finding("users"),)))
    await courier.deliver_due(NOW + 2 * MINUTE)
    await tell(store, 3, RESOLVED, an_incident())
    await courier.deliver_due(NOW + 3 * MINUTE)
    [title] = workspace.titles
    assert title.startswith("🟢 RESOLVED")
    assert [len(replies) for replies in workspace.threads.values()] == [1]


@pytest.mark.parametrize("word", ["channel_not_found", "is_archived", "is_inactive"])
async def test_after_a_move_to_another_channel_a_thread_is_begun_anew_there(
    store: Store, workspace: Workspace, client: Client, word: str
) -> None:
    """The old channel is gone: that says nothing of the one that is configured."""
    await tell(store, 1, OPENED, an_incident())
    await a_courier(store, a_bot(workspace, client)).deliver_due(NOW)
    await tell(store, 2, RESOLVED, an_incident())
    workspace.refusals = [word]
    await a_courier(store, a_bot(workspace, client, channel="C1")).deliver_due(NOW + MINUTE)
    assert workspace.asked == ["postMessage", "update", "postMessage"]
    assert workspace.titles[1].startswith("🟢 RESOLVED")
    assert await statuses(store) == ["delivered", "delivered"]


async def test_one_thread_that_fails_leaves_the_others_for_later(
    store: Store, workspace: Workspace, client: Client
) -> None:
    courier = a_courier(store, a_bot(workspace, client))
    both = [an_incident(f"i-{name}", database=name) for name in ("app", "crm")]
    for number, incident in enumerate(both):
        await tell(store, 1, OPENED, incident)
        await courier.deliver_due(NOW + number * MINUTE)
    assert len(workspace.messages) == 2
    for incident in both:
        await tell(store, 2, RESOLVED, incident)
    workspace.refusals = [Response("", 503)]
    await courier.deliver_due(NOW + 2 * MINUTE)
    outcomes = [(await store.list_deliveries(incident.id))[-1] for incident in both]
    assert sorted(one.delivery.attempts for one in outcomes) == [0, 1]
    await courier.deliver_due(NOW + 3 * MINUTE)
    assert all(title.startswith("🟢 RESOLVED") for title in workspace.titles)


async def test_a_reminder_of_something_critical_is_heard_in_the_channel(
    workspace: Workspace, client: Client
) -> None:
    bot = a_bot(workspace, client, mention="<!here>")
    first = a_message()
    thread = await bot.send(first, attempt_at=NOW)
    assert "<!here>" in json.dumps(workspace.messages)
    reminder = msgspec.structs.replace(a_message(EventKind.REMINDER), thread=thread)
    mild = msgspec.structs.replace(reminder, severity=Severity.WARNING)
    for message in (reminder, mild):
        assert await bot.send(message, attempt_at=NOW) == thread
    [replies] = workspace.threads.values()
    assert [reply["reply_broadcast"] for reply in replies] == [True, False]
    assert "<!here>" not in json.dumps(replies)


async def test_what_is_too_much_for_slack_is_said_in_words(
    workspace: Workspace, client: Client
) -> None:
    workspace.refusals = ["msg_blocks_too_long"]
    await a_bot(workspace, client).send(a_message(findings=(a_finding(HOSTILE),)), attempt_at=NOW)
    [message] = workspace.messages.values()
    assert "blocks" not in message
    assert message["text"].startswith("🔴 CRITICAL app")


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        ("channel_not_found", (FailureReason.GONE, True, None)),
        ("account_inactive", (FailureReason.GONE, True, None)),
        ("token_revoked", (FailureReason.GONE, True, None)),
        ("some_new_word", (FailureReason.REFUSED, True, None)),
        ("<script>", (FailureReason.REFUSED, True, None)),
        ("internal_error", (FailureReason.SERVER, False, None)),
        ("ratelimited", (FailureReason.RATE_LIMITED, False, None)),
        (Response("", 429, {"Retry-After": "7"}), (FailureReason.RATE_LIMITED, False, 7.0)),
        (Response("", 503), (FailureReason.SERVER, False, None)),
        (Response("", 410), (FailureReason.GONE, True, None)),
        (Response("<html>", 200), (FailureReason.SERVER, False, None)),
        (Response("[1]", 200), (FailureReason.SERVER, False, None)),
    ],
)
async def test_every_no_has_a_meaning(
    workspace: Workspace,
    client: Client,
    answer: Response | str,
    meaning: tuple[FailureReason, bool, float | None],
) -> None:
    workspace.refusals = [answer]
    with pytest.raises(DeliveryError) as caught:
        await a_bot(workspace, client).send(a_message(), attempt_at=NOW)
    error = caught.value
    assert (error.reason, error.permanent, error.retry_after) == meaning
    assert TOKEN not in str(error) + repr(error)
    assert "<" not in error.message


async def test_a_wrong_token_is_a_channel_that_is_gone(
    workspace: Workspace, client: Client
) -> None:
    bot = a_bot(workspace, client, token="wrong")  # noqa: S106  # no real one
    with pytest.raises(DeliveryError) as caught:
        await bot.send(a_message(), attempt_at=NOW)
    assert caught.value.reason == FailureReason.GONE
    assert "chat:write" in caught.value.next_step
