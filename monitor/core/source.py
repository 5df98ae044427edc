"""What a snapshot can be made from, as it is written on the command line.

postgresql://...                    a database
alembic:PATH/alembic.ini[@REV]      what the migrations make, at REV or at their heads
lock:FILE[@REV], lock:https://...   what a lock says of it, see `monitor.core.lock`
models:package.module:attribute     what SQLAlchemy models say
sql:FILE.sql                        what a script makes
snapshot:FILE.json                  what `anchorwatch snapshot` wrote
NAME                                a database of the configuration
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from monitor.core.errors import UsageError
from monitor.core.loopback import is_loopback_host

HEADS: Final = "heads"
BASE: Final = "base"

CHOICES: Final = (
    "Write one of postgresql://USER:PASSWORD@HOST:PORT/DATABASE, alembic:PATH/alembic.ini[@REV], "
    "lock:FILE.json[@REV], models:package.module:attribute, sql:FILE.sql, snapshot:FILE.json, "
    "or the name of a configured database."
)

_URL: Final = re.compile(r"(?:jdbc:)?postgres(?:ql)?(?:\+[a-z0-9_]+)?://", re.IGNORECASE)
_KEYWORDS: Final = re.compile(r"\s*[A-Za-z_]\w*\s*=")
_OTHER_URL: Final = re.compile(r"([a-z][a-z0-9+.-]{0,30})://", re.IGNORECASE)
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_TARGET: Final = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_REVISION: Final = re.compile(r"[^\s/\\@:+-]+")  # alembic allows neither @ : + nor - in an id
_LATER: Final = ("agent",)
_SUFFIXES: Final = {".ini": "alembic", ".sql": "sql", ".json": "snapshot"}


class Scheme(StrEnum):
    """The kinds of source."""

    POSTGRES = "postgresql"
    ALEMBIC = "alembic"
    LOCK = "lock"
    MODELS = "models"
    SQL = "sql"
    SNAPSHOT = "snapshot"
    NAME = "name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One source; `str` and `repr` show no secret.

    Attributes:
        scheme: its kind.
        label: what to call it in a message.
        path: the file of `sql:`, `snapshot:`, `alembic:` and `lock:`.
        revision: the wanted revision of these two: `heads`, `base`, an id or its start.
        target: `package.module:attribute` of `models:`.
        name: of a configured database.
        url: of a database, or of a lock, as it was written: a secret.
    """

    scheme: Scheme
    label: str
    path: str | None = None
    revision: str | None = None
    target: str | None = None
    name: str | None = None
    url: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return self.label


def parse_source(text: str) -> Source:
    """The source that ``text`` names; nothing is opened or looked for.

    Raises:
        UsageError: no source is written like this; never quotes what may hold a password.
    """
    stripped = text.strip()
    if _URL.match(stripped) or _KEYWORDS.match(stripped):
        return Source(scheme=Scheme.POSTGRES, label="postgresql://***", url=stripped)
    if not stripped.isprintable():
        raise UsageError("The source holds unprintable characters.", next_step=CHOICES)
    scheme, colon, rest = stripped.partition(":")
    if not colon:
        return _read_name(stripped)
    if scheme in _LATER:
        raise UsageError(
            f"Sources that start with {scheme}: come with a later release.", next_step=CHOICES
        )
    match scheme:
        case Scheme.ALEMBIC | Scheme.LOCK:
            return _read_history(Scheme(scheme), rest)
        case Scheme.MODELS:
            return _read_models(rest)
        case Scheme.SQL | Scheme.SNAPSHOT:
            path = _read_path(rest, scheme)
            return Source(scheme=Scheme(scheme), label=f"{scheme}:{path}", path=path)
    raise _unknown(stripped)


def _read_name(text: str) -> Source:
    if _NAME.fullmatch(text):
        return Source(scheme=Scheme.NAME, label=text, name=text)
    raise _unknown(text)


def _read_history(scheme: Scheme, rest: str) -> Source:
    if scheme is Scheme.LOCK and _WEB.match(rest):
        return _read_web(rest)
    path, at, revision = rest.rpartition("@")
    if not at or "/" in revision or "\\" in revision or revision.endswith((".ini", ".json")):
        path, revision = rest, HEADS  # the @ is part of the path
    elif not _REVISION.fullmatch(revision):
        raise UsageError(
            "What follows the @ is not a revision.",
            next_step=f"Write an id, the start of one, `{HEADS}` or `{BASE}`; relative ones "
            "such as +1 mean nothing here.",
        )
    path = _read_path(path, scheme)
    revision = HEADS if revision == "head" else revision
    label = f"{scheme}:{path}" + ("" if revision == HEADS else f"@{revision}")
    return Source(scheme=scheme, label=label, path=path, revision=revision)


COMMIT: Final = "{commit}"
"""Stands in the address of a lock for the commit that is deployed."""

_WEB: Final = re.compile(r"https?://", re.IGNORECASE)


def _read_web(text: str) -> Source:
    """A lock at an address, which may hold a token: of it no more than the host is shown."""
    url, at, revision = text.rpartition("@")
    if not at or "/" in revision or not _REVISION.fullmatch(revision):
        url, revision = text, HEADS
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if not host or parts.username or parts.password:
        raise UsageError(
            "lock: is followed by an address that cannot be read.",
            next_step="Write lock:https://HOST/PATH, and a token into `lock_token`.",
        )
    if parts.scheme != "https" and not is_loopback_host(host):
        raise UsageError(
            "lock: is followed by an http address, which anybody on the way can read and change.",
            next_step="Use https.",
        )
    place = f"[{host}]" if ":" in host else host
    label = f"lock:{parts.scheme}://{place}{f':{port}' if port else ''}/..."
    return Source(scheme=Scheme.LOCK, label=label, url=url, revision=revision)


def _read_models(rest: str) -> Source:
    if not _TARGET.fullmatch(rest):
        raise UsageError(
            "models: is followed by a module and an attribute.",
            next_step="Write it as models:package.module:attribute, as in models:app.db:Base.",
        )
    return Source(scheme=Scheme.MODELS, label=f"models:{rest}", target=rest)


def _read_path(rest: str, scheme: str) -> str:
    if not rest or rest.startswith("//"):
        raise UsageError(
            f"{scheme}: is followed by the path of a file.", next_step=f"Write {scheme}:FILE."
        )
    return rest


def _unknown(text: str) -> UsageError:
    """The error for a text that may be a URL with a password: quotes no more than a scheme."""
    if not text:  # `check "$DATABASE_URL"` where nothing set it
        return UsageError(
            "The source is empty; is the variable that holds it set here?", next_step=CHOICES
        )
    for suffix, scheme in _SUFFIXES.items():
        if text.endswith(suffix) and "@" not in text:
            return UsageError(
                "A file needs its scheme in front.",
                next_step=f"For a {suffix} file write {scheme}:FILE{suffix}. {CHOICES}",
            )
    if other := _OTHER_URL.match(text):
        return UsageError(f"{other[1]}:// is no source.", next_step=CHOICES)
    return UsageError("This is no source.", next_step=CHOICES)
