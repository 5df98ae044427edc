"""What comes out differently each time the same source is built: never drift.

A default that was written as a string, `server_default="now()"`, is the moment at which the DDL
ran; a migration that names a partition after today names another one tomorrow. So what is
expected is built twice, the second time at a later date, and what differs is unstable: an
attribute may have any value, and an object any name, that is the same as both but for the words
and numbers in which these differ. A value that is gone altogether is drift, and so is an object
unless it is a table: those of old days are dropped.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

import msgspec

from monitor.core.diff import keep_evidence
from monitor.core.difference import Change, Difference, Note, sort_notes
from monitor.core.findings import Evidence
from monitor.core.homes import TABLES
from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import Value
from monitor.core.snapshot import SchemaObject, Snapshot

type Side = Literal["expected", "actual"]
type Place = tuple[ObjectKey, str]
"""An object and an attribute."""


class Shape(NamedTuple):
    """Names that differ in their numbers alone.

    Attributes:
        kind: of the objects.
        schema: where they are.
        pattern: for the parent's name and the own one, with a NUL between them.
    """

    kind: Kind
    schema: str | None
    pattern: re.Pattern[str]

    def fits(self, key: ObjectKey) -> bool:
        """Whether an object could be one of them."""
        is_same = (key.kind, key.schema) == (self.kind, self.schema)
        return is_same and self.pattern.fullmatch(_full_name(key)) is not None


class Unstable(NamedTuple):
    """What two builds of one source do not agree in.

    Attributes:
        attributes: of objects that both have, with the values of both.
        absent: objects of the first build that the second one does not have.
        others: objects that only the second one has.
        shapes: of the names of both.
    """

    attributes: Mapping[Place, tuple[Value, Value]] = MappingProxyType({})
    absent: frozenset[ObjectKey] = frozenset()
    others: frozenset[ObjectKey] = frozenset()
    shapes: tuple[Shape, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return any(self)


def find_unstable(first: Snapshot, second: Snapshot, *, today: date) -> Unstable:
    """What two builds of one source do not agree in.

    Args:
        first: the one that is compared with.
        second: another one, at another date where that could be had.
        today: when the second one was built. The server's date is the same for both, so a
            default that is nothing but the date of that day is unstable as well.
    """
    renamed = _rename_builder(second, first.builder)
    both = first.by_key.keys() & renamed.keys()
    days = {today + timedelta(days=days) for days in (-1, 0, 1)}  # wherever the server is
    attributes = {place: pair for item in first.objects for place, pair in _find_dated(item, days)}
    for key in both:
        one, other = first.by_key[key], renamed[key]
        for name in _list_differing(one, other):
            attributes[key, name] = one.get(name), other.get(name)
    absent, others = first.by_key.keys() - both, renamed.keys() - both
    return Unstable(
        attributes=attributes,
        absent=frozenset(absent),
        others=frozenset(others),
        shapes=tuple(_list_shapes(absent, others)),
    )


def _list_differing(one: SchemaObject, other: SchemaObject) -> Iterator[str]:
    if one.attributes != other.attributes:
        for name in one.attributes.keys() | other.attributes.keys():
            if one.get(name) != other.get(name):
                yield name


_DATED: Final = re.compile(r"'(\d{4}-\d\d-\d\d)(?:[ T][\d:.+-]*)?'::(?:date|timestamp).*")


def _find_dated(
    item: SchemaObject, days: set[date]
) -> Iterator[tuple[Place, tuple[Value, Value]]]:
    """A default that is a date, `'2026-11-26'::date`, and one of these days; on no other day."""
    default = item.attributes.get("default")
    if not isinstance(default, str):
        return
    found = _DATED.fullmatch(default)
    if found and found[1] in {day.isoformat() for day in days}:
        yield (item.key, "default"), (default, default.replace(found[1], "0-0-0"))


def _rename_builder(snapshot: Snapshot, name: str | None) -> dict[ObjectKey, SchemaObject]:
    """The objects, with the role that built them called ``name``: each build has one."""
    own = snapshot.builder
    if own is None or name is None or own == name:
        return dict(snapshot.by_key)
    renamed = {}
    for item in snapshot.objects:
        key = msgspec.structs.replace(item.key, name=item.key.name.replace(own, name))
        attributes = {n: _replace(value, own, name) for n, value in item.attributes.items()}
        renamed[key] = SchemaObject(key=key, attributes=attributes)
    return renamed


def _replace(value: Value, old: str, new: str) -> Value:
    if isinstance(value, str):
        return value.replace(old, new)
    return [_replace(part, old, new) for part in value] if isinstance(value, list) else value


_NUMBER: Final = re.compile(r"(\d+)")


def _full_name(key: ObjectKey) -> str:
    return f"{key.parent or ''}\0{key.name}"


def _list_shapes(absent: Iterable[ObjectKey], others: Iterable[ObjectKey]) -> Iterator[Shape]:
    """A shape for each group of objects of both builds whose names differ in numbers alone."""
    groups: dict[tuple[Kind, str | None, str], tuple[list[str], list[str]]]
    groups = defaultdict(lambda: ([], []))
    for side, keys in enumerate((absent, others)):
        for key in keys:
            name = _full_name(key)
            groups[key.kind, key.schema, _NUMBER.sub("0", name)][side].append(name)
    for (kind, schema, _), (one, other) in groups.items():
        if one and other:
            yield Shape(kind, schema, _make_pattern([*one, *other]))


def _make_pattern(names: list[str]) -> re.Pattern[str]:
    """The names with any number where theirs differ."""
    parts = []
    for pieces in zip(*map(_NUMBER.split, names), strict=True):
        is_one = len(set(pieces)) == 1
        parts.append(re.escape(pieces[0]) if is_one else r"\d+")
    return re.compile("".join(parts))


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


def excuse_unstable(
    difference: Difference, unstable: Unstable, *, side: Side, other: Snapshot
) -> Difference:
    """The difference, with what is unstable on one of its sides as notes.

    Args:
        difference: what differs.
        unstable: what two builds of that side do not agree in.
        side: which one it is.
        other: the other side, in which another build may have left what is not in this one.
    """
    changes: list[Change] = []
    notes: list[Note] = list(difference.notes)
    for change in difference.changes:
        left = _excuse(change, unstable, side, other)
        if left is None or len(left) < len(change.attributes):
            notes.append(_note(change, left))
        if left is not None:
            changes.append(_keep(change, left, unstable))
    return Difference(changes=tuple(changes), notes=sort_notes(notes))


def _excuse(
    change: Change, unstable: Unstable, side: Side, other: Snapshot
) -> tuple[Evidence, ...] | None:
    """The evidence that stands; None where nothing is left of the change."""
    own, foreign = ("missing", "unexpected") if side == "expected" else ("unexpected", "missing")
    if change.change == foreign:
        is_one = change.key in unstable.others or any(s.fits(change.key) for s in unstable.shapes)
        return None if is_one else change.attributes
    if change.change == own:
        if change.key in unstable.absent and _may_be_gone(change.key, unstable, other):
            return None
        return tuple(
            e for e in change.attributes if (change.key, e.name) not in unstable.attributes
        )
    left = tuple(e for e in change.attributes if not _is_free(change.key, e, unstable, side))
    return left or None


def _may_be_gone(key: ObjectKey, unstable: Unstable, other: Snapshot) -> bool:
    """Whether its absence says nothing.

    Tables named after a day are dropped one day. Of anything else another build left one of
    the same shape; what has no shape can be any other object.
    """
    shapes = [shape for shape in unstable.shapes if shape.fits(key)]
    if key.kind in TABLES or not shapes:
        return True
    return any(shape.fits(one) for shape in shapes for one in other.by_key)


def _keep(change: Change, left: tuple[Evidence, ...], unstable: Unstable) -> Change:
    """The change, the same whenever what is expected is built: people accept it as it is."""
    if change.change == "altered":
        return keep_evidence(change, left)
    parts = tuple(
        _steady(part, unstable) for part in change.parts if part.key not in unstable.absent
    )
    return msgspec.structs.replace(change, attributes=left, parts=parts)


def _steady(item: SchemaObject, unstable: Unstable) -> SchemaObject:
    """The object without what is another value at each build."""
    return item.keep(
        {name for name in item.attributes if (item.key, name) not in unstable.attributes}
    )


def _is_free(key: ObjectKey, evidence: Evidence, unstable: Unstable, side: Side) -> bool:
    if evidence.name != "name":
        built = unstable.attributes.get((key, evidence.name))
        live = evidence.actual if side == "expected" else evidence.expected
        return built is not None and is_like(*built, live)
    other = msgspec.structs.replace(key, name=str(evidence.actual))
    return not unstable.absent.isdisjoint({key, other})


_ADVICE: Final[Mapping[str, str]] = {
    "default": (
        " A default in quotes is worked out once, when the DDL runs: write it as an expression, "
        "`server_default=func.now()` or `text('now()')`."
    )
}


def _note(change: Change, left: tuple[Evidence, ...] | None) -> Note:
    if change.change != "altered" and left is None:
        text = f"{change.key} has a name that differs each time what is expected is built."
        return Note(note="unstable", key=change.key, message=text)
    names = sorted(e.name for e in change.attributes if e not in (left or ()))
    listed = ", ".join(name.replace("_", " ") for name in names)
    text = (
        f"The {listed} of {change.key} comes out differently each time what is expected is "
        f"built, and is not compared.{''.join(_ADVICE.get(name, '') for name in names)}"
    )
    return Note(note="unstable", key=change.key, message=text)
