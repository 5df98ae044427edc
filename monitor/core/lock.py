"""What every revision of a history changes.

A lock is a base, and a delta for each revision in the order in which they were built: each
object before and after, by its digest. The schema of any set of revisions follows from it,
see `lock_states`.
"""

import hashlib
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Final

import msgspec

from monitor.core.history import History, Revision, make_history
from monitor.core.keys import ObjectKey
from monitor.core.kinds import KINDS, Value
from monitor.core.snapshot import SchemaObject

type Pair = tuple[str | None, str | None]
"""The digests of one object before and after; None where it is not there."""

ORDER: Final = "column_order"
DIGEST_LENGTH: Final = 16
"""Hexadecimal digits: 64 bits, for the thousands of objects of one history."""


class Statement(msgspec.Struct, frozen=True):
    """One statement that a revision ran.

    Attributes:
        sql: its text; parameters, which may hold rows, are not kept.
        is_transactional: whether it is undone when the revision fails.
    """

    sql: str
    is_transactional: bool = True


class Delta(msgspec.Struct, frozen=True):
    """What one revision changes.

    Attributes:
        pairs: each object before and after, sorted.
        otherwise: what it changed in place of some of these where other branches had not
            run before it.
        omitted: those of `pairs` that it did not change then at all.
        statements: what it ran, in order.
        steps: for a revision that can stop halfway, the pairs of each statement that
            changed something: together they are `pairs`.
        marks: how many of the statements had run after each of these.
    """

    pairs: tuple[Pair, ...] = ()
    otherwise: tuple[Pair, ...] = ()
    omitted: tuple[Pair, ...] = ()
    statements: tuple[Statement, ...] = ()
    steps: tuple[tuple[Pair, ...], ...] = ()
    marks: tuple[int, ...] = ()


class LockedRevision(msgspec.Struct, frozen=True):
    """A revision as it was when the lock was built.

    Attributes:
        revision: what its file states.
        digest: SHA-256 of its file.
        delta: what it changes; None where nobody knows, as it did not run.
    """

    revision: Revision
    digest: str
    delta: Delta | None = Delta()

    @property
    def id(self) -> str:
        """Its identifier."""
        return self.revision.id


class VersionPlace(msgspec.Struct, frozen=True):
    """Where the history keeps its version rows.

    Attributes:
        schema: the schema of the version table.
        name: its name.
        width: characters that a revision may have, None for no limit.
    """

    schema: str = "public"
    name: str = "alembic_version"
    width: int | None = 32


class Varying(msgspec.Struct, frozen=True):
    """A value that is another one each time the history runs.

    Attributes:
        digest: the object.
        attribute: which of its values; there it is a typical one, so that the same history
            gives the same lock.
        other: what another run could have made of it: what is like both is equal.
    """

    digest: str
    attribute: str
    other: Value


class Spelling(msgspec.Struct, frozen=True):
    """How servers of other versions write a value that means the same.

    Attributes:
        digest: the object.
        attribute: which of its values.
        others: what else is written for it, sorted.
    """

    digest: str
    attribute: str
    others: tuple[Value, ...]


