"""Planted drift is told alike when what is expected was built on another major.

Compared as the product does it: a server that reads both sides says which texts differ only
in how a major writes them. Each case is planted once a major, and each two majors are compared
both ways.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from itertools import permutations
from typing import NamedTuple

import pytest

from monitor.checks.comparison import compare
from monitor.checks.spelling import Spellings
from monitor.core.difference import Difference
from monitor.core.scope import Scope
from monitor.core.scope_partitions import Children
from monitor.core.snapshot import Snapshot
from monitor.sources.build import BuildOptions
from monitor.sources.catalog import MAJORS
from monitor.sources.engine import Cluster, find_binaries, running_cluster
from tests.cases.reader import Case, describe, read_cases
from tests.sources.workshop import Workshop, opened_workshop

EVERYTHING = Scope(managed=True, partitions=Children.STRICT)
"""What the cases are about: nothing is left out."""


class Planted(NamedTuple):
    """A case on one major."""

    expected: Snapshot
    actual: Snapshot


type PlantAll = Callable[[int], dict[str, Planted]]


@pytest.fixture(scope="module")
def clusters() -> Iterator[dict[int, Cluster]]:
    """A server of every major."""
    with ExitStack() as stack:
        yield {
            major: stack.enter_context(running_cluster(find_binaries(major), listen="loopback"))
            for major in MAJORS
        }


@pytest.fixture(scope="module")
def planted(clusters: dict[int, Cluster]) -> PlantAll:
    """What the cases make of their templates on a major, by the names of the cases."""
    return cache(lambda major: asyncio.run(plant_all(clusters[major])))


async def plant_all(cluster: Cluster) -> dict[str, Planted]:
    async with opened_workshop(cluster) as workshop:
        return {
            str(case): Planted(
                (await workshop.template(case)).snapshot, await plant(workshop, case)
            )
            for case in read_cases()
            if case.major <= cluster.major
        }


async def plant(workshop: Workshop, case: Case) -> Snapshot:
    if case.runs_apart:
        return await workshop.plant_for_good(case)
    return await workshop.plant(case)


def tell(difference: Difference, case: Case) -> tuple[str, ...]:
    """What is told beyond what the two servers bring along."""
    told = describe(difference)
    return tuple(line for line in told if line in case.expected or not is_of_the_servers(line))


def is_of_the_servers(line: str) -> bool:
    """Versions of extensions, of which each major has its own, and proven spellings."""
    is_version = line.startswith("altered extension") and line.endswith(": version")
    return is_version or line.startswith("note spelling ")


@pytest.mark.long
@pytest.mark.parametrize(("old", "new"), [*permutations(MAJORS, 2)])
async def test_a_drift_is_told_alike_across_majors(
    old: int, new: int, clusters: dict[int, Cluster], planted: PlantAll
) -> None:
    here, there = await asyncio.to_thread(planted, old), await asyncio.to_thread(planted, new)
    reader = clusters[max(old, new)]
    spellings = Spellings(BuildOptions(shadow_url=reader.url()))
    wrong: dict[str, tuple[str, ...]] = {}
    for case in read_cases():
        if case.major > min(old, new):
            continue
        name = str(case)
        told = tell(
            await compare(
                here[name].expected, there[name].actual, EVERYTHING, spellings=spellings
            ),
            case,
        )
        if told != case.expected:
            wrong[name] = told
    assert wrong == {}
