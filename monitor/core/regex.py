"""Regular expressions that cannot hang: every search takes at most so many steps.

`re` goes back and tries again, so that a few letters such as `(a+)+$` can take it years on
a body that somebody else wrote, and it holds the whole process meanwhile. Here all ways
through the pattern are walked at once, letter by letter (Thompson, "Regular Expression
Search Algorithm", CACM 11/6, 1968), and the steps are counted. What that cannot do is
refused: references to groups and looking around. A single letter is still judged by `re`,
so that classes mean what they mean everywhere in Python.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from monitor.core.errors import UsageError

MAX_REGEX: Final = 500
"""Characters: what is longer is a program, and nobody can read it in a message."""
MAX_STATES: Final = 2_000
"""Of the pattern with its repetitions written out."""
MAX_STEPS: Final = 400_000
"""Of one search: about half a second, and then it is given up."""
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
_WORD: Final = re.compile(r"\w")


class _Letter(NamedTuple):
    """One letter that this pattern matches."""

    test: re.Pattern[str]


class _Edge(NamedTuple):
    """A place: ``start``, ``end``, ``last``, or the ``edge`` of a word."""

    kind: str


class _Series(NamedTuple):
    parts: tuple["_Node", ...]


class _Choice(NamedTuple):
    ways: tuple["_Node", ...]


class _Repeat(NamedTuple):
    node: "_Node"
    least: int
    most: int | None


type _Node = _Letter | _Edge | _Series | _Choice | _Repeat


class _Split(NamedTuple):
    ways: tuple[int, ...]


class _Goal(NamedTuple):
    """The pattern has matched."""


type _State = _Letter | _Edge | _Split | _Goal


class Regex(NamedTuple):
    """A pattern that can be searched for.

    Attributes:
        text: as it was written, without the slashes.
        ignores_case: whether `A` and `a` are the same.
        states: what it is made of.
    """

    text: str
    ignores_case: bool
    states: tuple[_State, ...]


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
    return Regex(text, ignores_case, (*_write_states(node), _Goal()))


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
        if isinstance(node, _Edge):
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
            return _Edge(_PLACES[letter])
        return self.make_letter("." if letter == "." else re.escape(letter))

    def begins_count(self) -> bool:
        """Whether the letter that was taken begins a repetition such as {2,5}."""
        found = _COUNTS.match(self.text, self.place - 1)
        return found is not None and any(found.groups())

    def make_letter(self, source: str) -> _Letter:
        try:
            return _Letter(re.compile(source, self.flags))
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
        return _Edge(kind) if kind else self.make_letter(source)

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


def _write_states(node: _Node) -> list[_State]:
    states: list[_State] = []
    _extend(states, node)
    return states


def _extend(states: list[_State], node: _Node) -> None:
    if len(states) > MAX_STATES:
        raise _refuse("its repetitions are too many")
    match node:
        case _Letter() | _Edge():
            states.append(node)
        case _Series():
            for part in node.parts:
                _extend(states, part)
        case _Choice():
            _extend_choice(states, node)
        case _Repeat():
            _extend_repeat(states, node)


def _extend_choice(states: list[_State], choice: _Choice) -> None:
    fork = len(states)
    states.append(_Split(()))
    begins, ends = [], []
    for way in choice.ways:
        begins.append(len(states))
        _extend(states, way)
        ends.append(len(states))
        states.append(_Split(()))
    states[fork] = _Split(tuple(begins))
    for end in ends:
        states[end] = _Split((len(states),))


def _extend_repeat(states: list[_State], repeat: _Repeat) -> None:
    for _ in range(repeat.least):
        before = len(states)
        _extend(states, repeat.node)
        if len(states) == before:
            break  # nothing, however often: to write it out would only take time
    if repeat.most is None:
        fork = len(states)
        states.append(_Split(()))
        _extend(states, repeat.node)
        states.append(_Split((fork,)))
        states[fork] = _Split((fork + 1, len(states)))
        return
    forks = []
    for _ in range(repeat.most - repeat.least):
        forks.append(len(states))
        states.append(_Split(()))
        _extend(states, repeat.node)
    for fork in forks:
        states[fork] = _Split((fork + 1, len(states)))


def search(regex: Regex, text: str) -> bool | None:
    """Whether the pattern matches anywhere in the text; None when `MAX_STEPS` do not tell."""
    return _Search(regex.states, text).run()


class _Search:
    def __init__(self, states: tuple[_State, ...], text: str) -> None:
        self.states = states
        self.text = text
        self.steps = 0

    def run(self) -> bool | None:
        current: set[int] = set()
        for place in range(len(self.text) + 1):
            reached = self._follow([0, *current], place)
            self.steps += len(reached)
            if self.steps > MAX_STEPS:
                return None
            letters = self.text[place : place + 1]
            following = []
            for number in reached:
                match self.states[number]:
                    case _Goal():
                        return True
                    case _Letter(test) if letters and test.match(letters):
                        following.append(number + 1)
            current = set(following)
        return False

    def _follow(self, waiting: list[int], place: int) -> set[int]:
        """Every state that can be reached without a letter."""
        reached: set[int] = set()
        while waiting:
            number = waiting.pop()
            if number not in reached:
                reached.add(number)
                waiting.extend(self._leave(number, place))
        return reached

    def _leave(self, number: int, place: int) -> Iterator[int]:
        match self.states[number]:
            case _Split(ways):
                yield from ways
            case _Edge(kind) if self._holds(kind, place):
                yield number + 1

    def _holds(self, kind: str, place: int) -> bool:
        end = len(self.text)
        match kind:
            case "start":
                return place == 0
            case "end":
                return place == end
            case "last":  # before a newline at the end as well, as in Python
                return place == end or (place == end - 1 and self.text[place] == "\n")
        around = (self.text[place - 1 : place] if place else "", self.text[place : place + 1])
        before, after = (bool(_WORD.match(letter)) for letter in around)
        return before != after
