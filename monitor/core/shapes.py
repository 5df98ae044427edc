"""What may stand for an object that has another name at each build of the same source.

A name that differs in its numbers alone is of one shape. Only what has a name of that shape
and is defined alike may stand for the object that a build made: another definition under such
a name is drift.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Final, NamedTuple

from monitor.core.diff_renames import RENAMEABLE
from monitor.core.homes import WHOLES, Home, find_home, is_partition
from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import KINDS, Value
from monitor.core.snapshot import SchemaObject


class Family(NamedTuple):
    """An object with all that is part of it."""

    item: SchemaObject
    parts: tuple[SchemaObject, ...]


class Shape(NamedTuple):
    """Objects of two builds of which nobody can tell which one is which.

    Attributes:
        kind: of the objects.
        schema: where they are; it may be named after a day as well.
        pattern: for the parent's name and the own one, with a NUL between them; None where
            the names have nothing in common.
        models: how the two builds define them.
        stable: what both builds have under one name: it stands for itself alone.
        is_replaced: whether the second build has any where the first has them.
    """

    kind: Kind
    schema: re.Pattern[str]
    pattern: re.Pattern[str] | None
    models: tuple[tuple[Family, Family], ...]
    stable: frozenset[ObjectKey]
    is_replaced: bool

    def fits(self, key: ObjectKey) -> bool:
        """Whether an object could be one of them, by its name."""
        if key.kind is not self.kind or self.schema.fullmatch(key.schema or "") is None:
            return False
        return self.pattern is None or self.pattern.fullmatch(_full_name(key)) is not None

    def admits(self, live: Family) -> bool:
        """Whether an object could be one of them, by its name and all that defines it."""
        key = live.item.key
        return (
            self.fits(key)
            and key not in self.stable
            and any(_is_defined_like(one, other, live) for one, other in self.models)
        )


def list_families(objects: Iterable[SchemaObject]) -> dict[ObjectKey, Family]:
    """Each object with its parts."""
    objects = [*objects]
    parts: dict[Home, list[SchemaObject]] = defaultdict(list)
    for item in objects:
        home = find_home(item)
        if home is not None:
            parts[home].append(item)
    return {item.key: Family(item, _list_parts(item.key, parts)) for item in objects}


def _list_parts(
    key: ObjectKey, parts: Mapping[Home, list[SchemaObject]]
) -> tuple[SchemaObject, ...]:
    return tuple(parts.get((key.schema, key.name), ())) if key.kind in WHOLES else ()


_NUMBER: Final = re.compile(r"(\d+)")


def _full_name(key: ObjectKey) -> str:
    return f"{key.parent or ''}\0{key.name}"


def _leave_numbers(name: str) -> str:
    return _NUMBER.sub("0", name)


def list_shapes(
    first: Mapping[ObjectKey, SchemaObject], second: Mapping[ObjectKey, SchemaObject]
) -> Iterator[Shape]:
    """The shapes of what only one of two builds has under its name."""
    families = list_families(first.values()), list_families(second.values())
    groups: dict[tuple[Kind, str, str], tuple[list[Family], list[Family]]]
    groups = defaultdict(lambda: ([], []))
    for side, (own, foreign) in enumerate(((first, second), (second, first))):
        for key in sorted(own.keys() - foreign.keys(), key=lambda key: key.order):
            schema, name = map(_leave_numbers, (key.schema or "", _full_name(key)))
            groups[key.kind, schema, name][side].append(families[side][key])
    stable = frozenset(first.keys() & second.keys())
    rest: dict[tuple[Kind, str], tuple[list[Family], list[Family]]]
    rest = defaultdict(lambda: ([], []))
    for (kind, schema, _), (one, other) in groups.items():
        if one and other:
            yield _make_shape(one, other, stable, is_named=True)
        else:
            for side, found in enumerate((one, other)):
                rest[kind, schema][side].extend(found)
    for one, other in rest.values():
        yield _make_shape(one, other, stable, is_named=False)


def _make_shape(
    one: list[Family], other: list[Family], stable: frozenset[ObjectKey], *, is_named: bool
) -> Shape:
    keys = [family.item.key for family in (*one, *other)]
    return Shape(
        kind=keys[0].kind,
        schema=_make_pattern([key.schema or "" for key in keys]),
        pattern=_make_pattern([*map(_full_name, keys)]) if is_named else None,
        models=_pair(one, other),
        stable=stable,
        is_replaced=bool(other),
    )


def _pair(one: Sequence[Family], other: Sequence[Family]) -> tuple[tuple[Family, Family], ...]:
    """Each with one of the other build; with itself where that has none."""
    spare = (other or one)[-1], (one or other)[-1]
    return tuple((a or spare[1], b or spare[0]) for a, b in zip_longest(one, other))


def _make_pattern(names: list[str]) -> re.Pattern[str]:
    """The names with any number where theirs differ."""
    parts = []
    for pieces in zip(*map(_NUMBER.split, names), strict=True):
        is_one = len(set(pieces)) == 1
        parts.append(re.escape(pieces[0]) if is_one else r"\d+")
    return re.compile("".join(parts))


def _is_defined_like(one: Family, other: Family, live: Family) -> bool:
    if is_partition(one.item) and is_partition(live.item):
        # Their columns are their parent's, and what is in partitions is not compared.
        return _is_alike(*(family.item.get("inherits") for family in (one, other, live)))
    if not _has_same_attributes(one.item, other.item, live.item):
        return False
    if len(live.parts) != len(one.parts):
        return False
    left = [*live.parts]
    for part, twin in _pair_parts(one.parts, other.parts):
        found = next((p for p in left if _is_same_part(part, twin, p)), None)
        if found is None:
            return False
        left.remove(found)
    return True


def _pair_parts(
    ones: Iterable[SchemaObject], others: Iterable[SchemaObject]
) -> Iterator[tuple[SchemaObject, SchemaObject]]:
    twins = {(item.key.kind, _leave_numbers(item.key.name)): item for item in others}
    for item in ones:
        yield item, twins.get((item.key.kind, _leave_numbers(item.key.name)), item)


def _is_same_part(one: SchemaObject, other: SchemaObject, live: SchemaObject) -> bool:
    if live.key.kind != one.key.kind:
        return False
    is_named = live.key.kind in RENAMEABLE or _is_name_like(
        one.key.name, other.key.name, live.key.name
    )
    return is_named and _has_same_attributes(one, other, live)


def _is_name_like(one: str, other: str, live: str) -> bool:
    return live == one if one == other else _leave_numbers(live) == _leave_numbers(one)


def _has_same_attributes(one: SchemaObject, other: SchemaObject, live: SchemaObject) -> bool:
    """Whether a third build could have defined it so; remarks, notes and owners aside."""
    spec = KINDS[one.key.kind]
    return all(
        _is_alike(one.get(name), other.get(name), live.get(name))
        for name in one.attributes.keys() | other.attributes.keys() | live.attributes.keys()
        if not (spec[name].by_declaration or spec[name].is_remark or spec[name].is_note)
    )


def _is_alike(one: Value, other: Value, live: Value) -> bool:
    return live == one if one == other else is_like(one, other, live)


_WORDS: Final = re.compile(r"\d+\.\d+|\w+|\W")
_DIGITS: Final = re.compile(r"[\da-fA-F.]+")
"""A number, or a piece of a UUID or a digest: which of them nobody can tell."""


def is_like(one: Value, other: Value, live: Value) -> bool:
    """Whether a third build could have come out as ``live`` where these two differ."""
    if live is None:
        return one is None or other is None
    texts = (one, other, live)
    if all(isinstance(text, str) for text in texts):
        words = [_WORDS.findall(str(text)) for text in texts]
        if len(words[0]) != len(words[1]):
            return True  # more differs than single words: nothing can be said
        return len(words[2]) == len(words[0]) and all(map(_is_word_like, *words))
    if isinstance(one, list) and isinstance(other, list) and isinstance(live, list):
        if len(one) != len(other):
            return True
        return len(live) == len(one) and all(map(is_like, one, other, live))
    return one != other or live == one


def _is_word_like(one: str, other: str, live: str) -> bool:
    if one == other:  # of a moment, the year may be the same in both by chance
        return live == one or (_is_number(one) and _is_number(live))
    if _DIGITS.fullmatch(one) and _DIGITS.fullmatch(other):
        return _DIGITS.fullmatch(live) is not None
    return live.isalnum() or "_" in live


def _is_number(word: str) -> bool:
    return word.replace(".", "", 1).isdecimal()
