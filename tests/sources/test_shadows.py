import pytest

from monitor.core.errors import BuildError
from monitor.core.source import parse_source
from monitor.sources.build import BuildOptions
from monitor.sources.engine import Cluster
from monitor.sources.expected import read_source
from monitor.sources.shadow import Scratch
from monitor.sources.shadows import open_shadows
from tests.sources.shadow_peers import find_leftovers


async def test_no_server_is_started_before_one_is_needed(database: str) -> None:
    nowhere = BuildOptions(shadow_url="postgresql://nobody@127.0.0.1:1/none")
    async with open_shadows(nowhere) as shadows:
        await read_source(parse_source(database), nowhere, shadows=shadows)


async def test_a_server_is_kept_for_the_next_source() -> None:
    async with open_shadows(BuildOptions()) as shadows:
        assert await shadows.get() is await shadows.get()


async def test_a_missing_role_is_tried_once_with_a_stand_in(server: Cluster) -> None:
    tries: list[tuple[str, ...]] = []

    async def work(scratch: Scratch) -> None:
        tries.append(scratch.stand_ins)
        raise BuildError(f'role "{"ab"[len(tries) > 1]}" does not exist', next_step="x")

    async with open_shadows(BuildOptions(shadow_url=server.url())) as shadows:
        with pytest.raises(BuildError):
            await shadows.build(work)
    assert tries == [(), ("a",), ("a", "b")]
    assert await find_leftovers(server.url()) == []


async def test_a_claim_that_a_superuser_is_missing_gives_no_right(server: Cluster) -> None:
    tries: list[tuple[str, ...]] = []

    async def work(scratch: Scratch) -> None:
        tries.append(scratch.stand_ins)
        raise BuildError('role "postgres" does not exist', next_step="x")

    async with open_shadows(BuildOptions(shadow_url=server.url())) as shadows:
        with pytest.raises(BuildError):
            await shadows.build(work)
    assert tries == [(), ()]
