"""What transactions of a repair have in common: how they change rows, and how that is verified."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from monitor.core.errors import LookError, WriteError
from monitor.core.quoting import quote_literal
from monitor.remedy.repair.counters import Counted, Counts, compare, read_counts
from monitor.remedy.repair.ground import Ground, load
from monitor.remedy.repair.statements import Statement
from monitor.remedy.repair.wish import Act, Outcome
from monitor.sources.rows import Rows, Writer

_THEIR_PATH: Final = "set local search_path to default"
_SAVEPOINT: Final = "anchorwatch"
_ROUNDS: Final = 10
"""How often deferred triggers may set off others that are deferred."""

type Layout = list[tuple[str | None, ...]]
"""Where rows are stored, in which columns, and which large objects there are."""


class Withdrawn(Exception):  # it says what happened, and no more
    """A repair that is refused once it has begun; rolls its transaction back."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


@asynccontextmanager
async def saving(rows: Rows) -> AsyncIterator[None]:
    """What fails inside is raised, and ends no transaction; raises as ``rows`` does."""
    await rows.fetch(f"savepoint {_SAVEPOINT}")
    try:
        yield
    except (LookError, WriteError):
        await rows.fetch(f"rollback to savepoint {_SAVEPOINT}")
        raise
    await rows.fetch(f"release savepoint {_SAVEPOINT}")


def require_allowed(plan: Outcome) -> None:
    """Nothing, where nothing stands against a plan.

    Raises:
        Withdrawn: something does.
    """
    if plan.refused:
        raise Withdrawn(plan)


async def change(
    rows: Writer, statement: Statement, *, is_firing: bool
) -> list[tuple[str | None, ...]]:
    """Run what changes tables, and what waits for the end of the transaction.

    Triggers and checks find things as they do for anybody else of this role: by its own search
    path. Our own statements need none.

    Raises:
        WriteError: fewer rows were changed than were told, or triggers changed tables themselves.
    """
    layout = await read_layout(rows) if is_firing else None
    await rows.fetch(_THEIR_PATH)
    answer = await rows.fetch(statement.sql, *map(list, statement.places))
    statement.require_counts(answer)
    await _settle(rows)
    if layout is not None and await read_layout(rows) != layout:
        raise refuse_layout()
    return answer


async def _settle(rows: Writer) -> None:
    """Let all that waits for the end of the transaction happen now: nothing is left for it.

    What happens then may wait for the end again (SET CONSTRAINTS ALL DEFERRED in a trigger), and
    whatever waits was set off by a row that was changed: it is over once no count changes.

    Raises:
        WriteError: it does not end.
    """
    seen = None
    for _ in range(_ROUNDS):
        await rows.fetch(_THEIR_PATH)
        await rows.fetch("set constraints all immediate")
        await rows.fetch("set local search_path to ''")
        counted = (await read_counts(rows)).rows
        if counted == seen:
            return
        seen = counted
    raise WriteError(
        "Deferred triggers set each other off without an end. Nothing was changed.",
        next_step="Look at what your triggers do, and repair the rows by hand.",
    )


async def read_layout(rows: Rows, *, apart: str = "") -> Layout:
    """What no count of rows tells, of all schemas but one; raises as ``rows`` does."""
    return await rows.fetch(load("layout").format(apart=quote_literal(apart)))


def refuse_layout() -> WriteError:
    """The error that a trigger would do what no count tells."""
    return WriteError(
        "A trigger would truncate, make or change tables, or large objects, which no count of "
        "rows tells. Nothing was changed.",
        next_step="Look at what your triggers do, and repair the rows by hand.",
    )


async def verify_counts(  # noqa: PLR0913  # what was, what should be, and who may do more
    rows: Writer,
    ground: Ground,
    before: Counted,
    expected: Mapping[tuple[int, str], int],
    *,
    spare: Mapping[tuple[int, str], int],
    fired: set[str],
    cascading: frozenset[tuple[int, str]] = frozenset(),
    is_kept: bool,
) -> list[Act]:
    """What triggers changed besides.

    Args:
        rows: the transaction.
        ground: the tables.
        before: what was counted when it began.
        expected: how many rows were to be changed, at least.
        spare: how many changes more are no surprise.
        fired: the triggers that may have changed more.
        cascading: tables and events that foreign keys act on: nothing tells what a trigger did
            there from what a cascade took, so that nobody may do more than was planned.
        is_kept: whether it has to be possible to undo all of it: then they may only insert.

    Raises:
        WriteError: other rows were changed than were planned.
    """
    after = await read_counts(rows)
    more, less = compare(ground, before.rows, after.rows, expected)
    more -= Counter(spare)
    is_losing = is_kept and any(event != "insert" for _, event in more)
    if less or (more and not fired) or is_losing or cascading & more.keys():
        said = ", ".join(
            [*_describe(ground, after, more, "more"), *_describe(ground, after, less, "fewer")]
        )
        raise WriteError(
            f"Other rows would be changed than were planned: {said}. Nothing was changed.",
            next_step="Look for triggers and keys that change them, and repair the rows by hand.",
        )
    return [
        Act(table=_name(ground, after, table), action=f"trigger {event}", rows=number)
        for (table, event), number in sorted(more.items())
    ]


def _describe(ground: Ground, counted: Counted, counts: Counts, word: str) -> list[str]:
    return [
        f"{event} of {number} {word} in {_name(ground, counted, table)}"
        for (table, event), number in sorted(counts.items())
    ]


def _name(ground: Ground, counted: Counted, oid: int) -> str:
    table = ground.by_oid.get(oid)
    return table.shown if table else counted.names.get(oid, "a table")


def require_size(most: int, acts: Iterable[Act]) -> None:
    """Nothing, where triggers and what they set off keep to ``most``; what they add is free.

    Raises:
        WriteError: more rows were changed.
    """
    changed = sum(act.rows for act in acts if act.action != "trigger insert")
    if changed > most:
        raise WriteError(
            f"With what triggers do, {changed} rows would be changed, and --max-rows is "
            f"{most}. Nothing was changed.",
            next_step="Look at what they do first; then raise --max-rows.",
        )
