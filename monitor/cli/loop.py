"""The event loop of a command, which is left in order whatever signal ends the command."""

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any

from monitor.cli.signals import ENDING, current_ending

type _Handler = Callable[[int, FrameType | None], Any]


def run_loop[T](work: Coroutine[Any, Any, T]) -> T:
    """The result of ``work`` on an event loop of its own; a signal cancels it.

    Unlike with `asyncio.run`, nothing in the loop is ever interrupted half-way: a library
    that waits in a ``finally`` would lose the interrupt, and a server that is about to run
    would be left behind. And a signal wakes the loop also when it comes just before the
    loop goes to sleep, or to another thread. Each further signal cancels again.

    Raises:
        KeyboardInterrupt: a signal ended it.
    """
    try:
        return asyncio.run(_cancel_on_signals(work))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def _cancel_on_signals[T](work: Coroutine[Any, Any, T]) -> T:
    loop, task, ending = asyncio.get_running_loop(), asyncio.current_task(), current_ending()

    def hear(number: int) -> None:
        ending.number = number
        if task is not None:
            task.cancel()

    handlers = _find_handlers()
    for number in handlers:
        loop.add_signal_handler(number, hear, number)
    if ending.number is not None:
        hear(ending.number)  # a library lost the interrupt while it was imported
    try:
        return await work
    finally:
        for number, handler in handlers.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)


def _find_handlers() -> dict[signal.Signals, _Handler]:
    """What handles the signals that are not ignored; only the main thread has any."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    found = {number: signal.getsignal(number) for number in ENDING}
    return {number: handler for number, handler in found.items() if callable(handler)}
