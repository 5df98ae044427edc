"""A deployment that is reported: everything is looked at, and one line is told."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from monitor.agent.parts import Agent
from monitor.core.deployment import Deployment, Phase
from monitor.core.quoting import quote_ident
from monitor.demo.receiver import Receiver
from monitor.sinks.store import open_store
from monitor.sources.engine import Cluster
from tests.agent.builders import Running, execute, load, running
from tests.conftest import MakeDatabase
from tests.sinks.builders import NOW, an_incident, sqlite_url
from tests.sources.peers import socket_url, weak_role

SECRET = "hook-0123456789-abcdef"  # noqa: S105  # a test
TABLES = """
create table alembic_version (version_num varchar(32) primary key);
insert into alembic_version values ('a1409');
create table users (id int primary key);
create table orders (id int primary key, user_id int);
"""
RELATION = "{relations: [{relation: 'orders.user_id -> users.id'}], every: 1h}"


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    stop = asyncio.Event()
    receiver = Receiver(lambda _: None)
    task = asyncio.create_task(receiver.run(stop))
    await receiver.wait_until_started()
    try:
        yield receiver
    finally:
        stop.set()
        await task


@asynccontextmanager
async def deploying(  # noqa: PLR0913  # what is configured, by name
    tmp_path: Path,
    receiver: Receiver,
    url: str,
    *,
    orphans: str = RELATION,
    delay: str = "200ms",
    more: str = "",
) -> AsyncIterator[Running]:
    databases = {"app": f'{{url: "{url}", interval: 1h, orphans: {orphans}{more}}}'}
    async with reporting(tmp_path, receiver, databases, delay=delay) as agent:
        yield agent


@asynccontextmanager
async def reporting(
    tmp_path: Path, receiver: Receiver, databases: Mapping[str, str], *, delay: str = "200ms"
) -> AsyncIterator[Running]:
    loaded = load(
        tmp_path,
        databases,
        ANCHORWATCH_RAILWAY_WEBHOOK_SECRET=SECRET,
        ANCHORWATCH_DEPLOY_WEBHOOK_SECRET=SECRET,
        ANCHORWATCH_POST_DEPLOY_DELAY=delay,
        ANCHORWATCH_WEBHOOKS__CHAT__URL=f"http://127.0.0.1:{receiver.port}/",
    )
    async with running(loaded) as agent:
        yield agent


async def wait_for_messages(receiver: Receiver, count: int) -> list[str]:
    async with asyncio.timeout(30):
        while len(receiver.messages) < count:  # noqa: ASYNC110  # seen from outside
            await asyncio.sleep(0.05)
    return [message["headline"] for message in receiver.messages]


async def test_one_line_is_told_and_everything_was_looked_at(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    url = await make_database(sql=TABLES)
    async with receiving() as receiver, deploying(tmp_path, receiver, url) as agent:
        await agent.wait_for(app="unchanged")
        await execute(url, "update alembic_version set version_num = 'b1cc7'")
        path, report = f"/hooks/deploy/{SECRET}", {"commit": "3f2a1c", "id": "1"}
        status, body = await agent.post(path, **report)
        assert (status, json.loads(body)["new"]) == (202, True)
        assert json.loads((await agent.post(path, **report))[1])["new"] is False
        [headline] = await wait_for_messages(receiver, 1)
        assert headline == (
            "DEPLOYED app · 3f2a1c · a1409 -> b1cc7 · schema = baseline ✓ · 0 orphans ✓"
        )
        [message] = receiver.messages
        assert (message["type"], message["severity"]) == ("deploy.verdict", "info")
        _, page = await agent.get("/metrics?database=app")
        assert "anchorwatch_deploy_timestamp_seconds" in page
        assert 'anchorwatch_checks_total{check="orphans",database="app"} 2.0' in page
        _, incidents = await agent.get("/api/incidents?state=all")
        assert "3f2a1c" in incidents
        await execute(url, "insert into orders values (1, 7)")
        await agent.post(path, commit="77aa", id="2")
        headlines = await wait_for_messages(receiver, 3)
        assert headlines[1].startswith("WARNING app (test): 1 row of public.orders has no row")
        assert "DEPLOYED, NOT RIGHT app · 77aa" in headlines[2]
        assert "1 orphan ✗" in headlines[2]


async def test_a_deployment_survives_the_agent_and_opens_a_window(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    url = await make_database(sql=TABLES)
    async with receiving() as receiver:
        async with deploying(tmp_path, receiver, url, delay="1h") as agent:
            await agent.wait_for(app="unchanged")
            await agent.post(f"/hooks/deploy/{SECRET}", commit="3f2a1c")
        assert receiver.messages == []
        async with deploying(tmp_path, receiver, url) as agent:
            [headline] = await wait_for_messages(receiver, 1)
            assert "3f2a1c" in headline
            _, body = await agent.get("/api/databases/app")
            assert json.loads(body)["window_until"] is not None
        async with deploying(tmp_path, receiver, url) as agent:
            await asyncio.sleep(1.5)
        assert len(receiver.messages) == 1


async def test_what_failed_is_noted_and_nobody_is_told(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    url = await make_database(sql=TABLES)
    async with receiving() as receiver, deploying(tmp_path, receiver, url) as agent:
        await agent.wait_for(app="unchanged")
        await agent.post(f"/hooks/railway/{SECRET}", type="Deployment.crashed")
        await agent.wait_for_words("/incidents", "the deployment failed")
        assert receiver.messages == []


async def test_what_is_deployed_elsewhere_concerns_nobody(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    url = await make_database(sql=TABLES)
    async with (
        receiving() as receiver,
        deploying(tmp_path, receiver, url, more=", services: [web]") as agent,
    ):
        for elsewhere in ({"environment": "staging"}, {"service": "billing"}):
            _, body = await agent.post(f"/hooks/deploy/{SECRET}", **elsewhere)
            assert json.loads(body) == {"format": 1, "deployment": None, "new": False}


FILLED = f"""{TABLES}
insert into users values (1);
insert into orders select n, case when n > 95 then 2 else 1 end from generate_series(1, 100) n;
analyze;
"""


async def test_what_is_counted_in_part_is_not_called_right(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    url = await make_database(sql=FILLED)
    orphans = "{relations: [{relation: 'orders.user_id -> users.id'}], chunk: 2, rows: 10}"
    async with (
        receiving() as receiver,
        deploying(tmp_path, receiver, url, orphans=orphans) as agent,
    ):
        await agent.wait_for(app="unchanged")
        await agent.post(f"/hooks/deploy/{SECRET}", commit="3f2a1c")
        [headline] = await wait_for_messages(receiver, 1)
    assert headline == (
        "DEPLOYED, NOT RIGHT app · 3f2a1c · a1409 · schema = baseline ✓ · orphans not counted ?"
    )


async def test_a_check_that_is_taken_out_of_the_configuration_is_over(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    url = await make_database(sql=FILLED)
    async with receiving() as receiver:
        async with deploying(tmp_path, receiver, url) as agent:
            await wait_for_messages(receiver, 1)
            _, body = await agent.get("/api/incidents")
            assert "AW303" in body
        async with deploying(tmp_path, receiver, url, orphans="{enabled: false}") as agent:
            await agent.wait_for_first_look("app")
            _, body = await agent.get("/api/incidents")
            assert json.loads(body)["incidents"] == []
            _, page = await agent.get("/metrics?database=app")
            assert "AW303" not in page
            await agent.post(f"/hooks/deploy/{SECRET}", commit="3f2a1c")
            headlines = await wait_for_messages(receiver, 2)
    assert headlines[1] == "DEPLOYED app · 3f2a1c · a1409 · schema = baseline ✓"


async def test_a_role_that_may_read_no_rows_is_told_nothing_of_them(
    make_database: MakeDatabase, tmp_path: Path, server: Cluster
) -> None:
    url = await make_database(
        sql=f"{TABLES} alter table orders add foreign key (user_id) references users"
    )
    async with weak_role(server, url) as role, receiving() as receiver:
        await execute(url, f"grant select on alembic_version to {quote_ident(role)}")
        place = socket_url(server, url, role)
        async with reporting(tmp_path, receiver, {"app": f"{{url: '{place}'}}"}) as agent:
            await agent.wait_for(app="unchanged")
            await agent.post(f"/hooks/deploy/{SECRET}", commit="3f2a1c")
            [headline] = await wait_for_messages(receiver, 1)
    assert headline == "DEPLOYED app · 3f2a1c · a1409 · schema = baseline ✓"


async def test_a_deployment_that_looks_long_holds_up_no_other(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    slow, fast = await make_database(sql=FILLED), await make_database(sql=FILLED)
    waiting = "{relation: 'orders.user_id -> users.id', where: 'pg_sleep(0.3) is not null'}"
    looked_at = f"orphans: {{relations: [{waiting}]}}"
    databases = {
        "slow": f'{{url: "{slow}", interval: 1h, services: [a], {looked_at}}}',
        "fast": f'{{url: "{fast}", interval: 1h, services: [b]}}',
    }
    async with receiving() as receiver, reporting(tmp_path, receiver, databases) as agent:
        await agent.wait_for(fast="unchanged", slow="unchanged")
        before = await agent.count_looks("slow")
        await agent.post(f"/hooks/deploy/{SECRET}", commit="first", service="a")
        # The second one is reported while the first one is being concluded.
        await agent.wait_for_looks("slow", 1, since=before)
        await agent.post(f"/hooks/deploy/{SECRET}", commit="second", service="b")
        [headline] = await wait_for_messages(receiver, 1)
    assert headline.startswith("DEPLOYED fast · second")


async def test_deployments_of_one_database_are_concluded_one_after_the_other(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    url = await make_database(sql=FILLED)
    waiting = "{relation: 'orders.user_id -> users.id', where: 'pg_sleep(0.01) is not null'}"
    orphans = f"{{relations: [{waiting}]}}"
    async with (
        receiving() as receiver,
        deploying(tmp_path, receiver, url, orphans=orphans) as agent,
    ):
        await agent.wait_for(app="unchanged")
        before = await agent.count_looks("app")
        await execute(url, "update alembic_version set version_num = 'b1cc7'")
        await agent.post(f"/hooks/deploy/{SECRET}", commit="first")
        await agent.wait_for_looks("app", 1, since=before)  # its check runs for a second
        await execute(url, "update alembic_version set version_num = 'c2dd8'")
        await agent.post(f"/hooks/deploy/{SECRET}", commit="second")
        told = [one for one in await wait_for_messages(receiver, 3) if "DEPLOYED" in one]
    assert "app · first · a1409 -> b1cc7 · " in told[0]
    assert "app · second · " in told[1]
    assert "-> c2dd8 · " in told[1]


async def test_a_deployment_is_left_to_the_agent_that_it_concerns(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    url = await make_database(sql=TABLES)
    ours, theirs = (
        {name: f'{{url: "{url}", interval: 1h, services: [{name}]}}'} for name in ("a", "b")
    )
    async with (
        receiving() as receiver,
        reporting(tmp_path, receiver, ours) as one,
        reporting(tmp_path, receiver, theirs) as other,
    ):
        await one.wait_for(a="unchanged")
        await other.wait_for(b="unchanged")
        for number in range(5):
            await one.post(f"/hooks/deploy/{SECRET}", commit=f"c{number}", service="a")
        headlines = await wait_for_messages(receiver, 5)
    assert [one.split(" · ")[1] for one in headlines] == ["c0", "c1", "c2", "c3", "c4"]


async def test_another_agent_shows_what_one_was_told(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    url = await make_database(sql=TABLES)
    databases = {"app": f'{{url: "{url}"}}'}
    async with (
        receiving() as receiver,
        reporting(tmp_path, receiver, databases, delay="1h") as one,
        reporting(tmp_path, receiver, databases, delay="1h") as other,
    ):
        await one.post(f"/hooks/deploy/{SECRET}", commit="3f2a1c")
        name = "anchorwatch_deploy_timestamp_seconds{"
        await other.wait_for_words("/metrics?database=app", name)


async def test_a_deployment_here_is_not_said_of_a_database_of_the_same_name_elsewhere(
    tmp_path: Path,
) -> None:
    """Agents that share a ledger deliver each other's words."""
    loaded = load(tmp_path, {"app": '{url: "postgresql://nobody@127.0.0.1:1/app"}'})
    async with open_store(sqlite_url(tmp_path / "ledger.db")) as store:
        agent = Agent(loaded, store=store, routes=[])
        assert await agent._deploys.take(Deployment(id="d1", at=NOW, phase=Phase.SUCCEEDED))
        found = [
            agent._find_deployment(an_incident(environment=environment))
            for environment in ("test", "staging")
        ]
    assert found == [NOW, None]
