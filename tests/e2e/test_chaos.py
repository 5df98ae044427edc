"""Two agents on one ledger, killed again and again: all is told, next to nothing twice.

Real agents, a real PostgreSQL for the ledger and the databases, which drift and heal for as long
as it lasts, and receivers that are slow, or refuse, now and then.
"""

import asyncio
import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from time import monotonic, sleep

import asyncpg
import pytest
from standardwebhooks import Webhook

from tests.conftest import MakeDatabase
from tests.e2e.conftest import SECRET, Agent, Receiver, StartAgent

DATABASES = 16
FEW = 6
"""Databases of the short run: two agents that look at them every two seconds take a processor."""
TABLES = "create table orders (id int primary key); create index orders_id on orders (id);"
FEWEST_KILLS = 2
"""Also where the start of an agent takes half of the time that there is."""
HEALS = 2
"""Before the last one: what comes and goes more often is told as flapping, and then no more."""
MOST_DUPLICATES = 0.01
ENOUGH = 500
"""Messages; of fewer, on a machine that is busy, one that a kill doubled may be a percent."""


class Moody:
    """A receiver: of a hundred messages it refuses three at first, and is slow with three."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)  # noqa: S311  # no secret
        self._known: set[str] = set()
        self.taken: Counter[str] = Counter()
        self.refused = 0

    def answer(self, headers: Mapping[str, str]) -> int:
        delivery, mood = headers["webhook-id"], self._dice.random()
        is_new = delivery not in self._known
        self._known.add(delivery)
        if is_new and mood < 0.03:  # as said above
            self.refused += 1
            return 503
        self.taken[delivery] += 1
        if mood > 0.97:  # as said above
            sleep(0.2)
        return 204


@dataclass(kw_only=True)
class Campaign:
    """What runs, and what is counted."""

    ledger: str
    databases: list[str]
    start: StartAgent
    environ: Mapping[str, str]
    dice: random.Random
    agents: list[Agent] = field(default_factory=list)
    kills: int = 0
    changes: int = 0

    async def launch(self) -> Agent:
        return await asyncio.to_thread(self.start, **self.environ)

    async def kill_now_and_then(self, until: float) -> None:
        """Kill one of the two, and start it again while the other lives."""
        while monotonic() < until or self.kills < FEWEST_KILLS:
            await asyncio.sleep(self.dice.uniform(1, 6))
            number = self.dice.randrange(len(self.agents))
            await asyncio.to_thread(self.agents[number].kill)
            self.kills += 1
            self.agents[number] = await self.launch()

    async def drift(self, url: str, seconds: float) -> None:
        """Change a database every four seconds or so, and heal it from time to time."""
        connection = await asyncpg.connect(url)
        begun, healed, columns = monotonic(), 0, 0
        try:
            while (passed := monotonic() - begun) < seconds or self.kills < FEWEST_KILLS:
                await asyncio.sleep(self.dice.uniform(2, 6))
                if passed > (healed + 1) * seconds / (HEALS + 1):
                    healed, columns = healed + 1, await self._heal(connection)
                else:
                    columns += 1
                    await connection.execute(f"alter table orders add column c{columns} int")
                self.changes += 1
            await self._heal(connection)
        finally:
            await connection.close()

    async def _heal(self, connection: "asyncpg.Connection[asyncpg.Record]") -> int:
        columns = await connection.fetch(
            "select attname from pg_attribute where attrelid = 'orders'::regclass"
            " and attnum > 1 and not attisdropped"
        )
        if columns:
            drops = ", ".join(f"drop column {column['attname']}" for column in columns)
            await connection.execute(f"alter table orders {drops}")
        return 0

    async def run(self, seconds: float) -> None:
        self.agents = [await self.launch(), await self.launch()]
        for number in range(len(self.databases)):
            self.agents[0].wait_for_state(f"db{number}", "unchanged")
        await asyncio.gather(
            self.kill_now_and_then(monotonic() + seconds),
            *(self.drift(url, seconds) for url in self.databases),
        )

    async def come_to_rest(self) -> None:
        """Both die; a day passes in the ledger; one agent tells what is left."""
        for agent in self.agents:
            agent.kill()
        await self._fetch(
            "update anchorwatch_outbox set due = due - interval '1 day',"
            " claimed_until = claimed_until - interval '1 day' where status = 'pending'"
        )
        self.agents = [await self.launch()]
        for number in range(len(self.databases)):
            self.agents[0].wait_for_state(f"db{number}", "unchanged")
        await self._wait_for_an_empty_outbox()
        assert self.agents[0].stop() < 5

    async def _wait_for_an_empty_outbox(self) -> None:
        self.agents[0].wait_for_looks(2 * len(self.databases))
        until = monotonic() + 60
        while await self._fetch("select 1 from anchorwatch_outbox where status = 'pending'"):
            assert monotonic() < until, await self._fetch(
                "select * from anchorwatch_outbox where status = 'pending'"
            )
            await asyncio.sleep(0.2)
            # What a killed agent had claimed counts as tried: refused, it waits for five minutes.
            await self._fetch(
                "update anchorwatch_outbox set due = due - interval '1 hour'"
                " where status = 'pending' and claimed_until is null and reason is not null"
            )

    async def list_rows(self) -> list[asyncpg.Record]:
        return await self._fetch("select * from anchorwatch_outbox order by incident, version")

    async def list_events(self) -> list[asyncpg.Record]:
        return await self._fetch("select * from anchorwatch_event order by incident, version")

    async def _fetch(self, query: str) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.ledger)
        try:
            return await connection.fetch(query)
        finally:
            await connection.close()


@pytest.fixture
def receivers() -> Iterator[dict[str, Receiver]]:
    made = {name: Receiver() for name in ("team", "ops", "log")}
    for one in made.values():
        one.start()
    yield made
    for one in made.values():
        one.stop()


async def check_chaos(
    make_database: MakeDatabase,
    start_agent: StartAgent,
    receivers: dict[str, Receiver],
    seconds: float,
    count: int = DATABASES,
) -> None:
    databases = [await make_database(sql=TABLES) for _ in range(count)]
    moods = {f"webhook:{name}": Moody(number) for number, name in enumerate(receivers)}
    for mood, receiver in zip(moods.values(), receivers.values(), strict=True):
        receiver.answer = mood.answer
    ledger = await make_database()
    campaign = Campaign(
        ledger=ledger,
        databases=databases,
        start=start_agent,
        # Whoever is started again and again must not compile everything each time.
        environ=make_environ(ledger, databases, receivers) | {"PYTHONDONTWRITEBYTECODE": ""},
        dice=random.Random(6),  # noqa: S311  # as above
    )
    await campaign.run(seconds)
    await campaign.come_to_rest()

    rows, events = await campaign.list_rows(), await campaign.list_events()
    say_what_happened(campaign, rows, events, moods)
    check_signatures(receivers)
    check_that_nothing_is_missing(rows, events, moods)
    check_ids(rows, receivers)
    taken = sum(len(mood.taken) for mood in moods.values())
    twice = sum(mood.taken.total() - len(mood.taken) for mood in moods.values())
    assert twice <= campaign.kills * len(moods)  # one under way on each channel
    assert twice < taken * MOST_DUPLICATES or (taken < ENOUGH and twice <= campaign.kills)
    assert campaign.kills >= FEWEST_KILLS
    assert len(events) >= len(databases)


def make_environ(
    ledger: str, databases: list[str], receivers: Mapping[str, Receiver]
) -> dict[str, str]:
    watched = {
        f"ANCHORWATCH_DATABASES__DB{number}__URL": url for number, url in enumerate(databases)
    }
    hooks = {}
    for name, receiver in receivers.items():
        hooks[f"ANCHORWATCH_WEBHOOKS__{name.upper()}__URL"] = receiver.url
        hooks[f"ANCHORWATCH_WEBHOOKS__{name.upper()}__SECRET"] = SECRET
    return {
        **watched,
        **hooks,
        "ANCHORWATCH_STORE_URL": ledger,
        "ANCHORWATCH_DEFAULTS__INTERVAL": "2s",
        "ANCHORWATCH_DEFAULTS__MIN_INTERVAL": "100ms",
        "ANCHORWATCH_ALERTS__DRIFT__OPEN_LOOKS": "1",
        "ANCHORWATCH_ENVIRONMENT": "test",
    }


def check_signatures(receivers: Mapping[str, Receiver]) -> None:
    judge = Webhook(SECRET)
    for receiver in receivers.values():
        for headers, body in receiver.requests[-20:]:  # it refuses what is five minutes old
            judge.verify(body, {k.lower(): v for k, v in headers.items()})


def check_that_nothing_is_missing(
    rows: list[asyncpg.Record], events: list[asyncpg.Record], moods: Mapping[str, Moody]
) -> None:
    decided = {(event["incident"], event["version"]) for event in events}
    for channel, mood in moods.items():
        ours = [row for row in rows if row["channel"] == channel]
        assert sorted((row["incident"], row["version"]) for row in ours) == sorted(decided)
        assert {row["status"] for row in ours} <= {"delivered", "superseded"}
        delivered = {row["id"] for row in ours if row["status"] == "delivered"}
        assert delivered <= mood.taken.keys()
        check_last_words(ours, mood)


def check_last_words(rows: list[asyncpg.Record], mood: Moody) -> None:
    """What was passed over was followed by a newer word, or began and ended unsaid."""
    incidents: dict[str, list[asyncpg.Record]] = defaultdict(list)
    for row in rows:
        incidents[row["incident"]].append(row)
    for told in incidents.values():
        last = told[-1]
        was_said = any(row["id"] in mood.taken for row in told)
        assert last["kind"] in {"resolved", "flapping"}
        assert (last["status"] == "delivered") is was_said


def check_ids(rows: list[asyncpg.Record], receivers: Mapping[str, Receiver]) -> None:
    """One id is one event on one channel, however often it comes."""
    of = {row["id"]: (row["channel"], row["incident"]) for row in rows}
    for name, receiver in receivers.items():
        for headers, body in receiver.requests:
            message = json.loads(body)
            assert message["id"] == headers["webhook-id"]
            assert of[message["id"]] == (f"webhook:{name}", message["incident"])


def say_what_happened(
    campaign: Campaign,
    rows: list[asyncpg.Record],
    events: list[asyncpg.Record],
    moods: Mapping[str, Moody],
) -> None:
    taken = sum(len(mood.taken) for mood in moods.values())
    twice = sum(mood.taken.total() - len(mood.taken) for mood in moods.values())
    print(  # noqa: T201  # figures of a campaign
        f"{campaign.kills} kills, {campaign.changes} changes of"
        f" {len(campaign.databases)} databases,"
        f" {len(events)} events {dict(Counter(event['kind'] for event in events))},"
        f" rows {dict(Counter(row['status'] for row in rows))},"
        f" {sum(mood.refused for mood in moods.values())} refused at first,"
        f" {taken} messages taken, {twice} of them twice"
    )


@pytest.mark.timeout(300)  # beside other tests each start of an agent takes its time
async def test_two_agents_that_are_killed_at_random_tell_everything(
    make_database: MakeDatabase,
    start_agent: StartAgent,
    receivers: dict[str, Receiver],
) -> None:
    await check_chaos(make_database, start_agent, receivers, 20, FEW)


@pytest.mark.long
@pytest.mark.timeout(1200)
async def test_two_agents_that_are_killed_for_ten_minutes_tell_everything(
    make_database: MakeDatabase,
    start_agent: StartAgent,
    receivers: dict[str, Receiver],
) -> None:
    await check_chaos(make_database, start_agent, receivers, 600)
