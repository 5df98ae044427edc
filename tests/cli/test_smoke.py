"""`anchorwatch smoke run` against real servers: what it prints, writes and exits with."""

import asyncio
import base64
import json
import socket
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree as ET

import pytest
import uvicorn
from sqlalchemy.ext.asyncio import create_async_engine

from monitor.demo.application.models import Base
from monitor.demo.application.service import make_service
from tests.checks.smoke_peers import Exchange, peer
from tests.cli.conftest import PLANTED, RunCommand
from tests.conftest import MakeDatabase

EXAMPLE = Path(__file__).parents[2] / "deploy" / "smoke.example.yaml"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
async def application(make_database: MakeDatabase) -> AsyncIterator[tuple[str, str]]:
    """The demonstration's service on a database of its own: its URL, and the database's."""
    database = await make_database()
    driver = database.replace("postgresql://", "postgresql+asyncpg://")
    engine = create_async_engine(driver)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    await engine.dispose()
    config = uvicorn.Config(make_service(driver), log_config=None, lifespan="on")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        task = asyncio.create_task(server.serve(sockets=[listening]))
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", database
        server.should_exit = True
        await task


async def test_the_example_runs_against_the_application(
    run_inside: RunCommand, application: tuple[str, str]
) -> None:
    url, database = application
    account = str(uuid.uuid4())
    done = await run_inside(
        *(
            "smoke",
            "run",
            "discovery-flow",
            "--config",
            str(EXAMPLE),
            "--format",
            "json",
            "--curl",
        ),
        APP_URL=url,
        DATABASE_URL=database,
        ACCOUNT_ID=account,
    )
    assert done.code == 0, done
    (suite,) = done.document["suites"]
    assert (suite["name"], suite["status"]) == ("discovery-flow", "pass")
    assert [step["status"] for step in suite["steps"]] == ["pass"] * 5
    assert account not in done.out + done.err
    assert "-H 'X-Client-Account-ID: ***'" in suite["steps"][0]["curl"]
    assert suite["steps"][3]["curl"].split("'")[1].endswith("/flows/{{ flow_id }}")
    assert suite["steps"][2]["curl"] is None


CONFIG = """
databases: {app: {url: "postgresql://u@127.0.0.1:1/app"}}
smoke:
  - suite: good
    base_url: ${APP_URL}
    steps: [{name: look, get: /good}]
  - suite: bad
    base_url: ${APP_URL}
    secrets: {token: {env: SMOKE_TOKEN}}
    steps:
      - name: look
        get: /bad?t={{ token }}
        headers: {Authorization: "Bearer {{ token }}"}
        expect:
          - status == 200
          - body.id == 7
          - body.e == "hello"
      - {name: after, get: /good}
  - suite: slow
    base_url: ${APP_URL}
    steps: [{name: look, get: /good, warn: time < 0ms}]
  - suite: blind
    database: app
    steps: [{name: ask, sql: select 1}]
"""


@pytest.fixture
async def target(tmp_path: Path) -> AsyncIterator[str]:
    """An application that echoes what it should keep to itself, and the configuration."""

    async def serve(exchange: Exchange) -> None:
        token = exchange.headers.get("authorization", "").removeprefix("bearer ")
        forms = [token, quote(token), base64.b64encode(f"u:{token}".encode()).decode()]
        status = 200 if exchange.path == "/good" else 500
        body = json.dumps({"id": "7", "e": forms, "bell": "\x1b[31m"})
        await exchange.answer(body.encode(), status=status)

    (tmp_path / "anchorwatch.yaml").write_text(CONFIG)
    async with peer(serve) as app:
        yield app.url


async def test_a_failure_is_told_beside_the_value_and_without_the_secret(
    run_inside: RunCommand, target: str
) -> None:
    done = await run_inside("smoke", "run", "bad", "--curl", APP_URL=target, SMOKE_TOKEN=PLANTED)
    assert done.code == 1
    first, *lines = done.out.splitlines()
    assert first.startswith("bad: fail  (0/2 steps, ")
    assert lines[1:] == [
        "        status == 200, but it is 500.",
        '        body.id == 7, but it is "7", a string and not a number.',
        '        body.e == "hello", but it is ["***", "***", "dT***"], a list and not a string.',
        f"        curl -gsS -X GET '{target}/bad?t=***' -H 'Authorization: Bearer ***'",
        "  skip  after",
        "        An earlier step did not pass.",
        f"        curl -gsS -X GET {target}/good",
    ]
    assert base64.b64encode(PLANTED.encode()).decode()[:12] not in done.out


