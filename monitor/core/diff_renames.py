"""The same thing under another name: found once, and not told again by what mentions it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import chain
from typing import Final

import msgspec

from monitor.core.diff_mentions import CONSTANT, read_name
from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import KINDS, Value
from monitor.core.parameters import PARAMETERS, fold_spellings
from monitor.core.snapshot import SchemaObject, Snapshot
from monitor.core.spelling import TEXTS, list_names

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
    chosen = {*_list_chosen(expected, actual)}
    for describe in (_describe_all, describe_definition):
        for old, new in _pair(olds.values(), news.values(), describe, chosen):
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
    chosen: AbstractSet[tuple[ObjectKey, ObjectKey]],
) -> list[Pair]:
    """Those that only fit each other; equal ones of one table in the order of their names.

    But for what the table is clustered on, or its rows are identified by: that goes together.
    """
    fitting: dict[bytes, tuple[list[SchemaObject], list[SchemaObject]]]
    fitting = defaultdict(lambda: ([], []))
    for side, items in enumerate((olds, news)):
        for item in items:
            fitting[describe(item)][side].append(item)
    return [
        pair
        for old, new in fitting.values()
        if len(old) == len(new) and (len(old) == 1 or old[0].key.parent is not None)
        for pair in _zip(old, new, chosen)
    ]


def _zip(
    olds: Iterable[SchemaObject],
    news: Iterable[SchemaObject],
    chosen: AbstractSet[tuple[ObjectKey, ObjectKey]],
) -> Iterator[Pair]:
    left, right = _sort(olds), _sort(news)
    for old, new in [(a, b) for a in left for b in right if (a.key, b.key) in chosen]:
        if old in left and new in right:
            yield old, new
            left.remove(old)
            right.remove(new)
    yield from zip(left, right, strict=True)


def _list_chosen(expected: Snapshot, actual: Snapshot) -> Iterator[tuple[ObjectKey, ObjectKey]]:
    """The index that each table names for itself, there and here."""
    for item in expected.objects:
        other = actual.by_key.get(item.key)
        if item.key.kind is not Kind.TABLE or other is None or other is item:
            continue
        for attribute in ("cluster_index", "replica_identity"):
            names = [_read_own(one.get(attribute)) for one in (item, other)]
            if None not in names and names[0] != names[1]:
                old, new = (_name_index(item.key, str(name)) for name in names)
                yield old, new


def _read_own(value: Value) -> str | None:
    """The name of an index of the table itself."""
    if isinstance(value, list):
        return str(value[1]) if len(value) == len(("index", "name")) else None
    return value if isinstance(value, str) and value not in _IDENTITIES else None


_IDENTITIES: Final = ("default", "full", "nothing")


def _name_index(table: ObjectKey, name: str) -> ObjectKey:
    return ObjectKey(kind=Kind.INDEX, schema=table.schema, parent=table.name, name=name)


def _sort(items: Iterable[SchemaObject]) -> list[SchemaObject]:
    return sorted(items, key=lambda item: item.key.order)


def _drop_chances(pairs: list[Pair], expected: Snapshot, actual: Snapshot) -> list[Pair]:
    """Without the sequences that are nobody's and only count alike, as most of them do.

    Such a pair is a rename where what mentions the one mentions the other now. One that the
    application alone draws from is told as missing and unexpected: a rename that is told as
    two changes costs a look, and a lost sequence that is told as renamed costs the inserts.
    """
    swapped = _list_swapped(pairs)
    doubtful = [(old, new) for old, new in pairs if _may_be_chance(old) and old.key not in swapped]
    if not doubtful:
        return pairs
    moves = [*_list_moves(expected, actual)]
    chances = {old.key for old, new in doubtful if not _is_moved(old.key, new.key, moves)}
    return [(old, new) for old, new in pairs if old.key not in chances]


def _may_be_chance(old: SchemaObject) -> bool:
    return old.key.kind is Kind.SEQUENCE and old.attributes.get("owned_by") is None


def _list_swapped(pairs: Iterable[Pair]) -> set[ObjectKey]:
    """What has the name of another one, and so on round to the first: nothing is lost there."""
    moved = {old.key: new.key for old, new in pairs}
    return {key for key in moved if _comes_back(key, moved)}


def _comes_back(key: ObjectKey, moved: Mapping[ObjectKey, ObjectKey]) -> bool:
    seen: set[ObjectKey] = set()
    place: ObjectKey | None = key
    while place is not None and place not in seen:
        seen.add(place)
        place = moved.get(place)
    return place == key


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
    constants = (read_name(found) for found in CONSTANT.finditer(text))
    bare = CONSTANT.sub(lambda found: found[0] if found[0].startswith('"') else "''", text)
    named = (list_names(constant) for constant in constants if constant is not None)
    return {*list_names(bare), *chain.from_iterable(named)}


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
        name: fold_spellings(value) if name in PARAMETERS else value
        for name, value in item.attributes.items()
        if not (spec[name].by_declaration or spec[name].is_remark or name in ignored)
    }
    return _describe(item, defining)


def _describe(item: SchemaObject, attributes: Mapping[str, Value]) -> bytes:
    key = item.key
    return msgspec.json.encode(
        (key.kind, key.schema, key.parent, attributes), order="deterministic"
    )
