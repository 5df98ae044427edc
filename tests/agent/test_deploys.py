"""A deployment that is reported: everything is looked at, and one line is told."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from monitor.demo.receiver import Receiver
from tests.agent.builders import Running, execute, load, running
from tests.conftest import MakeDatabase

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
async def deploying(
    tmp_path: Path, receiver: Receiver, url: str, *, delay: str = "200ms", more: str = ""
) -> AsyncIterator[Running]:
    databases = {"app": f'{{url: "{url}", interval: 1h, orphans: {RELATION}{more}}}'}
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
        async with asyncio.timeout(30):
            while "the deployment failed" not in (await agent.get("/incidents"))[1]:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
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
            assert json.loads(body)["new"] is False
