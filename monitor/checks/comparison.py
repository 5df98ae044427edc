"""Comparing two schemas for good: what differs, without what only looks as if it did.

The comparison itself asks nobody. Only where it finds something are servers asked: whether
texts mean the same, and whether what is expected comes out alike when it is built again.
"""

import asyncio
from collections.abc import Awaitable, Callable

from monitor.checks.spelling import Spellings
from monitor.core.diff import note_spelling
from monitor.core.difference import Difference, Note, add_notes
from monitor.core.errors import AnchorwatchError
from monitor.core.respelt import respell
from monitor.core.scope import DEFAULT_SCOPE, Scope
from monitor.core.scope import compare as compare_within
from monitor.core.snapshot import Snapshot
from monitor.core.unstable import Side, Unstable, excuse_unstable

type FindUnstable = Callable[[], Awaitable[Unstable]]


async def compare(  # noqa: PLR0913  # both sides, and how each is asked
    expected: Snapshot,
    actual: Snapshot,
    scope: Scope = DEFAULT_SCOPE,
    *,
    spellings: Spellings | None = None,
    unstable: FindUnstable | None = None,
    unstable_actual: FindUnstable | None = None,
) -> Difference:
    """What has to be said about ``actual`` where ``expected`` was promised.

    Args:
        expected: what was promised.
        actual: what there is.
        scope: what of it is compared.
        spellings: proves that texts mean the same.
        unstable: builds what is expected once more.
        unstable_actual: the same for the other side, where it was built as well.
    """
    # Thousands of tables take longer than a beat of the event loop.
    difference = await asyncio.to_thread(compare_within, expected, actual, scope)
    if difference and spellings is not None:
        difference = await _settle(expected, actual, scope, difference, spellings)
    difference = await _excuse(difference, unstable, side="expected", other=actual)
    return await _excuse(difference, unstable_actual, side="actual", other=expected)


async def _settle(
    expected: Snapshot,
    actual: Snapshot,
    scope: Scope,
    difference: Difference,
    spellings: Spellings,
) -> Difference:
    """The difference without what is only spelt in another way."""
    renamed = await spellings.find_renames(expected, actual, difference)
    if renamed:
        spelt = respell(actual, renamed)
        difference = await asyncio.to_thread(compare_within, expected, spelt, scope)
        notes = [note_spelling(one.old.key, name) for one in renamed for name in one.texts]
        difference = add_notes(difference, notes)
    return await spellings.settle(expected, actual, difference)


async def _excuse(
    difference: Difference, find: FindUnstable | None, *, side: Side, other: Snapshot
) -> Difference:
    """The difference without what is unstable; whole where that cannot be found out."""
    if not difference or find is None:
        return difference
    try:
        return excuse_unstable(difference, await find(), side=side, other=other)
    except AnchorwatchError as error:
        note = Note(
            note="unproven",
            key=None,
            message=f"What comes out differently at each build was not found out: {error}",
        )
        return add_notes(difference, [note])
