"""The schema of any source, and the schema that a database is expected to have.

Everything but a database and a file of ours is built in a shadow and read back with the
same queries as a live database. A shadow server is started once and kept while
whoever asked needs it.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from monitor.core.dated import find_dates
from monitor.core.errors import AnchorwatchError, BuildError, Interrupted, UsageError
from monitor.core.history import History
from monitor.core.snapshot import Snapshot, load_snapshot
from monitor.core.source import CHOICES, Scheme, Source
from monitor.core.unstable import Unstable
from monitor.sources.build import BuildOptions, choose_python
from monitor.sources.dsn import parse_dsn
from monitor.sources.files import read_file
from monitor.sources.locked import LockedExpectation
from monitor.sources.models import build_models, guess_files
from monitor.sources.packages import read_search_path
from monitor.sources.postgres import connect
from monitor.sources.reading import take_snapshot
from monitor.sources.rebuild import BUILT, Rebuilds, rebuild
from monitor.sources.replay import check_moved, replay
from monitor.sources.scripts import Scripts, read_scripts
from monitor.sources.shadow import Scratch
from monitor.sources.shadows import Shadows, open_shadows
from monitor.sources.statements import run_script

__all__ = [
    "BuildOptions",
    "Expectation",
    "Shadows",
    "find_unstable",
    "make_maker",
    "open_expectation",
    "open_scripts",
    "open_shadows",
    "read_source",
]

FAILURE_SECONDS: Final = 60.0
"""How long a build that failed is not tried again, unless its files change."""
_MOST_SNAPSHOTS: Final = 16
"""A deployment has a handful of revisions in flight, and a snapshot may be 20 MB."""


async def read_source(
    source: Source, options: BuildOptions, *, shadows: Shadows | None = None
) -> Snapshot:
    """The snapshot of a source, taken or built now.

    Args:
        source: any but the name of a configured database.
        options: how it is built.
        shadows: servers to build on, kept for the next source; else one is started
            and stopped where it is needed.

    Raises:
        UsageError: the source names something that the history does not have.
        DsnError: the URL of a database cannot be read.
        DamagedFile: a snapshot file cannot be trusted.
        BuildError: the source cannot be built.
        LookError: a database cannot be read.
    """
    if shadows is not None:
        return await _read(source, options, shadows)
    async with open_shadows(options) as own:
        return await _read(source, options, own)


async def _read(source: Source, options: BuildOptions, shadows: Shadows) -> Snapshot:
    match source.scheme:
        case Scheme.POSTGRES:
            dsn, _ = parse_dsn(source.url or "")
            async with connect(dsn) as session:
                return await take_snapshot(session)
        case Scheme.SNAPSHOT:
            return load_snapshot(_read_file(source), place=str(source))
        case Scheme.LOCK:
            return await LockedExpectation(source, options).snapshot_at(None)
        case Scheme.SQL:
            return await shadows.build(make_maker(source, options), major=options.major)
        case Scheme.MODELS:
            snapshot, _ = await _read_models(source, options, shadows)
            return snapshot
        case Scheme.ALEMBIC:
            scripts = await open_scripts(source, options)
            wanted = scripts.history.resolve(source.revision or "")
            return await _read_history(scripts, wanted, options, shadows)
        case Scheme.NAME:
            raise UsageError(f"No database is configured as {source}.", next_step=CHOICES)


def make_maker(source: Source, options: BuildOptions) -> Callable[[Scratch], Awaitable[None]]:
    """What makes the schema of an `sql:` or `models:` source in a scratch.

    Raises:
        BuildError: the file cannot be read.
    """
    if source.scheme is Scheme.SQL:
        text = _read_text(source)
        options.hear(find_dates(text))
        return lambda scratch: run_script(scratch, text, place=source.path or "")

    async def make(scratch: Scratch) -> None:
        await build_models(scratch, source.target or "", options)

    return make


async def _read_models(
    source: Source, options: BuildOptions, shadows: Shadows
) -> tuple[Snapshot, tuple[Path, ...]]:
    files: set[Path] = set()

    async def work(scratch: Scratch) -> None:
        files.update(await build_models(scratch, source.target or "", options))

    return await shadows.build(work, major=options.major), tuple(sorted(files))


async def _read_history(
    scripts: Scripts, revisions: tuple[str, ...], options: BuildOptions, shadows: Shadows
) -> Snapshot:
    snapshot = await shadows.build(
        lambda it: replay(it, scripts, revisions, options), major=options.major
    )
    check_moved(snapshot, scripts.history, revisions)
    return snapshot


async def open_scripts(source: Source, options: BuildOptions) -> Scripts:
    """The history that an `alembic:` source names, as its files are now.

    Raises:
        BuildError: it cannot be read.
    """

    def search() -> tuple[Path, ...]:
        return read_search_path(choose_python(options))

    return await asyncio.to_thread(read_scripts, _path(source), search)


def _path(source: Source) -> Path:
    path = Path(source.path or "")
    try:
        return path.expanduser()
    except RuntimeError:  # nobody of that name has a home
        return path


def _read_file(source: Source) -> bytes:
    try:
        return read_file(_path(source))
    except OSError as error:
        raise BuildError(
            f"{source} cannot be read ({error.strerror}).",
            next_step="Check the path, and that this user may read it.",
        ) from None


def _read_text(source: Source) -> str:
    try:
        text = _read_file(source).decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise BuildError(
            f"{source} is no text in UTF-8.",
            next_step="Dump with `pg_dump --format=plain --encoding=UTF8`.",
        )
    return text


async def find_unstable(
    source: Source, first: Snapshot, options: BuildOptions, *, shadows: Shadows
) -> Unstable:
    """What of a source that was read comes out differently when it is built again.

    Raises:
        AnchorwatchError: as `read_source` does.
    """
    if source.scheme not in BUILT:
        return Unstable()
    return await rebuild(first, lambda again: _read(source, again, shadows), options)


async def read_history(source: Source, options: BuildOptions) -> History:
    """The graph of an `alembic:` source as its files are now.

    Raises:
        BuildError: it cannot be read.
    """
    return (await open_scripts(source, options)).history


class Expectation:
    """What one database is expected to look like, at whatever revisions it is stamped."""

    def __init__(
        self, source: Source, options: BuildOptions, shadows: Shadows, scripts: Scripts | None
    ) -> None:
        self.source = source
        self._options = options
        self._shadows = shadows
        self._scripts = scripts
        self._files = _list_files(source)
        self._snapshots: dict[tuple[str, ...], Snapshot] = {}
        self._failures: dict[tuple[str, ...], tuple[float, AnchorwatchError]] = {}
        self._building = asyncio.Lock()
        self._rebuilds = Rebuilds()

    @property
    def history(self) -> History | None:
        """The graph of revisions as it was last read; None without one."""
        return self._scripts.history if self._scripts else None

    @property
    def heads(self) -> tuple[str, ...] | None:
        """The heads of the history; None without one."""
        return self._scripts.history.heads if self._scripts else None

    async def snapshot_at(
        self, revisions: tuple[str, ...] | None, *, major: int | None = None
    ) -> Snapshot:
        """The schema that a database stamped with ``revisions`` should have.

        Files that changed since are read again; what did not change is not built twice.

        Args:
            revisions: the version rows, for a history; None for what the source names.
            major: of the server that it is compared with: servers spell some texts
                differently.

        Raises:
            AnchorwatchError: as `read_source` does.
        """
        if self._scripts is not None:
            return await self._replay(revisions, major)
        if self.source.scheme is Scheme.POSTGRES:
            return await _read(self.source, self._for(major), self._shadows)
        async with self._building:
            return await self._read_again(major)

    async def find_unstable(
        self, revisions: tuple[str, ...] | None, *, major: int | None = None
    ) -> Unstable:
        """What of the snapshot at ``revisions`` comes out differently when it is built again.

        Built again when it is asked for, and remembered with the snapshot.

        Raises:
            AnchorwatchError: as `read_source` does.
        """
        if self.source.scheme not in BUILT:
            return Unstable()
        await self.snapshot_at(revisions, major=major)  # which may tell what files it is made of
        state = await self._read_state()
        first = await self.snapshot_at(revisions, major=major)

        async def build(options: BuildOptions) -> Snapshot:
            if self._scripts is None:
                second = await _read(self.source, options, self._shadows)
            else:
                wanted = self._choose(revisions, self._scripts.history)
                second = await _read_history(self._scripts, wanted, options, self._shadows)
            if await self._read_state() != state:
                raise Interrupted(f"{self.source} changed meanwhile.", next_step="Look again.")
            return second

        async with self._building:
            return await self._rebuilds.find(first, build, self._for(major))

    async def _read_state(self) -> str:
        """What changes with the files that are built."""
        if self._scripts is not None:
            return (await open_scripts(self.source, self._options)).digest
        return await asyncio.to_thread(_digest, self._files)

    def _choose(self, revisions: tuple[str, ...] | None, history: History) -> tuple[str, ...]:
        """The revisions to build: those that are stamped, or those that the source names."""
        if revisions is None:
            revisions = history.resolve(self.source.revision or "")
        return history.reduce(revisions)

    async def _replay(self, revisions: tuple[str, ...] | None, major: int | None) -> Snapshot:
        scripts = self._scripts = await open_scripts(self.source, self._options)
        wanted = self._choose(revisions, scripts.history)
        key = (scripts.digest, str(major), *wanted)
        # What is built already is had at once, whatever else is being built.
        if key not in self._snapshots:
            build = partial(_read_history, scripts, wanted, self._for(major), self._shadows)
            async with self._building:
                if key not in self._snapshots:
                    self._keep(key, await self._try(key, build))
        return self._snapshots[key]

    async def _read_again(self, major: int | None) -> Snapshot:
        known = self._files
        key = await self._digest_files(major)
        if key in self._snapshots:
            return self._snapshots[key]
        snapshot = await self._try(key, partial(self._read_files, self._for(major)))
        if self._files != known:
            key = await self._digest_files(major)
        if self._files:
            self._keep(key, snapshot)
        return snapshot

    async def _read_files(self, options: BuildOptions) -> Snapshot:
        if self.source.scheme is not Scheme.MODELS:
            return await _read(self.source, options, self._shadows)
        snapshot, self._files = await _read_models(self.source, options, self._shadows)
        return snapshot

    async def _digest_files(self, major: int | None) -> tuple[str, ...]:
        return (str(major), await asyncio.to_thread(_digest, self._files))

    async def _try(
        self, key: tuple[str, ...], build: Callable[[], Awaitable[Snapshot]]
    ) -> Snapshot:
        """What is built; a failure is remembered for a while, for it costs as much."""
        clock = asyncio.get_running_loop().time
        failure = self._failures.get(key)
        if failure is not None and clock() < failure[0]:
            raise failure[1]
        try:
            return await build()
        except AnchorwatchError as error:
            # From its end on: it may have taken longer than it is remembered.
            recent = {k: f for k, f in self._failures.items() if clock() < f[0]}
            self._failures = recent | {key: (clock() + FAILURE_SECONDS, error)}
            raise

    def _for(self, major: int | None) -> BuildOptions:
        """The options, with the version that is compared with where they name none."""
        return replace(self._options, major=self._options.major or major)

    def _keep(self, key: tuple[str, ...], snapshot: Snapshot) -> None:
        self._snapshots[key] = snapshot
        if len(self._snapshots) > _MOST_SNAPSHOTS:
            del self._snapshots[next(iter(self._snapshots))]


@asynccontextmanager
async def open_expectation(source: Source, options: BuildOptions) -> AsyncIterator[Expectation]:
    """Hold an expectation and the shadow server it is built on; a lock has its own.

    Raises:
        BuildError: the history of an `alembic:` source cannot be read.
    """
    scripts = await open_scripts(source, options) if source.scheme is Scheme.ALEMBIC else None
    async with open_shadows(options) as shadows:
        yield Expectation(source, options, shadows, scripts)


def _list_files(source: Source) -> tuple[Path, ...]:
    """What is known of the files that a source is made of, before it was built."""
    if source.scheme is Scheme.MODELS:
        return guess_files(source.target or "")
    return (_path(source),) if source.scheme in (Scheme.SQL, Scheme.SNAPSHOT) else ()


def _digest(files: tuple[Path, ...]) -> str:
    digest = hashlib.sha256()
    for path in files:
        try:
            content = read_file(path)
        except OSError:
            content = b"gone"
        digest.update(f"{path}\0{len(content)}\0".encode(errors="surrogateescape"))
        digest.update(content)
    return digest.hexdigest()
