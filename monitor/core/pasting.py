"""SQL as people see it, who may paste it: it means what it meant, and hides nothing.

Sources: https://www.postgresql.org/docs/current/sql-syntax-lexical.html, "Identifiers and Key
Words", "String Constants With C-Style Escapes" and "... With Unicode Escapes".
"""

import re
from itertools import pairwise
from typing import Final, NamedTuple

from monitor.core.printing import clean
from monitor.core.script import read_tokens

_SPACE: Final = re.compile(r"[\t\v\f\r]")
_GLUED: Final = re.compile(r"[\w&$\x80-\U0010ffff]")
"""What makes something else of a quote that it stands before: `N'`, `U&'`, `like'`."""
_LETTER: Final = re.compile(r"\\?.", re.DOTALL)
"""A character of a string with escapes; a backslash before one that is none changes nothing."""
_BETWEEN: Final = frozenset({"space", "comment"})
_LAST_OF_FOUR: Final = 0xFFFF
"""The last character that four hexadecimal digits name."""


class _Token(NamedTuple):
    kind: str
    text: str
    is_glued: bool

    @property
    def is_string(self) -> bool:
        return self.kind == "quoted" and not self.text.startswith('"')


def reveal(statement: str) -> str | None:
    """The same statement with nothing hidden in it; None where it cannot be written so.

    Holds: it means the same in a session whose `standard_conforming_strings` is on. What is
    hidden in a name or a string is written as an escape; in a dollar quote or a comment, say,
    there is none. Lines are kept.
    """
    if not _hides(statement):
        return statement
    tokens = [
        _Token(kind, statement[start:end], bool(start and _GLUED.match(statement[start - 1])))
        for kind, start, end in read_tokens(statement)
    ]
    written = [_write(token) for token in tokens]
    if None in written or _has_continued(tokens):
        return None
    return "".join(part for part in written if part is not None)


def _has_continued(tokens: list[_Token]) -> bool:
    """Whether two strings are one, of which the first says how both are read."""
    told = [token for token in tokens if token.kind not in _BETWEEN]
    return any(
        one.is_string and other.is_string and (_hides(one.text) or _hides(other.text))
        for one, other in pairwise(told)
    )


def _write(token: _Token) -> str | None:
    text = _SPACE.sub(" ", token.text) if token.kind == "space" else token.text
    if not _hides(text):
        return text
    if token.kind != "quoted" or token.is_glued:
        return None
    if text[0] in "eE":
        return _LETTER.sub(lambda letter: _escape(letter[0]), text)
    return "U&" + _point_out(text.replace("\\", "\\\\"), "\\", "\\+")


def _escape(letter: str) -> str:
    return _point_out(letter[-1], "\\u", "\\U00") if _hides(letter) else letter


def _point_out(text: str, short: str, long: str) -> str:
    return "".join(
        _name(ord(letter), short, long) if _hides(letter) else letter for letter in text
    )


def _name(point: int, short: str, long: str) -> str:
    return f"{short}{point:04X}" if point <= _LAST_OF_FOUR else f"{long}{point:06X}"


def _hides(text: str) -> bool:
    return clean(text, keep_lines=True) != text
