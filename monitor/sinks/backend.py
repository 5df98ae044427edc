"""Where the ledger lives: an SQLite file, or a PostgreSQL database.

The rest of the store writes one query text for both. SQLite runs in WAL mode with
`synchronous=FULL`, so that what was committed survives a power cut
(https://www.sqlite.org/pragma.html#pragma_synchronous); PostgreSQL is reached
without prepared statements, so that a pooler may stand in between.
"""

import asyncio
import contextlib
import errno
import sqlite3
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, final
from urllib.parse import unquote, urlencode, urlsplit

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from monitor.core.errors import ConfigurationError, StoreError
from monitor.sinks.store_failures import explain_postgres, explain_sqlite
from monitor.sinks.tables import Moment
from monitor.sources.dsn import SYSTEM_ROOTS, Dsn, parse_dsn

BUSY_SECONDS: Final = 3.0
"""Our longest write takes milliseconds: who holds an SQLite file longer than this is stuck.
Nothing cuts this wait short, and an agent that is told to stop has five seconds."""
CONNECT_SECONDS: Final = 10.0
"""A ledger that sleeps wakes within seconds; the next look tries again."""
COMMAND_SECONDS: Final = 30.0
"""No statement of ours takes a second: longer means that nobody is there any more."""
POOL_SIZE: Final = 5
"""Looks at different databases end at the same time, and each holds a connection briefly."""
RECYCLE_SECONDS: Final = 300
"""Firewalls forget idle connections after some minutes."""

_PRAGMAS: Final = (
    f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000:.0f}",  # first: the next one may have to wait
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
)
_OPENING: Final = "anchorwatch_opening"
_SQLITE: Final = ("sqlite", "sqlite+aiosqlite")


class _Connection(sqlite3.Connection):
    """A connection that lets go of the file when it is closed.

    SQLite keeps what is closed with a statement unfinished until somebody forgets that
    statement, and its transaction with it (https://www.sqlite.org/c3ref/close.html): a look
    that was cancelled while it wrote would hold the ledger against everybody.
    """

    def close(self) -> None:
        if self.in_transaction:
            self.rollback()
        super().close()


@final
class Backend:
    """Transactions on the ledger; errors of the driver come out as StoreError."""

    def __init__(self, engine: AsyncEngine, place: "Path | Dsn") -> None:
        self._engine = engine
        self._place = place
        self._writer = engine.execution_options(**{_OPENING: "BEGIN IMMEDIATE"})
        # SQLite's own queue of writers is not fair: within one process, ours is.
        self._turn = asyncio.Lock() if isinstance(place, Path) else contextlib.nullcontext()

    @property
    def is_postgres(self) -> bool:
        """Whether a server keeps the ledger, and several agents may share it."""
        return isinstance(self._place, Dsn)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """One transaction that only reads.

        Raises:
            StoreError: the ledger cannot be read.
        """
        with self._explaining():
            async with self._engine.begin() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """One transaction, committed at the end: all of it, or nothing.

        Raises:
            StoreError: the ledger cannot be written; nothing of this was.
        """
        async with self._turn:
            with self._explaining():
                async with self._writer.begin() as connection:
                    yield connection

    def insert(self, table: sa.Table) -> "sqlite.Insert | postgresql.Insert":
        """An INSERT that knows ON CONFLICT in this server's spelling."""
        return postgresql.insert(table) if self.is_postgres else sqlite.insert(table)

    def tell_time(self, now: datetime, later: timedelta) -> sa.ColumnElement[datetime]:
        """The moment so long after now, by the clock of all who share the ledger.

        Args:
            now: by the clock of who asks, which is the only one that a file has.
            later: how long after.
        """
        if not self.is_postgres:
            return sa.literal(now + later, Moment)
        # Of the statement, not of the transaction, which may have waited for its turn.
        moment = sa.func.statement_timestamp(type_=sa.DateTime(timezone=True))
        return moment + sa.literal(later, sa.Interval)

    async def close(self) -> None:
        """Let go of every connection."""
        await self._engine.dispose()

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except (sa.exc.DBAPIError, sa.exc.TimeoutError, OSError) as error:
            # Without its cause, which may quote rows and the way in.
            raise self._explain(error) from None

    def _explain(self, error: Exception) -> StoreError:
        if isinstance(self._place, Path):
            return explain_sqlite(error, self._place)
        return explain_postgres(error, self._place.label)


