"""Patterns that people write for objects: `table:public.audit_*`, `column:*.*."odd.name"`.

A pattern is a kind, a colon and the parts of a name, with dots between them. Each
part is matched with one part of the key, so that a dot inside of a name never
counts as one between names. In a part `*`, `?` and `[abc]` mean what they mean to
a shell; a part in double quotes means itself, and `""` in it is a quote. Letters
are not folded. A last part `*` stands for all parts that are left.
"""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final, NamedTuple

from monitor.core.errors import UsageError
from monitor.core.keys import Kind, ObjectKey

ANYTHING: Final = "*"
"""The pattern for every object, and for what is no object."""

MAX_PATTERN: Final = 32_768
"""Characters: a function with the most arguments that there can be, of types with long names."""

_EXAMPLE: Final = "Write it like table:public.users, index:app.* or column:*.*.legacy_*."
_WILD: Final = re.compile(r"[*?\[]")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_$-]+")
_PART: Final = re.compile(r'"((?:[^"]|"")+)"(?=\.|\Z)|([^".]+)(?=\.|\Z)', re.DOTALL)


class _Part(NamedTuple):
    text: str
    is_literal: bool


def _matches(part: _Part, name: str) -> bool:
    return name == part.text if part.is_literal else fnmatchcase(name, part.text)


_REST: Final = _Part("*", is_literal=False)


class ObjectPattern(NamedTuple):
    """A pattern, taken apart.

    Attributes:
        kinds: those that are meant; None for everything, no object included.
        parts: one for each part of the name; the last one may stand for the rest.
    """

    kinds: frozenset[Kind] | None
    parts: tuple[_Part, ...] = ()

    def matches(self, key: ObjectKey | None) -> bool:
        """Whether an object is meant; None stands for the database as a whole."""
        if self.kinds is None:
            return True
        if key is None or key.kind not in self.kinds:
            return False
        names, parts = list_names(key), self.parts
        if len(names) < len(parts) or (len(names) > len(parts) and parts[-1] != _REST):
            return False
        return all(map(_matches, parts, names))


def list_names(key: ObjectKey) -> tuple[str, ...]:
    """The parts of its name, from the schema on, without those that it does not have."""
    return tuple([part for part in (key.schema, key.parent, key.name) if part is not None])


@lru_cache(maxsize=4096)
def parse_pattern(text: str) -> ObjectPattern:
    """The pattern that a text stands for.

    Raises:
        UsageError: it stands for none.
    """
    if len(text) > MAX_PATTERN:
        raise UsageError(
            f"A pattern for objects has more than {MAX_PATTERN} characters.", next_step=_EXAMPLE
        )
    if text == ANYTHING:
        return ObjectPattern(None)
    kind, colon, path = text.partition(":")
    if not colon or not path:
        raise UsageError("A pattern for objects names no kind or no object.", next_step=_EXAMPLE)
    return ObjectPattern(_read_kinds(kind), tuple(_read_parts(path)))


def _read_kinds(word: str) -> frozenset[Kind]:
    kinds = frozenset(kind for kind in Kind if fnmatchcase(kind.value, word))
    if kinds:
        return kinds
    near = get_close_matches(word.lower().replace(" ", "_"), list(Kind), n=1, cutoff=0.5)
    raise UsageError(
        "A pattern for objects begins with a word that is no kind of object.",
        next_step=f"Did you mean {near[0]}?" if near else "docs/kinds.md lists the kinds.",
    )


def _read_parts(path: str) -> Iterator[_Part]:
    place = 0
    while True:
        found = _PART.match(path, place)
        if found is None:
            raise UsageError(
                "A pattern for objects has an empty part, or a quote in the middle of one.",
                next_step='Write a part with dots or quotes in double quotes, table:public."a.b", '
                "and each quote in it twice.",
            )
        quoted, bare = found.groups()
        yield _Part(quoted.replace('""', '"'), is_literal=True) if quoted else _read_bare(bare)
        place = found.end()
        if place == len(path):
            return
        place += 1


def _read_bare(text: str) -> _Part:
    return _Part(text, is_literal=not _WILD.search(text))


def write_pattern(key: ObjectKey | None) -> str:
    """The pattern that matches this object and no other one of its kind."""
    if key is None:
        return ANYTHING
    return f"{key.kind.value}:{'.'.join(map(_quote, list_names(key)))}"


def _quote(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'
