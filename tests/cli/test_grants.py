"""`anchorwatch grants`, executed on a real server: enough to look, and nothing to write with."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from monitor.core.quoting import quote_ident
from monitor.sources.engine import Cluster
from tests.cli.conftest import RunCommand
from tests.conftest import MakeDatabase
from tests.sources.peers import administering, read
from tests.sources.shadow_peers import write_history

ROLE = "an \"odd' role"
SCHEMA = (
    "CREATE TABLE users (id int PRIMARY KEY, email text); INSERT INTO users VALUES (1, 'a');"
    "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);"
    "INSERT INTO alembic_version VALUES ('r1'); CREATE VIEW v AS SELECT email FROM users"
)
WRITES = (
    "INSERT INTO users VALUES (2, 'b')",
    "UPDATE users SET email = 'x'",
    "DELETE FROM users",
    "TRUNCATE users",
    "UPDATE alembic_version SET version_num = 'r2'",
    "DROP TABLE users",
    "ALTER TABLE users ADD x int",
    "CREATE TABLE mine (a int)",
    "CREATE SCHEMA mine",
)


async def grant(run_inside: RunCommand, server: Cluster, url: str, level: int, *more: str) -> str:
    """The URL of the role that the printed SQL makes."""
    database = read(url).database
    done = await run_inside(
        *("grants", "--role", ROLE, "--database", database, "--level", str(level), *more)
    )
    assert done.code == 0, done
    async with administering(url) as owner:
        await owner.execute(done.out)
    return server.socket_url(database, ROLE)


@pytest.fixture
async def url(make_database: MakeDatabase) -> AsyncIterator[str]:
    made = await make_database(sql=SCHEMA)
    yield made
    async with administering(made) as owner:
        await owner.execute(f"DROP OWNED BY {quote_ident(ROLE)}")
        await owner.execute(f"DROP ROLE {quote_ident(ROLE)}")


@pytest.mark.parametrize("more", [(), ("--railway",)])
async def test_level_1_is_enough_for_a_check(
    run_inside: RunCommand, server: Cluster, url: str, tmp_path: Path, more: tuple[str, ...]
) -> None:
    ini = write_history(
        tmp_path,
        'op.execute("create table users (id int primary key, email text); '
        'create view v as select email from users")',
    )
    weak = await grant(run_inside, server, url, 1, *more)
    done = await run_inside(*("check", weak, "--expected", f"alembic:{ini}", "--format", "json"))
    assert done.code == 0, done
    (database,) = done.document["databases"]
    assert database["state"] == "in_sync"
    assert database["revisions"] == ["r1"]


@pytest.mark.parametrize("level", [1, 2, 3])
async def test_nothing_can_be_written_even_by_a_role_that_wants_to(
    run_inside: RunCommand, server: Cluster, url: str, level: int
) -> None:
    weak = await grant(run_inside, server, url, level)
    async with administering(weak) as session:
        assert await session.fetchval("SHOW default_transaction_read_only") == "on"
        await session.execute("SET default_transaction_read_only = off")
        for statement in WRITES:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await session.execute(statement)


async def test_rows_can_be_read_from_level_3_on_and_not_before(
    run_inside: RunCommand, server: Cluster, url: str
) -> None:
    weak = await grant(run_inside, server, url, 3)
    async with administering(weak) as session:
        assert await session.fetchval("SELECT count(*) FROM users") == 1
    async with administering(url) as owner:
        await owner.execute(f"REVOKE SELECT ON users FROM {quote_ident(ROLE)}")
    async with administering(weak) as session:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await session.fetchval("SELECT count(*) FROM users")


async def test_level_2_sees_what_others_do(
    run_inside: RunCommand, server: Cluster, url: str
) -> None:
    weak = await grant(run_inside, server, url, 2)
    async with administering(url) as other, administering(weak) as session:
        await other.fetchval("SELECT 'watched'")
        queries = await session.fetch("SELECT query FROM pg_stat_activity WHERE pid <> 0")
        assert any("watched" in (row["query"] or "") for row in queries)


async def test_a_level_that_does_not_exist_is_a_usage_error(run_inside: RunCommand) -> None:
    done = await run_inside("grants", "--level", "4")
    assert done.code == 2, done


async def test_the_block_for_railway_is_one_line(run_inside: RunCommand) -> None:
    done = await run_inside("grants", "--railway")
    assert len(done.out.splitlines()) == 1
    assert 'ON DATABASE "railway"' in done.out


async def test_what_a_name_hides_is_shown_as_the_server_reads_it(run_inside: RunCommand) -> None:
    done = await run_inside("grants", "--role", "look\u202eer")
    assert 'CREATE ROLE U&"look\\202Eer" LOGIN' in done.out
    assert done.out.isascii()


@pytest.mark.parametrize("role", ["public", "none", "pg_watcher", "", "x" * 64, "\udcff"])
async def test_a_role_that_there_cannot_be_is_refused(run_inside: RunCommand, role: str) -> None:
    """Everybody is "public", in quotes too: psql would go on after CREATE ROLE, and grant all."""
    done = await run_inside("grants", "--role", role, "--level", "3")
    assert (done.code, done.out) == (2, ""), done


async def test_a_name_of_two_lines_is_no_line_to_paste(run_inside: RunCommand) -> None:
    assert (await run_inside("grants", "--role", "a\nb")).code == 0
    done = await run_inside("grants", "--role", "a\nb", "--railway")
    assert (done.code, done.out) == (2, ""), done
