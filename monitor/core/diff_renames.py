"""The same thing under another name: found once, and not told again by what mentions it."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import chain
from typing import Any, Final

import msgspec

from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import KINDS, Value
from monitor.core.quoting import quote_ident
from monitor.core.snapshot import SchemaObject, Snapshot
from monitor.core.spelling import STRING, TEXTS, is_deparsed, list_names

RENAMEABLE: Final = frozenset(
    {
        Kind.INDEX,
        Kind.PRIMARY_KEY,
        Kind.UNIQUE,
        Kind.FOREIGN_KEY,
        Kind.CHECK,
        Kind.EXCLUSION,
        Kind.TRIGGER,
        Kind.POLICY,
        Kind.SEQUENCE,
        Kind.STATISTICS,
    }
)
"""Kinds of which a name says little: the same thing under another name is one change."""

_INDEXED: Final = (Kind.INDEX, Kind.PRIMARY_KEY, Kind.UNIQUE, Kind.EXCLUSION)

type Pair = tuple[SchemaObject, SchemaObject]

_STATES: Final = {
    Kind.FOREIGN_KEY: frozenset({"valid"}),
    Kind.CHECK: frozenset({"valid"}),
    Kind.TRIGGER: frozenset({"enabled"}),
}
"""What a constraint or trigger may be in and still be the same one. An index that is not
valid stands for none that is."""


def match_renames(expected: Snapshot, actual: Snapshot) -> list[Pair]:
    """Pairs that are the same but for the name, one to one, sorted by the expected name.

    Names may also have gone round: what is called ``a`` was ``b``, and the other way.
    """
    olds = {item.key: item for item in expected.objects if _has_moved(item, actual)}
    news = {item.key: item for item in actual.objects if _has_moved(item, expected)}
    pairs: list[Pair] = []
    for describe in (_describe_all, describe_definition):
        for old, new in _pair(olds.values(), news.values(), describe):
            pairs.append((old, new))
            del olds[old.key], news[new.key]
    whole = _keep_whole(_drop_chances(pairs, expected, actual), expected, actual)
    return sorted(whole, key=lambda pair: pair[0].key.order)


def _has_moved(item: SchemaObject, other: Snapshot) -> bool:
    """Whether nothing of its name is there, or something else is."""
    if item.key.kind not in RENAMEABLE:
        return False
    same = other.by_key.get(item.key)
    return same is None or (
        same.attributes != item.attributes
        and describe_definition(same) != describe_definition(item)
    )


def _pair(
    olds: Iterable[SchemaObject],
    news: Iterable[SchemaObject],
    describe: Callable[[SchemaObject], bytes],
) -> list[Pair]:
    """Those that only fit each other; equal ones of one table in the order of their names."""
    fitting: dict[bytes, tuple[list[SchemaObject], list[SchemaObject]]]
    fitting = defaultdict(lambda: ([], []))
    for side, items in enumerate((olds, news)):
        for item in items:
            fitting[describe(item)][side].append(item)
    return [
        pair
        for old, new in fitting.values()
        if len(old) == len(new) and (len(old) == 1 or old[0].key.parent is not None)
        for pair in zip(_sort(old), _sort(new), strict=True)
    ]


def _sort(items: Iterable[SchemaObject]) -> list[SchemaObject]:
    return sorted(items, key=lambda item: item.key.order)


def _drop_chances(pairs: list[Pair], expected: Snapshot, actual: Snapshot) -> list[Pair]:
    """Without the sequences that are nobody's and only count alike, as most of them do.

    Such a pair is a rename where what mentions the one mentions the other now. One that the
    application alone draws from is told as missing and unexpected: a rename that is told as
    two changes costs a look, and a lost sequence that is told as renamed costs the inserts.
    """
    doubtful = [(old, new) for old, new in pairs if _may_be_chance(old, new, expected, actual)]
    if not doubtful:
        return pairs
    moves = [*_list_moves(expected, actual)]
    chances = {old.key for old, new in doubtful if not _is_moved(old.key, new.key, moves)}
    return [(old, new) for old, new in pairs if old.key not in chances]


def _may_be_chance(
    old: SchemaObject, new: SchemaObject, expected: Snapshot, actual: Snapshot
) -> bool:
    is_swapped = old.key in actual.by_key or new.key in expected.by_key
    is_owned = old.attributes.get("owned_by") is not None
    return old.key.kind is Kind.SEQUENCE and not is_owned and not is_swapped


type _Names = set[tuple[str, str]]


def _list_moves(expected: Snapshot, actual: Snapshot) -> Iterator[tuple[_Names, _Names]]:
    """What each text named and does not any more, and what it names instead."""
    for item in expected.objects:
        other = actual.by_key.get(item.key)
        if other is None or other.attributes == item.attributes:
            continue
        for name in TEXTS.get(item.key.kind, ()):
            wanted, found = item.get(name), other.get(name)
            if isinstance(wanted, str) and isinstance(found, str) and wanted != found:
                before, after = _read_names(wanted), _read_names(found)
                yield before - after, after - before


def _read_names(text: str) -> _Names:
    """What the constants of a text name, and what it says outside of literals."""
    constants = (_read_name(found) for found in _CONSTANT.finditer(text))
    bare = _CONSTANT.sub(lambda found: found[0] if found[0].startswith('"') else "''", text)
    named = (list_names(constant) for constant in constants if constant is not None)
    return {*list_names(bare), *chain.from_iterable(named)}


def _read_name(constant: re.Match[str]) -> str | None:
    """The relation that a constant names, as the server writes it."""
    name = constant["name"]
    return None if name is None else name[1:-1].replace("''", "'")


def _is_moved(old: ObjectKey, new: ObjectKey, moves: Iterable[tuple[_Names, _Names]]) -> bool:
    places = (old.schema or "", old.name), (new.schema or "", new.name)
    return any(places[0] in gone and places[1] in come for gone, come in moves)


def _keep_whole(pairs: list[Pair], expected: Snapshot, actual: Snapshot) -> list[Pair]:
    """Without the pairs that would leave half of an object that both sides have.

    One that is there under its name is moved away only when something else moves in.
    """
    while True:
        leaving = {old.key for old, _ in pairs}
        coming = {new.key for _, new in pairs}
        kept = [
            (old, new)
            for old, new in pairs
            if (old.key in coming or old.key not in actual.by_key)
            and (new.key in leaving or new.key not in expected.by_key)
        ]
        if len(kept) == len(pairs):
            return kept
        pairs = kept


def _describe_all(item: SchemaObject) -> bytes:
    return _describe(item, item.attributes)


def describe_definition(item: SchemaObject, *, without: AbstractSet[str] = frozenset()) -> bytes:
    """Without what says nothing about what it does: comment, owner, validity."""
    spec = KINDS[item.key.kind]
    ignored = without | _STATES.get(item.key.kind, frozenset())
    defining = {
        name: value
        for name, value in item.attributes.items()
        if not (spec[name].by_declaration or spec[name].is_remark or name in ignored)
    }
    return _describe(item, defining)


def _describe(item: SchemaObject, attributes: Mapping[str, Value]) -> bytes:
    key = item.key
    return msgspec.json.encode(
        (key.kind, key.schema, key.parent, attributes), order="deterministic"
    )


def follow_renames(
    item: SchemaObject, moved: Mapping[ObjectKey, SchemaObject], *, like: SchemaObject
) -> SchemaObject:
    """``item`` as it reads once the renamed objects that it mentions have their new names.

    A table mentions the index of CLUSTER ON and of REPLICA IDENTITY, and the keys of which
    the triggers are disabled; a default, a view or a rule the sequence that it draws from. A
    text that reads a sequence as a table, or names a constraint in ON CONFLICT, is told apart
    from the rename: there a name is a bare word, which may be a column's or an alias as well.

    Args:
        item: the expected object.
        moved: what each renamed object is now.
        like: what stands for it: names are quoted as there, for only the server knows its
            reserved words.
    """
    if not moved:
        return item
    changed = {
        name: follow(item.key, item.attributes[name], moved)
        for name, follow in _MENTIONING.items()
        if item.attributes.get(name) is not None
    }
    for name, value in item.attributes.items():
        if isinstance(value, str) and is_deparsed(item.key.kind, name, value):
            changed[name] = _follow_sequences(value, moved, like.get(name))
    return SchemaObject(key=item.key, attributes={**item.attributes, **changed})


def _follow_cluster(
    table: ObjectKey, value: Any, moved: Mapping[ObjectKey, SchemaObject]
) -> Value:
    """The name of an index of its own, or schema and name of one of the topmost table's."""
    if isinstance(value, str):
        return _list_names(table, moved).get(value, value)
    return [*_follow_index(*value, moved=moved)]


