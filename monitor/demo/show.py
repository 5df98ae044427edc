"""What happens in the demonstration, in order, and what is told about it in five lines."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from monitor.agent import run_agent
from monitor.cli.output import clean
from monitor.config.load import LoadedConfig, load_config
from monitor.core.errors import EngineError
from monitor.core.quoting import quote_ident
from monitor.demo.application.service import make_service
from monitor.demo.receiver import Receiver
from monitor.sources.dsn import parse_dsn
from monitor.sources.engine import Cluster, find_binaries, start_cluster
from monitor.sources.postgres import connect
from monitor.web.server import serve

INI: Final = Path(__file__).parent / "application" / "alembic.ini"
HEAD: Final = "f6c0ffee0006"
BEHIND: Final = "e5c0ffee0005"
REVISIONS: Final = {"local": HEAD, "staging": BEHIND, "production": HEAD}
"""The databases, and how far each is migrated."""

PLANTED: Final = (
    "ALTER TABLE assets ADD COLUMN hand_made_note text",
    "DROP INDEX ix_discovery_flows_account_name",
    "ALTER TABLE flow_events ADD CONSTRAINT ck_kind CHECK (kind <> '') NOT VALID",
)
HEALING: Final = (
    "ALTER TABLE assets DROP COLUMN hand_made_note",
    "CREATE INDEX ix_discovery_flows_account_name ON discovery_flows (client_account_id, name)",
    "ALTER TABLE flow_events DROP CONSTRAINT ck_kind",
)

SETTLE_SECONDS: Final = 6.0
"""Time to see the healthy page before anything is planted."""
HEAL_AFTER_SECONDS: Final = 30.0
"""Time to look at the page while production is drifted."""
MESSAGE_SECONDS: Final = 60.0
"""How long a message may take before the demonstration says that something is wrong."""

CONFIGURATION: Final = """
environment: demo
host: 127.0.0.1
store_url: sqlite:///{directory}/ledger.sqlite
defaults:
  interval: 2s
  expected: alembic:{ini}
webhooks:
  receiver: {{url: "http://127.0.0.1:{receiver}/"}}
databases:
{databases}
"""


async def play(*, port: int, stop: asyncio.Event) -> None:
    """Show everything, then go on watching until ``stop`` is set.

    Args:
        port: where the page is; 0 for a free port.
        stop: ends the demonstration; nothing is left behind.

    Raises:
        EngineError: there is no PostgreSQL server to show it on.
    """
    with tempfile.TemporaryDirectory(prefix="anchorwatch-demo-") as directory:
        async with _running_server() as cluster:
            _say("preparing three databases: local, staging, production ...")
            await _make_databases(cluster)
            receiver = Receiver(_print_message)
            async with asyncio.TaskGroup() as group:
                group.create_task(receiver.run(stop))
                service = asyncio.Event()
                group.create_task(_serve_application(cluster, stop, service))
                await receiver.wait_until_started()
                loaded = _configure(cluster, Path(directory), receiver.port, port)
                page: asyncio.Future[int] = asyncio.get_running_loop().create_future()
                group.create_task(run_agent(loaded, stop=stop, on_started=page.set_result))
                group.create_task(_narrate(cluster, receiver, page, stop))
    _say("everything was stopped and removed.")


@asynccontextmanager
async def _running_server() -> AsyncIterator[Cluster]:
    try:
        binaries = find_binaries()
    except EngineError as error:
        raise EngineError(
            "The demonstration needs a PostgreSQL server of its own.",
            next_step=error.next_step,
        ) from None
    cluster = await asyncio.to_thread(start_cluster, binaries, listen="loopback")
    try:
        yield cluster
    finally:
        await asyncio.to_thread(cluster.stop)


async def _make_databases(cluster: Cluster) -> None:
    dsn, _ = parse_dsn(cluster.url())
    async with connect(dsn) as session:
        for name in REVISIONS:
            await session.execute(f"CREATE DATABASE {quote_ident(name)}")
    await asyncio.gather(
        *(_upgrade(cluster.url(name), revision) for name, revision in REVISIONS.items())
    )


async def _upgrade(url: str, revision: str) -> None:
    """Migrate as a deployment does: `alembic upgrade`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "alembic", "-c", str(INI), "upgrade", revision),
        env=os.environ | {"DATABASE_URL": url},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    if process.returncode:
        last = errors.decode(errors="replace").strip().splitlines()[-1:]
        raise EngineError(
            f"The demonstration's own migrations failed: {' '.join(last)}.",
            next_step="Please report this.",
        )


