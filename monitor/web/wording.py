"""How times, values and hostile names are written on a page.

What comes from a database may hold anything: markup is escaped by the
templates, and what cannot be seen or turns the text around is spelled out here.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from markupsafe import Markup, escape

from monitor.core.duration import describe_duration
from monitor.core.findings import Severity
from monitor.core.printing import HIDDEN
from monitor.core.verdict import State

_HIDDEN_BUT_LINES: Final = re.compile(rf"(?![\n\t]){HIDDEN.pattern}")

_TONES: Final = {
    State.UNREACHABLE: "critical",
    State.UNKNOWN: "unknown",
    State.MIGRATING: "moving",
    State.AHEAD: "moving",
    State.PENDING: "moving",
    State.IN_SYNC: "good",
    State.UNCHANGED: "good",
}
_BY_SEVERITY: Final = {
    Severity.INFO: "moving",
    Severity.WARNING: "warning",
    Severity.CRITICAL: "critical",
}


LINE: Final = 60
"""Characters of a value that stands in the running line; longer ones scroll on their own."""


def choose_tone(state: State, severity: Severity) -> str:
    """Which of the page's five colours and shapes a database wears.

    Being right about the stamp does not make a database good while a finding
    says otherwise.
    """
    own = _TONES.get(state)
    if own in ("critical", "unknown"):
        return own
    if severity is not Severity.INFO:
        return _BY_SEVERITY[severity]
    return own or "moving"


def name_state(state: str) -> str:
    """The state in words: ``unknown revision``."""
    return state.replace("_", " ")


def begin(text: str) -> str:
    """The text with a capital at its start, as a sentence begins, and the rest as it was."""
    return text[:1].upper() + text[1:]


def reveal(text: str) -> str:
    """A name in one line, with nothing hidden in it: controls become ``⟨U+202E⟩``."""
    return HIDDEN.sub(_spell, text)


def reveal_lines(text: str) -> str:
    """A text of several lines, with nothing hidden in it."""
    return _HIDDEN_BUT_LINES.sub(_spell, text)


def _spell(match: re.Match[str]) -> str:
    return f"⟨U+{ord(match.group()):04X}⟩"


def write_value(value: Any) -> str | None:
    """An attribute's value as a person reads it; None for nothing."""
    match value:
        case None | [] | "":
            return None
        case bool():
            return "yes" if value else "no"
        case list():
            parts = [_write_part(part) for part in value]
            is_short = not any(isinstance(part, list) for part in value)
            line = ", ".join(parts)
            return line if is_short and len(line) <= LINE else "\n".join(parts)
        case _:
            return str(value)


def _write_part(part: Any) -> str:
    if isinstance(part, list):
        return ", ".join(_write_part(inner) for inner in part)
    return "-" if part is None else write_value(part) or "''"


def write_time(at: datetime | None, now: datetime, missing: str = "never") -> Markup:
    """A ``<time>`` with the moment for machines and its age for people."""
    if at is None:
        return Markup('<span class="muted">{}</span>').format(missing)
    moment = at.astimezone(UTC)
    return Markup('<time datetime="{}" title="{}" data-age>{}</time>').format(
        moment.isoformat(timespec="seconds").replace("+00:00", "Z"),
        f"{moment:%Y-%m-%d %H:%M:%S} UTC",
        describe_age(moment, now),
    )


def describe_age(at: datetime, now: datetime) -> str:
    """``5 min ago``, ``in 8 min``."""
    age = now - at
    if age <= -timedelta(seconds=1):
        return f"in {describe_duration(-age)}"
    return f"{describe_duration(age)} ago"


def write_interval(seconds: float) -> str:
    """``60 s``, ``5 min``: whole units where they fit."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size and seconds % size == 0:
            return f"{int(seconds // size)} {unit}"
    return f"{seconds:g} s"


def write_server(version: int | None) -> str | None:
    """``server_version_num`` as PostgreSQL writes it: 160004 is 16.4."""
    return f"PostgreSQL {version // 10000}.{version % 10000}" if version else None


def make_breakable(text: str) -> Markup:
    """A path or source that wraps after its slashes and colons."""
    parts = re.split(r"(?<=[/:@])", reveal(text))
    return Markup("<wbr>").join(parts)


def mark_code(text: str) -> Markup:
    """Our own sentences: what stands between backticks becomes code."""
    parts = re.split(r"`([^`]+)`", text)
    pieces = [
        Markup("<code>{}</code>").format(reveal(part)) if place % 2 else escape(reveal(part))
        for place, part in enumerate(parts)
    ]
    return Markup("").join(pieces)


def count(number: int, noun: str) -> str:
    """``1 difference``, ``3 differences``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
