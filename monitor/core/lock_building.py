"""A lock from a history that was built: the schema after every revision becomes a delta."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import msgspec

from monitor.core.history import Revision
from monitor.core.keys import ObjectKey
from monitor.core.kinds import Value
from monitor.core.lock import (
    Delta,
    Lock,
    LockedRevision,
    Pair,
    Statement,
    Varying,
    VersionPlace,
    digest_object,
)
from monitor.core.lock_varying import Variation, list_set, settle_statements
from monitor.core.lock_wording import Wordings, settle
from monitor.core.snapshot import SchemaObject, Snapshot

_NO_VARIATION: Final = Variation()


class Built(NamedTuple):
    """A revision that ran, and the schema after it.

    Attributes:
        revision: what its file states.
        digest: SHA-256 of its file.
        schema: all objects after it.
        statements: what it ran.
        steps: all objects after each statement that was not undone with the others.
        marks: how many of the statements had run by then.
    """

    revision: Revision
    digest: str
    schema: Snapshot
    statements: tuple[Statement, ...] = ()
    steps: tuple[Snapshot, ...] = ()
    marks: tuple[int, ...] = ()


def settle_built(built: Iterable[Built], wordings: Wordings) -> Iterator[Built]:
    """The revisions, with typical values where no two runs agree."""
    for one in built:
        steps = tuple(settle(step, wordings)[0] for step in one.steps)
        yield one._replace(schema=settle(one.schema, wordings)[0], steps=steps)


def settle_runs(built: Iterable[Built], *others: Iterable[Built]) -> Iterator[Built]:
    """The revisions, with typical statements where another run ran others."""
    said = [{one.revision.id: one.statements for one in other} for other in others]
    for one in built:
        statements = one.statements
        for other in said:
            theirs = other.get(one.revision.id, statements)
            statements = settle_statements(statements, theirs)
        yield one._replace(statements=statements)


def make_lock(  # noqa: PLR0913  # the parts of a lock, by name
    base: Snapshot,
    built: Sequence[Built],
    *,
    otherwise: Sequence[Built] = (),
    place: VersionPlace,
    server_version: int,
    start: Sequence[LockedRevision] = (),
    unbuilt: Sequence[LockedRevision] = (),
    stopped_at: tuple[str, str] | None = None,
    variation: Variation = _NO_VARIATION,
) -> Lock:
    """The lock of a history that was built.

    Args:
        base: what was there before the first revision.
        built: the revisions, in the order in which they ran.
        otherwise: the same, or the first of them, with their branches the other way round.
        place: the version table.
        server_version: of the server that it was built on.
        start: the revisions that are in the base.
        unbuilt: the revisions that did not run.
        stopped_at: the revision that did not replay, and why.
        variation: what no two runs agree in; the schemas have typical values there.
    """
    store = _Store()
    elsewhere = {
        one.revision.id: store.compare(before, one.schema)
        for before, one in _with_before(base, otherwise)
    }
    revisions = []
    for before, one in _with_before(base, built):
        pairs = store.compare(before, one.schema)
        instead, omitted = store.tell_apart(pairs, elsewhere.get(one.revision.id, pairs))
        steps, marks = store.compare_steps(before, one)
        delta = Delta(
            pairs=pairs,
            otherwise=instead,
            omitted=omitted,
            statements=one.statements,
            steps=steps,
            marks=marks,
        )
        revisions.append(LockedRevision(revision=one.revision, digest=one.digest, delta=delta))
    lock = Lock(
        server_version=server_version,
        place=place,
        base=tuple(sorted(store.keep(item) for item in base.objects)),
        revisions=(*start, *revisions, *unbuilt),
        start=tuple(one.id for one in start),
        objects=store.objects,
        turned=tuple(one.revision.id for one in otherwise),
        stopped_at=stopped_at,
        fleeting=(
            *((store.keep(item), None) for item in _sort(variation.ours)),
            *((None, store.keep(item)) for item in _sort(variation.theirs)),
        ),
    )
    return _add_varying(tidy_lock(lock), variation)


def _sort(objects: Mapping[ObjectKey, SchemaObject]) -> list[SchemaObject]:
    return [objects[key] for key in sorted(objects, key=lambda key: key.order)]


def _add_varying(lock: Lock, variation: Variation) -> Lock:
    """The lock with what else the values of its objects could have been."""
    values = defaultdict[ObjectKey, list[tuple[str, Value, Value]]](list)
    for (key, name), pairs in variation.values.items():
        values[key] += ((name, *pair) for pair in pairs)
    return msgspec.structs.replace(
        lock,
        varying=tuple(
            Varying(digest, name, other)
            for digest, item in lock.objects.items()
            for name, typical, other in values.get(item.key, ())
            if item.get(name) == typical
        ),
    )


def _with_before(base: Snapshot, built: Iterable[Built]) -> Iterator[tuple[Snapshot, Built]]:
    """Each revision with the schema that it found."""
    current = base
    for one in built:
        yield current, one
        current = one.schema


def tidy_lock(lock: Lock) -> Lock:
    """The lock with the objects that it speaks of, sorted, and no others."""
    objects = {digest: lock.objects[digest] for digest in sorted(lock.list_spoken())}
    return msgspec.structs.replace(lock, objects=objects)


MOST_EDITIONS: Final = 5
"""Of one revision: who edits one that nobody has run builds a lock each time."""


def succeed(lock: Lock, former: Lock | None) -> Lock:
    """The lock, with what an older one of the same application knows and it does not.

    That is the revisions whose files are gone, and what others did before they were edited.
    """
    if former is None:
        return lock
    known = (*former.retired, *former.editions, *former.revisions)
    gone = {one.id: one for one in known if one.id not in lock.by_id and one.delta is not None}
    objects = {**former.objects, **lock.objects}
    succeeding = msgspec.structs.replace(
        lock,
        retired=tuple(gone[name] for name in sorted(gone)),
        editions=tuple(_list_editions(lock, former, (*former.editions, *former.revisions))),
        objects=objects,
    )
    return tidy_lock(succeeding)


def _list_editions(
    lock: Lock, former: Lock, known: Iterable[LockedRevision]
) -> Iterator[LockedRevision]:
    """What was done by revisions that do another thing now, sorted by revision."""
    editions: dict[str, dict[str, LockedRevision]] = defaultdict(dict)
    for one in known:
        now = lock.by_id.get(one.id)
        if now is None or one.delta is None or now.delta is None or one.digest == now.digest:
            continue
        if _list_effects(former, one.delta) != _list_effects(lock, now.delta):
            editions[one.id].pop(one.digest, None)  # the last time counts
            editions[one.id][one.digest] = one
    for name in sorted(editions):
        yield from [*editions[name].values()][-MOST_EDITIONS:]


def _list_effects(lock: Lock, delta: Delta) -> dict[ObjectKey, dict[str, Value] | None]:
    """What a revision makes of each object, whatever that was before; None where it goes."""
    effects: dict[ObjectKey, dict[str, Value] | None] = {}
    for pair in delta.pairs:
        before, after = lock.resolve(pair)
        effects[lock.find_key(pair)] = None if after is None else list_set(before, after)
    return effects


class _Store:
    """Objects by what they are."""

    def __init__(self) -> None:
        self.objects: dict[str, SchemaObject] = {}

    def keep(self, item: SchemaObject) -> str:
        digest = digest_object(item)
        self.objects[digest] = item
        return digest

    def compare(self, before: Snapshot, after: Snapshot) -> tuple[Pair, ...]:
        """Every object that is not the same on both sides, sorted by key."""
        keys = {
            key
            for key in before.by_key.keys() | after.by_key.keys()
            if before.by_key.get(key) != after.by_key.get(key)
        }
        return tuple(
            (self._keep(before.by_key.get(key)), self._keep(after.by_key.get(key)))
            for key in sorted(keys, key=lambda key: key.order)
        )

    def compare_steps(
        self, before: Snapshot, one: Built
    ) -> tuple[tuple[tuple[Pair, ...], ...], tuple[int, ...]]:
        """What each step of a revision changes, and how far its statements are then."""
        if not one.steps:
            return (), ()
        schemas = pairwise((before, *one.steps, one.schema))
        marks = (*one.marks, len(one.statements))
        steps = zip((self.compare(*two) for two in schemas), marks, strict=True)
        told = [(step, mark) for step, mark in steps if step]
        return tuple(step for step, _ in told), tuple(mark for _, mark in told)

    def tell_apart(
        self, pairs: tuple[Pair, ...], other: tuple[Pair, ...]
    ) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
        """What the other ones say instead of these, and these of which they say nothing."""
        spoken = {self.find_key(pair) for pair in other}
        return (
            tuple(pair for pair in other if pair not in pairs),
            tuple(pair for pair in pairs if self.find_key(pair) not in spoken),
        )

    def find_key(self, pair: Pair) -> ObjectKey:
        """The object that a pair is about."""
        return self.objects[pair[1] or pair[0] or ""].key

    def _keep(self, item: SchemaObject | None) -> str | None:
        return None if item is None else self.keep(item)
