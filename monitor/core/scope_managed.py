"""What a platform, an extension or anchorwatch itself keeps in a database."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from fnmatch import fnmatchcase
from typing import Final

import msgspec

from monitor.core.difference import Note
from monitor.core.homes import TABLES, find_parents
from monitor.core.keys import Kind, ObjectKey
from monitor.core.platforms import PLATFORMS, RUNTIMES, Platform, Runtime
from monitor.core.scope_names import split_default_privilege, unquote
from monitor.core.scope_omissions import (
    LEFT_OUT,
    Omission,
    group_by_schema,
    list_parts,
    omit,
    schema_key,
)
from monitor.core.snapshot import SchemaObject, Snapshot

LEDGER: Final = frozenset(
    f"anchorwatch_{name}"
    for name in (
        "acceptance",
        "event",
        "incident",
        "lock",
        "lock_body",
        "look",
        "outbox",
        "record",
        "snapshot",
        "version",
    )
)
"""Our own tables, where the ledger shares a database."""

QUARANTINE: Final = "anchorwatch_quarantine"
"""The schema in which `anchorwatch orphans repair` keeps rows."""

_OUTSIDE: Final = (
    Kind.EVENT_TRIGGER,
    Kind.FOREIGN_DATA_WRAPPER,
    Kind.FOREIGN_SERVER,
    Kind.PUBLICATION,
)
"""Kinds that live outside of schemas and have owners."""


class _Ground(msgspec.Struct, frozen=True):
    """Where managed things are looked for.

    Attributes:
        sides: what is, and what is expected where that was read from a database.
        schemas: each schema of these with all that is in it.
        kinds: their objects of each kind.
        declared: what a built source expects: never left out.
    """

    sides: tuple[Snapshot, ...]
    schemas: Mapping[str, AbstractSet[ObjectKey]]
    kinds: Mapping[Kind, list[SchemaObject]]
    declared: AbstractSet[ObjectKey]

    def list_kinds(self, *kinds: Kind) -> Iterator[SchemaObject]:
        """The objects of some kinds."""
        return (item for kind in kinds for item in self.kinds.get(kind, ()))

    def omit(
        self, keys: AbstractSet[ObjectKey], what: str, *, schema: str | None = None
    ) -> list[Omission]:
        """An omission of what nobody declared."""
        return omit(keys - self.declared, what, schema=schema)

    def list_tables(self, tables: Iterable[ObjectKey]) -> set[ObjectKey]:
        """Tables with all that belongs to them."""
        homes = {(key.schema, key.name) for key in tables}
        parts = [list_parts(side, homes) for side in self.sides]
        return {key for side in parts for found in side.values() for key in found}


def find_managed(expected: Snapshot, actual: Snapshot) -> Iterator[Omission]:
    """What is there and nobody promised, for somebody else looks after it.

    What a built source declares is compared, wherever it is. A database declares nothing:
    compared with another, what is managed is left out of both.
    """
    ground = _survey(expected, actual)
    for platform in PLATFORMS:
        yield from _find_platform(platform, ground)
    installed = {item.key.name: item for item in actual.objects if item.key.kind is Kind.EXTENSION}
    for runtime in RUNTIMES:
        if runtime.extension in installed:
            yield from _find_runtime(runtime, installed[runtime.extension], ground)
    yield from _find_shells(installed.values(), expected, actual)
    yield from _find_orphans(expected, actual)


def find_ledger(expected: Snapshot, actual: Snapshot) -> Iterator[Omission]:
    """Our own tables in a database that is watched: of the ledger, and of a quarantine."""
    if not any(_is_ours(key) for side in (expected, actual) for key in side.by_key):
        return
    ground = _survey(expected, actual)
    kept = ground.schemas.get(QUARANTINE, frozenset())
    yield from ground.omit(kept, "of the quarantine of anchorwatch", schema=QUARANTINE)
    tables = (item.key for item in ground.list_kinds(Kind.TABLE) if item.key.name in LEDGER)
    yield from ground.omit(ground.list_tables(tables), "of the ledger of anchorwatch")


def _is_ours(key: ObjectKey) -> bool:
    is_ledger = key.kind is Kind.TABLE and key.name in LEDGER
    return is_ledger or key == schema_key(QUARANTINE)


def _survey(expected: Snapshot, actual: Snapshot) -> _Ground:
    is_built = expected.builder is not None
    sides = (actual,) if is_built else (actual, expected)
    schemas: dict[str, set[ObjectKey]] = defaultdict(set)
    kinds: dict[Kind, list[SchemaObject]] = defaultdict(list)
    for side in sides:
        for name, keys in group_by_schema(side).items():
            schemas[name] |= keys
        for item in side.objects:
            kinds[item.key.kind].append(item)
    return _Ground(
        sides=sides,
        schemas=schemas,
        kinds=kinds,
        declared=expected.by_key.keys() if is_built else frozenset(),
    )


def _find_platform(platform: Platform, ground: _Ground) -> Iterator[Omission]:
    own = {
        item.key.name
        for item in ground.list_kinds(Kind.SCHEMA)
        if item.key.name in platform.schemas | platform.shared
        and item.attributes.get("owner") in platform.roles
    }
    outside = {
        item.key
        for item in ground.list_kinds(Kind.DEFAULT_PRIVILEGE, *_OUTSIDE)
        if _is_outside(item, platform)
    }
    if not own and not outside:
        return
    own |= platform.shared & ground.schemas.keys()
    for schema in sorted(own):
        what = f"of the schema {schema}, which {platform.name} manages,"
        yield from ground.omit(ground.schemas[schema], what, schema=schema)
    brought = ground.list_kinds(Kind.EXTENSION, Kind.PUBLICATION)
    outside |= {item.key for item in brought if _is_named(item.key, platform)}
    outside -= {key for schema in own for key in ground.schemas[schema]}
    yield from ground.omit(outside, f"that {platform.name} made")


def _is_outside(item: SchemaObject, platform: Platform) -> bool:
    """Whether it lives outside of schemas, or in one of the user's, and is the platform's."""
    if item.key.kind is Kind.DEFAULT_PRIVILEGE:
        return unquote(split_default_privilege(item.key.name)[0]) in platform.roles
    return item.attributes.get("owner") in platform.roles


def _is_named(key: ObjectKey, platform: Platform) -> bool:
    if key.kind is Kind.EXTENSION:
        return key.name in platform.extensions
    return key.name in platform.publications


def _find_runtime(
    runtime: Runtime, extension: SchemaObject, ground: _Ground
) -> Iterator[Omission]:
    triggers = [*ground.list_kinds(Kind.TRIGGER)]
    made_whole = {item.key.schema for item in triggers if _is_made(item, runtime.ground)}
    for schema in sorted(ground.schemas):
        is_named = any(fnmatchcase(schema, pattern) for pattern in runtime.schemas)
        if is_named or schema in made_whole:
            what = f"of the schema {schema}, which the extension {runtime.extension} manages,"
            yield from ground.omit(ground.schemas[schema], what, schema=schema)
    place = extension.attributes.get("schema")
    made = ground.list_tables(
        item.key
        for item in ground.list_kinds(Kind.TABLE)
        if item.key.schema == place
        and any(fnmatchcase(item.key.name, pattern) for pattern in runtime.tables)
    )
    made |= {item.key for item in triggers if _is_made(item, runtime.trigger)}
    yield from ground.omit(made, f"that the extension {runtime.extension} made")


def _is_made(trigger: SchemaObject, sign: str | None) -> bool:
    """Whether its definition says so."""
    return sign is not None and sign in str(trigger.attributes.get("definition"))


def _find_shells(
    extensions: Iterable[SchemaObject], expected: Snapshot, actual: Snapshot
) -> Iterator[Omission]:
    """Schemas that were made for an extension and hold nothing else: it is told by itself."""
    schemas = group_by_schema(actual)
    places = {str(item.attributes.get("schema")): item.key.name for item in extensions}
    for schema, extension in sorted(places.items()):
        key = schema_key(schema)
        if schemas.get(schema) == {key} and key not in expected.by_key:
            message = f"{key} holds nothing but the extension {extension} and is not compared."
            yield Omission(frozenset({key}), Note(note=LEFT_OUT, key=key, message=message))


def _find_orphans(expected: Snapshot, actual: Snapshot) -> Iterator[Omission]:
    """Tables that nobody expects and that come from one that an extension brought."""
    known = {(key.schema, key.name) for key in actual.by_key if key.kind in TABLES}
    orphans = {
        (item.key.schema, item.key.name)
        for item in actual.objects
        if item.key not in expected.by_key
        and (parents := find_parents(item))
        and known.isdisjoint(parents)
    }
    keys = {key for found in list_parts(actual, orphans).values() for key in found}
    yield from omit(keys - expected.by_key.keys(), "that inherit from a table of an extension")
