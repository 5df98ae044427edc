"""What transactions of a repair have in common: how they change rows, and how that is verified."""

from collections import Counter
from collections.abc import Mapping

from monitor.core.errors import WriteError
from monitor.remedy.repair.counters import Counted, Counts, compare, read_counts
from monitor.remedy.repair.ground import Ground, load
from monitor.remedy.repair.statements import Statement
from monitor.remedy.repair.wish import Act, Outcome
from monitor.sources.rows import Writer


class Withdrawn(Exception):  # it says what happened, and no more
    """A repair that is refused once it has begun; rolls its transaction back."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


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
    layout = await rows.fetch(load("layout")) if is_firing else None
    await rows.fetch("set local search_path to default")
    answer = await rows.fetch(statement.sql, *map(list, statement.places))
    statement.require_counts(answer)
    await rows.fetch("set constraints all immediate")
    await rows.fetch("set local search_path to ''")
    if layout is not None and await rows.fetch(load("layout")) != layout:
        raise WriteError(
            "A trigger would truncate, make or change tables, or large objects, which no count of "
            "rows tells. Nothing was changed.",
            next_step="Look at what your triggers do, and repair the rows by hand.",
        )
    return answer


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
