"""What one look reads, and what it makes of it: a report, and the snapshot if there is one."""

import asyncio
from datetime import datetime
from typing import Final, NamedTuple, Protocol

import msgspec

from monitor.checks.history import describe_stamp, judge_stamp, read_stamp
from monitor.checks.schema import add_flaws, compare_schema
from monitor.core.errors import AnchorwatchError, LookError, Unreachable
from monitor.core.findings import Finding, FindingClass, Unknown
from monitor.core.history import History
from monitor.core.quoting import quote_ident
from monitor.core.report import Report
from monitor.core.rules import CANNOT_LOOK, UNREACHABLE, Rule
from monitor.core.snapshot import Snapshot
from monitor.core.verdict import State
from monitor.sources.dsn import Dsn
from monitor.sources.postgres import Deadlines, connect
from monitor.sources.reading import take_snapshot


class Expectation(Protocol):
    """What a database is compared with."""

    @property
    def history(self) -> History | None:
        """The revisions it knows, when it is an Alembic history."""
        ...

    async def prepare(self, stamped: tuple[str, ...]) -> None:
        """Read what it is made from, as new as a database with this stamp needs it."""
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
    """Look at one database, compare it, and say what it is; never raises an error of ours.

    Args:
        target: the database.
        at: when the look begins.
        baseline: what it is compared with when the target expects nothing.
    """
    begun = asyncio.get_running_loop().time()
    try:
        snapshot = await read_database(target)
    except AnchorwatchError as error:
        report = report_failure(target.environment, target.database, at, error)
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


async def judge_again(target: Target, look: Look, *, baseline: Snapshot) -> Look:
    """The same look, compared with another baseline; nothing is read.

    For targets without an expectation whose look has a snapshot.
    """
    assert look.snapshot is not None  # noqa: S101  # as said above
    report = await _judge(target, look.report.at, look.snapshot, baseline=baseline)
    return Look(msgspec.structs.replace(report, seconds=look.report.seconds), look.snapshot)


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
        unknowns=_make_unknowns(error),
        summary=str(error),
    )


def _make_finding(rule: Rule, error: AnchorwatchError, environment: str, database: str) -> Finding:
    return Finding(
        code=rule.code,
        severity=rule.severity,
        environment=environment,
        database=database,
        key=None,
        title=error.message,
        remedy=error.next_step,
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
            await target.expectation.prepare(stamp or ())
    except AnchorwatchError as error:
        return _add_unknown(_begin_report(target, at, snapshot, stamp), error)
    history = target.expectation.history if target.expectation else None
    stamp = read_stamp(snapshot, history)
    report = _begin_report(target, at, snapshot, stamp)
    if stamp is None and history is not None:
        return _report_unreadable_stamp(report, snapshot)
    if (state := judge_stamp(snapshot, stamp or (), history)) is not None:
        return _report_stamp(report, state, stamp or ())
    try:
        expected = await _find_expected(target, stamp, snapshot, baseline)
    except AnchorwatchError as error:
        return _add_unknown(report, error)
    return _report_comparison(report, target, snapshot, expected)


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
    place = {"environment": report.environment, "database": report.database}
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    if expected is not None:
        findings, notes = compare_schema(expected, snapshot, **place)
    # The history is as new as the schema that was just built from it.
    history = target.expectation.history if target.expectation else None
    pending = history.pending(report.revisions or ()) if history else None
    state = _choose_state(target, findings, pending)
    if target.expectation is None:
        findings = add_flaws(findings, snapshot, **place)
    return msgspec.structs.replace(
        report,
        state=state,
        pending=pending,
        expected_revisions=history.heads if history else None,
        findings=findings,
        notes=notes,
        summary=_summarise(state, findings, is_alone=expected is None),
    )


def _choose_state(
    target: Target, findings: tuple[Finding, ...], pending: tuple[str, ...] | None
) -> State:
    if findings:
        return State.DRIFTED
    if target.expectation is None:
        return State.UNCHANGED
    return State.PENDING if pending else State.IN_SYNC


def _summarise(state: State, findings: tuple[Finding, ...], *, is_alone: bool) -> str:
    """One sentence; ``is_alone`` when there was nothing to compare with, nor a baseline."""
    place = "no expectation, looked at by itself"
    if not findings:
        return place if is_alone else state.meaning.sentence
    is_compared = state is State.DRIFTED
    noun = "difference" if is_compared else "flaw"
    worst = max(findings, key=lambda f: f.severity.rank).title
    told = f"{len(findings)} {noun}{'s' if len(findings) > 1 else ''}, the worst: {worst}"
    return f"{place}: {told}" if is_alone else told
