"""A lock, built from the runs of a history.

A history that stops on its way is locked as far as it came, with where and why it stopped.
"""

import asyncio
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from monitor.core.errors import BuildError
from monitor.core.history import History
from monitor.core.keys import ObjectKey
from monitor.core.lock import Lock, LockedRevision, Statement, VersionPlace
from monitor.core.lock_building import Built, make_lock, settle_built, settle_runs, succeed
from monitor.core.lock_masking import mask
from monitor.core.lock_wording import (
    Respelt,
    Wordings,
    add_spellings,
    find_spellings,
    settle,
    word,
)
from monitor.core.snapshot import VersionTable
from monitor.sources.lock_runs import LockOptions, Run, Runner
from monitor.sources.scripts import Scripts
from monitor.sources.shadows import Shadows

__all__ = ["LockOptions", "build_lock", "refuse_broken", "tidy_statements"]

_WRITES: Final = re.compile(r"\s*(?:insert into|update|delete from)\s+(\S+)", re.IGNORECASE)


async def build_lock(scripts: Scripts, shadows: Shadows, options: LockOptions) -> Lock:
    """The lock of a history.

    Raises:
        BuildError: the history is broken, or nothing of it runs; names the revision.
        LookError: the shadow cannot be read.
    """
    refuse_broken(scripts.history)
    runner = Runner(scripts=scripts, shadows=shadows, options=options)
    runs = await runner.run_all()
    first, turned = runs.first, runs.turned
    if first.afterwards:
        options.build.progress(_warn_of(first.afterwards))
    place = _find_place(first.tables)
    variation = await asyncio.to_thread(runs.find_variation)
    words = word(variation)
    described = [[*_describe(run, scripts, place)] for run in runs.list_all()]
    lock = make_lock(
        settle(first.base, words)[0],
        [*settle_built(settle_runs(*described), words)],
        otherwise=[*settle_built(described[1], words)] if turned else (),
        place=place,
        server_version=first.server_version,
        start=_list_start(scripts, options.start.stamped),
        unbuilt=_list_unbuilt(scripts, [*first.names, *options.start.stamped]),
        stopped_at=first.stopped_at,
        variation=variation,
    )
    lock = await _add_spellings(lock, runner, first, words)
    return succeed(lock, options.former)


async def _add_spellings(lock: Lock, runner: Runner, first: Run, words: Wordings) -> Lock:
    """The lock with what the servers of other versions write for the same."""
    found: list[Respelt] = []
    ours = [settle(schema, words)[0] for schema in first.list_schemas()]
    for major in runner.options.others:
        runner.options.build.progress(f"once more on PostgreSQL {major}")
        run = await runner.observe(major=major)
        theirs = [settle(schema, words)[0] for schema in run.list_schemas()]
        found += await asyncio.to_thread(list, find_spellings(ours, theirs))
    return add_spellings(lock, runner.options.others, found)


def _warn_of(made: Sequence[ObjectKey]) -> str:
    more = f" and {len(made) - 1} more" if len(made) > 1 else ""
    return (
        f"warning: {made[0]}{more} is made or changed when the last revision is done, by env.py "
        "or an event of a migration: that is in no lock, and is told as drift. Do it in a "
        "revision, or leave it to an `ignore` rule."
    )


def refuse_broken(history: History) -> None:
    """Nothing, where every revision has one file and follows what exists.

    Raises:
        BuildError: there is none, two files have one id, a revision is missing, or some wait
            for themselves.
    """
    if not history.revisions:
        raise BuildError(
            "The history has no revision yet.", next_step="Write one: `alembic revision`."
        )
    if history.duplicates:
        other = history.duplicates[0]
        raise BuildError(
            f"Two files have the revision {other.id}: {history.by_id[other.id].path} "
            f"and {other.path}.",
            next_step="Give one of them another id, and correct what follows it.",
        )
    if history.missing:
        name, named_by = next(iter(history.missing.items()))
        raise BuildError(
            f"Revision {named_by[0]} follows {name}, which no file has.",
            next_step="Check out the commit that has it, or correct down_revision.",
        )
    if history.cycles:
        raise BuildError(
            f"Revisions follow each other in a circle: {', '.join(history.cycles)}.",
            next_step="Correct the down_revision of one of them.",
        )


def _find_place(tables: Sequence[VersionTable]) -> VersionPlace:
    """The version table that the run has written to."""
    found = min(tables, key=lambda table: not table.revisions, default=None)
    if found is None:
        return VersionPlace()
    return VersionPlace(schema=found.schema, name=found.name, width=found.width)


def _describe(run: Run, scripts: Scripts, place: VersionPlace) -> Iterator[Built]:
    for one in run.observed:
        revision = scripts.history.by_id[one.revision]
        yield Built(
            revision=revision,
            digest=scripts.digests[revision.path],
            schema=one.schema,
            statements=tuple(tidy_statements(one.statements, place)),
            steps=one.steps,
            marks=tuple(len([*tidy_statements(one.statements[:m], place)]) for m in one.marks),
        )


def _list_unbuilt(scripts: Scripts, done: Iterable[str]) -> tuple[LockedRevision, ...]:
    """The revisions that did not run, in an order in which they could."""
    return tuple(_leave_unknown(scripts, name) for name in scripts.history.pending(done))


def _list_start(scripts: Scripts, stamped: Iterable[str]) -> tuple[LockedRevision, ...]:
    """The revisions that are in the base: nobody knows what each of them does."""
    history = scripts.history
    within = history.ancestors(stamped)
    return tuple(_leave_unknown(scripts, n) for n in history.pending(()) if n in within)


def _leave_unknown(scripts: Scripts, name: str) -> LockedRevision:
    revision = scripts.history.by_id[name]
    return LockedRevision(revision=revision, digest=scripts.digests[revision.path], delta=None)


def tidy_statements(statements: Iterable[Statement], place: VersionPlace) -> Iterator[Statement]:
    """What a revision ran, without what Alembic wrote of it, and without secrets.

    Rows that are written one after the other by the same statement are one.
    """
    last = None
    for one in statements:
        table = _WRITES.match(one.sql)
        if table and table[1].rpartition(".")[2].strip('"') == place.name:
            continue
        told = msgspec.structs.replace(one, sql=mask(one.sql).strip())
        if told != last:
            yield told
        last = told
