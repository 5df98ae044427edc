"""Certificates made here: what they say of their end, and what of them is refused."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.checks.smoke import SmokeRunner
from monitor.core.smoke import Reason, StepOutcome, StepStatus
from tests.checks.smoke_peers import Exchange, certificate, make_suite, peer


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


def write_day(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y%m%d%H%M%SZ")


async def serve(exchange: Exchange) -> None:
    await exchange.answer(b"{}")


async def ask(folder: Path, begin: float, end: float, *expect: str, host: str) -> StepOutcome:
    days = (write_day(begin), write_day(end))
    with certificate(folder, days=days) as context:
        async with peer(serve, context, host) as app:
            step = {"name": "only", "get": "/", "expect": expect}
            outcome = await SmokeRunner().run(make_suite(step, base_url=app.url))
    return outcome.steps[0]


async def test_how_long_a_certificate_holds_can_be_expected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "root.crt"))
    lines = ("status == 200", "tls.expires_in > 9d", "tls.expires_in > 14d")
    outcome = await ask(tmp_path, -1, 10, *lines, host="localhost")
    assert outcome.messages == ("tls.expires_in > 14d, but it is 10.0d.",)
    assert outcome.code == 200
    assert outcome.certificate_ends is not None
    left = outcome.certificate_ends - datetime.now(UTC)
    assert timedelta(days=9, hours=23) < left <= timedelta(days=10)


@pytest.mark.parametrize(
    ("days", "host", "told"),
    [
        ((-9, -1), "localhost", "certificate has expired"),
        ((1, 9), "localhost", "not yet valid"),
        ((-1, 9), "127.0.0.1", "IP address mismatch"),
    ],
)
async def test_a_certificate_that_does_not_hold_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    days: tuple[float, float],
    host: str,
    told: str,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "root.crt"))
    outcome = await ask(tmp_path, *days, host=host)
    assert (outcome.status, outcome.reason) == (StepStatus.FAIL, Reason.TLS)
    assert (outcome.code, outcome.certificate_ends) == (0, None)
    assert told in outcome.messages[0]


async def test_a_stranger_s_certificate_is_refused(tmp_path: Path) -> None:
    outcome = await ask(tmp_path, -1, 9, host="localhost")
    assert outcome.reason is Reason.TLS
    assert "does not verify" in outcome.messages[0]


async def test_a_port_without_tls_is_told() -> None:
    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        suite = make_suite({"name": "only", "get": "/"}, base_url=url)
        (outcome,) = (await SmokeRunner().run(suite)).steps
    assert outcome.reason is Reason.TLS


async def test_without_tls_there_is_no_end() -> None:
    async with peer(serve) as app:
        step = {"name": "only", "get": "/", "expect": "tls.expires_in > 1d"}
        (outcome,) = (await SmokeRunner().run(make_suite(step, base_url=app.url))).steps
    assert outcome.messages == ("tls.expires_in > 1d, but the answer did not come over TLS.",)
