"""Which revisions of a lock a schema has: the smallest departure from what the stamp claims.

A revision is missing where everything that it changes is as it was without it, and there
beyond the stamp where everything is as it would be with it. A revision of which only a part
is there explains nothing, but for the first statements of one that can stop halfway. What no
revision explains is left. Where revisions change nothing that can be seen, nobody knows.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

from monitor.core.keys import ObjectKey
from monitor.core.lock_states import States
from monitor.core.snapshot import SchemaObject
from monitor.core.traces import Half, Traces

ROUNDS: Final = 4
"""One revision may hide another one; deeper than this nothing is explained any more."""
STARTS: Final = 4
"""From how many sets the departure is sought, beside what is claimed."""

type Objects = Mapping[ObjectKey, SchemaObject]


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
    traces = Traces(states, live)
    if traces.is_whole(claimed):
        return Explanation(frozenset(claimed), seen=traces.list_seen(claimed))
    best, *others = _choose_best(traces, claimed)
    told = [_tell_departure(traces, claimed, one) for one in (best, *others)]
    missing, extra = told[0]
    return Explanation(
        present=best.present,
        missing=missing,
        extra=extra,
        half=best.half,
        seen=traces.list_seen(best.present),
        alternatives=(
            *(Alternative(*one) for one in dict.fromkeys(told) if one != told[0]),
            *_list_by_hand(traces, best.present, (*missing, *extra)),
        ),
    )


def _choose_best(traces: Traces, claimed: AbstractSet[str]) -> list["_Departed"]:
    """The departures that leave nothing unexplained, or else cost least.

    A revision more or less costs as much as an object that is wrong, where any is claimed.
    """
    found = [*dict.fromkeys(_depart(traces, one) for one in _choose_starts(traces, claimed))]
    costs = []
    for one in found:
        revisions = sum(map(len, _tell_departure(traces, claimed, one))) + bool(one.half)
        wrong = traces.count_wrong(one.present, one.half)
        costs.append(((wrong > 0, wrong + revisions * bool(claimed)), revisions))
    least, _ = min(costs)
    ranked = sorted(zip(costs, found, strict=True), key=lambda pair: pair[0])
    return [one for (cost, _), one in ranked if cost == least]


class _Departed(NamedTuple):
    """A set that nothing more can be taken from or added to."""

    present: frozenset[str]
    half: Half | None


def _depart(traces: Traces, start: AbstractSet[str]) -> _Departed:
    """Take away what is lacking and add what is there; and the one that stopped halfway."""
    present, half = set(start), None
    for _ in range(ROUNDS):
        before = frozenset(present)
        for name in reversed(traces.order):
            if name in present and traces.lacks(present, name):
                present.discard(name)
        for name in traces.order:
            if name not in present and traces.has(present, name):
                present.add(name)
        half = half or traces.find_half(present)
        if before == present:
            break
    if half is not None:
        present.discard(half.revision)
    return _Departed(frozenset(present), half)


def _tell_departure(
    traces: Traces, claimed: AbstractSet[str], departed: _Departed
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The revisions that are missing and those that are extra, as far as they show."""
    present, half = departed
    half_one = half.revision if half else None
    showing = [name for name in traces.order if traces.touches(name) and name != half_one]
    return (
        tuple(name for name in showing if name in claimed and name not in present),
        tuple(name for name in showing if name in present and name not in claimed),
    )


def _choose_starts(traces: Traces, claimed: AbstractSet[str]) -> list[AbstractSet[str]]:
    """What is claimed, and those of the sets one cut or one upgrade away that fit best.

    What one revision makes and a later one changes shows neither of them by itself.
    """
    sets = {frozenset(claimed): None}
    for name in traces.order:
        sets |= {
            frozenset(claimed - traces.below(name)): None,
            frozenset(claimed | traces.above(name)): None,
        }
    ranked = sorted(sets, key=lambda some: (traces.count_wrong(some), len(some ^ claimed)))
    return [*dict.fromkeys((frozenset(claimed), *ranked[:STARTS]))]


def _list_by_hand(
    traces: Traces, present: AbstractSet[str], departed: tuple[str, ...]
) -> Iterator[Alternative]:
    """Where all that a revision changes is one object, somebody may have changed it by hand.

    Least likely where something that comes before it is gone as well: such stand at the end.
    """
    gone = {name for name in departed if name not in present}

    def is_unlikely(name: str) -> bool:
        return not gone.isdisjoint(traces.above(name) - {name})

    for name in sorted(departed, key=is_unlikely):
        effects = [*traces.list_effects(present | {name}, present - {name}, name)]
        if len(effects) == 1:
            yield Alternative(instead_of=name, by_hand=effects[0][0])
