"""Keys tell apart whatever the server tells apart."""

import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.keys import Kind, ObjectKey
from monitor.core.snapshot import SchemaObject
from tests.core.builders import a_key, objects


@given(objects, objects)
def test_different_keys_never_share_a_place(one: SchemaObject, other: SchemaObject) -> None:
    left, right = one.key, other.key
    assert (left.order == right.order) == (left == right)


@given(st.lists(objects.map(lambda item: item.key), unique=True), st.randoms())
def test_keys_have_one_order(keys: list[ObjectKey], chance: random.Random) -> None:
    mixed = keys.copy()
    chance.shuffle(mixed)
    assert sorted(mixed, key=lambda k: k.order) == sorted(keys, key=lambda k: k.order)


@given(objects)
def test_a_key_survives_json(item: SchemaObject) -> None:
    key = item.key
    assert msgspec.json.decode(msgspec.json.encode(key), type=ObjectKey) == key


def test_dots_do_not_make_two_keys_the_same() -> None:
    one = a_key(Kind.COLUMN, "c", schema="a", parent="b.c")
    other = a_key(Kind.COLUMN, "c", schema="a.b", parent="c")
    assert one != other
    assert one.order != other.order


def test_a_table_stands_before_its_parts_and_beside_them() -> None:
    table, column, view = (
        a_key(Kind.TABLE, "t"),
        a_key(Kind.COLUMN, "a", parent="t"),
        a_key(Kind.VIEW, "u"),
    )
    assert sorted([view, table, column], key=lambda k: k.order) == [column, table, view]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (a_key(Kind.TABLE, "t"), "table public.t"),
        (a_key(Kind.FOREIGN_KEY, "f", parent="t"), "foreign key public.t.f"),
        (a_key(Kind.EXTENSION, "citext"), "extension citext"),
        (a_key(Kind.USER_MAPPING, "PUBLIC", parent="s"), "user mapping s.PUBLIC"),
    ],
    ids=str,
)
def test_a_key_reads_as_people_say_it(key: ObjectKey, words: str) -> None:
    assert str(key) == words


def test_the_list_of_kinds_only_grows() -> None:
    assert {kind.value for kind in Kind} >= {
        "aggregate", "cast", "check", "column", "composite", "default_privilege", "domain",
        "enum", "event_trigger", "exclusion", "extension", "foreign_data_wrapper", "foreign_key",
        "foreign_server", "foreign_table", "function", "index", "materialized_view", "operator",
        "policy", "primary_key", "procedure", "publication", "range", "rule", "schema",
        "sequence", "statistics", "table", "trigger", "unique", "user_mapping", "view",
    }  # fmt: skip  # one a line would be a page
