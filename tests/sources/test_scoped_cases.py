"""What is compared, and what is left out, on a real server: told exactly, and counted."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from monitor.core.scope import compare
from monitor.sources.engine import Cluster
from tests.cases.reader import Case, describe_graded, read_scoped_cases
from tests.sources.workshop import Workshop, opened_workshop

CASES = read_scoped_cases()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workshop(server: Cluster) -> AsyncIterator[Workshop]:
    """One for all cases, so that each file is set up once."""
    async with opened_workshop(server) as place:
        yield place


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", CASES, ids=str)
async def test_what_is_compared_is_told_exactly(case: Case, workshop: Workshop) -> None:
    if workshop.server.major < case.major:
        pytest.skip(f"only PostgreSQL {case.major} and newer can do this")
    expected = (await workshop.template(case)).snapshot
    difference = compare(expected, await workshop.plant(case), case.scope)
    assert describe_graded(difference) == case.expected


def test_titles_of_scoped_cases_are_unique() -> None:
    names = [str(case) for case in CASES]
    assert len(set(names)) == len(names)
