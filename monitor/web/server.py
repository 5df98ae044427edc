"""uvicorn in our own loop, on sockets of our own.

asyncio makes a socket on ``::`` deaf to IPv4, and private networks are IPv4,
IPv6 or both: so without a host we open one socket for both, and fall back to
IPv4 where the machine has no IPv6.
"""

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import Callable, Iterator
from typing import Final

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from monitor.core.errors import ConfigurationError
from monitor.core.loopback import is_loopback_host
from monitor.core.masking import Masker
from monitor.sources.dsn import printable
from monitor.web.access import AccessLog
from monitor.web.connection import Connection
from monitor.web.events import STOPPING

STOP_SECONDS: Final = 2
"""How long answers that are being sent may take when the agent stops; whole
seconds, for uvicorn. With its own pauses a stop ends within three."""

_OTHER_PORT: Final = "Choose another with PORT, or end the program that holds it."
_OTHER_ADDRESS: Final = (
    "Set ANCHORWATCH_HOST to an address of this machine, or leave it out to listen on all of them."
)
_NO_IPV6: Final = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT})


async def serve(  # noqa: PLR0913  # what it needs of the process, by name
    app: ASGIApp,
    host: str | None,
    port: int,
    stop: asyncio.Event,
    *,
    masker: Masker,
    on_started: Callable[[int], None] = lambda _port: None,
) -> None:
    """Answer requests until ``stop`` is set; open connections end within three seconds.

    Args:
        app: the application.
        host: the address or name to listen on, exactly; None for every
            address of the machine, IPv6 and IPv4.
        port: 0 lets the system choose.
        stop: ends the server.
        masker: hides the secrets of this process in the log.
        on_started: told the port when requests are answered.

    Raises:
        ConfigurationError: the address cannot be listened on.
    """
    listener = open_socket(host, port)
    logged = AccessLog(_Foresight(app, stop), masker)
    server = _Server(logged, on_started=lambda: on_started(listener.getsockname()[1]))
    with contextlib.closing(listener):
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            server.should_exit = True
            await serving
            server.abort_connections()


class _Foresight:
    """Lets answers that have no end of their own see the agent's."""

    def __init__(self, app: ASGIApp, stop: asyncio.Event) -> None:
        self._app = app
        self._stop = stop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app({**scope, STOPPING: self._stop}, receive, send)


class _Server(uvicorn.Server):
    """Leaves signals to the agent, and tells when it has started."""

    def __init__(self, app: ASGIApp, *, on_started: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=Connection,
                ws="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=STOP_SECONDS,
            )
        )
        self._on_started = on_started

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The agent has its own handlers; uvicorn's would hide the signal from it."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._on_started()

    def abort_connections(self) -> None:
        """Close what a slow reader still holds open."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def open_socket(host: str | None, port: int) -> socket.socket:
    """A listening socket on ``host``, or for IPv6 and IPv4 alike.

    Raises:
        ConfigurationError: the address cannot be listened on.
    """
    try:
        return _open_everywhere(port) if host is None else _open_exactly(host, port)
    except ValueError as error:  # before anybody was asked for the address
        raise ConfigurationError(
            f"The web server cannot listen on {printable(host or '')}, which is no host name.",
            next_step=_OTHER_ADDRESS,
        ) from error
    except OSError as error:
        place = f"port {port}" if host is None else f"port {port} of {printable(host)}"
        is_address = isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL
        raise ConfigurationError(
            f"The web server cannot listen on {place}: {_tell(error)}.",
            next_step=_OTHER_ADDRESS if is_address else _OTHER_PORT,
        ) from error


def _tell(error: OSError) -> str:
    """The system's words alone: the library adds what it was doing, in its own."""
    if isinstance(error, socket.gaierror) or error.errno is None:
        return str(error.strerror or error)
    return os.strerror(error.errno)


def _open_everywhere(port: int) -> socket.socket:
    if socket.has_dualstack_ipv6():
        try:
            return socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
        except OSError as error:
            if error.errno not in _NO_IPV6:
                raise
    return socket.create_server(("0.0.0.0", port))  # noqa: S104  # beyond loopback a token is needed


def _open_exactly(host: str, port: int) -> socket.socket:
    found = socket.getaddrinfo(
        host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    family, _, _, _, address = found[0]
    is_everything = address[0] == "::"
    return socket.create_server(address, family=family, dualstack_ipv6=is_everything)


def is_loopback(host: str | None) -> bool:
    """Whether a server on ``host`` can be reached from this machine only."""
    return host is not None and is_loopback_host(host)