def _follow_identity(
    table: ObjectKey, value: Any, moved: Mapping[ObjectKey, SchemaObject]
) -> Value:
    """As for CLUSTER ON, after the word ``index``; another word stands alone."""
    if isinstance(value, str):
        return value
    word, *place = value
    followed = _follow_cluster(table, place[0] if len(place) == 1 else place, moved)
    return [word, *followed] if isinstance(followed, list) else [word, followed]


def _follow_partition_indexes(
    _: ObjectKey, value: Any, moved: Mapping[ObjectKey, SchemaObject]
) -> Value:
    followed = [
        [*_follow_index(schema, name, moved=moved), *rest] for schema, name, *rest in value
    ]
    return [*sorted(followed, key=repr)]


def _follow_index(
    schema: str, name: str, *, moved: Mapping[ObjectKey, SchemaObject]
) -> tuple[str, str]:
    """Schema and new name of an index or a key: all of a schema share one set of names."""
    for old, new in moved.items():
        if (old.schema, old.name) == (schema, name) and old.kind in _INDEXED:
            return schema, new.key.name
    return schema, name


def _list_names(table: ObjectKey, moved: Mapping[ObjectKey, SchemaObject]) -> dict[str, str]:
    """The new names of what belongs to a table."""
    place = (table.schema, table.name)
    return {
        old.name: new.key.name for old, new in moved.items() if (old.schema, old.parent) == place
    }


