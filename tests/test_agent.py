"""The running agent, in this process: what it shows, survives and leaves alone."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from monitor.agent.life import run_agent
from monitor.config.load import LoadedConfig, load_config
from monitor.core.errors import ConfigurationError, StoreError
from monitor.sinks.backend import Backend
from monitor.sources.http import open_client, read_address
from tests.conftest import MakeDatabase
from tests.sources.shadow_peers import write_history

SECONDS = 30.0
TABLES = "CREATE TABLE users (id int PRIMARY KEY); CREATE TABLE orders (id int)"


class Running:
    """An agent that runs, seen from outside."""

    def __init__(self, port: int, stop: asyncio.Event) -> None:
        self.port = port
        self.stop = stop

    async def get(self, path: str) -> tuple[int, str]:
        """Status and body of one of its pages."""
        async with open_client() as client:
            answer = await client.get(read_address(f"http://127.0.0.1:{self.port}{path}"))
        return answer.status, answer.body.decode()

    async def list_states(self) -> dict[str, str]:
        """The state of every database."""
        _, body = await self.get("/api/databases")
        return {one["name"]: one["state"] for one in json.loads(body)["databases"]}

    async def find(self, name: str) -> dict[str, Any]:
        """What the API says of one database."""
        _, body = await self.get("/api/databases")
        return next(one for one in json.loads(body)["databases"] if one["name"] == name)

    async def wait_for(self, **states: str) -> None:
        """Return when these databases are in these states."""
        async with asyncio.timeout(SECONDS):
            while not states.items() <= (await self.list_states()).items():  # noqa: ASYNC110  # seen from outside
                await asyncio.sleep(0.05)

    async def count_looks(self, name: str) -> float:
        """How often it looked at a database, by its metrics."""
        _, body = await self.get(f"/metrics?database={name}")
        lines = [x for x in body.splitlines() if x.startswith("anchorwatch_checks_total{")]
        return float(lines[0].rpartition(" ")[2])

    async def wait_for_looks(self, name: str, count: int) -> None:
        """Return after so many more looks at a database."""
        wanted = await self.count_looks(name) + count
        async with asyncio.timeout(SECONDS):
            while await self.count_looks(name) < wanted:  # noqa: ASYNC110  # as above
                await asyncio.sleep(0.05)


def load(tmp_path: Path, databases: Mapping[str, str], **environ: str) -> LoadedConfig:
    """A configuration; each database is what stands after its name in YAML."""
    lines = "".join(f"\n  {name}: {text}" for name, text in databases.items())
    document = (
        f"host: 127.0.0.1\nenvironment: test\nstore_url: sqlite:///{tmp_path}/ledger.db\n"
        f"defaults: {{interval: 200ms, min_interval: 0s}}\ndatabases: {lines or '{}'}\n"
    )
    environ = {"ANCHORWATCH_CONFIG_YAML": document, "PORT": "0"} | environ
    return load_config(environ, cwd=tmp_path, may_be_empty=True)


@asynccontextmanager
async def running(loaded: LoadedConfig) -> AsyncIterator[Running]:
    stop = asyncio.Event()
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(run_agent(loaded, stop=stop, on_started=port.set_result))
    await asyncio.wait((task, port), return_when=asyncio.FIRST_COMPLETED)
    try:
        yield Running(port.result(), stop)
    finally:
        stop.set()
        async with asyncio.timeout(SECONDS):
            await task


async def execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


@asynccontextmanager
async def black_hole() -> AsyncIterator[str]:
    """The URL of a peer that takes connections and never says a word."""
    waiting = asyncio.Event()

    async def ignore(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await waiting.wait()
        writer.close()

    listener = await asyncio.start_server(ignore, "127.0.0.1", 0)
    try:
        yield f"postgresql://user:pw@127.0.0.1:{listener.sockets[0].getsockname()[1]}/app"
    finally:
        waiting.set()
        listener.close()


async def test_one_bad_entry_never_stops_the_others(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    databases = {
        "good": f'{{url: "{await make_database(sql=TABLES)}"}}',
        "gone": '{url: "postgresql://u:p@127.0.0.1:1/x"}',
        "unset": '{url: "${NOBODY_SET_THIS}"}',
        "odd": '{url: "postgresql://u:p@127.0.0.1:1/x", colour: blue}',
        "lost": f'{{url: "{await make_database(sql=TABLES)}", expected: "alembic:no/where.ini"}}',
    }
    async with running(load(tmp_path, databases)) as agent:
        await agent.wait_for(good="unchanged", gone="unreachable", lost="unknown")
        assert (await agent.list_states())["unset"] == "unknown"
        assert (await agent.get("/readyz"))[0] == 200
        assert "anchorwatch_config_last_reload_successful 0.0" in (await agent.get("/metrics"))[1]


async def test_a_restart_shows_what_is_remembered_before_the_first_look(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    url = await make_database(sql=TABLES)
    async with running(load(tmp_path, {"app": f'{{url: "{url}"}}'})) as agent:
        await agent.wait_for(app="unchanged")
        await execute(url, "DROP TABLE orders")
        await agent.wait_for(app="drifted")
        await agent.wait_for_looks("app", 3)
    async with (
        black_hole() as silent,
        running(load(tmp_path, {"app": f'{{url: "{silent}"}}'})) as agent,
    ):
        found = await agent.find("app")
        assert found["state"] == "drifted"
        assert found["differences"] == 1
        assert await agent.count_looks("app") == 0
        _, page = await agent.get("/metrics")
        assert 'anchorwatch_database_state{database="app",state="drifted"} 1.0' in page
        assert 'anchorwatch_incidents_open{database="app",severity="critical"} 1.0' in page


async def test_a_database_that_left_the_configuration_is_forgotten(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    text = f'{{url: "{await make_database(sql=TABLES)}"}}'
    async with running(load(tmp_path, {"old": text, "new": text})) as agent:
        await agent.wait_for(old="unchanged", new="unchanged")
    async with running(load(tmp_path, {"new": text})) as agent:
        assert (await agent.list_states()).keys() == {"new"}
        assert 'database="old"' not in (await agent.get("/metrics"))[1]


async def test_a_database_of_that_name_elsewhere_lends_it_no_state(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    url = await make_database(sql=TABLES)
    async with running(load(tmp_path, {"app": f'{{url: "{url}"}}'})) as agent:
        await agent.wait_for(app="unchanged")
    async with black_hole() as silent:
        text = f'{{url: "{silent}", environment: elsewhere}}'
        async with running(load(tmp_path, {"app": text})) as agent:
            _, page = await agent.get("/metrics")
            assert "anchorwatch_database_state{" not in page


async def test_the_end_comes_within_five_seconds_whatever_hangs(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    loop = asyncio.get_running_loop()
    async with black_hole() as silent:
        databases = {f"hole{number}": f'{{url: "{silent}"}}' for number in range(5)}
        databases["good"] = f'{{url: "{await make_database(sql=TABLES)}"}}'
        async with running(load(tmp_path, databases)) as agent:
            await agent.wait_for(good="unchanged")
            begun = loop.time()
            agent.stop.set()
        assert loop.time() - begun < 5


async def test_a_database_that_may_not_be_woken_is_looked_at_once(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    url = await make_database(sql=TABLES)
    databases = {"awake": f'{{url: "{url}"}}', "asleep": f'{{url: "{url}", wake: false}}'}
    async with running(load(tmp_path, databases)) as agent:
        await agent.wait_for(awake="unchanged", asleep="unchanged")
        await agent.wait_for_looks("awake", 3)
        assert await agent.count_looks("asleep") == 1
        assert not (await agent.find("asleep"))["overdue"]
        _, page = await agent.get("/metrics?database=asleep")
        assert "anchorwatch_check_interval_seconds" not in page


async def test_a_ledger_that_fails_decides_nothing_and_the_next_look_decides(
    make_database: MakeDatabase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = await make_database(sql=TABLES)
    async with running(load(tmp_path, {"app": f'{{url: "{url}"}}'})) as agent:
        await agent.wait_for(app="unchanged")
        writing, is_broken = Backend.writing, asyncio.Event()
        failed = 0

        def fail(self: Backend) -> Any:
            nonlocal failed
            if is_broken.is_set():
                failed += 1
                raise StoreError("The disk is full.", next_step="Make room.")
            return writing(self)

        monkeypatch.setattr(Backend, "writing", fail)
        is_broken.set()
        await execute(url, "DROP TABLE orders")
        async with asyncio.timeout(SECONDS):
            while failed < 3:  # noqa: ASYNC110  # looks that fail tell nobody
                await asyncio.sleep(0.05)
        assert (await agent.list_states())["app"] == "unchanged"
        is_broken.clear()
        await agent.wait_for(app="drifted")
    assert "nothing was decided" in capsys.readouterr().out


async def test_the_last_snapshot_is_served(make_database: MakeDatabase, tmp_path: Path) -> None:
    url = await make_database(sql=TABLES)
    async with running(load(tmp_path, {"app": f'{{url: "{url}"}}'})) as agent:
        await agent.wait_for(app="unchanged")
        status, body = await agent.get("/api/databases/app/snapshot")
    assert status == 200
    assert {"users", "orders"} <= {item["name"] for item in json.loads(body)["objects"]}


async def test_an_alembic_history_is_what_a_database_should_be(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    ini = write_history(tmp_path / "app", 'op.execute("create table t (a int)")', "pass")
    url = await make_database(
        sql="CREATE TABLE t (a int); CREATE TABLE alembic_version (version_num varchar(32)"
        " PRIMARY KEY); INSERT INTO alembic_version VALUES ('r1')"
    )
    databases = {"app": f'{{url: "{url}", expected: "alembic:{ini}", shadow_url: "{url}"}}'}
    async with running(load(tmp_path, databases)) as agent:
        await agent.wait_for(app="pending")
        assert (await agent.find("app"))["expected"] == "r2"


async def test_a_port_that_is_taken_is_an_error_in_one_sentence(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    async with running(load(tmp_path, {})) as agent:
        with pytest.raises(ConfigurationError, match="cannot listen"):
            async with running(load(tmp_path, {}, PORT=str(agent.port))):
                pytest.fail("It started.")


async def test_a_ledger_that_cannot_be_opened_is_an_error_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_text("This is no database, and never was one." * 100)
    with pytest.raises(StoreError, match="no SQLite database"):
        async with running(load(tmp_path, {})):
            pytest.fail("It started.")
