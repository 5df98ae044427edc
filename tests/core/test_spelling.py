"""What can be told from two texts alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.keys import Kind
from monitor.core.kinds import KINDS, Value
from monitor.core.spelling import (
    TEXTS,
    are_synonyms,
    list_names,
    may_be_synonyms,
    unify,
)


@pytest.mark.parametrize(
    ("text", "unified"),
    [
        ("CURRENT_TIMESTAMP", "now()"),
        ("(a < transaction_timestamp())", "(a < now())"),
        ("(('now'::text)::date + 1)", "(CURRENT_DATE + 1)"),
        ("('now'::text)::timestamp with time zone", "now()"),
        ("USER", "CURRENT_USER"),
        ("(s = ('a'::character varying)::text)", "(s = 'a'::text)"),
        ("(('a'::character varying)::text)::character varying(3)", "'a'::character varying(3)"),
        ("(E'a\\\\''b'::character varying)::text", "E'a\\\\''b'::text"),
    ],
)
def test_synonyms_have_one_word(text: str, unified: str) -> None:
    assert unify(text) == unified


@pytest.mark.parametrize(
    "text",
    [
        "'CURRENT_TIMESTAMP'::text",
        '"CURRENT_TIMESTAMP"',
        "CURRENT_TIMESTAMP(3)",
        "app.transaction_timestamp()",
        "SESSION_USER",
        'app."USER"',
        "('abc'::character varying(2))::text",  # cuts it off
        "('a '::bpchar)::text",  # strips the blank
        "('a'::character varying)::text[]",
        "'it''s (''a''::character varying)::text'::text",
        "(s)::text",
    ],
)
def test_what_only_looks_like_a_synonym_stays(text: str) -> None:
    assert unify(text) == text


@given(st.text(alphabet="'\"():,aE\\ textCURRENT_USERnow", max_size=60))
def test_unifying_ends_and_changes_nothing_the_second_time(text: str) -> None:
    assert unify(unify(text)) == unify(text)


MAY = [
    ("(a = 'x'::text)", "((a)::text = ('x'::character varying)::text)"),
    ("((a > 1) AND (b > 2) AND (c > 3))", "(((a > 1) AND (b > 2)) AND (c > 3))"),
    ("(a > '-1'::integer)", "(a > -1)"),
    ("((v)::integer > 1)", "((v)::numeric > 1)"),
    ("(a = (x)::character varying(3))", "(a = x)"),
]
MAY_NOT = [
    ("(a > 1)", "(a > 2)"),
    ("(a > 1)", "(a < 1)"),
    ("(a > 1)", "(b > 1)"),
    ("(a AND b)", "(a OR b)"),
    ("(a = 'x'::text)", "(a = 'y'::text)"),
    ("(a > 1)", "(a > 1.5)"),
    ("f(a)", "g(a)"),
    ("('{1,2}'::integer[])", "ARRAY[1, 2]"),
    ("t.a", "a"),
]


@pytest.mark.parametrize(("one", "other"), MAY)
def test_texts_of_the_same_names_literals_and_operators_are_in_doubt(one: str, other: str) -> None:
    for kind in (Kind.CHECK, Kind.VIEW):
        [name] = TEXTS[kind]
        assert may_be_synonyms(kind, name, one, other)
        assert may_be_synonyms(kind, name, other, one)


@pytest.mark.parametrize(("one", "other"), MAY_NOT)
def test_no_respelling_changes_a_name_a_literal_or_an_operator(one: str, other: str) -> None:
    assert not may_be_synonyms(Kind.CHECK, "expression", one, other)
    assert not may_be_synonyms(Kind.CHECK, "expression", other, one)


def test_only_a_query_may_name_the_table_of_a_column_or_not() -> None:
    one, other = " SELECT t.a\n   FROM app.t;", " SELECT a\n   FROM app.t;"
    assert may_be_synonyms(Kind.VIEW, "definition", one, other)
    assert not may_be_synonyms(Kind.VIEW, "definition", one.replace("t.a", "u.b"), other)


LISTED = [["app", "t", "(a > 1)", ["a"]], ["app", "u", None, None]]


@pytest.mark.parametrize(
    ("kind", "name", "one", "other", "may"),
    [
        (
            Kind.INDEX,
            "expressions",
            ["(a + 1)", "lower(b)"],
            ["(a + 1)", "lower((b)::text)"],
            True,
        ),
        (Kind.INDEX, "expressions", ["(a + 1)"], ["(a + 1)", "lower(b)"], False),
        (Kind.INDEX, "predicate", None, "(a > 1)", False),
        (Kind.PUBLICATION, "tables", LISTED, [["app", "t", "((a) > 1)", ["a"]], LISTED[1]], True),
        (Kind.PUBLICATION, "tables", LISTED, [["app", "t", "(a > 2)", ["a"]], LISTED[1]], False),
        (Kind.PUBLICATION, "tables", LISTED, [["app", "t", "(a > 1)", ["b"]], LISTED[1]], False),
        (Kind.PUBLICATION, "tables", LISTED, [["app", "t", None, ["a"]], LISTED[1]], False),
        (Kind.FUNCTION, "body", "BEGIN ATOMIC\n a;\nEND", "BEGIN ATOMIC\n (a);\nEND", True),
        (Kind.FUNCTION, "body", "begin a end", "begin (a) end", False),
        (Kind.COLUMN, "type", "text", "character varying", False),
    ],
)
def test_a_value_is_in_doubt_where_its_texts_are(
    kind: Kind, name: str, one: Value, other: Value, *, may: bool
) -> None:
    assert may_be_synonyms(kind, name, one, other) is may


def test_synonyms_are_told_apart_from_what_was_typed() -> None:
    assert are_synonyms(Kind.COLUMN, "default", "now()", "CURRENT_TIMESTAMP")
    assert are_synonyms(Kind.INDEX, "expressions", ["f(now())"], ["f(CURRENT_TIMESTAMP)"])
    assert not are_synonyms(Kind.FUNCTION, "body", "select now()", "select CURRENT_TIMESTAMP")
    assert not are_synonyms(Kind.TABLE, "comment", "now()", "CURRENT_TIMESTAMP")
    assert not are_synonyms(Kind.COLUMN, "default", None, "now()")


def test_texts_are_attributes_of_their_kind() -> None:
    for kind, names in TEXTS.items():
        assert names <= KINDS[kind].keys()


def test_qualified_names_are_found_wherever_they_stand() -> None:
    text = """nextval('app."We""ird seq"'::regclass) + app.f((x)::"My S".mood[], u.id)"""
    assert {*list_names(text)} >= {
        ("app", 'We"ird seq'),
        ("app", "f"),
        ("My S", "mood"),
        ("u", "id"),
    }
