"""Reads expectations, letter by letter; see `monitor.core.expectation` for the grammar.

An error says at which character of the line, after what, and what would be right. It shows
no more of the line than paths and operators: a literal may be a secret.
"""

import json
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Final

from monitor.core.errors import UsageError
from monitor.core.expectation import (
    TEXTS,
    Duration,
    Expectation,
    Head,
    Kind,
    Literal,
    Operator,
    Path,
)
from monitor.core.expectation_sense import find_problem
from monitor.core.regex import Regex
from monitor.core.regex_grammar import parse_regex
from monitor.core.template import Reference, parse_template

MAX_LENGTH: Final = 1000
"""Characters: an expectation is one line that people read."""
MAX_PLACE: Final = 9_999_999
"""The last place of a list: a body has a million bytes."""

_SPACE: Final = re.compile(r"[ \t]*")
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_HEADER: Final = re.compile(r"[A-Za-z0-9_-]+")
_PLACE: Final = re.compile(r"[0-9]{1,7}(?![0-9])")
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_DURATION: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(ms|[smhd])(?![A-Za-z0-9_])")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,29})(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,3})?")
_NAMED: Final = re.compile(r"\{\{[ \t]*([a-z][a-z0-9_]{0,39})[ \t]*\}\}")
_BARE: Final = re.compile(r"[A-Za-z/*][^\s\"'(){}\[\],]*")
_SIGN: Final = re.compile(r"[=!<>~&|]+|[A-Za-z_]+")
_ENDS_WORD: Final = re.compile(r"[A-Za-z0-9_.+-]")
_CONSTANTS: Final = {"true": True, "false": False, "null": None}
_TAKES_BARE: Final = (Operator.EQUAL, Operator.UNEQUAL, Operator.CONTAINS)

_PATHS: Final = (
    "Begin with status, time, header.NAME, body, body.text, rows, tls.expires_in, redirect or "
    "len(...)."
)
_OPERATORS: Final = (
    "Write ==, !=, <, <=, >, >=, in, contains, matches, exists, absent or is behind the path."
)
_LITERALS: Final = (
    'Write "text", a number, true, false, null, a duration such as 800ms, or {{ name }}.'
)
_TYPES: Final = f"Write one of {', '.join(kind.value for kind in Kind)}."


