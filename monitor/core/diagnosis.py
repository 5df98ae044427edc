"""The verdict on one database: what its stamp, its schema and a lock say together.

From the worst down, as `core.verdict` lists the states; what holds besides is told as well.
Where explanations cost the same, all of them are told. What cannot be known is not guessed.
"""

import hashlib
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

import msgspec

from monitor.core.explanation import Alternative, Explanation, explain, find_fits
from monitor.core.findings import Severity
from monitor.core.history import History
from monitor.core.keys import Kind
from monitor.core.lock import Delta, LockedRevision
from monitor.core.lock_safety import Risk
from monitor.core.lock_states import States
from monitor.core.row_writes import list_row_writes
from monitor.core.snapshot import Snapshot, make_snapshot
from monitor.core.stamps import has_strangers
from monitor.core.traces import Half
from monitor.core.verdict import State
from monitor.core.way_out import (
    UPGRADE,
    Finds,
    ask_whether,
    count_objects,
    list_remedies,
    name_revisions,
    stamp,
    summarise,
)

type Count = Callable[[Snapshot], int]
"""How many objects of the database are not as this schema has them."""


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """What is the matter with one database.

    Attributes:
        verdict: its state.
        also: what else holds, from the worst down.
        stamped: its version rows; None where they could not be read.
        heads: of the lock.
        missing_revisions: stamped, and not there.
        extra_revisions: there, and not stamped.
        half: one that stopped on its way.
        edited: what revisions did there before they were edited.
        edits: a digest of what these did, and of what they do now.
        pending: what an upgrade would run, in order.
        unexplained: objects that no revision explains.
        alternatives: explanations that cost as much.
        summary: one sentence for a person.
        sentences: one for the verdict and for each that holds besides.
        remedy: the commands that lead out, in order.
        present: the revisions that the schema is taken to have.
        risk: what a newer schema does to the release that runs; None where there is none.
    """

    verdict: State
    also: tuple[State, ...] = ()
    stamped: tuple[str, ...] | None = ()
    heads: tuple[str, ...] = ()
    missing_revisions: tuple[str, ...] = ()
    extra_revisions: tuple[str, ...] = ()
    half: Half | None = None
    edited: tuple[LockedRevision, ...] = ()
    edits: str = ""
    pending: tuple[str, ...] = ()
    unexplained: int = 0
    alternatives: tuple[Alternative, ...] = ()
    summary: str = ""
    sentences: tuple[str, ...] = ()
    remedy: tuple[str, ...] = ()
    present: frozenset[str] = frozenset()
    risk: Risk | None = None

    @property
    def severity(self) -> Severity:
        """The worst of all that holds: what is `ahead` may have a hole besides."""
        held = (self.verdict, *self.also)
        return max((state.meaning.severity for state in held), key=lambda severity: severity.rank)


def diagnose(
    states: States, rows: Sequence[str] | None, live: Snapshot, count: Count
) -> Diagnosis:
    """The verdict on a database.

    Args:
        states: of the lock that it is held against.
        rows: what its version table says; None where that could not be read.
        live: its schema, as far as it is compared.
        count: how many objects of it differ from a schema.
    """
    if rows is None:
        return Diagnosis(
            verdict=State.UNKNOWN,
            stamped=None,
            heads=states.lock.history.heads,
            summary="what is stamped cannot be read",
            remedy=("anchorwatch grants",),
        )
    return _Case(states, tuple(sorted(rows)), live, count).judge()


def make_explained(
    states: States, present: AbstractSet[str], half: Half | None, live: Snapshot
) -> Snapshot:
    """The schema of the revisions that a database has, with the half of one that stopped.

    What the order of branches decides is not known, and is as it is there.
    """
    made = dict(states.make_snapshot(present).by_key)
    delta = states.lock.by_id[half.revision].delta if half else None
    for step in delta.steps[: half.done] if delta and half else ():
        states.lock.apply(made, step)
    for key in states.find_unknown(present) & live.by_key.keys():
        made[key] = live.by_key[key]
    bare = states.make_snapshot(frozenset())
    return msgspec.structs.replace(bare, objects=make_snapshot(made.values()).objects)


