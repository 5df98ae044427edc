"""The one place that quotes what goes into SQL."""

import re
from typing import Final

from monitor.core.printing import is_hidden

_BARE: Final = re.compile(r"[a-z_][a-z0-9_$]*")
_QUOTED: Final = re.compile(r"""\bE'(?:[^']|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*\"""")

_LAST_OF_FOUR: Final = 0xFFFF
"""The last character that four hexadecimal digits name."""


def quote_ident(name: str) -> str:
    """``name`` as a quoted identifier, whatever it holds.

    Always quoted, so that no list of reserved words has to be kept:
    https://www.postgresql.org/docs/current/sql-syntax-lexical.html

    Raises:
        ValueError: the name holds a NUL character, which no identifier can.
    """
    if "\0" in name:
        raise ValueError("an identifier cannot hold a NUL character")
    return '"' + name.replace('"', '""') + '"'


def quote_as_shown(name: str) -> str:
    """``name`` as the server writes it in what it shows: bare where it needs no quotes.

    Words that the grammar reserves are quoted there and not here: a text that mentions one is
    not recognised.
    """
    return name if _BARE.fullmatch(name) else quote_ident(name)


def quote_literal(text: str) -> str:
    """``text`` as a string literal that needs no setting to be read right.

    Raises:
        ValueError: the text holds a NUL character, which no value can.
    """
    if "\0" in text:
        raise ValueError("a text cannot hold a NUL character")
    quoted = text.replace("'", "''")
    if "\\" in quoted:
        return " E'" + quoted.replace("\\", "\\\\") + "'"
    return f"'{quoted}'"


def reveal(statement: str) -> str:
    """The same statement for people, who see what its names and texts hide, and may paste it.

    Holds: it means what the one that was quoted here means, in a session whose
    `standard_conforming_strings` is on. What is hidden outside of quotes, which nobody writes,
    stays. Lines are kept.

    Source: https://www.postgresql.org/docs/current/sql-syntax-lexical.html, "Identifiers and
    Key Words" and "String Constants With Unicode Escapes"
    """
    return _QUOTED.sub(lambda found: _escape(found[0]), statement)


def _escape(quoted: str) -> str:
    if not any(map(_is_worth_showing, quoted)):
        return quoted
    if quoted.startswith("E"):
        return "".join(
            _write_point(letter, "\\u", "\\U00") if _is_worth_showing(letter) else letter
            for letter in quoted
        )
    return "U&" + "".join(
        _write_point(letter, "\\", "\\+")
        if _is_worth_showing(letter)
        else letter.replace("\\", "\\\\")
        for letter in quoted
    )


def _is_worth_showing(letter: str) -> bool:
    return letter != "\n" and is_hidden(letter)


def _write_point(letter: str, short: str, long: str) -> str:
    point = ord(letter)
    return f"{short}{point:04X}" if point <= _LAST_OF_FOUR else f"{long}{point:06X}"
