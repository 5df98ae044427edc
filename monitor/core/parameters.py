"""Storage parameters, which the server keeps as they were typed: ``off`` and ``false`` are one.

Only of parameters of PostgreSQL itself is it known how they are read; what an extension's
access method takes is text.
"""

import re
from typing import Final

from monitor.core.kinds import Value

PARAMETERS: Final = frozenset({"options", "toast_options", "opclass_options"})
"""Attributes that hold them, as ``name=value``, whatever the kind of object."""

# https://www.postgresql.org/docs/current/sql-createtable.html#SQL-CREATETABLE-STORAGE-PARAMETERS
_FLAGS: Final = frozenset(
    {
        "autosummarize",
        "autovacuum_enabled",
        "deduplicate_items",
        "fastupdate",
        "security_barrier",
        "security_invoker",
        "user_catalog_table",
        "vacuum_index_cleanup",
        "vacuum_truncate",
    }
)
_WORDS: Final = frozenset({"buffering", "check_option"})
_NUMBERS: Final = frozenset(
    {
        "effective_io_concurrency",
        "false_positive_rate",
        "fillfactor",
        "gin_pending_list_limit",
        "log_autovacuum_min_duration",
        "maintenance_io_concurrency",
        "n_distinct",
        "n_distinct_inherited",
        "n_distinct_per_range",
        "numranges",
        "pages_per_range",
        "parallel_workers",
        "random_page_cost",
        "seq_page_cost",
        "siglen",
        "toast_tuple_target",
        "vacuum_max_eager_freeze_failure_rate",
        "values_per_range",
    }
)
_NUMBERS_START: Final = "autovacuum_"
"""All of these but the flag are numbers."""

_BOOLEANS: Final = {
    True: ("true", "yes", "on", "1"),
    False: ("false", "no", "off", "0"),
}
_AMBIGUOUS: Final = ("", "o")
# With a nought in front an integer is octal to the server.
_NUMBER: Final = re.compile(
    r"[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE
)


def mean_the_same(wanted: Value, found: Value) -> bool:
    """Whether two lists of parameters come to the same, in whatever words and order."""
    if not isinstance(wanted, list) or not isinstance(found, list):
        return False
    return fold_spellings(wanted) == fold_spellings(found)


def fold_spellings(value: Value) -> Value:
    """A value that is equal for all spellings; of an operator class, its number stays in front."""
    if isinstance(value, list):
        return sorted(map(fold_spellings, value), key=repr)
    return _read_parameter(value) if isinstance(value, str) else value


def _read_parameter(text: str) -> list[Value]:
    name, _, value = text.partition("=")
    return [name, _read_value(name, value)]


def _read_value(name: str, text: str) -> Value:
    if name in _FLAGS:
        flag = _read_flag(text)
        return text.lower() if flag is None else flag
    if name in _WORDS:
        return text.lower()
    if name in _NUMBERS or name.startswith(_NUMBERS_START):
        return float(text) if _NUMBER.fullmatch(text) else text
    return text


def _read_flag(text: str) -> bool | None:
    """As the server does (`parse_bool`): by the first letters, where they fit one word only."""
    word = text.lower()
    if word in _AMBIGUOUS:
        return None
    for flag, words in _BOOLEANS.items():
        if any(one.startswith(word) for one in words):
            return flag
    return None
