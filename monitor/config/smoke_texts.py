"""What stands in a step of a smoke suite: addresses, headers, expectations, read from text.

As everywhere in the settings, no error quotes a value.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from monitor.config.values import Data, invalid
from monitor.core.errors import UsageError
from monitor.core.expectation import Path
from monitor.core.expectation_grammar import parse_expectation
from monitor.core.template import NAME, Filled, Template, parse_json, parse_template, write_scalar

LONGEST_NAME: Final = 80
"""Characters of the name of a step: it stands in a line of a message."""

_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110, 5.6.2."""
_OURS: Final = frozenset(
    {
        *("user-agent", "x-anchorwatch-run", "accept-encoding"),
        *("content-length", "transfer-encoding", "connection"),
    }
)
_WHOLE: Final = re.compile(r"https?://[^/?#{}@]+(?=[/?#]|\Z)", re.IGNORECASE)
"""Without user and password: those belong into a header, where they are masked."""
_OPEN_LIST: Final = re.compile(r"\sin\s*\([^)]*\Z")


def explain[T](read: Callable[[str], T], text: str) -> T:
    """What `read` makes of the text; what it refuses is the error of a value."""
    try:
        return read(text)
    except UsageError as error:
        raise invalid(f"cannot be used: {error.message}", error.next_step) from None


def read_template(text: str) -> Template:
    """As `parse_template`, for a validator."""
    return explain(parse_template, text)


def check_template(text: str) -> str:
    """The text, when its names are written rightly."""
    read_template(text)
    return text


def check_url(text: str) -> str:
    """The text, when it is a path or a whole address whose host holds no name."""
    if not text.isprintable() or " " in re.sub(r"\{\{ *\w+ *\}\}", "", text):
        raise invalid("should be an address.", "Percent-encode special characters.")
    if not text.startswith("/") and not _WHOLE.match(text):
        raise invalid(
            "should begin with / or http:// or https:// and a host.",
            "Write it like /api/users/{{ user_id }}.",
        )
    read_template(text)
    return text


def split_expectations(value: object) -> object:
    """One line alone, or a list; in `[status in (200, 204)]` YAML has cut at the comma."""
    if not isinstance(value, list | tuple):
        return (value,) if isinstance(value, str) else value
    lines: list[object] = []
    for item in value:
        last = lines[-1] if lines else None
        if isinstance(last, str) and isinstance(item, str) and _OPEN_LIST.search(last):
            lines[-1] = f"{last}, {item}"
        else:
            lines.append(item)
    return tuple(lines)


def check_expectation(text: str) -> str:
    """The text, when it is an expectation."""
    explain(parse_expectation, text)
    return text


def read_path(text: str) -> Path:
    """A path alone, as `capture` has it."""
    found = explain(parse_expectation, f"{text} exists")
    if found.is_length or str(found) != f"{found.path} exists":
        raise invalid("should be a path.", "Write it like body.id or header.location.")
    return found.path


def check_captures(captures: Any) -> Any:
    """Names and the paths of their values, when both can be used."""
    for name, text in captures.items():
        if not NAME.fullmatch(name):
            raise invalid("has a name that cannot be one.", "Use a to z, 0 to 9 and _.")
        read_path(text)
    return captures


def check_headers(data: Data) -> Data:
    """Headers that may be sent, one text each."""
    headers = data.value
    if not isinstance(headers, dict):
        raise invalid("should hold names and values.", "Write {Accept: text/html}.")
    for name, value in headers.items():
        if not _HEADER.fullmatch(name):
            raise invalid("has a name that no header has.", "Use letters, digits and -.")
        if name.lower() in _OURS:
            raise invalid(f"should not set {name}.", "Leave it out: anchorwatch sets it.")
        if isinstance(value, list | dict) or value is None:
            raise invalid(f"should have one text for {name}.", "Write it in quotes.")
        if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", write_scalar(value)):
            raise invalid(f"has a line break in {name}.", "Write it in one line.")
    return check_data(data)


def check_form(data: Data) -> Data:
    """The fields of a form."""
    if not isinstance(data.value, dict):
        raise invalid("should hold names and values.", "Write {name: value}.")
    return check_data(data)


def check_args(data: Data) -> Data:
    """The parameters of a query."""
    if not isinstance(data.value, list):
        raise invalid("should be a list.", 'Write ["{{ user_id }}"], one for each $1, $2...')
    return check_data(data)


def check_data(data: Data) -> Data:
    """Any JSON, when its names are written rightly."""
    read_data(data)
    return data


def read_data(data: Data) -> Filled:
    """The JSON with its texts as templates."""
    try:
        return parse_json(data.value)
    except UsageError as error:
        raise invalid(f"cannot be used: {error.message}", error.next_step) from None


def check_sql(text: str) -> str:
    """One statement, whose values are parameters."""
    if "{{" in text:
        raise invalid(
            "should hold no {{ name }}.", 'Write $1, and args: ["{{ name }}"] beside it.'
        )
    if "\0" in text or not text.strip():
        raise invalid("should be a statement.", "Write select count(*) as n from users.")
    return text


def check_step_name(text: str) -> str:
    """The text, when it fits into a message."""
    if not text.isprintable() or not text.strip() or len(text) > LONGEST_NAME:
        raise invalid("cannot be a name.", f"Write at most {LONGEST_NAME} characters in a line.")
    return text
