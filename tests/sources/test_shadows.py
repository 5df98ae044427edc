"""Shadow servers of one run: one that dies is replaced."""

import os
import signal
from pathlib import Path

from monitor.sources.build import BuildOptions
from monitor.sources.postgres import connect
from monitor.sources.shadow import Scratch
from monitor.sources.shadows import open_shadows


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
