"""What tests of the door to PostgreSQL share: roles, proxies, conditions to wait for."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import asyncpg

from monitor.core.quoting import quote_ident
from monitor.sources.dsn import Dsn, Endpoint, parse_dsn
from monitor.sources.engine import Cluster
from monitor.sources.postgres import connect

type Admin = asyncpg.Connection[asyncpg.Record]

PLANTED = "pl4nted-s3cret"
SLEEP = "SELECT pg_sleep(60)::text"


def read(url: str) -> Dsn:
    return parse_dsn(url)[0]


@asynccontextmanager
async def administering(url: str) -> AsyncIterator[Admin]:
    """A plain connection for what the tests arrange and look up."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def weak_role(server: Cluster, database: str) -> AsyncIterator[str]:
    """A role without privileges and with a hostile name."""
    name = f'weak "{uuid.uuid4().hex[:8]}'
    quoted = quote_ident(name)
    async with administering(socket_url(server, database)) as owner:
        await owner.execute(f"CREATE ROLE {quoted} LOGIN PASSWORD '{PLANTED}'")
        yield name
        await owner.execute(f"DROP OWNED BY {quoted}")
        await owner.execute(f"DROP ROLE {quoted}")


def socket_url(server: Cluster, url: str, user: str | None = None) -> str:
    return server.socket_url(read(url).database, user)


async def run(url: str, sql: str) -> None:
    async with connect(read(url)) as session:
        await session.execute(sql)


async def until(check: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(10):
        while not await check():  # noqa: ASYNC110 -- what happens on the server sets no event of ours
            await asyncio.sleep(0.01)


async def kill_by_name(admin: Admin, name: str) -> None:
    """End a session while it sleeps, not between the messages that make it sleep."""

    async def kill() -> object:
        return await admin.fetchval(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = $1 AND wait_event = 'PgSleep'",
            name,
        )

    await until(kill)


@asynccontextmanager
async def stalling_proxy(dsn: Dsn) -> AsyncIterator[tuple[Dsn, asyncio.Event]]:
    """A peer between us and the server that falls silent when the event is set."""
    is_silent = asyncio.Event()
    pumps: set[asyncio.Task[None]] = set()
    writers: set[asyncio.StreamWriter] = set()

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65536):
                if not is_silent.is_set():
                    sink.write(data)
        sink.close()

    async def serve(near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, forth = await asyncio.open_connection(dsn.host, dsn.port)
        writers.update((back, forth))
        pumps.update(asyncio.create_task(pump(*it)) for it in ((near, forth), (far, back)))

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    try:
        yield replace(dsn, endpoints=(Endpoint(host="127.0.0.1", port=port),)), is_silent
    finally:
        listener.close()
        for task in pumps:
            task.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        for writer in writers:
            writer.transport.abort()


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
