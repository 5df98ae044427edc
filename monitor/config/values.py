"""What stands in a setting: durations, names and secrets, read from text.

An error raised here never quotes the text: it may be a secret in the wrong place.
"""

import base64
import re
from datetime import timedelta
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

import msgspec
from pydantic import BeforeValidator, Secret
from pydantic_core import PydanticCustomError

from monitor.core.duration import SIZES, read_duration
from monitor.core.errors import AnchorwatchError, DsnError, UsageError
from monitor.core.source import Scheme, parse_source
from monitor.core.template import Json
from monitor.sources.dsn import parse_dsn, printable

MASK: Final = "********"
NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LONGEST_NAME: Final = 40
_KEY_SIZES: Final = range(24, 65)


def invalid(sentence: str, next_step: str) -> PydanticCustomError:
    """The error of a value: what it should be, and what to write instead."""
    return PydanticCustomError("setting", "{sentence}", {"sentence": sentence, "next": next_step})


def parse_duration(value: object) -> object:
    """Read `500ms`, `60s`, `5m`, `24h` or `7d`; a timedelta is taken as it is.

    Raises:
        PydanticCustomError: it is none of these, or longer than ten years.
    """
    if isinstance(value, timedelta):
        return value
    duration = read_duration(value) if isinstance(value, str) else None
    if duration is None:
        raise invalid("should be a duration.", "Write it like 60s, 5m, 24h or 500ms.")
    return duration


def _refuse_zero(value: object) -> object:
    duration = parse_duration(value)
    if isinstance(duration, timedelta) and duration <= timedelta(0):
        raise invalid("should be longer than nothing.", "Write it like 60s, 5m or 24h.")
    return duration


def format_duration(duration: timedelta) -> str:
    """The shortest text of at most hours that `parse_duration` reads back as the same.

    Holds: for durations of whole milliseconds.
    """
    for unit in ("h", "m", "s"):
        if duration and duration % SIZES[unit] == timedelta(0):
            return f"{duration // SIZES[unit]}{unit}"
    return f"{duration // SIZES['ms']}ms" if duration else "0s"


def correct_name(text: str) -> str:
    """The nearest name that a database, or a webhook, can have; the same if it is one."""
    if NAME.fullmatch(text):
        return text
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    if name and not name[0].isalpha():
        name = f"db_{name}"
    return name[:_LONGEST_NAME].rstrip("_") or "default"


def describe_dsn(text: str) -> str:
    """`host:port/database` of a database URL, without user, password and options."""
    try:
        return parse_dsn(text)[0].label
    except DsnError:
        return MASK


class DatabaseUrl(Secret[str]):
    """A database URL; `str` and `repr` show `host:port/database`."""

    def _display(self) -> str:
        return describe_dsn(self.get_secret_value())


class StoreUrl(Secret[str]):
    """Where the ledger is: a path of SQLite, or a database URL; shown without secrets."""

    def _display(self) -> str:
        text = self.get_secret_value()
        return printable(text) if text.startswith("sqlite") else describe_dsn(text)


class Expected(Secret[str]):
    """What a database is compared with; a database URL is shown as `host:port/database`."""

    def _display(self) -> str:
        text = self.get_secret_value()
        try:
            source = parse_source(text)
        except UsageError:
            return MASK
        return describe_dsn(text) if source.scheme is Scheme.POSTGRES else source.label


class Data(Secret[str]):
    """What stands in the document as it is, types and all, written as JSON; never shown.

    It is sent, and may hold a secret that a `${VAR}` brought in.
    """

    @property
    def value(self) -> Json:
        """The same, read.

        Raises:
            PydanticCustomError: a variable gave what is no JSON.
        """
        try:
            value: Json = msgspec.json.decode(self.get_secret_value())
        except (ValueError, RecursionError):
            raise invalid("should be JSON.", 'Write it like {"name": "value"}.') from None
        return value

    def _display(self) -> str:
        return MASK


def check_http_url(text: str, *, may_hold_secrets: bool = True) -> str:
    """The text, when it is an `http(s)://` URL with a host.

    Raises:
        PydanticCustomError: it is not, or holds a password where everybody reads it.
    """
    next_step = "Write it like https://HOST/PATH."
    try:
        parts = urlsplit(text)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_url = False
    if not is_url or not text.isprintable() or " " in text:
        raise invalid("should be an http or https URL.", next_step)
    if not may_hold_secrets and (parts.username or parts.password or parts.query):
        raise invalid("should hold no user, password or query.", next_step)
    return text


def check_expected(text: str) -> str:
    """The text, when it is a source that a database can be compared with.

    Raises:
        PydanticCustomError: it is none, or a database URL that cannot be read.
    """
    try:
        if parse_source(text).scheme is Scheme.POSTGRES:
            parse_dsn(text)
    except AnchorwatchError as error:
        raise invalid(f"cannot be read: {error.message}", error.next_step) from None
    return text


def check_signing_secret(text: str) -> str:
    """The text, when it can sign as https://www.standardwebhooks.com say: 24 to 64 bytes.

    Raises:
        PydanticCustomError: it cannot.
    """
    try:
        size = len(base64.b64decode(text.removeprefix("whsec_"), validate=True))
    except ValueError:
        size = 0
    if size not in _KEY_SIZES:
        raise invalid(
            "should be whsec_ and the base64 of 24 to 64 bytes.",
            'Make one with: echo "whsec_$(openssl rand -base64 32)"',
        )
    return text


def split_list(value: object) -> object:
    """A list as it is; text split at commas and white space."""
    return tuple(re.split(r"[,\s]+", value.strip(", \n"))) if isinstance(value, str) else value


def lower(value: object) -> object:
    """Text in lower case; anything else as it is."""
    return value.lower() if isinstance(value, str) else value


type Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
type PositiveDuration = Annotated[timedelta, BeforeValidator(_refuse_zero)]
type LogLevel = Annotated[
    Literal["debug", "info", "warning", "error"],
    BeforeValidator(lower),
]
