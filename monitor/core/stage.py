"""The stage on which a text of a snapshot can be read again.

What a text mentions is brought along, and what that mentions: types, sequences, tables, views,
the signatures of functions. Each comes as bare as the reading of a text needs it: tables
without constraints but their keys, domains without checks, and functions without their bodies,
so that nothing that somebody wrote ever runs there.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from monitor.core.homes import TABLES
from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import Value
from monitor.core.render import RENDERED
from monitor.core.render.words import split_signature
from monitor.core.snapshot import SchemaObject, Snapshot
from monitor.core.spelling import list_names
from monitor.core.stand_ins import make_schema

_WHOLE: Final = (
    Kind.ENUM,
    Kind.COMPOSITE,
    Kind.AGGREGATE,
    Kind.OPERATOR,
    Kind.VIEW,
    Kind.MATERIALIZED_VIEW,
)
"""Kinds that come with all that is rendered of them."""

_KEPT: Final[Mapping[Kind, frozenset[str]]] = {
    **{kind: RENDERED[kind] for kind in _WHOLE},
    Kind.RANGE: frozenset({"subtype", "multirange", "opclass", "collation"}),
    Kind.DOMAIN: frozenset({"type", "collation"}),
    Kind.SEQUENCE: frozenset(),
    Kind.FUNCTION: frozenset({"arguments", "returns", "volatility"}),
    Kind.PROCEDURE: frozenset({"arguments"}),
    Kind.TABLE: frozenset({"column_order"}),
    Kind.FOREIGN_TABLE: frozenset({"column_order"}),
}
"""What can be mentioned, and what is kept of it."""

_COLUMN: Final = frozenset({"type", "collation"})
_KEY: Final = frozenset({"columns", "nulls_not_distinct"})
_KEYS: Final = (Kind.PRIMARY_KEY, Kind.UNIQUE)
"""A query may group by a primary key, and a rule may name a unique constraint."""
_ROUTINES: Final = (Kind.FUNCTION, Kind.PROCEDURE, Kind.AGGREGATE, Kind.OPERATOR)
STAND_IN: Final[Mapping[str, Value]] = {"language": "plpgsql", "body": "begin return null; end"}
"""plpgsql reads no body that it does not run, and may return what SQL may not: a trigger. It
is run where an index calls a function of constants: the server works out what that is."""

type _Place = tuple[str | None, str]


class Ground:
    """What is in a snapshot, by what a text calls it."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._objects = snapshot.by_key
        self._named: dict[_Place, list[ObjectKey]] = defaultdict(list)
        self._parts: dict[_Place, list[SchemaObject]] = defaultdict(list)
        self._extensions: list[SchemaObject] = []
        for item in snapshot.objects:
            self._enter(item)
        self._edges: dict[ObjectKey, list[ObjectKey]] = defaultdict(list)
        for edge in snapshot.dependencies:
            self._edges[edge.dependent].append(edge.needed)

    def _enter(self, item: SchemaObject) -> None:
        key = item.key
        if key.kind is Kind.EXTENSION:
            self._extensions.append(item)
        elif key.kind is Kind.COLUMN or key.kind in _KEYS:
            self._parts[key.schema, key.parent or ""].append(item)
        elif key.kind in _KEPT:
            is_routine = key.kind in _ROUTINES
            name = split_signature(key.name).name if is_routine else key.name
            self._named[key.schema, name].append(key)
        multirange = item.attributes.get("multirange")
        for place in list_names(multirange) if isinstance(multirange, str) else ():
            self._named[place].append(key)

    @property
    def places(self) -> Collection[_Place]:
        """Where something is that can be brought along."""
        return self._named.keys()

    def list_parents(self, key: ObjectKey) -> list[ObjectKey]:
        """The table, view or domain that an object hangs on, and what else is called so."""
        if key.parent is None:
            return []
        schema = self._objects[key].get("table_schema") if key.kind is Kind.STATISTICS else None
        return self._named.get((schema if isinstance(schema, str) else key.schema, key.parent), [])

    def list_parts(self, key: ObjectKey) -> list[SchemaObject]:
        """The columns and keys of a table, bare."""
        return [
            item.keep(_COLUMN if _is_column(item) else _KEY)
            for item in self._parts.get((key.schema, key.name), ())
        ]

    def list_needs(self, key: ObjectKey) -> Iterator[ObjectKey]:
        """What the server says that an object needs: operators no text can be searched for."""
        for needed in self._edges.get(key, ()):
            if needed.kind in _KEPT:
                yield needed
            else:
                yield from self._named.get((needed.schema, needed.parent or ""), ())

    def list_mentions(self, value: Value) -> Iterator[ObjectKey]:
        """What a value mentions."""
        if isinstance(value, str):
            for place in list_names(value):
                yield from self._named.get(place, ())
        elif isinstance(value, list):
            if len(value) > 1 and all(isinstance(part, str) for part in value[:2]):
                yield from self._named.get((value[0], value[1]), ())
            for part in value:
                yield from self.list_mentions(part)

    def build_stage(self, wanted: Iterable[ObjectKey]) -> tuple[SchemaObject, ...]:
        """The objects with all that they mention, in the order in which they can be made.

        What needs itself in a circle comes in some order: the server refuses a part of it,
        and then what it was needed for.
        """
        ordered: list[SchemaObject] = []
        seen: set[ObjectKey] = set()
        pending = [(key, False) for key in wanted]
        while pending:
            key, is_ready = pending.pop()
            if is_ready:
                ordered += self._make(key)
            elif key not in seen and key.kind in _KEPT and key in self._objects:
                seen.add(key)
                pending.append((key, True))
                pending += [(other, False) for other in self._list_needed(key)]
        schemas = {item.key.schema for item in ordered}
        extensions = [item.keep(RENDERED[Kind.EXTENSION]) for item in self._extensions]
        homes = (item.attributes.get("schema") for item in extensions)
        schemas |= {home for home in homes if isinstance(home, str)}
        return (*_list_schemas(schemas), *extensions, *ordered)

    def _list_needed(self, key: ObjectKey) -> Iterator[ObjectKey]:
        if key.kind in TABLES:
            for part in self.list_parts(key):
                yield from self.list_mentions(part.get("type") if _is_column(part) else None)
            return
        for name in _KEPT[key.kind]:
            yield from self.list_mentions(self._objects[key].get(name))
        if key.kind in (Kind.VIEW, Kind.MATERIALIZED_VIEW):
            yield from self.list_needs(key)

    def _make(self, key: ObjectKey) -> list[SchemaObject]:
        item = self._objects[key].keep(_KEPT[key.kind])
        if key.kind in (Kind.FUNCTION, Kind.PROCEDURE):
            return [SchemaObject(key=key, attributes={**item.attributes, **STAND_IN})]
        if key.kind not in TABLES:
            return [item]
        parts = self.list_parts(key)
        columns = [part for part in parts if _is_column(part)]
        keys = [part for part in parts if not _is_column(part)]
        table = ObjectKey(kind=Kind.TABLE, schema=key.schema, parent=None, name=key.name)
        return [SchemaObject(key=table, attributes=item.attributes), *columns, *keys]


def _is_column(item: SchemaObject) -> bool:
    return item.key.kind is Kind.COLUMN


def _list_schemas(names: Iterable[str | None]) -> Iterator[SchemaObject]:
    """All but the server's own, in which an extension may be."""
    for name in sorted(name for name in names if name and not name.startswith("pg_")):
        yield make_schema(name)
