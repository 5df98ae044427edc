"""Where servers and templates are kept between runs, and how things get there whole."""

import errno
import os
import re
import stat
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monitor.core.errors import EngineError

_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")


def cache_places() -> tuple[Path, ...]:
    """Return where this user's cache may be, most wanted first; none need exist.

    The last one is for accounts without a home; it is left out when somebody
    else could have put programs there.
    """
    places = []
    wanted = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    try:
        home = wanted.expanduser()
    except RuntimeError:  # no home directory is known
        home = Path()
    if home.is_absolute():  # relative ones are to be ignored, says the XDG specification
        places.append(home / "anchorwatch")
    spare = Path(tempfile.gettempdir(), f"anchorwatch-cache-{os.geteuid()}")
    if is_only_ours(spare):
        places.append(spare)
    return tuple(places)


def writable_cache() -> Path:
    """Return the first place of the cache that can be written, made if need be.

    Raises:
        EngineError: there is none.
    """
    for place in cache_places():
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(place, os.W_OK | os.X_OK):
            return place
    raise EngineError(
        "There is no directory in which PostgreSQL servers could be kept.",
        next_step="Set XDG_CACHE_HOME to a directory that this user may write.",
    )


def publish(ready: Path, place: Path) -> None:
    """Rename a finished directory to its place, unless another process was quicker.

    Raises:
        OSError: the rename is refused for another reason.
    """
    try:
        ready.rename(place)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise


def is_only_ours(place: Path) -> bool:
    """Tell whether nobody else could have put programs there; so it is while it is absent."""
    try:
        status = place.lstat()
    except OSError:
        return True
    writable = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not writable


@contextmanager
def engine_trouble(what: str) -> Iterator[None]:
    """Turn what the disk or an archive refuses into an error that says what failed.

    Raises:
        EngineError: instead of OSError and what a damaged archive raises.
    """
    try:
        yield
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise EngineError(
            f"{what}: {reason or type(error).__name__}.",
            next_step="Check the free space and the owner of that directory, then try again.",
        ) from error


def last_line(text: str) -> str:
    """Return the last line that says something, without credentials of an address in it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return _CREDENTIALS.sub("***@", lines[-1]) if lines else "(it said nothing)"
