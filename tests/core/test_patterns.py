"""Patterns for objects: part by part, so that no dot inside of a name is taken for one between."""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.errors import UsageError
from monitor.core.keys import Kind, ObjectKey
from monitor.core.patterns import ANYTHING, parse_pattern, write_pattern
from tests.core.builders import PARENTS, WITHOUT_SCHEMA, a_key

HOSTILE = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1),
    st.text(st.sampled_from('.*?[]!"ab:\n'), min_size=1, max_size=12),
)
"""Names that look like patterns, or like several names."""


@st.composite
def keys(draw: st.DrawFn) -> ObjectKey:
    kind = draw(st.sampled_from(Kind))
    return ObjectKey(
        kind=kind,
        schema=None if kind in WITHOUT_SCHEMA else draw(HOSTILE),
        parent=draw(HOSTILE) if kind in PARENTS else None,
        name=draw(HOSTILE),
    )


def matches(text: str, key: ObjectKey | None) -> bool:
    return parse_pattern(text).matches(key)


@given(keys(), keys())
def test_the_pattern_of_an_object_matches_it_and_no_other(
    one: ObjectKey, other: ObjectKey
) -> None:
    assert matches(write_pattern(one), one)
    assert matches(write_pattern(one), other) == (one == other)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("table:public.spatial_ref_sys", a_key(Kind.TABLE, "spatial_ref_sys")),
        ("table:public.spatial_*", a_key(Kind.TABLE, "spatial_ref_sys")),
        ("table:public.*", a_key(Kind.TABLE, "with.a.dot")),
        ("table:*", a_key(Kind.TABLE, "users")),
        ("index:app.*", a_key(Kind.INDEX, "ix", schema="app", parent="users")),
        ("index:app.users.*", a_key(Kind.INDEX, "ix", schema="app", parent="users")),
        ("column:*.*.legacy_*", a_key(Kind.COLUMN, "legacy_id", parent="users")),
        ("*:public.tmp_?", a_key(Kind.VIEW, "tmp_1")),
        ("*view:public.v", a_key(Kind.MATERIALIZED_VIEW, "v")),
        ("table:public.log_[0-9]", a_key(Kind.TABLE, "log_7")),
        ("extension:postgis", a_key(Kind.EXTENSION, "postgis")),
        ('table:public."a.b"', a_key(Kind.TABLE, "a.b")),
        ('table:public."a""b"', a_key(Kind.TABLE, 'a"b')),
        ('table:public."*"', a_key(Kind.TABLE, "*")),
        (
            'function:public."f(app.mood, integer[])"',
            a_key(Kind.FUNCTION, "f(app.mood, integer[])"),
        ),
        ("function:public.f(*)", a_key(Kind.FUNCTION, "f(integer)")),
        (ANYTHING, a_key(Kind.TABLE, "t")),
        (ANYTHING, None),
    ],
)
def test_what_a_pattern_matches(text: str, key: ObjectKey | None) -> None:
    assert matches(text, key)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("table:public.users", a_key(Kind.VIEW, "users")),
        ("table:public.users", a_key(Kind.TABLE, "Users")),
        ("table:public.users", a_key(Kind.TABLE, "users", schema="app")),
        ("table:public.u", a_key(Kind.TABLE, "users")),
        # A dot in a name is no dot between names.
        ("column:*.*.legacy_*", a_key(Kind.COLUMN, "x.y.legacy_id", parent="users")),
        ("column:public.users.*", a_key(Kind.COLUMN, "id", parent="users.x")),
        ("column:public.a.b", a_key(Kind.TABLE, "a.b")),
        ("table:public.a.b", a_key(Kind.TABLE, "a.b")),
        ('table:"public.a"', a_key(Kind.TABLE, "a")),
        ("table:public.users.*", a_key(Kind.TABLE, "users")),
        ("index:app.ix_*", a_key(Kind.INDEX, "ix_1", schema="app", parent="users")),
        ('table:public."*"', a_key(Kind.TABLE, "t")),
        ("table:*", None),
    ],
)
def test_what_a_pattern_does_not_match(text: str, key: ObjectKey | None) -> None:
    assert not matches(text, key)


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("", "Write it like"),
        ("users", "Write it like"),
        ("public.users", "Write it like"),
        ("table:", "Write it like"),
        ("tabel:public.users", "Did you mean table?"),
        ("primary key:public.users", "Did you mean primary_key?"),
        ("Table:public.users", "Did you mean table?"),
        ("zzz*:public.users", "docs/kinds.md"),
        ("table:public..users", "in double quotes"),
        ("table:.users", "in double quotes"),
        ("table:users.", "in double quotes"),
        ('table:public."users', "in double quotes"),
        ('table:public.us"ers', "in double quotes"),
        ('table:public."users"x', "in double quotes"),
        ('table:public.""', "in double quotes"),
        ("table:" + "x" * 40_000, "Write it like"),
    ],
)
def test_what_is_no_pattern_is_said_with_the_next_step(text: str, step: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_pattern(text)
    assert step in caught.value.next_step


@given(st.text(max_size=60))
def test_any_text_is_a_pattern_or_refused(text: str) -> None:
    with suppress(UsageError):
        assert parse_pattern(f"table:{text}").parts


def test_no_pattern_takes_long_whatever_the_name() -> None:
    begun = time.monotonic()
    assert not matches("table:public." + "*a" * 400 + "b", a_key(Kind.TABLE, "a" * 5000))
    assert time.monotonic() - begun < 2


def test_the_function_with_the_longest_name_has_a_pattern() -> None:
    """A hundred arguments, of types with names that have to be quoted."""
    types = ", ".join(['"' + '""' * 63 + '"."' + "." * 63 + '"'] * 100)
    key = a_key(Kind.FUNCTION, f"f({types})")
    assert parse_pattern(write_pattern(key)).matches(key)
