"""Indexes that REINDEX CONCURRENTLY leaves behind when it fails."""

import re
from typing import Final

_LEFTOVER: Final = re.compile(r"_cc(?:new|old)[0-9]*\Z")


def is_leftover(name: str) -> bool:
    """Whether an invalid index of that name is what a failed REINDEX CONCURRENTLY left.

    ``_ccnew`` was to become the index, ``_ccold`` was it: the proper one is another.
    https://www.postgresql.org/docs/current/sql-reindex.html#SQL-REINDEX-CONCURRENTLY
    """
    return _LEFTOVER.search(name) is not None
