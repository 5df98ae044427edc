"""What the door to the web promises, with real peers."""

import asyncio
import contextlib
import gzip
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import certifi
import httpx
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from monitor.core.errors import ConfigurationError, Interrupted, TooSlow, Unreachable
from monitor.sources import http
from monitor.sources.http import USER_AGENT, Client, open_client, read_address

PLACE = "T000/B000/hunter2"
type Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with open_client(connect_seconds=1, idle_seconds=0.3, total_seconds=0.6) as opened:
        yield opened


@contextlib.asynccontextmanager
async def peer(serve: Serve) -> AsyncIterator[str]:
    """A peer of a few bytes, which does what no decent server would."""
    handlers: list[asyncio.Task[object]] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.append(task)
        with contextlib.suppress(ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            await serve(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await asyncio.gather(*handlers)


async def test_a_request_arrives_as_it_was_given(client: Client, httpserver: HTTPServer) -> None:
    seen: list[Request] = []

    def answer(request: Request) -> Response:
        seen.append(request)
        return Response("taken", status=202, headers={"X-Word": "ok"})

    httpserver.expect_request("/hook", method="POST").respond_with_handler(answer)
    address = read_address(httpserver.url_for("/hook"))
    result = await client.post(address, b"body", headers={"X-Mine": "1"})
    assert (result.status, result.body, result.is_cut) == (202, b"taken", False)
    assert result.headers["x-word"] == "ok"
    assert result.label == f"http://localhost:{httpserver.port}"
    (request,) = seen
    assert request.headers["User-Agent"] == USER_AGENT
    assert request.headers["X-Mine"] == "1"
    assert request.get_data() == b"body"


async def test_a_page_is_read(client: Client, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/x", method="GET").respond_with_data("hello")
    assert (await client.get(read_address(httpserver.url_for("/x")))).body == b"hello"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_any_method_can_be_asked_with(httpserver: HTTPServer, method: str) -> None:
    httpserver.expect_request("/x", method=method).respond_with_data("done")
    address = read_address(httpserver.url_for("/x"))
    async with open_client(headers={"X-Run": "7"}) as client:
        answer = await client.ask(method, address, b"{}", headers={"X-Text": "é"})
    assert (answer.body, answer.certificate_ends) == (b"done", None)
    request = httpserver.log[0][0]
    assert (request.headers["X-Run"], request.get_data()) == ("7", b"{}")
    assert request.headers["X-Text"].encode("latin-1").decode() == "é"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_answered_and_not_followed(
    client: Client, httpserver: HTTPServer, status: int
) -> None:
    httpserver.expect_request("/a").respond_with_data(
        "", status=status, headers={"Location": httpserver.url_for("/b")}
    )
    result = await client.post(read_address(httpserver.url_for("/a")), b"secret")
    assert result.status == status
    assert [request.path for request, _ in httpserver.log] == ["/a"]


async def test_a_body_is_cut_at_the_limit(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/x").respond_with_data("a" * 1001)
    for limit, is_cut in ((1000, True), (1001, False)):
        async with open_client(body_bytes=limit) as client:
            result = await client.get(read_address(httpserver.url_for("/x")))
        assert (len(result.body), result.is_cut) == (limit, is_cut)


async def test_a_compressed_body_is_not_unpacked(client: Client, httpserver: HTTPServer) -> None:
    bomb = gzip.compress(bytes(30_000_000))
    httpserver.expect_request("/x").respond_with_data(bomb, headers={"Content-Encoding": "gzip"})
    result = await client.get(read_address(httpserver.url_for("/x")))
    assert result.body == bomb
    assert httpserver.log[0][0].headers["Accept-Encoding"] == "identity"


async def test_nobody_there_is_unreachable(client: Client) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/{PLACE}"
        with pytest.raises(Unreachable) as caught:
            await client.post(read_address(url), b"")
    assert_is_clean(caught.value)


async def test_a_name_that_does_not_resolve_is_unreachable(client: Client) -> None:
    with pytest.raises(Unreachable) as caught:
        await client.post(read_address(f"https://nowhere.invalid/{PLACE}"), b"")
    assert_is_clean(caught.value)


async def test_no_answer_is_too_slow(client: Client) -> None:
    async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with peer(hang) as url:
        with pytest.raises(TooSlow) as caught:
            await client.post(read_address(f"{url}/{PLACE}"), b"x")
    assert_is_clean(caught.value)


async def test_an_answer_that_drips_is_too_slow(client: Client) -> None:
    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            writer.write(b".")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with peer(drip) as url:
        with pytest.raises(TooSlow) as caught:
            await client.get(read_address(f"{url}/{PLACE}"))
    assert_is_clean(caught.value)


@pytest.mark.parametrize(
    "said", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"]
)
async def test_an_exchange_that_breaks_off_is_told(client: Client, said: bytes) -> None:
    async def mumble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await writer.drain()

    async with peer(mumble) as url:
        with pytest.raises(Interrupted) as caught:
            await client.get(read_address(f"{url}/{PLACE}"))
    assert_is_clean(caught.value)


async def test_addresses_stay_out_of_the_log(
    httpserver: HTTPServer, caplog: pytest.LogCaptureFixture
) -> None:
    httpserver.expect_request(f"/{PLACE}").respond_with_data("ok")
    with caplog.at_level(logging.DEBUG):
        async with open_client() as client:
            address = read_address(httpserver.url_for(f"/{PLACE}"))
            assert (await client.post(address, b"")).status == 200
    ours = [it.getMessage() for it in caplog.records if it.name != "werkzeug"]
    assert not [line for line in ours if "hunter2" in line]
    assert "hunter2" not in f"{address} {address!r}"


@pytest.mark.parametrize(
    ("url", "label"),
    [
        ("https://hooks.slack.com/services/T0/B0/x", "https://hooks.slack.com"),
        (" http://me:hunter2@example.com:8080/x?y=hunter2#z ", "http://example.com:8080"),
        ("https://[::1]:9/x", "https://[::1]:9"),
        ("HTTPS://Example.COM/x", "https://example.com"),
    ],
)
def test_an_address_is_known_by_scheme_and_host(url: str, label: str) -> None:
    assert str(read_address(url)) == label


@pytest.mark.parametrize(
    "text",
    [
        *("", "hunter2", "ftp://hunter2/x", "https://", "https:///hunter2", "http://[hunter2"),
        *("//h/x", "http://h:hunter2/", "http://h:99999/hunter2", "https://a b/hunter2"),
        *("http://h/\x00hunter2", "https://%68unter2/"),
    ],
)
def test_what_is_no_address_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_address(text)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def assert_is_clean(error: BaseException) -> None:
    assert "hunter2" not in str(error)
    assert error.__cause__ is None
    assert error.__suppress_context__


async def test_the_roots_are_read_once_for_all_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """That takes tens of milliseconds, in which an agent does nothing else."""
    read: list[ssl.SSLContext] = []

    def load() -> ssl.SSLContext:
        read.append(create())
        return read[-1]

    create = httpx.create_ssl_context
    monkeypatch.setattr(httpx, "create_ssl_context", load)
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    http._load_roots.cache_clear()
    for _ in range(3):
        async with open_client():
            pass
    assert len(read) == 1
    monkeypatch.delenv("SSL_CERT_FILE")
    async with open_client():
        pass
    assert len(read) == 2


@pytest.mark.parametrize("text", [None, "no certificate"])
async def test_roots_that_cannot_be_read_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    if text is not None:
        (tmp_path / "roots.pem").write_text(text)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "roots.pem"))
    with pytest.raises(ConfigurationError, match="SSL_CERT_FILE names cannot be read"):
        async with open_client():
            pass


async def test_roots_that_are_renewed_in_their_place_are_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = tmp_path / "roots.pem"
    roots.write_text(certifi.contents())
    monkeypatch.setenv("SSL_CERT_FILE", str(roots))
    before = http._load_roots(*http._name_roots())
    first, end, _ = certifi.contents().partition("-----END CERTIFICATE-----\n")
    roots.write_text(first + end)
    after = http._load_roots(*http._name_roots())
    assert len(after.get_ca_certs()) == 1 < len(before.get_ca_certs())


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "http://[::1", "http://x:y"])
async def test_a_proxy_that_cannot_be_used_is_told(
    monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(ConfigurationError, match="HTTPS_PROXY") as caught:
        async with open_client():
            pass
    assert proxy not in str(caught.value)
