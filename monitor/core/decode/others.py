"""Every kind whose attributes the statement returns as they are."""

from collections.abc import Iterator
from typing import Any, Final

from monitor.core.decode.relations import read_index_flags, sort_in_place
from monitor.core.decode.rows import WHOLE, Directory, Row, Rows, parse
from monitor.core.keys import Kind, ObjectKey
from monitor.core.snapshot import SchemaObject

_AS_THEY_ARE: Final = (
    Kind.SCHEMA,
    Kind.RULE,
    Kind.TRIGGER,
    Kind.EVENT_TRIGGER,
    Kind.POLICY,
    Kind.ENUM,
    Kind.DOMAIN,
    Kind.COMPOSITE,
    Kind.RANGE,
    Kind.FUNCTION,
    Kind.PROCEDURE,
    Kind.AGGREGATE,
    Kind.OPERATOR,
    Kind.CAST,
    Kind.EXTENSION,
    Kind.STATISTICS,
    Kind.PUBLICATION,
    Kind.FOREIGN_DATA_WRAPPER,
    Kind.FOREIGN_SERVER,
    Kind.USER_MAPPING,
    Kind.DEFAULT_PRIVILEGE,
    Kind.VIEW,
    Kind.MATERIALIZED_VIEW,
)
"""The record of the statement is called as the kind is."""

_UNORDERED: Final = ("options", "settings", "tags", "roles", "operations", "schemas", "kinds")
_PAIRED: Final = ("grants", "revokes", "tables")
_STATISTICS: Final = {"d": "ndistinct", "f": "dependencies", "m": "mcv", "e": "expressions"}


def read_others(rows: Rows, directory: Directory) -> Iterator[SchemaObject]:
    """All of them."""
    flags = read_index_flags(rows)
    for kind in _AS_THEY_ARE:
        for row in rows.own(kind.value):
            attributes = parse(row)
            key = ObjectKey(kind=kind, schema=row.schema, parent=row.parent, name=row.name)
            directory.keys[row.catalog, row.oid, WHOLE] = key
            if "row_type" in attributes:
                directory.aliases["pg_type", attributes.pop("row_type"), WHOLE] = key
            if "rule" in attributes:
                directory.aliases["pg_rewrite", attributes.pop("rule"), WHOLE] = key
            if kind is Kind.MATERIALIZED_VIEW and row.oid in flags:
                attributes |= flags[row.oid]
            if kind is Kind.STATISTICS:
                attributes = _describe_statistics(row, attributes, directory=directory)
            if kind is Kind.RANGE and "range_collation" in attributes:
                attributes["collation"] = attributes.pop("range_collation")
            yield SchemaObject(key=key, attributes=_sort_lists(attributes))


def _sort_lists(attributes: dict[str, Any]) -> dict[str, Any]:
    for name in _UNORDERED:
        sort_in_place(attributes, name)
    for name in _PAIRED:
        if isinstance(attributes.get(name), list):
            attributes[name] = sorted(attributes[name], key=repr)
    return attributes


def _describe_statistics(
    row: Row, attributes: dict[str, Any], *, directory: Directory
) -> dict[str, Any]:
    """Kinds by their names (pg_statistic_ext.stxkind), columns by theirs."""
    numbers = attributes.pop("columns").split()
    attributes["columns"] = directory.name_columns(row.relation or "", numbers) or None
    # "e" only says that there are expressions, which stand beside it.
    attributes["kinds"] = [_STATISTICS[letter] for letter in attributes["kinds"] if letter != "e"]
    return attributes
