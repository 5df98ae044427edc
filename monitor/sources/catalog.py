"""The catalog statement: one file of SQL a kind, joined for one round trip.

A line that ends in ``-- pg>=18`` or ``-- pg<15`` is there for those majors
only, so the difference between versions stands where it matters. The files use
no bind parameters, no percent sign and no colon-name, return text only, and so
run through any driver.
"""

import asyncio
import gc
import re
from functools import cache
from importlib import resources
from typing import Final

from monitor.core.decode import VersionTablePlace, decode, find_version_tables
from monitor.core.errors import UsageError
from monitor.core.quoting import quote_ident
from monitor.core.snapshot import Snapshot, VersionTable
from monitor.sources.postgres import Reader, Session

MAJORS: Final = range(14, 19)
"""The majors that the files are written for, and tested on."""

_FIRST: Final = "server"
_PRAGMA: Final = re.compile(r"\s*--\s*pg(>=|<)(\d+)\s*$")


@cache
def read_query(name: str, *, major: int) -> str:
    """The text of one file for one major, without its comments."""
    text = resources.files("monitor.sources").joinpath("queries", f"{name}.sql").read_text("utf-8")
    lines = [_PRAGMA.sub("", line) for line in text.splitlines() if _applies(line, major)]
    return "\n".join(lines).strip()


def _applies(line: str, major: int) -> bool:
    if line.lstrip().startswith("--"):
        return False
    if not (pragma := _PRAGMA.search(line)):
        return True
    bound = int(pragma[2])
    return major >= bound if pragma[1] == ">=" else major < bound


@cache
def list_queries() -> tuple[str, ...]:
    """Names of the files, the one that gives the union its types first."""
    folder = resources.files("monitor.sources").joinpath("queries")
    names = {item.name.removesuffix(".sql") for item in folder.iterdir()}
    return (_FIRST, *sorted(name for name in names if name != _FIRST and not name.startswith("_")))


@cache
def make_catalog_statement(major: int) -> str:
    """The whole statement for a server of ``major``; newer ones get the newest we know.

    Raises:
        UsageError: the server is older than the oldest that PostgreSQL supports.
    """
    if major < MAJORS.start:
        raise UsageError(
            f"PostgreSQL {major} is older than {MAJORS.start}, the oldest that is supported.",
            next_step="Upgrade the server.",
        )
    known = min(major, MAJORS.stop - 1)
    parts = [
        f"/* anchorwatch {name} */ {read_query(name, major=known)}" for name in list_queries()
    ]
    return "/* anchorwatch catalog */\n" + "\nunion all\n".join(parts)


async def take_snapshot(session: Session, *, builder: str | None = None) -> Snapshot:
    """The schema and the Alembic rows of the session's database, in one transaction.

    Raises:
        LookError: the database could not be read, see its subclasses.
    """
    statement = make_catalog_statement(session.facts.major)
    async with session.reading() as reader:
        rows = await reader.fetch(statement)
        tables = [await _read_version_table(reader, place) for place in find_version_tables(rows)]
    return await asyncio.to_thread(_decode, rows, tables, builder)


def _decode(
    rows: list[tuple[str | None, ...]], tables: list[VersionTable], builder: str | None
) -> Snapshot:
    """Decode away from the event loop: thousands of tables take longer than a beat.

    The garbage collector rests meanwhile: it would walk the new objects again and
    again, and none of them is part of a cycle.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return decode(rows, version_tables=tables, builder=builder)
    finally:
        if was_enabled:
            gc.enable()


async def _read_version_table(reader: Reader, place: VersionTablePlace) -> VersionTable:
    revisions = None
    if place.is_readable:
        table = f"{quote_ident(place.schema)}.{quote_ident(place.name)}"
        rows = await reader.fetch(
            f"/* anchorwatch versions */ select version_num::text from {table}"  # noqa: S608  # quoted
        )
        revisions = tuple(sorted(row[0] for row in rows if row[0] is not None))
    return VersionTable(
        schema=place.schema, name=place.name, width=place.width, revisions=revisions
    )
