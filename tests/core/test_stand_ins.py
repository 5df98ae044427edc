"""What a text names and no snapshot holds has something in its place."""

import pytest

from monitor.core.keys import Kind
from monitor.core.stand_ins import list_stand_ins
from tests.core.builders import a_column, an_object

MINE = ("app", "mine")


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ('(a COLLATE app.mine > b COLLATE "C")', 'CREATE COLLATION "app"."mine" FROM "C"'),
        (
            "to_tsvector('app.mine'::regconfig, a)",
            'CREATE TEXT SEARCH CONFIGURATION "app"."mine" (COPY = pg_catalog.simple)',
        ),
        (
            'ts_lexize(\'"a\'\'b"."c""d"\'::regdictionary, a)',
            'CREATE TEXT SEARCH DICTIONARY "a\'b"."c""d" (TEMPLATE = pg_catalog.simple)',
        ),
        ("to_tsvector('simple'::regconfig, a)", None),
        ("('app.mine'::text)", None),
        ("app.mine", None),
    ],
)
def test_what_a_text_names(text: str, statement: str | None) -> None:
    item = an_object(Kind.CHECK, "c", parent="t", expression=text)
    assert [*list_stand_ins([item], ()).values()] == ([statement] if statement else [])


def test_a_type_that_no_snapshot_holds_is_an_enum() -> None:
    items = [a_column("t", "a", type="app.mine[]"), a_column("t", "b", type="integer")]
    made = {("type", MINE): 'CREATE TYPE "app"."mine" AS ENUM ()'}
    assert list_stand_ins(items, ()) == made
    assert list_stand_ins(items, {MINE}) == {}


def test_each_thing_is_made_once() -> None:
    item = an_object(Kind.INDEX, "i", parent="t", collations=["app.mine", "app.mine"])
    assert len(list_stand_ins([item, item], ())) == 1
