"""Holds expectations against an answer: what is wrong, with the value beside the expectation.

Pure. What an answer holds is hostile text: it is masked before it is cut, and cut before it
is told.
"""

import json
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from monitor.core.errors import StepFailed
from monitor.core.expectation import (
    DURATIONS,
    Duration,
    Expectation,
    Head,
    Kind,
    Literal,
    Operator,
    Path,
    equal,
    find_kind,
)
from monitor.core.regex import MAX_STEPS, Regex, search
from monitor.core.template import Json, Reference, Scalar, Template, write_scalar

MAX_SHOWN: Final = 200
"""Characters of a value in a message."""
MAX_SEARCHED: Final = 65_536
"""Characters of a text in which a regular expression is looked for."""

MAX_DEPTH: Final = 100
"""Lists and objects inside of each other."""

type LookUp = Callable[[str], Scalar]
type Show = Callable[[str], str]


class Unreadable(msgspec.Struct, frozen=True):
    """A body that is no JSON, and why: `is empty`."""

    reason: str


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a step.

    Attributes:
        seconds: how long it took, from a clock that nobody sets.
        status: the code of an HTTP answer; None for SQL.
        headers: with names in lower case.
        redirect: where the answer sends us, if it does.
        text: the body as text.
        body: the body as JSON.
        expires_in: seconds until the certificate ends; None without TLS.
        rows: what a query returned; None for HTTP.
    """

    seconds: float
    status: int | None = None
    headers: Mapping[str, str] = {}
    redirect: str | None = None
    text: str | None = None
    body: Json | Unreadable = None
    expires_in: float | None = None
    rows: list[Json] | None = None


class Missing(msgspec.Struct, frozen=True):
    """There is no value, and why: `body has no "id"`."""

    reason: str


type Found = Json | Missing


def read_body(data: bytes) -> Json | Unreadable:
    """The JSON of a body: RFC 8259, with nothing before or behind it."""
    if not data.strip():
        return Unreadable("is empty")
    try:
        value: Json = msgspec.json.decode(data)
    except RecursionError:
        return Unreadable("is nested too deeply")
    except UnicodeDecodeError:
        return Unreadable("is not UTF-8")
    except msgspec.DecodeError:
        return Unreadable("is no JSON")
    return Unreadable("is nested too deeply") if _is_deep(value) else value


def _is_deep(value: Json) -> bool:
    """Whether what walks through it by calling itself might not come back."""
    level: list[Json] = [value]
    for _ in range(MAX_DEPTH):
        inside: list[Json] = []
        for item in level:
            if isinstance(item, list | dict):
                inside += item if isinstance(item, list) else item.values()
        if not inside:
            return False
        level = inside
    return True


def look_up(path: Path, facts: Facts) -> Found:
    """The value at a path.

    Raises:
        StepFailed: the path leads into a body that is no JSON; reason `body`.
    """
    match path.head:
        case Head.BODY:
            return _descend("body", _require_json(facts, path), path.parts)
        case Head.ROWS:
            return _descend("rows", facts.rows, path.parts)
        case Head.HEADER:
            name = str(path.parts[0])
            return facts.headers.get(name, Missing(f"there is no header {name}"))
    value, reason = {
        Head.STATUS: (facts.status, "there is no status"),
        Head.TIME: (facts.seconds, ""),
        Head.REDIRECT: (facts.redirect, "it is no redirect"),
        Head.EXPIRY: (facts.expires_in, "the answer did not come over TLS"),
        Head.TEXT: (facts.text, "there is no body"),
    }[path.head]
    return Missing(reason) if value is None else value


def _require_json(facts: Facts, path: Path) -> Json:
    if isinstance(facts.body, Unreadable):
        raise StepFailed(
            f"The body {facts.body.reason}, and {path} is asked of it.",
            next_step="Look at what the address answers, or use body.text.",
            reason="body",
        )
    return facts.body


def _descend(place: str, value: Json, parts: tuple[str | int, ...]) -> Found:
    for part in parts:
        match value, part:
            case dict(), str():
                if part not in value:
                    return Missing(f"{place} has no {json.dumps(part)}")
                value = value[part]
            case list(), int():
                if part >= len(value):
                    return Missing(f"{place} has {_count(len(value), 'item')}")
                value = value[part]
            case _:
                return Missing(f"{place} is {_name(find_kind(value))}")
        place = str(Path(Head.BODY, (part,))).replace("body", place, 1)
    return value


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _name(kind: Kind) -> str:
    if kind is Kind.NULL:
        return "null"
    return f"{'an' if kind.value[0] in 'aeio' else 'a'} {kind.value}"


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
    return _Because(f"{expectation.path} is {_name(find_kind(found))} and has no length")


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
            return _Because(f"it is {_name(find_kind(value))}, which contains nothing")
    return None if holds else _Is(value)


def _order(operator: Operator, value: Json, literal: Scalar) -> _Problem | None:
    # A boolean is an int to Python, and no number to anybody else.
    if find_kind(value) is not Kind.NUMBER or not isinstance(value, int | float):
        return _Is(value, Kind.NUMBER)
    if find_kind(literal) is not Kind.NUMBER or not isinstance(literal, int | float):
        return _Because(f"what it is compared with is {_name(find_kind(literal))}")
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
                what = "" if value is None else f", {_name(other)}"
                return f"{told}{what} and not {_name(kind)}"

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
        return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


def write_seconds(seconds: float) -> str:
    """``812ms``, ``2.5s``, ``13.2d``: a time as expectations have it."""
    if abs(seconds) < 1:
        return f"{seconds * 1000:.0f}ms"
    if abs(seconds) < 3600:  # noqa: PLR2004  # an hour
        return f"{seconds:.3g}s" if abs(seconds) < 100 else f"{seconds:.0f}s"  # noqa: PLR2004
    return f"{seconds / 86400:.1f}d"
