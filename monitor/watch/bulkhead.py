"""The first bulkhead: whatever goes wrong with one database stays with it."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from monitor.core.errors import LookError
from monitor.watch.reports import report_failure
from monitor.watch.target import Look, Target


async def contain[T](
    looking: Awaitable[T],
    *,
    target: Target,
    at: datetime,
    instead: Callable[[Look], T],
    on_fault: Callable[[Exception], None],
) -> T:
    """What a look comes to; one that breaks is a look that could not look.

    Args:
        looking: looks, and raises nothing that was foreseen.
        target: what is looked at.
        at: when the look began.
        instead: makes of a look that could not look what ``looking`` would have been.
        on_fault: told of the exception, the words of which may hold a secret.
    """
    try:
        return await looking
    except Exception as error:  # noqa: BLE001  # the bulkhead around one database
        on_fault(error)
        unforeseen = LookError(
            f"Looking failed in a way that nobody foresaw ({type(error).__name__}).",
            next_step="Please report the line that the log, or standard error, has about it.",
        )
        report = report_failure(target.environment, target.database, at, unforeseen)
        return instead(Look(report, None))
