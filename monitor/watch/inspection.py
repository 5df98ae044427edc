"""What one look reads, and what it makes of it: a report, and the snapshot if there is one."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple, Protocol

import msgspec

from monitor.checks.history import describe_stamp, has_tables, judge_stamp, read_stamp
from monitor.checks.schema import compare_schema, judge_alone
from monitor.core.errors import AnchorwatchError, LookError, Unreachable
from monitor.core.findings import Finding, FindingClass, Unknown
from monitor.core.history import History
from monitor.core.report import Report
from monitor.core.rules import CANNOT_LOOK, UNREACHABLE
from monitor.core.snapshot import Snapshot
from monitor.core.verdict import State
from monitor.sources.catalog import take_snapshot
from monitor.sources.dsn import Dsn
from monitor.sources.postgres import Deadlines, connect


class Expectation(Protocol):
    """What a database is compared with."""

    @property
    def history(self) -> History | None:
        """The revisions it knows, when it is an Alembic history."""
        ...

    async def prepare(self) -> None:
        """Read what it is made from."""
        ...

    async def snapshot_at(
        self, revisions: tuple[str, ...] | None, *, major: int | None
    ) -> Snapshot:
        """The schema that these revisions promise, as a server of ``major`` spells it."""
        ...


class Target(msgspec.Struct, frozen=True):
    """One database to look at.

    Attributes:
        environment: where it runs.
        database: its configured name.
        dsn: how it is reached.
        deadlines: how long each wait may take.
        expectation: what it should be; None where the first settled snapshot
            stands for it.
    """

    environment: str
    database: str
    dsn: Dsn
    deadlines: Deadlines
    expectation: Expectation | None = None


class Look(NamedTuple):
    """What a look found, and the schema it read."""

    report: Report
    snapshot: Snapshot | None


_ALL: Final = frozenset({FindingClass.HISTORY, FindingClass.DRIFT})


async def inspect(target: Target, at: datetime, *, baseline: Snapshot | None) -> Look:
    """Look at one database, compare it, and say what it is; never raises a `LookError`.

    Args:
        target: the database.
        at: when the look begins.
        baseline: what it is compared with when the target expects nothing.
    """
    begun = asyncio.get_running_loop().time()
    try:
        snapshot = await read_database(target)
    except LookError as error:
        report = report_failure(target, at, error)
        return Look(_time(report, begun), None)
    report = await _judge(target, at, snapshot, baseline=baseline)
    return Look(_time(report, begun), snapshot)


async def read_database(target: Target) -> Snapshot:
    """The target's snapshot.

    Raises:
        LookError: it could not be read.
    """
    async with connect(target.dsn, deadlines=target.deadlines) as session:
        return await take_snapshot(session)


def _time(report: Report, begun: float) -> Report:
    seconds = asyncio.get_running_loop().time() - begun
    return msgspec.structs.replace(report, seconds=round(seconds, 3))


def report_failure(target: Target, at: datetime, error: LookError) -> Report:
    """The report of a look that could not look."""
    is_unreachable = isinstance(error, Unreachable)
    rule = UNREACHABLE if is_unreachable else CANNOT_LOOK
    finding = Finding(
        code=rule.code,
        severity=rule.severity,
        environment=target.environment,
        database=target.database,
        key=None,
        title=error.message,
        remedy=error.next_step,
    )
    return Report(
        environment=target.environment,
        database=target.database,
        at=at,
        seconds=0.0,
        state=State.UNREACHABLE if is_unreachable else State.UNKNOWN,
        findings=(finding,),
        unknowns=_make_unknowns(error),
        summary=str(error),
    )


def _make_unknowns(error: AnchorwatchError) -> tuple[Unknown, ...]:
    return tuple(
        Unknown(
            finding_class=finding_class,
            code=error.code,
            message=error.message,
            next_step=error.next_step,
        )
        for finding_class in sorted(_ALL)
    )


async def _judge(
    target: Target, at: datetime, snapshot: Snapshot, *, baseline: Snapshot | None
) -> Report:
    """A look that could: the state, with the evidence."""
    stamp = read_stamp(snapshot)
    try:
        if target.expectation is not None:
            await target.expectation.prepare()
    except AnchorwatchError as error:
        return _report_no_expectation(_begin_report(target, at, snapshot, stamp), error)
    history = target.expectation.history if target.expectation else None
    report = _begin_report(target, at, snapshot, stamp)
    if stamp is None and history is not None:
        return _report_unreadable_stamp(report, snapshot)
    state = judge_stamp(snapshot, stamp or (), history)
    if state is not None and not (state is State.EMPTY and not _expects_tables(target, baseline)):
        return _report_stamp(report, state, stamp or ())
    try:
        expected = await _find_expected(target, stamp, snapshot, baseline)
    except AnchorwatchError as error:
        return _report_no_expectation(report, error)
    return _report_comparison(report, target, snapshot, expected)


def _expects_tables(target: Target, baseline: Snapshot | None) -> bool:
    """An empty database is worth a word unless it was empty when the watch began."""
    return target.expectation is not None or baseline is None or has_tables(baseline)


async def _find_expected(
    target: Target,
    stamp: tuple[str, ...] | None,
    snapshot: Snapshot,
    baseline: Snapshot | None,
) -> Snapshot | None:
    if target.expectation is None:
        return baseline
    major = snapshot.server.major if snapshot.server else None
    return await target.expectation.snapshot_at(stamp, major=major)


def _begin_report(
    target: Target, at: datetime, snapshot: Snapshot, stamp: tuple[str, ...] | None
) -> Report:
    """What is known before anything is compared."""
    history = target.expectation.history if target.expectation else None
    return Report(
        environment=target.environment,
        database=target.database,
        at=at,
        seconds=0.0,
        state=State.UNKNOWN,
        revisions=stamp,
        expected_revisions=history.heads if history else None,
        fingerprint=snapshot.fingerprint,
        server_version=snapshot.server.version_num if snapshot.server else None,
    )


def _report_unreadable_stamp(report: Report, snapshot: Snapshot) -> Report:
    """Without the stamp nobody can say which revision's schema to expect."""
    hidden = [f'"{t.schema}"."{t.name}"' for t in snapshot.version_tables if t.revisions is None]
    error = LookError(
        f"The version table {', '.join(hidden)} cannot be read by this role.",
        next_step=f"GRANT SELECT ON {', '.join(hidden)} to it, and USAGE on the schema.",
    )
    return _add_unknown(report, error)


