"""No planted drift is taken for another spelling."""

import pytest

from monitor.checks.spelling import Spellings
from monitor.core.diff import diff
from monitor.core.doubts import find_doubts
from monitor.sources.build import BuildOptions
from monitor.sources.engine import Cluster
from tests.cases.reader import describe, read_cases
from tests.sources.workshop import opened_workshop


@pytest.mark.long
async def test_no_planted_drift_is_taken_for_a_spelling(server: Cluster) -> None:
    spellings = Spellings(BuildOptions(shadow_url=server.url()))
    wrong: dict[str, tuple[str, ...]] = {}
    tried = 0
    async with opened_workshop(server) as workshop:
        for case in read_cases():
            if case.major > server.major or case.runs_apart:
                continue
            expected = (await workshop.template(case)).snapshot
            actual = await workshop.plant(case)
            difference = diff(expected, actual)
            tried += bool(find_doubts(difference))
            told = describe(await spellings.settle(expected, actual, difference))
            if told != describe(difference):
                wrong[str(case)] = told
    assert wrong == {}
    assert tried
