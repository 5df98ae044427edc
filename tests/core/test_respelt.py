"""What is renamed and respelled is found, one to one, and nothing that is certain to differ."""

from typing import Any

import pytest

from monitor.core.diff import diff
from monitor.core.keys import Kind
from monitor.core.respelt import find_respelt, respell
from monitor.core.snapshot import SchemaObject, make_snapshot
from tests.cases.reader import describe
from tests.core.builders import a_table, an_object

IN = "((a)::text = ANY ((ARRAY['x'::character varying])::text[]))"
RESTORED = "((a)::text = ANY (ARRAY[('x'::character varying)::text]))"


def a_check(name: str, expression: str, **attributes: Any) -> SchemaObject:
    return an_object(Kind.CHECK, name, parent="t", expression=expression, **attributes)


def find(old: list[SchemaObject], new: list[SchemaObject]) -> list[tuple[str, str]]:
    expected, actual = (make_snapshot([a_table("t", columns=[]), *side]) for side in (old, new))
    pairs = find_respelt(expected, actual, diff(expected, actual))
    return [(pair.old.key.name, pair.new.key.name) for pair in pairs]


def test_one_check_under_another_name_in_another_spelling_may_be_the_same() -> None:
    assert find([a_check("old", IN)], [a_check("new", RESTORED)]) == [("old", "new")]


@pytest.mark.parametrize(
    "other",
    [
        a_check("new", RESTORED.replace("x", "y")),
        a_check("new", RESTORED.replace("(a)", "(b)")),
        a_check("new", RESTORED, no_inherit=True),
        an_object(Kind.CHECK, "new", parent="u", expression=RESTORED),
    ],
)
def test_what_is_certain_to_differ_is_another_one(other: SchemaObject) -> None:
    assert find([a_check("old", IN)], [other]) == []


def test_what_could_be_two_is_none() -> None:
    assert find([a_check("old", IN)], [a_check("new", RESTORED), a_check("b", RESTORED)]) == []
    assert find([a_check("old", IN), a_check("b", IN)], [a_check("new", RESTORED)]) == []


def test_a_comment_and_validity_say_nothing_about_what_it_does() -> None:
    assert find([a_check("old", IN)], [a_check("new", RESTORED, valid=False, comment="x")])


def test_a_synonym_needs_no_server() -> None:
    expected = make_snapshot([a_check("old", "(a < now())")])
    actual = make_snapshot([a_check("new", "(a < CURRENT_TIMESTAMP)")])
    (pair,) = find_respelt(expected, actual, diff(expected, actual))
    assert pair.doubts == ()
    assert pair.texts == ("expression",)


def test_with_the_texts_as_they_are_expected_it_is_a_rename() -> None:
    expected = make_snapshot([a_check("old", IN)])
    actual = make_snapshot([a_check("new", RESTORED, valid=False)])
    pairs = find_respelt(expected, actual, diff(expected, actual))
    assert describe(diff(expected, respell(actual, pairs))) == (
        "altered check public.t.old: name, valid",
    )
