"""One change where a column changed in a table, and in the same way in all that inherit it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from monitor.core.difference import Change
from monitor.core.homes import find_mothers, find_top
from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import KINDS, Value
from monitor.core.rules import ChangeKind
from monitor.core.snapshot import Snapshot

type _Place = tuple[ObjectKey, ChangeKind, str]


def fold_columns(
    changes: Iterable[Change], expected: Snapshot, actual: Snapshot
) -> Iterator[Change]:
    """The changes, those of inherited columns counted with the column that they repeat.

    A column speaks for its heirs only as far as they are like it, so that nothing about
    them is left unsaid: one with a default of its own is told by itself. Hence a heir more,
    next month's partition, is nothing new about the change.
    """
    columns = {(c.key, c.change, c.code): c for c in changes if c.key.kind is Kind.COLUMN}
    mothers = {
        place: _find_mother(change, columns, expected, actual) for place, change in columns.items()
    }
    tops = {place: find_top(place, mothers) for place in columns}
    heirs: Counter[_Place] = Counter()
    for place, top in tops.items():
        if top != place:
            heirs[top] += 1 + columns[place].contains
    for change in changes:
        place = (change.key, change.change, change.code)
        if tops.get(place, place) == place:
            yield msgspec.structs.replace(change, contains=change.contains + heirs[place])


def _find_mother(
    change: Change, columns: Mapping[_Place, Change], expected: Snapshot, actual: Snapshot
) -> _Place | None:
    """The same change of the column that this one comes from."""
    for snapshot in (actual, expected):
        for key in find_mothers(snapshot, change.key):
            place = (key, change.change, change.code)
            mother = columns.get(place)
            if mother is not None and _repeats(change, mother):
                return place
    return None


def _repeats(heir: Change, mother: Change) -> bool:
    """Whether there is nothing to say about it that the other does not say."""
    if heir.parts:
        return False
    if heir.change == "altered":
        return heir.attributes == mother.attributes
    own, theirs = _list_values(heir), _list_values(mother)
    return all(
        own.get(name) == theirs.get(name) or (name not in own and _stays_behind(name))
        for name in own.keys() | theirs.keys()
    )


def _list_values(change: Change) -> dict[str, Value]:
    return {
        one.name: one.expected if change.change == "missing" else one.actual
        for one in change.attributes
        if one.name != "inherited"
    }


def _stays_behind(name: str) -> bool:
    """Whether a table does not hand it on: comments and rights."""
    spec = KINDS[Kind.COLUMN][name]
    return spec.is_remark or spec.by_declaration