_OF_ANOTHER: Final = (
    "check that the lock is of this application: nothing that it knows is in this database"
)


class _Found(NamedTuple):
    """An explanation, with the editions that it takes, and what it leaves."""

    explanation: Explanation
    edited: tuple[LockedRevision, ...]
    left: int

    @property
    def cost(self) -> int:
        """How many things are wrong by it."""
        found = self.explanation
        return len(found.missing) + len(found.extra) + bool(found.half) + self.left


class _Case:
    """One database, held against one lock."""

    def __init__(
        self, states: States, rows: tuple[str, ...], live: Snapshot, count: Count
    ) -> None:
        self._states = states
        self._history: History = states.lock.history
        self._rows = rows
        self._live = live
        self._count = count

    def judge(self) -> Diagnosis:
        """The verdict."""
        foreign = [row for row in self._rows if not self._history.is_known(row)]
        if not self._rows and not _has_tables(self._live):
            return self._tell(State.EMPTY, "there are no tables at all", UPGRADE)
        if foreign:
            return self._judge_foreign(foreign[0])
        if not self._rows:
            return self._judge_unstamped()
        return self._judge_known(self._history.ancestors(self._rows))

    def _tell(self, verdict: State, summary: str, *remedy: str) -> Diagnosis:
        """A verdict that the stamp alone decides."""
        return Diagnosis(
            verdict=verdict,
            stamped=self._rows,
            heads=self._history.heads,
            pending=self._history.pending(self._rows),
            summary=summary,
            remedy=remedy,
        )

    def _judge_foreign(self, name: str) -> Diagnosis:
        fits = find_fits(self._states, self._live.by_key)
        fit = stamp(self._history.reduce(fits[0])) if fits else _OF_ANOTHER
        begun = [one for one in self._history.by_id if name and one.startswith(name)]
        if not name:
            reason, remedy = "a version row is empty", fit
        elif any(one.id == name for one in self._states.lock.retired):
            reason = f"revision {name} is stamped, and its file is gone"
            remedy = f"Bring its file back, or: {fit}"
        elif begun:
            reason = f"the stamp {name} is no revision, only the start of {name_revisions(begun)}"
            remedy = stamp(begun) if len(begun) == 1 else fit
        else:
            reason = f"the lock does not know the stamped revision {name}"
            remedy = f"Check out the commit that has {name}, and build its lock; or: {fit}"
        return self._tell(State.UNKNOWN_REVISION, reason, remedy)

    def _judge_unstamped(self) -> Diagnosis:
        fits = find_fits(self._states, self._live.by_key)
        if not fits:
            return self._tell(
                State.UNSTAMPED,
                "there are tables, but no version row, and they are of no revision",
            )
        rows, *others = map(self._history.reduce, fits)
        left = self._measure(Explanation(fits[0]))
        alike = f" ({' or '.join(map(name_revisions, others))} makes the same)" if others else ""
        hidden = frozenset().union(*fits) - frozenset.intersection(*fits)
        doubted = [name for name in self._history.pending(()) if name in hidden]
        first = [ask_whether(doubted)] if doubted else []
        but = f", but for {count_objects(left)}" if left else ""
        told = self._tell(
            State.UNSTAMPED,
            "there are tables, but no version row; the schema is that of "
            f"{name_revisions(rows)}{alike}{but}",
            *first,
            stamp(rows),
        )
        order = self._states.lock.revisions
        extra = tuple(one.id for one in order if one.id in fits[0] and one.delta is not None)
        return msgspec.structs.replace(
            told, extra_revisions=extra, unexplained=left, present=fits[0]
        )

    def _judge_known(self, claimed: frozenset[str]) -> Diagnosis:
        unbuilt = self._states.lock.find_unbuilt(claimed)
        if unbuilt is not None:
            return self._tell(
                State.UNKNOWN,
                f"the lock does not know what revision {unbuilt} does",
                "anchorwatch lock build, once that revision runs on an empty database",
            )
        if not _has_tables(self._live) and _has_tables(self._states.make_snapshot(claimed)):
            return self._tell(
                State.EMPTY,
                f"{name_revisions(self._rows)} is stamped, and there are no tables at all",
                stamp(()),
                UPGRADE,
            )
        return self._judge_schema(claimed)

    def _judge_schema(self, claimed: frozenset[str]) -> Diagnosis:
        best = self._explain(claimed, ())
        # Editions are few; the first that helps stays while others are tried beside it.
        for edition in self._states.lock.editions if best.cost else ():
            if edition.id in claimed and edition.id not in {one.id for one in best.edited}:
                other = self._explain(claimed, (*best.edited, edition))
                best = min(best, other, key=lambda found: found.cost)
        return self._describe(claimed, best)

    def _explain(self, claimed: frozenset[str], edited: tuple[LockedRevision, ...]) -> "_Found":
        states = self._states.use_editions(edited)
        found = explain(states, claimed, self._live.by_key)
        return _Found(found, edited, self._measure(found, states))

    def _describe(self, claimed: frozenset[str], best: "_Found") -> Diagnosis:
        found, left = best.explanation, best.left
        names = tuple(one.id for one in best.edited)
        finds = Finds(
            history=self._history,
            rows=self._rows,
            claimed=claimed,
            explanation=found,
            left=left,
            edited=names,
            rest_writes=found.half is not None
            and self._writes(found.half.revision, found.half.done),
            writing=tuple(filter(self._writes, (*found.missing, *found.extra))),
        )
        held = [state for state, holds in self._try_states(finds) if holds] or [State.IN_SYNC]
        return Diagnosis(
            verdict=held[0],
            also=tuple(held[1:]),
            stamped=self._rows,
            heads=self._history.heads,
            missing_revisions=found.missing,
            extra_revisions=found.extra,
            half=found.half,
            edited=best.edited,
            edits=_digest(
                [(one.delta, self._states.lock.by_id[one.id].delta) for one in best.edited]
            ),
            pending=self._history.pending(self._rows),
            unexplained=left,
            alternatives=found.alternatives,
            summary=summarise(held[0], finds),
            sentences=tuple(summarise(state, finds) for state in held),
            remedy=tuple(list_remedies(held, finds)),
            present=found.present,
        )

    def _writes(self, name: str, done: int = 0) -> bool:
        """Whether what a revision runs after some of its steps writes rows: nothing shows it."""
        delta = self._states.lock.by_id[name].delta or Delta()
        begin = delta.marks[done - 1] if done and delta.marks else 0
        return any(list_row_writes(statement.sql for statement in delta.statements[begin:]))

    def _try_states(self, finds: Finds) -> list[tuple[State, bool]]:
        """What may hold, from the worst down."""
        found, is_hole = finds.explanation, self._is_hole(finds.explanation)
        return [
            (State.OVERLAPPING, bool(self._history.find_overlaps(self._rows))),
            (State.MULTIPLE_HEADS, has_strangers(self._history, self._rows)),
            (State.HALF_APPLIED, found.half is not None),
            (State.HOLE, bool(found.missing) and is_hole),
            (State.STAMPED_NOT_RUN, bool(found.missing) and not is_hole),
            (State.APPLIED_BY_HAND, bool(found.extra)),
            (State.EDITED_REVISION, bool(finds.edited)),
            (State.DRIFTED, finds.left > 0),
            (State.PENDING, bool(self._history.pending(self._rows))),
        ]

    def _measure(self, found: Explanation, states: States | None = None) -> int:
        """How much no revision explains."""
        states = states or self._states
        return self._count(make_explained(states, found.present, found.half, self._live))

    def _is_hole(self, found: Explanation) -> bool:
        """Whether something that comes after a missing revision can be seen."""
        above = [self._history.ancestors((later,)) for later in found.seen]
        return any(name in before for name in found.missing for before in above)


def _digest(deltas: Sequence[tuple[Delta | None, Delta | None]]) -> str:
    """Sixteen letters that change with what the revisions made and make."""
    made = [[delta.pairs if delta else None for delta in pair] for pair in deltas]
    return hashlib.sha256(msgspec.json.encode(made)).hexdigest()[:16]


def _has_tables(snapshot: Snapshot) -> bool:
    return snapshot.count(Kind.TABLE) > 0
