"""A database that several histories share: what of it one of them answers for.

Services that each keep a version table have tables beside each other, and tenants have the same
tables in a schema each. A history answers for all that no other one makes; where its objects are
in another schema than the lock has them in, they are taken for being in that.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

import msgspec

from monitor.core.difference import Change, Difference, Note
from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import Value
from monitor.core.lock import Lock
from monitor.core.quoting import quote_as_shown
from monitor.core.snapshot import SchemaObject, Snapshot, VersionTable, make_snapshot
from monitor.core.stamps import read_rows


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


def is_there(live: Snapshot, share: Share) -> bool:
    """Whether the database has the schema that is answered for."""
    key = ObjectKey(Kind.SCHEMA, None, None, share.schema or "")
    return share.schema is None or key in live.by_key


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


_IDENT: Final = r'"(?:[^"]++|"")++"|[^\W\d][\w$]*+'
ELSEWHERE: Final = "anchorwatch elsewhere"
"""Stands for the lock's own schema where a tenant mentions it: that is none of its objects."""


def _move_home(live: Snapshot, schema: str, lock: Lock) -> Snapshot:
    """One schema in the place of another, and of the rest what the lock knows as well.

    What mentions an object of that schema mentions it in the other one. What mentions an object
    of the lock in the lock's own schema is none of the tenant's.
    """
    home, own = lock.place.schema, {item.key for item in lock.objects.values()}
    move = _rename(schema, home)
    rename = _Renaming(
        {
            schema: (home, _list_names(live.by_key, schema)),
            home: (ELSEWHERE, _list_names(own, home)),
        }
    )
    kept = [
        item for item in live.objects if item.key in own and item.key.schema not in {schema, home}
    ]
    for item in live.objects:
        if item.key.schema == schema:
            attributes = {name: rename.change(value) for name, value in item.attributes.items()}
            if "settings" in attributes:
                attributes["settings"] = _move_settings(attributes["settings"], schema, home)
            key, name = move(item.key), item.key.name
            if "(" in name:  # the types of the arguments of a routine
                key = msgspec.structs.replace(key, name=rename.reword(name))
            kept.append(SchemaObject(key=key, attributes=attributes))
    tables = (
        msgspec.structs.replace(table, schema=home)
        for table in live.version_tables
        if table.schema == schema
    )
    return _replace(live, kept, tuple(tables))


_PATH_ITEM: Final = re.compile(r'"(?:[^"]++|"")++"|[^\s,"]++')


def _move_settings(settings: Value, old: str, new: str) -> Value:
    """The SET clauses of a routine, with another schema for one in its search path.

    FROM CURRENT writes the tenant's there, without any object. A path that names the lock's own
    schema stays, for a migration may say so for every tenant.
    """

    def replace(found: re.Match[str]) -> str:
        item = found[0]
        name = _read_ident(item) if item.startswith('"') else item.lower()
        return quote_as_shown(new) if name == old else item

    def move(clause: Value) -> Value:
        if not isinstance(clause, str):
            return clause
        name, is_set, path = clause.partition("=")
        return name + is_set + (_PATH_ITEM.sub(replace, path) if name == "search_path" else path)

    return [move(clause) for clause in settings] if isinstance(settings, list) else settings


def _list_names(keys: Iterable[ObjectKey], schema: str) -> frozenset[str]:
    """What can be mentioned of a schema; of routines the name alone."""
    return frozenset(
        key.name.partition("(")[0] for key in keys if key.schema == schema and key.parent is None
    )


class _Renaming:
    """Schemas that get another name wherever one of their objects is mentioned.

    Args:
        schemas: the new name of each, and the names of its objects.
    """

    def __init__(self, schemas: Mapping[str, tuple[str, frozenset[str]]]) -> None:
        self._schemas = schemas
        self._mention = re.compile(rf"(?<![\w.\"$])({_IDENT})\.({_IDENT})")

    def reword(self, text: str) -> str:
        """A text with every mention in it changed."""
        return self._mention.sub(self._replace, text)

    def change(self, value: Value) -> Value:
        """A value with every mention in it changed: in texts, or as a schema and a name."""
        if isinstance(value, str):
            return self.reword(value)
        if not isinstance(value, list):
            return value
        known = self._schemas.get(value[0]) if value and isinstance(value[0], str) else None
        if known is not None and len(value) > 1 and value[1] in known[1]:
            return [known[0], *value[1:]]
        return [self.change(part) for part in value]

    def _replace(self, found: re.Match[str]) -> str:
        schema, name = (_read_ident(part) for part in found.groups())
        known = self._schemas.get(schema)
        if known is None or name not in known[1]:
            return found[0]
        return f"{quote_as_shown(known[0])}.{found[2]}"


def _read_ident(text: str) -> str:
    return text[1:-1].replace('""', '"') if text.startswith('"') else text


def _leave_to_others(live: Snapshot, lock: Lock, others: Sequence[Lock]) -> Snapshot:
    """The database without what other histories make, and what hangs on it.

    What several of them made at one time or another belongs to those that have it where they
    are stamped: one may have removed what another one made again. Where that settles nothing,
    it stays, for it may be what is wrong here.
    """
    places = {(other.place.schema, other.place.name) for other in others}
    places -= {(lock.place.schema, lock.place.name)}
    tables = tuple(t for t in live.version_tables if (t.schema, t.name) not in places)
    ever = {item.key for item in lock.objects.values()}
    now = _list_stamped(lock, read_rows(tables, lock) or None)
    now = ever if now is None else now
    foreign: set[ObjectKey] = set()
    for other in others:
        theirs = {item.key for item in other.objects.values()}
        have = _list_stamped(other, _read_own_rows(live, other))
        foreign |= (theirs - ever) | ((theirs if have is None else have) - now)
    holders = {(key.schema, key.name) for key in foreign if key.parent is None}
    kept = [
        item
        for item in live.objects
        if item.key in now
        or not (item.key in foreign or (item.key.schema, item.key.parent) in holders)
    ]
    return _replace(live, kept, tables)


def _read_own_rows(live: Snapshot, lock: Lock) -> tuple[str, ...] | None:
    """What a history beside stamped: nothing where its table is not there."""
    place = (lock.place.schema, lock.place.name)
    return read_rows([t for t in live.version_tables if (t.schema, t.name) == place], lock)


def _list_stamped(lock: Lock, rows: tuple[str, ...] | None) -> AbstractSet[ObjectKey] | None:
    """What some rows promise, which is nothing where there are none; None where nobody knows."""
    if rows is None or not lock.history.knows(rows):
        return None
    if not rows:
        return frozenset()
    stamped = lock.history.ancestors(rows)
    return None if lock.find_unbuilt(stamped) else lock.make_objects(stamped).keys()


def _replace(
    live: Snapshot, objects: Sequence[SchemaObject], tables: tuple[VersionTable, ...]
) -> Snapshot:
    return msgspec.structs.replace(
        live, objects=make_snapshot(objects).objects, version_tables=tables
    )
