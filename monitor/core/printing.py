"""Hostile text where people read it. On a terminal control characters are shown, never sent.

Names and values of a database may hold whatever moves a cursor, colours a
terminal or turns the direction of writing.
"""

import unicodedata
from typing import Final

_CONTROLS: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories: Cc moves cursors, Cf turns the direction, Cs is no character."""


def clean(text: str, *, keep_lines: bool = False) -> str:
    """The text with every control character shown as its escape."""
    return "".join(
        letter if not _is_control(letter) or (keep_lines and letter == "\n") else _show(letter)
        for letter in text
    )


def flatten(text: str) -> str:
    """One line without what moves a cursor, or is half a character."""
    return "".join(char if char.isprintable() else " " for char in text)


def cut(text: str, limit: int) -> str:
    """At most so many characters; the last one says that there was more."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _is_control(letter: str) -> bool:
    return unicodedata.category(letter) in _CONTROLS


def _show(letter: str) -> str:
    return letter.encode("unicode_escape").decode()
