"""The two ways to write a database's address, split into libpq's key words.

Source: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING and
RFC 3986 for percent-encoding. No error here quotes the text: it holds a password.
"""

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from monitor.core.errors import DsnError

ENCODE: Final = (
    "Percent-encode special characters in user, password and database name "
    "(@ is %40, : is %3A, / is %2F, ? is %3F, # is %23, % is %25)."
)
SHAPE: Final = "Write it as postgresql://USER:PASSWORD@HOST:PORT/DATABASE."
PLACE: Final = re.compile(r"(?:\[([^\[\]]+)\]|([^:\[\]]*))(?::([0-9]*))?")
_SCHEME: Final = re.compile(r"(?:jdbc:)?postgres(?:ql)?(\+[a-z0-9_]+)?://", re.IGNORECASE)
_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STRAY_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PAIR: Final = re.compile(
    r"\s*([A-Za-z_]\w*)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?!')(?:[^\s\\]|\\.)*))(?:\s+|$)", re.DOTALL
)
_ALIASES: Final = {"database": "dbname", "username": "user", "ApplicationName": "application_name"}
_BRACKETS: Final = "An IPv6 address stands in square brackets."


def read_keywords(text: str) -> tuple[dict[str, str], list[str]]:
    """The key words of a URL or of a `key=value` string, decoded, and what was dropped.

    Raises:
        DsnError: the text is neither, or a special character stands out of place.
    """
    _refuse_hopeless(text)
    if scheme := _SCHEME.match(text):
        dropped = ["The driver's name after postgresql+ was dropped."] if scheme[1] else []
        return _read_url(text[scheme.end() :]), dropped
    pair = _PAIR.match(text)
    # DATABASE_URL=postgresql://... was pasted with its name; a password may hold anything.
    if pair and "://" not in (pair[3] or ""):
        return _read_pairs(text), []
    raise DsnError("This is not a PostgreSQL URL.", next_step=SHAPE)


def unreadable(what: str, next_step: str = ENCODE) -> DsnError:
    """The error for a URL that has, is or names something it should not."""
    return DsnError(f"The database URL {what}.", next_step=next_step)


def _refuse_hopeless(text: str) -> None:
    if not text:
        raise unreadable("is empty", SHAPE)
    if text.startswith("$"):
        raise unreadable("is a reference that nothing has resolved", "Set what it refers to.")
    if text[0] in "\"'`":
        raise unreadable("is in quotes", "Remove the quotes around it.")
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise unreadable("holds bytes that are not text")


def _read_url(rest: str) -> dict[str, str]:
    """Turn what follows `postgresql://` into libpq's key words, decoded."""
    authority = re.split(r"[/?]", rest, maxsplit=1)[0]
    tail = rest[len(authority) :]
    path, _, query = tail.partition("?")
    if "@" in tail or "#" in tail or "/" in path[1:]:
        # Most likely the password holds / or ?: going on would put a piece of it
        # into the host or the database name, and from there into logs.
        raise unreadable("has a special character out of place")
    userinfo, _, places = authority.rpartition("@")
    user, _, password = userinfo.partition(":")
    given = {
        "user": _decode(user),
        "password": _decode(password),
        "dbname": _decode(path[1:]),
        **_read_places(places),
    }
    return given | _read_query(query)


def _read_places(places: str) -> dict[str, str]:
    matches = [PLACE.fullmatch(place) for place in places.split(",")]
    found = [match for match in matches if match]
    if len(found) != len(matches):
        raise unreadable("has an unreadable host or port", f"{ENCODE} {_BRACKETS}")
    hosts = ",".join(_decode(match[1] or match[2]) for match in found)
    ports = [match[3] or "" for match in found]
    return {"host": hosts, "port": ",".join(ports) if any(ports) else ""}


def _read_query(query: str) -> dict[str, str]:
    given: dict[str, str] = {}
    for item in filter(None, query.split("&")):
        key, _, value = item.partition("=")
        if not _KEY.fullmatch(key):
            raise unreadable("has a parameter without a name")
        key, value = _ALIASES.get(key, key), _decode(value)
        # SQLAlchemy writes several hosts as ?host=a:5432&host=b:5432.
        repeats = key in ("host", "port") and key in given
        given[key] = f"{given[key]},{value}" if repeats else value
    return {key: value for key, value in given.items() if value}


def _read_pairs(text: str) -> dict[str, str]:
    """Read libpq's other form, `host=localhost dbname='my app'`."""
    given: dict[str, str] = {}
    position = 0
    while position < len(text):
        if not (pair := _PAIR.match(text, position)):
            raise unreadable("is cut off in the middle", "Quote values with spaces: 'like this'.")
        value = pair[2] if pair[2] is not None else pair[3]
        given[_ALIASES.get(pair[1], pair[1])] = re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)
        position = pair.end()
    return given


def _decode(text: str) -> str:
    if _STRAY_PERCENT.search(text):
        raise unreadable("has a % that starts no code")
    try:
        decoded = unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise unreadable("has codes that are not UTF-8") from None
    if "\0" in decoded:
        raise unreadable("holds the code %00")
    return decoded
