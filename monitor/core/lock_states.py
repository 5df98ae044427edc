"""The schema that any set of a lock's revisions makes.

It is the base with the deltas of the set, in the order of the lock. Where two revisions that
are not ancestors of each other touched the same attribute, the order in which they ran
decides, and only a common descendant settles it: until then the object is marked as not
known. Nothing is guessed.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import NamedTuple

import msgspec

from monitor.core.difference import Note
from monitor.core.keys import ObjectKey
from monitor.core.lock import Lock, LockedRevision
from monitor.core.lock_disputes import Dispute, gather
from monitor.core.lock_order import Collision, find_collisions
from monitor.core.lock_varying import find_fleeting
from monitor.core.lock_wording import Wordings, read_wordings, settle
from monitor.core.snapshot import SchemaObject, ServerFacts, Snapshot, make_snapshot
from monitor.core.unstable import Unstable


class Fold(NamedTuple):
    """The schema that a set of revisions promises.

    Attributes:
        objects: what is known of it.
        unknown: objects that the order of the revisions decides.
    """

    objects: Mapping[ObjectKey, SchemaObject]
    unknown: frozenset[ObjectKey]


class States:
    """The schemas of one lock."""

    def __init__(self, lock: Lock) -> None:
        self.lock = lock

    @cached_property
    def collisions(self) -> tuple[Collision, ...]:
        """Every object that the order of revisions decides, with the two that do."""
        return tuple(find_collisions(self.lock))

    @cached_property
    def _disputes(self) -> Mapping[ObjectKey, Dispute]:
        return gather(self.collisions)

    @cached_property
    def wordings(self) -> Wordings:
        """What stands for values of the lock elsewhere."""
        return read_wordings(self.lock)

    def settle(self, schema: Snapshot) -> tuple[Snapshot, tuple[Note, ...]]:
        """A schema as the lock words it, and a note for each value that it words otherwise."""
        return settle(schema, self.wordings)

    def find_fleeting(self, schema: Snapshot) -> Unstable:
        """The objects of a schema of this lock that have another name at each run."""
        return find_fleeting(self.lock, schema)

    def use_editions(self, editions: Iterable[LockedRevision]) -> "States":
        """The same history, with what some revisions did before they were edited."""
        chosen = {one.id: one for one in editions}
        if not chosen:
            return self
        revisions = tuple(chosen.get(one.id, one) for one in self.lock.revisions)
        return States(msgspec.structs.replace(self.lock, revisions=revisions))

    def fold(self, revisions: AbstractSet[str]) -> Fold:
        """The schema that these revisions make.

        Args:
            revisions: any of the lock; with all their ancestors for a schema that can be.
        """
        return Fold(self.lock.make_objects(revisions), self.find_unknown(revisions))

    def find_unknown(self, revisions: AbstractSet[str]) -> frozenset[ObjectKey]:
        """The objects that the order of the revisions decides."""
        return frozenset(key for key, one in self._disputes.items() if one.holds(revisions))

    def make_snapshot(self, revisions: AbstractSet[str]) -> Snapshot:
        """What these revisions make, as it was built; without objects that are not known."""
        fold = self.fold(revisions)
        return make_snapshot(
            (item for key, item in fold.objects.items() if key not in fold.unknown),
            server=ServerFacts(version_num=self.lock.server_version, database="", owner=""),
            builder="",
        )
