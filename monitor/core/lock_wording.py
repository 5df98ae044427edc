"""How a database may word what a lock has: in the words of another run, or of another server.

What means the same is given the words of the lock before anything is compared, so that the same
text is the same value everywhere.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from monitor.core.diff import diff, note_spelling
from monitor.core.difference import Note
from monitor.core.keys import ObjectKey
from monitor.core.kinds import Value
from monitor.core.likeness import is_like
from monitor.core.lock import Lock, Spelling
from monitor.core.lock_varying import Variation, list_changed
from monitor.core.snapshot import SchemaObject, Snapshot, make_snapshot
from monitor.core.unstable import Place, note_unstable


class Wording(NamedTuple):
    """A value of a lock, and another one that stands for it.

    Attributes:
        locked: the value.
        other: what stands for it, or is as unlike it as all that does.
        is_exact: whether nothing else does.
    """

    locked: Value
    other: Value
    is_exact: bool

    def admits(self, live: Value) -> bool:
        """Whether it stands for the value."""
        return live == self.other if self.is_exact else is_like(self.locked, self.other, live)


type Wordings = Mapping[Place, Sequence[Wording]]


def read_wordings(lock: Lock) -> Wordings:
    """All that a lock knows of other words."""
    found: dict[Place, list[Wording]] = defaultdict(list)
    for one in lock.varying:
        item = lock.objects[one.digest]
        found[item.key, one.attribute].append(
            Wording(item.get(one.attribute), one.other, is_exact=False)
        )
    for spelt in lock.spellings:
        item = lock.objects[spelt.digest]
        found[item.key, spelt.attribute] += [
            Wording(item.get(spelt.attribute), other, is_exact=True) for other in spelt.others
        ]
    for item in lock.objects.values():  # what the lock says itself means nothing else
        for name in item.attributes:
            if (item.key, name) in found:
                own = item.get(name)
                found[item.key, name].append(Wording(own, own, is_exact=True))
    return dict(found)


def word(variation: Variation) -> Wordings:
    """The typical values of what no two runs agree in."""
    return {
        place: [Wording(*pair, is_exact=False) for pair in pairs]
        for place, pairs in variation.values.items()
    }


def settle(schema: Snapshot, wordings: Wordings) -> tuple[Snapshot, tuple[Note, ...]]:
    """The schema in the words of the lock, and a note for each value that it had in others."""
    changed: dict[ObjectKey, SchemaObject] = {}
    notes: list[Note] = []
    for (key, name), known in wordings.items():
        item = changed.get(key) or schema.by_key.get(key)
        found = _find_wording(item.get(name), known) if item else None
        if item is None or found is None:
            continue
        changed[key] = SchemaObject(key=key, attributes={**item.attributes, name: found.locked})
        note = note_spelling(key, name) if found.is_exact else note_unstable(key, [name])
        notes.append(note)
    if not changed:
        return schema, ()
    return schema.swap(make_snapshot(changed.values()).by_key), tuple(notes)


def _find_wording(live: Value, known: Sequence[Wording]) -> Wording | None:
    """The one that stands for a value, where only one does, and the value is none of the lock."""
    if any(one.locked == live for one in known):
        return None
    found = {repr(one.locked): one for one in known if one.admits(live)}
    return next(iter(found.values())) if len(found) == 1 else None


class Respelt(NamedTuple):
    """A value, and how another server writes it."""

    place: Place
    locked: Value
    other: Value


def find_spellings(first: Sequence[Snapshot], other: Sequence[Snapshot]) -> Iterator[Respelt]:
    """Every value that a run on another server left in other words.

    Args:
        first: the schema before the first revision, and after each.
        other: the same on the other server.
    """
    for one, theirs in list_changed(first, other):
        for change in diff(one, theirs).changes:
            if change.change != "altered":
                continue
            for evidence in change.attributes:
                if evidence.name != "name":
                    place = change.key, evidence.name
                    yield Respelt(place, evidence.expected, evidence.actual)


def add_spellings(lock: Lock, majors: Iterable[int], found: Iterable[Respelt]) -> Lock:
    """The lock with what servers of other versions write."""
    known: dict[Place, list[Respelt]] = defaultdict(list)
    for one in found:
        if one not in known[one.place]:
            known[one.place].append(one)
    spellings = []
    for digest, item in lock.objects.items():
        for name in sorted(item.attributes):
            value = item.get(name)
            others = [one.other for one in known[item.key, name] if one.locked == value]
            if others:
                spellings.append(Spelling(digest, name, tuple(sorted(others, key=repr))))
    return msgspec.structs.replace(
        lock, spelt_on=tuple(sorted(majors)), spellings=tuple(spellings)
    )
