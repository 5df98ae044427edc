"""Pings, as a real HTTP peer hears them."""

from collections.abc import AsyncIterator

import pytest
from pytest_httpserver import HTTPServer

from monitor.core.errors import DeliveryError
from monitor.sinks.channel import FailureReason
from monitor.sinks.heartbeat import Heartbeat
from monitor.sources.http import Client, open_client
from tests.sinks.builders import NOW

SECRET = "/ping/3f2a-uuid"  # noqa: S105  # nobody's


@pytest.fixture
async def client(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    monkeypatch.setenv("NO_PROXY", "*")
    async with open_client(total_seconds=0.3) as opened:
        yield opened


class Pauses(list[float]):
    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


def a_heartbeat(url: str, client: Client, pauses: Pauses | None = None) -> Heartbeat:
    return Heartbeat(url, client=client, sleep=Pauses() if pauses is None else pauses)


@pytest.mark.parametrize(
    ("is_well", "url", "asked"),
    [
        (True, SECRET, f"{SECRET}?"),
        (False, SECRET, f"{SECRET}/fail?"),
        (False, f"{SECRET}/", f"{SECRET}/fail?"),
        (True, f"{SECRET}?create=1", f"{SECRET}?create=1"),
        (False, f"{SECRET}?create=1", f"{SECRET}/fail?create=1"),
    ],
)
async def test_where_it_pings(
    client: Client, httpserver: HTTPServer, url: str, asked: str, *, is_well: bool
) -> None:
    httpserver.expect_request(asked.split("?", maxsplit=1)[0], method="GET").respond_with_data(
        "OK"
    )
    await a_heartbeat(httpserver.url_for("") + url, client).ping(is_well=is_well, at=NOW)
    ((request, _),) = httpserver.log
    assert request.full_path == asked


async def test_what_fails_twice_is_tried_three_times(
    client: Client, httpserver: HTTPServer
) -> None:
    for status in (503, 500, 200):
        httpserver.expect_ordered_request(SECRET).respond_with_data("", status=status)
    pauses = Pauses()
    await a_heartbeat(httpserver.url_for(SECRET), client, pauses).ping(is_well=True, at=NOW)
    assert len(httpserver.log) == 3
    assert pauses == [1.0, 2.0]


async def test_after_three_tries_it_is_given_up_without_quoting_the_address(
    client: Client, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(SECRET).respond_with_data("", status=404)
    with pytest.raises(DeliveryError) as caught:
        await a_heartbeat(httpserver.url_for(SECRET), client).ping(is_well=True, at=NOW)
    assert len(httpserver.log) == 3
    assert caught.value.reason == FailureReason.GONE
    assert SECRET not in str(caught.value)
