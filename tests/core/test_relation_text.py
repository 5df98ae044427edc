"""Relations as people write them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.errors import UsageError
from monitor.core.relation_text import MAX_RELATION, parse_relation

LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
NAMES = st.text(alphabet=LETTERS, min_size=1, max_size=63)


@pytest.mark.parametrize(
    ("text", "child", "columns", "parent", "referenced"),
    [
        ("a.x->b.y", ("public", "a"), ("x",), ("public", "b"), ("y",)),
        ("s.a.x -> b.y", ("s", "a"), ("x",), ("public", "b"), ("y",)),
        ("a(x) -> s.b ( y )", ("public", "a"), ("x",), ("s", "b"), ("y",)),
        ("s.a(x, y) -> b(u,v)", ("s", "a"), ("x", "y"), ("public", "b"), ("u", "v")),
        ('"a.b"."c->d"."e""f" -> b.y', ("a.b", "c->d"), ('e"f',), ("public", "b"), ("y",)),
        ("Größe.Id -> b.y", ("public", "Größe"), ("Id",), ("public", "b"), ("y",)),
    ],
)
def test_tables_and_columns_are_read(
    text: str,
    child: tuple[str, str],
    columns: tuple[str, ...],
    parent: tuple[str, str],
    referenced: tuple[str, ...],
) -> None:
    relation = parse_relation(text)
    assert (relation.child, relation.columns) == (child, columns)
    assert (relation.parent, relation.referenced) == (parent, referenced)
    other = parse_relation(text, is_reverse=True)
    assert (other.child, other.columns) == (parent, referenced)
    assert other.key != relation.key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a.x",
        "a.x -> ",
        "a.x -> b",
        "a.x -> b.y -> c.z",
        "a.b.c.d -> e.f",
        "a. -> b.c",
        "a(x -> b(y)",
        'a."x -> b.y',
        "a.x => b.y",
        "a.x -> b.y; drop table c",
        "a.x y -> b.z",
    ],
)
def test_what_is_no_relation_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_relation(text)
    assert "orders.user_id -> users.id" in caught.value.next_step


def test_both_sides_have_as_many_columns() -> None:
    with pytest.raises(UsageError, match="2 columns on one side and 1 on the other"):
        parse_relation("a(x, y) -> b.z")


def test_a_text_without_end_is_refused() -> None:
    with pytest.raises(UsageError, match="more than 4000 characters"):
        parse_relation("a." + "x" * MAX_RELATION + " -> b.y")


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@given(st.lists(NAMES, min_size=6, max_size=6))
def test_any_name_can_be_written(names: list[str]) -> None:
    child, parent = names[:3], names[3:]
    text = " -> ".join(".".join(map(quote, side)) for side in (child, parent))
    relation = parse_relation(text)
    assert [*relation.child, *relation.columns] == child
    assert [*relation.parent, *relation.referenced] == parent
    again = parse_relation(f"{quote(child[0])}.{quote(child[1])}{relation.name}")
    assert again.key == relation.key


@given(st.text(max_size=80))
def test_reading_never_ends_in_anything_but_a_relation_or_a_refusal(text: str) -> None:
    with suppress(UsageError):
        assert parse_relation(text).columns
