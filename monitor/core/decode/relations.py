"""Tables with their columns, and sequences."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from monitor.core.decode.rows import Directory, Rows, parse
from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import Value
from monitor.core.snapshot import SchemaObject

_TABLE_KINDS: Final = {"r": Kind.TABLE, "p": Kind.TABLE, "f": Kind.FOREIGN_TABLE}
_SPARSE: Final = frozenset({"default", "statistics_target", "options", "storage", "compression"})
_BOUND_TO_IDENTITY: Final = "i"
_TEMPLATE: Final = "type start increment minimum maximum cache cycle".split()


class _ColumnBody(msgspec.Struct):
    relkind: str
    type: str
    not_null: bool
    default: str | None
    more: dict[str, Any] | None


_COLUMN: Final = msgspec.json.Decoder(_ColumnBody)


def list_relations(rows: Rows) -> dict[str, tuple[str, str]]:
    """Object number -> schema and name, of everything that has columns."""
    found: dict[str, tuple[str, str]] = {}
    for record in ("relation", "view", "materialized_view"):
        for row in rows.all(record):
            found[row.oid] = (row.schema or "", row.name)
    return found


def list_columns(rows: Rows) -> dict[tuple[str, str], str]:
    """Object number and column number -> name."""
    return {(row.oid, row.sub): row.name for row in rows.all("column")}


def read_tables(rows: Rows, directory: Directory) -> Iterator[SchemaObject]:
    """Tables and foreign tables."""
    order = _order_columns(rows)
    flags = read_index_flags(rows)
    triggers = _read_internal_triggers(rows)
    for row in rows.own("relation"):
        body = parse(row)
        kind = _TABLE_KINDS[body.pop("relkind")]
        key = ObjectKey(kind=kind, schema=row.schema, parent=None, name=row.name)
        directory.keys[row.catalog, row.oid, "0"] = key
        directory.aliases["pg_type", body.pop("row_type"), "0"] = key
        attributes: dict[str, Value] = body | flags.get(row.oid, {})
        if "parents" in attributes:
            attributes["inherits"] = attributes.pop("parents")
        if body.get("persistence") == "u":
            attributes["persistence"] = "unlogged"
        for name in ("options", "toast_options", "foreign_options"):
            sort_in_place(attributes, name)
        attributes["column_order"] = list(order.get(row.oid, ()))
        attributes["internal_triggers"] = triggers.get(row.oid)
        yield SchemaObject(key=key, attributes=attributes)


def _read_internal_triggers(rows: Rows) -> dict[str, list[list[str]]]:
    """Name and state; several triggers of one key are told as one."""
    found: dict[str, set[tuple[str, str]]] = {}
    for row in rows.all("internal_trigger"):
        found.setdefault(row.oid, set()).add((row.name, msgspec.json.decode(row.body, type=str)))
    return {oid: [list(pair) for pair in sorted(pairs)] for oid, pairs in found.items()}


def _order_columns(rows: Rows) -> dict[str, list[str]]:
    numbered: dict[str, list[tuple[int, str]]] = {}
    for row in rows.own("column"):
        numbered.setdefault(row.oid, []).append((int(row.sub), row.name))
    return {oid: [name for _, name in sorted(columns)] for oid, columns in numbered.items()}


def read_index_flags(rows: Rows) -> dict[str, dict[str, Value]]:
    """What indexes say about their table: CLUSTER ON and REPLICA IDENTITY USING INDEX."""
    flags: dict[str, dict[str, Value]] = {}
    for row in rows.own("index"):
        if '"clustered" : true' in row.body:
            flags.setdefault(row.relation or "", {})["cluster_index"] = row.name
        if '"replica_identity" : true' in row.body:
            flags.setdefault(row.relation or "", {})["replica_identity"] = ["index", row.name]
    return flags


def read_columns(rows: Rows, directory: Directory) -> Iterator[SchemaObject]:
    """Columns of tables, and what was added by hand to columns of views and types."""
    not_nulls = _read_not_nulls(rows)
    identities = _read_identities(rows)
    for row in rows.own("column"):
        body = _COLUMN.decode(row.body)
        key = ObjectKey(kind=Kind.COLUMN, schema=row.schema, parent=row.parent, name=row.name)
        directory.keys[row.catalog, row.oid, row.sub] = key
        place = (row.oid, row.sub)
        if body.relkind in _TABLE_KINDS:
            attributes = _describe_column(body)
            attributes |= not_nulls.get(place, {}) | identities.get(place, {})
        else:
            attributes = _describe_column(body)
            attributes = {name: attributes[name] for name in attributes if name in _SPARSE}
        yield SchemaObject(key=key, attributes=attributes)


def _describe_column(body: _ColumnBody) -> dict[str, Value]:
    attributes: dict[str, Value] = {"type": body.type}
    if body.not_null:
        attributes["nullable"] = False
    if body.default is not None:
        attributes["default"] = body.default
    if body.more:
        attributes |= body.more
        if "generated" in body.more:
            attributes["generated_kind"] = body.more["generated"]
            attributes["generated"] = attributes.pop("default", None)
        sort_in_place(attributes, "options")
        sort_in_place(attributes, "foreign_options")
    return attributes


def _read_not_nulls(rows: Rows) -> dict[tuple[str, str], dict[str, Value]]:
    found: dict[tuple[str, str], dict[str, Value]] = {}
    for row in rows.all("not_null"):
        body = parse(row)
        found[row.relation or "", str(body["column"])] = {
            "not_null_valid": body["valid"],
            "not_null_no_inherit": body["no_inherit"],
        }
    return found


def _read_identities(rows: Rows) -> dict[tuple[str, str], dict[str, Value]]:
    found: dict[tuple[str, str], dict[str, Value]] = {}
    for row in rows.all("sequence"):
        body = parse(row)
        if body.get("bond") == _BOUND_TO_IDENTITY:
            options: list[Value] = [body.get(name) for name in _TEMPLATE]
            found[body["table"], str(body["column"])] = {"identity_options": options}
    return found


def read_sequences(rows: Rows, directory: Directory) -> Iterator[SchemaObject]:
    """Sequences that are objects of their own; an identity's is told with its column."""
    for row in rows.own("sequence"):
        body = parse(row)
        table = body.pop("table", None)
        number = body.pop("column", None)
        if body.pop("bond", None) == _BOUND_TO_IDENTITY or rows.is_left_out("pg_class", table):
            continue
        key = ObjectKey(kind=Kind.SEQUENCE, schema=row.schema, parent=None, name=row.name)
        directory.keys[row.catalog, row.oid, "0"] = key
        if table in directory.relations:
            body["owned_by"] = [
                *directory.relations[table],
                *directory.name_columns(table, [number]),
            ]
        if body.get("persistence") == "u":
            body["persistence"] = "unlogged"
        yield SchemaObject(key=key, attributes=body)


def sort_in_place(attributes: dict[str, Value], name: str) -> None:
    """Sort a list whose order means nothing."""
    value = attributes.get(name)
    if isinstance(value, list):
        attributes[name] = sorted(value)
