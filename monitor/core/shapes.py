"""What may stand for an object that has another name at each build of the same source.

A name that differs in its numbers alone is of one shape. Only what has a name of that shape
and is defined alike may stand for the object that a build made: another definition under such
a name is drift.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from monitor.core.diff_renames import RENAMEABLE
from monitor.core.homes import WHOLES, Home, find_home, is_partition
from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import KINDS
from monitor.core.likeness import is_alike_to_both
from monitor.core.matching import match
from monitor.core.snapshot import SchemaObject
from monitor.core.spelling import are_synonyms


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

    def admits(self, live: Family, wanted: ObjectKey | None = None) -> bool:
        """Whether an object could be one of them, by its name and all that defines it.

        Args:
            live: the object.
            wanted: the one of the first build in whose place it is; None for any.
        """
        key = live.item.key
        return (
            self.fits(key)
            and key not in self.stable
            and any(
                _is_defined_like(one, other, live) and _hangs_like(one, other, live)
                for one, other in self.models
                if wanted in {None, one.item.key}
            )
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
    for (kind, schema, _), group in groups.items():
        for one, other in _divide(*group):
            if one and other:
                yield _make_shape(one, other, stable, is_named=True)
            else:
                for side, found in enumerate((one, other)):
                    rest[kind, schema][side].extend(found)
    for one, other in rest.values():
        yield _make_shape(one, other, stable, is_named=False)


type _Sides = tuple[list[Family], list[Family]]


def _divide(one: list[Family], other: list[Family]) -> Iterator[_Sides]:
    """The groups of names that differ in what both builds have alike: `v1` and `v2` of each."""
    cut = [
        [_NUMBER.split(_full_name(family.item.key)) for family in side] for side in (one, other)
    ]
    columns = [[{*column} for column in zip(*side, strict=True)] for side in cut]
    kept = [
        place
        for place, (ours, theirs) in enumerate(zip(*columns, strict=False))
        if ours == theirs and len(ours) > 1
    ]
    groups: dict[tuple[str, ...], _Sides] = defaultdict(lambda: ([], []))
    for number, side in enumerate((one, other)):
        for family, pieces in zip(side, cut[number], strict=True):
            groups[tuple(pieces[place] for place in kept)][number].append(family)
    yield from groups.values()


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
    """Each with one of the other build, defined alike where there is such a one; else itself."""
    alike = {
        place: [
            n for n, b in enumerate(other) if _hangs_like(a, a, b) and _is_defined_like(a, a, b)
        ]
        for place, a in enumerate(one)
    }
    found = match(alike)
    pairs = [(one[place], other[number]) for place, number in found.items()]
    left = [a for place, a in enumerate(one) if place not in found]
    right = [b for number, b in enumerate(other) if number not in found.values()]
    pairs += zip(left, right, strict=False)
    single = [*left[len(right) :], *right[len(left) :]]
    return (*pairs, *((family, family) for family in single))


def _make_pattern(names: list[str]) -> re.Pattern[str]:
    """The names with any number where theirs differ."""
    parts = []
    for pieces in zip(*map(_NUMBER.split, names), strict=True):
        is_one = len(set(pieces)) == 1
        parts.append(re.escape(pieces[0]) if is_one else r"\d+")
    return re.compile("".join(parts))


def _hangs_like(one: Family, other: Family, live: Family) -> bool:
    """Whether it is part of what they are part of, if that has one name."""
    parents = [family.item.key.parent for family in (one, other, live)]
    return parents[0] != parents[1] or parents[2] == parents[0]


def _is_defined_like(one: Family, other: Family, live: Family) -> bool:
    if is_partition(one.item) and is_partition(live.item):
        # Their columns are their parent's, and what is in partitions is not compared.
        return is_alike_to_both(*(family.item.get("inherits") for family in (one, other, live)))
    if not _has_same_attributes(one.item, other.item, live.item):
        return False
    if len(live.parts) != len(one.parts):
        return False
    there = [*enumerate(live.parts)]
    wanted = {
        number: [place for place, found in there if _is_same_part(part, twin, found)]
        for number, (part, twin) in enumerate(_pair_parts(one.parts, other.parts))
    }
    return all(wanted.values()) and len(match(wanted)) == len(wanted)


def _pair_parts(
    ones: Sequence[SchemaObject], others: Sequence[SchemaObject]
) -> Iterator[tuple[SchemaObject, SchemaObject]]:
    """Each part with the other build's: of the same name, else one that differs in numbers."""
    twins = {(item.key.kind, item.key.name): item for item in others}
    names = {(item.key.kind, item.key.name) for item in ones}
    rest: dict[tuple[Kind, str], list[SchemaObject]] = defaultdict(list)
    for item in others:
        if (item.key.kind, item.key.name) not in names:
            rest[item.key.kind, _leave_numbers(item.key.name)].append(item)
    for item in ones:
        twin = twins.get((item.key.kind, item.key.name))
        alike = rest[item.key.kind, _leave_numbers(item.key.name)]
        yield item, twin or (alike.pop(0) if alike else item)


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
    kind = one.key.kind
    spec = KINDS[kind]
    return all(
        is_alike_to_both(one.get(name), other.get(name), live.get(name))
        or are_synonyms(kind, name, one.get(name), live.get(name))
        for name in one.attributes.keys() | other.attributes.keys() | live.attributes.keys()
        if not (spec[name].by_declaration or spec[name].is_remark or spec[name].is_note)
    )
