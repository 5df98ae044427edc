"""Values that come out differently at each build: what a third build could have made of them."""

import re
from collections.abc import Callable
from itertools import takewhile
from typing import Final

from monitor.core.kinds import Value


def is_alike_to_both(one: Value, other: Value, live: Value) -> bool:
    """Whether it is what both are, or what a third build could have come out as."""
    return live == one if one == other else is_like(one, other, live)


_DAY = r"\d{4}[-/.]\d\d?[-/.]\d\d?"
_TIME = r"\d\d?:\d\d(?::\d\d(?:\.\d+)?)?(?:\s?[+-]\d\d(?::?\d\d)?)?"
_MOMENT: Final = re.compile(rf"{_DAY}(?:[ T]{_TIME})?|{_TIME}")
"""A day, a time or both: of two moments the year or the day may be the same by chance."""
_WORDS: Final = re.compile(rf"{_MOMENT.pattern}|\d+\.\d+|\w+|\W")
_DIGITS: Final = re.compile(r"[\da-fA-F.]+")
"""A number, or a piece of a UUID or a digest: which of them nobody can tell."""


def is_like(one: Value, other: Value, live: Value) -> bool:
    """Whether a third build could have come out as ``live`` where these two differ.

    What both say is said by it as well: where they are of different length, that is how they
    begin and how they end.
    """
    if live is None:
        return one is None or other is None
    if isinstance(one, str) and isinstance(other, str) and isinstance(live, str):
        words = [*map(_WORDS.findall, (one, other, live))]
        # Where one moment differs, so may all: the end of this month is no later one's.
        is_timed = any(a != b and _are(_MOMENT, a, b) for a, b in zip(*words[:2], strict=False))
        return _are_like(_is_time_like if is_timed else _is_word_like, *words)
    if isinstance(one, list) and isinstance(other, list) and isinstance(live, list):
        return _are_like(is_alike_to_both, one, other, live)
    return one != other or live == one


def _are_like[T](
    is_item: Callable[[T, T, T], bool], one: list[T], other: list[T], live: list[T]
) -> bool:
    if len(one) == len(other):
        return len(live) == len(one) and all(map(is_item, one, other, live))
    begin, end = _measure_common(one, other)
    return (
        len(live) >= begin + end
        and live[:begin] == one[:begin]
        and live[len(live) - end :] == one[len(one) - end :]
    )


def _measure_common[T](one: list[T], other: list[T]) -> tuple[int, int]:
    """How many items both begin with, and how many of the others both end with."""
    begin = len([*takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))])
    rest = zip(reversed(one[begin:]), reversed(other[begin:]), strict=False)
    return begin, len([*takewhile(lambda pair: pair[0] == pair[1], rest)])


def _is_time_like(one: str, other: str, live: str) -> bool:
    return _are(_MOMENT, one, other, live) or _is_word_like(one, other, live)


def _is_word_like(one: str, other: str, live: str) -> bool:
    if one == other:
        return live == one
    for shape in (_MOMENT, _DIGITS):
        if _are(shape, one, other):
            return _are(shape, live)
    return live.isalnum() or "_" in live


def _are(shape: re.Pattern[str], *words: str) -> bool:
    return all(map(shape.fullmatch, words))


def make_typical(one: Value, other: Value) -> tuple[Value, Value]:
    """Two values that differ where these two do, and say nothing of when they were built.

    What is like the two that are given is like the two that come of it.
    """
    ours, theirs = _find_typical(one, other)
    return (ours, theirs) if all(is_like(ours, theirs, v) for v in (one, other)) else (one, other)


def _find_typical(one: Value, other: Value) -> tuple[Value, Value]:
    if isinstance(one, str) and isinstance(other, str):
        ours, theirs = _spell(_WORDS.findall(one), _WORDS.findall(other))
        return "".join(ours), "".join(theirs)
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = [_leave_equal(a, b) for a, b in zip(one, other, strict=True)]
        return [a for a, _ in pairs], [b for _, b in pairs]
    return None, _NUMBERS[1]  # anything goes


_DAYS: Final = ("2000-01-01", "2001-02-03")
_TIMES: Final = ("00:00:00", "11:11:11")
_NUMBERS: Final = ("0", "1")
_WORD: Final = ("x", "y")


def _leave_equal(one: Value, other: Value) -> tuple[Value, Value]:
    return (one, other) if one == other else make_typical(one, other)


def _spell(one: list[str], other: list[str]) -> tuple[list[str], list[str]]:
    if len(one) == len(other):
        is_timed = any(a != b and _are(_MOMENT, a, b) for a, b in zip(one, other, strict=True))
        pairs = [_typify(a, b, is_timed=is_timed) for a, b in zip(one, other, strict=True)]
        return [a for a, _ in pairs], [b for _, b in pairs]
    begin, end = _measure_common(one, other)
    middle = "".join(one[begin : len(one) - end])
    ours = _write_moment(middle, 0) if _are(_MOMENT, middle) else _NUMBERS[0]
    around = one[:begin], one[len(one) - end :]
    return [*around[0], ours, *around[1]], [*around[0], f"{_NUMBERS[1]} 1", *around[1]]


def _typify(one: str, other: str, *, is_timed: bool) -> tuple[str, str]:
    if _are(_MOMENT, one, other) and (is_timed or one != other):
        return _write_moment(one, 0), _write_moment(one, 1)
    if one == other:
        return one, other
    return _NUMBERS if _are(_DIGITS, one, other) else _WORD


def _write_moment(word: str, number: int) -> str:
    has_day, has_time = re.match(_DAY, word), ":" in word
    parts = (_DAYS[number] if has_day else "", _TIMES[number] if has_time else "")
    return " ".join(filter(None, parts))
