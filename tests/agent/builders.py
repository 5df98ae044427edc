"""A running agent, in this process, seen from outside."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from monitor.agent.life import run_agent
from monitor.config.load import LoadedConfig, load_config
from monitor.sources.http import open_client, read_address

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

    async def post(self, path: str, **body: str) -> tuple[int, str]:
        """Status and body of what is asked for; where it leads is not followed."""
        document = json.dumps(body).encode() if body else b""
        async with open_client() as client:
            place = read_address(f"http://127.0.0.1:{self.port}{path}")
            headers = {"Content-Type": "application/json"}
            answer = await client.post(place, document, headers=headers)
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

    async def wait_for_words(self, path: str, words: str) -> str:
        """One of its pages, once it says that."""
        async with asyncio.timeout(SECONDS):
            while words not in (body := (await self.get(path))[1]):  # noqa: ASYNC110  # as above
                await asyncio.sleep(0.05)
        return body

    async def count_looks(self, name: str) -> float:
        """How often it looked at a database, by its metrics."""
        _, body = await self.get(f"/metrics?database={name}")
        lines = [x for x in body.splitlines() if x.startswith("anchorwatch_checks_total{")]
        return float(lines[0].rpartition(" ")[2])

    async def wait_for_first_look(self, name: str) -> None:
        """Return after it has looked at a database."""
        async with asyncio.timeout(SECONDS):
            while not await self.count_looks(name):  # noqa: ASYNC110  # as above
                await asyncio.sleep(0.05)

    async def wait_for_looks(self, name: str, count: int, *, since: float | None = None) -> None:
        """Return after so many more looks at a database than now, or than there were."""
        wanted = (await self.count_looks(name) if since is None else since) + count
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
