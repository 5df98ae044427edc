"""The check for rows without a parent, at one database."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from monitor.checks.history import read_stamp
from monitor.checks.orphans import Limits, count_orphans
from monitor.core.checkup import CheckName, CheckRecord, CheckReport
from monitor.core.errors import AnchorwatchError
from monitor.core.findings import Unknown
from monitor.core.orphans import (
    Problem,
    Scan,
    Tally,
    find_orphans,
    forget_keys,
    hide_keys,
    is_due,
    name_relation,
    restore_key,
    summarise_tallies,
)
from monitor.core.relation import Origin, Relation, list_relations
from monitor.core.scope_managed import QUARANTINE
from monitor.core.snapshot import Snapshot
from monitor.sources.postgres import Deadlines
from monitor.watch.inspection import read_database
from monitor.watch.promise import find_promise
from monitor.watch.target import Target, add_locks


class OrphanPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What is counted at one database, and how much at a time.

    Attributes:
        relations: those that the configuration names.
        has_keys: whether foreign keys are counted as well: they come by themselves.
        validated_every: how often a key that the server holds for valid is counted; None for
            never.
        limits: how much one look may do.
        deadlines: how long one count may take.
    """

    relations: tuple[Relation, ...] = ()
    has_keys: bool = True
    validated_every: timedelta | None = None
    limits: Limits = Limits()
    deadlines: Deadlines = Deadlines()


class OrphanCheck:
    """The check of one database; keys that nobody may write down it keeps in mind.

    Args:
        plan: what is counted.
    """

    def __init__(self, plan: OrphanPlan) -> None:
        self._plan = plan
        self._scans: dict[str, Scan] = {}

    async def run(
        self, target: Target, at: datetime, before: CheckRecord | None = None
    ) -> CheckReport:
        """Count the rows without a parent; never raises an error of ours.

        Args:
            target: the database.
            at: when it begins.
            before: what the last check found.
        """
        begun = asyncio.get_running_loop().time()
        report = CheckReport(
            environment=target.environment,
            database=target.database,
            check=CheckName.ORPHANS,
            at=at,
        )
        try:
            tallies = await self._count(target, at, before)
        except AnchorwatchError as error:
            unknown = Unknown(
                CheckName.ORPHANS.finding_class, error.code, error.message, error.next_step
            )
            report = msgspec.structs.replace(report, unknown=unknown, summary=str(error))
        else:
            report = msgspec.structs.replace(
                report,
                findings=find_orphans(
                    tallies, environment=target.environment, database=target.database
                ),
                tallies=tuple(map(hide_keys, tallies)),
                summary=summarise_tallies(tallies),
            )
        seconds = asyncio.get_running_loop().time() - begun
        return msgspec.structs.replace(report, seconds=round(seconds, 3))

    async def _count(
        self, target: Target, at: datetime, before: CheckRecord | None
    ) -> tuple[Tally, ...]:
        plan = self._plan
        target = await add_locks(target, at)
        snapshot = (await read_database(target, at)).snapshot
        known = {
            name: restore_key(tally, self._scans.get(name))
            for tally in (before.report.tallies if before else ())
            for name in [name_relation(tally.relation)]
        }
        keys = await find_keys(target, snapshot) if plan.has_keys else Keys()
        relations = (*keys.relations, *plan.relations)
        due, rest = _divide(relations, known, at, plan.validated_every)
        if keys.problem is not None:
            rest += _list_lost(relations, known, keys.problem)
        if not plan.limits.samples:
            rest = [*map(forget_keys, rest)]
        counted = await count_orphans(
            target.dsn, due, at=at, deadlines=plan.deadlines, limits=plan.limits, before=known
        )
        self._scans = {
            name_relation(tally.relation): tally.scan
            for tally in counted
            if tally.scan is not None and tally.scan.is_private
        }
        return tuple(sorted((*counted, *rest), key=lambda tally: tally.relation.key.order))


def _divide(
    relations: Iterable[Relation],
    known: Mapping[str, Tally],
    at: datetime,
    validated_every: timedelta | None,
) -> tuple[list[Relation], list[Tally]]:
    """What is counted now, and what is known of the others."""
    due: list[Relation] = []
    rest: list[Tally] = []
    for relation in relations:
        tally = known.get(name_relation(relation))
        if is_due(relation, tally, at, validated_every):
            due.append(relation)
        elif tally is not None:
            rest.append(msgspec.structs.replace(tally, relation=relation))
    return due, rest


def _list_lost(
    relations: Iterable[Relation], known: Mapping[str, Tally], problem: Problem
) -> list[Tally]:
    """The keys that were missing, and of which nobody can say now whether they still are."""
    there = {name_relation(relation) for relation in relations}
    return [
        msgspec.structs.replace(tally, problem=problem, failures=tally.failures + 1)
        for name, tally in known.items()
        if name not in there and tally.relation.origin is Origin.MISSING
    ]


class Keys(NamedTuple):
    """The foreign keys of a database, there or only expected.

    Attributes:
        relations: all that are known.
        problem: why those that are only expected are not.
    """

    relations: tuple[Relation, ...] = ()
    problem: Problem | None = None


async def find_keys(target: Target, snapshot: Snapshot) -> Keys:
    """The foreign keys of a database, and those that it should have."""
    expected: Snapshot | None = None
    problem: Problem | None = None
    try:
        expected = await _find_expected(target, snapshot)
    except AnchorwatchError as error:
        problem = Problem(code=error.code, message=error.message, next_step=error.next_step)
    relations = tuple(
        relation
        for relation in list_relations(expected, snapshot)
        if target.scope.takes(relation.child[0] or "") and relation.child[0] != QUARANTINE
    )
    return Keys(relations, problem)


async def _find_expected(target: Target, snapshot: Snapshot) -> Snapshot | None:
    """What the schema should be at the revision that is stamped."""
    stamp = read_stamp(snapshot) or ()
    if target.locks is not None and target.schema is None and not target.beside:
        known = await target.locks.find_known(snapshot.version_tables)
        states = known.choose(stamp)
        history = states.lock.history
        rows = stamp if stamp and history.knows(stamp) else history.heads
        return states.make_snapshot(history.ancestors(rows))
    if target.expectation is None:
        return None
    await target.expectation.prepare(stamp)
    return (await find_promise(target.expectation, snapshot, stamp)).schema
