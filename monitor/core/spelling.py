"""One meaning, several spellings: what can be told from two texts alone.

The server writes the same expression in several ways, depending on how it came to be: typed,
restored from a dump, or carried along when a column's type changed. Some of these are plain
synonyms and are equal at once. Of other texts it is certain that they differ, for no spelling
changes a literal, a name or an operator. What is left only a server can tell, which reads both
and writes them anew (`monitor.core.probes`).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from monitor.core.keys import Kind
from monitor.core.kinds import Value
from monitor.core.parameters import PARAMETERS, mean_the_same

TEXTS: Final[Mapping[Kind, frozenset[str]]] = {
    Kind.TABLE: frozenset({"partition_by", "partition_bound"}),
    Kind.COLUMN: frozenset({"default", "generated"}),
    Kind.CHECK: frozenset({"expression"}),
    Kind.EXCLUSION: frozenset({"definition"}),
    Kind.INDEX: frozenset({"expressions", "predicate"}),
    Kind.VIEW: frozenset({"definition"}),
    Kind.MATERIALIZED_VIEW: frozenset({"definition"}),
    Kind.RULE: frozenset({"definition"}),
    Kind.TRIGGER: frozenset({"definition"}),
    Kind.POLICY: frozenset({"using", "check"}),
    Kind.DOMAIN: frozenset({"default"}),
    Kind.FUNCTION: frozenset({"arguments", "body"}),
    Kind.PROCEDURE: frozenset({"arguments", "body"}),
    Kind.STATISTICS: frozenset({"expressions"}),
    Kind.PUBLICATION: frozenset({"tables"}),
}
"""Attributes that hold what the server wrote from an expression or a query of its own."""

QUERIES: Final = frozenset(
    {Kind.VIEW, Kind.MATERIALIZED_VIEW, Kind.RULE, Kind.FUNCTION, Kind.PROCEDURE}
)
"""Kinds whose texts name tables, so that a column may stand with its table or without."""

_STANDARD_BODY: Final = ("BEGIN ATOMIC", "RETURN ")
"""How a body starts that the server parsed; any other is kept as it was typed."""


def is_deparsed(kind: Kind, attribute: str, value: Value) -> bool:
    """Whether the server wrote this value from what it had parsed."""
    if attribute not in TEXTS.get(kind, ()):
        return False
    return attribute != "body" or str(value).startswith(_STANDARD_BODY)


def are_synonyms(kind: Kind, attribute: str, wanted: Value, found: Value) -> bool:
    """Whether two values are known to mean the same, whatever the server."""
    if attribute in PARAMETERS:
        return mean_the_same(wanted, found)
    if attribute not in TEXTS.get(kind, ()):
        return False
    if attribute == "partition_bound" and _are_same_lists(wanted, found):
        return True
    one, other = _take_apart(attribute, wanted), _take_apart(attribute, found)
    if one.frame != other.frame or not is_deparsed(kind, attribute, wanted):
        return False
    return [*map(unify, one.texts)] == [*map(unify, other.texts)]


def may_be_synonyms(kind: Kind, attribute: str, wanted: Value, found: Value) -> bool:
    """Whether only a server can tell that two values that differ mean something else."""
    if not (is_deparsed(kind, attribute, wanted) and is_deparsed(kind, attribute, found)):
        return False
    one, other = _take_apart(attribute, wanted), _take_apart(attribute, found)
    if one.frame != other.frame:
        return False
    is_query = kind in QUERIES
    return all(
        _may_equal(a, b, is_query=is_query)
        for a, b in zip(map(unify, one.texts), map(unify, other.texts), strict=True)
    )


class _Parts(NamedTuple):
    """A value as its texts, and all that is no text about it."""

    texts: list[str]
    frame: Value


def _take_apart(attribute: str, value: Value) -> _Parts:
    if isinstance(value, str):
        return _Parts([value], "text")
    if not isinstance(value, list):
        return _Parts([], value)
    if attribute != "tables":
        return _Parts([str(text) for text in value], len(value))
    # Schema, table, row filter and column list of each table of a publication.
    filters = [row[2] for row in value]
    frame: Value = [[*row[:2], row[2] is None, *row[3:]] for row in value]
    return _Parts([text for text in filters if text is not None], frame)


STRING: Final = r"E'(?:[^'\\]++|\\.|'')*+'|'(?:[^']++|'')*+'"
"""A literal, as a part of a pattern."""
QUOTED: Final = r'"(?:[^"]++|"")*+"'
"""A quoted name, as a part of a pattern."""

_LISTED: Final = re.compile(r"FOR VALUES IN \((.*)\)", re.DOTALL)
_VALUE: Final = re.compile(rf"{STRING}|[^\s,'][^,']*")


def _are_same_lists(wanted: Value, found: Value) -> bool:
    """Whether two partitions take the same values, in whatever order they were written."""
    bounds = [_LISTED.fullmatch(text) for text in (wanted, found) if isinstance(text, str)]
    lists = [sorted(_VALUE.findall(bound[1])) for bound in bounds if bound is not None]
    return len(lists) == len((wanted, found)) and lists[0] == lists[1]


_WHOLE_WORD: Final = r"(?<![\w$.\"])"
_FOLDED: Final[Mapping[str, str]] = {
    # https://www.postgresql.org/docs/current/functions-datetime.html#FUNCTIONS-DATETIME-CURRENT
    "CURRENT_TIMESTAMP": "now()",
    "transaction_timestamp()": "now()",
    "('now'::text)::timestamp with time zone": "now()",
    "('now'::text)::timestamp without time zone": "LOCALTIMESTAMP",
    "('now'::text)::date": "CURRENT_DATE",
    "('now'::text)::time with time zone": "CURRENT_TIME",
    "('now'::text)::time without time zone": "LOCALTIME",
    # https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SESSION
    "CURRENT_ROLE": "CURRENT_USER",
    "USER": "CURRENT_USER",
}
_FOLD: Final = re.compile(
    rf"""(?P<skipped>{STRING}|{QUOTED})
    | \((?P<literal>{STRING})::(?:text|character\ varying)\)
      ::(?P<type>(?:text|character\ varying)(?:\(\d+\))?)(?![\w\[])
    | {_WHOLE_WORD}(?P<word>{"|".join(map(re.escape, _FOLDED))})(?![\w$(\[])""",
    re.VERBOSE | re.DOTALL,
)


def unify(text: str) -> str:
    """The text with one word for each group of synonyms.

    A literal that is made a varchar and then a text is the literal as a text, and the
    other way round: both types read it alike, and neither cuts it off.
    """
    while (folded := _FOLD.sub(_fold, text)) != text:
        text = folded
    return text


def _fold(found: re.Match[str]) -> str:
    if found["skipped"] is not None:
        return found["skipped"]
    if found["literal"] is not None:
        return f"{found['literal']}::{found['type']}"
    return _FOLDED[found["word"]]


class _Marks(NamedTuple):
    """What no respelling changes."""

    literals: frozenset[str]
    operators: frozenset[str]
    names: frozenset[str]


_MARK: Final = re.compile(
    rf"""(?P<string>{STRING})
    | (?P<quoted>{QUOTED})
    | (?P<modifier>(?<=[\w"])\(\d+(?:,-?\d+)?\))
    | (?P<number>(?<![\w$])\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|(?<![\w$])\.\d+)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<cast>::)
    | (?P<operator>[+\-*/<>=~!@\#%^&|`?]+)""",
    re.VERBOSE | re.DOTALL,
)
_LOGIC: Final = frozenset({"AND", "OR", "NOT"})
_SILENT: Final = frozenset({"-", "+", "*"})
"""Signs: a negative number is written ``-1`` or ``'-1'::integer``; and ``count(*)``."""
_TYPE: Final = re.compile(
    "bigint|bit|boolean|bpchar|bytea|char|character|cidr|date|decimal|double|inet|integer|"
    "interval|json|jsonb|money|name|numeric|oid|precision|real|regclass|smallint|text|time|"
    "timestamp|timestamptz|uuid|varbit|varchar|varying|with|without|xml|zone"
)
"""Words of the types that casts come and go with."""


def _read_marks(text: str) -> _Marks:
    literals, operators, names = set[str](), set[str](), set[str]()
    for found in _MARK.finditer(text):
        token = found[0]
        match found.lastgroup:
            case "string":
                inner = token.removeprefix("E")[1:-1]
                literals.add(inner.removeprefix("-") if _is_number(inner) else inner)
            case "number":
                literals.add(token)
            case "operator" if token not in _SILENT:
                operators.add(token)
            case "quoted":
                names.add(token[1:-1])
            case "word" if token in _LOGIC:
                operators.add(token)
            # What is bare and in capitals is a word of SQL: a name would be quoted.
            case "word" if not token.isupper() and not _TYPE.fullmatch(token):
                names.add(token)
            case _:
                pass
    return _Marks(frozenset(literals), frozenset(operators), frozenset(names))


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdecimal()


def _may_equal(one: str, other: str, *, is_query: bool) -> bool:
    if one == other:
        return True
    a, b = _read_marks(one), _read_marks(other)
    if (a.literals, a.operators) != (b.literals, b.operators):
        return False
    # A table that a column is named with may be left out, on one of the sides.
    return a.names == b.names or (is_query and (a.names <= b.names or b.names <= a.names))


def list_names(text: str) -> Iterator[tuple[str, str]]:
    """Every ``schema.name`` that a text mentions, inside of literals too; some are none."""
    for found in _QUALIFIED.finditer(text):
        yield _plain(found[1]), _plain(found[2])


_IDENT: Final = r'(?<!")"(?:[^"]++|"")++"|[a-z_][a-z0-9_]*+'
_QUALIFIED: Final = re.compile(rf"({_IDENT})\.({_IDENT})")


def _plain(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
