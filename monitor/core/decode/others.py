"""Every kind whose attributes the statement returns as they are."""

from collections.abc import Iterator, Mapping
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

_UNORDERED: Final = (
    "options",
    "toast_options",
    "option_names",
    "settings",
    "tags",
    "roles",
    "operations",
    "schemas",
    "kinds",
)
_PAIRED: Final = ("grants", "revokes", "tables")
_FILTER: Final = 2
"""Where the row filter stands in a table of a publication."""
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
                directory.aliases["pg_rewrite", attributes["rule"][0], WHOLE] = key
            if kind is Kind.MATERIALIZED_VIEW and row.oid in flags:
                attributes |= flags[row.oid]
            if kind is Kind.STATISTICS:
                attributes = _describe_statistics(row, attributes, directory=directory)
            if kind is Kind.RANGE and "range_collation" in attributes:
                attributes["collation"] = attributes.pop("range_collation")
            _expect_texts(row, attributes, directory)
            yield SchemaObject(key=key, attributes=_sort_lists(attributes))


_TEXTS: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.RULE: ("definition",),
    Kind.TRIGGER: ("definition",),
    Kind.POLICY: ("using", "check"),
    Kind.STATISTICS: ("expressions",),
}
"""Attributes in whose place the statement gives the version of the row."""


def _expect_texts(row: Row, attributes: dict[str, Any], directory: Directory) -> None:
    for name in _TEXTS.get(Kind(row.record), ()):
        if version := attributes.get(name):
            sub = name if row.catalog == "pg_policy" else WHOLE
            directory.expect_text(attributes, name, (row.catalog, row.oid, sub), version)
    if rule := attributes.pop("rule", None):
        oid, version = rule
        directory.expect_text(attributes, "definition", ("pg_rewrite", oid, WHOLE), version)
    if version := attributes.pop("sql_body", None):
        directory.expect_text(attributes, "body", (row.catalog, row.oid, WHOLE), version)
    for table in attributes.get("tables") or ():
        _expect_filter(table, directory)


def _expect_filter(table: list[Any], directory: Directory) -> None:
    """The row filter of a table in a publication."""
    if table[_FILTER] is not None:
        oid, version = table[_FILTER]
        table[_FILTER] = None
        directory.expect_text(table, _FILTER, ("pg_publication_rel", oid, WHOLE), version)


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
