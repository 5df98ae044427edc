"""From catalog rows to a snapshot; pure, so that any driver may have fetched the rows.

rows         the shape of a row, and what numbers stand for
relations    tables, columns, sequences
constraints  keys, checks, exclusions, indexes
others       every kind whose attributes the statement returns as they are
assemble     owners, grants, comments and dependencies; the snapshot
"""

from monitor.core.decode.assemble import VersionTablePlace, decode, find_version_tables

__all__ = ["VersionTablePlace", "decode", "find_version_tables"]
