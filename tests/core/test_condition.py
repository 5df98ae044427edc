"""Conditions of people's inside of larger statements."""

import pytest

from monitor.core.condition import require_condition
from monitor.core.errors import UsageError


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a = 1",
        "(a or b) and c",
        "a = ')'",
        "a = $$)$$",
        "a = $b$ $2 $b$",
        "a = '$1'",
        '")" = 1',
        "a -- )",
        "a /* ) */",
    ],
)
def test_one_condition_is_taken(text: str) -> None:
    assert require_condition(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "a) or (b",
        "a)",
        "(a",
        "a; b",
        "a) -- (",
        "')' ) or ('",
        "a /* ) */ ) or (b",
        "id = $1",
        "x = '",
        'x = "',
        "x = $$",
        "$$ ) or (true",
        "a /*",
    ],
)
def test_what_would_end_what_is_around_it_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not one condition"):
        require_condition(text)
