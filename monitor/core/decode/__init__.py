"""From catalog rows to a snapshot; pure, so that any driver may have fetched the rows.

rows         the shape of a row, and what numbers stand for
relations    tables, columns, sequences
constraints  keys, checks, exclusions, indexes
others       every kind whose attributes the statement returns as they are
texts        what is read apart, and how long it holds
activity     what other sessions do meanwhile
assemble     owners, grants, comments and dependencies; the snapshot
"""

from monitor.core.decode.assemble import (
    Draft,
    VersionTablePlace,
    decode,
    find_moment,
    find_version_tables,
)
from monitor.core.decode.texts import (
    EXPRESSIONS,
    PASSING,
    QUERIES,
    KnownTexts,
    hash_rows,
    read_texts,
)

__all__ = [
    "EXPRESSIONS",
    "PASSING",
    "QUERIES",
    "Draft",
    "KnownTexts",
    "VersionTablePlace",
    "decode",
    "find_moment",
    "find_version_tables",
    "hash_rows",
    "read_texts",
]
