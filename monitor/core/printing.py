"""Hostile text where people read it. On a terminal control characters are shown, never sent.

Names and values of a database may hold whatever moves a cursor, colours a
terminal or turns the direction of writing.
"""

import re
import unicodedata
from typing import Final

_CONTROLS: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories: Cc moves cursors, Cf turns the direction, Cs is no character."""

HIDDEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
)
"""Controls, marks that turn text around (UAX #9), and what is drawn as nothing (UAX #44,
Default_Ignorable_Code_Point) but for what joins letters and chooses their looks."""


def clean(text: str, *, keep_lines: bool = False) -> str:
    """The text with every hidden character shown as its escape."""
    if text.isprintable() and not HIDDEN.search(text):
        return text
    return "".join(
        letter if not _is_hidden(letter) or (keep_lines and letter == "\n") else _show(letter)
        for letter in text
    )


def flatten(text: str) -> str:
    """One line without what moves a cursor, or is half a character."""
    return "".join(char if char.isprintable() else " " for char in text)


def cut(text: str, limit: int) -> str:
    """At most so many characters; the last one says that there was more."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _is_hidden(letter: str) -> bool:
    return unicodedata.category(letter) in _CONTROLS or HIDDEN.match(letter) is not None


def _show(letter: str) -> str:
    return letter.encode("unicode_escape").decode()
