"""Which revisions of a lock a schema has: the smallest departure from what the stamp claims.

A revision is missing where everything that it changes is as it was without it, and there
beyond the stamp where everything is as it would be with it. A revision of which only a part
is there explains nothing, but for the first statements of one that can stop halfway. What no
revision explains is left. Where revisions change nothing that can be seen, nobody knows.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import KINDS, Value
from monitor.core.lock import Pair, merge
from monitor.core.lock_order import list_touches
from monitor.core.lock_states import States
from monitor.core.snapshot import SchemaObject
from monitor.core.spelling import are_synonyms, may_be_synonyms

ROUNDS: Final = 4
"""One revision may hide another one; deeper than this nothing is explained any more."""
STARTS: Final = 4
"""From how many sets the departure is sought, beside what is claimed."""

type Objects = Mapping[ObjectKey, SchemaObject]


class Half(NamedTuple):
    """A revision that stopped on its way.

    Attributes:
        revision: its id.
        done: how many of its steps are there.
        steps: how many it has.
    """

    revision: str
    done: int
    steps: int


class Explanation(NamedTuple):
    """What a schema has, beside what its stamp claims.

    Attributes:
        present: every revision that it is taken to have.
        missing: those of the stamp that it does not have, in the order of the lock.
        extra: those that it has beyond the stamp, in the order of the lock.
        half: one that stopped on its way.
        seen: revisions of which something can be seen that no other one explains.
        alternatives: other explanations that cost as much.
    """

    present: frozenset[str]
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    half: Half | None = None
    seen: frozenset[str] = frozenset()
    alternatives: tuple["Alternative", ...] = ()


class Alternative(NamedTuple):
    """Another explanation: other revisions, or one of them changed by hand.

    Attributes:
        missing: revisions of the stamp that are not there.
        extra: revisions that are there beyond the stamp.
        instead_of: the one revision that this is told instead of, with all others as they are.
        by_hand: the object that somebody changed, which is all that it changes.
    """

    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    instead_of: str | None = None
    by_hand: ObjectKey | None = None


def explain(states: States, claimed: AbstractSet[str], live: Objects) -> Explanation:
    """The smallest departure from what is claimed that explains what is there.

    Args:
        states: of the lock.
        claimed: the stamped revisions with all their ancestors.
        live: the objects that are compared.
    """
    evidence = _Evidence(states, live)
    if evidence.is_whole(claimed):
        return Explanation(frozenset(claimed), seen=evidence.list_seen(claimed))
    best, *others = _choose_best(evidence, claimed)
    told = [_tell_departure(evidence, claimed, one) for one in (best, *others)]
    missing, extra = told[0]
    return Explanation(
        present=best.present,
        missing=missing,
        extra=extra,
        half=best.half,
        seen=evidence.list_seen(best.present),
        alternatives=(
            *(Alternative(*one) for one in dict.fromkeys(told) if one != told[0]),
            *_list_by_hand(evidence, best.present, (*missing, *extra)),
        ),
    )


def _choose_best(evidence: "_Evidence", claimed: AbstractSet[str]) -> list["_Departed"]:
    """The departures that leave nothing unexplained, or else cost least.

    A revision more or less costs as much as an object that is wrong, where any is claimed.
    """
    found = [*dict.fromkeys(_depart(evidence, one) for one in _choose_starts(evidence, claimed))]
    costs = []
    for one in found:
        revisions = sum(map(len, _tell_departure(evidence, claimed, one))) + bool(one.half)
        wrong = 0 if one.half else evidence.count_wrong(one.present)
        costs.append(((wrong > 0, wrong + revisions * bool(claimed)), revisions))
    least, _ = min(costs)
    ranked = sorted(zip(costs, found, strict=True), key=lambda pair: pair[0])
    return [one for (cost, _), one in ranked if cost == least]


class _Departed(NamedTuple):
    """A set that nothing more can be taken from or added to."""

    present: frozenset[str]
    half: Half | None


def _depart(evidence: "_Evidence", start: AbstractSet[str]) -> _Departed:
    """Take away what is lacking and add what is there; and the one that stopped halfway."""
    present, half = set(start), None
    for _ in range(ROUNDS):
        before = frozenset(present)
        for name in reversed(evidence.order):
            if name in present and evidence.lacks(present, name):
                present.discard(name)
        for name in evidence.order:
            if name not in present and evidence.has(present, name):
                present.add(name)
        half = half or evidence.find_half(present)
        if before == present:
            break
    if half is not None:
        present.discard(half.revision)
    return _Departed(frozenset(present), half)


def _tell_departure(
    evidence: "_Evidence", claimed: AbstractSet[str], departed: _Departed
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The revisions that are missing and those that are extra, as far as they show."""
    present, half = departed
    half_one = half.revision if half else None
    showing = [name for name in evidence.order if evidence.touches(name) and name != half_one]
    return (
        tuple(name for name in showing if name in claimed and name not in present),
        tuple(name for name in showing if name in present and name not in claimed),
    )


