"""Tables with their columns, and sequences."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from monitor.core.decode.bodies import ColumnsBody
from monitor.core.decode.rows import WHOLE, Directory, Row, Rows, parse
from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import Value
from monitor.core.snapshot import SchemaObject

_TABLE_KINDS: Final = {"r": Kind.TABLE, "p": Kind.TABLE, "f": Kind.FOREIGN_TABLE}
_SPARSE: Final = frozenset({"default", "statistics_target", "options", "storage", "compression"})
_BOUND_TO_IDENTITY: Final = "i"
_TEMPLATE: Final = ["type", "start", "increment", "minimum", "maximum", "cache", "cycle"]


class _Relation(msgspec.Struct):
    relkind: str
    row_type: str
    owner: str
    more: dict[str, Any] | None


class _Default(msgspec.Struct, array_like=True):
    number: int
    oid: str
    version: str


class _Sequence(msgspec.Struct, array_like=True):
    owner: str
    persistence: str
    type: str
    start: int
    increment: int
    minimum: int
    maximum: int
    cache: int
    cycle: bool
    bond: str | None
    table: str | None
    column: str | None


_RELATION: Final = msgspec.json.Decoder(_Relation)
_SEQUENCE: Final = msgspec.json.Decoder(_Sequence)
_DEFAULTS: Final = msgspec.json.Decoder(list[_Default])


def list_relations(rows: Rows) -> dict[str, tuple[str, str]]:
    """Object number -> schema and name, of everything that has, or could have, columns."""
    found = {row.oid: (row.schema or "", row.parent or "") for row, _ in rows.columns}
    for record in ("relation", "view", "materialized_view"):
        for row in rows.all(record):
            found[row.oid] = (row.schema or "", row.name)
    for row in rows.all("composite"):
        found[row.relation or ""] = (row.schema or "", row.name)
    return found


def list_columns(rows: Rows) -> dict[str, dict[str, str]]:
    """Object number -> column number -> name."""
    return {
        row.oid: dict(zip(map(str, body.numbers), body.names, strict=True))
        for row, body in rows.columns
    }


def read_tables(rows: Rows, directory: Directory) -> Iterator[SchemaObject]:
    """Tables and foreign tables."""
    order = {row.oid: _order_columns(body) for row, body in rows.columns}
    flags = read_index_flags(rows)
    triggers = _read_internal_triggers(rows)
    for row in rows.own("relation"):
        body = _RELATION.decode(row.body)
        kind = _TABLE_KINDS[body.relkind]
        key = ObjectKey(kind=kind, schema=row.schema, parent=None, name=row.name)
        directory.keys[row.catalog, row.oid, WHOLE] = key
        directory.aliases["pg_type", body.row_type, WHOLE] = key
        attributes: dict[str, Value] = {"owner": body.owner}
        if body.more:
            attributes |= _describe_unusual(body.more)
            for name in ("partition_by", "partition_bound"):
                if version := body.more.get(name):
                    place = (row.catalog, row.oid, name)
                    directory.expect_text(attributes, name, place, version)
        if row.oid in flags:
            attributes |= flags[row.oid]
        attributes["column_order"] = order.get(row.oid, [])
        if row.oid in triggers:
            attributes["internal_triggers"] = triggers[row.oid]
        yield SchemaObject(key=key, attributes=attributes)


def _describe_unusual(more: dict[str, Any]) -> dict[str, Value]:
    """What few tables have."""
    attributes: dict[str, Value] = dict(more)
    if "parents" in attributes:
        attributes["inherits"] = attributes.pop("parents")
    if attributes.get("persistence") == "u":
        attributes["persistence"] = "unlogged"
    for name in ("options", "toast_options", "foreign_options"):
        sort_in_place(attributes, name)
    return attributes


def _order_columns(body: ColumnsBody) -> list[str]:
    return [name for _, name in sorted(zip(body.numbers, body.names, strict=True))]


def _read_internal_triggers(rows: Rows) -> dict[str, list[list[str]]]:
    """Name and state; several triggers of one key are told as one."""
    found: dict[str, set[tuple[str, str]]] = {}
    for row in rows.all("internal_trigger"):
        found.setdefault(row.oid, set()).add((row.name, msgspec.json.decode(row.body, type=str)))
    return {oid: [list(pair) for pair in sorted(pairs)] for oid, pairs in found.items()}


def read_index_flags(rows: Rows) -> dict[str, dict[str, Value]]:
    """What indexes say about their table: CLUSTER ON and REPLICA IDENTITY USING INDEX.

    An index that a partition has of its parent's goes by the schema and the name of the
    topmost one.
    """
    flags: dict[str, dict[str, Value]] = defaultdict(dict)
    for row, index in rows.indexes:
        if index.clustered:
            flags[row.oid]["cluster_index"] = index.name
        if index.replica_identity:
            flags[row.oid]["replica_identity"] = ["index", index.name]
    for row in rows.all("partition_index"):
        _add_partition_index(row, flags[row.oid])
    return flags


def _add_partition_index(row: Row, flags: dict[str, Value]) -> None:
    """Add what one index of a partition has of its own."""
    own = parse(row)
    if own.pop("clustered", False):
        flags["cluster_index"] = [row.schema, row.name]
    if own.pop("replica_identity", False):
        flags["replica_identity"] = ["index", row.schema, row.name]
    sort_in_place(own, "options")
    if own:
        described: Any = flags.setdefault("partition_indexes", [])
        described += [[row.schema, row.name, name, value] for name, value in own.items()]
        described.sort(key=repr)


def read_columns(rows: Rows, directory: Directory) -> Iterator[SchemaObject]:
    """Columns of tables, and what was added by hand to columns of views and types."""
    defaults = _read_defaults(rows, directory)
    extras = _read_identities(rows)
    for place, said in _read_not_nulls(rows).items():
        extras.setdefault(place, {}).update(said)
    for row, body in rows.columns:
        if rows.is_left_out("pg_class", row.oid):
            continue
        is_table = body.relkind in _TABLE_KINDS
        own = defaults.get(row.oid, {})
        for column in zip(
            body.numbers, body.names, body.types, body.not_null, body.more, strict=True
        ):
            number, name = column[:2]
            attributes = _describe_column(column, body)
            if (row.oid, number) in extras:
                attributes |= extras[row.oid, number]
            if not is_table:
                attributes = {n: v for n, v in attributes.items() if n in _SPARSE}
            if number in own:
                _expect_default(attributes, own[number], directory)
            key = ObjectKey(kind=Kind.COLUMN, schema=row.schema, parent=row.parent, name=name)
            yield SchemaObject(key=key, attributes=attributes)


def _expect_default(attributes: dict[str, Value], default: _Default, directory: Directory) -> None:
    """The expression of a default, or of a generated column."""
    name = "generated" if "generated_kind" in attributes else "default"
    directory.expect_text(attributes, name, ("pg_attrdef", default.oid, WHOLE), default.version)


def _describe_column(
    column: tuple[int, str, str, bool, dict[str, Any] | None], body: ColumnsBody
) -> dict[str, Value]:
    _, _, type_, not_null, more = column
    attributes: dict[str, Value] = {"type": type_}
    if not_null:
        attributes["nullable"] = False
    if more:
        _add_unusual(attributes, more, is_partition=body.is_partition)
    return attributes


def _add_unusual(
    attributes: dict[str, Value], more: dict[str, Any], *, is_partition: bool
) -> None:
    """What few columns have."""
    attributes |= more
    if is_partition:
        attributes.pop("inherited", None)  # every column of a partition is
    if "generated" in more:
        attributes["generated_kind"] = attributes.pop("generated")
    sort_in_place(attributes, "options")
    sort_in_place(attributes, "foreign_options")


def _read_defaults(rows: Rows, directory: Directory) -> dict[str, dict[int, _Default]]:
    """Object number -> column number -> default; a default's own number stands for it."""
    found: dict[str, dict[int, _Default]] = {}
    for row in rows.all("defaults"):
        defaults = _DEFAULTS.decode(row.body)
        found[row.oid] = {default.number: default for default in defaults}
        for default in defaults:
            directory.defaults[default.oid] = (row.oid, str(default.number))
    return found


