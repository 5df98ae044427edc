"""One read of a database: the rows first, then the texts that are not known yet.

Rows come in one statement, of one moment, and wait for no lock. Texts are deparsed by the
server from what the catalog holds *then*, and lock what they are of: expressions a table
at a time, for a moment; queries all that they read until the transaction ends, so few are
read in one. So that rows and texts are of one schema, the rows are read again afterwards
when anything was committed meanwhile, and the read goes on until they are the same. Only
what is changed and changed back within one read is not noticed.

Sources: https://www.postgresql.org/docs/current/explicit-locking.html and `ruleutils.c`.
"""

import asyncio
import gc
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import batched
from typing import Final, NamedTuple

import msgspec

from monitor.core.activity import Activity
from monitor.core.decode import (
    EXPRESSIONS,
    QUERIES,
    Draft,
    KnownTexts,
    VersionTablePlace,
    find_moment,
    find_version_tables,
    hash_rows,
    read_texts,
)
from monitor.core.decode.rows import Place
from monitor.core.errors import Interrupted, LookError, Migrating
from monitor.core.kinds import Value
from monitor.core.quoting import quote_ident
from monitor.core.snapshot import Snapshot, VersionTable
from monitor.sources.catalog import make_catalog_statement, make_text_statement
from monitor.sources.postgres import Session
from monitor.sources.rows import Reader

TRIES: Final = 3
"""A schema that is another one after three reads in a row is being migrated."""
QUERIES_AT_ONCE: Final = 50
"""Views and their kin in one transaction: what they read stays locked until it ends."""
MOST_VERSIONS: Final = 1000
"""More than any history has branches; somebody's table may have millions of rows."""
NOTHING_KNOWN: Final = KnownTexts()

_MOMENT: Final = "/* anchorwatch moment */ select pg_catalog.pg_current_snapshot()::text"

type Rows = list[tuple[str | None, ...]]


class Reading(NamedTuple):
    """What a read found.

    Attributes:
        snapshot: the schema and the Alembic rows.
        activity: what other sessions were doing to the schema.
        texts: what makes the next read of this database cheaper.
        is_superuser: whether the role that read it may do anything.
    """

    snapshot: Snapshot
    activity: Activity
    texts: KnownTexts
    is_superuser: bool


class _Raw(NamedTuple):
    """The rows of one moment."""

    rows: Rows
    version_tables: list[VersionTable]


class _Worded(NamedTuple):
    """A draft with its texts, and whether any of them was read just now."""

    draft: Draft
    texts: dict[Place, Value]
    is_new: bool


async def take_snapshot(session: Session, *, builder: str | None = None) -> Snapshot:
    """The schema and the Alembic rows of the session's database; raises as `read_schema`."""
    return (await read_schema(session, builder=builder)).snapshot


async def read_schema(
    session: Session, *, known: KnownTexts = NOTHING_KNOWN, builder: str | None = None
) -> Reading:
    """Read the session's database.

    Args:
        session: an open connection.
        known: what an earlier read of the same database found.
        builder: the role that built it in a shadow.

    Raises:
        Migrating: the schema changed under every try, or somebody locks what has a text
            that is not known.
        LookError: the database could not be read, see its subclasses.
    """
    raw = await _read_rows(session)
    for _ in range(TRIES):
        try:
            worded = await _add_texts(session, raw, known)
            known = _remember(worded)
            later = await _read_later(session, raw) if worded.is_new else raw
            if later is raw or await asyncio.to_thread(hash_rows, later.rows) == known.rows:
                snapshot = await asyncio.to_thread(_finish, worded, raw.version_tables, builder)
                activity = worded.draft.activity
                return Reading(snapshot, activity, known, session.facts.is_superuser)
            raw = later
        except Interrupted:
            raw = await _read_rows(session)  # raises where the connection is gone
    raise Migrating(
        f"{session.label} changed while it was read, {TRIES} times in a row.",
        next_step="Wait for the migration to end: anchorwatch looks again by itself.",
    )


async def _read_rows(session: Session) -> _Raw:
    async with session.reading() as reader:
        rows = await reader.fetch(make_catalog_statement(session.facts.major))
        tables = [await _read_version_table(reader, place) for place in find_version_tables(rows)]
    return _Raw(rows, tables)


