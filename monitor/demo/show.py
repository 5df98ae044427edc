"""What happens in the demonstration, in order, and what is told about it in five lines."""

import asyncio
import os
import secrets
import sys
import tempfile
import textwrap
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import msgspec

from monitor.agent.life import run_agent
from monitor.config.load import LoadedConfig, load_config
from monitor.core.errors import AnchorwatchError, EngineError
from monitor.core.masking import make_masker
from monitor.core.printing import clean
from monitor.core.quoting import quote_ident
from monitor.demo.application.service import make_service
from monitor.demo.receiver import Receiver
from monitor.sources.dsn import Dsn, parse_dsn, reveal
from monitor.sources.engine import Cluster, choose_strategy, find_binaries, start_cluster
from monitor.sources.http import open_client, read_address
from monitor.sources.postgres import connect
from monitor.web.server import open_socket, serve

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

WATCHER: Final = "anchorwatch"
"""The role that looks: it may connect and read the version table, and nothing else."""

WIDTH: Final = 96
"""Characters of a line of text; statements and addresses stand on lines of their own."""


HOST: Final = "127.0.0.1"
POLL_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long each act is, in seconds.

    Attributes:
        settle: to see the healthy page before anything is planted.
        heal: to look at the page while production is drifted.
        message: how long a message may take before something is said to be wrong.
        interval: between two looks at each database.
    """

    settle: float = 6.0
    heal: float = 30.0
    message: float = 60.0
    interval: float = 2.0


PACE: Final = Pace()

CONFIGURATION: Final = """
environment: demo
host: 127.0.0.1
store_url: sqlite:///{directory}/ledger.sqlite
defaults:
  interval: {interval:g}s
  expected: alembic:{ini}
webhooks:
  receiver: {{url: "http://127.0.0.1:{receiver}/"}}
