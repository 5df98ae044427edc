"""Smoke suites on a schedule: told when they fail as often as they say, and when it is over."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from monitor.config.load import LoadedConfig
from monitor.demo.receiver import Receiver
from tests.agent.builders import Running, load, running
from tests.agent.test_deploys import SECRET, receiving, wait_for_messages
from tests.checks.smoke_peers import Exchange, Peer, peer
from tests.conftest import MakeDatabase

SUITES = """[
  {{"suite": "signup", "every": "100ms", "failures": 2, "successes": 2, "base_url": "{url}",
    "vars": {{"who": "t0p-s3cret"}},
    "steps": [
      {{"name": "ask", "get": "/ask?who={{{{ who }}}}", "expect": ["status == 200"]}},
      {{"name": "row", "sql": "select count(*) as n from users", "expect": ["rows[0].n == 0"]}}]}},
  {{"suite": "never", "every": "1h", "after_deploy": false, "base_url": "{url}", "database": "app",
    "steps": [{{"name": "other", "get": "/other", "expect": ["status == 200"]}}]}}]"""


class Application:
    """An HTTP application that may be broken."""

    is_broken = False

    async def serve(self, exchange: Exchange) -> None:
        await exchange.answer(b"{}", status=500 if self.is_broken else 200)


@asynccontextmanager
async def smoking(
    tmp_path: Path, receiver: Receiver, url: str, target: Peer
) -> AsyncIterator[Running]:
    suites = json.loads(SUITES.format(url=target.url))
    suites[0]["database"] = "app"
    async with running(load_suites(tmp_path, receiver, url, *suites)) as agent:
        yield agent


async def test_a_suite_that_fails_is_told_once_and_its_end_as_well(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    url = await make_database(sql="create table users (id int primary key)")
    application = Application()
    async with (
        receiving() as receiver,
        peer(application.serve) as target,
        smoking(tmp_path, receiver, url, target) as agent,
    ):
        await wait_until_asked(target, "GET /ask?who=t0p-s3cret", 2)
        assert receiver.messages == []
        _, page = await agent.get("/metrics?database=app")
        assert 'anchorwatch_smoke_success{database="app",suite="signup"} 1.0' in page
        assert 'anchorwatch_smoke_step_duration_seconds{database="app",step="row"' in page
        application.is_broken = True
        [headline] = await wait_for_messages(receiver, 1)
        assert headline.startswith('CRITICAL app (test): smoke suite signup fails at "ask": ')
        assert "500" in headline
        _, page = await agent.get("/metrics?database=app")
        assert 'anchorwatch_smoke_success{database="app",suite="signup"} 0.0' in page
        assert 'anchorwatch_smoke_failures_total{database="app",reason="assertion"' in page
        _, body = await agent.get("/api/databases/app")
        [finding] = json.loads(body)["findings"]
        assert (finding["code"], finding["class"]) == ("AW401", "smoke")
        application.is_broken = False
        headlines = await wait_for_messages(receiver, 2)
        assert headlines[1].startswith("RESOLVED app (test): the smoke tests pass again after")
        assert len(receiver.messages) == 2


async def test_a_deployment_is_judged_by_its_first_run(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    url = await make_database(sql="create table users (id int primary key)")
    application = Application()
    async with (
        receiving() as receiver,
        peer(application.serve) as target,
        smoking(tmp_path, receiver, url, target) as agent,
    ):
        await agent.wait_for(app="unchanged")
        await wait_until_asked(target, "GET /other")
        await agent.post(f"/hooks/deploy/{SECRET}", commit="3f2a1c")
        [headline] = await wait_for_messages(receiver, 1)
        assert headline == (
            "DEPLOYED app · 3f2a1c · schema = baseline ✓ · 0 orphans ✓ · smoke 2/2 ✓"
        )
        assert target.asked.count("GET /other") == 1, "no deployment asks for it"


def load_suites(
    tmp_path: Path, receiver: Receiver, url: str, *suites: dict[str, Any]
) -> LoadedConfig:
    smoke = f"\nsmoke: {json.dumps(suites)}" if suites else ""
    return load(
        tmp_path,
        {"app": f'{{url: "{url}", interval: 1h}}{smoke}'},
        ANCHORWATCH_DEPLOY_WEBHOOK_SECRET=SECRET,
        ANCHORWATCH_POST_DEPLOY_DELAY="100ms",
        ANCHORWATCH_WEBHOOKS__CHAT__URL=f"http://127.0.0.1:{receiver.port}/",
    )


def a_suite(target: Peer, name: str = "signup", **said: Any) -> dict[str, Any]:
    ask = {"name": "ask", "get": f"/{name}", "expect": ["status == 200"]}
    return {
        "suite": name,
        "base_url": target.url,
        "database": "app",
        "every": "1h",
        "failures": 1,
        "successes": 1,
        "steps": [ask],
    } | said


async def wait_until_asked(target: Peer, line: str, times: int = 1) -> None:
    async with asyncio.timeout(30):
        while target.asked.count(line) < times:  # noqa: ASYNC110  # from outside
            await asyncio.sleep(0.02)


async def test_a_suite_that_is_taken_out_of_the_configuration_is_over(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    url = await make_database(sql="create table users (id int primary key)")
    application = Application()
    application.is_broken = True
    async with receiving() as receiver, peer(application.serve) as target:
        async with running(load_suites(tmp_path, receiver, url, a_suite(target))):
            await wait_for_messages(receiver, 1)
        async with running(load_suites(tmp_path, receiver, url)) as agent:
            await agent.wait_for_first_look("app")
            _, body = await agent.get("/api/incidents")
            assert json.loads(body)["incidents"] == []
            await agent.post(f"/hooks/deploy/{SECRET}", commit="3f2a1c")
            headlines = await wait_for_messages(receiver, 2)
    assert headlines[1] == "DEPLOYED app · 3f2a1c · schema = baseline ✓ · 0 orphans ✓"


async def test_a_run_before_the_deployment_says_nothing_of_it(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    url = await make_database(sql="create table users (id int primary key)")
    async with receiving() as receiver, peer(Application().serve) as target:
        suite = a_suite(target, after_deploy=False)
        async with running(load_suites(tmp_path, receiver, url, suite)) as agent:
            await wait_until_asked(target, "GET /signup")
            await agent.wait_for_first_look("app")
            await agent.post(f"/hooks/deploy/{SECRET}", commit="3f2a1c")
            [headline] = await wait_for_messages(receiver, 1)
    assert headline == "DEPLOYED app · 3f2a1c · schema = baseline ✓ · 0 orphans ✓"


async def test_what_no_value_of_python_can_hold_is_an_answer_that_is_unknown(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    """A moment after the year 9999 is fine for PostgreSQL."""
    url = await make_database(
        sql="create table t (at timestamptz); insert into t values ('20000-01-01')"
    )
    step = {"name": "at", "sql": "select at from t", "expect": ["len(rows) == 1"]}
    async with receiving() as receiver, peer(Application().serve) as target:
        suite = a_suite(target, every="200ms", steps=[step])
        async with running(load_suites(tmp_path, receiver, url, suite)) as agent:
            [headline] = await wait_for_messages(receiver, 1)
            _, page = await agent.get("/metrics?database=app")
    assert "cannot be read here, as a date after 9999" in headline + json.dumps(receiver.messages)
    assert 'anchorwatch_smoke_success{database="app",suite="signup"} 1.0' not in page


async def test_each_run_is_counted_for_its_suite(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    """A slow one began before the quick ones, and ends after them."""

    async def serve(exchange: Exchange) -> None:
        await asyncio.sleep(1 if exchange.path == "/slow" else 0)
        await exchange.answer(b"{}")

    url = await make_database(sql="create table users (id int primary key)")
    async with receiving() as receiver, peer(serve) as target:
        suites = a_suite(target, "slow", every="1500ms"), a_suite(target, "quick", every="200ms")
        async with running(load_suites(tmp_path, receiver, url, *suites)) as agent:
            await wait_until_asked(target, "GET /slow", 3)
            _, page = await agent.get("/metrics?database=app")
    runs = 'anchorwatch_smoke_runs_total{database="app",suite="slow"}'
    [line] = [line for line in page.splitlines() if line.startswith(runs)]
    assert float(line.rpartition(" ")[2]) >= 2, page


async def test_an_agent_that_stops_cleans_up_what_a_suite_made(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    async def serve(exchange: Exchange) -> None:
        await asyncio.sleep(60 if exchange.path == "/slow" else 0)
        await exchange.answer(b'{"id": 5}')

    steps = [
        {"name": "make", "post": "/users", "capture": {"id": "body.id"}},
        {"name": "read", "get": "/slow"},
        {"name": "skipped", "get": "/never"},
        {"name": "clean up", "delete": "/users/{{ id }}", "always": True},
    ]
    url = await make_database(sql="create table users (id int primary key)")
    async with receiving() as receiver, peer(serve) as target:
        suite = a_suite(target, steps=steps)
        async with running(load_suites(tmp_path, receiver, url, suite)):
            await wait_until_asked(target, "GET /slow")
        assert target.asked == ["POST /users", "GET /slow", "DELETE /users/5"]
