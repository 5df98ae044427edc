"""Shadow servers of one run: one that dies is replaced, one that is watched is refused."""

import os
import signal
from pathlib import Path

import pytest

from monitor.core.errors import UsageError
from monitor.sources.build import BuildOptions
from monitor.sources.engine import Cluster
from monitor.sources.postgres import connect
from monitor.sources.shadow import Scratch
from monitor.sources.shadows import open_shadows
from tests.sources.peers import read


def find_parent(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text("utf-8")
    [parent] = [line for line in status.splitlines() if line.startswith("PPid:")]
    return int(parent.split()[1])


async def test_a_server_of_our_own_that_was_killed_is_replaced() -> None:
    postmasters: list[int] = []

    async def work(scratch: Scratch) -> None:
        async with connect(scratch.dsn) as session:
            await session.execute("create table t (id int)")
            [[backend]] = await session.fetch_values("select pg_backend_pid()")
            postmasters.append(find_parent(backend))

    async with open_shadows(BuildOptions()) as shadows:
        first = await shadows.build(work)
        os.kill(postmasters[0], signal.SIGKILL)
        second = await shadows.build(work)
    assert first.fingerprint == second.fingerprint
    assert postmasters[0] != postmasters[1]


async def do_nothing(_: Scratch) -> None:
    """Build an empty schema."""


async def test_a_given_server_is_refused_as_soon_as_it_is_known_to_be_watched(
    server: Cluster,
) -> None:
    async with connect(read(server.url())) as session:
        identifier = session.facts.system_identifier
    known: set[str] = set()

    async def list_known() -> frozenset[str]:
        return frozenset(known)

    options = BuildOptions(shadow_url=server.url(), forbidden=list_known)
    async with open_shadows(options) as shadows:
        await shadows.build(do_nothing)
        known.add(str(identifier))
        with pytest.raises(UsageError, match="holds a watched database"):
            await shadows.build(do_nothing)


async def test_a_server_of_our_own_is_never_refused() -> None:
    async def fail() -> frozenset[str]:
        raise AssertionError("Nobody needs to be asked.")

    async with open_shadows(BuildOptions(forbidden=fail)) as shadows:
        await shadows.build(do_nothing)
