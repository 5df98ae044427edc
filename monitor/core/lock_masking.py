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
    r"\b(?:insert\s+into|(?<!\bon\s)update\s+[^;]*?\bset\b|delete\s+from|merge\s+into|copy)\b"
    r"|\bcreate\s+(?:\w+\s+)*table\b[^;]*\bas\b[\s(]*(?:select|with|values|table|execute)\b"
    r"|\balter\s+(?:role|user|database|system)\b[^;]*\bset\b",
    re.IGNORECASE,
)
"""In a rule, in a body, from a query, or into the settings of a role or a database."""
_SECRET: Final = re.compile(
    r"passw|secret|token|credential|(?:api|private|access|encryption|signing)_?key|user mapping",
    re.IGNORECASE,
)
_NUMBER: Final = re.compile(r"\.?[0-9]")
_ADDRESS: Final = re.compile(r"(?<=://)[^\s/@'\"]+(?=@)")
_HIDDEN: Final = "***"


def mask(sql: str) -> str:
    """The statement without comments, what it writes into rows, and what may be a secret.

    Of one that defines something, and writes no rows, numbers stay in any case.
    """
    bare = "".join(_blank_comments(sql))
    writes = bool(_WRITES.search(bare)) or not _only_defines(bare)
    if writes or _SECRET.search(bare):
        bare = "".join(_hide_literals(bare, with_numbers=writes))
    return _ADDRESS.sub(_HIDDEN, bare)


def _blank_comments(sql: str) -> Iterator[str]:
    for kind, start, end in read_tokens(sql):
        yield " " if kind == "comment" else sql[start:end]


def _only_defines(sql: str) -> bool:
    """Whether all that it consists of is DDL; also where it is nothing."""
    words = (_FIRST_WORD.match(one.text) for one in split_script(sql))
    return all(word is not None and word[1].lower() in _DEFINES for word in words)


def _hide_literals(sql: str, *, with_numbers: bool) -> Iterator[str]:
    for kind, start, end in read_tokens(sql):
        text = sql[start:end]
        if kind == "dollar" or (kind == "quoted" and not text.startswith('"')):
            yield f"'{_HIDDEN}'"
        elif with_numbers and kind == "other" and _NUMBER.match(text):
            yield _HIDDEN
        else:
            yield text
