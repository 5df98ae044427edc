"""Which rows the statements of a revision write, as far as their text tells.

Nothing in a schema shows it: whoever asks whether a revision ran, or what it does to older
code, has to be told. What cannot be told from the text counts as writing anything.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from monitor.core.script import read_tokens, split_script

_BLIND: Final = frozenset({"do", "call", "execute", "explain"})
"""What such a statement does is said elsewhere."""
_WRITING: Final = frozenset({"insert", "update", "delete", "merge", "truncate", "copy", "with"})
_READING: Final = frozenset({"select", "values", "with"})
_BEFORE_TABLE: Final = {
    "insert": "into",
    "delete": "from",
    "merge": "into",
    "update": "update",
    "truncate": "truncate",
    "copy": "copy",
}
_NOISE: Final = frozenset({"only", "table", "("})
_ENDS_SET: Final = frozenset({"from", "where", "returning"})
_GRAMMAR: Final = frozenset(
    [
        "all",
        "and",
        "any",
        "array",
        "as",
        "cast",
        "conflict",
        "exists",
        "filter",
        "from",
        "in",
        "not",
        "on",
        "or",
        "over",
        "row",
        "select",
        "set",
        "using",
        "values",
        "where",
    ]
)
"""Words that stand before a parenthesis and call nothing."""
_KNOWN: Final = frozenset(
    [
        "avg",
        "coalesce",
        "concat",
        "count",
        "current_setting",
        "currval",
        "extract",
        "format",
        "gen_random_uuid",
        "generate_series",
        "length",
        "lower",
        "max",
        "min",
        "nextval",
        "now",
        "nullif",
        "round",
        "setval",
        "string_agg",
        "substring",
        "sum",
        "trim",
        "upper",
        "version",
    ]
)
"""Functions that write no rows, and families of them."""
_KNOWN_KIND: Final = re.compile(r"(?:to_reg|pg_|jsonb?_|array_)\w+|has_\w+_privilege")


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
            yield from _read([*_list_words(part.text)])


def _list_words(sql: str) -> Iterator[str]:
    """The words, names and signs of a statement, as the server reads them."""
    for kind, start, end in read_tokens(sql):
        text = sql[start:end]
        if kind == "quoted" and text.startswith('"'):
            yield text[1:-1].replace('""', '"')
        elif kind == "word":
            yield text.lower()
        elif kind == "other":
            # The lexer takes .t for a number.
            yield from (".", text[1:].lower()) if text[0] == "." and text[1:] else (text,)


def _read(words: Sequence[str]) -> Iterator[RowWrite]:
    first = next((word for word in words if word != "("), "")
    if first in _BLIND:
        yield RowWrite(None)
    written = [*_list_written(words)] if first in _WRITING else []
    yield from written
    called = {*_list_calls(words)} - {write.table for write in written}
    if first in _READING | _WRITING and called:
        yield RowWrite(None)


def _list_written(words: Sequence[str]) -> Iterator[RowWrite]:
    for number, word in enumerate(words):
        if word in _BEFORE_TABLE and not _is_clause(words, number):
            yield from _read_write(word, words[number + 1 :])


def _is_clause(words: Sequence[str], number: int) -> bool:
    """Whether it is a word of another statement: FOR UPDATE, DO UPDATE, THEN UPDATE."""
    return words[number] == "update" and words[max(number - 1, 0)] in {"for", "do", "then", "key"}


def _read_write(word: str, rest: Sequence[str]) -> Iterator[RowWrite]:
    before = _BEFORE_TABLE[word]
    if before != word:
        if not rest or rest[0] != before:
            return
        rest = rest[1:]
    names, end = _read_names(rest, several=word == "truncate")
    columns = _find_columns(rest[end:]) if word == "update" else None
    if not names:
        yield RowWrite(None)
    for name in names:
        yield RowWrite(name, columns)


def _read_names(words: Sequence[str], *, several: bool) -> tuple[list[str], int]:
    """The last part of each name at the start, and how many words they take."""
    names: list[str] = []
    position = 0
    while position < len(words):
        if words[position] not in _NOISE:
            while [*words[position + 1 : position + 2]] == ["."]:
                position += 2
            names += words[position : position + 1]
            if not several or [*words[position + 1 : position + 2]] != [","]:
                return names, position + 1
            position += 1
        position += 1
    return names, position


def _find_columns(words: Sequence[str]) -> frozenset[str] | None:
    """What is assigned between SET and what comes after it, outside of all parentheses."""
    if "set" not in words:
        return None
    columns: set[str] = set()
    depth = 0
    begin = words.index("set") + 1
    for before, word in pairwise(words[begin - 1 :]):
        depth += (word == "(") - (word == ")")
        if depth == 0 and word in _ENDS_SET:
            break
        if depth == 0 and word == "=":
            if before == ")":  # several at once
                return None
            columns.add(before)
    return frozenset(columns) or None


def _list_calls(words: Sequence[str]) -> Iterator[str]:
    """Functions that may do anything."""
    for before, word in pairwise(words):
        is_harmless = before in _GRAMMAR | _KNOWN or _KNOWN_KIND.fullmatch(before)
        if word == "(" and before.isidentifier() and not is_harmless:
            yield before
