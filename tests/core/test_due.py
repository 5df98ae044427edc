"""Which names a build of today gives to days to come."""

from datetime import date

import pytest

from monitor.core.due import Clock, is_later, list_due
from tests.core.builders import a_table

TODAY = date(2026, 11, 26)
LATER = date(2028, 4, 9)


@pytest.mark.parametrize(
    ("names", "today", "due"),
    [
        # Of the server's day: the month runs on, and on its last days nobody knows where.
        (["e_2026_11", "e_2026_12"], TODAY, ["e_2026_11", "e_2026_12"]),
        (["e_2026_11", "e_2026_12"], date(2026, 11, 30), ["e_2026_12"]),
        (["e_2026_10", "e_2026_11"], TODAY, ["e_2026_11"]),
        (["e_2026_12", "e_2027_01"], TODAY, ["e_2026_12", "e_2027_01"]),
        (
            [f"e_202611{day}" for day in (26, 27, 28, 29)],
            TODAY,
            ["e_20261128", "e_20261129"],
        ),
        (
            ["e_20261101_20261201", "e_20261201_20270101"],
            TODAY,
            ["e_20261101_20261201", "e_20261201_20270101"],
        ),
        # Of the day in which the application believed: as it would call them today.
        (["e_2028_04", "e_2028_05"], TODAY, ["e_2026_11", "e_2026_12"]),
        (["e_2028_05", "e_2028_06"], TODAY, ["e_2026_12", "e_2027_01"]),
        (
            [f"e_202804{day:02}" for day in (9, 10, 11)],
            TODAY,
            ["e_20261128"],
        ),
        # One alone, one with a gap and one of weeks tell nothing, nor does one of another time.
        (["e_2026_11"], TODAY, []),
        (["e_2026_11", "e_2027_01"], TODAY, []),
        (["e_20261123", "e_20261130"], TODAY, []),
        (["e_2024_11", "e_2024_12"], TODAY, []),
        (["e_2026_13", "e_2026_14"], TODAY, []),
        (["e_2026_11", "f_2026_12"], TODAY, []),
    ],
)
def test_days_to_come_are_due_where_each_follows_the_one_before(
    names: list[str], today: date, due: list[str]
) -> None:
    assert sorted(list_due(names, Clock(today, LATER))) == due


def test_where_the_application_knew_today_no_other_day_begins_a_row() -> None:
    assert not list_due(["e_2028_04", "e_2028_05"], Clock(TODAY))


@pytest.mark.parametrize(
    ("one", "other", "is_so"),
    [
        ("e_2026_12", "e_2026_11", True),
        ("e_2026_11", "e_2026_12", False),
        ("e_2026_11", "e_2026_11", False),
        ("e_2027_01", "e_2026_12", True),
        ("e_2027_01", "e", False),
        ("e", "f", False),
    ],
)
def test_a_name_of_a_later_day_is_told(one: str, other: str, *, is_so: bool) -> None:
    ours, theirs = (a_table(name, columns=[]).key for name in (one, other))
    assert is_later(ours, theirs) is is_so
