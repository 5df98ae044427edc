from datetime import timedelta

import pytest

from monitor.core.findings import Severity
from monitor.core.verdict import State
from monitor.web import wording
from tests.web.builders import NOW


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ([], None),
        ("", None),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        ("text", "text"),
        (["a", "b"], "a, b"),
        (["a", None], "a, -"),
        (["x" * 40, "y" * 40], "x" * 40 + "\n" + "y" * 40),
        (
            [["reader", "SELECT", False], ["writer", "INSERT", True]],
            "reader, SELECT, no\nwriter, INSERT, yes",
        ),
    ],
)
def test_a_value_is_written_as_a_person_reads_it(value: object, text: str | None) -> None:
    assert wording.write_value(value) == text


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (timedelta(0), "0 s ago"),
        (timedelta(seconds=59), "59 s ago"),
        (timedelta(minutes=5, seconds=59), "5 min ago"),
        (timedelta(days=3), "3 d ago"),
        (-timedelta(minutes=8), "in 8 min"),
        (-timedelta(milliseconds=200), "0 s ago"),
    ],
)
def test_an_age_is_its_largest_unit(age: timedelta, text: str) -> None:
    assert wording.describe_age(NOW - age, NOW) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.5, "0.5 s"), (60, "60 s"), (90, "90 s"), (300, "5 min"), (7200, "2 h")],
)
def test_an_interval_is_in_whole_units(seconds: float, text: str) -> None:
    assert wording.write_interval(seconds) == text


def test_what_cannot_be_seen_is_spelled_out() -> None:
    assert wording.reveal("a\u202eb\u200bc\nd") == "a⟨U+202E⟩b⟨U+200B⟩c⟨U+000A⟩d"
    assert wording.reveal("a\u00ad\u2063\u3164\U000e0041") == "a⟨U+00AD⟩⟨U+2063⟩⟨U+3164⟩⟨U+E0041⟩"
    assert wording.reveal_lines("a\n\tb\x00") == "a\n\tb⟨U+0000⟩"
    assert wording.reveal("Größe 表 🚀 \u200d") == "Größe 表 🚀 \u200d"


def test_our_sentences_turn_backticks_into_code_and_nothing_else_into_markup() -> None:
    marked = str(wording.mark_code("run `a <b>` & <i>"))
    assert marked == "run <code>a &lt;b&gt;</code> &amp; &lt;i&gt;"


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("severity", Severity)
def test_no_database_with_a_finding_that_matters_looks_good(
    state: State, severity: Severity
) -> None:
    tone = wording.choose_tone(state, severity)
    assert tone in ("critical", "warning", "unknown", "moving", "good")
    if severity is not Severity.INFO or not state.meaning.is_looked:
        assert tone in ("critical", "warning", "unknown")
