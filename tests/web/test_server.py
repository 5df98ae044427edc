import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import PlainTextResponse, StreamingResponse
from structlog.testing import capture_logs

from monitor.core.errors import ConfigurationError
from monitor.core.masking import make_masker
from monitor.sinks.store import Store
from monitor.web.app import make_app
from monitor.web.server import is_loopback, open_socket, serve
from tests.web.builders import a_view

SECRET = "deploy-secret-0123456789"  # noqa: S105  # planted
HAS_IPV6 = socket.has_dualstack_ipv6()
needs_ipv6 = pytest.mark.skipif(not HAS_IPV6, reason="IPv6 is off on this machine")


@contextlib.asynccontextmanager
async def served(app: FastAPI, host: str | None = "127.0.0.1") -> AsyncIterator[int]:
    """The port of a server in this loop; it stops within three seconds."""
    stop, started = asyncio.Event(), asyncio.get_running_loop().create_future()
    masker = make_masker([SECRET])
    serving = asyncio.create_task(
        serve(app, host, 0, stop, masker=masker, on_started=started.set_result)
    )
    await asyncio.wait((serving, started), return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        await serving
    try:
        yield started.result()
    finally:
        begun = time.monotonic()
        stop.set()
        await serving
        assert time.monotonic() - begun < 3


async def fetch(address: str, port: int, path: str = "/livez") -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.get(f"http://{address}:{port}{path}")


@needs_ipv6
@pytest.mark.parametrize("host", [None, "::", "[::]"])
async def test_a_socket_for_everything_hears_both_families(store: Store, host: str | None) -> None:
    async with served(make_app(a_view(store)), host) as port:
        for address in ("127.0.0.1", "[::1]", "localhost"):
            assert (await fetch(address, port)).status_code == 200


async def test_without_ipv6_ipv4_is_heard(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)
    async with served(make_app(a_view(store)), None) as port:
        assert (await fetch("127.0.0.1", port)).status_code == 200


async def test_where_the_kernel_refuses_ipv6_ipv4_is_heard(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = socket.create_server

    def refuse(address: tuple[str, int], **options: object) -> socket.socket:
        if address[0] == "::":
            raise OSError(97, "Address family not supported by protocol")
        return create(address)

    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: True)
    monkeypatch.setattr(socket, "create_server", refuse)
    async with served(make_app(a_view(store)), None) as port:
        assert (await fetch("127.0.0.1", port)).status_code == 200


@needs_ipv6
async def test_a_host_that_is_named_is_the_only_one(store: Store) -> None:
    async with served(make_app(a_view(store)), "127.0.0.1") as port:
        with pytest.raises(httpx.ConnectError):
            await fetch("[::1]", port)
    async with served(make_app(a_view(store)), "::1") as port:
        assert (await fetch("[::1]", port)).status_code == 200
        with pytest.raises(httpx.ConnectError):
            await fetch("127.0.0.1", port)


@pytest.mark.parametrize("host", [None, "127.0.0.1"])
def test_a_taken_port_is_said_with_the_next_step(host: str | None) -> None:
    with open_socket(host, 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"port {port}.*in use") as caught:
            open_socket(host, port)
    assert "PORT" in caught.value.next_step


def test_a_host_that_does_not_exist_is_said() -> None:
    with pytest.raises(ConfigurationError, match=r"port 0 of nowhere\.invalid") as caught:
        open_socket("nowhere.invalid", 0)
    assert "ANCHORWATCH_HOST" in caught.value.next_step


@pytest.mark.parametrize("host", ["..watch..", f"{'a' * 64}.example", "\udcff"])
def test_a_host_that_can_be_no_name_is_said(host: str) -> None:
    with pytest.raises(ConfigurationError, match="no host name") as caught:
        open_socket(host, 0)
    assert "ANCHORWATCH_HOST" in caught.value.next_step
    assert caught.value.message.isprintable()


def test_an_address_of_another_machine_is_said_in_the_systems_words() -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_socket("192.0.2.77", 0)  # for documentation only: no machine has it
    assert caught.value.message.endswith("192.0.2.77: Cannot assign requested address.")
    assert "ANCHORWATCH_HOST" in caught.value.next_step


async def test_signals_stay_with_the_agent(store: Store) -> None:
    caught: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: caught.append(number))
    try:
        async with served(make_app(a_view(store))) as port:
            os.kill(os.getpid(), signal.SIGTERM)
            assert (await fetch("127.0.0.1", port)).status_code == 200
    finally:
        signal.signal(signal.SIGTERM, before)
    assert caught == [signal.SIGTERM]


