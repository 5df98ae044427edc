"""Every signal that ends a command ends it as Ctrl-C does: what it started is stopped first."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType
from typing import Final

ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_UNDECIDED: Final = (signal.SIG_DFL, signal.default_int_handler)


class Ending:
    """What ended a command.

    Attributes:
        number: the signal, if one was heard.
    """

    def __init__(self) -> None:
        self.number: int | None = None

    @property
    def exit_code(self) -> int:
        """What a shell says of a command that a signal ended."""
        return 128 + (self.number or signal.SIGINT)

    def explains(self, error: BaseException | None) -> bool:
        """Whether the error came of a signal: a library may turn an interrupt into its own."""
        while error is not None and not isinstance(error, KeyboardInterrupt):
            error = error.__cause__ or error.__context__
        return error is not None or self.number is not None

    def interrupt(self, number: int, _frame: FrameType | None) -> None:
        """Do what Ctrl-C does; a loop that hears Ctrl-C for itself ends in order."""
        self.number = number
        handler = signal.getsignal(signal.SIGINT)
        if callable(handler) and handler != self.interrupt:
            signal.raise_signal(signal.SIGINT)
        else:
            raise KeyboardInterrupt


_CURRENT: Final[ContextVar[Ending]] = ContextVar("ending")


def current_ending() -> Ending:
    """That of the command that runs; one of nobody outside of any."""
    return _CURRENT.get(Ending())


@contextmanager
def tidy_end() -> Iterator[Ending]:
    """Let these signals interrupt, where nobody decided otherwise."""
    ending = Ending()
    token = _CURRENT.set(ending)
    changed = {}
    if threading.current_thread() is threading.main_thread():
        found = {each: signal.getsignal(each) for each in ENDING}
        changed = {each: handler for each, handler in found.items() if handler in _UNDECIDED}
    for each in changed:
        signal.signal(each, ending.interrupt)
    try:
        yield ending
    finally:
        for each, handler in changed.items():
            signal.signal(each, handler)
        _CURRENT.reset(token)
