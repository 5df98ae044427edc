"""The door to watched databases and shadows: the only module that imports asyncpg.

A connection is short-lived and leaves nothing behind. It survives a pooler in
transaction mode: no prepared statement has a name, no setting outlives its
transaction, and nothing but application_name (and the user's own `options`) is sent
at the start. Every error that comes out is one of `monitor.core.errors`.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any, Final, final
from urllib.parse import urlencode

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from monitor.core.errors import (
    Interrupted,
    LookError,
    StatementFailed,
    TooSlow,
    Unreachable,
    WriteError,
)
from monitor.sources.deadlines import DEADLINES, SCRIPT_SECONDS, Deadlines
from monitor.sources.dsn import SYSTEM_ROOTS, Dsn, printable
from monitor.sources.failures import (
    Answer,
    explain_asking,
    explain_login,
    explain_network,
    explain_reading,
    explain_script,
    explain_undone,
    explain_unsettled,
    explain_writing,
    is_over,
)
from monitor.sources.pinned import PINNED, write_opening
from monitor.sources.rows import Reader, Writer

__all__ = [
    "APPLICATION_NAME",
    "DEADLINES",
    "PINNED",
    "SCRIPT_SECONDS",
    "Deadlines",
    "ServerFacts",
    "Session",
    "connect",
]

_FACTS: Final = """/* anchorwatch facts */ SELECT
    pg_catalog.current_setting('server_version_num'),
    pg_catalog.current_database()::pg_catalog.text,
    pg_catalog.pg_is_in_recovery(),
    pg_catalog.current_setting('is_superuser') OPERATOR(pg_catalog.=) 'on',
    pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')"""
_IDENTIFIER: Final = """/* anchorwatch facts */ SELECT
    system_identifier::pg_catalog.text FROM pg_catalog.pg_control_system()"""
_VERSIONS_PER_MAJOR: Final = 10_000
_FOREIGN: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,  # also TimeoutError, ssl.SSLError, socket.gaierror
    UnicodeDecodeError,
)
type _Connection = asyncpg.Connection[asyncpg.Record]


