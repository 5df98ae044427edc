"""A generator of faults over any lock: what people do to databases, on folded snapshots."""

import random
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from monitor.core.diagnosis import Diagnosis, diagnose
from monitor.core.diff import diff
from monitor.core.findings import Severity
from monitor.core.keys import Kind, ObjectKey
from monitor.core.lock import Delta, LockedRevision, digest_object
from monitor.core.lock_states import States
from monitor.core.snapshot import SchemaObject, Snapshot, make_snapshot
from monitor.core.traces import is_alike, list_visible
from monitor.core.verdict import State


class Fault(NamedTuple):
    """A database after a fault.

    Attributes:
        name: what was done.
        rows: what is stamped.
        objects: what is there.
        missing: revisions of the stamp that are not there, as far as they change anything.
        extra: revisions that are there beyond it.
        edits: how many objects were changed by hand.
        state: the verdict that it must get, where the stamp alone decides.
        states: of the lock that knows of it; None for that of the saboteur.
        edited: the revision that did another thing when it ran.
    """

    name: str
    rows: tuple[str, ...]
    objects: dict[ObjectKey, SchemaObject]
    missing: frozenset[str] = frozenset()
    extra: frozenset[str] = frozenset()
    edits: int = 0
    state: State | None = None
    states: States | None = None
    edited: str | None = None


class Saboteur:
    """Does one thing after the other to databases of one lock."""

    def __init__(self, states: States, seed: int) -> None:
        self.states = states
        self._history = states.lock.history
        self._chance = random.Random(seed)  # noqa: S311  # a test
        self._names = [one.id for one in states.lock.revisions]
        self._showing = {name for name in self._names if list_visible(states, name)}

    def strike(self) -> Fault:
        """One fault, and edits by hand with every other one."""
        deeds = (
            self._forward,
            self._back,
            self._skip,
            self._strange,
            self._overlap,
            self._edited,
            self._nothing,
        )
        fault = self._chance.choice(deeds)()
        return self._edit(fault) if self._chance.random() < 0.5 else fault

    def _choose(self) -> frozenset[str]:
        """A set with all its ancestors."""
        return self._history.ancestors(
            self._chance.sample(self._names, self._chance.randint(1, 2))
        )

    def _make(self, name: str, claimed: frozenset[str], ran: frozenset[str]) -> Fault:
        return Fault(
            name,
            self._history.reduce(claimed),
            dict(self.states.fold(ran).objects),
            (claimed - ran) & self._showing,
            (ran - claimed) & self._showing,
        )

    def _nothing(self) -> Fault:
        claimed = self._choose()
        return self._make("nothing", claimed, claimed)

    def _forward(self) -> Fault:
        claimed = self._choose()
        cut = self._chance.choice(sorted(claimed))
        ran = frozenset(n for n in claimed if cut not in self._history.ancestors((n,)))
        return self._make("stamped forward", claimed, ran)

    def _back(self) -> Fault:
        fault, ran = self._forward(), self._choose()
        claimed = self._history.ancestors(fault.rows) & ran
        if not claimed:
            return self._nothing()
        return self._make("stamped back", claimed, ran)

    def _skip(self) -> Fault:
        claimed = self._choose()
        skipped = self._chance.choice(sorted(claimed))
        return self._make("skipped", claimed, claimed - {skipped})

    def _strange(self) -> Fault:
        claimed = self._choose()
        rows = (*self._history.reduce(claimed), "0ther4pplication")
        return self._make("unknown", claimed, claimed)._replace(
            rows=rows, state=State.UNKNOWN_REVISION
        )

    def _overlap(self) -> Fault:
        claimed = self._choose()
        rows = self._history.reduce(claimed)
        before = sorted(claimed - set(rows))
        if not before:
            return self._nothing()
        rows = (*rows, self._chance.choice(before))
        return self._make("overlap", claimed, claimed)._replace(rows=rows, state=State.OVERLAPPING)

    def _edited(self) -> Fault:
        """A revision whose file was edited after it ran: a column was of another type then."""
        claimed, lock = self._choose(), self.states.lock
        columns = [
            (name, pair)
            for name in sorted(claimed & self._showing)
            for pair in (lock.by_id[name].delta or Delta()).pairs
            if pair[0] is None and lock.find_key(pair).kind is Kind.COLUMN
        ]
        if not columns:
            return self._nothing()
        name, pair = self._chance.choice(columns)
        one = lock.by_id[name]
        assert one.delta is not None
        now = lock.objects[pair[1] or ""]
        then = SchemaObject(key=now.key, attributes={**now.attributes, "type": "edited"})
        digest = digest_object(then)
        pairs = tuple((None, digest) if p == pair else p for p in one.delta.pairs)
        edition = LockedRevision(one.revision, "before", Delta(pairs=pairs))
        objects = {**lock.objects, digest: then}
        edited = States(msgspec.structs.replace(lock, editions=(edition,), objects=objects))
        ran = edited.use_editions([edition]).fold(claimed).objects
        fault = self._make("edited", claimed, claimed)
        return fault._replace(objects=dict(ran), states=edited, edited=name)

    def _edit(self, fault: Fault) -> Fault:
        objects, edits = dict(fault.objects), 0
        lock = self.states.lock
        # What undoes a part of the fault itself would make another fault of it.
        kept = {
            lock.find_key(pair)
            for name in fault.missing | fault.extra
            for pair in (lock.by_id[name].delta or Delta()).pairs
        }
        tables = [key for key in objects if key.kind is Kind.TABLE]
        for number in range(self._chance.randint(1, 5)):
            indexes = [key for key in objects if key.kind is Kind.INDEX and key not in kept]
            if indexes and self._chance.random() < 0.5:
                del objects[self._chance.choice(indexes)]
            elif tables:
                table = self._chance.choice(tables)
                key = ObjectKey(Kind.COLUMN, table.schema, table.name, f"by_hand_{number}")
                objects[key] = SchemaObject(key=key, attributes={"type": "text"})
            else:
                continue
            edits += 1
        return fault._replace(objects=objects, edits=edits)


