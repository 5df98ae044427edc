"""A scrape while everything is down: databases, the ledger and whoever is told."""

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from monitor.sources.engine import Cluster
from tests.agent.builders import TABLES, load, running
from tests.conftest import MakeDatabase

SCRAPES = 20


@pytest.fixture
def black_hole() -> Iterator[int]:
    """The port of a listener that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield int(listener.getsockname()[1])


async def drop(server: Cluster, url: str) -> None:
    """Take a database away, with everybody who is in it."""
    connection = await asyncpg.connect(server.socket_url())
    try:
        await connection.execute(f"DROP DATABASE {urlsplit(url).path[1:]} WITH (FORCE)")
    finally:
        await connection.close()


async def test_a_scrape_is_answered_at_once_and_tells_that_all_is_down(
    server: Cluster,
    make_database: MakeDatabase,
    tmp_path: Path,
    black_hole: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("monitor.agent.house.HOUSEKEEPING_SECONDS", 0.1)
    ledger, app = await make_database(), await make_database(sql=TABLES)
    databases = {
        "app": f'{{url: "{app}"}}',
        "closed": '{url: "postgresql://u:planted-secret@127.0.0.1:1/x"}',
        "hole": f'{{url: "postgresql://u:planted-secret@127.0.0.1:{black_hole}/x"}}',
    }
    loaded = load(
        tmp_path,
        databases,
        ANCHORWATCH_STORE_URL=ledger,
        ANCHORWATCH_WEBHOOKS__TEAM__URL=f"http://127.0.0.1:{black_hole}/planted-secret",
        ANCHORWATCH_SLACK__WEBHOOK_URL="http://127.0.0.1:1/planted-secret",
    )
    async with running(loaded) as agent:
        await agent.wait_for(app="unchanged", closed="unreachable")
        await drop(server, app)
        await agent.wait_for(app="unreachable")
        await drop(server, ledger)
        async with asyncio.timeout(30):
            while (await agent.get("/readyz"))[0] != 503:  # noqa: ASYNC110  # seen from outside
                await asyncio.sleep(0.05)

        async with asyncio.timeout(5):  # all of them, on a busy machine
            answers = await asyncio.gather(*(agent.get("/metrics") for _ in range(SCRAPES)))
        for status, text in answers:
            assert status == 200
            assert text.endswith("\n")
            for name in ("app", "closed"):
                assert (
                    f'anchorwatch_database_state{{database="{name}",state="unreachable"}} 1'
                    in (text)
                )
            assert "planted-secret" not in text
        assert (await agent.get("/livez"))[0] == 200
        status, body = await agent.get("/readyz")
        assert "planted-secret" not in body
        assert all("ledger" in reason for reason in json.loads(body)["reasons"])
