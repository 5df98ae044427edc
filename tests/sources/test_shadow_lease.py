import os
import subprocess
from collections.abc import Callable

import msgspec
import pytest

from monitor.sources.dsn import parse_dsn
from monitor.sources.engine import Cluster
from monitor.sources.postgres import connect
from monitor.sources.shadow import open_shadow
from monitor.sources.shadow_lease import Lease, identify_host, read_lease, sweep_scratches
from tests.sources.shadow_peers import find_leftovers

LEASE = Lease(
    anchorwatch=1,
    scratch="anchorwatch_shadow_00000000000a",
    host=identify_host(),
    pid=os.getpid(),
    started="never",
    expires=2_000_000_000,
)
HOLD = """
from monitor.sources.shadow import open_shadow
from monitor.sources.postgres import connect
async def hold():
    async with open_shadow(url=os.environ["SHADOW"]) as shadow:
        async with shadow.scratch(roles=("app",)) as scratch:
            async with connect(scratch.dsn) as session:
                await session.execute("create table t (); alter table t owner to app")
                await session.execute(f"comment on database {scratch.database} is 'mine'")
            print("ready", flush=True)
            await asyncio.Event().wait()
asyncio.run(hold())
"""


@pytest.mark.parametrize(
    ("change", "is_over"),
    [
        ({}, True),
        ({"host": "elsewhere"}, False),
        ({"host": "elsewhere", "expires": 5}, True),
        ({"pid": 2**22 + 1}, True),
    ],
)
def test_a_lease_is_over_when_its_owner_is_gone_or_its_time_is(
    *, change: dict[str, object], is_over: bool
) -> None:
    assert msgspec.structs.replace(LEASE, **change).is_over(now=1000) is is_over


@pytest.mark.parametrize("comment", [None, "", "mine", "{}", '{"anchorwatch":2}', "[1]"])
def test_another_comment_is_no_lease(comment: str | None) -> None:
    assert read_lease(comment) is None


def test_a_lease_names_a_scratch_and_nothing_else() -> None:
    assert read_lease(msgspec.json.encode(LEASE).decode()) == LEASE
    other = msgspec.structs.replace(LEASE, scratch="postgres")
    assert read_lease(msgspec.json.encode(other).decode()) is None


async def test_what_a_killed_process_left_is_swept(
    server: Cluster, python: Callable[..., subprocess.Popen[str]]
) -> None:
    process = python(f"import asyncio, os\n{HOLD}", SHADOW=server.url())
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    left = await find_leftovers(server.url())
    assert len(left) == 4
    async with open_shadow(url=server.url()):
        assert await find_leftovers(server.url()) == left  # its owner lives
    process.kill()
    process.wait()
    async with open_shadow(url=server.url()):
        assert await find_leftovers(server.url()) == []


async def test_what_no_lease_proves_to_be_ours_stays(server: Cluster) -> None:
    dsn, _ = parse_dsn(server.url())
    name = "anchorwatch_shadow_00000000000b"
    async with connect(dsn) as session:
        await session.execute(f"create database {name}")
        try:
            assert await sweep_scratches(session) == ()
            comment = msgspec.json.encode(LEASE).decode()  # of another database
            await session.execute(f"comment on database {name} is '{comment}'")
            assert await sweep_scratches(session) == ()
            own = msgspec.structs.replace(LEASE, scratch=name)
            await session.execute(
                f"comment on database {name} is '{msgspec.json.encode(own).decode()}'"
            )
            assert await sweep_scratches(session) == (name,)
        finally:
            await session.execute(f"drop database if exists {name}")
