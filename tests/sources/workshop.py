"""A server on which the schemas of cases stand, each set up once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import uuid4

import asyncpg

from monitor.core.decode import EXPRESSIONS, QUERIES, Draft, KnownTexts, read_texts
from monitor.core.snapshot import Snapshot
from monitor.sources.catalog import make_catalog_statement, make_text_statement
from monitor.sources.dsn import parse_dsn
from monitor.sources.engine import Cluster
from monitor.sources.postgres import PINNED, connect
from monitor.sources.reading import read_schema, take_snapshot
from tests.cases.reader import Case
from tests.conftest import make_clone

type Admin = asyncpg.Connection[asyncpg.Record]

CATALOGS = (*EXPRESSIONS, *QUERIES)

SERVER = (
    "create role case_owner; create role case_reader; create role case_writer",
    "create role case_super superuser",
    "set allow_in_place_tablespaces = on",
    "create tablespace case_space location ''",
)
TIDY = (
    "drop tablespace case_space",
    "drop role case_owner, case_reader, case_writer, case_super",
)


class Template(NamedTuple):
    """The database that a case file sets up."""

    name: str
    connection: Admin
    snapshot: Snapshot
    known: KnownTexts


def decode_knowing(
    known: KnownTexts, rows: list[tuple[Any, ...]], texts: list[tuple[Any, ...]]
) -> Snapshot:
    """What the rows and texts say; no text that is kept from before may have changed."""
    draft, read = Draft(rows), read_texts(texts)
    kept = known.keep(draft.slots, draft.remembered)
    assert kept == {place: text for place, text in read.items() if place in kept}
    return draft.finish(read)


@dataclass
class Workshop:
    """The run's server with the roles and the tablespace that cases use.

    Attributes:
        server: the run's server.
        templates: for each case file its database, set up, and what it is.
    """

    server: Cluster
    templates: dict[str, Template] = field(default_factory=dict)

    async def template(self, case: Case) -> Template:
        """The database that a case's file sets up, a connection to it, and its snapshot."""
        if case.file not in self.templates:
            name = f"cases_{case.file}_{uuid4().hex[:8]}"
            await self.run("postgres", make_clone(self.server, name))
            await self.run(name, case.setup)
            builder = self.server.superuser if case.is_built else None
            async with connect(parse_dsn(self.server.url(name))[0]) as session:
                reading = await read_schema(session, builder=builder)
            connection = await asyncpg.connect(self.server.socket_url(name))
            self.templates[case.file] = Template(name, connection, reading.snapshot, reading.texts)
        return self.templates[case.file]

    async def plant(self, case: Case) -> Snapshot:
        """What a case makes of its template, which stays as it is: all is rolled back."""
        connection = (await self.template(case)).connection
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute(case.ddl)
            await connection.execute("; ".join(f"set local {k} = '{v}'" for k, v in PINNED))
            rows = await connection.fetch(make_catalog_statement(self.server.major))
            texts = await connection.fetch(make_text_statement(self.server.major, CATALOGS))
        finally:
            await transaction.rollback()
        known = self.templates[case.file].known
        return decode_knowing(known, [tuple(row) for row in rows], [tuple(row) for row in texts])

    async def plant_for_good(self, case: Case) -> Snapshot:
        """The same in a clone, for statements that refuse to run in a transaction."""
        template = await self.template(case)
        await template.connection.close()
        name = f"case_{uuid4().hex[:12]}"
        await self.run("postgres", make_clone(self.server, name, template.name))
        connection = await asyncpg.connect(self.server.socket_url(template.name))
        self.templates[case.file] = template._replace(connection=connection)
        await self.run(name, *case.ddl.splitlines())
        try:
            return await self.look(name)
        finally:
            await self.run("postgres", f"drop database {name}")

    async def run(self, database: str, *scripts: str) -> None:
        """Run scripts in a database as the superuser."""
        connection = await asyncpg.connect(self.server.socket_url(database))
        try:
            for script in scripts:
                await connection.execute(script)
        finally:
            await connection.close()

    async def look(self, database: str) -> Snapshot:
        """Take a snapshot of a database, as anchorwatch does."""
        async with connect(parse_dsn(self.server.url(database))[0]) as session:
            return await take_snapshot(session)


@asynccontextmanager
async def opened_workshop(server: Cluster) -> AsyncIterator[Workshop]:
    """A workshop that leaves nothing on its server."""
    place = Workshop(server)
    await place.run("postgres", *SERVER)
    try:
        yield place
    finally:
        for template in place.templates.values():
            await template.connection.close()
        drops = [f"drop database {template.name}" for template in place.templates.values()]
        await place.run("postgres", *drops, *TIDY)
