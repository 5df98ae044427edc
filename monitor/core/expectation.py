"""What a smoke test expects, in a line: `status == 201`, `body.id exists`, `time < 800ms`.

    expectation := (path | len(path)) comparison
    path        := status | time | redirect | header.NAME | tls.expires_in | body.text
                 | body part*  | rows part*          part := .NAME | [NUMBER] | ["any key"]
    comparison  := (== | != | < | <= | > | >= | contains) literal
                 | in (literal, ...) | matches /REGEX/ | exists | absent | is TYPE
    literal     := "text" | number | true | false | null | 800ms | {{ name }}

`header.NAME contains`, `==` and `!=` take a text without quotes as well, where it cannot be
taken for another literal. Values are compared with their types: "200" is not 200.
"""

import json
from enum import StrEnum
from typing import Final

import msgspec

from monitor.core.regex import Regex
from monitor.core.template import Reference, Scalar, Template


class Head(StrEnum):
    """What a path begins with."""

    STATUS = "status"
    TIME = "time"
    REDIRECT = "redirect"
    HEADER = "header"
    EXPIRY = "tls.expires_in"
    TEXT = "body.text"
    BODY = "body"
    ROWS = "rows"


class Operator(StrEnum):
    """How a value is compared."""

    EQUAL = "=="
    UNEQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="
    IN = "in"
    CONTAINS = "contains"
    MATCHES = "matches"
    EXISTS = "exists"
    ABSENT = "absent"
    IS = "is"


class Kind(StrEnum):
    """The types of values, as JSON has them."""

    STRING = "string"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    NULL = "null"
    LIST = "list"
    OBJECT = "object"


ORDERS: Final = (Operator.LESS, Operator.AT_MOST, Operator.MORE, Operator.AT_LEAST)
DURATIONS: Final = (Head.TIME, Head.EXPIRY)
"""Paths whose value is a time, in seconds."""
TEXTS: Final = (Head.HEADER, Head.REDIRECT, Head.TEXT)
"""Paths whose value is always a text."""
HTTP: Final = frozenset(Head) - {Head.TIME, Head.ROWS}
"""Paths that only an HTTP step has; `rows` is that of SQL steps."""


class Path(msgspec.Struct, frozen=True):
    """Where a value is.

    Attributes:
        head: what of the answer.
        parts: keys and places inside of it; of a header its name in lower case.
    """

    head: Head
    parts: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        """As it is written."""
        if self.head is Head.HEADER:
            return f"header.{self.parts[0]}"
        if self == _KEY_TEXT:
            return 'body["text"]'
        return self.head.value + "".join(map(_write_part, self.parts))


_KEY_TEXT: Final = Path(Head.BODY, ("text",))
"""`body.text` is the whole body as text."""


def _write_part(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if is_plain_key(part) else f"[{write_text(part)}]"


def is_plain_key(key: str) -> bool:
    """Whether a key can stand behind a dot."""
    return key.isascii() and key.replace("-", "_").isidentifier() and key[0] != "-"


class Duration(msgspec.Struct, frozen=True):
    """A time as a literal: a number and a unit."""

    number: float
    unit: str

    @property
    def seconds(self) -> float:
        """The same in seconds."""
        return self.number * UNITS[self.unit]

    def __str__(self) -> str:
        """As it is written."""
        return f"{self.number:.15g}{self.unit}"


UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

type Literal = Template | Reference | Duration | int | float | bool | None
"""What is compared with: a text (a template, filled in later), a name, or a plain value."""


class Expectation(msgspec.Struct, frozen=True):
    """One expectation.

    Attributes:
        path: what is looked at.
        operator: how.
        literals: what it is compared with: one for most operators, several for `in`.
        is_length: whether the length of the value is meant.
        regex: of `matches`.
        kind: of `is`.
    """

    path: Path
    operator: Operator
    literals: tuple[Literal, ...] = ()
    is_length: bool = False
    regex: Regex | None = None
    kind: Kind | None = None

    @property
    def names(self) -> frozenset[str]:
        """The names of templates in it."""
        return frozenset().union(*map(_list_names, self.literals))

    @property
    def subject(self) -> str:
        """What is compared."""
        return f"len({self.path})" if self.is_length else str(self.path)

    def __str__(self) -> str:
        """As it is written; what `parse_expectation` reads back as the same."""
        return f"{self.subject} {self.operator.value}{self._write_operand()}"

    def _write_operand(self) -> str:
        if self.operator is Operator.IN:
            return f" ({', '.join(map(write_literal, self.literals))})"
        if self.regex is not None:
            text = self.regex.text.replace("/", "\\/")
            return f" /{text}/{'i' if self.regex.ignores_case else ''}"
        words = [*map(write_literal, self.literals), *([self.kind.value] if self.kind else [])]
        return "".join(f" {word}" for word in words)


def _list_names(literal: Literal) -> frozenset[str]:
    match literal:
        case Template():
            return literal.names
        case Reference():
            return frozenset({literal.name})
    return frozenset()


def write_literal(literal: Literal) -> str:
    """A literal as it is written."""
    match literal:
        case Template():
            return write_text(str(literal))
        case Reference(name):
            return f"{{{{ {name} }}}}"
        case Duration():
            return str(literal)
    return json.dumps(literal)


def write_text(text: str) -> str:
    """A text in quotes; with escapes where it holds what cannot be seen."""
    return json.dumps(text, ensure_ascii=not text.isprintable())


def find_kind(value: object) -> Kind:
    """The type of a value; an integer is a number."""
    match value:
        case None:
            return Kind.NULL
        case bool():
            return Kind.BOOLEAN
        case int() | float():
            return Kind.NUMBER
        case str():
            return Kind.STRING
        case list():
            return Kind.LIST
    return Kind.OBJECT


def equal(one: object, other: Scalar) -> bool:
    """Whether two values are the same, type and all."""
    return find_kind(one) is find_kind(other) and one == other
