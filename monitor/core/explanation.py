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
from monitor.core.lock import Lock
from monitor.core.lock_states import States
from monitor.core.snapshot import SchemaObject
from monitor.core.traces import Half, Traces, Weight

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
        unseen: revisions that change nothing in the schema, and of which it is not clear
            whether they ran.
        seen: revisions of which something can be seen that no other one explains.
        alternatives: other explanations that cost as much.
    """

    present: frozenset[str]
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    half: Half | None = None
    unseen: tuple[str, ...] = ()
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
    best, *others = _choose_best(traces, claimed, states.find_unknown(claimed))
    told = [_tell_departure(traces, claimed, one) for one in (best, *others)]
    missing, extra = told[0]
    settled = _settle_unseen(traces, claimed, best)
    found = Explanation(
        present=settled.present,
        missing=missing,
        extra=extra,
        half=best.half,
        seen=traces.list_seen(settled.present),
        alternatives=(
            *(Alternative(*one) for one in dict.fromkeys(told) if one != told[0]),
            *_list_by_hand(traces, best.present, (*missing, *extra)),
        ),
    )
    return found._replace(unseen=tuple(_list_unseen(traces, states.lock, claimed, found)))


def _list_unseen(
    traces: Traces, lock: Lock, claimed: AbstractSet[str], found: Explanation
) -> Iterator[str]:
    """Those that no object shows, and of which it is not clear whether they ran.

    A merge does nothing that could be missed.
    """
    gone = {name for name in claimed - found.present if traces.touches(name)}
    for name in traces.order:
        is_merge = len(lock.by_id[name].revision.down) > 1
        if traces.touches(name) or is_merge:
            continue
        if name in claimed and not gone.isdisjoint(traces.above(name)):
            is_open = _may_have_run(traces, name, gone, found)
        else:
            is_open = name in claimed ^ found.present
        if is_open:
            yield name


def _may_have_run(traces: Traces, name: str, gone: AbstractSet[str], found: Explanation) -> bool:
    """Whether a stamped revision that no object shows may have run after some that are gone.

    They may have been undone by hand, where the last of them comes before it or each of them is
    one object; else what comes after one that never ran did not run either, nor what comes after
    half of one. Where something is there that comes after a gap, the stamp is believed.
    """
    before, after = gone & traces.above(name), gone & traces.below(name)
    is_stopped = found.half is not None and found.half.revision in before
    is_gap = any(not found.seen.isdisjoint(traces.below(one)) for one in before)
    if is_stopped or is_gap:
        return False
    by_hand = {other.instead_of for other in found.alternatives}
    return not after or before | after <= by_hand


def find_fits(states: States, live: Objects) -> list[frozenset[str]]:
    """The revisions that a schema is of, each with all that comes before it; the best first.

    Several make the same where some change nothing, or undo each other. What shows is better
    taken for done than done again; of what does not show nobody knows. None where what is
    there is best explained by no revision at all.
    """
    traces = Traces(states, live)
    history, begun = states.lock.history, frozenset(states.lock.start)
    grown = _depart(traces, begun).present
    ends = [(name,) for name in traces.order]
    sets = {begun: None, history.ancestors(grown) | begun: None}
    sets |= {history.ancestors(end) | begun: None for end in ends}
    wrong = {some: traces.count_wrong(some) for some in sets}
    least = min(wrong.values())
    if wrong[begun] == least and not begun:
        return []
    fitting = [some for some in sets if wrong[some] == least]
    shown = {name for name in traces.order if traces.touches(name)}
    return sorted(fitting, key=lambda some: (-len(some & shown), len(some), sorted(some)))


class _Ranked(NamedTuple):
    """A departure, and what speaks against it.

    Attributes:
        wrong: how many objects it leaves unexplained.
        is_open: whether it has a revision without one that comes before it.
        revisions: how many it tells as missing or there.
    """

    wrong: int
    is_open: bool
    revisions: int

    @property
    def cost(self) -> int:
        """How many things are wrong by it."""
        return self.wrong + self.revisions


def _choose_best(
    traces: Traces, claimed: AbstractSet[str], unknown: AbstractSet[ObjectKey]
) -> list["_Departed"]:
    """The departure that leaves least unexplained, and others that cost no more after it.

    Of several it is the simplest. A set that an upgrade makes is simpler than one with a gap:
    what one revision makes and another one undoes shows neither of them.
    """
    ranks: dict[_Departed, _Ranked] = {}
    for start in _choose_starts(traces, claimed, unknown):
        one = _prove(traces, claimed, _depart(traces, start))
        told = sum(map(len, _tell_departure(traces, claimed, one))) + bool(one.half)
        is_open = any(not traces.above(name) <= one.present for name in one.present)
        ranks[one] = _Ranked(traces.count_wrong(one.present, one.half, but=unknown), is_open, told)
    best = min(ranks, key=lambda one: ranks[one])
    return [best, *(o for o in ranks if o != best and ranks[o].cost <= ranks[best].cost)]


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


def _prove(traces: Traces, claimed: AbstractSet[str], departed: _Departed) -> _Departed:
    """The departure without what not all of its objects agree to.

    What only hides behind another departure goes along with it.
    """
    present, half = set(departed.present), departed.half
    for _ in range(ROUNDS):
        before = frozenset(present)
        for name in traces.order:
            if not traces.touches(name) or (half and half.revision == name):
                continue
            if name in claimed - present and not _is_gone(traces, claimed, present, name):
                present.add(name)
            elif name in present - claimed and not _is_extra(traces, claimed, present, name):
                present.discard(name)
        if before == present:
            break
    return _Departed(frozenset(present), half)


def _is_gone(
    traces: Traces, claimed: AbstractSet[str], present: AbstractSet[str], name: str
) -> bool:
    weight = traces.weigh(present, present | {name}, name)
    if weight is Weight.HIDDEN:
        return not (traces.above(name) - {name}).isdisjoint(claimed - present)
    return weight is Weight.PROVEN


def _is_extra(
    traces: Traces, claimed: AbstractSet[str], present: AbstractSet[str], name: str
) -> bool:
    weight = traces.weigh(present, present - {name}, name)
    if weight is Weight.HIDDEN:
        return not (traces.below(name) - {name}).isdisjoint(present - claimed)
    return weight is Weight.PROVEN


def _settle_unseen(traces: Traces, claimed: AbstractSet[str], departed: _Departed) -> _Departed:
    """What nobody can see goes with what comes after it, for that could not run without it."""
    present = set(departed.present)
    missing, extra = _tell_departure(traces, claimed, departed)
    for name in traces.order:
        if traces.touches(name):
            continue
        after = traces.below(name)
        if name not in present and name not in claimed and not after.isdisjoint(extra):
            present.add(name)
        shown = {other for other in after if traces.touches(other) and other in claimed}
        if name in present and name in claimed and shown and shown <= {*missing}:
            present.discard(name)
    return _Departed(frozenset(present), departed.half)


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


def _choose_starts(
    traces: Traces, claimed: AbstractSet[str], unknown: AbstractSet[ObjectKey]
) -> list[AbstractSet[str]]:
    """What is claimed, and those of the sets one cut or one upgrade away that fit best.

    What one revision makes and a later one changes shows neither of them by itself.
    """
    sets = {frozenset(claimed): None}
    for name in traces.order:
        sets |= {
            frozenset(claimed - traces.below(name)): None,
            frozenset(claimed | traces.above(name)): None,
        }
    ranked = sorted(
        sets, key=lambda some: (traces.count_wrong(some, but=unknown), len(some ^ claimed))
    )
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
