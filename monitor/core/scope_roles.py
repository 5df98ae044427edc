"""Roles that are called otherwise elsewhere: the owner of the database, and who is mapped.

What means the same is spelled as it is expected, so that it compares as equal; what does
not keeps the names that it has, for people to read.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from monitor.core.difference import Note
from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import KINDS, Value
from monitor.core.scope_names import (
    NAMING_ROLES,
    OWNER,
    Side,
    Symbols,
    is_same,
    split_default_privilege,
)
from monitor.core.scope_rights import Objects, drop_implied, drop_newer, match_object
from monitor.core.snapshot import SchemaObject, Snapshot

_CLEAR: Final = 2
"""Objects from which on a role that does not own the database counts as the one that
migrates it: one alone may just as well be what differs."""


class Matched(NamedTuple):
    """Two snapshots of which the roles have the same names."""

    expected: Snapshot
    actual: Snapshot
    notes: tuple[Note, ...]


def match_roles(expected: Snapshot, actual: Snapshot, symbols: Symbols) -> Matched:
    """The snapshots, with what the same role has or may do spelled the same.

    Holds: what is equal stays equal. The owner of the actual server facts is afterwards
    the role that stands for whoever built what is expected.
    """
    wanted, found = _read_sides(expected, actual, symbols)
    ours = _respell_builder(expected, wanted)
    theirs = _match_keys(ours, _respell_builder(actual, found), wanted, found)
    for key, item in ours.items():
        other = theirs.get(key)
        if other is not None and other.attributes != item.attributes:
            mine, other = drop_newer(item, found), drop_newer(other, wanted)
            theirs[key] = other = match_object(mine, other, wanted, found)
            ours[key] = drop_implied(mine, other, (wanted, found), theirs)
    return Matched(
        _replace(expected, ours),
        _replace(_name_owner(actual, found), theirs),
        tuple(_note_owner(expected, actual, found)),
    )


def _read_sides(expected: Snapshot, actual: Snapshot, symbols: Symbols) -> tuple[Side, Side]:
    """Who the owner is on either side.

    Of two databases each one's. What was built belongs to its builder, or to whom a dump
    gave all of it; in the database to the role that owns most of that.
    """
    ours, theirs = _get_owner(expected), _get_owner(actual)
    if expected.builder is not None:
        ours, theirs = _find_owners(expected, actual)
    elif actual.builder is not None:
        theirs, ours = _find_owners(actual, expected)
    if configured := {role for role, symbol in symbols.items() if symbol == OWNER}:
        theirs = min(configured, key=lambda role: (role != theirs, role))
    return _make_side(expected, ours, symbols), _make_side(actual, theirs, symbols)


def _make_side(snapshot: Snapshot, owner: str | None, symbols: Symbols) -> Side:
    return Side(
        builder=snapshot.builder,
        owner=owner,
        symbols=symbols,
        major=snapshot.server.major if snapshot.server else None,
    )


def _find_owners(built: Snapshot, other: Snapshot) -> tuple[str | None, str | None]:
    """Whom most of what was built belongs to, and whom that belongs to on the other side."""
    owners = {
        item.key: item.attributes.get("owner", built.builder)
        for item in built.objects
        if "owner" in KINDS[item.key.kind] and item.key in other.by_key
    }
    own = _choose(owners.values(), likely=built.builder)
    if built.builder in owners.values():
        own = built.builder
    theirs = (other.by_key[key].attributes.get("owner") for key, o in owners.items() if o == own)
    return own, other.builder or _choose(theirs, likely=_get_owner(other))


def _get_owner(snapshot: Snapshot) -> str | None:
    return snapshot.server.owner if snapshot.server else None


def _choose(owners: Iterable[Value], *, likely: str | None = None) -> str | None:
    """The role that owns most; the likely one where that is not clear."""
    counts = Counter(owner for owner in owners if isinstance(owner, str))
    if not counts:
        return likely
    most = max(counts.values())
    first = min((r for r, n in counts.items() if n == most), key=lambda r: (r != likely, r))
    return first if most >= _CLEAR or likely is None else likely


def _name_owner(actual: Snapshot, found: Side) -> Snapshot:
    if actual.server is None or found.owner in (None, actual.server.owner):
        return actual
    server = msgspec.structs.replace(actual.server, owner=found.owner or "")
    return msgspec.structs.replace(actual, server=server)


def _note_owner(expected: Snapshot, actual: Snapshot, found: Side) -> Iterator[Note]:
    owner = _get_owner(actual)
    if expected.builder is not None and actual.builder is None and owner != found.owner:
        message = f"The role {found.owner} counts as the owner; the database is owned by {owner}."
        yield Note(note="owner", key=None, message=message)


def _respell_builder(snapshot: Snapshot, side: Side) -> Objects:
    """The objects by key, without the name of a builder."""
    if side.builder is None:
        return dict(snapshot.by_key)
    return {
        item.key: item
        for item in (
            side.respell_builder(one) if one.key.kind in NAMING_ROLES else one
            for one in snapshot.objects
        )
    }


def _match_keys(ours: Objects, theirs: Objects, wanted: Side, found: Side) -> Objects:
    """Their objects, those whose names hold a role under the name that ours have."""
    free = [key for key in ours if key not in theirs and key.kind in _NAMED_BY_ROLE]
    if not free:
        return theirs
    named: Objects = {}
    for key, item in theirs.items():
        twin = None
        if key.kind in _NAMED_BY_ROLE and key not in ours:
            twin = next((k for k in free if _is_twin(k, key, wanted, found)), None)
        if twin is None:
            named[key] = item
        else:
            free.remove(twin)
            named[twin] = SchemaObject(key=twin, attributes=item.attributes)
    return named


_NAMED_BY_ROLE: Final = frozenset({Kind.DEFAULT_PRIVILEGE, Kind.USER_MAPPING})


def _is_twin(key: ObjectKey, other: ObjectKey, wanted: Side, found: Side) -> bool:
    if (key.kind, key.schema, key.parent) != (other.kind, other.schema, other.parent):
        return False
    if key.kind is Kind.USER_MAPPING:
        return is_same(key.name, other.name, wanted, found)
    ours, theirs = split_default_privilege(key.name), split_default_privilege(other.name)
    return ours[1] == theirs[1] and is_same(ours[0], theirs[0], wanted, found)


def _replace(snapshot: Snapshot, objects: Objects) -> Snapshot:
    """The snapshot with these objects; the same one where they are its own."""
    if all(snapshot.by_key.get(key) is item for key, item in objects.items()):
        return snapshot
    if objects.keys() == snapshot.by_key.keys():
        replaced = tuple(objects[item.key] for item in snapshot.objects)
    else:
        replaced = tuple(sorted(objects.values(), key=lambda item: item.key.order))
    return msgspec.structs.replace(snapshot, objects=replaced)
