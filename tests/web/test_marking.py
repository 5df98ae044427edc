import html
import re
import time

from hypothesis import given
from hypothesis import strategies as st

from monitor.web.marking import MAX_TEXT, find_spans, mark_sides
from tests.web.builders import HOSTILE, VIEW_BEFORE

TEXT = st.text(st.sampled_from("ab_ (),\n<&9"), max_size=60)


def test_what_was_added_is_marked_and_nothing_else() -> None:
    after = VIEW_BEFORE.replace("IS NULL", "IS NULL OR true")
    expected, actual = mark_sides(VIEW_BEFORE, after)
    assert expected.is_block
    assert "<mark" not in str(expected.text)
    assert re.findall(r"<mark class=\"new\">(.*?)</mark>", str(actual.text)) == [" OR true"]


def test_a_word_in_the_middle_is_marked_on_both_sides() -> None:
    expected, actual = mark_sides("numeric(12,2)", "numeric(10,2)")
    assert str(expected.text) == 'numeric(<mark class="gone">12</mark>,2)'
    assert str(actual.text) == 'numeric(<mark class="new">10</mark>,2)'


def test_what_has_nothing_in_common_is_not_marked() -> None:
    expected, actual = mark_sides("text", "integer")
    assert (str(expected.text), str(actual.text)) == ("text", "integer")


def test_nothing_is_nothing() -> None:
    expected, actual = mark_sides(["tenant_id", "number"], None)
    assert (str(expected.text), actual.text) == ("tenant_id, number", None)


def test_markup_and_hidden_marks_stay_text() -> None:
    expected, actual = mark_sides(HOSTILE, HOSTILE.replace("alert", "steal"))
    for side in (expected, actual):
        assert re.findall(r"</?([a-z]+)", str(side.text)) == ["mark", "mark"]
        assert "\u202e" not in str(side.text)
        assert "⟨U+202E⟩" in str(side.text)


@given(TEXT, TEXT)
def test_without_its_marks_a_side_is_its_value(one: str, other: str) -> None:
    for side, value in zip(mark_sides(one, other), (one, other), strict=True):
        bare = html.unescape(re.sub(r"</?mark[^>]*>", "", str(side.text or "")))
        assert bare == (value if side.is_block else value.replace("\n", "⟨U+000A⟩"))


@given(TEXT, TEXT)
def test_what_is_not_marked_is_the_same_on_both_sides(one: str, other: str) -> None:
    spans = find_spans(one, other)
    if spans is not None:
        left, right = ("".join(text for text, differs in side if not differs) for side in spans)
        assert left == right
        assert "".join(text for text, _ in spans[0]) == one
        assert "".join(text for text, _ in spans[1]) == other


def test_a_text_without_end_is_cut_where_it_differs() -> None:
    same = "x " * 50_000
    sides = mark_sides(same + "one " + same, same + "two " + same)
    for side, word in zip(sides, ("one", "two"), strict=True):
        assert f">{word}</mark>" in str(side.text)
        assert "99500 characters that are the same" in str(side.text)
        assert "more characters" in str(side.text)
        assert len(str(side.text)) < MAX_TEXT + 300
    whole, nothing = mark_sides(same, None)
    assert nothing.text is None
    assert str(whole.text).endswith("… 90000 more characters")


def test_long_texts_take_no_time_to_speak_of() -> None:
    one, other = "a b " * 50_000, "b a " * 50_000
    begun = time.perf_counter()
    spans = find_spans("same " + one, "same " + other)
    assert spans is not None
    assert [text for text, differs in spans[1] if differs] == [other[:-1]]
    for _ in range(20):
        find_spans("a " * 99 + "x", "b " + "a " * 49)
    assert time.perf_counter() - begun < 5