@lru_cache(maxsize=1024)
def parse_expectation(text: str) -> Expectation:
    """The expectation that a line stands for.

    Raises:
        UsageError: it stands for none.
    """
    reader = _Reader(text)
    if len(text) > MAX_LENGTH:
        raise reader.refuse(f"it has more than {MAX_LENGTH} characters", "Write a shorter one.")
    if not text.isprintable():
        raise reader.refuse("it has a control character", 'Write it as an escape: "\\n".')
    found = reader.read()
    problem = find_problem(found)
    if problem is not None:
        raise reader.refuse(*problem)
    return found


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0

    def refuse(self, reason: str, next_step: str) -> UsageError:
        before = re.sub(r'"[^"]*"?', '"..."', self.text[: self.place].strip())[-60:]
        # Of a regular expression as little as of a text.
        before = re.sub(r"/.*", "/...", before)
        after = f" after `{before}`" if before else ""
        return UsageError(
            f"An expectation cannot be read at character {self.place + 1}{after}: {reason}.",
            next_step=next_step,
        )

    @contextmanager
    def locating(self) -> Iterator[None]:
        """Say of what is wrong inside of a literal where it stands."""
        try:
            yield
        except UsageError as error:
            reason = error.message.rstrip(".")
            raise self.refuse(reason[0].lower() + reason[1:], error.next_step) from None

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.text, self.place)
        if found is not None:
            self.place = found.end()
        return found

    def skip(self) -> None:
        self.match(_SPACE)

    def take(self, text: str) -> bool:
        is_there = self.text.startswith(text, self.place)
        self.place += len(text) if is_there else 0
        return is_there

    def require(self, text: str, next_step: str) -> None:
        self.skip()
        if not self.take(text):
            raise self.refuse(f'a "{text}" is missing', next_step)

    def read(self) -> Expectation:
        self.skip()
        is_length = self.take("len(")
        self.skip()
        path = self.read_path()
        if is_length:
            self.require(")", "Write len(body.items) >= 1.")
        self.skip()
        found = self.read_comparison(path, self.read_operator(), is_length=is_length)
        self.skip()
        if self.place < len(self.text):
            raise self.refuse(
                "there is more than one expectation",
                "Write each on a line of its own, and texts in double quotes.",
            )
        return found

    def read_path(self) -> Path:
        begin = self.place
        found = self.match(_WORD)
        word = found[0] if found else ""
        if word == "tls" and self.take(".expires_in"):
            return Path(Head.EXPIRY)
        match word:
            case "status" | "time" | "redirect":
                return Path(Head(word))
            case "header":
                return Path(Head.HEADER, (self.read_header(),))
            case "body":
                parts = self.read_parts()
                return Path(Head.TEXT) if parts == (".text",) else Path(Head.BODY, _strip(parts))
            case "rows":
                return Path(Head.ROWS, _strip(self.read_parts()))
        self.place = begin
        raise self.refuse("nothing that an answer has is named", _PATHS)

    def read_header(self) -> str:
        if not self.take(".") or not (found := self.match(_HEADER)):
            raise self.refuse("the name of a header is missing", "Write header.content-type.")
        return found[0].lower()

    def read_parts(self) -> tuple[str | int, ...]:
        """Places, and keys with a dot in front: `.text` alone means something else."""
        parts: list[str | int] = []
        while True:
            if self.take("."):
                found = self.match(_KEY)
                if found is None:
                    raise self.refuse("a key is missing", 'Write .name, [0] or ["any key"].')
                parts.append(f".{found[0]}")
            elif self.take("["):
                parts.append(self.read_bracket())
            else:
                return tuple(parts)

    def read_bracket(self) -> str | int:
        self.skip()
        part: str | int
        if found := self.match(_PLACE):
            part = int(found[0])
        elif self.text.startswith('"', self.place):
            # Never `.text`: the key of that name is reached this way.
            part = f"[{self.read_string()}"
        else:
            raise self.refuse("no place of a list, and no key", 'Write [0] or ["any key"].')
        self.require("]", 'Write [0] or ["any key"].')
        return part

    def read_string(self) -> str:
        found = self.match(_STRING)
        if found is None:
            raise self.refuse("a text does not end", 'Write " at its end, and \\" inside.')
        try:
            text = json.loads(found[0])
        except ValueError:
            text = None
        if not isinstance(text, str) or _has_halves(text):
            raise self.refuse(
                "a text has an escape that means nothing", 'Write \\\\ for \\, \\" for ".'
            )
        return text

    def read_operator(self) -> Operator:
        begin = self.place
        found = self.match(_SIGN)
        word = found[0] if found else ""
        if word in Operator:
            return Operator(word)
        self.place = begin
        if word == "=":
            raise self.refuse("= compares nothing", "Write == for the same.")
        raise self.refuse("no comparison is named", _OPERATORS)

    def read_comparison(self, path: Path, operator: Operator, *, is_length: bool) -> Expectation:
        literals: tuple[Literal, ...] = ()
        regex: Regex | None = None
        kind: Kind | None = None
        self.skip()
        match operator:
            case Operator.EXISTS | Operator.ABSENT:
                pass
            case Operator.IN:
                literals = self.read_list()
            case Operator.MATCHES:
                regex = self.read_regex()
            case Operator.IS:
                kind = self.read_kind()
            case _:
                is_text = path.head in TEXTS and operator in _TAKES_BARE
                takes_bare = (is_text or operator is Operator.CONTAINS) and not is_length
                literals = (self.read_literal(takes_bare=takes_bare),)
        return Expectation(path, operator, literals, is_length, regex, kind)

    def read_list(self) -> tuple[Literal, ...]:
        next_step = "Write in (200, 204)."
        self.require("(", next_step)
        literals: list[Literal] = []
        while True:
            self.skip()
            literals.append(self.read_literal(takes_bare=False))
            self.skip()
            if not self.take(","):
                break
        self.require(")", next_step)
        return tuple(literals)

    def read_regex(self) -> Regex:
        next_step = "Write matches /^[a-z]+$/, with \\/ for a slash inside."
        self.require("/", next_step)
        letters: list[str] = []
        while not self.take("/"):
            if self.take("\\/"):
                letters.append("/")
            elif self.place >= len(self.text):
                raise self.refuse("a regular expression does not end", next_step)
            else:
                size = 2 if self.text[self.place] == "\\" else 1
                letters.append(self.text[self.place : self.place + size])
                self.place += size
        with self.locating():
            return parse_regex("".join(letters), ignores_case=self.take("i"))

    def read_kind(self) -> Kind:
        begin = self.place
        found = self.match(_WORD)
        if found is None or found[0] not in Kind:
            self.place = begin
            raise self.refuse("no type is named", _TYPES)
        return Kind(found[0])

    def read_literal(self, *, takes_bare: bool) -> Literal:
        if self.text.startswith('"', self.place):
            text = self.read_string()
            with self.locating():
                return parse_template(text)
        if found := self.match(_NAMED):
            return Reference(found[1])
        begin = self.place
        if found := self.match(_DURATION):
            return Duration(float(found[1]), found[2])
        if (found := self.match(_NUMBER)) and not self._goes_on():
            return self.read_number(found)
        self.place = begin
        if (found := self.match(_WORD)) and found[0] in _CONSTANTS and not self._goes_on():
            return _CONSTANTS[found[0]]
        self.place = begin
        if takes_bare and (found := self.match(_BARE)):
            with self.locating():
                return parse_template(found[0])
        raise self.refuse(*self._explain_literal())

    def _goes_on(self) -> bool:
        return bool(_ENDS_WORD.match(self.text, self.place))

    def _explain_literal(self) -> tuple[str, str]:
        if self.place >= len(self.text):
            return "there is nothing to compare with", _LITERALS
        if self.text[self.place] == "'":
            return "a text stands in single quotes", 'Write it in double quotes: "text".'
        return "this is no literal", _LITERALS

    def read_number(self, found: re.Match[str]) -> int | float:
        if found[1] is None and found[2] is None:
            return int(found[0])
        number = float(found[0])
        if math.isinf(number):
            raise self.refuse("a number is too large", "Write a smaller one.")
        return number


def _strip(parts: tuple[str | int, ...]) -> tuple[str | int, ...]:
    return tuple(part[1:] if isinstance(part, str) else part for part in parts)


def _has_halves(text: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in text)
