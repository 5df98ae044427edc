import asyncio
import tempfile
from pathlib import Path

import pytest

from monitor.core.errors import BuildError, StatementFailed, UsageError
from monitor.sources.dsn import parse_dsn
from monitor.sources.engine import Cluster
from monitor.sources.postgres import connect
from monitor.sources.shadow import Scratch, ShadowServer, open_shadow
from tests.sources.shadow_peers import find_leftovers


async def run(scratch: Scratch, sql: str) -> None:
    async with connect(scratch.dsn) as session:
        await session.execute(sql)


async def fetch(scratch: Scratch, sql: str) -> object:
    async with connect(scratch.dsn) as session:
        return (await session.fetch_values(sql))[0][0]


def list_names(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


async def test_a_server_of_our_own_listens_on_a_socket_only(shadow: ShadowServer) -> None:
    async with shadow.scratch() as scratch:
        assert scratch.dsn.endpoints[0].is_socket
        assert await fetch(scratch, "show listen_addresses") == ""
        assert shadow.major == scratch.major


async def test_the_owner_of_a_scratch_is_no_superuser_but_may_create(shadow: ShadowServer) -> None:
    async with shadow.scratch() as scratch:
        await run(scratch, "create schema s; create table s.t (); create table public.t ()")
        await run(scratch, "create extension hstore")
        assert await fetch(scratch, "select rolsuper from pg_roles where rolname = user") is False
        for forbidden in (
            "create extension dblink",
            "create role other",
            "create database other",
            "copy pg_class to program 'cat'",
            "create event trigger e on ddl_command_end execute function pg_catalog.now()",
            "alter system set jit = on",
        ):
            with pytest.raises(StatementFailed):
                await run(scratch, forbidden)


async def test_scratches_on_our_own_server_have_the_same_name_one_after_the_other(
    shadow: ShadowServer,
) -> None:
    async with shadow.scratch() as first, shadow.scratch() as second:
        assert first.builder != second.builder
    async with shadow.scratch() as third:
        assert third.builder == first.builder


async def test_a_role_called_postgres_is_no_superuser_of_ours(shadow: ShadowServer) -> None:
    async with shadow.scratch(roles=("postgres", "app")) as scratch:
        await run(scratch, "create table t (); alter table t owner to postgres")
        await run(scratch, "create schema s; alter schema s owner to app; create table s.t ()")
        assert (
            await fetch(scratch, "select rolsuper from pg_roles where rolname = 'postgres'")
            is False
        )


async def test_a_scratch_on_a_given_server_leaves_nothing(server: Cluster) -> None:
    async with open_shadow(url=server.url()) as shadow:
        async with shadow.scratch(roles=("app", 'odd"; role')) as scratch:
            await run(scratch, 'create table t (); alter table t owner to "odd""; role"')
            assert scratch.database in await find_leftovers(server.url())
        assert await find_leftovers(server.url()) == []


async def test_a_failed_build_leaves_nothing(server: Cluster) -> None:
    with pytest.raises(KeyError):
        async with open_shadow(url=server.url()) as shadow, shadow.scratch(roles=("app",)):
            raise KeyError
    assert await find_leftovers(server.url()) == []


async def test_a_cancelled_build_leaves_nothing(server: Cluster) -> None:
    is_building = asyncio.Event()

    async def build() -> None:
        async with open_shadow(url=server.url()) as shadow, shadow.scratch() as scratch:
            is_building.set()
            await run(scratch, "select pg_sleep(60)")

    task = asyncio.create_task(build())
    await is_building.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await find_leftovers(server.url()) == []


async def test_a_build_that_is_cancelled_while_its_scratch_is_made_leaves_nothing(
    server: Cluster,
) -> None:
    async def build() -> None:
        async with open_shadow(url=server.url()) as shadow, shadow.scratch(roles=("app",)):
            await asyncio.Event().wait()

    admin, _ = parse_dsn(server.url())
    async with connect(admin) as session:
        task = asyncio.create_task(build())
        query = "select from pg_roles where rolname = 'app'"
        while not await session.fetch_values(query):  # noqa: ASYNC110  # the server knows
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await find_leftovers(server.url()) == []


async def test_a_server_whose_start_is_cancelled_twice_is_stopped(
    open_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(open_directory))

    async def build() -> None:
        async with open_shadow():
            pass

    task = asyncio.create_task(build())
    while not list_names(open_directory):  # noqa: ASYNC110  # a thread makes it
        await asyncio.sleep(0)
    for _ in range(2):
        task.cancel()
        await asyncio.sleep(0.01)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list_names(open_directory) == []


async def test_a_role_that_exists_is_never_granted(server: Cluster) -> None:
    names = ("postgres",)
    async with open_shadow(url=server.url()) as shadow, shadow.scratch(roles=names) as scratch:
        with pytest.raises(StatementFailed):
            await run(scratch, "set role postgres")


async def test_a_role_with_two_rights_is_enough(server: Cluster) -> None:
    admin, _ = parse_dsn(server.url())
    async with connect(admin) as session:
        await session.execute("create role builder login createdb createrole password 'b'")
        await session.execute("create role nobody_much login password 'n'")
    try:
        url = server.url().replace(f"{admin.user}:{admin.password}@", "builder:b@")
        async with open_shadow(url=url) as shadow, shadow.scratch(roles=("app",)) as scratch:
            await run(scratch, "create table t (); alter table t owner to app")
            assert not scratch.is_superuser
        with pytest.raises(UsageError, match="may not make databases and roles"):
            async with open_shadow(url=url.replace("builder:b@", "nobody_much:n@")):
                pass
        assert await find_leftovers(server.url()) == ["builder", "nobody_much"]
    finally:
        async with connect(admin) as session:
            await session.execute("drop role builder; drop role nobody_much")


async def test_a_watched_server_is_refused(server: Cluster) -> None:
    admin, _ = parse_dsn(server.url())
    async with connect(admin) as session:
        identifier = session.facts.system_identifier
    assert identifier
    with pytest.raises(UsageError, match="holds a watched database"):
        async with open_shadow(url=server.url(), forbidden=frozenset({identifier})):
            pass
    async with open_shadow(url=server.url(), forbidden=frozenset({"1"})) as shadow:
        assert shadow.major == server.major


async def test_what_went_wrong_first_is_told_before_what_could_not_be_dropped(
    server: Cluster,
) -> None:
    admin, _ = parse_dsn(server.url())

    async def fail() -> None:
        async with open_shadow(url=server.url()) as shadow, shadow.scratch() as scratch:
            async with connect(admin) as session:
                await session.execute(f"alter database postgres owner to {scratch.builder}")
            raise BuildError("first", next_step="x")

    with pytest.raises(BuildError, match="first") as caught:
        await fail()
    [note] = caught.value.__notes__
    assert "could not be dropped" in note
    async with connect(admin) as session:
        await session.execute("alter database postgres owner to postgres")
    async with open_shadow(url=server.url(), forbidden=frozenset()):
        pass  # the lease is this process's, so the sweep leaves it
    [role] = await find_leftovers(server.url())
    async with connect(admin) as session:
        await session.execute(f"drop role {role}")


async def test_a_server_of_our_own_ends_with_its_block() -> None:
    async with open_shadow() as shadow, shadow.scratch() as scratch:
        sockets = Path(scratch.dsn.host)
        assert list(sockets.iterdir())  # noqa: ASYNC240  # a folder of one file
    assert not sockets.exists()  # noqa: ASYNC240  # as above
