"""The same thing under another name: found once, and not told again by what mentions it."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

import msgspec

from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import KINDS, Value
from monitor.core.quoting import quote_ident
from monitor.core.snapshot import SchemaObject, Snapshot

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
    return sorted(_keep_whole(pairs, expected, actual), key=lambda pair: pair[0].key.order)


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


def follow_renames(item: SchemaObject, moved: Mapping[ObjectKey, SchemaObject]) -> SchemaObject:
    """``item`` as it reads once the renamed objects that it mentions have their new names.

    A table mentions the index of CLUSTER ON and of REPLICA IDENTITY, and the keys of which
    the triggers are disabled; a default the sequence that it draws from.

    Args:
        item: the expected object.
        moved: what each renamed object is now.
    """
    if not moved:
        return item
    changed = {
        name: follow(item.key, item.attributes[name], moved)
        for name, follow in _MENTIONING.items()
        if item.attributes.get(name) is not None
    }
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


_CONSTANT: Final = re.compile(r"'((?:[^']|'')*)'::regclass")


def _follow_sequences(_: ObjectKey, text: Any, moved: Mapping[ObjectKey, SchemaObject]) -> Value:
    """The default with the sequences' new names in its regclass constants."""
    known = {
        f"{schema}.{before}": f"{schema}.{_write(new.key.name)}"
        for old, new in moved.items()
        if old.kind is Kind.SEQUENCE
        for schema in _spell(old.schema or "")
        for before in _spell(old.name)
    }

    def replace(found: re.Match[str]) -> str:
        name = found[1].replace("''", "'")
        return f"'{known.get(name, name).replace("'", "''")}'::regclass"

    return _CONSTANT.sub(replace, text) if known else text


def _spell(name: str) -> tuple[str, str]:
    """A name as the server may write it: it quotes only where it has to."""
    return name, quote_ident(name)


def _write(name: str) -> str:
    is_plain = name.isascii() and name.isidentifier() and name == name.lower()
    return name if is_plain else quote_ident(name)


_MENTIONING: Final[
    Mapping[str, Callable[[ObjectKey, Any, Mapping[ObjectKey, SchemaObject]], Value]]
] = {
    "default": _follow_sequences,
    "cluster_index": _follow_cluster,
    "replica_identity": _follow_identity,
    "partition_indexes": _follow_partition_indexes,
    "internal_triggers": _follow_keys,
}
"""Attributes that name other objects; what follows their renames."""
