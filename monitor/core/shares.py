"""A database that several histories share: what of it one of them answers for.

Services that each keep a version table have tables beside each other, and tenants have the same
tables in a schema each. A history answers for all that no other one makes; where its objects are
in another schema than the lock has them in, they are taken for being in that.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import msgspec

from monitor.core.dated import map_texts
from monitor.core.difference import Change, Difference, Note
from monitor.core.keys import Kind, ObjectKey
from monitor.core.lock import Lock
from monitor.core.quoting import quote_as_shown
from monitor.core.snapshot import SchemaObject, Snapshot, VersionTable, make_snapshot


class Share(NamedTuple):
    """What of a database one history answers for.

    Attributes:
        schema: where its objects are; None for where the lock has them.
        beside: the locks of the other histories.
    """

    schema: str | None = None
    beside: tuple[Lock, ...] = ()


WHOLE: Final = Share()


def take_share(live: Snapshot, lock: Lock, share: Share) -> Snapshot:
    """What a history answers for, where its lock has it.

    Args:
        live: the whole database.
        lock: of the history.
        share: what it has of it.
    """
    home = lock.place.schema
    if share.schema is not None and share.schema != home:
        live = _move_home(live, share.schema, lock)
    return _leave_to_others(live, lock, share.beside) if share.beside else live


def give_back(difference: Difference, lock: Lock, share: Share) -> Difference:
    """The difference of a share, with every object where it is."""
    home = lock.place.schema
    if share.schema is None or share.schema == home:
        return difference
    move = _rename(home, share.schema)
    return Difference(
        changes=tuple(_move_change(change, move) for change in difference.changes),
        notes=tuple(_move_note(note, move) for note in difference.notes),
    )


type _Move = Callable[[ObjectKey], ObjectKey]


def _rename(old: str, new: str) -> _Move:
    def move(key: ObjectKey) -> ObjectKey:
        if key.kind is Kind.SCHEMA:
            return msgspec.structs.replace(key, name=new) if key.name == old else key
        return msgspec.structs.replace(key, schema=new) if key.schema == old else key

    return move


def _move_change(change: Change, move: _Move) -> Change:
    parts = tuple(SchemaObject(key=move(p.key), attributes=p.attributes) for p in change.parts)
    return msgspec.structs.replace(change, key=move(change.key), parts=parts)


def _move_note(note: Note, move: _Move) -> Note:
    if note.key is None:
        return note
    moved = move(note.key)
    message = note.message.replace(str(note.key), str(moved))
    return Note(note=note.note, key=moved, message=message)


def _move_home(live: Snapshot, schema: str, lock: Lock) -> Snapshot:
    """One schema in the place of another, and of the rest what the lock knows as well."""
    own = {item.key for item in lock.objects.values()}
    home = lock.place.schema
    qualified = re.compile(rf"(?<![\w.\"]){re.escape(quote_as_shown(schema))}(?=\.)")
    target, move = quote_as_shown(home), _rename(schema, home)

    def reword(text: str) -> str:
        return home if text == schema else qualified.sub(target.replace("\\", r"\\"), text)

    kept = [
        item for item in live.objects if item.key in own and item.key.schema not in {schema, home}
    ]
    for item in live.objects:
        if item.key.schema == schema:
            attributes = {
                name: map_texts(value, reword) for name, value in item.attributes.items()
            }
            key = msgspec.structs.replace(move(item.key), name=_reword_types(item.key, reword))
            kept.append(SchemaObject(key=key, attributes=attributes))
    tables = (
        msgspec.structs.replace(table, schema=home)
        for table in live.version_tables
        if table.schema == schema
    )
    return _replace(live, kept, tuple(tables))


def _reword_types(key: ObjectKey, reword: Callable[[str], str]) -> str:
    """The name of a routine holds the types of its arguments; others mean themselves."""
    return reword(key.name) if "(" in key.name else key.name


def _leave_to_others(live: Snapshot, lock: Lock, others: Sequence[Lock]) -> Snapshot:
    """The database without what other histories make, and what hangs on it."""
    own = {item.key for item in lock.objects.values()}
    foreign = {item.key for other in others for item in other.objects.values()} - own
    holders = {(key.schema, key.name) for key in foreign if key.parent is None}
    kept = [
        item
        for item in live.objects
        if item.key in own
        or not (item.key in foreign or (item.key.schema, item.key.parent) in holders)
    ]
    places = {(other.place.schema, other.place.name) for other in others}
    places -= {(lock.place.schema, lock.place.name)}
    tables = tuple(t for t in live.version_tables if (t.schema, t.name) not in places)
    return _replace(live, kept, tables)


def _replace(
    live: Snapshot, objects: Sequence[SchemaObject], tables: tuple[VersionTable, ...]
) -> Snapshot:
    return msgspec.structs.replace(
        live, objects=make_snapshot(objects).objects, version_tables=tables
    )