def _read_not_nulls(rows: Rows) -> dict[tuple[str, int], dict[str, Value]]:
    found: dict[tuple[str, int], dict[str, Value]] = {}
    for row in rows.all("not_null"):
        body = parse(row)
        found[row.relation or "", body["column"]] = {
            "not_null_valid": body["valid"],
            "not_null_no_inherit": body["no_inherit"],
        }
    return found


def _read_identities(rows: Rows) -> dict[tuple[str, int], dict[str, Value]]:
    found: dict[tuple[str, int], dict[str, Value]] = {}
    for row in rows.all("sequence"):
        body = _SEQUENCE.decode(row.body)
        if body.bond == _BOUND_TO_IDENTITY and body.table and body.column:
            options: list[Value] = [getattr(body, name) for name in _TEMPLATE]
            found[body.table, int(body.column)] = {"identity_options": options}
    return found


def read_sequences(rows: Rows, directory: Directory) -> Iterator[SchemaObject]:
    """Sequences that are objects of their own; an identity's is told with its column."""
    for row in rows.own("sequence"):
        body = _SEQUENCE.decode(row.body)
        if body.bond == _BOUND_TO_IDENTITY or rows.is_left_out("pg_class", body.table):
            continue
        key = ObjectKey(kind=Kind.SEQUENCE, schema=row.schema, parent=None, name=row.name)
        directory.keys[row.catalog, row.oid, WHOLE] = key
        attributes: dict[str, Value] = {name: getattr(body, name) for name in _TEMPLATE}
        attributes["owner"] = body.owner
        if body.table and body.column and body.table in directory.relations:
            attributes["owned_by"] = [
                *directory.relations[body.table],
                *directory.name_columns(body.table, [body.column]),
            ]
        if body.persistence == "u":
            attributes["persistence"] = "unlogged"
        yield SchemaObject(key=key, attributes=attributes)


def sort_in_place(attributes: dict[str, Value], name: str) -> None:
    """Sort a list whose order means nothing."""
    value = attributes.get(name)
    if isinstance(value, list):
        attributes[name] = sorted(value)
