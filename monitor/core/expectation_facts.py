"""What came of a step, and how a path finds its way in it."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from monitor.core.errors import StepFailed
from monitor.core.expectation import Head, Kind, Path, find_kind
from monitor.core.template import Json

MAX_DEPTH: Final = 100
"""Lists and objects inside of each other."""


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
        certificate_ends: that moment.
        rows: what a query returned; None for HTTP.
    """

    seconds: float
    status: int | None = None
    headers: Mapping[str, str] = {}
    redirect: str | None = None
    text: str | None = None
    body: Json | Unreadable = None
    expires_in: float | None = None
    certificate_ends: datetime | None = None
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
                return Missing(f"{place} is {name_kind(find_kind(value))}")
        place = str(Path(Head.BODY, (part,))).replace("body", place, 1)
    return value


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def name_kind(kind: Kind) -> str:
    """A type with its article."""
    if kind is Kind.NULL:
        return "null"
    return f"{'an' if kind.value[0] in 'aeio' else 'a'} {kind.value}"
