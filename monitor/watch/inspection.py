"""What one look reads, and what it makes of it: a report, and the snapshot if there is one."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec

from monitor.checks.activity import (
    MIGRATING_AT_MOST,
    add_stuck,
    excuse_builds,
    hold_back,
    say_migrating,
    track_builds,
)
from monitor.checks.comparison import compare
from monitor.checks.history import describe_stamp, is_empty, judge_stamp, read_stamp
from monitor.checks.schema import add_flaws, judge
from monitor.checks.spelling import Spellings
from monitor.checks.verdicts import choose_worst, judge_history
from monitor.core.activity import Activity
from monitor.core.diagnosis import Diagnosis
from monitor.core.difference import Difference, add_notes
from monitor.core.errors import AnchorwatchError, LookError, Migrating, Unreachable
from monitor.core.findings import Finding, FindingClass, Unknown, make_unknowns
from monitor.core.keys import ObjectKey
from monitor.core.overall import find_overall
from monitor.core.quoting import quote_ident
from monitor.core.report import Report
from monitor.core.rule import Rule
from monitor.core.rules import CANNOT_LOOK, UNREACHABLE
from monitor.core.scope import DEFAULT_SCOPE, Scope
from monitor.core.snapshot import Snapshot
from monitor.core.verdict import State
from monitor.core.waivers import Waivers
from monitor.sources.dsn import Dsn
from monitor.sources.postgres import Deadlines, connect
from monitor.sources.reading import Reading, read_schema
from monitor.watch.memory import Memory
from monitor.watch.promise import Expectation, Promise, find_fit, find_promise
from monitor.watch.summary import choose_state, summarise


class Target(msgspec.Struct, frozen=True):
    """One database to look at.

    Attributes:
        environment: where it runs.
        database: its configured name.
        dsn: how it is reached.
        deadlines: how long each wait may take.
        memory: of its texts, between looks: whoever looks again keeps it.
        expectation: what it should be; None where the first settled snapshot
            stands for it.
        waivers: what may be wrong there and need not be told.
        spellings: proves that texts mean the same; None where nothing can.
        scope: what of it is compared.
    """

    environment: str
    database: str
    dsn: Dsn
    deadlines: Deadlines
    memory: Memory
    expectation: Expectation | None = None
    waivers: Waivers = Waivers()
    spellings: Spellings | None = None
    scope: Scope = DEFAULT_SCOPE


class Look(NamedTuple):
    """What a look found.

    Attributes:
        report: the outcome.
        snapshot: the schema, if it was read.
        activity: what was going on meanwhile.
        is_superuser: whether the role that read it may do anything: a session that
            only reads does not stop COPY TO PROGRAM.
    """

    report: Report
    snapshot: Snapshot | None
    activity: Activity = Activity()
    is_superuser: bool = False


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
        return Look(_time(_report_migrating(target, at, error, before), begun), None)
    except AnchorwatchError as error:
        report = report_failure(target.environment, target.database, at, error)
        return Look(_time(report, begun), None)
    report = _begin_report(target, at, reading.snapshot, read_stamp(reading.snapshot))
    look = Look(report, reading.snapshot, reading.activity, reading.is_superuser)
    return look._replace(report=_time(report, begun))


async def finish_look(
    target: Target, look: Look, *, baseline: Snapshot | None = None, before: Report | None = None
) -> Look:
    """Compare what was read, and say what it is; never raises an error of ours.

    Args:
        target: the database.
        look: what `begin_look` read there; without a snapshot it is all there is to say.
        baseline: what it is compared with when the target expects nothing.
        before: what the last look found.
    """
    if look.snapshot is None:
        return look
    begun = asyncio.get_running_loop().time()
    report = await _judge(target, look, baseline=baseline, before=before)
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


def report_failure(
    environment: str, database: str, at: datetime, error: AnchorwatchError
) -> Report:
    """The report of a look that could not look."""
    is_unreachable = isinstance(error, Unreachable)
    finding = _make_finding(
        UNREACHABLE if is_unreachable else CANNOT_LOOK, error, environment, database
    )
    return Report(
        environment=environment,
        database=database,
        at=at,
        seconds=0.0,
        state=State.UNREACHABLE if is_unreachable else State.UNKNOWN,
        findings=(finding,),
        unknowns=make_unknowns(error.code, error.message, error.next_step),
        summary=str(error),
    )


def _make_finding(rule: Rule, error: AnchorwatchError, environment: str, database: str) -> Finding:
    return find_overall(
        rule,
        environment=environment,
        database=database,
        title=error.message,
        remedy=error.next_step,
    )


def _report_migrating(
    target: Target, at: datetime, error: Migrating, before: Report | None
) -> Report:
    """A look that a migration did not let read: no failure, unless that goes on for long."""
    since = (before.migrating_since if before else None) or at
    if at - since >= MIGRATING_AT_MOST:
        report = report_failure(target.environment, target.database, at, error)
        report = add_stuck(report, error.message)
    else:
        report = msgspec.structs.replace(
            _blank(target, at),
            state=State.MIGRATING,
            unknowns=say_migrating(error.message),
            summary=str(error),
        )
    return msgspec.structs.replace(report, migrating_since=since)


async def _judge(
    target: Target, look: Look, *, baseline: Snapshot | None, before: Report | None
) -> Report:
    """A look that could: the state, with the evidence, as far as nobody is changing it."""
    at = look.report.at
    builds = track_builds(look.activity, dict(before.builds) if before else {}, at)
    report = await _compare(target, look, baseline=baseline, builds=builds)
    report = msgspec.structs.replace(report, builds=tuple(builds.items()))
    return hold_back(report, look.activity, before.migrating_since if before else None)


async def _compare(
    target: Target, look: Look, *, baseline: Snapshot | None, builds: Mapping[ObjectKey, datetime]
) -> Report:
    snapshot, at = look.snapshot, look.report.at
    assert snapshot is not None  # noqa: S101  # whoever judges has read it
    stamp = read_stamp(snapshot)
    try:
        if target.expectation is not None:
            await target.expectation.prepare(stamp or ())
    except AnchorwatchError as error:
        return _add_unknown(_begin_report(target, at, snapshot, stamp), error)
    history = target.expectation.history if target.expectation else None
    stamp = read_stamp(snapshot, history)
    report = _begin_report(target, at, snapshot, stamp)
    if stamp is None and history is not None:
        return _report_unreadable_stamp(report, snapshot)
    if (state := judge_stamp(snapshot, stamp or (), history)) is not None:
        found = await find_fit(target.expectation, snapshot, target.scope)
        return _report_stamp(report, state, stamp or (), waivers=target.waivers, found=found)
    promise = Promise(baseline)
    try:
        if target.expectation is not None:
            scope, spellings = target.scope, target.spellings
            promise = await find_promise(target.expectation, snapshot, stamp, scope, spellings)
        if is_empty(snapshot, promise.schema) or _is_found_empty(promise):
            return _report_stamp(report, State.EMPTY, stamp or (), waivers=target.waivers)
        difference = await _find_difference(target, snapshot, promise)
    except AnchorwatchError as error:
        return _add_unknown(report, error)
    return _report_comparison(report, target, snapshot, difference, (builds, promise))


def _is_found_empty(promise: Promise) -> bool:
    return promise.diagnosis is not None and promise.diagnosis.verdict is State.EMPTY


async def _find_difference(
    target: Target, snapshot: Snapshot, promise: Promise
) -> Difference | None:
    """What differs from what is expected; None where nothing is."""
    if promise.schema is None:
        return None
    spellings, again = target.spellings, promise.again
    live = promise.live or snapshot
    found = await compare(promise.schema, live, target.scope, spellings=spellings, unstable=again)
    return add_notes(found, promise.notes)


def _begin_report(
    target: Target, at: datetime, snapshot: Snapshot, stamp: tuple[str, ...] | None
) -> Report:
    """What is known before anything is compared."""
    history = target.expectation.history if target.expectation else None
    return msgspec.structs.replace(
        _blank(target, at),
        revisions=stamp,
        expected_revisions=history.heads if history else None,
        fingerprint=snapshot.fingerprint,
        server_version=snapshot.server.version_num if snapshot.server else None,
    )


def _blank(target: Target, at: datetime) -> Report:
    return Report(
        environment=target.environment,
        database=target.database,
        at=at,
        seconds=0.0,
        state=State.UNKNOWN,
    )


def _report_unreadable_stamp(report: Report, snapshot: Snapshot) -> Report:
    """Without the stamp nobody can say which revision's schema to expect."""
    hidden = [
        f"{quote_ident(table.schema)}.{quote_ident(table.name)}"
        for table in snapshot.version_tables
        if table.revisions is None
    ]
    error = LookError(
        f"The version table {', '.join(hidden)} cannot be read by this role.",
        next_step=f"GRANT SELECT ON {', '.join(hidden)} to it, and USAGE on the schema.",
    )
    return _add_unknown(report, error)


