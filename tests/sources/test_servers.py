"""Which servers hold the watched databases."""

import asyncio
from dataclasses import replace

import pytest

from monitor.sources.engine import Cluster
from monitor.sources.postgres import connect
from monitor.sources.servers import WatchedServers
from tests.conftest import MakeDatabase
from tests.sources.peers import black_hole, read, run


async def identify(url: str) -> str:
    async with connect(read(url)) as session:
        assert session.facts.system_identifier is not None
        return session.facts.system_identifier


async def test_databases_of_one_server_have_one_identifier(
    server: Cluster, other_server: Cluster, make_database: MakeDatabase
) -> None:
    urls = (await make_database(), await make_database(), other_server.url())
    servers = WatchedServers(map(read, urls))
    assert await servers.list_identifiers() == {
        await identify(server.url()),
        await identify(other_server.url()),
    }
    assert await identify(server.url()) != await identify(other_server.url())


async def test_one_that_does_not_answer_is_asked_again(
    server: Cluster, other_server: Cluster
) -> None:
    later = other_server.url("comes_later")
    servers = WatchedServers([read(server.url()), read(later)])
    known = {await identify(server.url())}
    assert await servers.list_identifiers() == known
    await run(other_server.url(), "CREATE DATABASE comes_later")
    assert await servers.list_identifiers() == known | {await identify(later)}
    await run(other_server.url(), "DROP DATABASE comes_later")
    assert await servers.list_identifiers() == known | {await identify(other_server.url())}


async def test_those_that_never_answer_hide_no_other_and_hold_up_nobody_for_long(
    server: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.sources.servers.ASK_SECONDS", 2.0)
    begun = asyncio.get_running_loop().time()
    async with black_hole() as silent:
        holes = [replace(read(silent), database=f"hole{number}") for number in range(20)]
        servers = WatchedServers([read(server.url()), *holes])
        assert await servers.list_identifiers() == {await identify(server.url())}
    assert asyncio.get_running_loop().time() - begun < 5
