import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.script import split_script


@pytest.mark.parametrize(
    "statement",
    [
        "select ';'",
        "select ''';', E'\\';'",
        'select ";", "a"";"',
        "select $$ ; $$, $q$ $$ ; $q$",
        "select a$b$c",
        "select 1 -- ; no\n + 1",
        "select 1 -- ; no\r + ';'",
        "select /* ; /* ; */ ; */ 1",
        "create rule r as on insert to t do also (select 1; select 2)",
        "create function f() returns int begin atomic select case when true then 1 end; end",
        "CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC SELECT 1; SELECT 2; END",
        "select $1",
    ],
)
def test_a_hidden_semicolon_ends_nothing(statement: str) -> None:
    assert [one.text for one in split_script(f"{statement};\nselect 2;")] == [
        statement,
        "select 2",
    ]


@pytest.mark.parametrize("opened", ["'a", '"a', "$$ a", "/* a", "$x$ ; $$", "E'\\", "("])
def test_what_is_never_closed_runs_to_the_end(opened: str) -> None:
    [first, second] = split_script(f"a; b {opened}; c")
    assert (first.text, second.text) == (
        "a",
        f"b {opened}; c".rstrip() if "/*" not in opened else "b",
    )


def test_begin_outside_a_routine_is_a_statement() -> None:
    texts = [one.text for one in split_script("begin; select 1; end; create table begin (a int);")]
    assert texts == ["begin", "select 1", "end", "create table begin (a int)"]


def test_a_statement_knows_its_lines() -> None:
    [first, second] = split_script("-- a\n\nselect\n 1;\n\n/* b\n */ select 2")
    assert (first.line, first.text, first.line_of(9)) == (3, "select\n 1", 4)
    assert (second.line, second.line_of(None)) == (7, 7)


def test_a_command_of_psql_is_a_line_of_its_own() -> None:
    found = [(one.text, one.is_meta) for one in split_script("\\restrict k\r\nselect 1;\n\\c d\n")]
    assert found == [("\\restrict k", True), ("select 1", False), ("\\c d", True)]


@given(st.text(alphabet="ab;'\"$/*-\n\\(E ") | st.text())
def test_a_script_is_cut_without_losing_a_character_of_a_statement(text: str) -> None:
    end = 0
    for one in split_script(text):
        assert text[one.start : one.end] == one.text != ""
        assert one.start >= end
        assert one.line == text.count("\n", 0, one.start) + 1
        end = one.end
