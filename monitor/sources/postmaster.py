"""The server process of a cluster: configured, started, waited for and stopped."""

import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from monitor.core.errors import EngineError
from monitor.sources.account import Account, give, run_as, spawn_as
from monitor.sources.binaries import Binaries
from monitor.sources.cluster_lease import POLL_SECONDS
from monitor.sources.cluster_template import SETTINGS_FILE, SUPERUSER
from monitor.sources.engine_cache import last_line

type Listen = Literal["socket", "loopback"]

LOOPBACK = "127.0.0.1"
SOCKET_PORT = 54320  # names the socket's file and nothing else
PORT_TRIES = 5  # a free port may be taken between asking and binding

START_SECONDS = 60  # 0.2 s on a quiet machine; a data directory left by a crash recovers first
FAST_SECONDS = 10  # a fast shutdown rolls back and writes one checkpoint
IMMEDIATE_SECONDS = 5  # an immediate one waits for nothing
KILL_SECONDS = 5  # after SIGKILL only the kernel has to act
PASSWORD_SECONDS = 30  # single-user mode starts, runs one statement and stops

BASE_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "autovacuum": "off",
        "fsync": "off",
        "full_page_writes": "off",
        "jit": "off",
        "log_timezone": "UTC",
        "max_connections": "100",
        "max_wal_size": "1GB",
        "shared_buffers": "16MB",
        "synchronous_commit": "off",
        "timezone": "UTC",
        "unix_socket_permissions": "0700",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a server is started with.

    Attributes:
        binaries: programs within the account's reach.
        account: whom the server runs as.
        data: the data directory, which the account owns.
        sockets: the directory of the socket, which the account owns.
        log: the file that takes what the server says; ours.
    """

    binaries: Binaries
    account: Account
    data: Path
    sockets: Path
    log: Path


def write_settings(place: Place, settings: Mapping[str, str]) -> None:
    """Write the parameters where ALTER SYSTEM still overrides them."""
    lines = (
        f"{name} = {_quoted(value)}\n" for name, value in {**BASE_SETTINGS, **settings}.items()
    )
    path = place.data / SETTINGS_FILE
    path.unlink(missing_ok=True)
    with path.open("x", encoding="utf-8") as file:  # never through a link: the account owns data
        file.writelines(lines)
    give(path, place.account)


def _quoted(value: str) -> str:
    """Quote a parameter's value as postgresql.conf reads it.

    Source: https://www.postgresql.org/docs/current/config-setting.html
    """
    return "'" + value.replace("\\", "\\\\").replace("'", "''").replace("\n", "\\n") + "'"


def set_password(place: Place, password: str) -> None:
    """Set the superuser's password before anybody can connect, in single-user mode.

    Raises:
        EngineError: the server does not start; says what it said.
    """
    program = str(place.binaries.bin / "postgres")
    done = run_as(
        place.account,
        (program, "--single", "-D", str(place.data), "postgres"),
        environment=place.binaries.environment(),
        text=f"ALTER ROLE {SUPERUSER} PASSWORD '{password}'\n",
        timeout_seconds=PASSWORD_SECONDS,
    )
    if done.returncode != 0:
        raise _not_started(place, last_line(done.stderr))


def serve(
    place: Place, listen: Listen, port: int | None, undo: ExitStack
) -> tuple[subprocess.Popen[bytes], int]:
    """Start the server and return it with the port that it was given.

    Whatever happens later, `undo` stops it.

    Raises:
        EngineError: the server does not start; says what it said.
    """
    complaint = ""
    for _ in range(PORT_TRIES):
        bound = port or (_free_port() if listen == "loopback" else SOCKET_PORT)
        said_before = place.log.stat().st_size if place.log.exists() else 0
        process = _spawn(place, listen, bound)
        undo.callback(_halt, process)
        if _is_ready(process, place.data):
            return process, bound
        complaint = place.log.read_bytes()[said_before:].decode(errors="replace")
        if port is not None or "Address already in use" not in complaint:
            break
    raise _not_started(place, " ".join(complaint.split("\n")[-3:]).strip())


def _spawn(place: Place, listen: Listen, port: int) -> subprocess.Popen[bytes]:
    sockets = '"' + str(place.sockets).replace('"', '""') + '"'  # the parameter is a list
    options = {
        "port": str(port),
        "listen_addresses": LOOPBACK if listen == "loopback" else "",
        "unix_socket_directories": sockets,
    }
    command = [str(place.binaries.bin / "postgres"), "-D", str(place.data)]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    with place.log.open("ab") as log:
        return spawn_as(
            place.account,
            command,
            environment=place.binaries.environment(),
            directory=place.data,
            log=log,
        )


def _is_ready(process: subprocess.Popen[bytes], data: Path) -> bool:
    """Wait until the server accepts connections; False when it ended or took too long.

    As pg_ctl does, by the eighth line of postmaster.pid (src/include/utils/pidfile.h).
    """
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            lines = (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            lines = []
        # The file of a server that crashed here earlier names another process.
        if len(lines) > 7 and lines[0] == str(process.pid) and lines[7].strip() == "ready":  # noqa: PLR2004 -- the line's number
            return True
        time.sleep(POLL_SECONDS)
    return False


def _halt(process: subprocess.Popen[bytes]) -> None:
    """Stop the server: fast, then at once, then by force.

    Source: https://www.postgresql.org/docs/current/server-shutdown.html
    """
    for sent, patience in (
        (signal.SIGINT, FAST_SECONDS),
        (signal.SIGQUIT, IMMEDIATE_SECONDS),
        (signal.SIGKILL, KILL_SECONDS),
    ):
        process.send_signal(sent)  # nothing happens when it has ended already
        try:
            process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            continue
        return


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _not_started(place: Place, said: str) -> EngineError:
    return EngineError(
        f"PostgreSQL {place.binaries.major} did not start: {said or '(it said nothing)'}",
        next_step="Run `anchorwatch doctor`, or name a server: `--shadow URL`.",
    )