def judge(states: States, fault: Fault) -> Diagnosis:
    """The verdict on a fault."""
    live = make_snapshot(fault.objects.values())
    states = fault.states or states

    def count(expected: Snapshot) -> int:
        changes = diff(expected, live).changes
        return sum(change.severity is not Severity.INFO for change in changes)

    return diagnose(states, fault.rows, live, count)


def grade(  # noqa: PLR0911  # a table of cases
    states: States, fault: Fault, found: Diagnosis
) -> str:
    """How well the cause was found: `exact`, or a listed `alternative` that costs the same."""
    if fault.edited is not None and not _is_overwritten(states, fault):
        return _grade_edited(fault, found)
    if fault.state is not None:
        return "exact" if fault.state is found.verdict else "wrong"
    if found.verdict is State.EMPTY:
        return "exact" if not any(key.kind is Kind.TABLE for key in fault.objects) else "wrong"
    done = fault.missing, fault.extra
    told = frozenset(found.missing_revisions), frozenset(found.extra_revisions)
    if told == done or _look_alike(states, fault, found):
        return "exact"
    others = (
        (frozenset(o.missing), frozenset(o.extra)) for o in found.alternatives if not o.by_hand
    )
    if done in others:
        return "alternative"
    by_hand = _list_by_hand(found)
    if all(
        ours <= theirs and theirs - ours <= by_hand
        for ours, theirs in zip(done, told, strict=True)
    ):
        return "alternative"
    return "wrong"


def _grade_edited(fault: Fault, found: Diagnosis) -> str:
    names = [one.id for one in found.edited]
    departed = {*found.missing_revisions, *found.extra_revisions}
    is_counted = found.unexplained + len(departed) == fault.edits
    if names != [fault.edited] or not is_counted or not departed <= _list_by_hand(found):
        return "wrong"
    return "alternative" if departed else "exact"


def _list_by_hand(found: Diagnosis) -> set[str | None]:
    """The revisions that may as well be somebody's doing."""
    return {other.instead_of for other in found.alternatives if other.by_hand is not None}


def _is_overwritten(states: States, fault: Fault) -> bool:
    """Whether later revisions made away with what an edited one did before."""
    bare = states.fold(states.lock.history.ancestors(fault.rows)).objects
    return all(
        fault.objects.get(key) == item
        for key, item in bare.items()
        if key.kind is Kind.COLUMN and not key.name.startswith("by_hand")
    )


def _look_alike(states: States, fault: Fault, found: Diagnosis) -> bool:
    """Whether what was found makes the schema that what was done makes: they are one."""
    claimed = states.lock.history.ancestors(fault.rows)
    ran = (claimed - fault.missing) | fault.extra
    one, other = states.fold(ran).objects, states.fold(found.present).objects
    return all(is_alike(one.get(key), other.get(key)) for key in one.keys() | other.keys())


def sabotage(states: States, times: int, *, seed: int = 1) -> Counter[str]:
    """How often each grade was given, over so many faults.

    Raises:
        AssertionError: a cause was neither the verdict nor a listed alternative.
    """
    saboteur, grades = Saboteur(states, seed), Counter[str]()
    for number in range(times):
        fault = saboteur.strike()
        if states.fold(states.lock.history.ancestors(fault.rows)).unknown:
            grades["not known"] += 1
            continue
        found = judge(states, fault)
        mark = grade(states, fault, found)
        assert mark != "wrong", (number, fault._replace(objects={}), found)
        grades[mark] += 1
    return grades


def list_grades(grades: Iterable[tuple[str, int]]) -> str:
    """For a log."""
    return ", ".join(f"{mark} {count}" for mark, count in sorted(grades))
