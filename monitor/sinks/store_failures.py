"""What a failure of the ledger means, in one sentence with the next step.

Pure. Nothing of a driver's message is shown: it may quote rows, and the URL.
Codes: https://www.sqlite.org/rescode.html and
https://www.postgresql.org/docs/current/errcodes-appendix.html.
"""

import errno
import socket
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final

from sqlalchemy.exc import DBAPIError

from monitor.core.errors import StoreError
from monitor.sources.dsn import printable

_UNWRITABLE: Final = (
    "The ledger {path} cannot be written.",
    "Let this user write the directory {directory}; on Railway set RAILWAY_RUN_UID=0.",
)
_FULL: Final = (
    "The disk of the ledger {path} is full.",
    "Free space in {directory}; nothing that was recorded is lost.",
)
_DIRECTORY: Final = (
    "The ledger {path} is a directory.",
    "Name a file in it, as in {path}/anchorwatch.db.",
)
_NO_DIRECTORY: Final = (
    "The ledger {path} cannot be there: {directory} is no directory.",
    "Name a file in a directory in the store URL.",
)
_BUSY: Final = (
    "Another process holds the ledger {path}.",
    "End it, or wait until it is done; then try again.",
)
_DAMAGED: Final = (
    "The ledger {path} is no SQLite database, or a damaged one.",
    "Restore it from a backup, or move it away and start with an empty one.",
)
_BROKEN_DISK: Final = (
    "The disk of the ledger {path} failed.",
    "Check the volume that holds {directory}, and its free space.",
)
_SQLITE: Final[Mapping[str, tuple[str, str]]] = {
    "SQLITE_READONLY": _UNWRITABLE,
    "SQLITE_CANTOPEN": _UNWRITABLE,
    "SQLITE_PERM": _UNWRITABLE,
    "SQLITE_FULL": _FULL,
    "SQLITE_BUSY": _BUSY,
    "SQLITE_LOCKED": _BUSY,
    "SQLITE_CORRUPT": _DAMAGED,
    "SQLITE_NOTADB": _DAMAGED,
    "SQLITE_IOERR": _BROKEN_DISK,
}
_SYSTEM: Final[Mapping[int | None, tuple[str, str]]] = {
    errno.ENOSPC: _FULL,
    errno.EISDIR: _DIRECTORY,
    errno.ENOTDIR: _NO_DIRECTORY,
    errno.EEXIST: _NO_DIRECTORY,  # what making a directory says of a file in its place
}
_OTHER_SQLITE: Final = (
    "SQLite refused what was to be done with the ledger {path} ({code}).",
    "Report this to anchorwatch with the code.",
)

_LATER: Final = "Wait until it is back: anchorwatch tries again by itself."
_POSTGRES: Final[Mapping[str, tuple[str, str]]] = {
    "28P01": ("refused the password", "Check user and password in the store URL."),
    "28000": ("does not let this role in", "Check the role, pg_hba.conf and TLS."),
    "3D000": ("has no such database", "Create it, or correct the store URL."),
    "53100": ("has a full disk", "Free space on the server; nothing that was recorded is lost."),
    "53300": ("has no connection to spare", "Close idle connections, or raise max_connections."),
    "42501": (
        "does not permit what the ledger needs",
        "Let the role own its schema: GRANT USAGE, CREATE ON SCHEMA public TO the role.",
    ),
    "25006": ("takes no writes: it is a standby", "Name the primary in the store URL."),
    "57P03": ("is starting up", _LATER),
}


def explain_sqlite(error: Exception, path: Path) -> StoreError:
    """Why a file cannot serve as the ledger."""
    code = "" if isinstance(error, OSError) else _name_sqlite(error)
    if isinstance(error, OSError):
        sentence, next_step = _SYSTEM.get(error.errno, _UNWRITABLE)
    else:
        sentence, next_step = _SQLITE.get("_".join(code.split("_")[:2]), _OTHER_SQLITE)
    words = {
        "path": printable(str(path)),
        "directory": printable(str(path.parent.absolute())),
        "code": code,
    }
    return StoreError(sentence.format(**words), next_step=next_step.format(**words))


def _name_sqlite(error: Exception) -> str:
    original = error.orig if isinstance(error, DBAPIError) else None
    return getattr(original, "sqlite_errorname", None) or "SQLITE_ERROR"


def unreadable() -> StoreError:
    """A row that says what this version does not know; it is not quoted."""
    return StoreError(
        "A row of the ledger cannot be read by this version.",
        next_step="Run the newest anchorwatch that ever wrote it, or restore it from a backup.",
    )


def read_word[E: StrEnum](words: type[E], text: str) -> E:
    """The member that a column names.

    Raises:
        StoreError: a newer version wrote a word that this one does not have.
    """
    try:
        return words(text)
    except ValueError:
        raise unreadable() from None


def explain_postgres(error: Exception, label: str) -> StoreError:
    """Why a server cannot serve as the ledger; `label` holds no secret."""
    what, next_step = _describe_postgres(error)
    return StoreError(f"The ledger at {label} {what}.", next_step=next_step)


def _describe_postgres(error: Exception) -> tuple[str, str]:
    match error:
        case socket.gaierror():
            return "has a host name that does not resolve", "Check it in the store URL."
        case TimeoutError():
            return "did not answer in time", _LATER
        case OSError():
            return "cannot be reached", "Check host and port, and whether it is up."
    original = error.orig if isinstance(error, DBAPIError) else None
    code = getattr(original, "sqlstate", None)
    if code is None or code.startswith(("08", "57P")):
        return _POSTGRES.get(code or "", ("cannot be reached, or was lost", _LATER))
    other = (f"refused a statement ({code})", "Look at the log of the server.")
    return _POSTGRES.get(code, other)
