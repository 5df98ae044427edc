"""A clock that jumps by hours under a running agent: it goes on looking, and tells each thing once."""

from pathlib import Path

import asyncpg
import pytest

from tests.conftest import MakeDatabase
from tests.e2e.conftest import SECRET, Receiver, StartAgent, wait_for

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
TABLES = "create table orders (id int primary key); create index orders_id on orders (id);"


class Clock:
    """What a process takes for the time, as it is set: https://github.com/wolfcw/libfaketime."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self.set("+0")

    def set(self, ahead: str) -> None:
        """Set it to so much more than it is, `+5h` or `-5h`."""
        fresh = self._place.with_suffix(".new")
        fresh.write_text(f"{ahead}\n")
        fresh.replace(self._place)

    @property
    def environ(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._place),
            "FAKETIME_NO_CACHE": "1",
            # Time that passes goes on whatever the clock shows, as on a real machine.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


@pytest.mark.skipif(not LIBRARIES, reason="needs Debian's package faketime")
async def test_a_clock_that_jumps_makes_no_storm_and_loses_no_word(
    make_database: MakeDatabase, start_agent: StartAgent, receiver: Receiver, tmp_path: Path
) -> None:
    clock, url = Clock(tmp_path / "clock"), await make_database(sql=TABLES)
    agent = start_agent(
        **clock.environ,
        ANCHORWATCH_DATABASES__APP__URL=url,
        ANCHORWATCH_DEFAULTS__INTERVAL="300ms",
        ANCHORWATCH_DEFAULTS__MIN_INTERVAL="100ms",
        ANCHORWATCH_WEBHOOKS__TEAM__URL=receiver.url,
        ANCHORWATCH_WEBHOOKS__TEAM__SECRET=SECRET,
        ANCHORWATCH_ENVIRONMENT="test",
    )
    agent.wait_for_state("app", "unchanged")
    connection = await asyncpg.connect(url)
    try:
        clock.set("+5h")
        agent.wait_for_looks(3)
        await connection.execute("drop index orders_id")
        wait_for(lambda: receiver.list_types("app") == ["incident.opened"], "the first message")
        clock.set("-5h")
        agent.wait_for_looks(3)
        await connection.execute("create index orders_id on orders (id)")
        wait_for(lambda: len(receiver.messages) > 1, "the last message")
        clock.set("+0")
        agent.wait_for_looks(3)
        await connection.execute("drop index orders_id")
        wait_for(lambda: len(receiver.messages) > 2, "the next message")
    finally:
        await connection.close()
    assert agent.get("/livez")[0] == 200
    assert receiver.list_types("app") == [
        "incident.opened",
        "incident.resolved",
        "incident.opened",
    ]
    times = [message["at"] for message in receiver.messages]
    assert times[0] > times[2] > times[1], "the clock did jump"