databases:
{databases}
"""


async def play(*, port: int, stop: asyncio.Event, pace: Pace = PACE) -> None:
    """Show everything, then go on watching until ``stop`` is set.

    Args:
        port: where the page is; 0 for a free port.
        stop: ends the demonstration; nothing is left behind.
        pace: how long each act is.

    Raises:
        ConfigurationError: the port is taken.
        EngineError: there is no PostgreSQL server to show it on.
    """
    open_socket(HOST, port).close()  # before the long part begins
    _say("starting a PostgreSQL server; the first time takes some seconds ...")
    with tempfile.TemporaryDirectory(prefix="anchorwatch-demo-") as directory:
        async with _running_server() as cluster:
            _say("preparing three databases: local, staging, production ...")
            await _make_databases(cluster)
            try:
                await _perform(cluster, Path(directory), port=port, stop=stop, pace=pace)
            except* AnchorwatchError as group:
                raise _pick_first(group) from None
    _say("everything was stopped and removed.")


async def _perform(
    cluster: Cluster, directory: Path, *, port: int, stop: asyncio.Event, pace: Pace
) -> None:
    """All parts at once; they end together."""
    receiver = Receiver(_print_message)
    page: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        group.create_task(receiver.run(stop))
        group.create_task(_serve_application(cluster, stop))
        await receiver.wait_until_started()
        urls = await _make_watcher(cluster)
        loaded = _configure(urls, directory, receiver.port, port, pace)
        group.create_task(run_agent(loaded, stop=stop, on_started=page.set_result))
        narration = group.create_task(_narrate(cluster, receiver, page, stop, pace))
        await stop.wait()
        narration.cancel()


def _pick_first(group: BaseExceptionGroup[AnchorwatchError]) -> AnchorwatchError:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, AnchorwatchError)  # noqa: S101  # what the group holds
    return error


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
    async with connect(_read(cluster.url())) as session:
        strategy = choose_strategy(cluster.major)
        for name in REVISIONS:
            await session.execute(f"CREATE DATABASE {quote_ident(name)} {strategy}")
    await asyncio.gather(
        *(_upgrade(cluster.url(name), revision) for name, revision in REVISIONS.items())
    )


async def _make_watcher(cluster: Cluster) -> dict[str, str]:
    """The URL with which each database is watched, by its name."""
    password = secrets.token_urlsafe(24)
    async with connect(_read(cluster.url())) as session:
        await session.execute(f"CREATE ROLE {WATCHER} LOGIN PASSWORD '{password}'")
    for name in REVISIONS:
        async with connect(_read(cluster.url(name))) as session:
            await session.execute(f"GRANT SELECT ON alembic_version TO {WATCHER}")
    return {
        name: reveal(replace(_read(cluster.url(name)), user=WATCHER, password=password))
        for name in REVISIONS
    }


def _read(url: str) -> Dsn:
    return parse_dsn(url)[0]


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


async def _serve_application(cluster: Cluster, stop: asyncio.Event) -> None:
    url = cluster.url("production").replace("postgresql://", "postgresql+asyncpg://", 1)
    service = make_service(url)
    async with service.router.lifespan_context(service):
        await serve(service, HOST, 0, stop, masker=make_masker(()))


def _configure(
    urls: Mapping[str, str], directory: Path, receiver: int, port: int, pace: Pace
) -> LoadedConfig:
    databases = "\n".join(
        f'  {name}: {{url: "{url}", environment: {name}}}' for name, url in urls.items()
    )
    document = CONFIGURATION.format(
        directory=directory,
        ini=INI,
        receiver=receiver,
        interval=pace.interval,
        databases=databases,
    )
    environ = {"ANCHORWATCH_CONFIG_YAML": document, "PORT": str(port)}
    return load_config(environ, cwd=directory)


async def _narrate(
    cluster: Cluster,
    receiver: Receiver,
    page: asyncio.Future[int],
    stop: asyncio.Event,
    pace: Pace,
) -> None:
    """The five numbered lines, each when its time has come."""
    address = f"http://{HOST}:{await asyncio.shield(page)}"
    what = "Three databases are watched; staging is one revision behind. Look at"
    _tell(1, what, f"{address}/", f"{address}/metrics")
    if not await _await_looks(address, stop, pace) or await _pause(pace.settle, stop):
        return
    _tell(2, "Somebody changes production by hand:", *PLANTED)
    await _change(cluster, PLANTED)
    if not await _await_message(receiver, "incident.opened", stop, pace):
        return
    _tell(3, "That was the message. The page says why:", f"{address}/databases/production")
    _tell(4, f"This heals it, and is done for you in {pace.heal:g} s:", *HEALING)
    if await _pause(pace.heal, stop):
        return
    await _change(cluster, HEALING)
    if await _await_message(receiver, "incident.resolved", stop, pace):
        psql = f"psql '{cluster.url('production')}'"
        _tell(5, "Healed. Plant drift of your own, and see; Ctrl-C ends it:", psql)


async def _change(cluster: Cluster, statements: Sequence[str]) -> None:
    async with connect(_read(cluster.url("production"))) as session:
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


async def _await_looks(address: str, stop: asyncio.Event, pace: Pace) -> bool:
    """Whether every database was looked at; the first look builds what it is compared with."""
    place = read_address(f"{address}/api/databases")
    async with open_client() as client:
        for _ in range(round(pace.message / POLL_SECONDS)):
            answer = msgspec.json.decode((await client.get(place)).body)
            listed = answer.get("databases", [])
            if listed and all(database["last_look"] for database in listed):
                return True
            if await _pause(POLL_SECONDS, stop):
                return False
    _say(f"not every database was looked at within {pace.message:g} s; the page may say why.")
    return False


async def _await_message(receiver: Receiver, kind: str, stop: asyncio.Event, pace: Pace) -> bool:
    """Whether a message of that kind came about production."""
    for _ in range(round(pace.message / POLL_SECONDS)):
        for message in receiver.messages:
            if message["type"] == kind and message["database"] == "production":
                return True
        if await _pause(POLL_SECONDS, stop):
            return False
    _say(f"no {kind} came within {pace.message:g} s; the page may say why.")
    return False


def _print_message(message: dict[str, Any]) -> None:
    findings = [] if message["ended"] else message["findings"]
    lines = [f"- {finding['title']}  [{finding['code']}]" for finding in findings]
    offer = [f"If it is right as it is: {message['accept']}"] if message["accept"] else []
    _print_block("   message  ", [message["headline"], *lines, *offer])


def _tell(number: int, text: str, *lines: str) -> None:
    """One numbered line, and what belongs to it on lines of their own."""
    print(f"\n{number}. {text}", flush=True)
    for line in lines:
        print(f"      {line}", flush=True)


def _print_block(label: str, texts: Sequence[str]) -> None:
    print()
    indent = " " * len(label)
    for place, text in enumerate(texts):
        begin = label if not place else indent
        print(
            textwrap.fill(
                clean(text), WIDTH, initial_indent=begin, subsequent_indent=f"{indent}  "
            ),
            flush=True,
        )


def _say(text: str) -> None:
    print(f"   {text}", flush=True)
