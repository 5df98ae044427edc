"""`anchorwatch smoke run` against real servers: what it prints, writes and exits with."""

import asyncio
import socket
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvicorn
from sqlalchemy.ext.asyncio import create_async_engine

from monitor.demo.application.models import Base
from monitor.demo.application.service import make_service
from tests.cli.conftest import RunCommand
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
