"""Statements as a lock keeps them: without the values that they write, and without secrets.

A history may take a password from its environment and write it. Whatever a statement writes into
rows is left out, and of others every literal where they speak of a secret.
"""

import re
from typing import Final

_WRITES: Final = re.compile(
    r"\b(?:insert\s+into|update\s+[^;]*?\bset|delete\s+from|merge\s+into|copy|values)\b"
    r"|\bcreate\s+(?:\w+\s+)*table\b[^;]*\bas\b|\bdo\b\s*(?:language\b|\$|'|E')",
    re.IGNORECASE,
)
"""Anywhere: behind a comment, in a second statement, in a block."""
_SECRET: Final = re.compile(
    r"passw|secret|token|credential|api_?key|private_?key|access_?key|user mapping", re.IGNORECASE
)
_LITERAL: Final = re.compile(
    r"E'(?:[^'\\]++|\\.|'')*+'|'(?:[^']++|'')*+'|\$(\w*)\$.*?\$\1\$", re.DOTALL | re.IGNORECASE
)
_ADDRESS: Final = re.compile(r"(?<=://)[^\s/@'\"]+(?=@)")
_HIDDEN: Final = "'***'"


def mask(sql: str) -> str:
    """The statement without what it writes into rows, and without what may be a secret."""
    if _WRITES.search(sql) or _SECRET.search(sql):
        return _LITERAL.sub(_HIDDEN, sql)
    return _ADDRESS.sub("***", sql)
