"""Planted drift is told alike when what is expected was built on another major."""

import pytest

from monitor.core.diff import Difference, diff
from monitor.core.snapshot import Snapshot
from monitor.sources.catalog import MAJORS
from monitor.sources.engine import find_binaries, running_cluster
from tests.cases.reader import Case, describe, read_cases
from tests.sources.workshop import Workshop, opened_workshop

PAIRS = [(old, old + 1) for old in MAJORS[:-1]] + [
    (MAJORS[0], MAJORS[-1]),
    (MAJORS[-1], MAJORS[0]),
    (MAJORS[2], MAJORS[1]),
]


async def plant(workshop: Workshop, case: Case) -> Snapshot:
    if case.runs_apart:
        return await workshop.plant_for_good(case)
    return await workshop.plant(case)


def tell(difference: Difference, case: Case) -> tuple[str, ...]:
    """What is told beyond versions of extensions, which each major brings its own of."""
    told = describe(difference)
    return tuple(line for line in told if line in case.expected or not is_version(line))


def is_version(line: str) -> bool:
    return line.startswith("altered extension") and line.endswith(": version")


@pytest.mark.long
@pytest.mark.parametrize(("old", "new"), PAIRS)
async def test_a_drift_is_told_alike_across_majors(old: int, new: int) -> None:
    wrong: dict[str, tuple[str, ...]] = {}
    with (
        running_cluster(find_binaries(old)) as expecting,
        running_cluster(find_binaries(new)) as running,
    ):
        async with opened_workshop(expecting) as here, opened_workshop(running) as there:
            for case in read_cases():
                if case.major > min(old, new):
                    continue
                expected = (await here.template(case)).snapshot
                told = tell(diff(expected, await plant(there, case)), case)
                if told != case.expected:
                    wrong[str(case)] = told
    assert wrong == {}
