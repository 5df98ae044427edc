"""What comes out differently each time the same source is built: never drift.

A default that was written as a string, `server_default="now()"`, is the moment at which the DDL
ran; a migration that names a partition after today names another one tomorrow. So what is
expected is built twice, the second time at a later date, and what differs is unstable: an
attribute may have any value, and an object any name, that is the same as both but for the words
and numbers in which these differ. A value that is gone altogether is drift, and so is an object
where nothing of its shape and definition stands in its place (`monitor.core.shapes`).
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

import msgspec

from monitor.core.dated import list_days, map_texts, move_dated
from monitor.core.difference import Change, Difference, Note, keep_evidence, sort_notes
from monitor.core.due import Clock, is_later, list_due
from monitor.core.findings import Evidence
from monitor.core.homes import WHOLES
from monitor.core.keys import ObjectKey
from monitor.core.kinds import Value
from monitor.core.likeness import is_like
from monitor.core.matching import match
from monitor.core.shapes import Family, Shape, list_families, list_shapes
from monitor.core.snapshot import SchemaObject, Snapshot

type Side = Literal["expected", "actual"]
type Place = tuple[ObjectKey, str]
"""An object and an attribute."""


class Unstable(NamedTuple):
    """What two builds of one source do not agree in.

    Attributes:
        attributes: of objects that both have, with the values of both.
        absent: objects of the first build that the second one does not have.
        others: objects that only the second one has.
        shapes: of both.
        due: those that are absent but that each build of the day makes, named after days to come.
    """

    attributes: Mapping[Place, tuple[Value, Value]] = MappingProxyType({})
    absent: frozenset[ObjectKey] = frozenset()
    others: frozenset[ObjectKey] = frozenset()
    shapes: tuple[Shape, ...] = ()
    due: frozenset[ObjectKey] = frozenset()

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return any(self)


def find_unstable(
    first: Snapshot,
    second: Snapshot,
    *,
    today: date,
    later: date | None = None,
    said: Collection[str] | None = None,
) -> Unstable:
    """What two builds of one source do not agree in.

    Args:
        first: the one that is compared with.
        second: another one, at another date where that could be had.
        today: when the second one was built. The server's date is the same for both, so a
            default that is nothing but the date of that day is unstable as well, and a name
            that holds it or its month.
        later: the day in which the application of the second build believed, if it was moved.
        said: the dates in the statements of the second build, where its clock was moved: none
            of these is the server's (`monitor.core.dated`). None where that is not known.
    """
    renamed = retell(second, first.builder, today=today, said=said)
    both = first.by_key.keys() & renamed.keys()
    attributes = dict(_list_dated(first, list_days(today), said))
    for key in both:
        one, other = first.by_key[key], renamed[key]
        for name in _list_differing(one, other):
            attributes[key, name] = one.get(name), other.get(name)
    absent, others = first.by_key.keys() - both, renamed.keys() - both
    is_whole = not (absent or others)
    due = frozenset[ObjectKey]()
    if said is not None:
        due = _find_due(absent, second.by_key.keys() - both, Clock(today, later))
    return Unstable(
        attributes=attributes,
        absent=frozenset(absent),
        others=frozenset(others),
        shapes=() if is_whole else tuple(list_shapes(first.by_key, renamed)),
        due=due,
    )


def _find_due(
    absent: Iterable[ObjectKey], others: Iterable[ObjectKey], clock: Clock
) -> frozenset[ObjectKey]:
    """Those of the first build that one of today makes as well, by what a second one made."""
    names = {name for key in others for name in (key.schema, key.name) if name}
    due = list_due(names, clock)
    return frozenset(key for key in absent if due & {key.schema, key.parent, key.name})


def retell(
    second: Snapshot, builder: str | None, *, today: date, said: Collection[str] | None
) -> dict[ObjectKey, SchemaObject]:
    """The objects of a second build, as another role would have built them on another day."""
    return move_dated(_rename_builder(second, builder), today, said)


def _list_differing(one: SchemaObject, other: SchemaObject) -> Iterator[str]:
    if one.attributes != other.attributes:
        for name in one.attributes.keys() | other.attributes.keys():
            if one.get(name) != other.get(name):
                yield name


_DATED: Final = re.compile(r"'(\d{4}-\d\d-\d\d)(?:[ T][\d:.+-]*)?'::(?:date|timestamp).*")
_DAY: Final = re.compile(r"(?<![\d-])\d{4}-\d\d-\d\d(?![\d-])")


def _list_dated(
    snapshot: Snapshot, days: Collection[date], said: Collection[str] | None
) -> Iterator[tuple[Place, tuple[Value, Value]]]:
    """The attributes that hold one of these days, and what they hold on another day.

    Where it is not known what the statements said, that is a default which is nothing but a
    date: `'2026-11-26'::date`. Else it is whatever holds a day that none of them said.
    """
    written = {day.isoformat() for day in days}

    def move(text: str) -> str:
        if said is None:
            found = _DATED.fullmatch(text)
            return text.replace(found[1], "0-0-0") if found and found[1] in written else text
        return _DAY.sub(lambda it: "0-0-0" if it[0] in written - {*said} else it[0], text)

    for item in snapshot.objects:
        for name, value in item.attributes.items():
            if name == "default" or said is not None:
                other = map_texts(value, move)
                if other != value:
                    yield (item.key, name), (value, other)


def _rename_builder(snapshot: Snapshot, name: str | None) -> dict[ObjectKey, SchemaObject]:
    """The objects, with the role that built them called ``name``: each build has one."""
    own = snapshot.builder
    if own is None or name is None or own == name:
        return dict(snapshot.by_key)
    renamed = {}
    for item in snapshot.objects:
        key = msgspec.structs.replace(item.key, name=item.key.name.replace(own, name))
        attributes = {
            n: map_texts(value, lambda text: text.replace(own, name))
            for n, value in item.attributes.items()
        }
        renamed[key] = SchemaObject(key=key, attributes=attributes)
    return renamed


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
    live = list_families(other.objects) if unstable.shapes else {}
    own = "missing" if side == "expected" else "unexpected"
    lost = [change.key for change in difference.changes if change.change == own]
    substitutes = _find_substitutes(lost, unstable, live)
    for change in difference.changes:
        left = _excuse(change, unstable, side, live, substitutes)
        if left is None or len(left) < len(change.attributes):
            notes.append(_note(change, left))
        if left is not None:
            changes.append(_keep(change, left, unstable))
    return Difference(changes=tuple(changes), notes=sort_notes(notes))


def _excuse(
    change: Change,
    unstable: Unstable,
    side: Side,
    live: Mapping[ObjectKey, Family],
    substitutes: Mapping[ObjectKey, ObjectKey | None],
) -> tuple[Evidence, ...] | None:
    """The evidence that stands; None where nothing is left of the change."""
    own, foreign = ("missing", "unexpected") if side == "expected" else ("unexpected", "missing")
    if change.change == foreign:
        is_another = change.key in substitutes.values() or _is_another(change.key, unstable, live)
        return None if is_another else change.attributes
    if change.change == own:
        if change.key in substitutes:
            return None
        return tuple(
            e for e in change.attributes if (change.key, e.name) not in unstable.attributes
        )
    left = tuple(e for e in change.attributes if not _is_free(change.key, e, unstable, side))
    return left or None


def _is_another(key: ObjectKey, unstable: Unstable, live: Mapping[ObjectKey, Family]) -> bool:
    """Whether another build may have made it: of the shape of the name, and defined alike."""
    family = live.get(key)
    return family is not None and any(
        shape.admits(family)
        for shape in unstable.shapes
        if shape.pattern is not None or key in unstable.others
    )


def _find_substitutes(
    lost: Iterable[ObjectKey], unstable: Unstable, live: Mapping[ObjectKey, Family]
) -> dict[ObjectKey, ObjectKey | None]:
    """What another build made, for each object that this build made in its place.

    That tables of old days are dropped is no reason for there to be none at all, so one of a
    day stands for several. Where names have nothing in common, each stands for one. What only
    some builds have, with nothing in its place in the others, need not be there: None. What
    belongs to a table that is there belongs to no other one. And nothing stands for what must
    have been made together with what is there.
    """
    tables = {(key.schema, key.name) for key in live if key.kind in WHOLES}
    found: dict[ObjectKey, ObjectKey | None] = {}
    wanted: dict[ObjectKey, list[ObjectKey]] = {}
    for key in lost:
        if key not in unstable.absent:
            continue
        home = (key.schema, key.parent)
        near = [
            family
            for name, family in live.items()
            if home not in tables or (name.schema, name.parent) == home
        ]
        for shape in _list_fitting(key, unstable):
            there = [family.item.key for family in near if shape.admits(family, key)]
            if not shape.is_replaced:
                found[key] = None
            elif shape.pattern is None:
                wanted[key] = there
            elif there and not _was_made_with(there, key, unstable):
                found[key] = there[0]
    return found | match(wanted)


def _was_made_with(there: Iterable[ObjectKey], key: ObjectKey, unstable: Unstable) -> bool:
    """Whether something is there that nobody makes without this object."""
    return key in unstable.due and any(is_later(one, key) for one in there)


def _list_fitting(key: ObjectKey, unstable: Unstable) -> list[Shape]:
    """The shapes of a name; the one without a pattern only where it has no other."""
    shapes = [shape for shape in unstable.shapes if shape.fits(key)]
    return [shape for shape in shapes if shape.pattern is not None] or shapes


def _keep(change: Change, left: tuple[Evidence, ...], unstable: Unstable) -> Change:
    """The change, the same whenever what is expected is built: people accept it as it is."""
    if change.change == "altered":
        return keep_evidence(change, left)
    named = unstable.absent - unstable.due
    parts = tuple(_steady(part, unstable) for part in change.parts if part.key not in named)
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
    there = msgspec.structs.replace(key, name=str(evidence.actual))
    own, found = (key, there) if side == "expected" else (there, key)
    return own in unstable.absent and any(s.fits(found) for s in _list_fitting(own, unstable))


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
    return note_unstable(change.key, [e.name for e in change.attributes if e not in (left or ())])


def note_unstable(key: ObjectKey, names: Iterable[str]) -> Note:
    """That some attributes come out differently at each build."""
    listed = ", ".join(name.replace("_", " ") for name in sorted(names))
    text = (
        f"The {listed} of {key} comes out differently each time what is expected is "
        f"built, and is not compared.{''.join(_ADVICE.get(name, '') for name in sorted(names))}"
    )
    return Note(note="unstable", key=key, message=text)
