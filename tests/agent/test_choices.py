"""What follows from settings, before anything is built."""

import pytest

from monitor.agent.choices import MANY_DATABASES, is_compact


@pytest.mark.parametrize(
    ("detail", "databases", "expected"),
    [
        ("full", 10 * MANY_DATABASES, False),
        ("compact", 1, True),
        ("auto", MANY_DATABASES, False),
        ("auto", MANY_DATABASES + 1, True),
    ],
)
def test_zeros_are_left_out_when_there_are_too_many(
    detail: str, databases: int, *, expected: bool
) -> None:
    assert is_compact(detail, databases) is expected
