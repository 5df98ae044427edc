"""What a schema shows of revisions: which of their changes are there."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from enum import Enum
from typing import NamedTuple

from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import KINDS, Value
from monitor.core.lock import Pair, merge
from monitor.core.lock_states import States
from monitor.core.snapshot import SchemaObject
from monitor.core.spelling import are_synonyms, may_be_synonyms


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


class Weight(Enum):
    """What the objects of a revision say of it.

    PROVEN where all that say something say the same; CONTRADICTED where one says otherwise.
    SILENT where none says anything, HIDDEN where it changes nothing in this place.
    """

    PROVEN = "proven"
    CONTRADICTED = "contradicted"
    SILENT = "silent"
    HIDDEN = "hidden"


type Keys = AbstractSet[ObjectKey]


class _Step(NamedTuple):
    """What one revision does to one object."""

    revision: str
    before: SchemaObject | None
    after: SchemaObject | None


class Traces:
    """What is there, against what every set of revisions makes of it.

    Args:
        states: of the lock.
        live: the objects that are compared.
    """

    def __init__(self, states: States, live: Mapping[ObjectKey, SchemaObject]) -> None:
        lock = states.lock
        self._states = states
        self._live = live
        self._base = lock.make_objects(frozenset())
        self._chains: dict[ObjectKey, list[_Step]] = defaultdict(list)
        self._touched: dict[str, list[ObjectKey]] = {}
        self.order: list[str] = []
        for one in lock.revisions:
            if one.delta is None:
                continue
            self.order.append(one.id)
            self._touched[one.id] = list_visible(states, one.id)
            for pair in one.delta.pairs:
                if (key := lock.find_key(pair)) not in lock.fleeting_keys:
                    self._chains[key].append(_Step(one.id, *lock.resolve(pair)))
            # What is there only between two steps is made by no revision, but by half of one.
            between = {lock.find_key(pair) for step in one.delta.steps for pair in step}
            for key in between - lock.fleeting_keys:
                self._chains[key] += ()
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

    def count_wrong(
        self, present: AbstractSet[str], half: Half | None = None, *, but: Keys = frozenset()
    ) -> int:
        """How many objects that revisions touched are not as these make them, and half of one.

        Args:
            present: the revisions.
            half: one that stopped on its way.
            but: objects that are left out, for nobody knows what they should be.
        """
        made = {key: self.make(key, present) for key in self._chains if key not in but}
        delta = self._states.lock.by_id[half.revision].delta if half else None
        steps = delta.steps[: half.done] if delta and half else ()
        made = self._apply(made, (pair for step in steps for pair in step))
        return sum(not self._is_there(key, item) for key, item in made.items())

    def is_whole(self, present: AbstractSet[str]) -> bool:
        """Whether everything that revisions ever touched is just as these make it."""
        return all(is_equal(self._live.get(key), self.make(key, present)) for key in self._chains)

    def lacks(self, present: AbstractSet[str], name: str) -> bool:
        """Whether everything that a revision changes is as it was without it."""
        return self.weigh(present - {name}, present | {name}, name) is Weight.PROVEN

    def has(self, present: AbstractSet[str], name: str) -> bool:
        """Whether everything that a revision changes is as it is with it."""
        return self.weigh(present | {name}, present - {name}, name) is Weight.PROVEN

    def weigh(self, wanted: AbstractSet[str], other: AbstractSet[str], name: str) -> "Weight":
        """What the objects of a revision say of the one set against the other.

        Where a text may mean what either makes, it says nothing; where it is just what one of
        them makes, it means that. What is made or removed counts as there or gone, also where
        somebody has changed it since: that is told by itself.
        """
        said = [
            self._tell(key, ours, theirs)
            for key, ours, theirs in self.list_effects(wanted, other, name)
        ]
        if not said:
            return Weight.HIDDEN
        if False in said:
            return Weight.CONTRADICTED
        return Weight.PROVEN if True in said else Weight.SILENT

    def _tell(
        self, key: ObjectKey, ours: SchemaObject | None, theirs: SchemaObject | None
    ) -> bool | None:
        """Whether an object is as the one set makes it; None where it may be as either does."""
        live = self._live.get(key)
        if ours is None or theirs is None:  # that it is there counts, whatever was done to it
            return (live is None) is (ours is None)
        if is_equal(live, ours):
            return True
        if is_equal(live, theirs):
            return False
        if is_alike(live, ours):
            return None if is_alike(live, theirs) else True
        return False

    def list_effects(
        self, one: AbstractSet[str], other: AbstractSet[str], name: str
    ) -> Iterator[tuple[ObjectKey, SchemaObject | None, SchemaObject | None]]:
        """The objects of a revision that two sets make in two ways, as each makes them."""
        unknown = self._states.find_unknown(one) | self._states.find_unknown(other)
        for key in self._touched[name]:
            ours, theirs = self.make(key, one), self.make(key, other)
            if key not in unknown and not is_equal(ours, theirs):
                yield key, ours, theirs

    def _is_there(self, key: ObjectKey, item: SchemaObject | None) -> bool:
        return is_alike(self._live.get(key), item)

    def list_seen(self, present: AbstractSet[str]) -> frozenset[str]:
        """The revisions of which something is there that would not be without them."""
        return frozenset(
            name for name in self.order if name in present and self.is_seen(present, name)
        )

    def is_seen(self, present: AbstractSet[str], name: str) -> bool:
        """Whether something is there that would not be without a revision."""
        effects = self.list_effects(present | {name}, present - {name}, name)
        return any(self._tell(key, ours, theirs) for key, ours, theirs in effects)

    def find_half(self, present: AbstractSet[str]) -> Half | None:
        """A revision of which the first steps are there, and none of the others.

        Whatever comes after it cannot have run.
        """
        for one in self._states.lock.revisions:
            steps = one.delta.steps if one.delta else ()
            if len(steps) < 2:  # noqa: PLR2004  # nothing to stop between
                continue
            after = (self.below(one.id) - {one.id}) & present
            if any(self.is_seen(present, name) for name in after):
                continue
            for done in range(1, len(steps)):
                if self._is_stopped(present - self.below(one.id), steps, done):
                    return Half(one.id, done, len(steps))
        return None

    def _is_stopped(
        self,
        without: AbstractSet[str],
        steps: tuple[tuple[Pair, ...], ...],
        done: int,
    ) -> bool:
        """Whether everything is as after so many steps, and that is not nothing nor all."""
        lock = self._states.lock
        keys = {lock.find_key(pair) for step in steps for pair in step} - lock.fleeting_keys
        bare = {key: self.make(key, without) for key in keys}
        part = self._apply(bare, (pair for step in steps[:done] for pair in step))
        whole = self._apply(bare, (pair for step in steps for pair in step))
        is_something = any(not is_alike(bare.get(key), part.get(key)) for key in keys)
        is_all = all(is_alike(whole.get(key), part.get(key)) for key in keys)
        there = all(is_alike(self._get_sound(key), part.get(key)) for key in keys)
        return is_something and not is_all and there

    def _get_sound(self, key: ObjectKey) -> SchemaObject | None:
        """What is there, but for an index that CREATE INDEX CONCURRENTLY left behind invalid."""
        live = self._live.get(key)
        is_left = live is not None and key.kind is Kind.INDEX and not live.get("valid")
        return None if is_left else live

    def _apply(
        self, objects: Mapping[ObjectKey, SchemaObject | None], pairs: Iterable[Pair]
    ) -> dict[ObjectKey, SchemaObject | None]:
        lock, result = self._states.lock, dict(objects)
        for pair in pairs:
            key = lock.find_key(pair)
            result[key] = merge(result.get(key), *lock.resolve(pair))
        return result


def list_visible(states: States, revision: str) -> list[ObjectKey]:
    """The objects that a revision changes in a way that can prove it, sorted."""
    lock = states.lock
    delta = lock.by_id[revision].delta
    pairs = delta.pairs if delta else ()
    keys = [lock.find_key(pair) for pair in pairs if not is_equal(*lock.resolve(pair))]
    return [key for key in keys if key not in lock.fleeting_keys]


def is_alike(one: SchemaObject | None, other: SchemaObject | None) -> bool:
    """Whether two objects are the same, as far as one can tell without a server.

    Owners, privileges, comments and the order of columns aside: they prove no revision.
    """
    return _compare(one, other, _may_be_same)


def is_equal(one: SchemaObject | None, other: SchemaObject | None) -> bool:
    """Whether two objects are the same word by word, but for synonyms; the same aside."""
    return _compare(one, other, _is_same)


type _Same = Callable[[Kind, str, Value, Value], bool]


def _compare(one: SchemaObject | None, other: SchemaObject | None, same: _Same) -> bool:
    if one is None or other is None:
        return one is other
    if one.attributes == other.attributes:
        return True
    kind = one.key.kind
    spec = KINDS[kind]
    for name in one.attributes.keys() | other.attributes.keys():
        if spec[name].by_declaration or spec[name].is_note or spec[name].is_remark:
            continue
        if not same(kind, name, one.get(name), other.get(name)):
            return False
    return True


def _is_same(kind: Kind, name: str, one: Value, other: Value) -> bool:
    return one == other or are_synonyms(kind, name, one, other)


def _may_be_same(kind: Kind, name: str, one: Value, other: Value) -> bool:
    return _is_same(kind, name, one, other) or may_be_synonyms(kind, name, one, other)