async def _read_version_table(reader: Reader, place: VersionTablePlace) -> VersionTable:
    revisions = None
    if place.is_readable:
        table = f"{quote_ident(place.schema)}.{quote_ident(place.name)}"
        rows = await reader.fetch(
            f"/* anchorwatch versions */ select version_num::text from {table} "  # noqa: S608  # quoted
            f"limit {MOST_VERSIONS + 1}"
        )
        if len(rows) > MOST_VERSIONS:
            raise LookError(
                f"The version table {table} has more than {MOST_VERSIONS} rows.",
                next_step="Keep one row for each head: `alembic stamp --purge heads`, once that "
                "is what the schema is.",
            )
        revisions = tuple(sorted(row[0] for row in rows if row[0] is not None))
    return VersionTable(
        schema=place.schema, name=place.name, width=place.width, revisions=revisions
    )


async def _read_later(session: Session, raw: _Raw) -> _Raw:
    """``raw`` itself where nothing was committed since, else the rows as they are now."""
    async with session.reading() as reader:
        [(moment,)] = await reader.fetch(_MOMENT)
    return raw if moment == find_moment(raw.rows) else await _read_rows(session)


async def _add_texts(session: Session, raw: _Raw, known: KnownTexts) -> _Worded:
    if not known.texts:
        draft, texts = await _draft_and_read(session, raw)
    else:
        draft = await asyncio.to_thread(_quietly, lambda: Draft(raw.rows))
        texts = known.keep(draft.slots, draft.remembered)
    missing = [slot.place for slot in draft.slots if slot.place not in texts]
    if not missing:
        return _Worded(draft, texts, is_new=not known.texts)
    texts |= await _read_missing(session, missing)
    return _Worded(draft, texts, is_new=True)


async def _draft_and_read(session: Session, raw: _Raw) -> tuple[Draft, dict[Place, Value]]:
    """The draft and all expressions: they need each other only at the end.

    Neither is left alone when the other fails: the session can do one thing at a time.
    """
    drafting = asyncio.create_task(asyncio.to_thread(_quietly, lambda: Draft(raw.rows)))
    try:
        texts = await _read_some(session, EXPRESSIONS, None)
    finally:
        await asyncio.wait([drafting])
    return drafting.result(), texts


async def _read_missing(session: Session, missing: Iterable[Place]) -> dict[Place, Value]:
    """Expressions in one transaction, queries few at a time."""
    texts: dict[Place, Value] = {}
    rows = {(catalog, oid) for catalog, oid, _ in missing}
    expressions = [row for row in rows if row[0] in EXPRESSIONS]
    queries = sorted(row for row in rows if row[0] in QUERIES)
    for catalogs, some in (
        (EXPRESSIONS, expressions),
        *((QUERIES, batch) for batch in batched(queries, QUERIES_AT_ONCE)),
    ):
        if some:
            texts |= await _read_some(session, catalogs, _group(some))
    return texts


def _group(rows: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = defaultdict(list)
    for catalog, oid in rows:
        grouped[catalog].append(oid)
    return grouped


async def _read_some(
    session: Session, catalogs: Iterable[str], oids: Mapping[str, Iterable[str]] | None
) -> dict[Place, Value]:
    statement = make_text_statement(session.facts.major, catalogs, oids)
    async with session.reading() as reader:
        return read_texts(await reader.fetch(statement))


def _remember(worded: _Worded) -> KnownTexts:
    texts = worded.texts
    return msgspec.structs.replace(
        worded.draft.remembered,
        texts={
            slot.place: (slot.version, texts[slot.place])
            for slot in worded.draft.slots
            if slot.place in texts
        },
    )


def _finish(worded: _Worded, tables: Iterable[VersionTable], builder: str | None) -> Snapshot:
    return _quietly(
        lambda: worded.draft.finish(worded.texts, version_tables=tables, builder=builder)
    )


def _quietly[T](work: Callable[[], T]) -> T:
    """Do it while the garbage collector rests.

    It would walk the new objects again and again, and none of them is part of a cycle.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return work()
    finally:
        if was_enabled:
            gc.enable()
