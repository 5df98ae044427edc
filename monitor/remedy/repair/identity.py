"""Whether two connections lead to the same database."""

from collections.abc import Iterable
from typing import Final

import msgspec

from monitor.core.errors import UsageError
from monitor.core.homes import Home
from monitor.core.quoting import quote_literal
from monitor.remedy.repair.ground import load
from monitor.sources.postgres import Session

_NEXT_STEP: Final = (
    "Give a repair URL of the same database as the watched one, with a role that may write."
)


class Identity(msgspec.Struct, frozen=True):
    """What tells a database from another one.

    Attributes:
        system: of the server; None where this role may not know.
        name: of the database.
        oid: of the database.
        started: when the server was.
        is_standby: whether it replays another one.
        tables: the oids of some tables, by name.
    """

    system: str | None
    name: str
    oid: int
    started: str
    is_standby: bool
    tables: dict[str, int]


async def read_identity(session: Session, tables: Iterable[Home]) -> Identity:
    """Who it is; raises as `Session.reading` does."""
    names = [f"({quote_literal(schema or '')}, {quote_literal(name)})" for schema, name in tables]
    sql = load("identity").format(tables=", ".join(names) or "('', '')")
    async with session.reading() as rows:
        ((name, oid, started, is_standby, found),) = await rows.fetch(sql)
    return Identity(
        session.facts.system_identifier,
        name or "",
        int(oid or 0),
        started or "",
        is_standby == "true",
        msgspec.json.decode(found or "{}", type=dict[str, int]),
    )


def require_same(watched: Identity, repaired: Identity) -> None:
    """Nothing, when both are one.

    Raises:
        UsageError: they are not; says what differs.
    """
    if watched.is_standby:
        raise UsageError(
            "The watched database is a standby: nothing proves that a repair URL leads to its "
            "primary.",
            next_step="Name the primary's URL in place of the database.",
        )
    difference = _find_difference(watched, repaired)
    if difference is not None:
        raise UsageError(
            f"The repair URL does not lead to the watched database: {difference}.",
            next_step=_NEXT_STEP,
        )
    if repaired.is_standby:
        raise UsageError(
            "The repair URL leads to a standby, which takes no writes.",
            next_step="Give the URL of the primary server.",
        )


def _find_difference(one: Identity, other: Identity) -> str | None:
    if one.name != other.name:
        return f"one is called {one.name}, the other {other.name}"
    if one.system is not None and other.system is not None and one.system != other.system:
        return "their servers have other system identifiers"
    if one.oid != other.oid:
        return f"the oid of one is {one.oid}, of the other {other.oid}"
    if not other.is_standby and one.started != other.started:
        return f"one server started at {one.started} UTC, the other at {other.started} UTC"
    for table in sorted(one.tables.keys() | other.tables.keys()):
        if one.tables.get(table) != other.tables.get(table):
            return f"{table} is not the same table in both"
    return None
