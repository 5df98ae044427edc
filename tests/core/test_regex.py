"""Patterns mean what they mean to `re`, and none of them can hang."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.errors import UsageError
from monitor.core.regex import search
from monitor.core.regex_grammar import MAX_REGEX, parse_regex

ATOMS = st.sampled_from(
    ["a", "b", ".", "[ab]", "[^a]", r"\d", r"\w", r"\s", r"\.", "^", "$", r"\b", r"\Z", ""]
)


PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("|".join).map("({})".format),
        st.tuples(
            inner.map("({})".format),
            st.sampled_from(["*", "+", "?", "{2}", "{0,2}", "{1,}", "*?"]),
        ).map("".join),
    ),
    max_leaves=8,
)


@given(PATTERNS, st.text("ab1. \n_é", max_size=12), st.sampled_from(["", "i"]))
def test_a_pattern_finds_what_re_finds(pattern: str, text: str, flag: str) -> None:
    flags = re.IGNORECASE if flag else re.NOFLAG
    found = search(parse_regex(pattern, ignores_case=bool(flag)), text)
    assert found is bool(re.search(pattern, text, flags)), pattern


@given(st.text("ab(|)[]{}*+?.^$\\-&,12", max_size=30))
def test_whatever_is_written_is_a_pattern_or_an_error_of_ours(text: str) -> None:
    try:
        parse_regex(text)
    except UsageError:
        return
    re.compile(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "(a",
            "a)",
            "[a",
            "a**",
            "*",
            "(?=a)",
            "(?P<n>a)",
            r"(a)\1",
            r"\q",
            r"\B",
            "\\",
            "[b-a]",
            "^*",
        ),
        *(
            "a{3,1}",
            "{1}",
            "a{99999}",
            "(a{1000}){1000}",
            "x" * (MAX_REGEX + 1),
            "(" * 40 + ")" * 40,
            "[[a]]",
            "a{2}{3}",
        ),
    ],
)
def test_what_cannot_be_used_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="regular expression cannot be used"):
        parse_regex(text)


def test_nothing_repeated_for_ever_costs_nothing() -> None:
    begin = time.monotonic()
    parse_regex("((((){9999}){9999}){9999}){9999}")
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*)*b$", "(a|a|a)*c", "(.*a){12}c"])
def test_a_search_ends_whatever_the_pattern(pattern: str) -> None:
    begin = time.monotonic()
    assert search(parse_regex(pattern), "a" * 65_000 + "!") in (False, None)
    assert time.monotonic() - begin < 10
