"""The snapshot from its parts: what is said about any object, and which needs which."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from monitor.core.decode.constraints import read_constraints
from monitor.core.decode.others import read_others
from monitor.core.decode.relations import (
    ColumnList,
    list_column_lists,
    list_columns,
    list_relations,
    read_columns,
    read_sequences,
    read_tables,
)
from monitor.core.decode.rows import Directory, Rows, parse
from monitor.core.errors import Interrupted
from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import KINDS, Value
from monitor.core.snapshot import (
    Dependency,
    SchemaObject,
    ServerFacts,
    Snapshot,
    VersionTable,
    make_snapshot,
)


class VersionTablePlace(NamedTuple):
    """Where an Alembic version table is, before its rows are read.

    Attributes:
        schema: its schema.
        name: its name.
        width: characters that a revision may have, None for no limit.
        is_readable: whether this role may read it.
    """

    schema: str
    name: str
    width: int | None
    is_readable: bool


def find_version_tables(rows: Iterable[Sequence[str | None]]) -> list[VersionTablePlace]:
    """The version tables that the catalog statement saw, sorted."""
    found = []
    # Most rows are of other records: they are grouped once, by `decode`.
    for row in Rows(row for row in rows if row[0] == "version_table").all("version_table"):
        body = parse(row)
        place = VersionTablePlace(
            schema=row.schema or "",
            name=row.name,
            width=body["width"],
            is_readable=body["readable"],
        )
        found.append(place)
    return sorted(found)


def decode(
    rows: Iterable[Sequence[str | None]],
    *,
    version_tables: Iterable[VersionTable] = (),
    builder: str | None = None,
) -> Snapshot:
    """The snapshot that the rows of the catalog statement describe.

    Args:
        rows: what the statement returned, in any order.
        version_tables: the version tables with their rows.
        builder: the role that built the schema in a shadow; what it owns has
            no declared owner.

    Raises:
        Interrupted: the rows contradict each other, because the schema
            changed while they were read.
    """
    grouped = Rows(rows)
    lists = list_column_lists(grouped)
    directory = Directory(
        relations=list_relations(grouped, lists),
        columns=list_columns(lists),
        keys={},
        aliases={},
        defaults={},
    )
    objects = list(_read_objects(grouped, directory, lists))
    extras = _collect_extras(grouped, directory)
    return make_snapshot(
        (item for item in _attach(objects, extras, builder) if _is_worth_keeping(item)),
        dependencies=_read_dependencies(grouped, directory),
        version_tables=version_tables,
        others={row.name: msgspec.json.decode(row.body, type=int) for row in grouped.all("other")},
        server=_read_server(grouped),
        builder=builder,
    )


def _read_objects(
    rows: Rows, directory: Directory, lists: list[ColumnList]
) -> Iterator[SchemaObject]:
    yield from read_tables(rows, directory, lists)
    yield from read_columns(rows, directory, lists)
    yield from read_sequences(rows, directory)
    yield from read_constraints(rows, directory, lists)
    yield from read_others(rows, directory)


def _read_server(rows: Rows) -> ServerFacts:
    try:
        [row] = rows.all("server")
    except ValueError:
        raise Interrupted("The server's answer was cut off.", next_step="Look again.") from None
    return msgspec.json.decode(row.body, type=ServerFacts)


def _collect_extras(rows: Rows, directory: Directory) -> dict[ObjectKey, dict[str, Value]]:
    """Comments and privileges of each object."""
    extras: dict[ObjectKey, dict[str, Value]] = {}
    for row in rows.all("comment"):
        place = (row.catalog, row.oid, row.sub)
        if key := directory.find(place):
            extras.setdefault(key, {})["comment"] = msgspec.json.decode(row.body)
        elif key := directory.aliases.get(place):
            extras.setdefault(key, {})["index_comment"] = msgspec.json.decode(row.body)
    for row in rows.all("grant"):
        if key := directory.find((row.catalog, row.oid, row.sub)):
            described = {name: sorted(pairs) for name, pairs in parse(row).items()}
            extras.setdefault(key, {}).update(described)
    return extras


def _attach(
    objects: Iterable[SchemaObject],
    extras: Mapping[ObjectKey, Mapping[str, Value]],
    builder: str | None,
) -> Iterator[SchemaObject]:
    for item in objects:
        has_builder = builder is not None and item.attributes.get("owner") == builder
        extra = extras.get(item.key) if extras else None
        if not has_builder and extra is None:
            yield item
            continue
        attributes = dict(item.attributes)
        if has_builder:
            del attributes["owner"]
        spec = KINDS[item.key.kind]
        attributes |= {name: value for name, value in (extra or {}).items() if name in spec}
        yield SchemaObject(key=item.key, attributes=attributes)


def _is_worth_keeping(item: SchemaObject) -> bool:
    """A column of a view or a composite type is told only when something was added to it."""
    return item.key.kind is not Kind.COLUMN or bool(item.attributes)


def _read_dependencies(rows: Rows, directory: Directory) -> Iterator[Dependency]:
    for row in rows.all("dependency"):
        catalog, oid, sub = row.body.split(" ")
        dependent = directory.find_part((row.catalog, row.oid, row.sub))
        needed = directory.find_part((catalog, oid, sub))
        if dependent and needed and dependent != needed:
            yield Dependency(dependent=dependent, needed=needed)
