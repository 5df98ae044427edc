"""Names, signatures and lists as SQL has them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from monitor.core.keys import ObjectKey
from monitor.core.quoting import quote_ident
from monitor.core.snapshot import SchemaObject


class Surroundings(NamedTuple):
    """What the statement of one object takes from others.

    Attributes:
        columns: schema and name of a table -> its columns in physical order.
        domains: schema and name of each domain: a check belongs to one or to a table.
    """

    columns: Mapping[tuple[str | None, str], Sequence[SchemaObject]]
    domains: frozenset[tuple[str | None, str]]


class Signature(NamedTuple):
    """A routine's name, and the types of the arguments that identify it."""

    name: str
    types: str


def split_signature(text: str) -> Signature:
    """``f(integer, "my (type)")`` in its two parts; either may hold anything in quotes.

    Read from the end: what stands in the parentheses are types, whose quotes are balanced.
    """
    is_quoted = False
    for place in range(len(text) - 1, -1, -1):
        if text[place] == '"':
            is_quoted = not is_quoted
        elif text[place] == "(" and not is_quoted:
            return Signature(text[:place], text[place + 1 : -1])
    return Signature(text, "")


def name(key: ObjectKey) -> str:
    """The object's qualified name."""
    return qualify(key.schema, key.name)


def name_parent(key: ObjectKey) -> str:
    """The qualified name of what the object hangs on."""
    return qualify(key.schema, key.parent or "")


def qualify(schema: str | None, text: str) -> str:
    """A name with its schema, where it has one."""
    return quote_ident(text) if schema is None else f"{quote_ident(schema)}.{quote_ident(text)}"


def list_idents(names: Iterable[str]) -> str:
    """Names, quoted, with commas between them."""
    return ", ".join(map(quote_ident, names))


def join(*words: str | None) -> str:
    """Words with spaces between them; those that are empty or None are left out."""
    return " ".join(word for word in words if word)


def when(condition: Any, words: str) -> str | None:
    """The words where something holds."""
    return words if condition else None


def write_options(options: Mapping[str, Any]) -> str:
    """``NAME = value`` for each option that has one."""
    return ", ".join(f"{word} = {value}" for word, value in options.items() if value is not None)
