"""The relations of a database: its keys as they are, and those that were promised."""

from typing import Any

import pytest

from monitor.core.keys import Kind
from monitor.core.relation import Origin, list_relations
from monitor.core.snapshot import SchemaObject, Snapshot, make_snapshot
from tests.core.builders import a_column, a_table, an_object

TABLES = [
    *(a_table(name, columns=["id", "up"]) for name in ("child", "parent")),
    *(a_column(table, column) for table in ("child", "parent") for column in ("id", "up")),
]


def a_key_to(name: str, **attributes: Any) -> SchemaObject:
    said = {"columns": ["up"], "references": ["public", "parent"], "referenced_columns": ["id"]}
    return an_object(Kind.FOREIGN_KEY, name, parent="child", **(said | attributes))


def a_schema(*items: SchemaObject) -> Snapshot:
    return make_snapshot([*TABLES, *items])


@pytest.mark.parametrize(
    ("attributes", "origin"),
    [
        ({}, Origin.VALIDATED),
        ({"valid": False}, Origin.NOT_VALID),
        ({"enforced": False}, Origin.NOT_ENFORCED),
        ({"enforced": False, "valid": False}, Origin.NOT_ENFORCED),
    ],
)
def test_a_key_that_is_there_counts_as_it_is(attributes: dict[str, Any], origin: Origin) -> None:
    [relation] = list_relations(None, a_schema(a_key_to("f", **attributes)))
    assert (relation.name, relation.origin) == ("f", origin)
    assert (relation.child, relation.parent) == (("public", "child"), ("public", "parent"))
    assert (relation.columns, relation.referenced) == (("up",), ("id",))
    assert not relation.with_heirs


def test_a_key_that_was_promised_counts_where_its_columns_are() -> None:
    expected = a_schema(a_key_to("f", match="full", period=True))
    [relation] = list_relations(expected, a_schema())
    assert relation.origin is Origin.MISSING
    assert relation.is_full
    assert relation.is_period
    assert list_relations(expected, make_snapshot(TABLES[:-1])) == (relation,)
    assert list_relations(expected, make_snapshot(TABLES[:2])) == ()


def test_the_same_key_under_another_name_is_not_missing() -> None:
    expected = a_schema(a_key_to("f", on_delete="cascade"))
    [relation] = list_relations(expected, a_schema(a_key_to("g")))
    assert (relation.name, relation.origin) == ("g", Origin.VALIDATED)
    other = a_schema(a_key_to("g", columns=["id"]))
    assert [one.name for one in list_relations(expected, other)] == ["f", "g"]
