"""A clock that jumps by hours under a running agent: it looks on, and tells each thing once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from tests.conftest import MakeDatabase
from tests.e2e.conftest import SECRET, Agent, Receiver, StartAgent, wait_for

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
TABLES = "create table orders (id int primary key); create index orders_id on orders (id);"


class Clock:
    """What a process takes for the time, as it is set: https://github.com/wolfcw/libfaketime."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self.set(0)

    def set(self, hours: int) -> None:
        """Set it to so much more than it is; the process sees it within a second."""
        fresh = self._place.with_suffix(".new")
        fresh.write_text(f"{hours:+}h\n")
        fresh.replace(self._place)

    @property
    def environ(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._place),
            "FAKETIME_CACHE_DURATION": "1",
            # Time that passes goes on whatever the clock shows, as on a real machine.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


def jump(agent: Agent, clock: Clock, hours: int) -> None:
    """Set its clock, and return once it has looked by that."""
    clock.set(hours)

    def has_looked() -> bool:
        seen = datetime.fromisoformat(agent.find_database("app")["last_look"])
        return abs(seen - datetime.now(UTC) - timedelta(hours=hours)) < timedelta(minutes=5)

    wait_for(has_looked, f"a look at {hours:+} hours")


@pytest.mark.long
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
        jump(agent, clock, 5)
        await connection.execute("drop index orders_id")
        wait_for(lambda: receiver.list_types("app") == ["incident.opened"], "the first message")
        jump(agent, clock, -5)
        await connection.execute("create index orders_id on orders (id)")
        wait_for(lambda: len(receiver.messages) > 1, "the last message")
        jump(agent, clock, 0)
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
