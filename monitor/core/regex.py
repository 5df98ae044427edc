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
from typing import Final, NamedTuple

MAX_STEPS: Final = 400_000
"""Of one search: about half a second, and then it is given up."""

_WORD: Final = re.compile(r"\w")


class Letter(NamedTuple):
    """One letter that this pattern matches."""

    test: re.Pattern[str]


class Edge(NamedTuple):
    """A place: ``start``, ``end``, ``last``, or the ``edge`` of a word."""

    kind: str


class Split(NamedTuple):
    """Several ways to go on."""

    ways: tuple[int, ...]


class Goal(NamedTuple):
    """The pattern has matched."""


type State = Letter | Edge | Split | Goal


class Regex(NamedTuple):
    """A pattern that can be searched for.

    Attributes:
        text: as it was written, without the slashes.
        ignores_case: whether `A` and `a` are the same.
        states: what it is made of.
    """

    text: str
    ignores_case: bool
    states: tuple[State, ...]


def search(regex: Regex, text: str) -> bool | None:
    """Whether the pattern matches anywhere in the text; None when `MAX_STEPS` do not tell."""
    return _Search(regex.states, text).run()


class _Search:
    def __init__(self, states: tuple[State, ...], text: str) -> None:
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
                    case Goal():
                        return True
                    case Letter(test) if letters and test.match(letters):
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
            case Split(ways):
                yield from ways
            case Edge(kind) if self._holds(kind, place):
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
