"""Every kind of drift, planted one at a time on a real server, is told exactly."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from monitor.core.decode import decode
from monitor.core.diff import diff
from monitor.core.keys import Kind
from monitor.core.kinds import KINDS
from monitor.core.snapshot import Snapshot, dump_snapshot
from monitor.sources.catalog import make_catalog_statement, take_snapshot
from monitor.sources.dsn import parse_dsn
from monitor.sources.engine import Cluster
from monitor.sources.postgres import PINNED, connect
from tests.cases.reader import Case, describe, read_cases, turn_around

type Admin = asyncpg.Connection[asyncpg.Record]

CASES = read_cases()
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

NOT_ALTERED = {
    (Kind.TABLE, "column_order"): "a note, not a change",
    (Kind.FOREIGN_TABLE, "column_order"): "a note, not a change",
}
"""Attributes that no case alters, and why."""


@dataclass
class Workshop:
    """The run's server with the roles and the tablespace that cases use.

    Attributes:
        server: the run's server.
        templates: for each case file its database, set up, and what it is.
    """

    server: Cluster
    templates: dict[str, tuple[str, Admin, Snapshot]] = field(default_factory=dict)

    async def template(self, case: Case) -> tuple[str, Admin, Snapshot]:
        """The database that a case's file sets up, a connection to it, and its snapshot."""
        if case.file not in self.templates:
            name = f"cases_{case.file}_{uuid4().hex[:8]}"
            await self.run("postgres", f"create database {name} template template0")
            await self.run(name, case.setup)
            snapshot = await self.look(name)
            connection = await asyncpg.connect(self.server.socket_url(name))
            self.templates[case.file] = name, connection, snapshot
        return self.templates[case.file]

    async def plant(self, case: Case) -> Snapshot:
        """What a case makes of its template, which stays as it is: all is rolled back."""
        _, connection, _ = await self.template(case)
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute(case.ddl)
            await connection.execute("; ".join(f"set local {k} = '{v}'" for k, v in PINNED))
            rows = await connection.fetch(make_catalog_statement(self.server.major))
        finally:
            await transaction.rollback()
        return decode(tuple(row) for row in rows)

    async def plant_for_good(self, case: Case) -> Snapshot:
        """The same in a clone, for statements that refuse to run in a transaction."""
        template, connection, snapshot = await self.template(case)
        await connection.close()
        name = f"case_{uuid4().hex[:12]}"
        await self.run("postgres", f"create database {name} template {template}")
        connection = await asyncpg.connect(self.server.socket_url(template))
        self.templates[case.file] = template, connection, snapshot
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
    for _, connection, _ in place.templates.values():
        await connection.close()
    drops = [f"drop database {name}" for name, _, _ in place.templates.values()]
    await place.run("postgres", *drops, *TIDY)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", CASES, ids=str)
async def test_a_planted_drift_is_told_exactly(case: Case, workshop: Workshop) -> None:
    if workshop.server.major < case.major:
        pytest.skip(f"only PostgreSQL {case.major} and newer can do this")
    _, _, expected = await workshop.template(case)
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
