"""The first bulkhead: whatever goes wrong with one database stays with it."""

from collections.abc import Awaitable, Callable

from monitor.core.errors import LookError


async def contain[T](
    looking: Awaitable[T],
    *,
    instead: Callable[[LookError], T],
    on_fault: Callable[[Exception], None],
) -> T:
    """What a look, or a check, comes to; one that breaks is one that could not look.

    Args:
        looking: looks, and raises nothing that was foreseen.
        instead: makes of an error what ``looking`` would have been.
        on_fault: told of the exception, the words of which may hold a secret.
    """
    try:
        return await looking
    except Exception as error:  # noqa: BLE001  # the bulkhead around one database
        on_fault(error)
        return instead(
            LookError(
                f"Looking failed in a way that nobody foresaw ({type(error).__name__}).",
                next_step="Please report the line that the log, or standard error, has about it.",
            )
        )
