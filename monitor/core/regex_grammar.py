"""Reads regular expressions: what can be searched for in bounded steps, and nothing else."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from monitor.core.errors import UsageError
from monitor.core.regex import Edge, Goal, Letter, Regex, Split, State

MAX_REGEX: Final = 500
"""Characters: what is longer is a program, and nobody can read it in a message."""
MAX_STATES: Final = 2_000
"""Of the pattern with its repetitions written out."""
LONGEST_COUNT: Final = 4
"""Digits of a repetition."""
MAX_DEPTH: Final = 30
"""Groups inside of groups."""

_CLASSES: Final = frozenset("dDwWsS")
_CONTROLS: Final = frozenset("nrtfv")
_EDGES: Final = {"b": "edge", "A": "start", "Z": "end"}
_PLACES: Final = {"^": "start", "$": "last"}
_COUNTS: Final = re.compile(r"\{([0-9]*)(,?)([0-9]*)\}")
_HEX: Final = re.compile(r"x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}")
_AMBIGUOUS: Final = re.compile(r"\[|--|&&|\|\||~~")


class _Series(NamedTuple):
    parts: tuple["_Node", ...]


class _Choice(NamedTuple):
    ways: tuple["_Node", ...]


class _Repeat(NamedTuple):
    node: "_Node"
    least: int
    most: int | None


type _Node = Letter | Edge | _Series | _Choice | _Repeat


@lru_cache(maxsize=512)
def parse_regex(text: str, *, ignores_case: bool = False) -> Regex:
    """The pattern that a text stands for.

    Raises:
        UsageError: it stands for none, or for one that might take for ever.
    """
    if len(text) > MAX_REGEX:
        raise _refuse(f"it has more than {MAX_REGEX} characters")
    reader = _Reader(text, re.IGNORECASE if ignores_case else re.NOFLAG)
    node = reader.read_choice(0)
    if reader.place < len(text):
        raise _refuse('there is a ")" too many')
    return Regex(text, ignores_case, (*_write_states(node), Goal()))


def _refuse(reason: str) -> UsageError:
    return UsageError(
        f"A regular expression cannot be used: {reason}.",
        next_step="Letters, ., [a-z], \\d \\w \\s, ( | ), * + ? {2,5}, ^ and $ can be used, "
        "and a backslash before what means itself.",
    )


class _Reader:
    def __init__(self, text: str, flags: re.RegexFlag) -> None:
        self.text = text
        self.flags = flags
        self.place = 0

    def peek(self) -> str:
        return self.text[self.place : self.place + 1]

    def take(self) -> str:
        letter = self.peek()
        self.place += 1
        return letter

    def read_choice(self, depth: int) -> _Node:
        if depth > MAX_DEPTH:
            raise _refuse("its groups are nested too deeply")
        ways = [self.read_series(depth)]
        while self.peek() == "|":
            self.take()
            ways.append(self.read_series(depth))
        return ways[0] if len(ways) == 1 else _Choice(tuple(ways))

    def read_series(self, depth: int) -> _Node:
        parts: list[_Node] = []
        while self.peek() not in ("", "|", ")"):
            parts.append(self.read_repeat(self.read_atom(depth)))
        return _Series(tuple(parts))

    def read_repeat(self, node: _Node) -> _Node:
        counts = self.read_counts()
        if counts is None:
            return node
        if isinstance(node, Edge):
            raise _refuse("a place such as ^ is repeated")
        if self.peek() == "?":  # as few as possible: the same for whether it matches
            self.take()
        if self.peek() in ("*", "+", "?") or self.read_counts() is not None:
            raise _refuse("a repetition is repeated")
        return _Repeat(node, *counts)

    def read_counts(self) -> tuple[int, int | None] | None:
        simple = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(self.peek())
        if simple is not None:
            self.take()
            return simple
        found = _COUNTS.match(self.text, self.place)
        if found is None or not any(found.groups()):
            return None
        self.place = found.end()
        if max(len(found[1]), len(found[3])) > LONGEST_COUNT:
            raise _refuse("its repetitions are too many")
        least = int(found[1] or 0)
        if not found[2]:
            return least, least
        most = int(found[3]) if found[3] else None
        if most is not None and most < least:
            raise _refuse("a repetition ends before it begins")
        return least, most

    def read_atom(self, depth: int) -> _Node:
        letter = self.take()
        if letter == "(":
            return self.read_group(depth)
        if letter == "[":
            return self.read_class()
        if letter == "\\":
            return self.read_escape()
        if letter in ("*", "+", "?") or self.begins_count():
            raise _refuse(f"there is nothing that {letter} repeats")
        if letter in _PLACES:
            return Edge(_PLACES[letter])
        return self.make_letter("." if letter == "." else re.escape(letter))

    def begins_count(self) -> bool:
        """Whether the letter that was taken begins a repetition such as {2,5}."""
        found = _COUNTS.match(self.text, self.place - 1)
        return found is not None and any(found.groups())

    def make_letter(self, source: str) -> Letter:
        try:
            return Letter(re.compile(source, self.flags))
        except re.error as error:
            raise _refuse(f"{error.msg}, {source}") from None

    def read_group(self, depth: int) -> _Node:
        if self.peek() == "?":
            if self.text[self.place : self.place + 2] != "?:":
                raise _refuse("it looks around, or names a group")
            self.place += 2
        node = self.read_choice(depth + 1)
        if self.take() != ")":
            raise _refuse('a ")" is missing')
        return node

    def read_escape(self) -> _Node:
        source = self.take_escape()
        kind = _EDGES.get(source[1:])
        return Edge(kind) if kind else self.make_letter(source)

    def take_escape(self) -> str:
        """What stands behind a backslash, with it."""
        if found := _HEX.match(self.text, self.place):
            self.place = found.end()
            return f"\\{found[0]}"
        letter = self.take()
        is_known = letter in _CLASSES or letter in _CONTROLS or letter in _EDGES
        if letter and (is_known or not letter.isalnum()):
            return f"\\{letter}"
        raise _refuse(f"\\{letter} means nothing here" if letter else "it ends with a backslash")

    def read_class(self) -> _Node:
        begin = self.place
        if self.peek() == "^":
            self.take()
        is_first = True
        while is_first or self.peek() != "]":
            is_first = False
            letter = self.take()
            if not letter:
                raise _refuse('a "]" is missing')
            if letter == "\\" and self.take_escape()[1:] in _EDGES:
                raise _refuse("a place stands inside of [ ]")
        inside = self.text[begin : self.place]
        self.take()
        if _AMBIGUOUS.search(re.sub(r"\\.", "", inside)):
            raise _refuse("inside of [ ] write a backslash before [, -, &, | and ~")
        return self.make_letter(f"[{inside}]")


def _write_states(node: _Node) -> list[State]:
    states: list[State] = []
    _extend(states, node)
    return states


def _extend(states: list[State], node: _Node) -> None:
    if len(states) > MAX_STATES:
        raise _refuse("its repetitions are too many")
    match node:
        case Letter() | Edge():
            states.append(node)
        case _Series():
            for part in node.parts:
                _extend(states, part)
        case _Choice():
            _extend_choice(states, node)
        case _Repeat():
            _extend_repeat(states, node)


def _extend_choice(states: list[State], choice: _Choice) -> None:
    fork = len(states)
    states.append(Split(()))
    begins, ends = [], []
    for way in choice.ways:
        begins.append(len(states))
        _extend(states, way)
        ends.append(len(states))
        states.append(Split(()))
    states[fork] = Split(tuple(begins))
    for end in ends:
        states[end] = Split((len(states),))


def _extend_repeat(states: list[State], repeat: _Repeat) -> None:
    for _ in range(repeat.least):
        before = len(states)
        _extend(states, repeat.node)
        if len(states) == before:
            break  # nothing, however often: to write it out would only take time
    if repeat.most is None:
        fork = len(states)
        states.append(Split(()))
        _extend(states, repeat.node)
        states.append(Split((fork,)))
        states[fork] = Split((fork + 1, len(states)))
        return
    forks = []
    for _ in range(repeat.most - repeat.least):
        forks.append(len(states))
        states.append(Split(()))
        _extend(states, repeat.node)
    for fork in forks:
        states[fork] = Split((fork + 1, len(states)))
