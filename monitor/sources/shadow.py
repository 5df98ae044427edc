"""A place to build schemas in: scratch databases on a server of our own, or a given one.

What is built may be hostile. Its owner is no superuser and owns nothing but its scratch
database, which is dropped whatever happens; a server of our own listens on a socket only
and vanishes with us, and on a given one a lease lets the next run sweep what a killed
one left. A server that holds a watched database is refused.
"""

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

from monitor.core.errors import BuildError, LookError, UsageError
from monitor.core.quoting import quote_ident, quote_literal
from monitor.sources.dsn import Dsn, parse_dsn
from monitor.sources.engine import Cluster, choose_strategy, find_binaries, start_cluster
from monitor.sources.postgres import ServerFacts, Session, connect
from monitor.sources.shadow_lease import (
    PREFIX,
    drop_database,
    drop_roles,
    find_roles,
    sweep_scratches,
    write_lease,
)
from monitor.sources.shielding import finish

ADMIN: Final = "anchorwatch_admin"
_BOOTSTRAP: Final = "anchorwatch_bootstrap"
_OWNED: Final = 15
"""The major since which the schema public is the database owner's; before, what a history
grants there or takes away was dropped with no more than a warning."""
_MAY: Final = """/* anchorwatch rights */
select rolsuper or (rolcreatedb and rolcreaterole) from pg_catalog.pg_roles
where rolname = current_user"""
_ELSEWHERE: Final = (
    "Name another server (`--shadow URL`, `shadow_url` in the configuration), or leave it out: "
    "then a server of our own is started."
)
_EXISTING: Final = """/* anchorwatch roles */
select rolname::text from pg_catalog.pg_roles where rolname::text = any($1::text[])"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scratch:
    """An empty database to build one schema in.

    Attributes:
        database: its name.
        builder: the role that builds; it has the rights of the database's owner.
        dsn: for the builder.
        admin: for the role that made it, to the same database.
        is_superuser: whether that role may do anything.
        roles: those that had to be there.
        stand_ins: which of them were made for this build.
        major: the server's major version.
    """

    database: str
    builder: str
    dsn: Dsn
    admin: Dsn
    is_superuser: bool
    roles: tuple[str, ...]
    stand_ins: tuple[str, ...]
    major: int


class ShadowServer:
    """A server on which scratch databases can be made."""

    def __init__(self, admin: Dsn, facts: ServerFacts, *, is_ours: bool) -> None:
        self._admin = admin
        self._facts = facts
        self._is_ours = is_ours
        self._taken: set[str] = set()

    @property
    def major(self) -> int:
        """The major version."""
        return self._facts.major

    def refuse_watched(self, forbidden: frozenset[str]) -> None:
        """Nothing, when nobody watches a database of this server.

        Args:
            forbidden: `system_identifier` of servers that must not be built on.

        Raises:
            UsageError: it is one of them, or cannot be told from them.
        """
        _refuse_watched(self._admin, self._facts, forbidden)

    @asynccontextmanager
    async def scratch(self, *, roles: tuple[str, ...] = ()) -> AsyncIterator[Scratch]:
        """Hold an empty database, and drop it afterwards, cancelled or not.

        Args:
            roles: roles that have to be there; those that are not get a stand-in that
                cannot log in, which is dropped with the database.

        Raises:
            BuildError: the server refuses to make or to drop it.
            LookError: the server cannot be reached.
        """
        name = self._choose_name()
        self._taken.add(name)
        try:
            yield await finish(self._make(name, roles))
        except BaseException as error:
            try:
                await finish(self._drop(name))
            except (BuildError, LookError) as left:
                error.add_note(str(left))  # what went wrong first is what has to be told
            raise
        else:
            await finish(self._drop(name))
        finally:
            self._taken.discard(name)

    def _choose_name(self) -> str:
        """A name that is free; on a server of our own the same one after the other.

        Some names of objects hold the builder's, and two builds of one source should
        give the same snapshot.
        """
        if not self._is_ours:
            return f"{PREFIX}{secrets.token_hex(6)}"
        names = (f"{PREFIX}{number:012x}" for number in itertools.count())
        return next(name for name in names if name not in self._taken)

    async def _make(self, name: str, roles: tuple[str, ...]) -> Scratch:
        password = secrets.token_urlsafe(24)
        async with connect(self._admin) as session:
            lease = await write_lease(session, name)
            # Of what exists nothing is granted: a script could name a superuser.
            existing = {row[0] for row in await session.fetch_values(_EXISTING, list(roles))}
            stand_ins = tuple(role for role in roles if role not in existing)
            await session.execute(
                self._write_roles(
                    name, password, lease, stand_ins=stand_ins, is_shared=bool(roles)
                )
            )
            owner = quote_ident(_dba(name) if roles else name)
            database = quote_ident(name)
            # On a server that has work of its own, as the server thinks best.
            strategy = choose_strategy(self.major) if self._is_ours else ""
            await session.execute(
                f"CREATE DATABASE {database} OWNER {owner} TEMPLATE template0 "
                f"ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' {strategy}"
            )
            await session.execute(f"COMMENT ON DATABASE {database} IS {quote_literal(lease)}")
        admin = replace(self._admin, database=name)
        if self.major < _OWNED and self._facts.is_superuser:
            async with connect(admin) as session:
                await session.execute(f"ALTER SCHEMA public OWNER TO {owner}")
        return Scratch(
            database=name,
            builder=name,
            dsn=replace(admin, user=name, password=password),
            admin=admin,
            is_superuser=self._facts.is_superuser,
            roles=roles,
            stand_ins=stand_ins,
            major=self._facts.major,
        )

    def _write_roles(
        self,
        name: str,
        password: str,
        lease: str,
        *,
        stand_ins: tuple[str, ...],
        is_shared: bool,
    ) -> str:
        """The script that makes the roles, with their lease: all of them or none.

        Where stand-ins own things, the builder and they share the rights of the
        database's owner: an owner needs CREATE on the schema, and a role cannot be a
        member of one that is a member of it.
        """
        dba = _dba(name)
        nobody = "NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE"
        made = {dba: nobody} if is_shared else {}
        made |= dict.fromkeys(stand_ins, f"{nobody} IN ROLE {quote_ident(dba)}")
        granted = [*made]
        made[name] = f"LOGIN PASSWORD {quote_literal(password)}"
        script = [f"CREATE ROLE {quote_ident(role)} {how}" for role, how in made.items()]
        script += [f"COMMENT ON ROLE {quote_ident(r)} IS {quote_literal(lease)}" for r in made]
        script += [f"GRANT {quote_ident(role)} TO {quote_ident(name)}" for role in granted]
        if not self._facts.is_superuser:
            script.append(f"GRANT {quote_ident(name)} TO CURRENT_USER")
        return "; ".join(script)

    async def _drop(self, name: str) -> None:
        async with connect(self._admin) as session:
            await drop_database(session, name)
            left = await drop_roles(session, await find_roles(session, name))
        ours = [role for role in left if role.startswith(name)]  # others may serve another build
        if ours:
            raise BuildError(
                f"The role {ours[0]} could not be dropped.",
                next_step="Drop what it owns in other databases of that server, then the role.",
            )


@asynccontextmanager
async def open_shadow(
    *, major: int | None = None, url: str | None = None, forbidden: frozenset[str] = frozenset()
) -> AsyncIterator[ShadowServer]:
    """Hold a server for scratch databases: a given one, or one of our own.

    Args:
        major: the wanted major version of our own; a given server has its own.
        url: of a role that may create databases and roles on a given server.
        forbidden: `system_identifier` of servers that must not be built on.

    Raises:
        EngineError: no server of our own can be started.
        UsageError: the given server is a watched one, or the role may not do it.
        LookError: the given server cannot be reached.
    """
    if url is None:
        async with _own_server(major) as server:
            yield server
        return
    admin, _ = parse_dsn(url)
    async with connect(admin) as session:
        await _refuse_unfit(session, admin, forbidden)
        await finish(sweep_scratches(session))
        facts = session.facts
    yield ShadowServer(admin, facts, is_ours=False)


@asynccontextmanager
async def _own_server(major: int | None) -> AsyncIterator[ShadowServer]:
    cluster = await _start(major)
    try:
        # Scripts name a role "postgres" often, and it must not be the superuser here.
        first, _ = parse_dsn(cluster.socket_url("postgres"))
        async with connect(first) as session:
            await session.execute(f"CREATE ROLE {ADMIN} SUPERUSER LOGIN")
        admin, _ = parse_dsn(cluster.socket_url("postgres", ADMIN))
        async with connect(admin) as session:
            await session.execute(f"ALTER ROLE {cluster.superuser} RENAME TO {_BOOTSTRAP}")
            facts = session.facts
        yield ShadowServer(admin, facts, is_ours=True)
    finally:
        await finish(asyncio.to_thread(cluster.stop))


async def _start(major: int | None) -> Cluster:
    """A running cluster; when cancelled, none."""
    starting = asyncio.ensure_future(
        asyncio.to_thread(lambda: start_cluster(find_binaries(major)))
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        await finish(_stop_started(starting))
        raise


async def _stop_started(starting: asyncio.Future[Cluster]) -> None:
    await asyncio.wait([starting])
    if not starting.exception():
        await asyncio.to_thread(starting.result().stop)


async def _refuse_unfit(session: Session, admin: Dsn, forbidden: frozenset[str]) -> None:
    _refuse_watched(admin, session.facts, forbidden)
    [(is_enough,)] = await session.fetch_values(_MAY)
    if not is_enough:
        raise UsageError(
            f"The role of {admin.label} may not make databases and roles.",
            next_step="Give it CREATEDB and CREATEROLE, or name another one.",
        )


def _refuse_watched(admin: Dsn, facts: ServerFacts, forbidden: frozenset[str]) -> None:
    if facts.system_identifier in forbidden:
        raise UsageError(
            f"{admin.label} is on a server that holds a watched database: nothing is built there.",
            next_step=_ELSEWHERE,
        )
    if forbidden and facts.system_identifier is None:
        raise UsageError(
            f"Whether {admin.label} is on a server that holds a watched database cannot be told: "
            "its role may not call pg_control_system().",
            next_step=f"Let it: GRANT EXECUTE ON FUNCTION pg_control_system(). {_ELSEWHERE}",
        )


def _dba(name: str) -> str:
    return f"{name}_dba"
