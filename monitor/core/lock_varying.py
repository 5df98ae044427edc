"""What comes out differently each time a history runs, and is none of the history's doing.

A default that is the moment of the run, a partition that is named after the month: two runs show
it. Each such value is locked as a typical one, so that the same history gives the same lock, and
a database may have any that is like it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from monitor.core.keys import ObjectKey
from monitor.core.kinds import KINDS, Value
from monitor.core.likeness import make_typical
from monitor.core.lock import Lock, Statement
from monitor.core.shapes import list_shapes
from monitor.core.snapshot import SchemaObject, Snapshot, make_snapshot
from monitor.core.unstable import Place, Unstable, find_unstable, retell


class Variation(NamedTuple):
    """What two runs of one history do not agree in.

    Attributes:
        values: of attributes: a typical one, and another that it could have been.
        ours: objects that only the first run has under their names.
        theirs: objects that only the second one has.
    """

    values: Mapping[Place, Sequence[tuple[Value, Value]]] = MappingProxyType({})
    ours: Mapping[ObjectKey, SchemaObject] = MappingProxyType({})
    theirs: Mapping[ObjectKey, SchemaObject] = MappingProxyType({})


def find_variation(
    first: Sequence[Snapshot],
    second: Sequence[Snapshot],
    *,
    today: date,
    said: Collection[str] | None = None,
) -> Variation:
    """What two runs do not agree in, after the same revisions each.

    Args:
        first: the schema before the first revision, and after each.
        second: the same of another run, of a later day; it may have come less far.
        today: when it ran.
        said: the dates in its statements, where its clock was moved; None where it was not.
    """
    values: dict[Place, list[tuple[Value, Value]]] = defaultdict(list)
    ours: dict[ObjectKey, SchemaObject] = {}
    theirs: dict[ObjectKey, SchemaObject] = {}
    for one, other in list_changed(first, second):
        found = find_unstable(one, other, today=today, said=said)
        for place, pair in found.attributes.items():
            typical = make_typical(*pair)
            if typical not in values[place]:
                values[place].append(typical)
        ours |= {key: one.by_key[key] for key in found.absent}
        if found.others:
            told = retell(other, one.builder, today=today, said=said)
            theirs |= {key: told[key] for key in found.others}
    return Variation(dict(values), ours, theirs)


def has_disagreement(one: Mapping[str, Snapshot], other: Mapping[str, Snapshot]) -> bool:
    """Whether two runs in whatever orders made anything of one revision that is not the same.

    Args:
        one: the schema after each revision, in the order in which they ran.
        other: the same of the other run.
    """
    ours, theirs = _list_made(one), _list_made(other)
    return any(ours[name] != theirs[name] for name in ours.keys() & theirs.keys())


def _list_made(schemas: Mapping[str, Snapshot]) -> dict[str, dict[ObjectKey, dict[str, Value]]]:
    """The objects that each revision made or changed, with what it changed of them."""
    before, made = make_snapshot(()), {}
    for name, schema in schemas.items():
        made[name] = {
            item.key: list_set(before.by_key.get(item.key), item)
            for item in schema.objects
            if before.by_key.get(item.key) != item
        }
        before = schema
    return made


def list_set(before: SchemaObject | None, after: SchemaObject) -> dict[str, Value]:
    """The attributes that are not as they were, but for notes."""
    spec = KINDS[after.key.kind]
    names = after.attributes if before is None else after.attributes.keys() | before.attributes
    return {
        name: after.get(name)
        for name in names
        if not spec[name].is_note and (before is None or before.get(name) != after.get(name))
    }


def list_changed(
    first: Sequence[Snapshot], second: Sequence[Snapshot]
) -> Iterator[tuple[Snapshot, Snapshot]]:
    """Each two schemas with what is not as in the two before."""
    before = make_snapshot(()), make_snapshot(())
    for now in zip(first, second, strict=False):
        keys = {
            item.key
            for was, schema in zip(before, now, strict=True)
            for item in schema.objects
            if was.by_key.get(item.key) != item
        }
        one, other = (_keep(schema, keys) for schema in now)
        yield one, other
        before = now


def _keep(schema: Snapshot, keys: set[ObjectKey]) -> Snapshot:
    objects = tuple(item for item in schema.objects if item.key in keys)
    return msgspec.structs.replace(schema, objects=objects)


def settle_statements(
    ours: tuple[Statement, ...], theirs: tuple[Statement, ...]
) -> tuple[Statement, ...]:
    """The statements of one run, with typical words where another one ran it with others."""
    if len(ours) != len(theirs):
        return ours
    return tuple(
        one
        if one.sql == other.sql
        else msgspec.structs.replace(one, sql=str(make_typical(one.sql, other.sql)[0]))
        for one, other in zip(ours, theirs, strict=True)
    )


def find_fleeting(lock: Lock, schema: Snapshot) -> Unstable:
    """The objects of a schema of this lock that have another name at each run."""
    ours = lock.fleeting_keys & schema.by_key.keys()
    if not ours:
        return Unstable()
    theirs = [lock.objects[other] for _, other in lock.fleeting if other is not None]
    second = {key: item for key, item in schema.by_key.items() if key not in ours}
    second |= {item.key: item for item in theirs}
    return Unstable(
        absent=ours,
        others=frozenset(item.key for item in theirs),
        shapes=tuple(list_shapes(schema.by_key, second)),
    )
