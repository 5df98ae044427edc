"""What `anchorwatch snapshot` and `anchorwatch diff` do: they read sources."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from monitor.checks.comparison import compare
from monitor.checks.spelling import Spellings
from monitor.cli.loop import run_loop
from monitor.cli.progress import show_progress
from monitor.cli.sources import (
    BuildChoices,
    Resolved,
    make_options,
    resolve_source,
    resolve_sources,
)
from monitor.core.difference import Difference, Note, add_notes
from monitor.core.errors import UsageError
from monitor.core.lock import Lock
from monitor.core.scope import DEFAULT_SCOPE, Scope
from monitor.core.snapshot import Snapshot
from monitor.core.source import Scheme, Source
from monitor.sources.dsn import parse_dsn
from monitor.sources.engine import advise_server
from monitor.sources.expected import BuildOptions, find_unstable, open_shadows, read_source
from monitor.sources.locked import LockedExpectation
from monitor.sources.servers import WatchedServers


def read_one(text: str, choices: BuildChoices) -> Snapshot:
    """The snapshot of a source.

    Raises:
        AnchorwatchError: it cannot be read or built.
    """
    source = resolve_source(text)
    with show_progress(f"reading {source}") as progress:
        return run_loop(read_source(source, make_options(choices, progress=progress)))


def compare_both(
    expected: str, actual: str, choices: BuildChoices
) -> tuple[Difference, Note | None]:
    """What differs between two sources, and a word about how they were built.

    Raises:
        AnchorwatchError: one cannot be read or built.
    """
    sides = resolve_sources([expected, actual])
    sources = sides[0].source, sides[1].source
    with show_progress(f"comparing {sources[0]} with {sources[1]}") as progress:
        scope = choose_scope(sides)
        return run_loop(_compare_both(sources, choices, scope, progress))


def choose_scope(sides: Sequence[Resolved]) -> Scope:
    """What is compared: as the actual side is configured, or the other one, else everything."""
    for side in reversed(sides):
        if side.database is not None:
            from monitor.agent.choices import make_scope

            return make_scope(side.database)
    return DEFAULT_SCOPE


async def _compare_both(
    sources: tuple[Source, Source],
    choices: BuildChoices,
    scope: Scope,
    progress: Callable[[str], None],
) -> tuple[Difference, Note | None]:
    """Both sources; a shadow takes the major of the live side, whose text it must spell."""
    found: dict[int, Snapshot] = {}
    notes: list[Note] = []
    ways: dict[int, BuildOptions] = {}
    at_hand = (Scheme.POSTGRES, Scheme.SNAPSHOT)
    live = [place for place, source in enumerate(sources) if source.scheme in at_hand]
    built = [place for place, source in enumerate(sources) if source.scheme not in at_hand]
    servers = WatchedServers(parse_dsn(source.url)[0] for source in sources if source.url)
    options = replace(make_options(choices, progress=progress), forbidden=servers.list_identifiers)
    locks = {
        place: LockedExpectation(source, options)
        for place, source in enumerate(sources)
        if source.scheme is Scheme.LOCK
    }
    async with open_shadows(options) as shadows:
        for place in [*live, *built]:
            majors = [s.server.major for s in found.values() if s.server is not None]
            ways[place] = replace(options, major=choices.major or (majors[0] if majors else None))
            if place in locks:
                found[place] = await locks[place].snapshot_at(None)
            else:
                found[place] = await read_source(sources[place], ways[place], shadows=shadows)
        unstable = [
            partial(locks[place].find_unstable, None)
            if place in locks
            else partial(find_unstable, sources[place], found[place], ways[place], shadows=shadows)
            for place in range(2)
        ]
        for place, lock in locks.items():
            found[1 - place], others = (await lock.read()).settle(found[1 - place])
            notes += others
        difference = await compare(
            found[0],
            found[1],
            scope,
            spellings=Spellings(options, shadows),
            unstable=unstable[0],
            unstable_actual=unstable[1],
        )
    read = {place: (await lock.read()).lock for place, lock in locks.items()}
    note = note_other_major(found[0], found[1], locks=read, is_asked=choices.major is not None)
    return add_notes(difference, notes), note


def note_other_major(
    expected: Snapshot,
    actual: Snapshot,
    *,
    locks: Mapping[int, Lock],
    is_asked: bool,
) -> Note | None:
    """A word where one side was built on another major than that of the other; else None.

    The programs of the wanted one are not at hand, or a given server is of another; or a lock
    was built there, or somebody asked for it.

    Args:
        expected: one side.
        actual: the other one.
        locks: those of the two, by their place, 0 or 1.
        is_asked: whether the major was named.
    """
    sides = (("expected", expected, actual), ("actual", actual, expected))
    for place, (side, built, other) in enumerate(sides):
        if built.builder is None or other.builder is not None:
            continue
        if built.server is None or other.server is None:
            continue
        here, there, lock = built.server.major, other.server.major, locks.get(place)
        if here != there and not (lock and there in lock.spelt_on):
            message = (
                f"The {side} side was built on PostgreSQL {here} instead of {there}, so some "
                f"texts may be spelt differently. {_advise(here, there, lock, is_asked=is_asked)}"
            )
            return Note(note="other_major", key=None, message=message)
    return None


def _advise(here: int, there: int, lock: Lock | None, *, is_asked: bool) -> str:
    if lock is not None:
        return f"Let the lock know both: `anchorwatch lock build --postgres {here},{there}`."
    if is_asked:
        return "Leave out --postgres, where that is not what is meant."
    return advise_server(there)


def refuse_directory(path: Path, next_step: str = "Name a file with -o.") -> None:
    """Say before the work what would be said after it.

    Raises:
        UsageError: the path is a directory, as the empty one is.
    """
    try:
        is_directory = path.is_dir()
    except OSError:  # nobody may look: writing will say why
        return
    if is_directory:
        raise UsageError(f"{path} is a directory.", next_step=next_step)


def write_file(
    path: Path,
    data: bytes,
    next_step: str = "Choose another file with -o, or make room for it.",
) -> None:
    """Write a file whole: what stood there stays until all of it is written.

    Raises:
        UsageError: it cannot be written.
    """
    beside = path.with_name(f".{path.name}.part")
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)  # a device or a pipe is written, not replaced
            return
        try:
            beside.write_bytes(data)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}.",
            next_step=next_step,
        ) from None