APPLICATION_NAME: Final = f"anchorwatch/{version('anchorwatch')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """What the server says about itself.

    `version_num` as in server_version_num (180001), `major` as people say it (18);
    `system_identifier` is None where this role may not call pg_control_system().
    """

    version_num: int
    major: int
    database: str
    in_recovery: bool
    system_identifier: str | None
    is_superuser: bool


@final
class Session:
    """One connection; `facts` holds what the server said about itself at its start."""

    def __init__(
        self, connection: _Connection, dsn: Dsn, facts: ServerFacts, deadlines: Deadlines
    ) -> None:
        self._connection = connection
        self._dsn = dsn
        self._deadlines = deadlines
        self.facts = facts

    @property
    def label(self) -> str:
        """What the database is called in messages."""
        return self._dsn.label

    @property
    def is_closed(self) -> bool:
        """Whether the connection is gone: nothing more can be read over it."""
        return self._connection.is_closed()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reader]:
        """One REPEATABLE READ, READ ONLY transaction with `PINNED` settings, rolled back.

        After an error nothing more can be read in it: open another.

        Raises:
            Refused: a privilege is missing; the message names the GRANT.
            TooSlow: a deadline passed; the message names it.
            Interrupted: the connection was lost, or an object vanished.
            LookError: the server answered with another error.
        """
        seconds = self._deadlines.read_seconds
        try:
            async with asyncio.timeout(seconds) as scope:
                with self._explaining():
                    opening = write_opening(
                        self._deadlines, "ISOLATION LEVEL REPEATABLE READ READ ONLY"
                    )
                    await self._connection.execute(opening, timeout=self._statement_seconds)
                yield Reader(self.fetch_values)
        except TimeoutError:
            if not scope.expired():
                raise
            raise _too_slow(self._dsn.label, "read", seconds) from None
        finally:
            await self._roll_back()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Writer]:
        """One READ COMMITTED, READ WRITE transaction with `PINNED` settings.

        It is committed where the block ends by itself, and rolled back whatever else ends it.

        Raises:
            WriteError: the server refused a statement, or a deadline passed: nothing was changed.
            Unsettled: the connection broke at the commit.
        """
        seconds = self._deadlines.script_seconds
        try:
            async with asyncio.timeout(seconds) as scope:
                await self._begin()
                yield Writer(self.change)
        except TimeoutError:
            await self._roll_back()
            if not scope.expired():
                raise
            error = _too_slow(self._dsn.label, "script", seconds)
            raise explain_undone(error) from None
        except BaseException:
            await self._roll_back()
            raise
        await self._commit()

    async def _begin(self) -> None:
        opening = write_opening(self._deadlines, "ISOLATION LEVEL READ COMMITTED READ WRITE")
        with self._explaining_writes():
            await self._connection.execute(opening, timeout=self._statement_seconds)

    async def _commit(self) -> None:
        """Commit, to its end: who interrupts it has to be told what became of it."""
        commit = asyncio.ensure_future(self._send_commit())
        while not commit.done():
            with suppress(asyncio.CancelledError):
                await asyncio.shield(commit)
        commit.result()

    async def _send_commit(self) -> None:
        """Commit; what a broken transaction answers is no commit."""
        try:
            status = await self._connection.execute("COMMIT", timeout=self._statement_seconds)
        except asyncpg.PostgresError as error:
            if is_over(error.sqlstate or ""):
                raise explain_unsettled(self._dsn.label) from None
            raise explain_writing(_hear(error, self._dsn)) from None
        except _FOREIGN:
            raise explain_unsettled(self._dsn.label) from None
        if status != "COMMIT":
            raise WriteError(
                f"{self._dsn.label} did not commit. Nothing was changed.",
                next_step="Look at the log of the server for the statement that failed.",
            )

    async def change(self, sql: str, *args: object) -> list[tuple[Any, ...]]:
        """The rows of one statement of a transaction that writes; raises as `writing` does."""
        with self._explaining_writes():
            rows = await self._connection.fetch(sql, *args, timeout=self._statement_seconds)
        return [tuple(row) for row in rows]

    @contextmanager
    def _explaining_writes(self) -> Iterator[None]:
        try:
            yield
        except asyncpg.PostgresError as error:
            raise explain_writing(_hear(error, self._dsn)) from None
        except _FOREIGN as error:
            raise explain_undone(self._explain(error)) from None

    async def fetch_values(self, sql: str, *args: object) -> list[tuple[Any, ...]]:
        """The rows of one statement, parameters `$1`... given; raises as `reading` does."""
        with self._explaining():
            rows = await self._connection.fetch(sql, *args, timeout=self._statement_seconds)
        return [tuple(row) for row in rows]

    async def ask(self, sql: str, args: Sequence[object], *, most: int) -> list[dict[str, Any]]:
        """The first rows of one statement of somebody's, in a READ ONLY transaction.

        Unlike a reading it has the settings of the role, its search_path too. Of further
        rows than `most` none is fetched.

        Raises:
            StatementFailed: the server refused it, or a parameter does not fit.
            TooSlow: a deadline passed.
            LookError: it could not be asked; see `reading`.
        """
        seconds = self._statement_seconds
        try:
            await self._connection.execute(
                write_opening(self._deadlines, "READ ONLY", pinned=()), timeout=seconds
            )
            cursor = await self._connection.cursor(sql, *args, timeout=seconds)
            rows = await cursor.fetch(most, timeout=seconds)
        except asyncpg.PostgresError as error:
            raise explain_asking(_hear(error, self._dsn), sql) from None
        except _FOREIGN as error:
            raise self._explain_parameters(self._explain(error)) from None
        except (ArithmeticError, ValueError):  # without its cause, which quotes the value
            raise LookError(
                f"{self.label} returned a value that cannot be read here, as a date after 9999.",
                next_step="Cast it to text in the query.",
            ) from None
        finally:
            await self._roll_back()
        return self._read_objects(rows)

    def _read_objects(self, rows: Sequence[asyncpg.Record]) -> list[dict[str, Any]]:
        if rows and len({*rows[0].keys()}) < len(rows[0]):
            raise LookError(
                f"{self.label} returned two columns of one name, of which one would be lost.",
                next_step="Name them apart in the query: `AS one`, `AS other`.",
            )
        return [dict(row) for row in rows]

    async def execute(self, sql: str) -> None:
        """Run a script.

        A single statement runs by itself (so CREATE DATABASE may); several run as one
        transaction unless they say otherwise.

        Raises:
            StatementFailed: the server refused a statement.
            TooSlow: the script took longer than its deadline.
            Interrupted: the connection was lost.
        """
        seconds = self._deadlines.script_seconds
        try:
            await self._connection.execute(sql, timeout=seconds)
        except TimeoutError:
            raise _too_slow(self._dsn.label, "script", seconds) from None
        except asyncpg.PostgresError as error:
            raise explain_script(_hear(error, self._dsn), sql) from None
        except _FOREIGN as error:
            raise self._explain(error) from None

    @property
    def _statement_seconds(self) -> float:
        return self._deadlines.statement_seconds + self._deadlines.grace_seconds

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        # The cause is left out: it may quote row values, and Sentry would show it.
        try:
            yield
        except _FOREIGN as error:
            raise self._explain(error) from None

    def _explain(self, error: Exception) -> Exception:
        label = self._dsn.label
        if isinstance(error, asyncpg.PostgresError):
            return explain_reading(_hear(error, self._dsn))
        if isinstance(error, TimeoutError):
            return _too_slow(label, "statement", self._statement_seconds)
        if isinstance(error, UnicodeDecodeError):
            return LookError(
                f"{label} holds text that is not UTF-8.",
                next_step="Convert the SQL_ASCII database to UTF8 with pg_dump.",
            )
        if isinstance(error, asyncpg.InterfaceError) and not self._connection.is_closed():
            return error  # Wrong arguments or two statements at once: a fault of the caller.
        return Interrupted(
            f"The connection to {label} was lost.",
            next_step="Wait until the database is back: anchorwatch looks again by itself.",
        )

    def _explain_parameters(self, error: Exception) -> Exception:
        if not isinstance(error, asyncpg.InterfaceError):
            return error
        (words, *_) = str(error).splitlines()
        return StatementFailed(
            f"The parameters do not fit: {printable(words)}.",
            next_step="Give one for each $1, $2...",
            sqlstate="22023",
        )

    async def _roll_back(self) -> None:
        if self._connection.is_closed():
            return
        try:
            await self._connection.execute("ROLLBACK", timeout=self._deadlines.close_seconds)
        except _FOREIGN:
            self._connection.terminate()


@asynccontextmanager
async def connect(
    dsn: Dsn, *, deadlines: Deadlines = DEADLINES, application_name: str = APPLICATION_NAME
) -> AsyncIterator[Session]:
    """A short-lived connection to the first endpoint that answers as asked.

    A `connect_timeout` and an `application_name` of the URL win. Each endpoint gets the
    whole connect deadline. At the end a statement that still runs is cancelled on the
    server; that and the goodbye take `close_seconds` at most, then the socket is cut.

    Raises:
        Unreachable: no endpoint let us in; the message is that of the last one.
        Refused: the role lacks CONNECT.
    """
    dsn = replace(dsn, application_name=dsn.application_name or application_name)
    if dsn.connect_timeout is not None:
        deadlines = replace(deadlines, connect_seconds=dsn.connect_timeout)
    connection, facts = await _connect_somewhere(dsn, deadlines)
    try:
        yield Session(connection, dsn, facts, deadlines)
    finally:
        with suppress(*_FOREIGN):  # asyncpg has cut the socket when this raises.
            await connection.close(timeout=deadlines.close_seconds)


async def _connect_somewhere(dsn: Dsn, deadlines: Deadlines) -> tuple[_Connection, ServerFacts]:
    """Try the endpoints in order; twice when a standby is merely preferred."""
    wishes: Sequence[str] = (dsn.target_session_attrs or "any",)
    if wishes == ("prefer-standby",):
        wishes = ("standby", "any")
    failure: LookError | None = None
    for wish in wishes:
        for endpoint in dsn.endpoints:
            single = replace(dsn, endpoints=(endpoint,), target_session_attrs=wish)
            try:
                return await _connect_once(single, deadlines)
            except LookError as error:
                failure = error
    raise failure or AssertionError("a Dsn has at least one endpoint")


async def _connect_once(dsn: Dsn, deadlines: Deadlines) -> tuple[_Connection, ServerFacts]:
    seconds = deadlines.connect_seconds
    try:
        async with asyncio.timeout(seconds):
            connection = await _open(dsn, seconds)
            try:
                return connection, await _read_facts(connection)
            except BaseException:
                connection.terminate()
                raise
    except TimeoutError:
        raise Unreachable(
            f'{dsn.label} did not answer within {seconds:g} s (deadline "connect").',
            next_step="Check host and port, the firewalls on the way, and whether it is up.",
        ) from None
    except asyncpg.PostgresError as error:
        raise explain_login(_hear(error, dsn)) from None
    except _FOREIGN as error:
        raise explain_network(error, dsn) from None


async def _open(dsn: Dsn, seconds: float) -> _Connection:
    files = {"sslrootcert": dsn.sslrootcert, "sslcert": dsn.sslcert, "sslkey": dsn.sslkey}
    settings = {"application_name": dsn.application_name, "options": dsn.options}
    # Any: asyncpg's stubs want the words of libpq as literals.
    tls: Any = dsn.sslmode.value
    if dsn.sslrootcert == SYSTEM_ROOTS:
        tls = ssl.create_default_context()
        if dsn.sslcert:
            tls.load_cert_chain(dsn.sslcert, dsn.sslkey)
    return await asyncpg.connect(
        # asyncpg takes the names of certificate files from a URL only.
        "postgresql://?" + urlencode({key: name for key, name in files.items() if name}),
        host=dsn.host,
        port=dsn.port,
        user=dsn.user,
        password=dsn.password,
        database=dsn.database,
        timeout=seconds,
        ssl=tls,
        target_session_attrs=SessionAttribute(dsn.target_session_attrs or "any"),
        server_settings={key: text for key, text in settings.items() if text},
        statement_cache_size=0,
    )


async def _read_facts(connection: _Connection) -> ServerFacts:
    (facts,) = await connection.fetch(_FACTS)
    number, database, in_recovery, is_superuser, is_permitted = facts
    return ServerFacts(
        version_num=int(number),
        major=int(number) // _VERSIONS_PER_MAJOR,
        database=database,
        in_recovery=in_recovery,
        system_identifier=await connection.fetchval(_IDENTIFIER) if is_permitted else None,
        is_superuser=is_superuser,
    )


def _hear(error: asyncpg.PostgresError, dsn: Dsn) -> Answer:
    words = str(error.args[0]) if error.args else ""
    if dsn.password and dsn.password not in (dsn.user, dsn.database):
        words = words.replace(dsn.password, "***")
    return Answer(
        sqlstate=error.sqlstate,
        words=printable(words).rstrip("."),
        label=dsn.label,
        user=dsn.user,
        source=error.server_source_function or "",
        position=int(error.position) if error.position else None,
    )


def _too_slow(label: str, deadline: str, seconds: float) -> TooSlow:
    return TooSlow(
        f'{label} took longer than {seconds:g} s (deadline "{deadline}").',
        next_step="Look at what keeps the server busy, or raise this deadline.",
    )
