"""Keys, checks and exclusions, and indexes with all that an index can say.

Letters: https://www.postgresql.org/docs/current/catalog-pg-constraint.html
and https://www.postgresql.org/docs/current/catalog-pg-index.html
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from monitor.core.decode.bodies import (
    CONSTRAINTS,
    ConstraintBody,
    IndexBody,
    read_numbers,
)
from monitor.core.decode.rows import WHOLE, Directory, Row, Rows, parse
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


class _Lookups(NamedTuple):
    """What the numbers in an index stand for; ``keys`` keeps what was said of a like one."""

    opclasses: Mapping[str, str]
    collations: Mapping[str, str]
    column_collations: Mapping[str, Mapping[str, str]]
    columns: Mapping[str, dict[str, Value]]
    keys: dict[tuple[str, str, str], dict[str, Value]]


def read_constraints(rows: Rows, directory: Directory) -> Iterator[SchemaObject]:
    """Constraints of tables and domains, and the indexes that no constraint made."""
    lookups = _collect_lookups(rows)
    indexes = {
        index.oid: (row, index)
        for row, index in rows.indexes
        if not rows.is_left_out("pg_class", index.oid)
    }
    for row in rows.own("constraints"):
        for constraint in CONSTRAINTS.decode(row.body):
            backing = indexes.pop(constraint.index, None)
            borrowed = _describe_index(*backing, directory, lookups) if backing else {}
            yield _read_constraint(row, constraint, borrowed, directory)
    for row, index in indexes.values():
        key = ObjectKey(kind=Kind.INDEX, schema=row.schema, parent=row.parent, name=index.name)
        directory.keys["pg_class", index.oid, WHOLE] = key
        attributes = _describe_index(row, index, directory, lookups)
        yield SchemaObject(key=key, attributes=attributes)
    yield from _read_domain_checks(rows, directory)


def _read_constraint(
    row: Row, body: ConstraintBody, index: Mapping[str, Value], directory: Directory
) -> SchemaObject:
    kind = _KINDS[body.type]
    key = ObjectKey(kind=kind, schema=row.schema, parent=row.parent, name=body.name)
    directory.keys["pg_constraint", body.oid, WHOLE] = key
    if index:
        directory.aliases["pg_class", body.index, WHOLE] = key
    attributes = _describe_constraint(kind, row, body, directory=directory)
    attributes |= {name: index[name] for name in _BORROWED.get(kind, ()) if name in index}
    return SchemaObject(key=key, attributes=attributes)


def _read_domain_checks(rows: Rows, directory: Directory) -> Iterator[SchemaObject]:
    for row in rows.own("domain_check"):
        body = parse(row)
        if rows.is_left_out("pg_type", body["domain"]):
            continue
        key = ObjectKey(kind=Kind.CHECK, schema=row.schema, parent=row.parent, name=row.name)
        directory.keys[row.catalog, row.oid, WHOLE] = key
        attributes = {"expression": body["expression"], "valid": body["valid"]}
        yield SchemaObject(key=key, attributes=attributes)


def _describe_constraint(
    kind: Kind, row: Row, body: ConstraintBody, *, directory: Directory
) -> dict[str, Value]:
    match kind:
        case Kind.PRIMARY_KEY | Kind.UNIQUE:
            columns = directory.name_columns(row.oid, read_numbers(body.columns))
            return {"columns": columns, "period": body.period, **_describe_deferral(body)}
        case Kind.FOREIGN_KEY:
            columns = directory.name_columns(row.oid, read_numbers(body.columns))
            return _describe_foreign_key(row, body, columns, directory=directory)
        case Kind.CHECK:
            attributes: dict[str, Value] = {
                "no_inherit": body.no_inherit,
                "valid": body.valid,
                "enforced": body.enforced,
            }
            return _expect_text(attributes, "expression", body, directory)
        case _:
            return _expect_text({}, "definition", body, directory)


def _expect_text(
    attributes: dict[str, Value], name: str, body: ConstraintBody, directory: Directory
) -> dict[str, Value]:
    place = ("pg_constraint", body.oid, WHOLE)
    directory.expect_text(attributes, name, place, body.version)
    return attributes


def _describe_deferral(body: ConstraintBody) -> dict[str, Value]:
    return {"deferrable": body.deferrable, "initially_deferred": body.initially_deferred}


def _describe_foreign_key(
    row: Row, body: ConstraintBody, columns: list[str], *, directory: Directory
) -> dict[str, Value]:
    target = body.references
    attributes: dict[str, Value] = {
        "columns": columns,
        "references": [*directory.relations.get(target, ())],
        "referenced_columns": directory.name_columns(
            target, read_numbers(body.referenced_columns)
        ),
        "match": _MATCHES[body.match],
        "on_update": _ACTIONS[body.on_update],
        "on_delete": _ACTIONS[body.on_delete],
        "valid": body.valid,
        "enforced": body.enforced,
        "period": body.period,
        **_describe_deferral(body),
    }
    if body.on_delete_columns:
        touched = read_numbers(body.on_delete_columns)
        attributes["on_delete_columns"] = [*directory.name_columns(row.oid, touched)]
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
            row.oid: {
                str(number): more["collation"]
                for number, more in zip(body.numbers, body.more, strict=True)
                if more and "collation" in more
            }
            for row, body in rows.columns
            if any(body.more)
        },
        columns={
            oid: {name: sorted(entries) for name, entries in described.items()}
            for oid, described in columns.items()
        },
        keys={},
    )


def _describe_index(
    row: Row, body: IndexBody, directory: Directory, lookups: _Lookups
) -> dict[str, Value]:
    keys = body.keys.split()
    columns = directory.columns.get(row.oid, {})
    names = [columns.get(number) for number in keys]
    if names.count(None) != keys.count(_EXPRESSION):
        directory.name_columns(row.oid, [n for n in keys if n != _EXPRESSION])  # raises
    attributes: dict[str, Value] = {
        "method": body.method,
        "columns": [*names[: body.key_count]],
        "unique": body.unique,
        "valid": body.valid,
        "nulls_not_distinct": body.nulls_not_distinct,
        "tablespace": body.tablespace,
        "options": [*sorted(body.options)] if body.options else None,
        "include": [*names[body.key_count :]] or None,
        **_describe_keys(row, body, keys, lookups),
        **lookups.columns.get(body.oid, {}),
    }
    _expect_texts(attributes, body, keys, directory)
    return attributes


def _expect_texts(
    attributes: dict[str, Value], body: IndexBody, keys: list[str], directory: Directory
) -> None:
    """Key expressions, by the number of the key column, and the predicate."""
    if body.partial:
        place = ("pg_index", body.oid, "predicate")
        directory.expect_text(attributes, "predicate", place, body.version)
    if _EXPRESSION not in keys:
        return
    numbers = [number for number, key in enumerate(keys, 1) if key == _EXPRESSION]
    expressions: list[Value] = [None for _ in numbers]
    attributes["expressions"] = expressions
    for index, number in enumerate(numbers):
        place = ("pg_index", body.oid, str(number))
        directory.expect_text(expressions, index, place, body.version)


def _describe_keys(
    row: Row, body: IndexBody, keys: list[str], lookups: _Lookups
) -> Mapping[str, Value]:
    """Operator classes, collations and order of the key columns; most indexes are alike."""
    alike = (body.opclasses, body.collations, body.order)
    is_plain = row.oid not in lookups.column_collations
    if is_plain and alike in lookups.keys:
        return lookups.keys[alike]
    described = {
        "opclasses": _unless_empty([lookups.opclasses.get(oid) for oid in body.opclasses.split()]),
        "collations": _unless_empty(_name_collations(row, body, keys, lookups)),
        "order": _unless_empty([_ORDERS[int(option) & 3] for option in body.order.split()]),
    }
    described = {name: value for name, value in described.items() if value is not None}
    if is_plain:
        lookups.keys[alike] = described
    return described


def _name_collations(row: Row, body: IndexBody, keys: list[str], lookups: _Lookups) -> list[Value]:
    """Collations that are not the column's own, where the key has one at all."""
    names: list[Value] = []
    collations = lookups.column_collations.get(row.oid, {})
    for number, oid in zip(keys, body.collations.split(), strict=False):
        own = collations.get(number, _DEFAULT_COLLATION)
        named = own if oid == _NO_COLLATION else lookups.collations.get(oid)
        names.append(None if named == own else named)
    return names


def _unless_empty(values: list[Any]) -> Value:
    """The list, or None when nothing in it is worth a word."""
    return values if any(value is not None for value in values) else None
