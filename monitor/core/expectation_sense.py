"""What is written by the grammar, and can never hold: `status == "200"`, `len(status) > 1`."""

from monitor.core.expectation import (
    DURATIONS,
    ORDERS,
    TEXTS,
    UNITS,
    Duration,
    Expectation,
    Head,
    Literal,
    Operator,
)
from monitor.core.template import Reference


def find_problem(found: Expectation) -> tuple[str, str] | None:
    """What is wrong and what would be right; None when the expectation can hold."""
    is_text = found.path.head in TEXTS and not found.is_length
    if found.is_length and found.path.head in (Head.STATUS, *DURATIONS):
        return f"{found.path} has no length", "Write len(body.items) or len(rows)."
    if found.operator in (Operator.EXISTS, Operator.ABSENT) and found.is_length:
        return "a length is always there", "Write the path without len(...)."
    may_be_text = is_text or found.path.head in (Head.BODY, Head.ROWS)
    if found.regex is not None and (found.is_length or not may_be_text):
        return f"{found.subject} is no text", "Use matches with texts only."
    return _find_wrong_literal(found, is_text=is_text)


def _find_wrong_literal(found: Expectation, *, is_text: bool) -> tuple[str, str] | None:
    is_duration = found.path.head in DURATIONS and not found.is_length
    is_number = found.path.head is Head.STATUS or found.is_length
    for literal in found.literals:
        if isinstance(literal, Reference):
            continue
        if isinstance(literal, Duration) != is_duration:
            what = "should be compared with" if is_duration else "is compared with"
            return f"{found.subject} {what} a duration", _advise(found, is_duration=is_duration)
        if is_number and (isinstance(literal, bool) or not isinstance(literal, int)):
            return f"{found.subject} is a whole number", "Write it without quotes: status == 200."
        if is_text and not _is_text(literal):
            return f"{found.subject} is a text", 'Write what it is compared with in quotes: "5".'
        if found.operator in ORDERS and not _is_ordered(literal):
            return "only numbers and durations are more or less", "Write a number, or use ==."
    return None


def _advise(found: Expectation, *, is_duration: bool) -> str:
    units = ", ".join(UNITS)
    if is_duration:
        return f"Write {found.subject} < 800ms; the units are {units}."
    return "Only time and tls.expires_in are durations."


def _is_text(literal: Literal) -> bool:
    return not isinstance(literal, int | float | Duration) and literal is not None


def _is_ordered(literal: Literal) -> bool:
    is_number = isinstance(literal, int | float) and not isinstance(literal, bool)
    return is_number or isinstance(literal, Duration)
