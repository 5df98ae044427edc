"""The one place that quotes what goes into SQL."""

import re
from typing import Final

_BARE: Final = re.compile(r"[a-z_][a-z0-9_$]*")


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
