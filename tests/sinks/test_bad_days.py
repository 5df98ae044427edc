"""What becomes of words when every receiver is down for a day: real HTTP, real ledger.

The clock is simulated: the courier is asked every ten minutes of the day.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from monitor.core.incidents import EventKind, Incident
from monitor.sinks.delivery import Grouping
from monitor.sinks.outbox import Courier, Route
from monitor.sinks.slack import Slack
from monitor.sinks.store import Store, open_store
from monitor.sinks.webhook import Webhook
from monitor.sources.http import Client, open_client
from tests.sinks.builders import NOW, an_incident, sqlite_url, told
from tests.sinks.test_outbox import hurry

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
OPENED, CHANGED, RESOLVED = EventKind.OPENED, EventKind.CHANGED, EventKind.RESOLVED
GROUPING = Grouping(wait=10 * SECOND, interval=MINUTE)


class Peer:
    """A receiver: what it took, and what it answers."""

    def __init__(self, server: HTTPServer, path: str) -> None:
        self.url = server.url_for(path)
        self.answer = Response("ok")
        self.asked = 0
        self.took: list[dict[str, Any]] = []
        server.expect_request(path).respond_with_handler(self._take)

    def _take(self, request: Request) -> Response:
        self.asked += 1
        if self.answer.status_code == 200 and self.answer.data == b"ok":
            self.took.append(json.loads(request.data))
        return self.answer


class Post:
    """A chat and a machine that are told, and the courier that tells them."""

    def __init__(self, store: Store, client: Client, server: HTTPServer) -> None:
        self.store = store
        self.chat, self.hook = Peer(server, "/chat"), Peer(server, "/hook")
        self.courier = Courier(
            store,
            [
                Route(channel=Slack("chat", self.chat.url, client=client)),
                Route(channel=Webhook("hook", self.hook.url, secrets="", client=client)),
            ],
            holder="us",
            luck=lambda: 0.5,
            sleep=hurry,
            grouping=GROUPING,
        )
        self.looks: dict[str, int] = {}

    async def tell(self, kind: EventKind, incident: Incident, at: datetime) -> None:
        """Decide that something is told of an incident."""
        looks = self.looks[incident.id] = self.looks.get(incident.id, 0) + 1
        decision = told(looks, kind, "chat", "hook", incident=incident)
        [event] = decision.events
        moved = msgspec.structs.replace(event, at=at)
        assert await self.store.commit(replace(decision, events=(moved,)))

    async def pass_time(self, start: datetime, hours: float) -> datetime:
        """Deliver every ten minutes for so long."""
        for number in range(int(hours * 6)):
            await self.courier.deliver_due(start + number * 10 * MINUTE)
        return start + hours * HOUR

    @property
    def headlines(self) -> list[str]:
        return [message["text"] for message in self.chat.took]

    @property
    def types(self) -> list[tuple[str, str]]:
        return [
            (message["database"], message["type"].removeprefix("incident."))
            for message in self.hook.took
        ]


@pytest.fixture
async def post(
    tmp_path: Path, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Post]:
    monkeypatch.setenv("NO_PROXY", "*")
    async with open_store(sqlite_url(tmp_path / "ledger.db")) as store, open_client() as client:
        yield Post(store, client, httpserver)


def of(database: str) -> Incident:
    return an_incident(f"i-{database}", database=database)


DOWN = Response("the proxy says no", 503)
BUSY = Response("", 429, headers={"Retry-After": "3600"})


@pytest.mark.parametrize("answer", [DOWN, pytest.param(BUSY, marks=pytest.mark.long)])
async def test_after_a_day_without_a_channel_what_is_still_so_is_told_once(
    post: Post, answer: Response
) -> None:
    await post.tell(OPENED, of("known"), NOW)
    await post.pass_time(NOW + MINUTE, 0.5)
    assert len(post.headlines) == len(post.types) == 1

    post.chat.answer = post.hook.answer = answer
    start = NOW + HOUR
    for name in ("app", "crm", "gone"):
        await post.tell(OPENED, of(name), start)
    await post.tell(RESOLVED, of("known"), start)
    half = await post.pass_time(start, 12)
    await post.tell(CHANGED, of("crm"), half)
    await post.tell(RESOLVED, of("gone"), half)
    back = await post.pass_time(half, 13)
    assert len(post.headlines) == len(post.types) == 1
    # Each channel is asked, and not pressed.
    assert 5 < post.chat.asked < 250
    assert 2 < post.hook.asked < 60

    post.chat.answer = post.hook.answer = Response("ok")
    await post.pass_time(back, 30)
    said = post.headlines[1:]
    assert sum("known" in one or "databases" in one for one in said) == 1, said
    assert len(said) <= 2
    assert sorted(post.types[1:]) == [
        ("app", "opened"),
        ("crm", "opened"),
        ("known", "resolved"),
    ]
    shown = json.dumps(post.chat.took[1:])
    assert all(name in shown for name in ("app", "crm", "known"))
    assert "gone" not in shown
    waiting = await post.store.count_outbox()
    assert all((one.pending, one.dead) == (0, 0) for one in waiting.values())
