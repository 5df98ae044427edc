"""The door to the web: the only module that imports httpx.

One short exchange at a time, no redirects, no cookies of others, no more than so
many bytes, and an end to every wait. An address may be a secret as a whole (that of
a Slack webhook is): no error, no log and no repr shows more than scheme and host.
"""

import asyncio
import logging
import os
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Final, final
from urllib.parse import urlsplit

import anyio.lowlevel
import httpx

from monitor.core.errors import (
    ConfigurationError,
    Interrupted,
    TooSlow,
    Unreachable,
    Untrusted,
)
from monitor.sources.dsn import printable

CONNECT_SECONDS: Final = 5.0
"""A handshake takes three round trips: after this long nobody is there."""
IDLE_SECONDS: Final = 15.0
"""Between two pieces of an exchange; the Standard Webhooks advise 15 to 30 s."""
TOTAL_SECONDS: Final = 20.0
"""For the whole: a peer that sends a byte now and then would hold us for ever."""
BODY_BYTES: Final = 64 * 1024
"""What is kept of an answer: channels answer in a line."""
USER_AGENT: Final = f"anchorwatch/{version('anchorwatch')}"

_SCHEMES: Final = ("http", "https")
_HOST: Final = re.compile(r"[^\s%/?#@<>\"\\^`{|}]+")
_CHATTY: Final = ("httpx", "httpcore")