def _report_no_expectation(report: Report, error: AnchorwatchError) -> Report:
    """The model could not be built: that says nothing about the database."""
    return _add_unknown(report, error)


def _add_unknown(report: Report, error: AnchorwatchError) -> Report:
    finding = Finding(
        code=CANNOT_LOOK.code,
        severity=CANNOT_LOOK.severity,
        environment=report.environment,
        database=report.database,
        key=None,
        title=error.message,
        remedy=error.next_step,
    )
    return msgspec.structs.replace(
        report,
        state=State.UNKNOWN,
        findings=(finding,),
        unknowns=_make_unknowns(error),
        summary=str(error),
    )


def _report_stamp(report: Report, state: State, stamp: tuple[str, ...]) -> Report:
    """A state in which comparing the schema would only repeat what is wrong."""
    finding = describe_stamp(
        state, stamp, environment=report.environment, database=report.database
    )
    unjudged = Unknown(
        finding_class=FindingClass.DRIFT,
        code="no_expectation",
        message=f"The schema is not compared: {state.meaning.sentence}.",
        next_step=finding.remedy if finding else "",
    )
    return msgspec.structs.replace(
        report,
        state=state,
        findings=(finding,) if finding else (),
        unknowns=(unjudged,),
        summary=finding.title if finding else state.meaning.sentence,
    )


def _report_comparison(
    report: Report, target: Target, snapshot: Snapshot, expected: Snapshot | None
) -> Report:
    place: Mapping[str, str] = {
        "environment": report.environment,
        "database": report.database,
    }
    notes: tuple[str, ...] = ()
    if expected is None:
        findings = judge_alone(snapshot, **place)
    else:
        findings, notes = compare_schema(expected, snapshot, **place)
    history = target.expectation.history if target.expectation else None
    pending = history.pending(report.revisions or ()) if history else None
    state = _choose_state(target, expected, findings, pending)
    return msgspec.structs.replace(
        report,
        state=state,
        pending=pending,
        findings=findings,
        notes=notes,
        summary=_summarise(state, findings),
    )


def _choose_state(
    target: Target,
    expected: Snapshot | None,
    findings: tuple[Finding, ...],
    pending: tuple[str, ...] | None,
) -> State:
    if expected is not None and findings:
        return State.DRIFTED
    if target.expectation is None:
        return State.UNCHANGED
    return State.PENDING if pending else State.IN_SYNC


def _summarise(state: State, findings: tuple[Finding, ...]) -> str:
    if not findings:
        return state.meaning.sentence
    count = len(findings)
    worst = _pick_worst(findings).title
    return f"{count} difference{'s' if count > 1 else ''}, the worst: {worst}"


def _pick_worst(findings: tuple[Finding, ...]) -> Finding:
    return max(findings, key=lambda f: f.severity.rank)
