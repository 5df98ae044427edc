"""Findings about a database as a whole are those of their rule."""

from monitor.core.overall import begin_sentence, find_overall
from monitor.core.rules import EXPIRED_RULE


def test_a_finding_about_the_whole_has_no_object_and_the_words_of_its_rule() -> None:
    found = find_overall(EXPIRED_RULE, environment="test", database="app", title="it is so")
    assert (found.key, found.title, found.evidence) == (None, "it is so", ())
    assert (found.code, found.severity, found.remedy) == (
        *(EXPIRED_RULE.code, EXPIRED_RULE.severity),
        EXPIRED_RULE.fix,
    )


def test_a_next_step_of_its_own_goes_before_that_of_the_rule() -> None:
    for remedy in ("Wait.", ""):
        found = find_overall(
            EXPIRED_RULE, environment="test", database="app", title="so", remedy=remedy
        )
        assert found.remedy == remedy


def test_the_title_of_a_rule_begins_a_sentence() -> None:
    assert begin_sentence(EXPIRED_RULE) == "an ignore rule has expired"
