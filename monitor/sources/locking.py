"""A lock, built from a history: one run with the observer, and one the other way round.

A history that stops on its way is locked as far as it came, with where and why it stopped.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec

from monitor.core.errors import BuildError
from monitor.core.history import History
from monitor.core.lock import Lock, LockedRevision, Statement, VersionPlace
from monitor.core.lock_building import Built, make_lock, settle_built, settle_runs, succeed
from monitor.core.lock_varying import Variation, find_variation, has_disagreement
from monitor.core.lock_wording import (
    Respelt,
    Wordings,
    add_spellings,
    find_spellings,
    settle,
    word,
)
from monitor.core.snapshot import Snapshot, VersionTable
from monitor.sources.build import BuildOptions
from monitor.sources.observation import Observation, Observed
from monitor.sources.replay import FROM_NOTHING, Start, check_moved, replay
from monitor.sources.scripts import Scripts
from monitor.sources.shadow import Scratch
from monitor.sources.shadows import Shadows

type Baseline = Callable[[Scratch], Awaitable[None]]

_WRITES: Final = re.compile(r"\s*(?:insert into|update|delete from)\s+(\S+)", re.IGNORECASE)
_SECRET: Final = re.compile(r"\b(?:password|secret|token)\b", re.IGNORECASE)
_LITERAL: Final = re.compile(r"'(?:[^']|'')*'")


@dataclass(frozen=True, slots=True, kw_only=True)
class LockOptions:
    """How a lock is built.

    Attributes:
        build: how the user's code is run.
        baseline: makes what the first revision needs.
        start: what that is of.
        former: the lock that this one takes the place of.
        others: further major versions of PostgreSQL whose spellings are learnt.
    """

    build: BuildOptions
    baseline: Baseline | None = None
    start: Start = FROM_NOTHING
    former: Lock | None = None
    others: tuple[int, ...] = ()


async def build_lock(scripts: Scripts, shadows: Shadows, options: LockOptions) -> Lock:
    """The lock of a history.

    Raises:
        BuildError: the history is broken, or nothing of it runs; names the revision.
        LookError: the shadow cannot be read.
    """
    refuse_broken(scripts.history)
    runs = await _run_all(scripts, shadows, options)
    first, turned = runs.first, runs.turned
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
    lock = await _add_spellings(lock, scripts, shadows, options, words=words, first=first)
    return succeed(lock, options.former)


async def _add_spellings(  # noqa: PLR0913  # a lock, and all that it was built from
    lock: Lock,
    scripts: Scripts,
    shadows: Shadows,
    options: LockOptions,
    *,
    words: Wordings,
    first: "_Run",
) -> Lock:
    """The lock with what the servers of other versions write for the same."""
    found: list[Respelt] = []
    ours = [settle(schema, words)[0] for schema in first.list_schemas()]
    for major in options.others:
        options.build.progress(f"once more on PostgreSQL {major}")
        run = await _observe(scripts, shadows, options, major=major)
        theirs = [settle(schema, words)[0] for schema in run.list_schemas()]
        found += await asyncio.to_thread(list, find_spellings(ours, theirs))
    return add_spellings(lock, options.others, found)


async def _run_all(scripts: Scripts, shadows: Shadows, options: LockOptions) -> "_Runs":
    """Run it as often as it takes to tell the history's doing from chance.

    The second run is of a later day, with branches the other way round. Where these two do not
    agree, a third one in the order of the first tells whether that is due to the order.
    """
    first = await _observe(scripts, shadows, options)
    order = turn_around(scripts.history, first.names)
    turned = None
    if order is not None:
        options.build.progress("once more, with the branches the other way round")
        with suppress(BuildError):  # its first revision does not run in this order
            turned = await _observe_later(scripts, shadows, options, order, first)
        if turned is not None and not has_disagreement(first.schemas, turned.schemas):
            return _Runs(first, turned, None)
    options.build.progress("once more, as of a later day")
    return _Runs(first, turned, await _observe_later(scripts, shadows, options, (), first))


async def _observe_later(
    scripts: Scripts,
    shadows: Shadows,
    options: LockOptions,
    order: Sequence[str],
    first: "_Run",
) -> "_Run":
    """Another run, as of a later day; of today where the history does not stand that.

    Raises:
        BuildError: its first revision does not run.
    """
    later = replace(options, build=replace(options.build, is_later=True))
    with suppress(BuildError):
        run = await _observe(scripts, shadows, later, order=order)
        if len(run.observed) >= len(first.observed):
            return run
    return await _observe(scripts, shadows, options, order=order)


def refuse_broken(history: History) -> None:
    """Nothing, where every revision has one file and follows what exists.

    Raises:
        BuildError: two files have one id, a revision is missing, or some wait for themselves.
    """
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


def turn_around(history: History, order: Sequence[str]) -> tuple[str, ...] | None:
    """The order with branches the other way round; None for a history without any.

    The last revision that can go first goes first.
    """
    places = {name: place for place, name in enumerate(order)}
    waiting, turned = set(order), list[str]()
    while waiting:
        ready = [one for one in waiting if waiting.isdisjoint(history.parents[one])]
        turned.append(max(ready, key=lambda one: places[one]))
        waiting.remove(turned[-1])
    return tuple(turned) if turned != list(order) else None


class _Run(NamedTuple):
    """What one run of the history showed."""

    base: Snapshot
    observed: tuple[Observed, ...]
    stopped_at: tuple[str, str] | None
    tables: Sequence[VersionTable]

    @property
    def names(self) -> list[str]:
        """The revisions that ran."""
        return [one.revision for one in self.observed]

    @property
    def schemas(self) -> dict[str, Snapshot]:
        """The schema after each revision."""
        return {one.revision: one.schema for one in self.observed}

    def list_schemas(self) -> list[Snapshot]:
        """The schema before the first revision, and after each."""
        return [self.base, *self.schemas.values()]

    @property
    def server_version(self) -> int:
        """Of the shadow."""
        assert self.base.server is not None  # noqa: S101  # it was read from one
        return self.base.server.version_num


class _Runs(NamedTuple):
    """The runs of one history.

    Attributes:
        first: what is locked.
        turned: one with its branches the other way round, where it has any.
        again: one more in the same order, where something may be due to chance.
    """

    first: _Run
    turned: _Run | None
    again: _Run | None

    def list_all(self) -> list[_Run]:
        """Those that there are, in the order in which they ran."""
        return [run for run in self if run is not None]

    def find_variation(self) -> Variation:
        """What is another value or name at each run."""
        if self.again is None:
            return Variation()
        ours, theirs = self.first.list_schemas(), self.again.list_schemas()
        return find_variation(ours, theirs, today=datetime.now(UTC).date())


async def _observe(
    scripts: Scripts,
    shadows: Shadows,
    options: LockOptions,
    *,
    order: Sequence[str] = (),
    major: int | None = None,
) -> _Run:
    """Run it; what fails on its way has shown what came before.

    Args:
        scripts: the history.
        shadows: where.
        options: how.
        order: of the revisions; none for Alembic's own.
        major: of the server; None for what the options say.

    Raises:
        BuildError: it fails before the first revision is done.
    """
    observation: Observation | None = None
    heads = scripts.history.heads

    async def work(scratch: Scratch) -> None:
        nonlocal observation
        observation = Observation(scratch.builder)
        if options.baseline is not None:
            await options.baseline(scratch)
        await replay(
            scratch,
            scripts,
            heads,
            options.build,
            observation=observation,
            order=order,
            start=options.start,
        )

    stopped_at: tuple[str, str] | None = None
    tables: Sequence[VersionTable] | None = None
    try:
        if major is None:
            schema = await shadows.build(work, major=options.build.major)
        else:
            schema = await shadows.build_at(work, major=major)
        check_moved(schema, scripts.history, heads)
        tables = schema.version_tables
    except BuildError as error:
        stopped_at = _find_stop(observation, error)
    assert observation is not None  # noqa: S101  # else it had been raised again
    assert observation.base is not None  # noqa: S101  # as above
    if tables is None:
        tables = observation.version_tables
    return _Run(observation.base, tuple(observation.observed), stopped_at, tables)


def _find_stop(observation: Observation | None, error: BuildError) -> tuple[str, str]:
    """Where a run ended before its time, and why.

    Raises:
        BuildError: nothing of it was seen; says what could make it run.
    """
    stopped_at = observation.stopped_at if observation else None
    if observation is None or observation.base is None or stopped_at is None:
        raise error
    if not observation.observed:
        raise BuildError(
            f"{error.message} It is the first revision: no history can be read from there.",
            next_step="Where it alters what was there before it, name what made that: "
            "`--baseline sql:FILE.sql` or `--baseline models:package.module:attribute`; where the "
            "models made it, `--downgrade` as well; or begin with a dump of a later revision, "
            "`--baseline-at REV`. Else: "
            f"{error.next_step}",
        ) from None
    return stopped_at, error.message


def _find_place(tables: Sequence[VersionTable]) -> VersionPlace:
    """The version table that the run has written to."""
    found = min(tables, key=lambda table: not table.revisions, default=None)
    if found is None:
        return VersionPlace()
    return VersionPlace(schema=found.schema, name=found.name, width=found.width)


def _describe(run: _Run, scripts: Scripts, place: VersionPlace) -> Iterator[Built]:
    for one in run.observed:
        revision = scripts.history.by_id[one.revision]
        yield Built(
            revision=revision,
            digest=scripts.digests[revision.path],
            schema=one.schema,
            statements=tuple(tidy_statements(one.statements, place)),
            steps=one.steps,
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
        sql = _LITERAL.sub("'***'", one.sql) if _SECRET.search(one.sql) else one.sql
        told = msgspec.structs.replace(one, sql=sql.strip())
        if told != last:
            yield told
        last = told
