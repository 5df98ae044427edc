"""How `anchorwatch orphans repair` says what it would do, or did."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from monitor.core.pasting import reveal
from monitor.core.printing import clean
from monitor.remedy.repair.undoing import UNDO
from monitor.remedy.repair.wish import Lost, Outcome

_UNSEEN: Final = (
    "-- This statement holds characters that are not seen, which stand as escapes here. "
    "--format json has it as it is:"
)


def describe_outcome(outcome: Outcome) -> dict[str, Any]:
    """The document of the contract."""
    found: dict[str, Any] = msgspec.to_builtins(outcome)
    return found


def write_outcome(outcome: Outcome) -> str:
    """The same for a person."""
    return "\n".join((*map(clean, _list_lines(outcome)), *_list_statements(outcome)))


def _list_statements(outcome: Outcome) -> Iterator[str]:
    """What would be done, as it would be, one statement after another."""
    if not (outcome.applied or outcome.refused):
        for statement in outcome.statements:
            shown = reveal(statement)
            if shown is None:
                yield _UNSEEN
                yield "\n".join(f"-- {clean(line)}" for line in statement.split("\n"))
            else:
                yield f"{shown};"


def _list_lines(outcome: Outcome) -> Iterator[str]:
    yield f"{outcome.strategy} of {_write_subject(outcome)}: {_write_end(outcome)}"
    width = max((len(str(act.rows)) for act in outcome.rows), default=1)
    for act in outcome.rows:
        yield f"  {act.rows:>{width}}  {act.table}  {act.action}"
    for refusal in outcome.refused:
        yield f"  refused: {refusal.reason}"
        yield f"    {refusal.next}"
    yield from _list_next(outcome)


def _write_subject(outcome: Outcome) -> str:
    batch = f"batch {outcome.batch}, " if outcome.strategy == UNDO else ""
    return f"{batch}{outcome.relation}"


def _write_end(outcome: Outcome) -> str:
    rows = sum(act.rows for act in outcome.rows)
    if outcome.refused:
        return "refused, nothing was changed"
    if not rows:
        return "no row has lost its parent, nothing to do"
    noun = "row" if rows == 1 else "rows"
    if outcome.applied:
        return f"done, {rows} {noun}"
    return f"would change {rows} {noun}, nothing was changed"


def _write_lost(one: Lost, *, is_applied: bool) -> str:
    if one.rows is None:
        return f"Whether {one.relation} loses parents by this is not known: {one.reason}"
    noun, have, parents = (
        ("row", "has", "its parent") if one.rows == 1 else ("rows", "have", "their parents")
    )
    verb = f"{have} lost" if is_applied else "would lose"
    return (
        f"{one.rows} {noun} of {one.table} {verb} {parents} by this: nothing enforces "
        f"{one.relation}."
    )


def _list_next(outcome: Outcome) -> Iterator[str]:
    for one in outcome.lost:
        yield f"  {_write_lost(one, is_applied=outcome.applied)}"
        yield f"    {one.next}"
    if outcome.remaining:
        yield (
            f"  {outcome.remaining} rows have lost their parents by this: they referenced rows "
            "that left. Run it again for them."
        )
    if outcome.applied and outcome.batch is not None and outcome.strategy != UNDO:
        yield f"  They are kept as batch {outcome.batch}: --undo {outcome.batch} brings them back."
    if not (outcome.applied or outcome.refused) and outcome.rows:
        yield "  Add --apply to do it."
