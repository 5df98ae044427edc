"""What a verdict says to a person: one sentence, and the commands that lead out."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

from monitor.core.explanation import Explanation
from monitor.core.history import History
from monitor.core.verdict import State

UPGRADE: Final = "alembic upgrade heads"
_NAMES_SHOWN: Final = 5


class Finds(NamedTuple):
    """What was found out about a database whose stamp the lock knows.

    Attributes:
        history: of the lock.
        rows: what is stamped.
        claimed: these, with all their ancestors.
        explanation: which revisions the schema has.
        left: how many objects no revision explains.
        edited: revisions that did another thing when they ran there.
        rest_writes: whether what is left of a half writes rows.
        writing: revisions that are missing or there beyond the stamp, and write rows.
    """

    history: History
    rows: tuple[str, ...]
    claimed: frozenset[str]
    explanation: Explanation
    left: int
    edited: tuple[str, ...] = ()
    rest_writes: bool = False
    writing: tuple[str, ...] = ()

    @property
    def reached(self) -> tuple[str, ...]:
        """The version rows of what is there without a gap; a hole is filled at the end."""
        return find_reached(self.history, self.stands)

    @property
    def stands(self) -> frozenset[str]:
        """What is there, and what is missing below it: that cannot run any more."""
        present = self.explanation.present
        return present | (self.history.ancestors(present) & frozenset(self.explanation.missing))

    @property
    def gap(self) -> tuple[str, ...]:
        """Revisions that neither ran nor are stamped, below one that is there, in order."""
        below = self.history.ancestors(self.explanation.extra) - self.stands
        return tuple(name for name in self.history.pending(()) if name in below)


def find_reached(history: History, present: AbstractSet[str]) -> tuple[str, ...]:
    """The version rows of some revisions, as far as none is missing below them."""
    return history.reduce(name for name in present if history.ancestors((name,)) <= present)


def name_revisions(names: Iterable[str]) -> str:
    """Some of them, and how many more."""
    listed = [*names]
    more = f" and {len(listed) - _NAMES_SHOWN} more" if len(listed) > _NAMES_SHOWN else ""
    return ", ".join(listed[:_NAMES_SHOWN]) + more


def count_objects(number: int) -> str:
    """`1 object`, `2 objects`."""
    return f"{number} object{'' if number == 1 else 's'}"


def stamp(names: Sequence[str]) -> str:
    """The command that makes these the version rows, whatever they were."""
    return f"alembic stamp --purge {' '.join(names) or 'base'}"


def ask_whether(names: Iterable[str]) -> str:
    """The way to what no schema tells."""
    return f"Make sure whether {name_revisions(names)} ran: the schema does not show it"


def summarise(verdict: State, finds: Finds) -> str:
    """One sentence about the worst that holds."""
    return _SENTENCES[verdict](finds)


def list_remedies(held: Sequence[State], finds: Finds) -> Iterator[str]:
    """The commands, in the order in which they are run; what only waits is left to wait."""
    told: set[str] = set()
    if unseen := finds.explanation.unseen:
        yield ask_whether(unseen)
    if writing := finds.writing:
        yield f"Make sure which rows {name_revisions(writing)} wrote: the schema does not show it"
    for state in held:
        if state is State.PENDING and held[0] is not State.PENDING:
            continue
        for command in _REMEDIES.get(state, _do_nothing)(finds):
            if command not in told:
                told.add(command)
                yield command


def _say_overlapping(finds: Finds) -> str:
    before, after = finds.history.find_overlaps(finds.rows)[0]
    return f"{before} is stamped beside {after}, which includes it"


def _say_half(finds: Finds) -> str:
    half = finds.explanation.half
    assert half is not None  # noqa: S101  # the state says so
    return f"revision {half.revision} stopped after {half.done} of {half.steps} steps"


def _say_hole(finds: Finds) -> str:
    missing = name_revisions(finds.explanation.missing)
    return (
        f"{name_revisions(finds.rows)} is stamped, what {missing} does is missing, and later "
        "revisions are there"
    )


def _say_not_run(finds: Finds) -> str:
    missing = name_revisions(finds.explanation.missing)
    return f"{name_revisions(finds.rows)} is stamped, but {missing} never ran"


def _say_by_hand(finds: Finds) -> str:
    extra = name_revisions(finds.explanation.extra)
    return f"{name_revisions(finds.rows)} is stamped, and what {extra} does is there already"


def _say_pending(finds: Finds) -> str:
    pending = len(finds.history.pending(finds.rows))
    noun = "revision" if pending == 1 else "revisions"
    return f"right at {name_revisions(finds.rows)}, with {pending} {noun} still to come"


_SENTENCES: Final[Mapping[State, Callable[[Finds], str]]] = {
    State.OVERLAPPING: _say_overlapping,
    State.MULTIPLE_HEADS: lambda f: (
        f"{name_revisions(f.rows)} are stamped, and nothing brings them together"
    ),
    State.HALF_APPLIED: _say_half,
    State.HOLE: _say_hole,
    State.STAMPED_NOT_RUN: _say_not_run,
    State.APPLIED_BY_HAND: _say_by_hand,
    State.EDITED_REVISION: lambda f: (
        f"what {name_revisions(f.edited)} did before it was edited is there"
    ),
    State.DRIFTED: lambda f: (
        f"{count_objects(f.left)} that no revision explains, at {name_revisions(f.rows)}"
    ),
    State.PENDING: _say_pending,
    State.IN_SYNC: lambda f: f"the schema is what {name_revisions(f.rows)} promises",
}


def _merge(finds: Finds) -> Iterator[str]:
    """Alembic merges heads only: those that the rows lead to."""
    history = finds.history
    heads = [one for one in history.heads if history.ancestors((one,)) & {*finds.rows}]
    yield f"alembic merge {' '.join(heads)}"
    yield "anchorwatch lock build, with that merge"
    yield UPGRADE


def _finish(finds: Finds) -> Iterator[str]:
    half = finds.explanation.half
    assert half is not None  # noqa: S101  # the state says so
    yield f"anchorwatch lock show FILE --revision {half.revision}"
    if finds.rest_writes:
        yield (
            f"Make sure which rows were written after step {half.done} of {half.steps}: the "
            "schema does not show it"
        )
    yield (
        f"Drop what it left invalid; run by hand what that shows after step {half.done} of "
        f"{half.steps}; then: "
        f"{stamp(finds.history.reduce([*finds.reached, half.revision]))}"
    )


def _fill(finds: Finds) -> Iterator[str]:
    for name in finds.explanation.missing:
        yield f"anchorwatch lock show FILE --revision {name}"
    yield "Write what is missing into a new revision at the end"


def _catch_up(finds: Finds) -> Iterator[str]:
    for name in finds.edited:
        yield f"anchorwatch lock show FILE --revision {name}"
    yield "Write what the edit changed into a new revision at the end, and undo the edit"


def _run(finds: Finds) -> Iterator[str]:
    yield stamp(finds.reached)
    yield UPGRADE


def _keep(finds: Finds) -> Iterator[str]:
    """What is there is stamped; what was left out below it can no longer be run by an upgrade."""
    if not finds.gap:
        yield stamp(finds.reached)
        return
    for name in finds.gap:
        yield f"anchorwatch lock show FILE --revision {name}"
    whole = stamp(find_reached(finds.history, finds.stands | {*finds.gap}))
    yield (
        f"Undo what {name_revisions(finds.explanation.extra)} did; or run by hand what that "
        f"shows, then: {whole}"
    )


def _compare(finds: Finds) -> Iterator[str]:
    """A source names one revision, so with several rows what is pending is told as well."""
    rows = finds.history.reduce(finds.rows)
    at = f"@{rows[0]}" if len(rows) == 1 and rows != finds.history.heads else ""
    yield f"anchorwatch diff lock:FILE{at} DATABASE"


def _do_nothing(_finds: Finds) -> Iterator[str]:
    yield from ()


_REMEDIES: Final[Mapping[State, Callable[[Finds], Iterator[str]]]] = {
    State.OVERLAPPING: lambda f: iter([stamp(f.history.reduce(f.rows))]),
    State.MULTIPLE_HEADS: _merge,
    State.HALF_APPLIED: _finish,
    State.HOLE: _fill,
    State.STAMPED_NOT_RUN: _run,
    State.APPLIED_BY_HAND: _keep,
    State.EDITED_REVISION: _catch_up,
    State.DRIFTED: _compare,
    State.PENDING: lambda _: iter([UPGRADE]),
}
