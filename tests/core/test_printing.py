"""Hostile text on a terminal: nothing in it moves a cursor, turns a line or stays unseen."""

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.printing import HIDDEN, clean

UNSEEN = "\u00ad\u034f\u115f\u200b\u3164\U000e0041"
"""Drawn as nothing: two names that differ in one of these look the same."""


@given(st.text())
def test_clean_text_moves_no_cursor_and_turns_no_line(text: str) -> None:
    assert clean(text).isprintable() or set(clean(text)) - set(text) or clean(text) == text
    assert not {letter for letter in clean(text) if letter < " " or letter in "\u202e\u2028\x7f"}
    assert not HIDDEN.search(clean(text))


def test_what_is_drawn_as_nothing_is_shown() -> None:
    assert clean(f"users{UNSEEN}") == r"users\xad\u034f\u115f\u200b\u3164\U000e0041"


def test_lines_stay_where_they_are_asked_for() -> None:
    assert clean("a\nb\r", keep_lines=True) == "a\nb\\r"
