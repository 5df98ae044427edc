"""The running agent's word that it lives, heard by a real HTTP peer."""

import asyncio
import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import sentry_sdk
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from monitor.agent.lifelines import Lifelines
from monitor.sinks.heartbeat import Heartbeat
from monitor.sources.http import open_client
from monitor.watch.pulse import Pulse
from tests.agent.builders import SECONDS, TABLES, load, running
from tests.conftest import MakeDatabase


async def wait_for_paths(httpserver: HTTPServer, *paths: str) -> None:
    async with asyncio.timeout(SECONDS):
        while [request.path for request, _ in httpserver.log] != list(paths):  # noqa: ASYNC110  # seen from outside
            await asyncio.sleep(0.05)


async def test_the_first_look_is_followed_by_a_ping_and_a_check_in(
    make_database: MakeDatabase, tmp_path: Path, httpserver: HTTPServer
) -> None:
    seen: list[dict[str, object]] = []

    def take(request: Request) -> Response:
        body = request.get_data()
        is_packed = request.headers.get("Content-Encoding") == "gzip"
        text = gzip.decompress(body) if is_packed else body
        seen.append(json.loads(text.splitlines()[2]))
        return Response("{}", content_type="application/json")

    httpserver.expect_request("/ping").respond_with_data("OK")
    httpserver.expect_request("/api/1/envelope/").respond_with_handler(take)
    loaded = load(
        tmp_path,
        {"app": f'{{url: "{await make_database(sql=TABLES)}", interval: 24h}}'},
        ANCHORWATCH_HEARTBEAT_URL=httpserver.url_for("/ping"),
        ANCHORWATCH_SENTRY_DSN=f"http://public@127.0.0.1:{httpserver.port}/1",
    )
    try:
        async with running(loaded) as agent:
            async with asyncio.timeout(SECONDS):
                while len(httpserver.log) < 2:  # noqa: ASYNC110  # seen from outside
                    await asyncio.sleep(0.05)
            _, page = await agent.get("/metrics")
    finally:
        sentry_sdk.init(default_integrations=False)
    assert {request.path for request, _ in httpserver.log} == {"/ping", "/api/1/envelope/"}
    assert [(one["monitor_slug"], one["status"]) for one in seen] == [("anchorwatch-test", "ok")]
    lines = [x for x in page.splitlines() if x.startswith("anchorwatch_heartbeat_last_success")]
    assert len(lines) == 2
    assert all(
        float(line.rpartition(" ")[2]) > datetime(2026, 1, 1, tzinfo=UTC).timestamp()
        for line in lines
    )


async def test_without_a_look_that_ended_there_is_no_ping(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    """All that is configured is asleep: nothing proves that the watch goes on."""
    httpserver.expect_request("/ping").respond_with_data("OK")
    url = httpserver.url_for("/ping")
    text = '{url: "postgresql://u:p@127.0.0.1:1/x", enabled: false}'
    async with running(load(tmp_path, {"app": text}, ANCHORWATCH_HEARTBEAT_URL=url)):
        await asyncio.sleep(1.5)
    assert not httpserver.log


async def test_a_fault_is_said_once_and_silence_is_none(httpserver: HTTPServer) -> None:
    words = [Pulse.WELL, Pulse.FAULT, Pulse.SILENT, Pulse.WELL]
    httpserver.expect_request("/ping").respond_with_data("OK")
    httpserver.expect_request("/ping/fail").respond_with_data("OK")
    told: list[str] = []

    async def judge() -> tuple[Pulse, str]:
        return words.pop(0), "for this test"

    async with open_client() as client:
        lines = Lifelines(
            judge,
            heartbeat=Heartbeat(httpserver.url_for("/ping"), client=client),
            monitor=None,
            observe=lambda target, _: told.append(target),
        )
        while words:
            await lines.beat(lambda: datetime.now(UTC))
    await wait_for_paths(httpserver, "/ping", "/ping/fail", "/ping")
    assert told == ["heartbeat"] * 2
