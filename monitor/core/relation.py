"""Which rows need which others: foreign keys, as promised and as they are, and configured ones.

A relation says that every row of a child has a parent. A foreign key that is expected and not
there, that is NOT VALID or NOT ENFORCED, holds nothing back; one that is validated holds unless
its triggers were disabled or its rows restored without it. The configuration names those that
no constraint ever was.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final

import msgspec

from monitor.core.homes import Home
from monitor.core.keys import Kind, ObjectKey
from monitor.core.snapshot import SchemaObject, Snapshot


class Origin(StrEnum):
    """Why rows may be without a parent, from what holds nothing back to what should hold."""

    MISSING = "missing"
    NOT_ENFORCED = "not_enforced"
    NOT_VALID = "not_valid"
    CONFIGURED = "configured"
    VALIDATED = "validated"


class Relation(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of one table that need one in another.

    Attributes:
        key: of the foreign key; of a configured relation one that is called as it is written.
        origin: what holds it.
        child: the table whose rows are counted.
        columns: of the child, in order.
        parent: the table that has to have their like.
        referenced: of the parent, one for each of ``columns``.
        is_full: MATCH FULL: either every column is null or none.
        is_period: the last pair are ranges, and the parents' together have to cover it.
        where: a condition on the rows of the child, in SQL; empty for all.
        with_heirs: whether rows of tables that inherit from these count: no constraint's do.
    """

    key: ObjectKey
    origin: Origin
    child: Home
    columns: tuple[str, ...]
    parent: Home
    referenced: tuple[str, ...]
    is_full: bool = False
    is_period: bool = False
    where: str = ""
    with_heirs: bool = False

    @property
    def name(self) -> str:
        """What people call it: the constraint's name, or the relation as it is written."""
        return self.key.name


def list_relations(expected: Snapshot | None, actual: Snapshot) -> tuple[Relation, ...]:
    """The foreign keys of a database, and those that it should have and has not, by object.

    One that is missing counts where its tables and columns are there: else the schema is what
    is wrong. One that is there counts as it is, expected or not.
    """
    found = {item.key: item for item in actual.objects if item.key.kind is Kind.FOREIGN_KEY}
    wanted = [
        item
        for item in (expected.objects if expected else ())
        if item.key.kind is Kind.FOREIGN_KEY
        and item.key not in found
        and not _is_held(item, found.values())
    ]
    relations = [_make(item, _find_origin(item)) for item in found.values()]
    relations += (_make(item, Origin.MISSING) for item in wanted if _is_countable(item, actual))
    return tuple(sorted(relations, key=lambda relation: relation.key.order))


def list_loose(relations: Iterable[Relation]) -> tuple[Relation, ...]:
    """Those that no constraint holds: the server lets their parents go without a word."""
    return tuple(relation for relation in relations if relation.origin in _LOOSE)


_LOOSE: Final = frozenset({Origin.MISSING, Origin.NOT_ENFORCED, Origin.CONFIGURED})


def _is_held(item: SchemaObject, others: Iterable[SchemaObject]) -> bool:
    """Whether a key of another name says the same."""
    return any(
        other.key.schema == item.key.schema
        and other.key.parent == item.key.parent
        and all(other.get(name) == item.get(name) for name in _DEFINING)
        for other in others
    )


_DEFINING: Final = ("columns", "references", "referenced_columns", "match", "period")


def _find_origin(item: SchemaObject) -> Origin:
    if item.get("enforced") is False:
        return Origin.NOT_ENFORCED
    return Origin.NOT_VALID if item.get("valid") is False else Origin.VALIDATED


def _make(item: SchemaObject, origin: Origin) -> Relation:
    schema, table = _read_list(item, "references")
    return Relation(
        key=item.key,
        origin=origin,
        child=(item.key.schema, item.key.parent or ""),
        columns=tuple(_read_list(item, "columns")),
        parent=(schema, table),
        referenced=tuple(_read_list(item, "referenced_columns")),
        is_full=item.get("match") == "full",
        is_period=item.get("period") is True,
    )


def _read_list(item: SchemaObject, attribute: str) -> list[str]:
    value = item.get(attribute)
    assert isinstance(value, list)  # noqa: S101  # every foreign key has these
    return value


def _is_countable(item: SchemaObject, actual: Snapshot) -> bool:
    relation = _make(item, Origin.MISSING)
    return all(key in actual.by_key for key in _list_columns(relation))


def _list_columns(relation: Relation) -> Iterator[ObjectKey]:
    for (schema, table), names in (
        (relation.child, relation.columns),
        (relation.parent, relation.referenced),
    ):
        for name in names:
            yield ObjectKey(kind=Kind.COLUMN, schema=schema, parent=table, name=name)
