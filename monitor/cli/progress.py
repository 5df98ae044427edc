"""A moving line on a terminal while something takes long; elsewhere nothing."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from monitor.core.printing import clean


@contextmanager
def show_progress(text: str) -> Iterator[Callable[[str], None]]:
    """Show what is being done on standard error, where that is a terminal.

    Yields:
        what changes the text.
    """
    if not sys.stderr.isatty():
        yield ignore
        return
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status(Text(clean(text))) as status:
        yield lambda line: status.update(Text(clean(line)))


def ignore(_: str) -> None:
    """Tell nobody."""
