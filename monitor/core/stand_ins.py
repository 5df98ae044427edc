"""Stand-ins for what a text names and no snapshot holds.

A collation, a text search configuration and a base type are only counted in a snapshot. A text
that names one of somebody's own can be read where there is something of that name: two spellings
of it become the same where they mean the same, whatever it does. What the stand-in cannot do,
as the operators of a base type, leaves the text unproven.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import Value
from monitor.core.quoting import quote_ident
from monitor.core.snapshot import SchemaObject
from monitor.core.spelling import list_names

type Place = tuple[str, str]
"""A schema, and a name in it."""

_NAME: Final = r'(?:"(?:[^"]|"")+"|\w+)'
_PLACE: Final = rf"({_NAME}\.{_NAME})"
_LITERAL: Final = r"'((?:[^']|'')*)'"

_MADE: Final[Mapping[str, str]] = {
    "collation": 'CREATE COLLATION {} FROM "C"',
    "configuration": "CREATE TEXT SEARCH CONFIGURATION {} (COPY = pg_catalog.simple)",
    "dictionary": "CREATE TEXT SEARCH DICTIONARY {} (TEMPLATE = pg_catalog.simple)",
    "type": "CREATE TYPE {} AS ENUM ()",
}
"""What stands in; of what is there already, the server refuses to make another one."""

_MENTIONS: Final[Mapping[str, re.Pattern[str]]] = {
    "collation": re.compile(rf"\bCOLLATE {_PLACE}"),
    "configuration": re.compile(rf"{_LITERAL}::(?:pg_catalog\.)?regconfig\b"),
    "dictionary": re.compile(rf"{_LITERAL}::(?:pg_catalog\.)?regdictionary\b"),
}
"""How a text names one: https://www.postgresql.org/docs/current/textsearch-configuration.html"""


def list_stand_ins(
    items: Iterable[SchemaObject], known: Collection[tuple[str | None, str]]
) -> dict[tuple[str, Place], str]:
    """The statement for each thing that the objects name, by its sort and place.

    Args:
        items: what is to be made.
        known: where something is that a snapshot holds.
    """
    found = dict.fromkeys(pair for item in items for pair in _list_named(item))
    return {
        (sort, place): _MADE[sort].format(".".join(map(quote_ident, place)))
        for sort, place in found
        if not (sort == "type" and place in known)
    }


def _list_named(item: SchemaObject) -> Iterator[tuple[str, Place]]:
    for name, value in item.attributes.items():
        for text in _list_texts(value):
            if name in {"collation", "collations"}:
                yield from (("collation", place) for place in list_names(text))
            if name == "type" and item.key.kind is Kind.COLUMN:
                yield from (("type", place) for place in list_names(text))
            for sort, mention in _MENTIONS.items():
                for found in mention.findall(text):
                    yield from ((sort, place) for place in list_names(found.replace("''", "'")))


def _list_texts(value: Value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for part in value:
            yield from _list_texts(part)


def make_schema(name: str) -> SchemaObject:
    """A schema to put something in."""
    key = ObjectKey(kind=Kind.SCHEMA, schema=None, parent=None, name=name)
    return SchemaObject(key=key, attributes={})
