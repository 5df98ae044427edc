import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from monitor.core.masking import make_masker
from monitor.web import connection
from monitor.web.server import serve

type Peer = tuple[asyncio.StreamReader, asyncio.StreamWriter]

SOON = 0.3


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """What was sent, or at /endless more than anybody reads."""
    if scope["path"] == "/endless":
        await StreamingResponse(pour())(scope, receive, send)
        return
    if scope["path"] == "/refused":
        await PlainTextResponse("", 413)(scope, receive, send)
        return
    if scope["path"] == "/slow":
        await asyncio.sleep(2 * SOON)
    body = await Request(scope, receive).body()
    await PlainTextResponse(f"{len(body)}")(scope, receive, send)


async def pour() -> AsyncIterator[bytes]:
    while True:
        yield b"x" * 65536
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def served() -> AsyncIterator[int]:
    stop, started = asyncio.Event(), asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(
        serve(answer, "127.0.0.1", 0, stop, masker=make_masker(()), on_started=started.set_result)
    )
    try:
        yield await started
    finally:
        stop.set()
        await serving


async def connect(port: int, text: str = "") -> Peer:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text.encode())
    await writer.drain()
    return reader, writer


async def is_closed(peer: Peer) -> bool:
    """Whether the server closes it, within some seconds, having said nothing."""
    reader, writer = peer
    try:
        async with asyncio.timeout(5):
            return await reader.read() == b""
    except ConnectionError:
        return True
    finally:
        await close(writer)


async def close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


HEAD = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"


@pytest.mark.parametrize("text", ["", "G", "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
async def test_a_request_that_does_not_come_is_not_waited_for(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", SOON)
    async with served() as port:
        assert await is_closed(await connect(port, text))


async def test_a_byte_now_and_then_buys_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", SOON)
    async with served() as port:
        peer = await connect(port, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        closing = asyncio.create_task(is_closed(peer))
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(5):
                while not closing.done():
                    peer[1].write(b"a")
                    await asyncio.sleep(SOON / 10)
        assert await closing


async def test_a_body_that_does_not_come_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "BODY_SECONDS", SOON)
    async with served() as port:
        assert await is_closed(await connect(port, HEAD + "12345"))


async def test_the_rest_of_a_body_that_was_refused_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", SOON)
    async with served() as port:
        reader, writer = await connect(port, HEAD.replace(" / ", " /refused ") + "12345")
        async with asyncio.timeout(5):
            assert (await reader.read()).startswith(b"HTTP/1.1 413")
        await close(writer)


async def test_an_answer_that_nobody_reads_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "STALL_SECONDS", SOON)
    async with served() as port:
        reader, writer = await connect(port, "GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.sleep(3 * SOON)
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(5):
                while await reader.read(2**20):
                    pass
        await close(writer)


async def test_an_answer_takes_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", SOON)
    monkeypatch.setattr(connection, "BODY_SECONDS", SOON)
    async with served() as port, httpx.AsyncClient(trust_env=False) as client:
        slow = await client.post(f"http://127.0.0.1:{port}/slow", content=b"12345")
        again = await client.get(f"http://127.0.0.1:{port}/")
    assert (slow.text, again.text) == ("5", "0")


async def test_where_there_are_too_many_the_slowest_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MAX_CONNECTIONS", 4)
    async with served() as port:
        held = [await connect(port, "GET / HT") for _ in range(4)]
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"http://127.0.0.1:{port}/")).text == "0"
        assert await is_closed(held[0])
        held[1][1].write(b"TP/1.1\r\nHost: x\r\n\r\n")
        assert (await held[1][0].readline()).startswith(b"HTTP/1.1 200")
        for _, writer in held[1:]:
            await close(writer)
