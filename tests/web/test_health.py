import asyncio
from pathlib import Path

import pytest

from monitor.sinks.store import Store
from monitor.web import health
from tests.web.builders import SECRET, a_view, client_of


async def test_liveness_follows_the_agent(store: Store) -> None:
    for is_alive, status in ((True, 200), (False, 503)):
        async with client_of(a_view(store, is_alive=lambda alive=is_alive: alive)) as client:
            answer = await client.get("/livez")
        assert (answer.status_code, answer.json()["alive"]) == (status, is_alive)


async def test_readiness_says_why_not(store: Store) -> None:
    async def is_ready() -> list[str]:
        return ["The ledger cannot be written."]

    async with client_of(a_view(store, is_ready=is_ready, is_loopback=False)) as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "format": 1,
        "ready": False,
        "reasons": ["The ledger cannot be written."],
    }


async def test_a_ledger_that_hangs_makes_not_ready(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def is_ready() -> list[str]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(health, "READY_SECONDS", 0.05)
    async with client_of(a_view(store, is_ready=is_ready)) as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert "did not answer" in answer.json()["reasons"][0]


async def test_a_broken_watched_database_does_not_make_the_agent_unready(store: Store) -> None:
    async with client_of(a_view(store)) as client:
        states = (await client.get("/api/databases")).json()["databases"]
        assert "unreachable" in {database["state"] for database in states}
        assert (await client.get("/readyz")).status_code == 200


async def test_a_broken_ledger_does_not_make_the_agent_dead(
    store: Store, ledger_file: Path
) -> None:
    await asyncio.to_thread(ledger_file.write_bytes, b"not a database any more" * 4096)
    async with client_of(a_view(store)) as client:
        assert (await client.get("/livez")).status_code == 200
        answer = await client.get("/api/databases")
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "store"
    assert answer.json()["error"]["next"]


async def test_metrics_are_those_of_all_databases_or_of_some(store: Store) -> None:
    view = a_view(store, metrics_token=SECRET)
    async with client_of(view, headers={"Authorization": f"Bearer {SECRET}"}) as client:
        everything = await client.get("/metrics")
        some = await client.get("/metrics?database=a&database=b")
    assert everything.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert everything.text == "anchorwatch_asked 0\n"
    assert some.text == "anchorwatch_asked 2\n"
