"""Names with a date in them: which of them the server's clock has made, and another day's."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.dated import find_dates, move_dated
from monitor.core.keys import ObjectKey
from tests.core.builders import a_table

TODAY = date(2026, 11, 26)


def move(names: list[str], said: frozenset[str] | None) -> list[str]:
    objects = {item.key: item for item in [a_table(name, columns=[]) for name in names]}
    return sorted(key.name for key in move_dated(objects, TODAY, said))


def list_left(names: list[str], said: frozenset[str] | None) -> list[str]:
    return sorted({*names} & {*move(names, said)})


@pytest.mark.parametrize(
    ("names", "said", "left"),
    [
        (["e_2026_11", "e_2026_12", "e_2027_01"], (), []),
        (["e_2026_11", "e_2026_12"], ("2026_12",), ["e_2026_12"]),
        (["e_2026_11"], ("2026_11",), ["e_2026_11"]),
        # A loop from a date on that a statement says: it names months in a form of its own.
        (["e_2026_11", "e_2026_12"], ("2026-11-01",), ["e_2026_11", "e_2026_12"]),
        (["e_20261126", "e_20261127"], ("2026-11-26",), ["e_20261126", "e_20261127"]),
        (["e_2026_11", "e_2026_12"], ("2026-11-20", "2026-12-01"), []),
        (["e_20261126", "e_20261127", "e_20261203"], (), []),
        (["e_2026_11", "e_2026_12"], ("e_2026",), ["e_2026_11", "e_2026_12"]),
        (["e_2026_11", "e_2026_12"], ("f_2026", "2026", "e_2025"), []),
        (["e_2026_11", "e_2026_12"], None, ["e_2026_12"]),
        (["e_2026_10", "e_2026_11", "e_2026_12"], (), []),
        # A series that begins long ago or far ahead has nothing to do with today.
        (["e_2024_01", "e_2026_11", "e_2026_12"], (), ["e_2024_01", "e_2026_11", "e_2026_12"]),
        (["e_2029_01", "e_2029_02"], (), ["e_2029_01", "e_2029_02"]),
        (["f_2024_01", "e_2026_12"], (), ["f_2024_01"]),
        (["e_20261131", "e_2026_13", "e_1126_11"], (), ["e_1126_11", "e_20261131", "e_2026_13"]),
    ],
)
def test_what_is_named_after_the_clock_is_named_after_another_day(
    names: list[str], said: tuple[str, ...] | None, left: list[str]
) -> None:
    assert list_left(names, None if said is None else frozenset(said)) == left


months = st.dates(date(2026, 9, 1), date(2027, 12, 31))


@given(st.sets(months, min_size=1), st.sampled_from(["%Y_%m", "%Y%m%d", "%Y-%m-%d", "%Ym%m"]))
def test_no_two_names_are_moved_to_one(days: set[date], form: str) -> None:
    names = {f"e_{day.strftime(form)}" for day in days}
    assert len(move([*names], frozenset())) == len(names)


def test_a_table_that_is_moved_takes_along_what_belongs_to_it_and_what_mentions_it() -> None:
    log = a_table("log_2026_12", columns=[], comment="of 2026_12")
    heir = a_table("heir", columns=[], inherits=[["public", "log_2026_12"]], comment="of 2026_12")
    moved = move_dated({item.key: item for item in (log, heir)}, TODAY, frozenset())
    told = {key.name: item for key, item in moved.items()}
    assert told["log_2029_06"].get("comment") == "of 2029_06"
    assert told["heir"].get("inherits") == [["public", "log_2029_06"]]
    assert told["heir"].get("comment") == "of 2026_12"
    assert all(isinstance(key, ObjectKey) for key in moved)


def test_dates_are_found_as_they_are_written() -> None:
    text = "create table a_2026_11, b20261126 values ('2026-11-26') 2026112 2026-13 x2026m02"
    assert [*find_dates(text)] == ["2026_11", "20261126", "2026-11-26", "2026", "2026m02"]


@pytest.mark.parametrize(
    ("text", "stems"),
    [
        ("execute format('create table rep_2026_%s', n)", ["rep_2026"]),
        ("execute 'create table rep2026' || n", ["rep2026"]),
        ("to_char(now(), '\"rep_\"YYYY_MM')", []),
        ("create table rep_2026_11 (a int)", []),
        ("create table rep_12026_%s", []),
        ("create table rep_2026_13", ["rep_2026"]),
    ],
)
def test_a_name_up_to_its_year_is_said_by_a_loop_over_months(text: str, stems: list[str]) -> None:
    assert [it for it in find_dates(text) if it != "2026_11"] == stems
