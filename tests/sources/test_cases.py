"""Every kind of drift, planted one at a time on a real server, is told exactly."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from monitor.core.decode import EXPRESSIONS, QUERIES, Draft, KnownTexts, read_texts
from monitor.core.diff import diff
from monitor.core.keys import Kind
from monitor.core.kinds import KINDS
from monitor.core.snapshot import Snapshot, dump_snapshot
from monitor.sources.catalog import make_catalog_statement, make_text_statement
from monitor.sources.dsn import parse_dsn
from monitor.sources.engine import Cluster
from monitor.sources.postgres import PINNED, connect
from monitor.sources.reading import read_schema, take_snapshot
from tests.cases.coverage_page import NOT_ALTERED
from tests.cases.reader import Case, describe, read_cases, turn_around

type Admin = asyncpg.Connection[asyncpg.Record]

CASES = read_cases()
CATALOGS = (*EXPRESSIONS, *QUERIES)
PLANTED = "pl4nted"
"""A value of options that no snapshot may show."""

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
            await self.run("postgres", f"create database {name} template template0")
            await self.run(name, case.setup)
            async with connect(parse_dsn(self.server.url(name))[0]) as session:
                reading = await read_schema(session)
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
        await self.run("postgres", f"create database {name} template {template.name}")
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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workshop(server: Cluster) -> AsyncIterator[Workshop]:
    """One for all cases, so that each file is set up once."""
    place = Workshop(server)
    await place.run("postgres", *SERVER)
    yield place
    for template in place.templates.values():
        await template.connection.close()
    drops = [f"drop database {template.name}" for template in place.templates.values()]
    await place.run("postgres", *drops, *TIDY)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", CASES, ids=str)
async def test_a_planted_drift_is_told_exactly(case: Case, workshop: Workshop) -> None:
    if workshop.server.major < case.major:
        pytest.skip(f"only PostgreSQL {case.major} and newer can do this")
    expected = (await workshop.template(case)).snapshot
    plant = workshop.plant_for_good if " concurrently " in case.ddl else workshop.plant
    actual = await plant(case)
    difference = diff(expected, actual)
    assert describe(difference) == case.expected
    assert describe(diff(actual, expected)) == turn_around(difference)
    assert (expected.fingerprint == actual.fingerprint) == (not case.expected)
    assert PLANTED.encode() not in dump_snapshot(expected) + dump_snapshot(actual)


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_is_missed_and_found_unexpected(kind: Kind) -> None:
    told = {line.split()[:2][0] for case in CASES for line in case.expected if _is_of(line, kind)}
    assert {"missing", "unexpected"} <= told


@pytest.mark.parametrize("kind", Kind)
def test_every_attribute_of_every_kind_is_altered_by_a_case(kind: Kind) -> None:
    altered = {
        name
        for case in CASES
        for line in case.expected
        if _is_of(line, kind) and line.startswith("altered")
        for name in line.rsplit(": ", 1)[1].split(", ")
    }
    excused = {attribute for of, attribute in NOT_ALTERED if of is kind}
    assert altered - {"name"} == KINDS[kind].keys() - excused


def test_titles_of_cases_are_unique() -> None:
    names = [str(case) for case in CASES]
    assert len(set(names)) == len(names)


def _is_of(line: str, kind: Kind) -> bool:
    return line.split()[1] == kind.value
