"""Holds expectations against an answer: what is wrong, with the value beside the expectation.

Pure. What an answer holds is hostile text: it is masked before it is cut, and cut before it
is told.
"""

import json
from collections.abc import Callable
from typing import Final

import msgspec

from monitor.core.expectation import (
    DURATIONS,
    Duration,
    Expectation,
    Kind,
    Literal,
    Operator,
    Path,
    equal,
    find_kind,
)
from monitor.core.expectation_facts import Facts, Found, Missing, look_up, name_kind
from monitor.core.printing import cut
from monitor.core.regex import MAX_STEPS, Regex, search
from monitor.core.template import Json, Reference, Scalar, Template, write_scalar

MAX_SHOWN: Final = 200
"""Characters of a value in a message."""
MAX_SEARCHED: Final = 65_536
"""Characters of a text in which a regular expression is looked for."""

type LookUp = Callable[[str], Scalar]
type Show = Callable[[str], str]


def judge(expectation: Expectation, facts: Facts, names: LookUp, show: Show) -> str | None:
    """What is wrong, in a sentence; None when the expectation holds.

    Args:
        expectation: what should hold.
        facts: what came.
        names: gives the value of a name.
        show: hides secrets in a text.

    Raises:
        StepFailed: a name has no value, or the body cannot be read.
    """
    found = look_up(expectation.path, facts)
    literals = tuple(_fill(literal, names) for literal in expectation.literals)
    problem = _compare(expectation, found, literals)
    if problem is None:
        return None
    told = f"{_write(expectation, literals)}, but {_Words(expectation.path, show).tell(problem)}."
    return show(told)


class _Is(msgspec.Struct, frozen=True):
    """The value is another one, or of another type than this one."""

    value: Json
    instead_of: Kind | None = None


class _Because(msgspec.Struct, frozen=True):
    """Something that is said as it is."""

    reason: str


type _Problem = _Is | _Because


def _fill(literal: Literal, names: LookUp) -> Scalar:
    match literal:
        case Template():
            return literal.render(lambda name: write_scalar(names(name)))
        case Reference(name):
            return names(name)
        case Duration():
            return literal.seconds
    return literal


def _write(expectation: Expectation, literals: tuple[Scalar, ...]) -> str:
    """The expectation, with what its names stand for."""
    if not expectation.names:
        return str(expectation)
    pairs = zip(expectation.literals, literals, strict=True)
    plain = tuple(Template((v,)) if isinstance(v, str) else v for _, v in pairs)
    return str(msgspec.structs.replace(expectation, literals=plain))


def _compare(
    expectation: Expectation, found: Found, literals: tuple[Scalar, ...]
) -> _Problem | None:
    is_missing = isinstance(found, Missing)
    match expectation.operator:
        case Operator.ABSENT:
            return None if isinstance(found, Missing) else _Is(found)
        case Operator.EXISTS if not is_missing:
            return None
    if isinstance(found, Missing):
        return _Because(found.reason)
    if not expectation.is_length:
        return _compare_value(expectation, found, literals)
    if isinstance(found, str | list | dict):
        return _compare_value(expectation, len(found), literals)
    return _Because(f"{expectation.path} is {name_kind(find_kind(found))} and has no length")


def _compare_value(
    expectation: Expectation, value: Json, literals: tuple[Scalar, ...]
) -> _Problem | None:
    if expectation.kind is not None:
        return None if _is_kind(value, expectation.kind) else _Is(value, expectation.kind)
    if expectation.regex is not None:
        return _match(value, expectation.regex)
    return _hold(expectation.operator, value, literals)


def _is_kind(value: Json, kind: Kind) -> bool:
    if kind is Kind.INTEGER:
        is_whole = isinstance(value, float) and value.is_integer()
        return is_whole or (isinstance(value, int) and not isinstance(value, bool))
    return find_kind(value) is kind


