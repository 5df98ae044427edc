"""An embedded PostgreSQL server: found, started, addressed, stopped, swept.

This is the door to `binaries`, `installer` and `cluster_lease`. Everything
here blocks; asynchronous callers use `asyncio.to_thread`. A cluster lives in
a directory of its own:

    anchorwatch-pg-XXXXXXXX/
        lease         whose it is (monitor/sources/cluster_lease.py)
        data/         the data directory
        run/          the socket, for its owner alone
        server.log    what the server says

Durability is off: what is kept here can be made again.
"""

import secrets
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from monitor.core.errors import EngineError
from monitor.sources.account import Account, can_traverse, give, server_account
from monitor.sources.binaries import (
    SUPPORTED_MAJORS,
    Binaries,
    advise_server,
    find_binaries,
    installed_majors,
)
from monitor.sources.cluster_lease import (
    DATA,
    stop_leftover,
    sweep_clusters,
    take_lease,
    take_scratch,
)
from monitor.sources.cluster_template import SUPERUSER, copy_template
from monitor.sources.engine_cache import engine_trouble
from monitor.sources.installer import install_binaries
from monitor.sources.postmaster import LOOPBACK, Listen, Place, serve, set_password, write_settings
from monitor.sources.reach import within_reach

__all__ = [
    "SUPPORTED_MAJORS",
    "Binaries",
    "Cluster",
    "Listen",
    "advise_server",
    "choose_strategy",
    "find_binaries",
    "install_binaries",
    "installed_majors",
    "running_cluster",
    "start_cluster",
    "sweep_clusters",
]

_HAS_STRATEGIES = 15  # the major since which CREATE DATABASE may be told how to copy
SOCKET_PATH_BYTES = 100  # sun_path holds 108 on Linux, 104 on macOS
NO_SETTINGS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A running server of our own.

    Attributes:
        binaries: the programs it runs.
        port: the TCP port when it listens on loopback; part of the socket's name always.
        socket_dir: the directory of its socket, which only the server's account and root enter.
        data_dir: its data directory.
        log: the file with what it says.
        superuser: the role that owns everything.
    """

    binaries: Binaries
    port: int
    socket_dir: Path
    data_dir: Path
    log: Path
    superuser: str = SUPERUSER
    _password: str | None = field(repr=False)
    _process: subprocess.Popen[bytes] = field(repr=False)
    _undo: ExitStack = field(repr=False)

    @property
    def major(self) -> int:
        """The major version, as in 18."""
        return self.binaries.major

    def url(self, database: str = "postgres", user: str | None = None) -> str:
        """Return a postgresql:// URL: over TCP with the password on loopback, else the socket's.

        Only the superuser's password is known; another role's URL names none.
        """
        if self._password is None:
            return self.socket_url(database, user)
        role = quote(user or self.superuser, safe="")
        secret = f":{self._password}" if role == self.superuser else ""
        return f"postgresql://{role}{secret}@{LOOPBACK}:{self.port}/{quote(database, safe='')}"

    def socket_url(self, database: str = "postgres", user: str | None = None) -> str:
        """Return a postgresql:// URL over the socket, where every role is trusted."""
        role, name = (quote(text, safe="") for text in (user or self.superuser, database))
        return f"postgresql://{role}@/{name}?host={quote(str(self.socket_dir))}&port={self.port}"

    def is_running(self) -> bool:
        """Tell whether the server's first process lives."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Stop the server and remove what it left, but for a directory that was given.

        Clients are disconnected. A second call does nothing.
        """
        self._undo.close()


def choose_strategy(major: int) -> str:
    """The clause of CREATE DATABASE with which a server of our own copies a template soonest.

    Its files are copied in a sixth of the time that their blocks take through WAL. That costs two
    checkpoints, which are nothing where nothing is synced to a disk. Before PostgreSQL 15 files
    were copied always.

    Source: https://www.postgresql.org/docs/current/sql-createdatabase.html, STRATEGY
    """
    return "STRATEGY FILE_COPY" if major >= _HAS_STRATEGIES else ""


