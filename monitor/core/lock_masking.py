"""Statements as a lock keeps them: without the values that they write, and without secrets.

A history may take a password from its environment and write it, or hand it to a function. Only
what defines an object keeps its literals, for they are what it defines: defaults, checks, labels.
"""

import re
from collections.abc import Iterator
from typing import Final

from monitor.core.script import read_tokens, split_script

_DEFINES: Final = frozenset({"alter", "comment", "create", "drop", "security"})
_FIRST_WORD: Final = re.compile(r"\W*(\w*)")
_WRITES: Final = re.compile(
    r"\s*create\s+(?:\w+\s+)*table\b[^;]*\bas\b[\s(]*(?:select|with|values|table|execute)\b"
    r"|\s*alter\s+(?:role|user|database|system)\b[^;]*\bset\b",
    re.IGNORECASE,
)
"""DDL that writes rows, or into the settings of a role or a database."""
_SECRET: Final = re.compile(
    r"passw|secret|token|credential|(?:api|private|access|encryption|signing)_?key|user mapping",
    re.IGNORECASE,
)
_NUMBER: Final = re.compile(r"\.?[0-9]")
_ADDRESS: Final = re.compile(r"(?<=://)[^\s/@'\"]+(?=@)")
_HIDDEN: Final = "***"


def mask(sql: str) -> str:
    """The statements without comments, what they write into rows, and what may be a secret.

    Each by itself: of several in one text some may define what the others fill. The bodies of
    functions and rules define them, whatever they write when they run.
    """
    bare = "".join(_blank_comments(sql))
    parts, done = [], 0
    for one in split_script(bare):
        parts += [bare[done : one.start], _mask_one(one.text)]
        done = one.end
    return _ADDRESS.sub(_HIDDEN, "".join((*parts, bare[done:])))


def _mask_one(sql: str) -> str:
    word = _FIRST_WORD.match(sql)
    defines = word is not None and word[1].lower() in _DEFINES
    writes = not defines or bool(_WRITES.match(sql))
    if writes or _SECRET.search(sql):
        return "".join(_hide_literals(sql, with_numbers=writes))
    return sql


def _blank_comments(sql: str) -> Iterator[str]:
    for kind, start, end in read_tokens(sql):
        yield " " if kind == "comment" else sql[start:end]


def _hide_literals(sql: str, *, with_numbers: bool) -> Iterator[str]:
    for kind, start, end in read_tokens(sql):
        text = sql[start:end]
        if kind == "dollar" or (kind == "quoted" and not text.startswith('"')):
            yield f"'{_HIDDEN}'"
        elif with_numbers and kind == "other" and _NUMBER.match(text):
            yield _HIDDEN
        else:
            yield text
