"""News as they reach a page: over a real socket, for the stream is about how it ends."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from monitor.core.errors import StoreError
from monitor.core.verdict import State
from monitor.sinks.store import Decision, Store
from monitor.web import events, news
from monitor.web.answers import NewsAnswer
from monitor.web.news import Listener, News
from monitor.web.view import View
from tests.web import sites
from tests.web.builders import (
    HOSTILE,
    NOW,
    SECRET,
    a_finding,
    a_record,
    a_report,
    a_view,
    commit,
)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "PERIOD", 0.02)


class Site:
    """A server, and the way to end it."""

    def __init__(self, client: httpx.AsyncClient, stop: asyncio.Event) -> None:
        self.client = client
        self.stop = stop


@contextlib.asynccontextmanager
async def served(view: View) -> AsyncIterator[Site]:
    stop = asyncio.Event()
    async with (
        sites.served(view, stop) as base,
        httpx.AsyncClient(base_url=base, trust_env=False, timeout=10) as client,
    ):
        yield Site(client, stop)


async def read_looks(lines: AsyncIterator[str]) -> list[dict[str, Any]]:
    """The databases of the next event."""
    async for line in lines:
        if line.startswith("data: "):
            return list(json.loads(line.removeprefix("data: "))["databases"])
    raise AssertionError("the stream ended")


async def look(store: Store, name: str, state: State, looks: int, **changes: Any) -> None:
    record = a_record(a_report(name, state, **changes), looks=looks)
    if looks == 1:
        await commit(store, record)
        return
    assert await store.commit(Decision(record=record, looks_before=looks - 1))


async def test_a_look_is_told_and_whether_it_changed_something(store: Store) -> None:
    async with served(a_view(store)) as site, site.client.stream("GET", "/api/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        lines = answer.aiter_lines()
        assert await anext(lines) == "retry: 5000"
        await asyncio.sleep(0.2)
        await look(store, "accounts", State.IN_SYNC, 2, at=NOW)
        same = {"environment": "production", "name": "accounts", "state": "in_sync"}
        assert await read_looks(lines) == [
            {**same, "last_look": "2026-03-14T09:26:53Z", "changed": False}
        ]
        await look(store, "accounts", State.DRIFTED, 3, at=NOW, findings=(a_finding("accounts"),))
        (told,) = await read_looks(lines)
        assert (told["state"], told["changed"]) == ("drifted", True)


async def test_a_newcomer_is_a_change_whatever_it_is_called(store: Store) -> None:
    async with served(a_view(store)) as site, site.client.stream("GET", "/api/events") as answer:
        lines = answer.aiter_lines()
        await anext(lines)
        await asyncio.sleep(0.2)
        odd = a_record(a_report("odd", State.EMPTY, environment=HOSTILE))
        await commit(store, odd)
        (told,) = await read_looks(lines)
        assert (told["environment"], told["changed"]) == (HOSTILE, True)


async def test_a_silent_stream_says_that_it_is_there(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "HEARTBEAT", 0.05)
    async with served(a_view(store)) as site, site.client.stream("GET", "/api/events") as answer:
        seen = [line async for line in take(answer.aiter_lines(), 5)]
    assert seen == ["retry: 5000", "", ": still here", "", ": still here"]


async def take(lines: AsyncIterator[str], number: int) -> AsyncIterator[str]:
    for _ in range(number):
        yield await anext(lines)


async def test_a_stream_ends_with_the_agent_and_does_not_hold_it_up(store: Store) -> None:
    async with served(a_view(store)) as site:
        async with site.client.stream("GET", "/api/events") as answer:
            begun = asyncio.get_running_loop().time()
            site.stop.set()
            async with asyncio.timeout(5):
                assert [line async for line in answer.aiter_lines()] == ["retry: 5000", ""]
        assert asyncio.get_running_loop().time() - begun < 1.5


async def test_an_old_stream_ends_so_that_who_asks_is_known_still(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "LIFETIME", 0.0)
    async with served(a_view(store)) as site:
        answer = await site.client.get("/api/events")
    assert answer.text == "retry: 5000\n\n"


async def test_more_than_there_is_room_for_are_told_to_ask_instead(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "MAX_LISTENERS", 1)
    async with served(a_view(store)) as site:
        async with site.client.stream("GET", "/api/events"):
            crowded = await site.client.get("/api/events")
        assert crowded.status_code == 503
        assert crowded.json()["error"]["code"] == "too_many_listeners"
        assert crowded.headers["retry-after"] == "5"
        await asyncio.sleep(0.2)  # who hangs up leaves room
        async with site.client.stream("GET", "/api/events") as again:
            assert again.status_code == 200


async def test_the_stream_is_closed_to_strangers(store: Store) -> None:
    async with served(a_view(store, api_token=SECRET, is_loopback=False)) as site:
        assert (await site.client.get("/api/events")).status_code == 401
        known = {"Authorization": f"Bearer {SECRET}"}
        async with site.client.stream("GET", "/api/events", headers=known) as answer:
            assert answer.status_code == 200


async def test_head_ends_at_once(store: Store) -> None:
    async with served(a_view(store)) as site:
        answer = await site.client.head("/api/events")
    assert answer.status_code == 200


async def test_a_ledger_that_fails_for_a_while_ends_no_stream(store: Store) -> None:
    class Flaky:
        def __init__(self) -> None:
            self.asked = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        async def number_looks(self) -> Any:
            self.asked += 1
            if self.asked in (2, 3):
                raise StoreError("The ledger cannot be read.", next_step="Wait.")
            return await store.number_looks()

    flaky = Flaky()
    told = News(a_view(flaky))  # what it lacks, it asks of the store
    async with told.listen() as listener, asyncio.timeout(10):
        while flaky.asked < 4:  # noqa: ASYNC110  # nothing else says so
            await asyncio.sleep(0.01)
        await look(store, "accounts", State.EMPTY, 2)
        (only,) = (await listener.take()).databases
    assert (only.name, only.changed) == ("accounts", True)


async def test_nobody_asks_the_ledger_when_nobody_listens(store: Store) -> None:
    told = News(a_view(store))
    async with told.listen(), told.listen():
        task = told._task
        assert task is not None
    await asyncio.sleep(0)
    assert told._task is None
    assert task.cancelled()


async def test_what_a_slow_listener_missed_is_merged() -> None:
    listener = Listener()
    for number in range(5000):
        listener.tell(
            NewsAnswer(
                environment="production",
                name=f"db{number % 2}",
                state=State.IN_SYNC,
                last_look=NOW,
                changed=number == 1,
            )
        )
    taken = await listener.take()
    assert [(one.name, one.changed) for one in taken.databases] == [("db0", False), ("db1", True)]


async def test_many_that_change_at_once_are_all_told(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "MAX_READ", 3)
    told = News(a_view(store))
    async with told.listen() as listener:
        await asyncio.sleep(0.2)
        for number in range(10):
            await commit(store, a_record(a_report(f"new{number}", State.EMPTY)))
        seen: dict[str, bool] = {}
        async with asyncio.timeout(10):
            while len(seen) < 10:
                seen |= {one.name: one.changed for one in (await listener.take()).databases}
    assert set(seen.values()) == {True}
