"""Values that come out differently at each build."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.kinds import Value
from monitor.core.likeness import is_like, make_typical

MOMENTS = st.datetimes(datetime(2001, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # bounds are naive
FORMS = st.sampled_from(
    [
        lambda at: f"'{at:%Y-%m-%d %H:%M:%S.%f}+00'::timestamp with time zone",
        lambda at: f"'{at:%Y-%m-%d}'::date",
        lambda at: f"nextval('seq_{at:%Y}_{at:%m}'::regclass)",
        lambda at: f'\'{{"at": "{at.isoformat()}", "n": {int(at.timestamp())}}}\'::jsonb',
    ]
)


@given(form=FORMS, moments=st.tuples(MOMENTS, MOMENTS, MOMENTS))
def test_what_two_builds_make_is_like_their_typical_values(
    form: Callable[[datetime], str], moments: tuple[datetime, datetime, datetime]
) -> None:
    one, other, third = map(form, moments)
    if one == other:
        return
    typical = make_typical(one, other)
    assert is_like(*typical, one)
    assert is_like(*typical, other)
    assert is_like(*typical, third) or not is_like(one, other, third)


@pytest.mark.parametrize(
    ("one", "other", "typical"),
    [
        (
            "'2026-11-27 01:22:26.123+00'::timestamp with time zone",
            "'2028-04-11 06:29:37+00'::timestamp with time zone",
            "'2000-01-01 00:00:00'::timestamp with time zone",
        ),
        ("'2026-11-27'::date", "'0-0-0'::date", "'2000-01-01'::date"),
        ("'9f1c-22'::text", "'0a2b-31'::text", "'0-0'::text"),
        ("'zebra'::text", "'yak'::text", "'x'::text"),
        ([1, "a1"], [1, "b2"], [1, "0"]),
        (7, 8, None),
    ],
)
def test_a_typical_value_says_nothing_of_its_build(
    one: Value, other: Value, typical: Value
) -> None:
    assert make_typical(one, other)[0] == typical
    assert make_typical(other, one)[0] == typical or "0-0-0" in str(other)