def _add_unknown(report: Report, error: AnchorwatchError) -> Report:
    """Without an expectation nothing is said about the database, least of all that it is fine."""
    finding = _make_finding(CANNOT_LOOK, error, report.environment, report.database)
    return msgspec.structs.replace(
        report,
        state=State.UNKNOWN,
        findings=(finding,),
        unknowns=make_unknowns(error.code, error.message, error.next_step),
        summary=str(error),
    )


def _report_stamp(
    report: Report,
    state: State,
    stamp: tuple[str, ...],
    *,
    waivers: Waivers,
    found: Diagnosis | None = None,
) -> Report:
    """A state in which comparing the schema would only repeat what is wrong."""
    finding = describe_stamp(
        state, stamp, environment=report.environment, database=report.database
    )
    if finding is not None and found is not None and found.verdict is state and found.remedy:
        remedy = "; ".join(found.remedy)
        finding = msgspec.structs.replace(finding, title=found.summary, remedy=remedy)
    unjudged = Unknown(
        finding_class=FindingClass.DRIFT,
        code="no_expectation",
        message=f"The schema is not compared: {state.meaning.sentence}.",
        next_step=finding.remedy if finding else "",
    )
    judged = waivers.judge((finding,) if finding else (), report.at)
    return msgspec.structs.replace(
        report,
        state=state,
        findings=judged.told,
        unknowns=(unjudged,),
        summary=(finding.title if finding else state.meaning.sentence) + judged.count_waived(),
        ignored=judged.ignored,
        accepted=judged.accepted,
    )


