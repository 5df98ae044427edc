"""The runs of a history from which a lock is made: one that is locked, others that explain it.

A run that stops on its way has shown what came before.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple

from monitor.core.dated import find_dates
from monitor.core.errors import BuildError
from monitor.core.history import History
from monitor.core.keys import ObjectKey
from monitor.core.lock import Lock
from monitor.core.lock_varying import Variation, find_variation, has_disagreement
from monitor.core.snapshot import Snapshot, VersionTable
from monitor.sources.build import BuildOptions
from monitor.sources.observation import Observation, Observed
from monitor.sources.replay import FROM_NOTHING, Start, check_moved, replay
from monitor.sources.scripts import Scripts
from monitor.sources.shadow import Scratch
from monitor.sources.shadows import Shadows

type Baseline = Callable[[Scratch], Awaitable[None]]


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


class Run(NamedTuple):
    """What one run of the history showed.

    Attributes:
        base: the schema before the first revision.
        observed: each revision that ran.
        stopped_at: the one that did not, and why; None where all did.
        tables: the version tables.
        is_later: whether the application believed that it was a later day.
        afterwards: what env.py made or changed when the last revision was done.
    """

    base: Snapshot
    observed: tuple[Observed, ...]
    stopped_at: tuple[str, str] | None
    tables: Sequence[VersionTable]
    is_later: bool = False
    afterwards: tuple[ObjectKey, ...] = ()

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
    def dates(self) -> frozenset[str] | None:
        """The dates that its statements name; None where some may be the application's today.

        With those in the names of what was there before: somebody's dump or models name them.
        """
        if not self.is_later:
            return None
        texts = [statement.sql for one in self.observed for statement in one.statements]
        texts += (name for key in self.base.by_key for name in (key.schema, key.name) if name)
        return frozenset(date for text in texts for date in find_dates(text))

    @property
    def server_version(self) -> int:
        """Of the shadow."""
        assert self.base.server is not None  # noqa: S101  # it was read from one
        return self.base.server.version_num


class Runs(NamedTuple):
    """The runs of one history.

    Attributes:
        first: what is locked.
        turned: one with its branches the other way round, where it has any.
        again: one more in the same order, where something may be due to chance.
    """

    first: Run
    turned: Run | None
    again: Run | None

    def list_all(self) -> list[Run]:
        """Those that there are, in the order in which they ran."""
        return [run for run in self if run is not None]

    def find_variation(self) -> Variation:
        """What is another value or name at each run, or was that of the server's day."""
        later = self.again or self.turned
        return find_variation(
            self.first.list_schemas(),
            (self.again or self.first).list_schemas(),
            today=datetime.now(UTC).date(),
            said=later and later.dates,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """Runs one history as often as it takes.

    Attributes:
        scripts: the history.
        shadows: where.
        options: how.
    """

    scripts: Scripts
    shadows: Shadows
    options: LockOptions

    async def run_all(self) -> Runs:
        """What tells the history's doing from chance.

        The second run is of a later day, with branches the other way round. Where these two do
        not agree, a third one in the order of the first tells whether that is due to the order.

        Raises:
            BuildError: nothing of it runs.
            LookError: the shadow cannot be read.
        """
        progress = self.options.build.progress
        first = await self.observe()
        order = turn_around(self.scripts.history, first.names)
        turned = None
        if order is not None:
            progress("once more, with the branches the other way round")
            with suppress(BuildError):  # its first revision does not run in this order
                turned = await self._observe_later(first, order)
            if turned is not None and not has_disagreement(first.schemas, turned.schemas):
                return Runs(first, turned, None)
        progress("once more, as of a later day")
        return Runs(first, turned, await self._observe_later(first))

    async def _observe_later(self, first: Run, order: Sequence[str] = ()) -> Run:
        """Another run, as of a later day; of today where the history does not stand that."""
        build = replace(self.options.build, is_later=True)
        later = replace(self, options=replace(self.options, build=build))
        with suppress(BuildError):
            run = await later.observe(order=order)
            if len(run.observed) >= len(first.observed):
                return run
        return await self.observe(order=order)

    async def observe(self, *, order: Sequence[str] = (), major: int | None = None) -> Run:
        """Run it once; what fails on its way has shown what came before.

        Args:
            order: of the revisions; none for Alembic's own.
            major: of the server; None for what the options say.

        Raises:
            BuildError: it fails before the first revision is done.
        """
        observation: Observation | None = None
        heads = self.scripts.history.heads

        async def work(scratch: Scratch) -> None:
            nonlocal observation
            observation = Observation(scratch.builder)
            if self.options.baseline is not None:
                await self.options.baseline(scratch)
            await replay(
                scratch,
                self.scripts,
                heads,
                self.options.build,
                observation=observation,
                order=order,
                start=self.options.start,
            )

        stopped_at: tuple[str, str] | None = None
        tables: Sequence[VersionTable] | None = None
        afterwards: tuple[ObjectKey, ...] = ()
        try:
            if major is None:
                schema = await self.shadows.build(work, major=self.options.build.major)
            else:
                schema = await self.shadows.build_at(work, major=major)
            check_moved(schema, self.scripts.history, heads)
            tables, afterwards = schema.version_tables, _list_afterwards(observation, schema)
        except BuildError as error:
            stopped_at = _find_stop(observation, error)
        assert observation is not None  # noqa: S101  # else it had been raised again
        assert observation.base is not None  # noqa: S101  # as above
        if tables is None:
            tables = observation.version_tables
        observed, is_later = tuple(observation.observed), self.options.build.is_later
        return Run(observation.base, observed, stopped_at, tables, is_later, afterwards)


def _list_afterwards(observation: Observation | None, schema: Snapshot) -> tuple[ObjectKey, ...]:
    """What is not as the last revision left it."""
    if observation is None or not observation.observed:
        return ()
    left = observation.observed[-1].schema.by_key
    made = [item.key for item in schema.objects if left.get(item.key) != item]
    return (*made, *(key for key in left if key not in schema.by_key))


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
