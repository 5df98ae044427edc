"""Texts with `{{ name }}` in them, and nothing else: no expressions, no filters.

A template is taken apart when the configuration is read. What a name stands for is put in
when a step runs, by somebody who knows where the text goes to: a value never becomes a
part of the syntax around it.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from monitor.core.errors import UsageError

type Scalar = str | int | float | bool | None
type Json = Scalar | list[Json] | dict[str, Json]
type Filled = Scalar | Template | list[Filled] | dict[str, Filled]
"""JSON whose texts are templates; its keys are plain."""

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_REFERENCE: Final = re.compile(r"\{\{[ \t]*([a-z][a-z0-9_]{0,39})[ \t]*\}\}")


class Reference(msgspec.Struct, frozen=True):
    """A name in a template."""

    name: str


class Template(msgspec.Struct, frozen=True):
    """A text, taken apart at its names."""

    parts: tuple[str | Reference, ...]

    @property
    def names(self) -> frozenset[str]:
        """The names in it."""
        return frozenset(part.name for part in self.parts if isinstance(part, Reference))

    @property
    def alone(self) -> str | None:
        """The name that is all of it; None when it is more, or less."""
        match self.parts:
            case (Reference(name),):
                return name
        return None

    def render(self, write: Callable[[str], str]) -> str:
        """The text, with what `write` makes of each name."""
        return "".join(
            write(part.name) if isinstance(part, Reference) else part for part in self.parts
        )

    def __str__(self) -> str:
        """As it is written."""
        return self.render(lambda name: f"{{{{ {name} }}}}")


def parse_template(text: str) -> Template:
    """The template that a text stands for.

    Raises:
        UsageError: it has a `{{` that begins no name.
    """
    parts: list[str | Reference] = []
    end = 0
    for found in _REFERENCE.finditer(text):
        parts += [_check(text[end : found.start()]), Reference(found[1])]
        end = found.end()
    parts.append(_check(text[end:]))
    return Template(tuple(part for part in parts if part != ""))


def _check(text: str) -> str:
    if "{{" in text:
        raise UsageError(
            "A {{ begins no name.",
            next_step="Write {{ name }}, with a name of a to z, 0 to 9 and _.",
        )
    return text


def parse_json(value: Json) -> Filled:
    """The same, with its texts as templates; raises as `parse_template` does."""
    match value:
        case str():
            return parse_template(value)
        case list():
            return [parse_json(item) for item in value]
        case dict():
            return {key: parse_json(item) for key, item in value.items()}
    return value


def list_names(value: Filled) -> Iterator[str]:
    """The names in it."""
    match value:
        case Template():
            yield from value.names
        case list():
            for item in value:
                yield from list_names(item)
        case dict():
            for item in value.values():
                yield from list_names(item)


def fill(value: Filled, look_up: Callable[[str], Scalar]) -> Json:
    """The JSON, with a value for each name.

    A text that is nothing but one name becomes its value, a number as a number; in a
    longer text it is written as text.
    """
    match value:
        case Template():
            if value.alone is not None:
                return look_up(value.alone)
            return value.render(lambda name: write_scalar(look_up(name)))
        case list():
            return [fill(item, look_up) for item in value]
        case dict():
            return {key: fill(item, look_up) for key, item in value.items()}
    return value


def write_scalar(value: Scalar) -> str:
    """A value as text: texts as they are, all others as JSON has them."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