def _match(value: Json, regex: Regex) -> _Problem | None:
    if not isinstance(value, str):
        return _Is(value, Kind.STRING)
    if len(value) > MAX_SEARCHED:
        return _Because(f"a text of {len(value)} characters is too long for a search")
    is_found = search(regex, value)
    if is_found is None:
        return _Because(f"the search was given up after {MAX_STEPS} steps")
    return None if is_found else _Is(value)


def _hold(operator: Operator, value: Json, literals: tuple[Scalar, ...]) -> _Problem | None:
    (first, *_) = literals
    match operator:
        case Operator.EQUAL | Operator.IN:
            holds = any(equal(value, literal) for literal in literals)
        case Operator.UNEQUAL:
            return _Is(value) if equal(value, first) else None
        case Operator.CONTAINS:
            return _contain(value, first)
        case _:
            return _order(operator, value, first)
    kinds = {find_kind(literal) for literal in literals}
    other = None if find_kind(value) in kinds else find_kind(first)
    return None if holds else _Is(value, other)


def _contain(value: Json, literal: Scalar) -> _Problem | None:
    match value:
        case str():
            if not isinstance(literal, str):
                return _Is(value, Kind.LIST)
            holds = literal in value
        case list():
            holds = any(equal(item, literal) for item in value)
        case dict():
            holds = isinstance(literal, str) and literal in value
        case _:
            return _Because(f"it is {name_kind(find_kind(value))}, which contains nothing")
    return None if holds else _Is(value)


def _order(operator: Operator, value: Json, literal: Scalar) -> _Problem | None:
    # A boolean is an int to Python, and no number to anybody else.
    if find_kind(value) is not Kind.NUMBER or not isinstance(value, int | float):
        return _Is(value, Kind.NUMBER)
    if find_kind(literal) is not Kind.NUMBER or not isinstance(literal, int | float):
        return _Because(f"what it is compared with is {name_kind(find_kind(literal))}")
    match operator:
        case Operator.LESS:
            holds = value < literal
        case Operator.AT_MOST:
            holds = value <= literal
        case Operator.MORE:
            holds = value > literal
        case _:
            holds = value >= literal
    return None if holds else _Is(value)


class _Words(msgspec.Struct, frozen=True):
    path: Path
    show: Show

    def tell(self, problem: _Problem) -> str:
        match problem:
            case _Because(reason):
                return self.cut(self.show(reason))
            case _Is(value, kind):
                told = f"it is {self.write(value)}"
                other = find_kind(value)
                is_fraction = kind is Kind.INTEGER and other is Kind.NUMBER
                if kind is None or other is kind or is_fraction:
                    return told
                what = "" if value is None else f", {name_kind(other)}"
                return f"{told}{what} and not {name_kind(kind)}"

    def write(self, value: Json) -> str:
        if self.path.head in DURATIONS and isinstance(value, float):
            return write_seconds(value)
        if isinstance(value, str):
            # Masked before it is escaped, and once more as a part of the whole.
            return self.cut(self.show(json.dumps(self.show(value), ensure_ascii=False)))
        return self.cut(self.show(json.dumps(self.hide(value), ensure_ascii=False)))

    def hide(self, value: Json) -> Json:
        """The same with its texts masked: escaped, a secret might not be known any more."""
        match value:
            case str():
                return self.show(value)
            case list():
                return [self.hide(item) for item in value[:MAX_SHOWN]]
            case dict():
                return {self.show(key): self.hide(item) for key, item in value.items()}
        return value

    def cut(self, text: str) -> str:
        return cut(text, MAX_SHOWN)


def write_seconds(seconds: float) -> str:
    """``812ms``, ``2.5s``, ``13.2d``: a time as expectations have it."""
    if abs(seconds) < 1:
        return f"{seconds * 1000:.0f}ms"
    if abs(seconds) < 3600:  # noqa: PLR2004  # an hour
        return f"{seconds:.3g}s" if abs(seconds) < 100 else f"{seconds:.0f}s"  # noqa: PLR2004
    return f"{seconds / 86400:.1f}d"
