"""Owners and privileges: they count where the expected source says something about them.

A migration that grants nothing on a table leaves it to the environment who may read it.
One that grants something has said what holds: then everything else is a difference.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from monitor.core.findings import Evidence
from monitor.core.keys import Kind, ObjectKey
from monitor.core.snapshot import SchemaObject, Snapshot

OWNER: Final = "owner"
PRIVILEGES: Final = ("grants", "revokes")

_RELATIONS: Final = frozenset(
    {Kind.TABLE, Kind.FOREIGN_TABLE, Kind.VIEW, Kind.MATERIALIZED_VIEW, Kind.COLUMN}
)
_ROUTINES: Final = frozenset({Kind.FUNCTION, Kind.PROCEDURE, Kind.AGGREGATE})
_TYPES: Final = frozenset({Kind.ENUM, Kind.DOMAIN, Kind.COMPOSITE, Kind.RANGE})

type _Place = tuple[str, str | None, str]
type _Class = tuple[str | None, str]
"""The schema and the class of objects that default privileges are for."""


class Declarations(msgspec.Struct, frozen=True):
    """What one comparison has to know about owners and privileges.

    Attributes:
        is_complete: whether the expected source was read from a database: then it says
            everything about everything.
        is_built: whether the actual one was built, and so says nothing by itself.
        owner: the role that stands for whoever built the expected source, on the other side.
        places: objects of which the expected source declares privileges.
        classes: what it declares default privileges for.
        given: privileges that new objects get by themselves, where they are.
    """

    is_complete: bool
    is_built: bool
    owner: str | None
    places: frozenset[_Place]
    classes: frozenset[_Class]
    given: Mapping[_Class, list[Any]]

    def covers(self, item: SchemaObject, attribute: str) -> bool:
        """Whether a difference in an owner or a privilege of an expected object counts."""
        if self.is_complete:
            return True
        if attribute == OWNER:
            return OWNER in item.attributes
        return _find_place(item.key) in self.places

    def covers_defaults(self, key: ObjectKey) -> bool:
        """Whether default privileges that nobody expects count."""
        return self.is_complete or _find_class(key) in self.classes

    def is_worth_telling(self, item: SchemaObject, evidence: Evidence) -> bool:
        """Whether there is something to be said about what nobody declared.

        Not about the owner whom the builder stood for, and not about what default
        privileges gave: these are told themselves.
        """
        if evidence.name == OWNER:
            return evidence.actual not in (None, self.owner)
        found = evidence.actual
        given = [*self._list_given(item.key, item.key.schema), *self._list_given(item.key, None)]
        return not (isinstance(found, list) and all(one in given for one in found))

    def _list_given(self, key: ObjectKey, schema: str | None) -> list[Any]:
        return self.given.get((schema, _name_class(key.kind)), [])


def read_declarations(expected: Snapshot, actual: Snapshot) -> Declarations:
    """What the two snapshots say about owners and privileges."""
    is_complete = expected.builder is None
    said = [] if is_complete else expected.objects
    return Declarations(
        is_complete=is_complete,
        is_built=actual.builder is not None,
        owner=actual.server.owner if actual.server else None,
        places=frozenset(
            _find_place(item.key)
            for item in said
            if any(name in item.attributes for name in PRIVILEGES)
        ),
        classes=frozenset(
            _find_class(item.key) for item in said if item.key.kind is Kind.DEFAULT_PRIVILEGE
        ),
        given={} if is_complete else _collect_given(actual.objects),
    )


def _collect_given(objects: Iterable[SchemaObject]) -> dict[_Class, list[Any]]:
    given: dict[_Class, list[Any]] = defaultdict(list)
    for item in objects:
        if item.key.kind is Kind.DEFAULT_PRIVILEGE:
            for name in PRIVILEGES:
                value = item.attributes.get(name)
                given[_find_class(item.key)] += value if isinstance(value, list) else []
    return given


def _find_place(key: ObjectKey) -> _Place:
    """A table and its columns are one: a right on the table is one on every column."""
    if key.kind in _RELATIONS:
        return "relation", key.schema, key.parent or key.name
    return key.kind, key.schema, key.name


def _find_class(key: ObjectKey) -> _Class:
    """``app_owner tables`` is for tables; what stands before it is quoted where it has to be."""
    return key.schema, key.name.rpartition(" ")[2]


def _name_class(kind: Kind) -> str:
    if kind in _RELATIONS:
        return "tables"
    if kind in _ROUTINES:
        return "functions"
    return "types" if kind in _TYPES else f"{kind.value}s"
