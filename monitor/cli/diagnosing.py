"""What `anchorwatch diagnose` does: reads a database and holds it against a lock."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

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
from monitor.core.source import Scheme
from monitor.core.verdict import State
from monitor.core.way_out import name_revisions
from monitor.sources.dsn import Dsn
from monitor.sources.postgres import connect
from monitor.sources.reading import take_snapshot

_ALTERNATIVES_SHOWN: Final = 3


class Diagnosed(NamedTuple):
    """A diagnosis, and the lock that it was made with."""

    diagnosis: Diagnosis
    lock: Lock


class Asked(NamedTuple):
    """What is asked about a database.

    Attributes:
        database: which one.
        locks: of the release that is deployed, and of other ones.
        schema: where the objects of the lock are; None for where it has them.
        beside: the locks of other histories in the same database.
    """

    database: str
    locks: Sequence[Path]
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
    deployed, *others = (States(read_lock(path)) for path in asked.locks)
    beside = tuple(read_lock(path) for path in asked.beside)
    [resolved] = resolve_sources([asked.database], config)
    if resolved.source.scheme is not Scheme.POSTGRES:
        raise UsageError(
            f"{resolved.source} is no database.",
            next_step="Name a postgresql:// URL or a configured database.",
        )
    scope, schema = DEFAULT_SCOPE, asked.schema
    if resolved.database is not None:
        from monitor.agent.choices import make_scope

        scope, schema = make_scope(resolved.database), schema or resolved.database.lock_schema
    with show_progress(f"diagnosing {resolved.source}"):
        dsn, choices = read_url(resolved.source), BuildChoices(shadow=shadow)
        known, share = Known(deployed, tuple(others)), Share(schema, beside)
        judged = run_loop(_diagnose(dsn, known, scope, share, choices))
        return Diagnosed(judged.diagnosis, judged.states.lock)


async def _diagnose(
    dsn: Dsn, known: Known, scope: Scope, share: Share, choices: BuildChoices
) -> Judged:
    async with connect(dsn) as session:
        live = await take_snapshot(session)
    spellings = Spellings(make_options(choices))
    return await diagnose_snapshot(known, live, scope, spellings=spellings, share=share)


def describe_diagnosis(found: Diagnosed) -> dict[str, Any]:
    """The JSON document."""
    one = found.diagnosis
    half = one.half
    return {
        "verdict": one.verdict,
        "severity": one.verdict.meaning.severity,
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
    yield f"{one.verdict} ({one.verdict.meaning.severity}){also}: {one.summary}"
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
    meaning = found.diagnosis.verdict.meaning
    if not meaning.is_looked:
        return COULD_NOT_LOOK
    if fail_on is FailOn.NEVER:
        return 0
    return int(meaning.severity.rank >= Severity(fail_on.value).rank)