def _choose_starts(evidence: "_Evidence", claimed: AbstractSet[str]) -> list[AbstractSet[str]]:
    """What is claimed, and those of the sets one cut or one upgrade away that fit best.

    What one revision makes and a later one changes shows neither of them by itself.
    """
    sets = {frozenset(claimed): None}
    for name in evidence.order:
        sets |= {
            frozenset(claimed - evidence.below(name)): None,
            frozenset(claimed | evidence.above(name)): None,
        }
    ranked = sorted(sets, key=lambda some: (evidence.count_wrong(some), len(some ^ claimed)))
    return [*dict.fromkeys((frozenset(claimed), *ranked[:STARTS]))]


class _Step(NamedTuple):
    """What one revision does to one object."""

    revision: str
    before: SchemaObject | None
    after: SchemaObject | None


class _Evidence:
    """What is there, against what every set of revisions makes of it."""

    def __init__(self, states: States, live: Objects) -> None:
        lock = states.lock
        self._states = states
        self._live = live
        self._base = {lock.objects[digest].key: lock.objects[digest] for digest in lock.base}
        self._chains: dict[ObjectKey, list[_Step]] = defaultdict(list)
        self._touched: dict[str, list[ObjectKey]] = {}
        self.order: list[str] = []
        for one in lock.revisions:
            if one.delta is None:
                continue
            self.order.append(one.id)
            self._touched[one.id] = [*list_touches(lock, one.id)]
            for pair in one.delta.pairs:
                self._chains[lock.find_key(pair)].append(_Step(one.id, *lock.resolve(pair)))
        self._below: dict[str, set[str]] = defaultdict(set)
        for name in self.order:
            for before in self.above(name):
                self._below[before].add(name)

    def make(self, key: ObjectKey, present: AbstractSet[str]) -> SchemaObject | None:
        """What a set of revisions makes of an object."""
        current = self._base.get(key)
        for step in self._chains.get(key, ()):
            if step.revision in present:
                current = merge(current, step.before, step.after)
        return current

    def above(self, name: str) -> frozenset[str]:
        """A revision with all that comes before it."""
        return self._states.lock.history.ancestors((name,))

    def below(self, name: str) -> AbstractSet[str]:
        """A revision with all that comes after it."""
        return self._below[name]

    def touches(self, name: str) -> bool:
        """Whether a revision changes anything that could be seen."""
        return bool(self._touched[name])

    def count_wrong(self, present: AbstractSet[str]) -> int:
        """How many objects that revisions touched are not as these make them."""
        unknown = self._find_unknown(present)
        return sum(
            not self._is_there(key, self.make(key, present))
            for key in self._chains
            if key not in unknown
        )

    def is_whole(self, present: AbstractSet[str]) -> bool:
        """Whether everything that revisions ever touched is as these make it."""
        return all(self._is_there(key, self.make(key, present)) for key in self._chains)

    def lacks(self, present: AbstractSet[str], name: str) -> bool:
        """Whether everything that a revision changes is as it was without it."""
        return self._agrees(present - {name}, present, name)

    def has(self, present: AbstractSet[str], name: str) -> bool:
        """Whether everything that a revision changes is as it is with it."""
        return self._agrees(present | {name}, present, name)

    def list_effects(
        self, one: AbstractSet[str], other: AbstractSet[str], name: str
    ) -> Iterator[tuple[ObjectKey, SchemaObject | None, SchemaObject | None]]:
        """The objects of a revision that two sets make in two ways, as each makes them."""
        unknown = self._find_unknown(one) | self._find_unknown(other)
        for key in self._touched[name]:
            ours, theirs = self.make(key, one), self.make(key, other)
            if key not in unknown and not is_alike(ours, theirs):
                yield key, ours, theirs

    def _agrees(self, wanted: AbstractSet[str], other: AbstractSet[str], name: str) -> bool:
        effects = [*self.list_effects(wanted, other, name)]
        return bool(effects) and all(self._is_there(key, item) for key, item, _ in effects)

    def _is_there(self, key: ObjectKey, item: SchemaObject | None) -> bool:
        return is_alike(self._live.get(key), item)

    def _find_unknown(self, present: AbstractSet[str]) -> frozenset[ObjectKey]:
        hits = self._states.collisions
        return frozenset(hit.key for hit in hits if hit.holds(present)) if hits else frozenset()

    def list_seen(self, present: AbstractSet[str]) -> frozenset[str]:
        """The revisions of which something is there that would not be without them."""
        return frozenset(
            name
            for name in self.order
            if name in present
            and any(
                self._is_there(key, item)
                for key, item, _ in self.list_effects(present, present - {name}, name)
            )
        )

    def find_half(self, present: AbstractSet[str]) -> Half | None:
        """A revision of which the first steps are there, and none of the others."""
        for one in self._states.lock.revisions:
            steps = one.delta.steps if one.delta else ()
            for done in range(1, len(steps)):
                if self._is_stopped(present - {one.id}, steps, done):
                    return Half(one.id, done, len(steps))
        return None

    def _is_stopped(
        self,
        without: AbstractSet[str],
        steps: tuple[tuple[Pair, ...], ...],
        done: int,
    ) -> bool:
        """Whether everything is as after so many steps, and that is not nothing nor all."""
        keys = {self._states.lock.find_key(pair) for step in steps for pair in step}
        bare = {key: self.make(key, without) for key in keys}
        part = self._apply(bare, (pair for step in steps[:done] for pair in step))
        whole = self._apply(bare, (pair for step in steps for pair in step))
        is_something = any(not is_alike(bare.get(key), part.get(key)) for key in keys)
        is_all = all(is_alike(whole.get(key), part.get(key)) for key in keys)
        return (
            is_something and not is_all and all(self._is_there(key, part.get(key)) for key in keys)
        )

    def _apply(
        self, objects: Mapping[ObjectKey, SchemaObject | None], pairs: Iterable[Pair]
    ) -> dict[ObjectKey, SchemaObject | None]:
        lock, result = self._states.lock, dict(objects)
        for pair in pairs:
            key = lock.find_key(pair)
            result[key] = merge(result.get(key), *lock.resolve(pair))
        return result