def _follow_keys(table: ObjectKey, pairs: Any, moved: Mapping[ObjectKey, SchemaObject]) -> Value:
    """Names and states; those of a foreign key stand on the table that it refers to as well."""
    place = [table.schema, table.name]
    known = {
        old.name: new.key.name
        for old, new in moved.items()
        if new.attributes.get("references") == place
    }
    known |= _list_names(table, moved)
    return [*sorted(([known.get(name, name), *state] for name, *state in pairs), key=repr)]


_CONSTANT: Final = re.compile(
    rf"""(?P<name>'(?:[^']++|'')*+')::regclass(?![\w\[]) | {STRING} | "(?:[^"]++|"")*+\"""",
    re.VERBOSE | re.DOTALL,
)
"""A constant that names a relation; or another literal or quoted name, to be stepped over."""


def _follow_sequences(text: str, moved: Mapping[ObjectKey, SchemaObject], there: Value) -> str:
    """The text with the sequences' new names in its regclass constants, spelt as there."""
    used = {
        _read_name(found) for found in _CONSTANT.finditer(there if isinstance(there, str) else "")
    }
    known = {
        f"{schema}.{before}": _choose(schema, new.key.name, used)
        for old, new in moved.items()
        if old.kind is Kind.SEQUENCE
        for schema in _spell(old.schema or "")
        for before in _spell(old.name)
    }

    def replace(found: re.Match[str]) -> str:
        name = _read_name(found)
        if name is None:
            return found[0]
        return f"'{known.get(name, name).replace("'", "''")}'::regclass"

    return _CONSTANT.sub(replace, text) if known else text


def _spell(name: str) -> tuple[str, str]:
    """A name as the server may write it: it quotes only where it has to."""
    return name, quote_ident(name)


def _choose(schema: str, name: str, used: AbstractSet[str | None]) -> str:
    """The spelling that is in use; the quoted one means the same wherever it is not."""
    plain, quoted = (f"{schema}.{spelt}" for spelt in _spell(name))
    return plain if plain in used else quoted


_MENTIONING: Final[
    Mapping[str, Callable[[ObjectKey, Any, Mapping[ObjectKey, SchemaObject]], Value]]
] = {
    "cluster_index": _follow_cluster,
    "replica_identity": _follow_identity,
    "partition_indexes": _follow_partition_indexes,
    "internal_triggers": _follow_keys,
}
"""Attributes that name other objects, texts apart; what follows their renames."""
