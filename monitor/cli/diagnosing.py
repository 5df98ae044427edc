"""What `anchorwatch diagnose` does: reads a database and holds it against a lock."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from monitor.checks.diagnosis import Judged, diagnose_snapshot
from monitor.checks.spelling import Spellings
from monitor.cli.checking import COULD_NOT_LOOK
from monitor.cli.choices import FailOn
from monitor.cli.locks import read_lock
from monitor.cli.loop import run_loop
from monitor.cli.progress import show_progress
from monitor.cli.sources import BuildChoices, make_options, read_url, resolve_sources
from monitor.core.diagnosis import Diagnosis
from monitor.core.errors import UsageError
from monitor.core.explanation import Alternative
from monitor.core.findings import Severity
from monitor.core.graph import draw_row, list_rows, mark_revisions
from monitor.core.lock import Lock
from monitor.core.lock_states import States
from monitor.core.printing import clean
from monitor.core.release import Known
from monitor.core.scope import DEFAULT_SCOPE, Scope
from monitor.core.shares import Share
from monitor.core.source import Scheme, Source
from monitor.core.verdict import State
from monitor.core.way_out import name_revisions
from monitor.sources.build import BuildOptions
from monitor.sources.dsn import Dsn
from monitor.sources.locked import LockedExpectation
from monitor.sources.postgres import connect
from monitor.sources.reading import take_snapshot

if TYPE_CHECKING:
    from monitor.config.databases import DatabaseSettings

_ALTERNATIVES_SHOWN: Final = 3
_DEFAULT: Final = Path("schema.lock.json")


class Diagnosed(NamedTuple):
    """A diagnosis, and the lock that it was made with."""

    diagnosis: Diagnosis
    lock: Lock


class Asked(NamedTuple):
    """What is asked about a database.

    Attributes:
        database: which one.
        locks: of the release that is deployed, and of other ones; none for what is
            configured.
        schema: where the objects of the lock are; None for what is configured, or else for
            where the lock has them.
        beside: the locks of other histories in the same database; none for what is configured.
    """

    database: str
    locks: Sequence[Path] = ()
    schema: str | None = None
    beside: Sequence[Path] = ()


def diagnose_one(asked: Asked, shadow: str | None, config: str | None) -> Diagnosed:
    """What is the matter with a database.

    Args:
        asked: what is asked.
        shadow: a server that proves texts.
        config: where the configuration is.

    Raises:
        AnchorwatchError: a lock cannot be used, or the database cannot be read.
    """
    [resolved] = resolve_sources([asked.database], config)
    if resolved.source.scheme is not Scheme.POSTGRES:
        raise UsageError(
            f"{resolved.source} is no database.",
            next_step="Name a postgresql:// URL or a configured database.",
        )
    given = _fill_in(asked, shadow, resolved.database)
    with show_progress(f"diagnosing {resolved.source}"):
        judged = run_loop(_diagnose(read_url(resolved.source), given))
        return Diagnosed(judged.diagnosis, judged.states.lock)


class _Given(NamedTuple):
    """What a database is held against: files, or what its configuration names."""

    locks: Sequence[Path | Source]
    beside: Sequence[Path | Source]
    schema: str | None
    scope: Scope
    options: BuildOptions


def _fill_in(asked: Asked, shadow: str | None, database: "DatabaseSettings | None") -> _Given:
    """What the command line does not say, the configuration does."""
    if database is None:
        options = make_options(BuildChoices(shadow=shadow))
        locks = asked.locks or [_DEFAULT]
        return _Given(locks, asked.beside, asked.schema, DEFAULT_SCOPE, options)
    from monitor.agent import choices

    options = choices.make_options(database)
    expected = choices.read_expected(database)
    configured = expected if expected and expected.scheme is Scheme.LOCK else _DEFAULT
    return _Given(
        locks=asked.locks or [configured],
        beside=asked.beside or choices.list_beside(database),
        schema=asked.schema or database.lock_schema,
        scope=choices.make_scope(database),
        options=replace(options, shadow_url=shadow or options.shadow_url),
    )


async def _diagnose(dsn: Dsn, given: _Given) -> Judged:
    deployed, *others = [await _read(source, given.options) for source in given.locks]
    beside = tuple([(await _read(source, given.options)).lock for source in given.beside])
    async with connect(dsn) as session:
        live = await take_snapshot(session)
    return await diagnose_snapshot(
        Known(deployed, tuple(others)),
        live,
        given.scope,
        spellings=Spellings(given.options),
        share=Share(given.schema, beside),
    )


async def _read(place: Path | Source, options: BuildOptions) -> States:
    if isinstance(place, Path):
        return States(read_lock(place))
    return await LockedExpectation(place, options).read()


def describe_diagnosis(found: Diagnosed) -> dict[str, Any]:
    """The JSON document."""
    one = found.diagnosis
    half = one.half
    return {
        "verdict": one.verdict,
        "severity": one.severity,
        "also": list(one.also),
        "stamped": None if one.stamped is None else list(one.stamped),
        "heads": list(one.heads),
        "missing_revisions": list(one.missing_revisions),
        "extra_revisions": list(one.extra_revisions),
        "half_applied": half and {"revision": half.revision, "done": half.done, "of": half.steps},
        "edited_revisions": [edited.id for edited in one.edited],
        "pending": list(one.pending),
        "unexplained": one.unexplained,
        "safe_for_deployed": one.risk and {"answer": one.risk.safety, "reason": one.risk.reason},
        "alternatives": [_describe_alternative(other) for other in one.alternatives],
        "summary": one.summary,
        "remedy": list(one.remedy),
    }


def _describe_alternative(other: Alternative) -> dict[str, Any]:
    if other.by_hand is not None:
        return {"instead_of": other.instead_of, "by_hand": str(other.by_hand)}
    return {"missing_revisions": list(other.missing), "extra_revisions": list(other.extra)}


def write_diagnosis(found: Diagnosed) -> str:
    """The same for people, with the history drawn."""
    return "\n".join(clean(line) for line in _list_lines(*found))


def _list_lines(one: Diagnosis, lock: Lock) -> Iterator[str]:
    also = f", also {', '.join(one.also)}" if one.also else ""
    yield f"{one.verdict} ({one.severity}){also}: {one.summary}"
    if one.unexplained and one.verdict is not State.DRIFTED:
        yield f"{one.unexplained} more that no revision explains"
    for other in one.alternatives[:_ALTERNATIVES_SHOWN]:
        yield f"or: {_write_alternative(other)}"
    if len(one.alternatives) > _ALTERNATIVES_SHOWN:
        yield f"and {len(one.alternatives) - _ALTERNATIVES_SHOWN} more such"
    yield ""
    order = [revision.id for revision in lock.revisions]
    marks = mark_revisions(lock.history, one.stamped or (), one)
    yield from map(draw_row, list_rows(lock.history, order, marks))
    if one.remedy:
        yield ""
        yield from (f"  {command}" for command in one.remedy)


def _write_alternative(other: Alternative) -> str:
    if other.by_hand is not None:
        return f"instead of {other.instead_of} somebody changed {other.by_hand} by hand"
    parts = []
    if other.missing:
        parts.append(f"{name_revisions(other.missing)} never ran")
    if other.extra:
        parts.append(f"{name_revisions(other.extra)} is there already")
    return ", ".join(parts) or "all is as it is stamped"


def choose_exit(found: Diagnosed, fail_on: FailOn) -> int:
    """3 where it could not look, 1 from the wanted severity up."""
    one = found.diagnosis
    if not one.verdict.meaning.is_looked:
        return COULD_NOT_LOOK
    if fail_on is FailOn.NEVER:
        return 0
    return int(one.severity.rank >= Severity(fail_on.value).rank)
