"""The standard streams: they may be closed, full, or a terminal that knows ASCII only."""

import io
import os
import sys
from contextlib import suppress
from typing import Final, TextIO

_DESCRIPTORS: Final = (0, 1, 2)


class Forgiving(io.TextIOWrapper):
    """A stream whose writer goes on when nobody can hear it: a log never stops the watch."""

    def write(self, text: str, /) -> int:
        """Write what can be written."""
        with suppress(OSError):
            super().write(text)
        return len(text)

    def flush(self) -> None:
        """Flush what can be flushed."""
        with suppress(OSError):
            super().flush()


def prepare_streams() -> None:
    """Names from a database are any Unicode, terminals and pipes are not."""
    _open_closed()
    if isinstance(sys.stdout, io.TextIOWrapper):
        encoding = None if sys.stdout.isatty() else "utf-8"
        sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace")
    original = sys.__stderr__
    if original is not None and sys.stderr is original:
        sys.stderr = _forgive(original)


def _open_closed() -> None:
    """What the caller closed leads nowhere; else the next file to be opened would get it."""
    for descriptor in _DESCRIPTORS:
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, which is this one
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", closefd=False)


def _forgive(stream: TextIO) -> TextIO:
    return Forgiving(
        os.fdopen(stream.fileno(), "wb", closefd=False),
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=True,
    )


def discard(stream: TextIO) -> None:
    """What the stream still holds would fail once more when the interpreter ends."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)
