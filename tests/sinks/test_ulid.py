"""Identifiers that sort by time."""

import itertools
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from monitor.sinks.ulid import make_ulid
from tests.sinks.builders import NOW


@given(st.lists(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), min_size=2))  # noqa: DTZ001 - made aware below
def test_identifiers_sort_by_time_and_are_unique(moments: list[datetime]) -> None:
    moments = [
        it.replace(tzinfo=NOW.tzinfo, microsecond=it.microsecond // 1000 * 1000) for it in moments
    ]
    made = [(moment, make_ulid(moment)) for moment in moments]
    assert len({id_ for _, id_ in made}) == len(made)
    for (one, first), (two, second) in itertools.pairwise(made):
        assert len(first) == 26
        assert one == two or (one < two) is (first < second)
