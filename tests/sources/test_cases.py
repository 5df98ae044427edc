"""Every kind of drift, planted one at a time on a real server, is told exactly."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from monitor.core.diff import diff
from monitor.core.keys import Kind
from monitor.core.kinds import KINDS
from monitor.core.snapshot import dump_snapshot
from monitor.sources.engine import Cluster
from tests.cases.coverage_page import NOT_ALTERED
from tests.cases.reader import Case, describe, read_cases, turn_around
from tests.sources.workshop import Workshop, opened_workshop

CASES = read_cases()
PLANTED = "pl4nted"
"""A value of options that no snapshot may show."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workshop(server: Cluster) -> AsyncIterator[Workshop]:
    """One for all cases, so that each file is set up once."""
    async with opened_workshop(server) as place:
        yield place


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", CASES, ids=str)
async def test_a_planted_drift_is_told_exactly(case: Case, workshop: Workshop) -> None:
    if workshop.server.major < case.major:
        pytest.skip(f"only PostgreSQL {case.major} and newer can do this")
    expected = (await workshop.template(case)).snapshot
    plant = workshop.plant_for_good if case.runs_apart else workshop.plant
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