@dataclass(frozen=True, slots=True)
class Address:
    """Where to send; `str` and `repr` show scheme and host only."""

    url: str = field(repr=False)
    label: str

    def __str__(self) -> str:
        return self.label


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back.

    Attributes:
        label: who answered, as scheme and host.
        status: the code, 100 to 599.
        headers: with names in lower case; hostile text.
        body: at most the limit's bytes, as sent.
        is_cut: whether there was more.
        certificate_ends: when the certificate of the peer expires; None without TLS.
    """

    label: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    is_cut: bool = False
    certificate_ends: datetime | None = None


def read_address(text: str) -> Address:
    """The address that a URL stands for.

    Raises:
        ConfigurationError: it is no http or https URL; the text is not quoted.
    """
    try:
        parts = urlsplit(text.strip())
        parsed = httpx.URL(text.strip())
        port = parts.port
    except (ValueError, httpx.InvalidURL):
        raise _unreadable() from None
    if parts.scheme not in _SCHEMES or not _HOST.fullmatch(parts.hostname or ""):
        raise _unreadable()
    host = f"[{parsed.host}]" if ":" in parsed.host else parsed.host
    label = f"{parts.scheme}://{host}" + (f":{port}" if port else "")
    return Address(url=str(parsed), label=printable(label))


def _unreadable() -> ConfigurationError:
    return ConfigurationError(
        "An address is no http or https URL.",
        next_step="Write it as https://host/path, and percent-encode special characters.",
    )


@final
class Client:
    """Sends requests; see `open_client`."""

    def __init__(
        self, client: httpx.AsyncClient, *, total_seconds: float, body_bytes: int
    ) -> None:
        self._client = client
        self._total_seconds = total_seconds
        self._body_bytes = body_bytes

    async def post(
        self, address: Address, body: bytes, *, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send `body` once and return whatever the peer answered, 3xx and 5xx included.

        Raises:
            Unreachable: no connection was made: nothing was sent.
            TooSlow: no answer in time; the request may have arrived.
            Interrupted: the exchange broke off; the request may have arrived.
        """
        return await self.ask("POST", address, body, headers=headers)

    async def get(self, address: Address, *, headers: Mapping[str, str] | None = None) -> Answer:
        """Ask once; raises as `post` does."""
        return await self.ask("GET", address, None, headers=headers)

    async def ask(
        self,
        method: str,
        address: Address,
        body: bytes | None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send any method once.

        Raises:
            Untrusted: the certificate of the peer does not verify: nothing was sent.
            LookError: as `post` does.
        """
        # Causes are left out: an exception of httpx holds the request and its address.
        try:
            async with asyncio.timeout(self._total_seconds):
                return await self._exchange(method, address, body, headers)
        except (
            httpx.ConnectError,
            httpx.ConnectTimeout,
            httpx.PoolTimeout,
            httpx.ProxyError,
        ) as error:
            raise _explain_connecting(error, address) from None
        except (httpx.TimeoutException, TimeoutError):
            raise TooSlow(
                f"{address} did not answer in time.",
                next_step="Look at the load of the receiver.",
            ) from None
        except httpx.HTTPError:
            raise Interrupted(
                f"The exchange with {address} broke off.",
                next_step="Check that it speaks HTTP, and whether it was restarted.",
            ) from None

    async def _exchange(
        self, method: str, address: Address, body: bytes | None, headers: Mapping[str, str] | None
    ) -> Answer:
        # As bytes: httpx would refuse a text that is not ASCII.
        sent = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        async with self._client.stream(
            method, address.url, content=body, headers=sent
        ) as response:
            ends = _find_end(response)
            kept, is_cut = await _read(response, self._body_bytes)
        return Answer(
            label=address.label,
            status=response.status_code,
            headers=dict(response.headers),
            body=kept,
            is_cut=is_cut,
            certificate_ends=ends,
        )


def _explain_connecting(error: Exception, address: Address) -> Unreachable:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Untrusted(
            f"The certificate of {address} does not verify: {printable(cause.verify_message)}.",
            next_step="Renew it, or name its root in SSL_CERT_FILE.",
        )
    if cause is not None:
        return Untrusted(
            f"TLS with {address} failed.",
            next_step="Check that the port speaks TLS, and which versions.",
        )
    return Unreachable(
        f"No connection to {address} could be made.",
        next_step="Check the address, the network and the certificate.",
    )


def _find_end(response: httpx.Response) -> datetime | None:
    """When the certificate of the peer expires."""
    stream = response.extensions.get("network_stream")
    session = stream.get_extra_info("ssl_object") if stream is not None else None
    certificate = session.getpeercert() if session is not None else None
    text = (certificate or {}).get("notAfter")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC) if text else None


async def _read(response: httpx.Response, limit: int) -> tuple[bytes, bool]:
    kept = bytearray()
    # As sent: unpacking what a peer compressed could fill the memory.
    async for piece in response.aiter_raw():
        kept += piece
        if len(kept) > limit:
            return bytes(kept[:limit]), True
    return bytes(kept), False


@asynccontextmanager
async def open_client(
    *,
    connect_seconds: float = CONNECT_SECONDS,
    idle_seconds: float = IDLE_SECONDS,
    total_seconds: float = TOTAL_SECONDS,
    body_bytes: int = BODY_BYTES,
    headers: Mapping[str, str] | None = None,
) -> AsyncIterator[Client]:
    """A client for as long as the agent runs; certificates are verified.

    `headers` go with every request. A proxy named by HTTPS_PROXY is used, as every program does.

    Raises:
        ConfigurationError: the roots that SSL_CERT_FILE names cannot be read, or a proxy that
            is named cannot be used.
    """
    # httpx loads what it waits with when the first request is sent, which may be measured.
    await anyio.lowlevel.checkpoint()
    for name in _CHATTY:
        # At INFO, httpx logs every address whole: those of webhooks are secrets.
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        opened = httpx.AsyncClient(
            timeout=httpx.Timeout(idle_seconds, connect=connect_seconds),
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **(headers or {})},
            follow_redirects=False,
            verify=_load_roots(*_name_roots()),
        )
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        raise ConfigurationError(
            "The proxy that HTTPS_PROXY, HTTP_PROXY or ALL_PROXY names cannot be used: "
            "its address is none, or of another kind.",
            next_step="Write it as http://host:port; NO_PROXY names what is reached without it.",
        ) from error
    async with opened as client:
        yield Client(client, total_seconds=total_seconds, body_bytes=body_bytes)


def _name_roots() -> tuple[object, ...]:
    """What says whose certificates are trusted, and which state of it."""
    file = os.environ.get("SSL_CERT_FILE")
    with suppress(OSError):
        if file:  # roots are renewed in their place
            state = Path(file).stat()
            return file, state.st_mtime_ns, state.st_ino
    return file, os.environ.get("SSL_CERT_DIR")


@lru_cache(maxsize=1)
def _load_roots(*named: object) -> ssl.SSLContext:
    """Whose certificates are trusted: read once, as it takes as long as some requests do."""
    del named  # another name is another set of roots
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        raise ConfigurationError(
            f"The roots that SSL_CERT_FILE names cannot be read: {printable(str(error))}.",
            next_step="Let it name a file of certificates in PEM, or remove it.",
        ) from error
