"""What Sentry is told of an exception that nobody foresaw in one look of a running agent."""

import gzip
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sentry_sdk
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from monitor.sources.dsn import Dsn, reveal
from monitor.sources.engine import Cluster
from monitor.sources.postgres import Session
from monitor.sources.reading import Reading, read_schema
from tests.agent.builders import TABLES, load, running
from tests.conftest import MakeDatabase
from tests.sources.peers import PLANTED, read, weak_role


class Sentry(NamedTuple):
    """A real HTTP peer in Sentry's place, and what it got: headers and unpacked bodies."""

    dsn: str
    payloads: list[bytes]


@pytest.fixture
def sentry(httpserver: HTTPServer) -> Iterator[Sentry]:
    """One that takes everything."""
    got: list[bytes] = []

    def take(request: Request) -> Response:
        body = request.get_data()
        is_packed = request.headers.get("Content-Encoding") == "gzip"
        got.append(str(request.headers).encode() + (gzip.decompress(body) if is_packed else body))
        return Response("{}", content_type="application/json")

    httpserver.expect_request("/api/1/envelope/").respond_with_handler(take)
    yield Sentry(f"http://public@127.0.0.1:{httpserver.port}/1", got)
    sentry_sdk.init(default_integrations=False)


@pytest.fixture
async def planted(server: Cluster, make_database: MakeDatabase) -> AsyncIterator[Dsn]:
    """A database whose role has the planted password."""
    url = await make_database(sql=TABLES)
    async with weak_role(server, url) as role:
        yield replace(read(url), user=role, password=PLANTED)


async def test_a_fault_in_one_look_reaches_sentry_once_and_without_the_password(
    make_database: MakeDatabase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sentry: Sentry,
    planted: Dsn,
) -> None:
    broken: list[str] = []

    async def break_once(session: Session, **_: Any) -> Reading:
        if session.facts.database == planted.database and not broken:
            broken.append(session.facts.database)
            raise ZeroDivisionError(f"could not use {reveal(planted)}")
        return await read_schema(session)

    monkeypatch.setattr("monitor.watch.inspection.read_schema", break_once)
    sound = await make_database(sql=TABLES)
    loaded = load(
        tmp_path,
        {"app": f'{{url: "{reveal(planted)}"}}', "sound": f'{{url: "{sound}"}}'},
        ANCHORWATCH_SENTRY_DSN=sentry.dsn,
    )
    async with running(loaded) as agent:
        await agent.wait_for(app="unchanged", sound="unchanged")
        await agent.wait_for_looks("app", 3)
    assert broken == [planted.database]
    payload, *others = sorted(sentry.payloads, key=lambda one: b'"check_in"' in one)
    assert all(b'"check_in"' in one and PLANTED.encode() not in one for one in others)
    assert PLANTED.encode() not in payload
    assert b"could not use" not in payload
    event = json.loads(payload.splitlines()[-1])
    assert [one["type"] for one in event["exception"]["values"]] == ["ZeroDivisionError"]
    assert event["environment"] == "test"