def start_cluster(
    binaries: Binaries,
    *,
    directory: Path | None = None,
    listen: Listen = "socket",
    settings: Mapping[str, str] = NO_SETTINGS,
    port: int | None = None,
) -> Cluster:
    """Start a server and return it once it accepts connections.

    Sweeps the leftovers of killed processes first. As root the server runs
    as an unprivileged account.

    Args:
        binaries: the programs to run.
        directory: where to live. Data that is there is served again, and stays
            after the stop. None: a new temporary directory, removed at the stop.
        listen: `socket`, or `loopback` for TCP on 127.0.0.1 as well, with a random password.
        settings: server parameters beside our own, which they override.
        port: the TCP port; None: a free one.

    Raises:
        EngineError: it does not start; says what the server said.
    """
    sweep_clusters()
    account = server_account()
    usable = within_reach(binaries, account)
    trouble = engine_trouble(f"PostgreSQL {binaries.major} could not be started")
    with trouble, ExitStack() as undo:
        place = _settle(usable, account, directory, undo)
        write_settings(place, settings)
        password = None
        if listen == "loopback":
            password = secrets.token_urlsafe(24)
            set_password(place, password)
        process, bound = serve(place, listen, port, undo)
        return Cluster(
            binaries=usable,
            port=bound,
            socket_dir=place.sockets,
            data_dir=place.data,
            log=place.log,
            _password=password,
            _process=process,
            _undo=undo.pop_all(),
        )


@contextmanager
def running_cluster(
    binaries: Binaries,
    *,
    directory: Path | None = None,
    listen: Listen = "socket",
    settings: Mapping[str, str] = NO_SETTINGS,
    port: int | None = None,
) -> Iterator[Cluster]:
    """Run a server for the length of a block; otherwise as `start_cluster`.

    Raises:
        EngineError: it does not start; says what the server said.
    """
    cluster = start_cluster(
        binaries, directory=directory, listen=listen, settings=settings, port=port
    )
    try:
        yield cluster
    finally:
        cluster.stop()


def _settle(
    binaries: Binaries, account: Account, directory: Path | None, undo: ExitStack
) -> Place:
    """Make ready everything that the server finds on the disk."""
    home = _home(directory, account, undo)
    sockets = home / "run"
    if len(f"{sockets}/.s.PGSQL.65535".encode()) > SOCKET_PATH_BYTES:
        sockets = _scratch(account, undo, under=Path("/tmp").resolve()) / "run"  # noqa: S108 -- a mkdtemp directory in it
    sockets.mkdir(mode=0o700, exist_ok=True)
    give(sockets, account)
    data = home / DATA
    if not (data / "PG_VERSION").exists():
        copy_template(binaries, account, data)
    log = home / "server.log"
    return Place(binaries=binaries, account=account, data=data, sockets=sockets, log=log)


def _scratch(account: Account, undo: ExitStack, *, under: Path | None = None) -> Path:
    lease = take_scratch(account, under=under)
    undo.callback(lease.discard)
    return lease.directory


def _home(directory: Path | None, account: Account, undo: ExitStack) -> Path:
    if directory is None:
        return _scratch(account, undo)
    return _given_home(directory, account, undo)


def _given_home(directory: Path, account: Account, undo: ExitStack) -> Path:
    """Take over the caller's directory, and stop a server that its last owner left there."""
    home = directory.resolve()
    home.mkdir(mode=0o711 if account.uid is not None else 0o700, parents=True, exist_ok=True)
    if not can_traverse(home, account):
        raise EngineError(
            f"PostgreSQL refuses to run as root, and {account.name} cannot enter {home}.",
            next_step="Choose a directory that this account may enter, all the way down.",
        )
    undo.callback(take_lease(home).release)
    stop_leftover(home / DATA)
    return home
