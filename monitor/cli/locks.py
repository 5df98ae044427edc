"""What `anchorwatch lock` does: it builds locks, reads them, and holds them against files."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from monitor.cli.loop import run_loop
from monitor.cli.progress import show_progress
from monitor.cli.sources import BuildChoices, make_options
from monitor.core.diff import diff
from monitor.core.difference import Difference
from monitor.core.errors import DamagedFile, UsageError
from monitor.core.lock import Lock
from monitor.core.lock_check import Problem, check_lock
from monitor.core.lock_file import load_lock
from monitor.core.lock_states import States
from monitor.core.printing import clean
from monitor.core.source import HEADS, Scheme, Source, parse_source
from monitor.sources.engine import SUPPORTED_MAJORS
from monitor.sources.expected import (
    BuildOptions,
    make_maker,
    open_scripts,
    open_shadows,
    read_source,
)
from monitor.sources.files import read_file
from monitor.sources.locking import LockOptions, build_lock
from monitor.sources.replay import Start

DEFAULT = "alembic.ini"


class BuiltLock(NamedTuple):
    """A lock, and how the models differ from it where that was asked."""

    lock: Lock
    difference: Difference | None


class BaselineChoice(NamedTuple):
    """What a command was told about the baseline.

    Attributes:
        source: what makes it.
        revision: what it is of; None for nothing yet.
        is_of_heads: whether it is of the heads, and is taken back from there.
    """

    source: str | None = None
    revision: str | None = None
    is_of_heads: bool = False


def read_majors(text: str | None, shadow: str | None) -> tuple[int, ...]:
    """The major versions in a list, the first the one that is built on; none for any.

    Raises:
        UsageError: it is no such list, or a given server is to be of several.
    """
    words = [word.strip() for word in (text or "").split(",") if word.strip()]
    majors = tuple(dict.fromkeys(int(word) for word in words if _MAJOR.fullmatch(word)))
    unknown = [word for word in words if not _MAJOR.fullmatch(word)]
    unknown += [str(major) for major in majors if major not in SUPPORTED_MAJORS]
    if unknown or (text is not None and not words):
        raise UsageError(
            f"--postgres {text}: {unknown[0] if unknown else 'nothing'} is no version of "
            "PostgreSQL that is known here.",
            next_step=f"Name some of {', '.join(map(str, SUPPORTED_MAJORS))}, like 15,16.",
        )
    if shadow is not None and len(majors) > 1:
        raise UsageError(
            "--shadow names one server, which is of one version.",
            next_step="Leave it out, so that a server of each version is started; or name one "
            "version.",
        )
    return majors


_MAJOR = re.compile(r"\d{1,3}", re.ASCII)


def build_one(
    text: str | None,
    choices: BuildChoices,
    *,
    baseline: BaselineChoice,
    models: str | None,
    output: Path,
    others: tuple[int, ...],
) -> BuiltLock:
    """The lock of a history; of an older one in its place the retired revisions are kept.

    Raises:
        AnchorwatchError: it cannot be built.
    """
    source = _find_history(text)
    former = _read_former(output)
    base = _parse(baseline.source, "--baseline", (Scheme.SQL, Scheme.MODELS))
    _refuse_contradictions(baseline)
    compared = _parse(models, "--models", (Scheme.MODELS,))
    with show_progress(f"locking {source}") as progress:
        given = _Given(base, baseline, compared, former, others)
        return run_loop(_build(source, choices, given, progress))


def _refuse_contradictions(baseline: BaselineChoice) -> None:
    """Nothing, where the options about the baseline go together.

    Raises:
        UsageError: they do not.
    """
    option = "--downgrade" if baseline.is_of_heads else "--baseline-at"
    if baseline.source is None and (baseline.is_of_heads or baseline.revision is not None):
        raise UsageError(
            f"{option} says something about a baseline, and none is named.",
            next_step="Name it: --baseline sql:FILE or --baseline models:MODULE:ATTR.",
        )
    if baseline.is_of_heads and baseline.revision is not None:
        raise UsageError(
            "--downgrade takes the baseline back to nothing, and --baseline-at begins with it.",
            next_step="Leave one of them out.",
        )


class _Given(NamedTuple):
    """What a lock is built from, beside the history."""

    base: Source | None
    baseline: BaselineChoice
    models: Source | None
    former: Lock | None
    others: tuple[int, ...]


async def _build(
    source: Source, choices: BuildChoices, given: _Given, progress: Callable[[str], None]
) -> BuiltLock:
    base, baseline, models, former, others = given
    options = make_options(choices, progress=progress)
    scripts = await open_scripts(source, options)
    maker = make_maker(base, options) if base else None
    async with open_shadows(options) as shadows:
        wanted = baseline.revision
        chosen = LockOptions(
            build=options,
            baseline=maker,
            start=Start(
                stamped=() if wanted is None else scripts.history.resolve(wanted),
                is_of_heads=baseline.is_of_heads,
            ),
            former=former,
            others=others,
        )
        lock = await build_lock(scripts, shadows, chosen)
        difference = None
        if models is not None and lock.stopped_at is None:
            promised = await read_source(models, options, shadows=shadows)
            difference = diff(States(lock).make_snapshot(frozenset(lock.by_id)), promised)
    return BuiltLock(lock, difference)


def _parse(text: str | None, option: str, schemes: Sequence[Scheme]) -> Source | None:
    if text is None:
        return None
    source = parse_source(text)
    if source.scheme not in schemes:
        names = " or ".join(f"{scheme}:" for scheme in schemes)
        raise UsageError(f"{option} takes {names} only.", next_step="Name one of these.")
    return source


def _find_history(text: str | None) -> Source:
    """The history that is named, that ALEMBIC_CONFIG names, or that lies here."""
    source = parse_source(text or f"alembic:{os.environ.get('ALEMBIC_CONFIG') or DEFAULT}")
    if source.scheme is not Scheme.ALEMBIC:
        raise UsageError(
            f"{source} is no history of revisions.", next_step="Name alembic:PATH/alembic.ini."
        )
    if source.revision != HEADS:
        raise UsageError(
            "A lock is of the whole history.", next_step=f"Leave out @{source.revision}."
        )
    return source


def read_lock(path: Path) -> Lock:
    """The lock in a file.

    Raises:
        UsageError: it cannot be read.
        DamagedFile: it is none.
    """
    try:
        data = read_file(path)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror}).",
            next_step="Build it with `anchorwatch lock build SOURCE -o FILE`.",
        ) from None
    return load_lock(data, place=str(path))


def _read_former(path: Path) -> Lock | None:
    """The lock that is about to be replaced, if there is one.

    Raises:
        UsageError: what stands there is none: a mistyped name, or a merge that is not done.
    """
    if not path.is_file() or not path.stat().st_size:
        return None
    try:
        return read_lock(path)
    except DamagedFile as error:
        raise UsageError(
            error.message, next_step="Remove it, or name another file with -o."
        ) from None


def verify_one(path: Path, text: str | None, python: Path | None) -> tuple[Problem, ...]:
    """What is wrong between a lock and a history.

    Raises:
        AnchorwatchError: one of them cannot be read.
    """
    lock = read_lock(path)
    scripts = run_loop(open_scripts(_find_history(text), BuildOptions(python=python)))
    return check_lock(lock, scripts.history, scripts.digests)


def describe_problems(problems: Iterable[Problem]) -> dict[str, Any]:
    """The JSON document of `lock verify`."""
    told = [
        {"name": p.name, "revision": p.revision, "message": p.message, "command": p.command}
        for p in problems
    ]
    return {"ok": not told, "problems": told}


def write_problems(problems: Sequence[Problem], path: Path) -> str:
    """The same for people."""
    if not problems:
        return f"{path} is what the history promises."
    lines = [line for p in problems for line in (clean(p.message), f"    {clean(p.command)}")]
    count = f"{len(problems)} problem{'' if len(problems) == 1 else 's'}"
    return "\n".join([*lines, count])


def describe_built(built: BuiltLock, path: Path) -> dict[str, Any]:
    """The JSON document of `lock build`."""
    lock, difference = built
    stop = lock.stopped_at
    return {
        "file": str(path),
        "revisions": len(lock.revisions),
        "heads": list(lock.history.heads),
        "objects": len(lock.objects),
        "retired": [one.id for one in lock.retired],
        "stopped_at": {"revision": stop[0], "reason": stop[1]} if stop else None,
        "models": None if difference is None else len(difference.changes),
    }


def write_built(built: BuiltLock, path: Path) -> str:
    """The same for people."""
    return "\n".join(clean(line) for line in _list_built(*built, path))


def _list_built(lock: Lock, difference: Difference | None, path: Path) -> Iterator[str]:
    done = sum(one.delta is not None for one in lock.revisions)
    begun = f", beginning with {', '.join(lock.history.reduce(lock.start))}" if lock.start else ""
    heads = ", ".join(lock.history.heads)
    yield f"wrote {path}: {done} revisions to {heads}, {len(lock.objects)} objects{begun}"
    if lock.retired:
        yield f"retired, their files are gone: {', '.join(one.id for one in lock.retired)}"
    if disputed := {hit.key for hit in States(lock).collisions}:
        yield f"{len(disputed)} objects depend on the order of branches until these are merged"
    if lock.stopped_at:
        revision, reason = lock.stopped_at
        yield f"stopped at {revision}: {reason}"
        yield (
            f"{len(lock.revisions) - done} revisions are locked without what they change. Make "
            "that one run on an empty database, or name what it needs: --baseline sql:FILE or "
            "--baseline models:MODULE:ATTR; with --baseline-at REV the lock begins with a dump of "
            "that revision"
        )
    if difference is not None:
        count = len(difference.changes)
        noun = "object" if count == 1 else "objects"
        yield (
            f"the models differ from the migrations in {count} {noun}: `anchorwatch diff` of "
            "both shows them"
            if count
            else "the models are what the migrations make"
        )
