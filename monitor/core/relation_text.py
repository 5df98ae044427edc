"""Relations as people write them: `orders.user_id -> users.id`, `app.a(x, y) -> app.b(x, y)`.

A table is `table` or `schema.table`, `public` where no schema is named; a column follows after a
dot, several in parentheses. A name with anything but letters, digits, `_` and `$` stands in
double quotes, with each quote in it twice. Letters are not folded.
"""

import re
from typing import Final, NamedTuple

from monitor.core.condition import require_condition
from monitor.core.errors import UsageError
from monitor.core.homes import Home
from monitor.core.keys import Kind, ObjectKey
from monitor.core.relation import Origin, Relation

MAX_RELATION: Final = 4000
"""Characters: dozens of the longest names that there can be."""

_NAME: Final = r'(?:"(?:[^"\0]|"")+"|[\w$]+)'
_SIDE: Final = re.compile(
    rf"\s*({_NAME}(?:\s*\.\s*{_NAME}){{0,2}})\s*(?:\(\s*({_NAME}(?:\s*,\s*{_NAME})*)\s*\))?\s*"
)
_WORD: Final = re.compile(_NAME)
_PLAIN: Final = re.compile(r"[\w$]+")
_SCHEMA: Final = "public"
_EXAMPLE: Final = (
    "Write it like orders.user_id -> users.id, or app.a(x, y) -> app.b(x, y); a name with "
    'other signs in double quotes: "a.b".id.'
)


class Side(NamedTuple):
    """A table and some of its columns."""

    table: Home
    columns: tuple[str, ...]


def parse_relation(text: str, *, where: str = "", is_reverse: bool = False) -> Relation:
    """The relation that a text stands for.

    Args:
        text: child and parent.
        where: a condition on the rows that are counted.
        is_reverse: whether each parent has to have a child, instead.

    Raises:
        UsageError: it stands for none, or the condition is not one.
    """
    if len(text) > MAX_RELATION:
        raise UsageError(
            f"A relation has more than {MAX_RELATION} characters.", next_step=_EXAMPLE
        )
    sides = [*map(_read_side, _split(text))]
    child, parent = reversed(sides) if is_reverse else sides
    if len(child.columns) != len(parent.columns):
        raise UsageError(
            f"A relation has {len(child.columns)} columns on one side and "
            f"{len(parent.columns)} on the other.",
            next_step=_EXAMPLE,
        )
    schema, table = child.table
    name = f"{_write_columns(child)} -> {_write_side(parent)}"
    return Relation(
        key=ObjectKey(kind=Kind.FOREIGN_KEY, schema=schema, parent=table, name=name),
        origin=Origin.CONFIGURED,
        child=child.table,
        columns=child.columns,
        parent=parent.table,
        referenced=parent.columns,
        where=require_condition(where.strip()),
        with_heirs=True,
    )


def write_relation(relation: Relation) -> str:
    """The text that a relation is parsed from, of a foreign key as well."""
    child = _write_side(Side(relation.child, relation.columns))
    return f"{child} -> {_write_side(Side(relation.parent, relation.referenced))}"


def parse_side(text: str) -> Side:
    """A table with columns, as one side of a relation names them.

    Raises:
        UsageError: it names none.
    """
    if len(text) > MAX_RELATION:
        raise _refuse()
    return _read_side(text)


def _split(text: str) -> tuple[str, str]:
    """The two sides; an arrow in a quoted name divides nothing."""
    bare = _WORD.sub(lambda found: "x" * len(found[0]), text)
    if bare.count("->") != 1:
        raise _refuse()
    place = bare.index("->")
    return text[:place], text[place + len("->") :]


def _read_side(part: str) -> Side:
    found = _SIDE.fullmatch(part)
    if found is None:
        raise _refuse()
    names = [*map(_read_name, _WORD.findall(found[1]))]
    if found[2] is not None:
        columns = tuple(map(_read_name, _WORD.findall(found[2])))
    else:
        columns = (names.pop(),)
    match names:
        case [table]:
            return Side((_SCHEMA, table), columns)
        case [schema, table]:
            return Side((schema, table), columns)
        case _:
            raise _refuse()


def _refuse() -> UsageError:
    """Without the text: it may be a secret that was written into the wrong line."""
    return UsageError("That is no relation.", next_step=_EXAMPLE)


def _read_name(word: str) -> str:
    return word[1:-1].replace('""', '"') if word.startswith('"') else word


def _write_side(side: Side) -> str:
    schema, table = side.table
    return f"{_write_name(schema or '')}.{_write_name(table)}{_write_columns(side)}"


def _write_columns(side: Side) -> str:
    return f"({', '.join(map(_write_name, side.columns))})"


def _write_name(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'
