"""What mentions renamed objects, as it reads with their new names."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final, NamedTuple

from monitor.core.homes import Home, find_parents, is_partition
from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import Value
from monitor.core.quoting import quote_ident
from monitor.core.snapshot import SchemaObject
from monitor.core.spelling import QUOTED, STRING, is_deparsed

_INDEXED: Final = (Kind.INDEX, Kind.PRIMARY_KEY, Kind.UNIQUE, Kind.EXCLUSION)

type _Names = Mapping[str, str]
"""Old name -> new name."""


class Moves(NamedTuple):
    """Renamed objects, as those who mention them look for them.

    Attributes:
        parts: table -> what belongs to it.
        referring: table -> the foreign keys that refer to it.
        indexes: schema and old name of an index or a key -> new name: all of a schema share
            one set of names.
        sequences: keys and new names.
    """

    parts: Mapping[Home, _Names]
    referring: Mapping[Home, _Names]
    indexes: Mapping[Home, str]
    sequences: tuple[tuple[ObjectKey, str], ...]

    def __bool__(self) -> bool:
        """Whether anything was renamed."""
        return bool(self.parts or self.sequences)


def list_moves(renames: Iterable[tuple[SchemaObject, SchemaObject]]) -> Moves:
    """The pairs of `monitor.core.diff_renames.match_renames`."""
    parts: dict[Home, dict[str, str]] = defaultdict(dict)
    referring: dict[Home, dict[str, str]] = defaultdict(dict)
    indexes: dict[Home, str] = {}
    sequences = []
    for old, new in renames:
        key, name = old.key, new.key.name
        if key.parent is not None:
            parts[key.schema, key.parent][key.name] = name
        if isinstance(target := new.attributes.get("references"), list):
            referring[target[0], target[1]][key.name] = name
        if key.kind in _INDEXED:
            indexes[key.schema, key.name] = name
        if key.kind is Kind.SEQUENCE:
            sequences.append((key, name))
    return Moves(parts, referring, indexes, tuple(sequences))


def follow_renames(item: SchemaObject, moves: Moves, *, like: SchemaObject) -> SchemaObject:
    """``item`` as it reads once the renamed objects that it mentions have their new names.

    A table mentions the index of CLUSTER ON and of REPLICA IDENTITY, and the keys of which
    the triggers are disabled; a default, a view or a rule the sequence that it draws from. A
    text that reads a sequence as a table, or names a constraint in ON CONFLICT, is told apart
    from the rename: there a name is a bare word, which may be a column's or an alias as well.

    Args:
        item: the expected object.
        moves: what was renamed.
        like: what stands for it: names are quoted as there, for only the server knows its
            reserved words.
    """
    if not moves:
        return item
    changed = {
        name: follow(item, item.attributes[name], moves)
        for name, follow in _MENTIONING.items()
        if item.attributes.get(name) is not None
    }
    for name, value in item.attributes.items():
        if isinstance(value, str) and is_deparsed(item.key.kind, name, value):
            changed[name] = _follow_sequences(value, moves, like.get(name))
    if not changed:
        return item  # as most
    return SchemaObject(key=item.key, attributes={**item.attributes, **changed})


def _follow_cluster(table: SchemaObject, value: Any, moves: Moves) -> Value:
    """The name of an index of its own, or schema and name of one of the topmost table's."""
    if isinstance(value, str):
        return _list_names(_find_place(table), moves).get(value, value)
    return [*_follow_index(*value, moves=moves)]


def _follow_identity(table: SchemaObject, value: Any, moves: Moves) -> Value:
    """As for CLUSTER ON, after the word ``index``; another word stands alone."""
    if isinstance(value, str):
        return value
    word, *place = value
    followed = _follow_cluster(table, place[0] if len(place) == 1 else place, moves)
    return [word, *followed] if isinstance(followed, list) else [word, followed]


def _follow_partition_indexes(_: SchemaObject, value: Any, moves: Moves) -> Value:
    followed = [
        [*_follow_index(schema, name, moves=moves), *rest] for schema, name, *rest in value
    ]
    return [*sorted(followed, key=repr)]


def _follow_index(schema: str, name: str, *, moves: Moves) -> tuple[str, str]:
    """Schema and new name of an index or a key."""
    return schema, moves.indexes.get((schema, name), name)


def _find_place(table: SchemaObject) -> Home:
    return table.key.schema, table.key.name


def _list_names(table: Home, moves: Moves) -> _Names:
    """The new names of what belongs to a table."""
    return moves.parts.get(table, {})


def _follow_keys(table: SchemaObject, pairs: Any, moves: Moves) -> Value:
    """Names and states; those of a foreign key stand on the table that it refers to as well.

    What a partition has of its parent's goes by the name that it has there.
    """
    place = _find_place(table)
    mother = find_parents(table)[0] if is_partition(table) else place
    known = {
        **moves.referring.get(place, {}),
        **_list_names(mother, moves),
        **_list_names(place, moves),
    }
    return [*sorted(([known.get(name, name), *state] for name, *state in pairs), key=repr)]


CONSTANT: Final = re.compile(
    rf"""(?P<name>'(?:[^']++|'')*+')::regclass(?![\w\[]) | {STRING} | {QUOTED}""",
    re.VERBOSE | re.DOTALL,
)
"""A constant that names a relation; or another literal or quoted name, to be stepped over."""


def read_name(constant: re.Match[str]) -> str | None:
    """The relation that a constant names, as the server writes it."""
    name = constant["name"]
    return None if name is None else name[1:-1].replace("''", "'")


def _follow_sequences(text: str, moves: Moves, there: Value) -> str:
    """The text with the sequences' new names in its regclass constants, spelt as there."""
    if not moves.sequences or "::regclass" not in text:
        return text
    written = there if isinstance(there, str) else ""
    used = {read_name(found) for found in CONSTANT.finditer(written)}
    known = {
        f"{schema}.{before}": _choose(schema, name, used)
        for old, name in moves.sequences
        for schema in _spell(old.schema or "")
        for before in _spell(old.name)
    }

    def replace(found: re.Match[str]) -> str:
        name = read_name(found)
        if name is None:
            return found[0]
        return f"'{known.get(name, name).replace("'", "''")}'::regclass"

    return CONSTANT.sub(replace, text)


def _spell(name: str) -> tuple[str, str]:
    """A name as the server may write it: it quotes only where it has to."""
    return name, quote_ident(name)


def _choose(schema: str, name: str, used: AbstractSet[str | None]) -> str:
    """The spelling that is in use; the quoted one means the same wherever it is not."""
    plain, quoted = (f"{schema}.{spelt}" for spelt in _spell(name))
    return plain if plain in used else quoted


_MENTIONING: Final[Mapping[str, Callable[[SchemaObject, Any, Moves], Value]]] = {
    "cluster_index": _follow_cluster,
    "replica_identity": _follow_identity,
    "partition_indexes": _follow_partition_indexes,
    "internal_triggers": _follow_keys,
}
"""Attributes that name other objects, texts apart; what follows their renames."""
