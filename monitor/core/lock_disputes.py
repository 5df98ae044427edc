"""What the order of revisions decides, by object: the same as its collisions one by one.

Siblings that all touch one object collide two by two, and a diagnosis asks of every one of
them. So what is asked is put together: each question takes as long as an object has revisions.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from monitor.core.keys import ObjectKey
from monitor.core.lock_order import Collision

type Earlier = Mapping[str, frozenset[str]]
"""Of each later revision those that were built before it."""


class Dispute(NamedTuple):
    """All collisions of one object.

    Attributes:
        alone: those that hold where only the later one ran.
        together: those that hold where both ran, by what settles them.
        earlier: every earlier one of the former.
    """

    alone: Earlier
    together: Mapping[frozenset[str], Earlier]
    earlier: frozenset[str]

    def holds(self, revisions: AbstractSet[str]) -> bool:
        """Whether the object is not known at a set of revisions."""
        missing = self.earlier - revisions
        if missing and _has_pair(self.alone, revisions, missing):
            return True
        return any(
            settled_by.isdisjoint(revisions) and _has_pair(rivals, revisions, revisions)
            for settled_by, rivals in self.together.items()
        )


def _has_pair(rivals: Earlier, revisions: AbstractSet[str], others: AbstractSet[str]) -> bool:
    """Whether one of the revisions is later than one of the others."""
    return any(
        later in revisions and not earlier.isdisjoint(others) for later, earlier in rivals.items()
    )


def gather(collisions: Iterable[Collision]) -> dict[ObjectKey, Dispute]:
    """The collisions of every object that has some."""
    by_key: dict[ObjectKey, list[Collision]] = defaultdict(list)
    for one in collisions:
        by_key[one.key].append(one)
    return {key: _join(some) for key, some in by_key.items()}


def _join(collisions: Iterable[Collision]) -> Dispute:
    alone: dict[str, set[str]] = defaultdict(set)
    together: dict[frozenset[str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for one in collisions:
        if one.is_alone:
            alone[one.later].add(one.earlier)
        if one.is_together:
            together[one.settled_by][one.later].add(one.earlier)
    return Dispute(
        alone=_freeze(alone),
        together={settled_by: _freeze(rivals) for settled_by, rivals in together.items()},
        earlier=frozenset().union(*alone.values()),
    )


def _freeze(rivals: Mapping[str, set[str]]) -> Earlier:
    return {later: frozenset(earlier) for later, earlier in rivals.items()}