def is_alike(one: SchemaObject | None, other: SchemaObject | None) -> bool:
    """Whether two objects are the same, as far as one can tell without a server.

    Owners, privileges, comments and the order of columns aside: they prove no revision.
    """
    if one is None or other is None:
        return one is other
    if one.attributes == other.attributes:
        return True
    kind = one.key.kind
    spec = KINDS[kind]
    for name in one.attributes.keys() | other.attributes.keys():
        if spec[name].by_declaration or spec[name].is_note or spec[name].is_remark:
            continue
        if not _is_same(kind, name, one.get(name), other.get(name)):
            return False
    return True


def _is_same(kind: Kind, name: str, one: Value, other: Value) -> bool:
    return (
        one == other
        or are_synonyms(kind, name, one, other)
        or may_be_synonyms(kind, name, one, other)
    )


def _list_by_hand(
    evidence: _Evidence, present: AbstractSet[str], departed: tuple[str, ...]
) -> Iterator[Alternative]:
    """Where all that a revision changes is one object, somebody may have changed it by hand.

    Not where something that comes before it is gone as well.
    """
    gone = [name for name in departed if name not in present]
    for name in departed:
        if any(other != name and other in evidence.above(name) for other in gone):
            continue
        effects = [*evidence.list_effects(present | {name}, present - {name}, name)]
        if len(effects) == 1:
            yield Alternative(instead_of=name, by_hand=effects[0][0])
