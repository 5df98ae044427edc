"""Which rows the statements of a revision write, as far as their text tells.

Nothing in a schema shows it: whoever asks whether a revision ran, or what it does to older
code, has to be told.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from monitor.core.script import split_script

_FIRST_WORD: Final = re.compile(
    r"(?:\s+|--[^\n]*\n|/\*.*?\*/)*+([a-z]+)", re.IGNORECASE | re.DOTALL
)
_BLIND: Final = frozenset({"do", "call", "execute"})
"""What such a statement does is said elsewhere."""
_WRITING: Final = frozenset({"insert", "update", "delete", "merge", "truncate", "copy", "with"})
_NAME: Final = r'(?:"[^"]+"|[\w$]+)(?:\s*\.\s*(?:"[^"]+"|[\w$]+))*'
_TARGET: Final = re.compile(
    rf"\b(insert\s+into|update|delete\s+from|merge\s+into|truncate(?:\s+table)?|copy)\s+"
    rf"(?:only\s+)?({_NAME})",
    re.IGNORECASE,
)
_SET: Final = re.compile(
    r"\bset\b(.*?)(?:\bfrom\b|\bwhere\b|\breturning\b|$)", re.IGNORECASE | re.DOTALL
)
_ASSIGNED: Final = re.compile(r'"?([\w$]+)"?\s*=')
_SEVERAL: Final = re.compile(r"\)\s*=")


class RowWrite(NamedTuple):
    """Rows that a statement writes.

    Attributes:
        table: the name of their table without its schema; None where the text does not tell.
        columns: the only columns that change in rows that are there; None for any.
    """

    table: str | None
    columns: frozenset[str] | None = None


def list_row_writes(statements: Iterable[str]) -> Iterator[RowWrite]:
    """What the statements write, in their order; DDL moves rows too, and is not meant."""
    for text in statements:
        for part in split_script(text):
            yield from _read(part.text)


def _read(sql: str) -> Iterator[RowWrite]:
    begun = _FIRST_WORD.match(sql)
    word = begun[1].lower() if begun else ""
    if word in _BLIND:
        yield RowWrite(None)
    if word in _WRITING:
        for found in _TARGET.finditer(sql):
            is_update = found[1].lower() == "update"
            columns = _find_columns(sql[found.end() :]) if is_update else None
            yield RowWrite(_strip(found[2]), columns)


def _find_columns(rest: str) -> frozenset[str] | None:
    assigned = _SET.search(rest)
    if assigned is None or _SEVERAL.search(assigned[1]):
        return None
    return frozenset(_ASSIGNED.findall(assigned[1])) or None


def _strip(name: str) -> str:
    return name.rpartition(".")[2].strip().strip('"')
