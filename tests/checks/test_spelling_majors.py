"""What one major wrote, compared with what another one did: nothing differs in more than words."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from monitor.checks.comparison import compare
from monitor.checks.spelling import Spellings
from monitor.core.snapshot import Snapshot
from monitor.sources.build import BuildOptions
from monitor.sources.catalog import MAJORS
from monitor.sources.engine import Cluster, find_binaries, running_cluster
from tests.checks.builders import list_changes, list_noted
from tests.checks.test_spelling import EVERYWHERE, FILTERS_SINCE
from tests.sources.looking import look, run

OF_THE_SERVER = ("altered extension ", "altered schema public: grants")
"""No texts: versions come with the server, and so do the rights on schema public."""

SQL = EVERYWHERE[: EVERYWHERE.index("create publication")]


@pytest.fixture(scope="module")
def clusters() -> Iterator[dict[int, Cluster]]:
    """A server of every major."""
    with ExitStack() as stack:
        yield {
            major: stack.enter_context(running_cluster(find_binaries(major), listen="loopback"))
            for major in MAJORS
        }


async def make(cluster: Cluster, name: str, sql: str = "") -> str:
    await run(cluster.url(), f"drop database if exists {name}", f"create database {name}")
    if sql:
        await run(cluster.url(name), sql)
    return cluster.url(name)


def restore(old: Cluster, source: str, new: Cluster, target: str) -> None:
    """As an upgrade by dump and restore does it: the newer programs on both sides."""
    programs, environment = new.binaries.bin, new.binaries.environment()
    dump = subprocess.run(
        (programs / "pg_dump", "--dbname", source),
        env=environment,
        check=True,
        capture_output=True,
    )
    subprocess.run(
        (programs / "psql", "-qX", "-v", "ON_ERROR_STOP=1", "--dbname", target),
        input=dump.stdout,
        env=environment,
        check=True,
        capture_output=True,
    )


async def settle(expected: Snapshot, actual: Snapshot, options: BuildOptions) -> list[str]:
    difference = await compare(expected, actual, spellings=Spellings(options))
    assert list_noted(difference) | {*list_changes(difference)}
    return [line for line in list_changes(difference) if not line.startswith(OF_THE_SERVER)]


@pytest.mark.long
@pytest.mark.parametrize("old", [*MAJORS][:-1])
async def test_created_on_one_major_and_on_another_is_the_same(
    old: int, clusters: dict[int, Cluster]
) -> None:
    newest = clusters[MAJORS[-1]]
    expected = await look(await make(clusters[old], "created", SQL))
    actual = await look(await make(newest, "created", SQL))
    # Servers of our own, then a given one: the newer reads both, and so does the older.
    for options in (
        BuildOptions(),
        BuildOptions(shadow_url=newest.url()),
        BuildOptions(shadow_url=clusters[old].url()),
    ):
        assert await settle(expected, actual, options) == []
        assert await settle(actual, expected, options) == []


@pytest.mark.long
@pytest.mark.parametrize("old", [*MAJORS][:-1])
async def test_an_upgrade_by_dump_and_restore_is_no_drift(
    old: int, clusters: dict[int, Cluster]
) -> None:
    for new in range(old + 1, MAJORS[-1] + 1):
        sql = SQL if old < FILTERS_SINCE else EVERYWHERE
        source = await make(clusters[old], "upgraded", sql)
        target = await make(clusters[new], "upgraded")
        restore(clusters[old], source, clusters[new], target)
        expected, actual = await look(source), await look(target)
        options = BuildOptions(shadow_url=clusters[new].url())
        assert await settle(expected, actual, options) == []


@pytest.mark.long
@pytest.mark.parametrize("major", MAJORS)
async def test_the_proof_holds_on_every_major(major: int, clusters: dict[int, Cluster]) -> None:
    sql = SQL if major < FILTERS_SINCE else EVERYWHERE
    source = await make(clusters[major], "restored", sql)
    target = await make(clusters[major], "twice")
    restore(clusters[major], source, clusters[major], target)
    expected, actual = await look(source), await look(target)
    difference = await compare(
        expected, actual, spellings=Spellings(BuildOptions(shadow_url=clusters[major].url()))
    )
    assert list_changes(difference) == []
    assert len(list_noted(difference)) >= 15