def endless_app(is_sending: asyncio.Event) -> FastAPI:
    app = FastAPI()

    async def drip() -> AsyncIterator[bytes]:
        while True:
            yield b"drip"
            is_sending.set()
            await asyncio.Event().wait()

    @app.get("/drip")
    async def answer() -> StreamingResponse:
        return StreamingResponse(drip())

    return app


async def test_a_stop_waits_neither_for_silence_nor_for_endless_answers() -> None:
    is_sending = asyncio.Event()
    async with served(endless_app(is_sending)) as port:
        silent = await asyncio.open_connection("127.0.0.1", port)
        half = await asyncio.open_connection("127.0.0.1", port)
        half[1].write(b"GET /drip HTTP/1.1\r\nHost: x\r\n")
        endless = await asyncio.open_connection("127.0.0.1", port)
        endless[1].write(b"GET /drip HTTP/1.1\r\nHost: x\r\n\r\n")
        await is_sending.wait()
    for _, writer in (silent, half, endless):
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_an_answer_in_flight_is_finished_when_the_agent_stops() -> None:
    app, is_asked = FastAPI(), asyncio.Event()

    @app.get("/slow")
    async def slow() -> PlainTextResponse:
        is_asked.set()
        await asyncio.sleep(0.3)
        return PlainTextResponse("whole")

    async with served(app) as port:
        asking = asyncio.create_task(fetch("127.0.0.1", port, "/slow"))
        await is_asked.wait()
    assert (await asking).text == "whole"


async def test_a_cancelled_server_closes_its_socket(store: Store) -> None:
    started = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(
        serve(
            make_app(a_view(store)),
            "127.0.0.1",
            0,
            asyncio.Event(),
            masker=make_masker(()),
            on_started=started.set_result,
        )
    )
    port = await started
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    with pytest.raises(httpx.ConnectError):
        await fetch("127.0.0.1", port)


@pytest.fixture
def logs() -> Iterator[list[dict[str, object]]]:
    with capture_logs() as captured:
        yield captured  # type: ignore[misc]  # entries are mutable mappings


async def test_a_request_is_one_line_without_query_or_secret(
    store: Store, logs: list[dict[str, object]]
) -> None:
    async with served(make_app(a_view(store))) as port:
        await fetch("127.0.0.1", port, "/api/incidents?state=all&token=s3cret")
        await fetch("127.0.0.1", port, "/hooks/railway/s3cret")
        await fetch("127.0.0.1", port, f"/deploy/{SECRET}")
        await fetch("127.0.0.1", port, "/livez")
    lines = [entry for entry in logs if entry["event"] == "request answered"]
    assert [(line["path"], line["status"], line["log_level"]) for line in lines] == [
        ("/api/incidents", 200, "info"),
        ("/hooks/railway/***", 405, "info"),
        ("/deploy/***", 404, "info"),
        ("/livez", 200, "debug"),
    ]
    assert "s3cret" not in str(logs)


async def test_a_client_that_hangs_up_is_one_quiet_line(
    store: Store, logs: list[dict[str, object]], caplog: pytest.LogCaptureFixture
) -> None:
    async with served(make_app(a_view(store, deploy_secret=SECRET))) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"POST /hooks/deploy/{SECRET} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
        writer.write(f'{head}{{"id":'.encode())
        await writer.drain()
        await asyncio.sleep(0.2)
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0.3)
    assert [(line["path"], line["status"]) for line in logs] == [("/hooks/deploy/***", 499)]
    assert caplog.records == []


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (None, False),
        ("", False),
        ("0.0.0.0", False),  # noqa: S104  # only asked about
        ("::", False),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("::ffff:127.0.0.1", True),
        ("::ffff:10.0.0.1", False),
        ("localhost", True),
        ("LOCALHOST.", True),
        ("localhost.evil.example", False),
        ("10.0.0.1", False),
        ("watch.internal", False),
    ],
)
def test_only_this_machines_own_addresses_are_loopback(
    host: str | None, *, expected: bool
) -> None:
    assert is_loopback(host) is expected
