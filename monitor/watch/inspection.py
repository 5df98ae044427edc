"""What one look reads, and what it makes of it: a report, and the snapshot if there is one."""

import asyncio
from datetime import datetime

import msgspec

from monitor.checks.activity import hold_back, track_builds
from monitor.checks.comparison import compare
from monitor.checks.diagnosis import diagnose_snapshot
from monitor.checks.history import is_empty, judge_stamp, read_stamp
from monitor.core.difference import Difference
from monitor.core.errors import AnchorwatchError, Migrating
from monitor.core.lock import Lock
from monitor.core.release import Move
from monitor.core.report import Report
from monitor.core.shares import Share
from monitor.core.snapshot import Snapshot
from monitor.core.verdict import State
from monitor.sources.postgres import connect
from monitor.sources.reading import Reading, read_schema
from monitor.watch.promise import Locks, Promise, find_promise
from monitor.watch.reports import (
    Builds,
    add_unknown,
    begin_report,
    report_comparison,
    report_failure,
    report_judged,
    report_migrating,
    report_stamp,
    report_unreadable_stamp,
)
from monitor.watch.target import Look, Target


async def inspect(target: Target, at: datetime) -> Look:
    """Look at one database for once, compare it, and say what it is; raises no error of ours."""
    return await finish_look(target, await begin_look(target, at))


async def begin_look(target: Target, at: datetime, *, before: Report | None = None) -> Look:
    """Read one database, and compare nothing yet; never raises an error of ours.

    Args:
        target: the database.
        at: when the look begins.
        before: what the last look found.

    Returns:
        A look whose report says what is stamped; or, without a snapshot, why nothing was read.
    """
    begun = asyncio.get_running_loop().time()
    try:
        reading = await read_database(target, at)
    except Migrating as error:
        return Look(_time(report_migrating(target, at, error, before), begun), None)
    except AnchorwatchError as error:
        report = report_failure(target.environment, target.database, at, error)
        return Look(_time(report, begun), None)
    report = begin_report(target, at, reading.snapshot, read_stamp(reading.snapshot))
    look = Look(report, reading.snapshot, reading.activity, reading.is_superuser)
    return look._replace(report=_time(report, begun))


async def finish_look(
    target: Target,
    look: Look,
    *,
    baseline: Snapshot | None = None,
    before: Report | None = None,
    move: Move | None = None,
) -> Look:
    """Compare what was read, and say what it is; never raises an error of ours.

    Args:
        target: the database.
        look: what `begin_look` read there; without a snapshot it is all there is to say.
        baseline: what it is compared with when the target expects nothing.
        before: what the last look found.
        move: the last change of the stamp.
    """
    if look.snapshot is None:
        return look
    begun = asyncio.get_running_loop().time()
    report = await _judge(target, look, baseline=baseline, before=before, move=move)
    return look._replace(report=_time(report, begun - look.report.seconds))


async def read_database(target: Target, at: datetime) -> Reading:
    """What the target's schema is, and what goes on there.

    Raises:
        LookError: it could not be read.
    """
    async with connect(target.dsn, deadlines=target.deadlines) as session:
        reading = await read_schema(session, known=target.memory.recall(at))
    target.memory.keep(reading.texts, at)
    return reading


def _time(report: Report, begun: float) -> Report:
    seconds = asyncio.get_running_loop().time() - begun
    return msgspec.structs.replace(report, seconds=round(seconds, 3))


async def _judge(
    target: Target,
    look: Look,
    *,
    baseline: Snapshot | None,
    before: Report | None,
    move: Move | None,
) -> Report:
    """A look that could: the state, with the evidence, as far as nobody is changing it."""
    at = look.report.at
    builds = track_builds(look.activity, dict(before.builds) if before else {}, at)
    report = await _compare(target, look, baseline=baseline, builds=builds, move=move)
    report = msgspec.structs.replace(report, builds=tuple(builds.items()))
    return hold_back(report, look.activity, before.migrating_since if before else None)


async def _compare(
    target: Target,
    look: Look,
    *,
    baseline: Snapshot | None,
    builds: Builds,
    move: Move | None,
) -> Report:
    """Hold it against what is expected: a lock tells the cause, a schema what differs."""
    snapshot = look.snapshot
    assert snapshot is not None  # noqa: S101  # whoever judges has read it
    stamp = read_stamp(snapshot)
    try:
        if target.expectation is not None:
            await target.expectation.prepare(stamp or ())
        known = await target.locks.find_known(snapshot.version_tables) if target.locks else None
        share = Share(target.schema, tuple([await _read_lock(one) for one in target.beside]))
    except AnchorwatchError as error:
        return add_unknown(begin_report(target, look.report.at, snapshot, stamp), error)
    if known is None:
        return await _compare_schema(target, look, snapshot, baseline=baseline, builds=builds)
    judged = await diagnose_snapshot(
        known._replace(move=move),
        snapshot,
        target.scope,
        spellings=target.spellings,
        now=look.report.at,
        grace=target.grace,
        share=share,
    )
    at = look.report.at
    report = await asyncio.to_thread(report_judged, target, at, snapshot, judged, builds)
    return msgspec.structs.replace(report, notes=(*known.notes, *report.notes))


async def _read_lock(locks: Locks) -> Lock:
    return (await locks.find_known(())).deployed.lock


async def _compare_schema(
    target: Target, look: Look, snapshot: Snapshot, *, baseline: Snapshot | None, builds: Builds
) -> Report:
    history = target.expectation.history if target.expectation else None
    stamp = read_stamp(snapshot, history)
    report = begin_report(target, look.report.at, snapshot, stamp)
    if stamp is None and history is not None:
        return report_unreadable_stamp(report, snapshot)
    if (state := judge_stamp(snapshot, stamp or (), history)) is not None:
        # The stamp is told with the schema that it is on, and a large one takes its time.
        return await asyncio.to_thread(report_stamp, report, target, snapshot, state)
    promise = Promise(baseline)
    try:
        if target.expectation is not None:
            promise = await find_promise(target.expectation, snapshot, stamp)
        if is_empty(snapshot, promise.schema):
            return report_stamp(report, target, snapshot, State.EMPTY)
        difference = await _find_difference(target, snapshot, promise)
    except AnchorwatchError as error:
        return add_unknown(report, error)
    return report_comparison(report, target, snapshot, difference, builds=builds)


async def _find_difference(
    target: Target, snapshot: Snapshot, promise: Promise
) -> Difference | None:
    """What differs from what is expected; None where nothing is."""
    if promise.schema is None:
        return None
    spellings, again = target.spellings, promise.again
    return await compare(
        promise.schema, snapshot, target.scope, spellings=spellings, unstable=again
    )
