"""Targets of smoke tests that are real servers: decent ones, rude ones, and such with TLS."""

import asyncio
import contextlib
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from monitor.config.smoke import SuiteSettings
from monitor.core.smoke import Suite

type Serve = Callable[["Exchange"], Awaitable[None]]


@dataclass
class Exchange:
    """One request, and the way to answer it with whatever bytes."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    writer: asyncio.StreamWriter

    async def answer(
        self, body: bytes = b"", *, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        lines = {"Content-Length": str(len(body)), "Connection": "close", **(headers or {})}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.writer.write(f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + body)
        await self.writer.drain()


@dataclass
class Peer:
    """A server on this machine."""

    url: str
    seen: list[Exchange] = field(default_factory=list)

    @property
    def asked(self) -> list[str]:
        return [f"{one.method} {one.path}" for one in self.seen]


async def read_exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Exchange:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    size = int(headers.get("content-length", 0))
    return Exchange(method, path, headers, await reader.readexactly(size), writer)


@contextlib.asynccontextmanager
async def peer(
    serve: Serve, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Peer]:
    """A server that does with each request what `serve` does."""
    handlers: list[asyncio.Task[object]] = []
    found = Peer("")

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.append(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                exchange = await read_exchange(reader, writer)
                found.seen.append(exchange)
                await serve(exchange)
                writer.close()
                await writer.wait_closed()
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    found.url = f"{'https' if tls else 'http'}://{host}:{port}"
    try:
        yield found
    finally:
        server.close()
        for task in handlers:
            task.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)


def make_suite(*steps: Mapping[str, object], **settings: object) -> Suite:
    """A suite from what stands in the configuration; data as JSON text, as it is read."""
    whole = {"suite": "trial", "steps": list(steps), **settings}
    return SuiteSettings.model_validate(whole).make_suite()


@contextlib.contextmanager
def certificate(folder: Path, *, days: tuple[str, str]) -> Iterator[ssl.SSLContext]:
    """The context of a server on `localhost` whose certificate holds from one day to another.

    Args:
        folder: where files are written, `root.crt` for SSL_CERT_FILE among them.
        days: as `openssl x509 -not_before` takes them, `20200101000000Z`.
    """
    run_openssl(
        *(folder, "req", "-new", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "30"),
        *("-subj", "/CN=root", "-keyout", "root.key", "-out", "root.crt"),
        *("-addext", "keyUsage=critical,keyCertSign"),
    )
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    run_openssl(
        *(folder, "req", "-new", "-nodes", "-newkey", "rsa:2048", "-subj", "/CN=localhost"),
        *("-keyout", "server.key", "-out", "server.csr"),
    )
    sign(folder, *days)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    yield context


def sign(folder: Path, begin: str, end: str) -> None:
    """By `openssl ca`: of older versions it is the only one that takes days of the past."""
    (folder / "index.txt").write_text("")
    (folder / "ca.cnf").write_text(
        "[ca]\ndefault_ca=x\n[x]\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes\n"
        "default_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n"
    )
    run_openssl(
        *(folder, "ca", "-batch", "-config", "ca.cnf", "-in", "server.csr", "-out", "server.crt"),
        *("-cert", "root.crt", "-keyfile", "root.key", "-extfile", "names"),
        *("-startdate", begin, "-enddate", end, "-notext"),
    )


def run_openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(("openssl", *arguments), cwd=folder, check=True, capture_output=True)
