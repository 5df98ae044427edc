"""An Alembic history as its files state it: the configuration, the graph, a digest.

Nothing of the user's is imported or run. The rules for finding the files are Alembic's:
https://alembic.sqlalchemy.org/en/latest/tutorial.html#editing-the-ini-file
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from configparser import ConfigParser
from configparser import Error as IniError
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from monitor.core.errors import BuildError
from monitor.core.history import History, make_history
from monitor.sources.files import read_file
from monitor.sources.revision_file import read_revision

SECTION: Final = "alembic"

_SEPARATORS: Final = {"space": " ", "newline": "\n", "os": os.pathsep, ":": ":", ";": ";"}
_LEGACY_SEPARATOR: Final = re.compile(r", *| +")
_DRIVER: Final = re.compile(r"postgres(?:ql)?\+(\w+)://", re.IGNORECASE)
_IGNORED: Final = frozenset({"__pycache__", ".git", ".mypy_cache", ".ruff_cache"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Scripts:
    """A history on the disk.

    Attributes:
        ini: the configuration file, absolute.
        directory: where Alembic is started, so that relative paths hold.
        location: the folder with env.py.
        versions: the folders with revisions.
        driver: the driver that the configuration's own URL names.
        is_async: whether env.py speaks of asyncio.
        history: the graph.
        digests: SHA-256 of each revision's file, by its path.
        digest: SHA-256 over the names and contents of all these files.
    """

    ini: Path
    directory: Path
    location: Path
    versions: tuple[Path, ...]
    driver: str | None
    is_async: bool
    history: History
    digests: Mapping[str, str]
    digest: str


type Search = Callable[[], tuple[Path, ...]]


def read_scripts(ini: Path, search: Search = tuple) -> Scripts:
    """Read the history that a configuration file names.

    Args:
        ini: the configuration file.
        search: where packages are looked for when `package:folder` is named and it is
            not beside the configuration.

    Raises:
        BuildError: the configuration, a folder or a revision cannot be read; names the
            file, and the line where there is one.
    """
    ini = ini.absolute()
    try:
        return _read_scripts(ini, search)
    except OSError as error:  # a folder that is closed to us is not an empty one
        raise _make_unreadable(Path(error.filename or ini), error) from None


def _read_scripts(ini: Path, search: Search) -> Scripts:
    parser = _read_ini(ini)
    location, directory = _find_location(ini, _get(parser, ini, "script_location"), search)
    versions = tuple(_find_versions(parser, ini, location, (directory, search)))
    root = directory if location.is_relative_to(directory) else location.parent
    is_recursive = _get(parser, ini, "recursive_version_locations").lower() in _TRUE
    paths = tuple(_list_revisions(versions, is_recursive=is_recursive))
    contents = {_relate(path, root): _read(path) for path in paths}
    revisions = [read_revision(content, path=name) for name, content in contents.items()]
    url = parser.get(SECTION, "sqlalchemy.url", raw=True, fallback="")
    driver = _DRIVER.match(url.strip())
    environment = _read(location / "env.py").decode(errors="replace")
    return Scripts(
        ini=ini,
        directory=directory,
        location=location,
        versions=versions,
        driver=driver[1].lower() if driver else None,
        is_async="async" in environment,
        history=make_history(revisions),
        digests={name: _digest_lines(content) for name, content in contents.items()},
        digest=_digest({ini, *_list_files(location), *paths}, root),
    )


_TRUE: Final = ("true", "1", "yes", "on")


def _read_ini(ini: Path) -> ConfigParser:
    parser = ConfigParser({"here": str(ini.parent).replace("%", "%%")})
    try:
        parser.read_string(_read(ini).decode("utf-8-sig"), source=ini.name)
    except (IniError, UnicodeDecodeError) as error:
        line = getattr(error, "lineno", None)
        raise BuildError(
            f"{ini.name}{f', line {line}' if line else ''}: this is no configuration of Alembic.",
            next_step="Correct the file, or name another one.",
        ) from None
    if not parser.has_section(SECTION):
        raise BuildError(
            f"{ini.name} has no section [{SECTION}].",
            next_step="Name the file that `alembic -c` takes.",
        )
    return parser


def _get(parser: ConfigParser, ini: Path, option: str) -> str:
    try:
        return parser.get(SECTION, option, fallback="").strip()
    except IniError:
        raise BuildError(
            f"{ini.name}: {option} refers to something that is not there.",
            next_step="Write %% where a percent sign is meant; only %(here)s and the options "
            "of the section can be referred to.",
        ) from None


def _find_location(ini: Path, text: str, search: Search) -> tuple[Path, Path]:
    """The folder with env.py, and the directory in which Alembic is started.

    That is where the configuration lies or, as `alembic -c folder/alembic.ini` has it,
    where we are.
    """
    if not text:
        raise BuildError(
            f"{ini.name} has no script_location.", next_step="Name the folder with env.py there."
        )
    for directory in dict.fromkeys((ini.parent, Path.cwd())):
        if (directory / _spell(text) / "env.py").is_file():
            return directory / _spell(text), directory
    for root in search() if ":" in text else ():
        if (root / _spell(text) / "env.py").is_file():
            return root / _spell(text), ini.parent
    raise BuildError(
        f"{ini.name} names {text}, which has no env.py.",
        next_step="Correct script_location, start anchorwatch where `alembic` is started, or "
        "name the interpreter that has the package: `--python PATH`.",
    )


def _spell(text: str) -> str:
    """The relative path that `package:folder` means; a path means itself."""
    package, colon, inside = text.partition(":")
    return "/".join((*package.split("."), inside)) if colon and inside else text


def _find_versions(
    parser: ConfigParser, ini: Path, location: Path, places: tuple[Path, Search]
) -> Iterator[Path]:
    text = _get(parser, ini, "version_locations")
    if not text:
        yield location / "versions"
        return
    directory, search = places
    for name in _split(text, _find_separator(parser, ini)):
        beside = directory / _spell(name)
        roots = search() if ":" in name and not beside.is_dir() else ()
        yield next((found for root in roots if (found := root / _spell(name)).is_dir()), beside)


def _find_separator(parser: ConfigParser, ini: Path) -> str | None:
    words = ("path_separator", "version_path_separator")
    word = next((found for name in words if (found := _get(parser, ini, name))), None)
    if word is None:
        return None
    if word not in _SEPARATORS:
        raise BuildError(
            f"{ini.name}: no path separator is called {word}.",
            next_step=f"Write one of {', '.join(_SEPARATORS)}.",
        )
    return _SEPARATORS[word]


def _split(text: str, separator: str | None) -> Iterator[str]:
    parts = _LEGACY_SEPARATOR.split(text) if separator is None else text.split(separator)
    yield from (part.strip() for part in parts if part.strip())


def _list_revisions(folders: Iterable[Path], *, is_recursive: bool) -> Iterator[Path]:
    for folder in folders:
        if not folder.is_dir():
            raise BuildError(
                f"The folder of revisions {folder.name} is not there.",
                next_step="Correct version_locations, or make the folder.",
            )
        for path in sorted(_walk(folder, is_recursive=is_recursive)):
            inside = path.relative_to(folder).parts
            if not path.name.startswith(("__init__", ".#")) and _IGNORED.isdisjoint(inside):
                yield path


def _walk(top: Path, *, is_recursive: bool) -> Iterator[Path]:
    """The Python files in a folder."""
    for folder, folders, names in os.walk(top, onerror=_raise):
        if not is_recursive:
            folders.clear()
        yield from (Path(folder, name) for name in names if name.endswith(".py"))


def _raise(error: OSError) -> None:
    raise error


def _list_files(location: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(location, onerror=_raise):
        folders[:] = [name for name in folders if name not in _IGNORED]
        paths = (Path(folder, name) for name in names if not name.endswith(".pyc"))
        yield from (path for path in paths if path.is_file())


def _digest_lines(content: bytes) -> str:
    """SHA-256 of a file, whose line ends git may write otherwise in another checkout."""
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()


def _digest(paths: Iterable[Path], directory: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        content = _read(path)
        digest.update(
            f"{_relate(path, directory)}\0{len(content)}\0".encode(errors="surrogateescape")
        )
        digest.update(content)
    return digest.hexdigest()


def _relate(path: Path, directory: Path) -> str:
    return os.path.relpath(path, directory).replace(os.sep, "/")


def _read(path: Path) -> bytes:
    try:
        return read_file(path)
    except OSError as error:
        raise _make_unreadable(path, error) from None


def _make_unreadable(path: Path, error: OSError) -> BuildError:
    return BuildError(
        f"{path.name} cannot be read ({error.strerror}).",
        next_step="Check the path, and that this user may read it.",
    )
