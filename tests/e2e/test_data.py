"""Rows that lost their parents and an application that broke: told in a message each, healed."""

import json
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.e2e.conftest import APPLICATION, Receiver, StartAgent, wait_for

EXAMPLE = Path(__file__).parents[2] / "deploy" / "smoke.example.yaml"
FLOW = "99999999-2222-3333-4444-555555555555"
ACCOUNT = "11111111-2222-3333-4444-555555555555"
RELATION = "discovery_flows.flow_id -> crewai_flow_state_extensions.flow_id"
SERVE = textwrap.dedent(
    """
    import sys, uvicorn
    from monitor.demo.application.service import make_service
    uvicorn.run(make_service(sys.argv[1]), port=int(sys.argv[2]), log_level="warning")
    """
)


class Application:
    """The service of the demonstration, as a process that can be stopped and started."""

    def __init__(self, url: str) -> None:
        self._url = url.replace("postgresql://", "postgresql+asyncpg://", 1)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen([sys.executable, "-c", SERVE, self._url, str(self.port)])
        wait_for(self._is_listening, "the start of the application")

    def _is_listening(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=20)


@pytest.fixture
def application(production: str) -> Iterator[Application]:
    served = Application(production)
    served.start()
    yield served
    served.stop()


async def execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


async def read(url: str, sql: str) -> tuple[int, ...]:
    connection = await asyncpg.connect(url)
    try:
        (found,) = await connection.fetch(sql)
        return tuple(found)
    finally:
        await connection.close()


def repair(url: str, *options: str) -> str:
    """What the command says that repairs rows."""
    command = (sys.executable, "-m", "monitor", "orphans", "repair", url, "--repair-url", url)
    done = subprocess.run((*command, *options, "--apply"), capture_output=True, check=False)
    assert done.returncode == 0, done
    return done.stdout.decode()


def write_config(url: str, receiver: Receiver, application: Application) -> str:
    smoke = EXAMPLE.read_text("utf-8").partition("smoke:\n")[2]
    smoke = smoke.replace("every: 10m", "every: 500ms\n    failures: 2").replace(
        "database: app", "database: production"
    )
    # Nobody here promises to be quick.
    smoke = smoke.replace("time < 5s", "time < 50s").replace("time < 800ms", "time < 50s")
    smoke = smoke.replace("${APP_URL}", f"http://127.0.0.1:{application.port}")
    return f"""
environment: test
deploy_webhook_secret: deploy-secret-0123456789
post_deploy_delay: 100ms
databases:
  production:
    url: {url}
    expected: alembic:{APPLICATION}/alembic.ini
    interval: 1s
    orphans:
      every: 500ms
      validated_every: 0s
      relations:
        - relation: {RELATION}
webhooks:
  team: {{url: "{receiver.url}"}}
smoke:
{smoke}"""


ORPHAN = f"""
set session_replication_role = replica;
insert into client_accounts (id, name) values (gen_random_uuid(), 'planted');
insert into discovery_flows (flow_id, client_account_id, name)
  select '{FLOW}', id, 'planted' from client_accounts where name = 'planted';
insert into assets (flow_id, hostname) values ('{FLOW}', 'behind a cascade');
"""
PARENT = f"""
insert into crewai_flow_state_extensions (flow_id, client_account_id)
  select '{FLOW}', id from client_accounts where name = 'planted'
"""
PLANTED = (
    "select (select count(*) from discovery_flows where name = 'planted'), count(*) from assets"
)


async def test_orphans_and_a_broken_application_are_told_once_each_and_healed(
    production: str,
    application: Application,
    start_agent: StartAgent,
    receiver: Receiver,
) -> None:
    agent = start_agent(
        ANCHORWATCH_CONFIG_YAML=write_config(production, receiver, application),
        ACCOUNT_ID=ACCOUNT,
    )
    agent.wait_for_state("production", "in_sync")
    good = 'anchorwatch_smoke_success{database="production",suite="discovery-flow"} 1.0'
    wait_for(lambda: good in agent.get("/metrics")[1], "a run that passes")
    assert receiver.messages == []

    await execute(production, ORPHAN)
    wait_for(lambda: len(receiver.messages) == 1, "the message about the rows")
    application.stop()
    wait_for(lambda: len(receiver.messages) == 2, "the message about the application")
    rows, broken = receiver.messages
    assert [finding["code"] for finding in rows["findings"]] == ["AW303"]
    assert "1 row of public.discovery_flows has no row in" in rows["headline"]
    assert [finding["code"] for finding in broken["findings"]] == ["AW401"]
    assert "discovery-flow" in broken["headline"]
    assert agent.find_database("production")["state"] == "in_sync"

    assert await read(production, PLANTED) == (1, 1)
    said = repair(
        production, "--relation", RELATION, "--strategy", "quarantine", "--with-dependents"
    )
    assert "done, 2 rows" in said
    assert await read(production, PLANTED) == (0, 0)
    application.start()
    wait_for(lambda: len(receiver.messages) == 4, "both ends")
    assert receiver.list_types("production") == [
        *["incident.opened"] * 2,
        *["incident.resolved"] * 2,
    ]
    assert agent.post("/hooks/deploy/deploy-secret-0123456789", {"commit": "3f2a1c"}) == 202
    wait_for(lambda: len(receiver.messages) == 5, "the verdict")
    assert receiver.messages[-1]["headline"] == (
        "DEPLOYED production · 3f2a1c · f6c0ffee0006 · schema = alembic ✓ · 0 orphans ✓ · "
        "smoke 5/5 ✓"
    )
    assert agent.find_database("production")["state"] == "in_sync", "the quarantine is no drift"
    await execute(production, PARENT)
    assert "done, 2 rows" in repair(production, "--undo", "1")
    assert await read(production, PLANTED) == (1, 1)
    assert agent.stop() < 5
    said = agent.log + json.dumps(receiver.messages)
    assert ACCOUNT not in said
    assert "deploy-secret" not in said