def _report_comparison(
    report: Report,
    target: Target,
    snapshot: Snapshot,
    difference: Difference | None,
    beside: tuple[Mapping[ObjectKey, datetime], Promise],
) -> Report:
    """What differs, with what is wrong with the history, and what is told of both."""
    builds, promise = beside
    place = {"environment": report.environment, "database": report.database}
    differences: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    if difference is not None:
        differences, notes = judge(difference, **place)
    differences, building = excuse_builds(differences, builds, report.at)
    found = differences
    if target.expectation is None:
        flawed = add_flaws(differences, snapshot, **place)
        found, _ = excuse_builds(flawed, builds, report.at)
    # The history is as new as the schema that was just built from it.
    history = target.expectation.history if target.expectation else None
    diagnosis = promise.diagnosis
    history_found = judge_history(diagnosis, history, snapshot, report.revisions or (), **place)
    judged = target.waivers.judge((*found, *history_found), report.at)
    upkeep: tuple[Finding, ...] = ()
    if difference is not None:
        upkeep = target.waivers.review(judged, report.at, **place)
    pending = history.pending(report.revisions or ()) if history else None
    told = {finding.identity for finding in judged.told}
    state = choose_state(
        [finding for finding in differences if finding.identity in told],
        pending,
        has_expectation=target.expectation is not None,
    )
    state = choose_worst(judged.told, state)
    summary = summarise(state, judged, is_alone=difference is None)
    if diagnosis is not None and state is diagnosis.verdict:
        summary = diagnosis.summary + judged.count_waived()
    return msgspec.structs.replace(
        report,
        state=state,
        pending=pending,
        expected_revisions=history.heads if history else None,
        findings=tuple(sorted((*judged.told, *upkeep), key=lambda f: f.identity)),
        notes=(*notes, *building),
        summary=summary,
        ignored=judged.ignored,
        accepted=judged.accepted,
    )