@pytest.mark.parametrize(
    ("suite", "code", "status"),
    [("good", 0, "pass"), ("slow", 0, "warn"), ("bad", 1, "fail"), ("blind", 3, "unknown")],
)
async def test_the_exit_code_says_how_it_went(
    run_inside: RunCommand, target: str, suite: str, code: int, status: str
) -> None:
    done = await run_inside(
        *("smoke", "run", suite, "--format", "json"), APP_URL=target, SMOKE_TOKEN=PLANTED
    )
    assert done.code == code, done
    (found,) = done.document["suites"]
    assert (found["name"], found["status"]) == (suite, status)
    assert "curl" not in found["steps"][0]


async def test_all_suites_are_one_document_and_one_file_of_junit(
    run_inside: RunCommand, target: str, tmp_path: Path
) -> None:
    done = await run_inside(
        *("smoke", "run", "--format", "json", "--junit", "out.xml"),
        APP_URL=target,
        SMOKE_TOKEN=PLANTED,
    )
    assert done.code == 1
    suites = done.document["suites"]
    assert [suite["status"] for suite in suites] == ["pass", "fail", "warn", "unknown"]
    text = (tmp_path / "out.xml").read_text("utf-8")
    assert PLANTED not in text
    root = ET.fromstring(text)  # noqa: S314  # our own
    counts = [
        tuple(suite.get(name) for name in ("name", "tests", "failures", "errors", "skipped"))
        for suite in root.iter("testsuite")
    ]
    assert counts == [
        ("good", "1", "0", "0", "0"),
        ("bad", "2", "1", "0", "1"),
        ("slow", "1", "0", "0", "0"),
        ("blind", "1", "0", "1", "0"),
    ]
    (failure,) = root.iter("failure")
    assert failure.get("type") == "assertion"
    assert failure.get("message") == "status == 200, but it is 500."
    (error,) = root.iter("error")
    assert error.get("type") == "database"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nope"], "No smoke suite 'nope' is configured."),
        (["good", "--junit", "no/such/out.xml"], "The file of --junit cannot be written"),
        (["good", "--config", "empty.yaml"], "No smoke suite is configured."),
    ],
)
async def test_what_cannot_be_run_is_exit_code_2(
    run_inside: RunCommand, target: str, tmp_path: Path, arguments: list[str], told: str
) -> None:
    (tmp_path / "empty.yaml").write_text("databases: {}\n")
    done = await run_inside("smoke", "run", *arguments, APP_URL=target, SMOKE_TOKEN=PLANTED)
    assert (done.code, done.out) == (2, ""), done
    assert told in done.err


async def test_a_remark_goes_to_standard_error(
    run_inside: RunCommand, target: str, tmp_path: Path
) -> None:
    (tmp_path / "anchorwatch.yaml").write_text(
        "smoke: [{suite: one, base_url: '${APP_URL}', steps: [{name: a, post: /good}]}]\n"
    )
    done = await run_inside("smoke", "run", "--format", "json", APP_URL=target)
    assert done.code == 0
    assert done.document["suites"][0]["status"] == "pass"
    assert done.err.startswith("smoke one: it changes data")


async def test_a_target_that_hangs_ends_in_time(run_command: RunCommand, tmp_path: Path) -> None:
    async with peer(_hang) as app:
        (tmp_path / "anchorwatch.yaml").write_text(
            f"smoke: [{{suite: one, steps: [{{name: a, get: '{app.url}/', timeout: 1s}}]}}]\n"
        )
        done = await run_command("smoke", "run", NO_PROXY="*")
    assert done.code == 1
    assert "took longer than its timeout of 1 s" in done.out


async def _hang(_: Exchange) -> None:
    await asyncio.sleep(60)
