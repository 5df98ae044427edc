"""Objects that the order of revisions decides.

What a revision found done already is not in its delta. So a history with branches is built
twice, the second time with its branches the other way round, and what a revision changed
then and not before is kept beside its delta: it touches these objects as well. Where two
revisions did not run in both orders, nobody knows what one does to what the other touches.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import combinations
from typing import Final, NamedTuple

from monitor.core.keys import ObjectKey
from monitor.core.kinds import KINDS
from monitor.core.lock import Delta, Lock
from monitor.core.snapshot import SchemaObject

EXISTENCE: Final = ""
"""Stands for being there at all, beside the names of attributes."""


class Collision(NamedTuple):
    """Two revisions, neither an ancestor of the other, that an object depends on.

    Attributes:
        key: the object.
        earlier: the one that was built first.
        later: the other, whose delta was taken where the earlier one was there already.
        is_alone: whether the object is not known where only the later one ran.
        is_together: whether it is not known where both ran, and nothing that follows both.
        settled_by: what follows both.
    """

    key: ObjectKey
    earlier: str
    later: str
    is_alone: bool
    is_together: bool
    settled_by: frozenset[str]

    def holds(self, revisions: AbstractSet[str]) -> bool:
        """Whether the object is not known at a set of revisions."""
        if self.later not in revisions:
            return False
        if self.earlier not in revisions:
            return self.is_alone
        return self.is_together and self.settled_by.isdisjoint(revisions)


def list_touches(lock: Lock, revision: str) -> dict[ObjectKey, frozenset[str]]:
    """The attributes that a revision changes of each object, but for notes; `EXISTENCE` is one."""
    found: dict[ObjectKey, frozenset[str]] = {}
    delta = lock.by_id[revision].delta or Delta()
    for pair in (*delta.pairs, *delta.otherwise):
        names = frozenset(_list_attributes(*lock.resolve(pair)))
        if names:
            key = lock.find_key(pair)
            found[key] = names | found.get(key, frozenset())
    return found


def _list_attributes(before: SchemaObject | None, after: SchemaObject | None) -> Iterator[str]:
    """The attributes that differ, or `EXISTENCE`; none where only a note does."""
    if before is None or after is None:
        yield EXISTENCE
        return
    spec = KINDS[after.key.kind]
    for name in before.attributes.keys() | after.attributes.keys():
        if before.get(name) != after.get(name) and not spec[name].is_note:
            yield name


class _Touch(NamedTuple):
    """What one revision does to one object."""

    revision: str
    attributes: frozenset[str]


def find_collisions(lock: Lock) -> Iterator[Collision]:
    """Every object that the order of revisions decides, with the two that do."""
    ancestors = {one.id: lock.history.ancestors((one.id,)) for one in lock.revisions}
    touches: dict[ObjectKey, list[_Touch]] = defaultdict(list)
    for one in lock.revisions:
        for key, names in list_touches(lock, one.id).items():
            touches[key].append(_Touch(one.id, names))
    places = [
        {name: place for place, name in enumerate(order)}
        for order in ([one.id for one in lock.revisions if one.delta is not None], lock.turned)
    ]
    after = _list_after(ancestors)
    rivals: dict[tuple[str, str], bool] = {}
    for key, found in sorted(touches.items(), key=lambda entry: entry[0].order):
        together = [*found, *_presume(found, ancestors, places)]
        together.sort(key=lambda touch: places[0][touch.revision])
        for earlier, later in combinations(together, 2):
            if earlier.revision in ancestors[later.revision] or not _collide(earlier, later):
                continue
            pair = earlier.revision, later.revision
            settled_by = frozenset(after[pair[0]] & after[pair[1]])
            yield Collision(key, *pair, True, True, settled_by)
            rivals[pair] = rivals.get(pair, False) or EXISTENCE in later.attributes
    for pair, is_remade in sorted(rivals.items()):
        settled_by = frozenset(after[pair[0]] & after[pair[1]])
        yield from _find_consequences(lock, pair, settled_by, is_remade=is_remade)


def _find_consequences(
    lock: Lock, rivals: tuple[str, str], after: frozenset[str], *, is_remade: bool
) -> Iterator[Collision]:
    """Objects that one of two rivals makes of what the other one touched."""
    earlier, later = (lock.by_id[name].delta or Delta() for name in rivals)
    # Where the later one came first, and the earlier one then did not run, there is one order.
    is_together = rivals[0] in lock.turned or rivals[1] not in lock.turned
    for delta, is_alone in ((earlier, False), (later, True)):
        for one in sorted(
            {lock.find_key(p) for p in (*delta.otherwise, *delta.omitted)}, key=_order
        ):
            yield Collision(one, *rivals, is_alone, is_together, after)
    if is_remade:  # what made away with an object may have made it anew under another name
        for one in sorted({lock.find_key(p) for p in later.pairs if p[0] is None}, key=_order):
            yield Collision(one, *rivals, True, False, after)


def _order(key: ObjectKey) -> tuple[str, ...]:
    return key.order


def _presume(
    found: Sequence[_Touch],
    ancestors: Mapping[str, frozenset[str]],
    orders: Sequence[Mapping[str, int]],
) -> Iterator[_Touch]:
    """Touches of an object that nobody could have seen.

    That a revision leaves an object alone is seen where it runs before all of another branch
    that touches it, and where it runs after them. What a revision sets to what it is already in
    its own branch, or makes anew just as it was, shows in neither.
    """
    known = {touch.revision for touch in found}
    for name in orders[0].keys() - known:
        rivals = [
            touch
            for touch in found
            if name not in ancestors[touch.revision] and touch.revision not in ancestors[name]
        ]
        names = [touch.revision for touch in rivals]
        # What does not run in an order did not leave alone what it would find there.
        before = [
            [one for one in names if one in order and order[one] < order.get(name, len(order))]
            for order in orders
        ]
        was_first = any(not some for some in before)
        followed = {one for some in before for one in some}
        doubtful = [t for t in rivals if not was_first or t.revision not in followed]
        if doubtful:
            yield _Touch(name, frozenset(n for touch in doubtful for n in touch.attributes))


def _collide(one: _Touch, other: _Touch) -> bool:
    return EXISTENCE in one.attributes | other.attributes or bool(
        one.attributes & other.attributes
    )


def _list_after(ancestors: Mapping[str, frozenset[str]]) -> Mapping[str, AbstractSet[str]]:
    """Each revision with all that follows it."""
    after: dict[str, set[str]] = defaultdict(set)
    for name, before in ancestors.items():
        for one in before:
            after[one].add(name)
    return after
