"""Privileges on the schema public: PostgreSQL 15 gives everybody less than its elders did.

A snapshot says how they differ from what its server gives by itself. A dump says what they
come to, so that a database which was restored on a newer server differs from that.
"""

from typing import Any, Final, NamedTuple

from monitor.core.diff_declared import PRIVILEGES
from monitor.core.difference import Note
from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import Value
from monitor.core.snapshot import SchemaObject, Snapshot

_PUBLIC: Final = ObjectKey(kind=Kind.SCHEMA, schema=None, parent=None, name="public")
_CLOSED: Final = 15
"""The major since which not everybody may create in it."""
_CREATE: Final = ["PUBLIC", "CREATE", False]
_ALWAYS: Final = (
    ("PUBLIC", "USAGE", False),
    ("OWNER", "USAGE", False),
    ("OWNER", "CREATE", False),
)


class Opened(NamedTuple):
    """The actual snapshot, and what is told of its schema public."""

    actual: Snapshot
    notes: tuple[Note, ...]


def match_public(expected: Snapshot, actual: Snapshot) -> Opened:
    """The actual snapshot, with privileges that come to the same spelled as expected.

    Where none are declared, what everybody could do before 15 is told in a note: an old
    database carries it along.
    """
    item, other = expected.by_key.get(_PUBLIC), actual.by_key.get(_PUBLIC)
    if item is None or other is None or _get_rights(item) == _get_rights(other):
        return Opened(actual, ())
    ours, theirs = _add_up(item, expected), _add_up(other, actual)
    if ours is not None and ours == theirs:
        return Opened(_replace(actual, other, _get_rights(item)), ())
    grants = other.attributes.get("grants")
    is_declared = expected.builder is None or _get_rights(item)
    if is_declared or not isinstance(grants, list) or _CREATE not in grants:
        return Opened(actual, ())
    rest: list[Any] = [one for one in grants if one != _CREATE]
    rights = _get_rights(other) | {"grants": rest}
    message = "Everybody may create things in the schema public, as before PostgreSQL 15."
    note = Note(note="public", key=_PUBLIC, message=message)
    return Opened(_replace(actual, other, rights), (note,))


def _get_rights(item: SchemaObject) -> dict[str, Value]:
    return {name: item.attributes[name] for name in PRIVILEGES if name in item.attributes}


def _add_up(item: SchemaObject, snapshot: Snapshot) -> set[tuple[Any, ...]] | None:
    """What everybody may do in the end; None where the server is not known."""
    if snapshot.server is None:
        return None
    given = {*_ALWAYS, *([tuple(_CREATE)] if snapshot.server.major < _CLOSED else [])}
    grants, revokes = (item.attributes.get(name) or [] for name in PRIVILEGES)
    assert isinstance(grants, list)  # noqa: S101  # as every privilege
    assert isinstance(revokes, list)  # noqa: S101  # as above
    return (given | {tuple(one) for one in grants}) - {tuple(one) for one in revokes}


def _replace(snapshot: Snapshot, item: SchemaObject, rights: dict[str, Value]) -> Snapshot:
    kept = {name: value for name, value in item.attributes.items() if name not in PRIVILEGES}
    said = {name: value for name, value in rights.items() if value}
    return snapshot.swap({item.key: SchemaObject(key=item.key, attributes=kept | said)})
