"""Expected beside actual, with what differs marked: pure, and bounded in work.

What both begin and end with is set aside first. What is left is compared word by word where it is
short, line by line where it is long, and is marked as a whole beyond that: a page of hundreds of
differences stays quick whatever somebody writes into a view.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

from markupsafe import Markup, escape

from monitor.web.wording import LINE, reveal, reveal_lines, write_value

MAX_WORK: Final = 10_000
"""Pairs of words, or of lines, that are compared with each other."""

MAX_TEXT: Final = 10_000
"""Characters of a value that a page shows, from a little before the first that differs."""

_BEFORE: Final = 500

_WORDS: Final = re.compile(r"\s+|\w+|[^\w\s]")
_LINES: Final = re.compile(r"[^\n]*\n|[^\n]+")

type _Span = tuple[str, bool]
"""A text, and whether it differs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of two values.

    Attributes:
        text: with marks; None for nothing.
        is_block: whether it is long, and scrolls on its own.
    """

    text: Markup | None
    is_block: bool


def mark_sides(expected: Any, actual: Any) -> tuple[Side, Side]:
    """Both values as a page shows them, marked where one has what the other lacks.

    Two values that have no word in common differ altogether: nothing of them is marked.
    """
    texts = [write_value(value) for value in (expected, actual)]
    blocks = [text is not None and ("\n" in text or len(text) > LINE) for text in texts]
    texts = _cut(*texts)
    shown = [
        None if text is None else reveal_lines(text) if block else reveal(text)
        for text, block in zip(texts, blocks, strict=True)
    ]
    one, other = shown
    marked = [None if text is None else escape(text) for text in shown]
    if one is not None and other is not None:
        spans = find_spans(one, other)
        if spans is not None:
            marked = [_write(spans[0], "gone"), _write(spans[1], "new")]
    return Side(text=marked[0], is_block=blocks[0]), Side(text=marked[1], is_block=blocks[1])


def _cut(one: str | None, other: str | None) -> list[str | None]:
    """Both texts, from the same place on, so long that what differs first is seen."""
    if max(len(one or ""), len(other or "")) <= MAX_TEXT:
        return [one, other]
    alike = _find_difference(one or "", other or "")
    begin = alike - _BEFORE if alike > MAX_TEXT - _BEFORE else 0
    return [None if text is None else _take(text, begin) for text in (one, other)]


def _find_difference(one: str, other: str) -> int:
    """Where two texts part; in halves, for they may be long."""
    least, most = 0, min(len(one), len(other))
    while least < most:
        middle = (least + most + 1) // 2
        if one[least:middle] == other[least:middle]:
            least = middle
        else:
            most = middle - 1
    return least


def _take(text: str, begin: int) -> str:
    taken = text[begin : begin + MAX_TEXT]
    before = f"… {begin} characters that are the same …\n" if begin else ""
    left = len(text) - begin - len(taken)
    return before + taken + (f"\n… {left} more characters" if left > 0 else "")


def find_spans(one: str, other: str) -> tuple[list[_Span], list[_Span]] | None:
    """Both texts in parts that are the same and parts that differ; None when all of it does."""
    ours, theirs = _WORDS.findall(one), _WORDS.findall(other)
    begin = _count_alike(ours, theirs)
    end = _count_alike(ours[begin:][::-1], theirs[begin:][::-1])
    middle = ours[begin : len(ours) - end], theirs[begin : len(theirs) - end]
    left, right = _compare(*middle)
    before, after = "".join(ours[:begin]), "".join(ours[len(ours) - end :])
    whole = ([(before, False), *left, (after, False)], [(before, False), *right, (after, False)])
    same = "".join(text for text, differs in whole[0] if not differs)
    return whole if re.search(r"\w", same) else None


def _count_alike(ours: Sequence[str], theirs: Sequence[str]) -> int:
    pairs = zip(ours, theirs, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(ours), len(theirs)))


def _compare(ours: list[str], theirs: list[str]) -> tuple[list[_Span], list[_Span]]:
    if len(ours) * len(theirs) > MAX_WORK:
        ours, theirs = (_LINES.findall("".join(parts)) for parts in (ours, theirs))
    if len(ours) * len(theirs) > MAX_WORK:
        return [("".join(ours), True)], [("".join(theirs), True)]
    steps = SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes()
    left = [("".join(ours[a:b]), step != "equal") for step, a, b, _, _ in steps]
    right = [("".join(theirs[c:d]), step != "equal") for step, _, _, c, d in steps]
    return left, right


def _write(spans: Sequence[_Span], kind: str) -> Markup:
    return Markup("").join(_write_spans(spans, kind))


def _write_spans(spans: Sequence[_Span], kind: str) -> Iterator[Markup]:
    for text, differs in spans:
        if text:
            mark = Markup('<mark class="{}">{}</mark>')
            yield mark.format(kind, text) if differs else escape(text)
