"""Keys, checks and exclusions, and indexes with all that an index can say.

Letters: https://www.postgresql.org/docs/current/catalog-pg-constraint.html
and https://www.postgresql.org/docs/current/catalog-pg-index.html
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from monitor.core.decode.rows import Directory, Row, Rows, parse
from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import Value
from monitor.core.snapshot import SchemaObject

_KINDS: Final = {
    "p": Kind.PRIMARY_KEY,
    "u": Kind.UNIQUE,
    "f": Kind.FOREIGN_KEY,
    "c": Kind.CHECK,
    "x": Kind.EXCLUSION,
}
_BORROWED: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.PRIMARY_KEY: ("include", "options", "tablespace", "valid"),
    Kind.UNIQUE: ("include", "options", "tablespace", "valid", "nulls_not_distinct"),
    Kind.EXCLUSION: ("tablespace", "valid"),
}
"""What a constraint says through its index."""
_ACTIONS: Final = {
    "a": "no action",
    "r": "restrict",
    "c": "cascade",
    "n": "set null",
    "d": "set default",
}
_MATCHES: Final = {"f": "full", "p": "partial", "s": "simple"}
_DESC, _NULLS_FIRST = 1, 2
_ORDERS: Final = {
    0: None,
    _DESC | _NULLS_FIRST: "DESC",
    _NULLS_FIRST: "NULLS FIRST",
    _DESC: "DESC NULLS LAST",
}
_EXPRESSION: Final = "0"
"""The column number that stands for the next expression."""
_NO_COLLATION: Final = "0"
_DEFAULT_COLLATION: Final = 'pg_catalog."default"'


class _IndexBody(msgspec.Struct):
    method: str
    keys: str
    key_count: int
    opclasses: str
    collations: str
    order: str
    unique: bool
    valid: bool
    expressions: list[str] | None
    predicate: str | None
    options: list[str] | None
    tablespace: str | None
    nulls_not_distinct: bool = False


_INDEX: Final = msgspec.json.Decoder(_IndexBody)


class _Lookups(NamedTuple):
    """What the numbers in an index stand for."""

    opclasses: Mapping[str, str]
    collations: Mapping[str, str]
    column_collations: Mapping[tuple[str, str], str]
    columns: Mapping[str, dict[str, Value]]


def read_constraints(rows: Rows, directory: Directory) -> Iterator[SchemaObject]:
    """Constraints of tables and domains, and the indexes that no constraint made."""
    lookups = _collect_lookups(rows)
    indexes = {
        row.oid: _describe_index(row, directory=directory, lookups=lookups)
        for row in rows.own("index")
    }
    backing: set[str] = set()
    for row in rows.own("constraint"):
        body = parse(row)
        if rows.is_left_out("pg_type", body.get("domain")):
            continue
        kind = _KINDS[body["type"]]
        key = ObjectKey(kind=kind, schema=row.schema, parent=row.parent, name=row.name)
        directory.keys[row.catalog, row.oid, "0"] = key
        if "index" in body:
            backing.add(body["index"])
            directory.aliases["pg_class", body["index"], "0"] = key
        attributes = _describe_constraint(kind, row, body, directory=directory)
        if kind in _BORROWED:
            index = indexes.get(body.get("index", ""), {})
            attributes |= {name: index[name] for name in _BORROWED[kind] if name in index}
        yield SchemaObject(key=key, attributes=attributes)
    for row in rows.own("index"):
        if row.oid not in backing:
            key = ObjectKey(kind=Kind.INDEX, schema=row.schema, parent=row.parent, name=row.name)
            directory.keys[row.catalog, row.oid, "0"] = key
            yield SchemaObject(key=key, attributes=indexes[row.oid])


def _describe_constraint(
    kind: Kind, row: Row, body: dict[str, Any], *, directory: Directory
) -> dict[str, Value]:
    common = ("valid", "enforced", "deferrable", "initially_deferred", "no_inherit", "period")
    attributes: dict[str, Value] = {name: body[name] for name in common if name in body}
    match kind:
        case Kind.PRIMARY_KEY | Kind.UNIQUE:
            attributes["columns"] = directory.name_columns(row.relation or "", body["columns"])
        case Kind.FOREIGN_KEY:
            attributes |= _describe_foreign_key(row, body, directory=directory)
        case Kind.CHECK:
            attributes["expression"] = body["expression"]
        case _:
            attributes = {"definition": body["definition"]}
    return attributes


def _describe_foreign_key(
    row: Row, body: dict[str, Any], *, directory: Directory
) -> dict[str, Value]:
    target = body["references"]
    attributes: dict[str, Value] = {
        "columns": directory.name_columns(row.relation or "", body["columns"]),
        "references": list(directory.relations.get(target, ())),
        "referenced_columns": directory.name_columns(target, body["referenced_columns"]),
        "match": _MATCHES[body.get("match", "s")],
        "on_update": _ACTIONS[body.get("on_update", "a")],
        "on_delete": _ACTIONS[body.get("on_delete", "a")],
    }
    if "on_delete_columns" in body:
        touched = directory.name_columns(row.relation or "", body["on_delete_columns"])
        attributes["on_delete_columns"] = [*touched]
    return attributes


def _collect_lookups(rows: Rows) -> _Lookups:
    columns: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for row in rows.all("index_column"):
        body = parse(row)
        for source, name in (("statistics", "statistics"), ("options", "opclass_options")):
            if body[source] is not None:
                columns[row.oid][name].append([int(row.sub), body[source]])
    return _Lookups(
        opclasses={row.oid: msgspec.json.decode(row.body) for row in rows.all("opclass")},
        collations={row.oid: msgspec.json.decode(row.body) for row in rows.all("collation")},
        column_collations={
            (row.oid, row.sub): parse(row)["more"]["collation"]
            for row in rows.all("column")
            if '"collation"' in row.body
        },
        columns={
            oid: {name: sorted(entries) for name, entries in described.items()}
            for oid, described in columns.items()
        },
    )


def _describe_index(row: Row, *, directory: Directory, lookups: _Lookups) -> dict[str, Value]:
    body = _INDEX.decode(row.body)
    keys = body.keys.split()
    names = [
        None if number == _EXPRESSION else directory.name_columns(row.relation or "", [number])[0]
        for number in keys
    ]
    attributes: dict[str, Value] = {
        "method": body.method,
        "columns": [*names[: body.key_count]],
        "expressions": [*body.expressions] if body.expressions else None,
        "unique": body.unique,
        "valid": body.valid,
        "nulls_not_distinct": body.nulls_not_distinct,
        "predicate": body.predicate,
        "tablespace": body.tablespace,
        "options": [*sorted(body.options)] if body.options else None,
        "include": [*names[body.key_count :]] or None,
        "opclasses": _unless_empty([lookups.opclasses.get(oid) for oid in body.opclasses.split()]),
        "collations": _unless_empty(_name_collations(row, body, keys, lookups)),
        "order": _unless_empty([_ORDERS[int(option) & 3] for option in body.order.split()]),
    }
    return attributes | lookups.columns.get(row.oid, {})


def _name_collations(
    row: Row, body: _IndexBody, keys: list[str], lookups: _Lookups
) -> list[Value]:
    """Collations that are not the column's own, where the key has one at all."""
    names: list[Value] = []
    for number, oid in zip(keys, body.collations.split(), strict=False):
        own = lookups.column_collations.get((row.relation or "", number), _DEFAULT_COLLATION)
        named = own if oid == _NO_COLLATION else lookups.collations.get(oid)
        names.append(None if named == own else named)
    return names


def _unless_empty(values: list[Any]) -> Value:
    """The list, or None when nothing in it is worth a word."""
    return values if any(value is not None for value in values) else None
