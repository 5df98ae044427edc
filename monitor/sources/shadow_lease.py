"""Whose a scratch database is, written where a sweep finds it: in comments on the server.

A process that is killed drops nothing. The next one that uses the server reads the
leases and removes what belongs to nobody any more: the owner's process is gone (told on
the same machine only), or the time is over (by the server's clock).

The role's comment counts first: a migration owns the database and may comment on it.
"""

import contextlib
import os
import re
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from monitor.core.errors import BuildError, LookError
from monitor.core.quoting import quote_ident
from monitor.sources.cluster_lease import process_started
from monitor.sources.postgres import Session

PREFIX: Final = "anchorwatch_shadow_"
LEASE_SECONDS: Final = 2 * 3600
"""No build may take half an hour; four times that is nobody's any more."""

_FORMAT: Final = 1
_SCRATCH: Final = re.compile(rf"{PREFIX}[0-9a-f]{{12}}")

_FIND: Final = r"""/* anchorwatch leases */
select 'database', datname::text, shobj_description(oid, 'pg_database')
from pg_catalog.pg_database where datname like 'anchorwatch\_shadow\_%'
union all
select 'role', rolname::text, shobj_description(oid, 'pg_authid')
from pg_catalog.pg_roles where shobj_description(oid, 'pg_authid') like '{"anchorwatch":%'"""
_CLOCK: Final = "/* anchorwatch clock */ select extract(epoch from now())::bigint"


class Lease(msgspec.Struct, frozen=True):
    """Who made a scratch database and the roles that go with it, and until when.

    Attributes:
        anchorwatch: the format.
        scratch: the name of the database.
        host: the machine, boot and process namespace in which `pid` means something.
        pid: the process.
        started: when it started, in the system's own words.
        expires: seconds since 1970 by the server's clock.
    """

    anchorwatch: int
    scratch: str
    host: str
    pid: int
    started: str | None
    expires: int

    def is_over(self, now: int) -> bool:
        """Whether nobody can need the scratch any more."""
        is_here = self.host == identify_host()
        return now > self.expires or (is_here and process_started(self.pid) != self.started)


async def write_lease(session: Session, scratch: str) -> str:
    """The comment that makes ``scratch`` this process's, from now on."""
    now = await _read_clock(session)
    lease = Lease(
        anchorwatch=_FORMAT,
        scratch=scratch,
        host=identify_host(),
        pid=os.getpid(),
        started=process_started(os.getpid()),
        expires=now + LEASE_SECONDS,
    )
    return msgspec.json.encode(lease).decode()


def read_lease(comment: str | None) -> Lease | None:
    """The lease that a comment is, if it is one."""
    try:
        lease = msgspec.json.decode(comment or "", type=Lease)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None
    is_ours = lease.anchorwatch == _FORMAT and _SCRATCH.fullmatch(lease.scratch)
    return lease if is_ours else None


async def sweep_scratches(session: Session) -> tuple[str, ...]:
    """Remove what dead owners left on the server; return the names of the databases.

    What no lease proves to be ours stays, and so does what cannot be removed now.

    Args:
        session: of a role that may create databases and roles.
    """
    now = await _read_clock(session)
    rows = await session.fetch_values(_FIND)
    roles = {name: read_lease(comment) for kind, name, comment in rows if kind == "role"}
    swept = []
    for kind, name, comment in rows:
        lease = (roles.get(name) or read_lease(comment)) if kind == "database" else None
        if lease and lease.scratch == name and lease.is_over(now) and await _drop(session, name):
            swept.append(name)
    left = [name for name, lease in roles.items() if lease and lease.is_over(now)]
    await drop_roles(session, left)
    return tuple(swept)


async def find_roles(session: Session, scratch: str) -> tuple[str, ...]:
    """The roles that were made for a scratch, by their leases."""
    rows = await session.fetch_values(_FIND)
    leases = {name: read_lease(comment) for kind, name, comment in rows if kind == "role"}
    return tuple(name for name, lease in leases.items() if lease and lease.scratch == scratch)


async def drop_database(session: Session, name: str) -> None:
    """Drop a database and whoever is connected to it.

    Raises:
        BuildError: the server refuses.
        LookError: the connection is gone.
    """
    await session.execute(f"DROP DATABASE IF EXISTS {quote_ident(name)} WITH (FORCE)")


async def drop_roles(session: Session, names: Iterable[str]) -> tuple[str, ...]:
    """Drop roles; return the names of those that something still depends on."""
    left = []
    for name in sorted(names):
        try:
            await session.execute(f"DROP ROLE IF EXISTS {quote_ident(name)}")
        except BuildError:
            left.append(name)
    return tuple(left)


def identify_host() -> str:
    """The machine, its boot and the process namespace: where a process id is unique.

    Two containers may share a host name, and then see each other's processes as dead.
    """
    parts = [socket.gethostname()]
    with contextlib.suppress(OSError):  # neither file is there outside Linux
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip())
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(parts)


async def _drop(session: Session, name: str) -> bool:
    try:
        await drop_database(session, name)
    except (BuildError, LookError):
        return False
    return True


async def _read_clock(session: Session) -> int:
    [(now,)] = await session.fetch_values(_CLOCK)
    return int(now)
