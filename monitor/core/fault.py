"""Where an exception that nobody expected was raised: never its words, they may hold a secret."""

import traceback
from typing import Final

MOST_FRAMES: Final = 6
"""The innermost ones tell what broke; the rest is how we got there."""


def locate_fault(error: BaseException) -> str:
    """``KeyError at diff.py:165 in diff, at pipeline.py:70 in look``, the innermost first.

    An exception group is told by its first member.
    """
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    frames = traceback.extract_tb(error.__traceback__)[-MOST_FRAMES:]
    places = (f"at {_shorten(f.filename)}:{f.lineno} in {f.name}" for f in reversed(frames))
    return " ".join([type(error).__name__, ", ".join(places)]).strip()


def _shorten(filename: str) -> str:
    """The last part: the directories of a machine are nobody's business."""
    return filename.replace("\\", "/").rpartition("/")[2]