async def _serve_application(cluster: Cluster, stop: asyncio.Event, ready: asyncio.Event) -> None:
    url = cluster.url("production").replace("postgresql://", "postgresql+asyncpg://", 1)
    service = make_service(url)
    async with service.router.lifespan_context(service):
        await serve(service, "127.0.0.1", 0, stop, on_started=lambda _: ready.set())


def _configure(cluster: Cluster, directory: Path, receiver: int, port: int) -> LoadedConfig:
    databases = "\n".join(
        f'  {name}: {{url: "{cluster.url(name)}", environment: {name}}}' for name in REVISIONS
    )
    document = CONFIGURATION.format(
        directory=directory, ini=INI, receiver=receiver, databases=databases
    )
    environ = {"ANCHORWATCH_CONFIG_YAML": document, "PORT": str(port)}
    return load_config(environ, cwd=directory)


async def _narrate(
    cluster: Cluster, receiver: Receiver, page: asyncio.Future[int], stop: asyncio.Event
) -> None:
    address = f"http://127.0.0.1:{await page}"
    _tell(1, f"Look at {address}/ and {address}/metrics: three databases, staging is one behind.")
    if await _pause(SETTLE_SECONDS, stop):
        return
    await _change(cluster, PLANTED)
    _tell(2, f"Planted by hand in production: {'; '.join(PLANTED)}.")
    if not await _await_message(receiver, "incident.opened", stop):
        return
    _tell(3, f"That was the message. The page says why: {address}/databases/production")
    _tell(
        4, f"To heal it: {'; '.join(HEALING)}. In {HEAL_AFTER_SECONDS:.0f} s it is done for you."
    )
    if await _pause(HEAL_AFTER_SECONDS, stop):
        return
    await _change(cluster, HEALING)
    if await _await_message(receiver, "incident.resolved", stop):
        _tell(5, f"Healed. Plant your own drift: psql '{cluster.url('production')}' (Ctrl-C ends)")


async def _change(cluster: Cluster, statements: Sequence[str]) -> None:
    dsn, _ = parse_dsn(cluster.url("production"))
    async with connect(dsn) as session:
        for statement in statements:
            await session.execute(statement)


async def _pause(seconds: float, stop: asyncio.Event) -> bool:
    """Whether it was stopped meanwhile."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return False
    return True


async def _await_message(receiver: Receiver, kind: str, stop: asyncio.Event) -> bool:
    """Whether a message of that kind came about production."""
    loop = asyncio.get_running_loop()
    until = loop.time() + MESSAGE_SECONDS
    while loop.time() < until:
        for message in receiver.messages:
            if message["type"] == kind and message["database"] == "production":
                return True
        if await _pause(0.2, stop):
            return False
    _say(f"no {kind} came within {MESSAGE_SECONDS:.0f} s; the page may say why.")
    return False


def _print_message(message: dict[str, Any]) -> None:
    print(f"\n   message  {clean(message['headline'])}")
    for finding in message["findings"]:
        print(f"            - {clean(finding['title'])}  [{finding['code']}]")
    print(f"            next: {clean(message['command'])}\n", flush=True)


def _tell(number: int, text: str) -> None:
    print(f"{number}. {text}", flush=True)


def _say(text: str) -> None:
    print(f"   {text}", flush=True)
