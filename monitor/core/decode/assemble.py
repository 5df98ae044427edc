"""The snapshot from its parts: what is said about any object, and which needs which."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from monitor.core.decode.activity import read_activity
from monitor.core.decode.constraints import read_constraints
from monitor.core.decode.others import read_others
from monitor.core.decode.relations import (
    list_columns,
    list_relations,
    read_columns,
    read_sequences,
    read_tables,
)
from monitor.core.decode.rows import Directory, Place, Rows, Slot, parse
from monitor.core.decode.texts import fill, read_texts, remember
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
    for row in Rows(row for row in rows if row[0] == "version_table").version_tables:
        body = parse(row)
        place = VersionTablePlace(
            schema=row.schema or "",
            name=row.name,
            width=body["width"],
            is_readable=body["readable"],
        )
        found.append(place)
    return sorted(found)


def find_moment(rows: Iterable[Sequence[str | None]]) -> str | None:
    """The transactions that the catalog statement saw as over, as the server writes them."""
    return next((row[8] for row in rows if row[0] == "moment"), None)


class Draft:
    """What rows describe, before the texts that are read apart stand in it.

    Attributes:
        slots: where texts will stand.
        remembered: what tells in a later read which texts still hold.
        activity: what other sessions were doing to the schema.
    """

    def __init__(self, rows: Iterable[Sequence[str | None]]) -> None:
        """Read the rows of the catalog statement, in any order.

        Raises:
            Interrupted: the rows contradict each other, because the schema
                changed while they were read.
        """
        self._rows = Rows(rows)
        self._directory = Directory(
            relations=list_relations(self._rows),
            columns=list_columns(self._rows),
            keys={},
            aliases={},
            defaults={},
            slots=[],
        )
        self._objects = list(_read_objects(self._rows, self._directory))
        self.slots: Sequence[Slot] = self._directory.slots
        self.remembered = remember(self._rows)
        self.activity = read_activity(self._rows, self._directory)

    def finish(
        self,
        texts: Mapping[Place, Value],
        *,
        version_tables: Iterable[VersionTable] = (),
        builder: str | None = None,
    ) -> Snapshot:
        """The snapshot; a draft is finished once.

        Args:
            texts: one for each slot.
            version_tables: the version tables with their rows.
            builder: the role that built the schema in a shadow; what it owns has
                no declared owner.

        Raises:
            Interrupted: a text is missing, because the schema changed meanwhile.
        """
        fill(self.slots, texts)
        rows, directory = self._rows, self._directory
        extras = _collect_extras(rows, directory)
        others = {r.name: msgspec.json.decode(r.body, type=int) for r in rows.all("other")}
        return make_snapshot(
            filter(_is_worth_keeping, _attach(self._objects, extras, builder)),
            dependencies=_read_dependencies(rows, directory),
            version_tables=version_tables,
            others=others,
            server=_read_server(rows),
            builder=builder,
        )


def decode(
    rows: Iterable[Sequence[str | None]],
    texts: Iterable[Sequence[str | None]] = (),
    *,
    version_tables: Iterable[VersionTable] = (),
    builder: str | None = None,
) -> Snapshot:
    """The snapshot that the rows of the catalog statement and of the text statements describe.

    Raises:
        Interrupted: they contradict each other.
    """
    return Draft(rows).finish(read_texts(texts), version_tables=version_tables, builder=builder)


def _read_objects(rows: Rows, directory: Directory) -> Iterator[SchemaObject]:
    yield from read_tables(rows, directory)
    yield from read_columns(rows, directory)
    yield from read_sequences(rows, directory)
    yield from read_constraints(rows, directory)
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