class Lock(msgspec.Struct, frozen=True, dict=True):
    """The history of one application and what every revision of it does.

    Attributes:
        server_version: of the server that it was built on, as ``server_version_num``.
        spelt_on: major versions of the other servers whose spellings it knows.
        place: the version table.
        base: digests of what was there before the first revision, sorted.
        start: revisions that are in the base: what each of them does is not known.
        revisions: in the order in which they were built.
        turned: the order in which they were built the second time, as far as they were.
        objects: every object of the base and the deltas, by digest.
        retired: revisions of earlier locks whose files are gone, by id.
        editions: what revisions did before their files were edited, the oldest first.
        stopped_at: the revision that did not replay, and why; None where all did.
        varying: the values that no two runs agree in.
        fleeting: objects whose names no two runs agree in: each of this one, and of another.
        spellings: the values that other servers write in other words.
    """

    server_version: int
    place: VersionPlace
    base: tuple[str, ...]
    revisions: tuple[LockedRevision, ...]
    objects: Mapping[str, SchemaObject]
    turned: tuple[str, ...] = ()
    retired: tuple[LockedRevision, ...] = ()
    editions: tuple[LockedRevision, ...] = ()
    stopped_at: tuple[str, str] | None = None
    varying: tuple[Varying, ...] = ()
    fleeting: tuple[Pair, ...] = ()
    start: tuple[str, ...] = ()
    spelt_on: tuple[int, ...] = ()
    spellings: tuple[Spelling, ...] = ()

    @cached_property
    def history(self) -> History:
        """The graph of the revisions."""
        return make_history(one.revision for one in self.revisions)

    @cached_property
    def by_id(self) -> Mapping[str, LockedRevision]:
        """Every revision under its id."""
        return {one.id: one for one in self.revisions}

    def find_unbuilt(self, revisions: AbstractSet[str]) -> str | None:
        """The first of some revisions of which it does not know what it does.

        What is in the base is known as a whole: where a part of it is missing, the first of
        the others is told.
        """
        begun = frozenset(self.start)
        if begun and not begun <= revisions:
            return next((name for name in self.start if name in revisions), self.start[0])
        for one in self.revisions:
            if one.id in revisions and one.delta is None and one.id not in begun:
                return one.id
        return None

    @cached_property
    def fleeting_keys(self) -> frozenset[ObjectKey]:
        """The objects of this lock that have another name at each run: they prove nothing."""
        return frozenset(self.objects[ours].key for ours, _ in self.fleeting if ours is not None)

    def list_spoken(self) -> set[str]:
        """The digest of every object that the base or a delta names."""
        spoken = set(self.base)
        spoken.update(digest for pair in self.fleeting for digest in pair if digest is not None)
        for one in (*self.revisions, *self.retired, *self.editions):
            delta = one.delta or Delta()
            steps = (pair for step in delta.steps for pair in step)
            for pair in (*delta.pairs, *delta.otherwise, *steps):
                spoken.update(digest for digest in pair if digest is not None)
        return spoken

    def make_objects(self, revisions: AbstractSet[str]) -> dict[ObjectKey, SchemaObject]:
        """What these revisions make, in the order in which the lock has them."""
        objects = {self.objects[digest].key: self.objects[digest] for digest in self.base}
        for one in self.revisions:
            if one.id in revisions and one.delta is not None:
                self.apply(objects, one.delta.pairs)
        return objects

    def apply(self, objects: dict[ObjectKey, SchemaObject], pairs: Iterable[Pair]) -> None:
        """Change ``objects`` as a delta does."""
        for pair in pairs:
            key = self.find_key(pair)
            result = merge(objects.get(key), *self.resolve(pair))
            if result is None:
                objects.pop(key, None)
            else:
                objects[key] = result

    def resolve(self, pair: Pair) -> tuple[SchemaObject | None, SchemaObject | None]:
        """The object before and after."""
        before, after = pair
        return self.objects.get(before or ""), self.objects.get(after or "")

    def find_key(self, pair: Pair) -> ObjectKey:
        """The object that a pair is about."""
        return self.objects[pair[1] or pair[0] or ""].key


def merge(
    current: SchemaObject | None, before: SchemaObject | None, after: SchemaObject | None
) -> SchemaObject | None:
    """What a delta makes of an object that may not be as it was when the delta was taken."""
    if current == before or before is None or after is None:
        return after
    if current is None:
        return None
    attributes = dict(current.attributes)
    for name in before.attributes.keys() | after.attributes.keys():
        if before.get(name) == after.get(name):
            continue
        attributes[name] = after.get(name)
        if name == ORDER:
            attributes[name] = _edit(current.get(name), before.get(name), after.get(name))
    default = {name: spec.default for name, spec in KINDS[current.key.kind].items()}
    kept = {name: value for name, value in attributes.items() if value != default[name]}
    return SchemaObject(key=current.key, attributes=kept)


def _edit(current: Value, before: Value, after: Value) -> Value:
    """The columns, without those that went and with those that came, at the end as always."""
    if not (isinstance(current, list) and isinstance(before, list) and isinstance(after, list)):
        return after
    kept = [one for one in current if one not in before or one in after]
    return [*kept, *(one for one in after if one not in before and one not in kept)]


def digest_object(item: SchemaObject) -> str:
    """What an object is, in a word: the same for the same key and attributes."""
    content = _ENCODER.encode((item.key, item.attributes))
    return hashlib.sha256(content).hexdigest()[:DIGEST_LENGTH]


_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
