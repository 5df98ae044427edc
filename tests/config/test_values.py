"""Durations, names and what an address may be."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from monitor.config.values import (
    NAME,
    Expected,
    check_http_url,
    correct_name,
    format_duration,
    parse_duration,
)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("500ms", timedelta(milliseconds=500)),
        ("60s", timedelta(minutes=1)),
        ("1.5h", timedelta(minutes=90)),
        (" 5 m ", timedelta(minutes=5)),
        ("24h", timedelta(days=1)),
        ("7d", timedelta(days=7)),
        ("0s", timedelta(0)),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text", ["", "5", "s", "5 minutes", "-1s", "1e3s", "5M", "\u0665s", None, 5]
)
def test_anything_else_is_no_duration(text: object) -> None:
    with pytest.raises(PydanticCustomError):
        parse_duration(text)


@given(st.integers(min_value=0, max_value=10**9))
def test_a_duration_that_is_written_is_read_back(milliseconds: int) -> None:
    duration = timedelta(milliseconds=milliseconds)
    assert parse_duration(format_duration(duration)) == duration


@given(st.text())
def test_a_corrected_name_is_one_and_a_good_one_stays(text: str) -> None:
    assert NAME.fullmatch(correct_name(text))
    assert correct_name(correct_name(text)) == correct_name(text)


@given(st.text())
def test_any_text_is_a_url_or_refused(text: str) -> None:
    for url in (text, f"https://{text}"):
        try:
            assert check_http_url(url) == url
        except PydanticCustomError:
            continue


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("alembic:a.ini@head", "alembic:a.ini"),
        ("sql:schema.sql", "sql:schema.sql"),
        ("other_database", "other_database"),
        ("postgresql://u:hunter2@h/d?options=hunter2", "h:5432/d"),
        ("host=h user=u password=hunter2 dbname=d", "h:5432/d"),
        ("postgres://u:hunter2@h:x/d", "********"),
        ("nonsense hunter2", "********"),
    ],
)
def test_an_expectation_is_shown_without_its_password(text: str, shown: str) -> None:
    assert str(Expected(text)) == shown
    assert "hunter2" not in repr(Expected(text))
