from datetime import timedelta

import pytest

from monitor.core.duration import LONGEST, read_duration


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("500ms", timedelta(milliseconds=500)),
        (" 1.5 h ", timedelta(minutes=90)),
        ("3650d", LONGEST),
        ("3651d", None),
        ("999999999999d", None),
        ("999999999999.999999h", None),
        ("-1h", None),
        ("1e3h", None),
    ],
)
def test_a_duration_is_what_people_mean_by_it_or_none(
    text: str, duration: timedelta | None
) -> None:
    assert read_duration(text) == duration