def open_backend(url: str) -> Backend:
    """The place that a URL names; nothing is connected yet.

    Args:
        url: `sqlite:///relative.db`, `sqlite:////absolute.db`, or any spelling of a
            PostgreSQL URL.

    Raises:
        ConfigurationError: the URL names neither.
        StoreError: the directory of the file cannot be made.
    """
    scheme = url.strip().partition(":")[0].lower()
    if scheme in _SQLITE:
        path = _read_path(url.strip())
        return Backend(_open_sqlite(path), path)
    dsn, _ = parse_dsn(url)
    return Backend(_open_postgres(dsn), dsn)


def find_missing(url: str) -> Path | None:
    """The SQLite file that a URL names, when it is not there; nothing is made.

    Raises:
        ConfigurationError: the URL names no file.
    """
    if url.strip().partition(":")[0].lower() not in _SQLITE:
        return None
    path = _read_path(url.strip())
    return None if path.exists() else path


def _read_path(url: str) -> Path:
    parts = urlsplit(url)
    name = unquote(parts.path.removeprefix("/"))
    if parts.netloc or parts.query or parts.fragment or name in ("", ":memory:"):
        raise ConfigurationError(
            "The store URL names no SQLite file.",
            next_step="Write sqlite:///relative/path.db or sqlite:////absolute/path.db.",
        )
    return Path(name)


def _open_sqlite(path: Path) -> AsyncEngine:
    try:
        _make_room(path)
    except OSError as error:
        raise explain_sqlite(error, path) from None
    engine = create_async_engine(
        sa.URL.create("sqlite+aiosqlite", database=str(path)),
        pool_size=POOL_SIZE,
        hide_parameters=True,
        # The driver would begin by its own rules; we say BEGIN ourselves, below.
        connect_args={"isolation_level": None, "factory": _Connection},
    )
    sa.event.listen(engine.sync_engine, "connect", _set_pragmas)
    sa.event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _make_room(path: Path) -> None:
    """Make the directory of the file; SQLite would say of another directory "unable to open"."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "a directory", str(path))


def _set_pragmas(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    try:
        for pragma in _PRAGMAS:
            cursor.execute(pragma)
    finally:
        cursor.close()


def _begin(connection: sa.Connection) -> None:
    """Writers take the lock at once: a reader that turns writer cannot wait for it."""
    connection.exec_driver_sql(connection.get_execution_options().get(_OPENING, "BEGIN"))


def _open_postgres(dsn: Dsn) -> AsyncEngine:
    return create_async_engine(
        "postgresql+asyncpg://",
        pool_size=POOL_SIZE,
        pool_pre_ping=True,
        pool_recycle=RECYCLE_SECONDS,
        hide_parameters=True,
        connect_args=_write_arguments(dsn),
    )


def _write_arguments(dsn: Dsn) -> dict[str, Any]:
    files = {"sslrootcert": dsn.sslrootcert, "sslcert": dsn.sslcert, "sslkey": dsn.sslkey}
    settings = {"application_name": dsn.application_name or "anchorwatch", "options": dsn.options}
    # Of several servers only the one that takes writes can keep a ledger.
    wish = dsn.target_session_attrs or ("read-write" if len(dsn.endpoints) > 1 else "any")
    return {
        # asyncpg takes the names of certificate files from a URL only.
        "dsn": "postgresql://?" + urlencode({key: name for key, name in files.items() if name}),
        "host": [endpoint.host for endpoint in dsn.endpoints],
        "port": [endpoint.port for endpoint in dsn.endpoints],
        "user": dsn.user,
        "password": dsn.password,
        "database": dsn.database,
        "ssl": _choose_tls(dsn),
        "timeout": dsn.connect_timeout or CONNECT_SECONDS,
        "command_timeout": COMMAND_SECONDS,
        "target_session_attrs": wish,
        "server_settings": {key: value for key, value in settings.items() if value},
        # A pooler in transaction mode gives each transaction another session.
        "statement_cache_size": 0,
        "prepared_statement_cache_size": 0,
        "prepared_statement_name_func": lambda: "",
    }


def _choose_tls(dsn: Dsn) -> str | ssl.SSLContext:
    if dsn.sslrootcert != SYSTEM_ROOTS:
        return dsn.sslmode.value
    context = ssl.create_default_context()
    if dsn.sslcert:
        context.load_cert_chain(dsn.sslcert, dsn.sslkey)
    return context
