"""What a look comes to, as a report."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from monitor.checks.activity import MIGRATING_AT_MOST, add_stuck, excuse_builds, say_migrating
from monitor.checks.diagnosis import Judged
from monitor.checks.history import describe_stamp
from monitor.checks.schema import add_flaws, judge
from monitor.checks.verdicts import choose_worst, judge_history
from monitor.core.diagnosis import Diagnosis
from monitor.core.difference import Difference
from monitor.core.errors import AnchorwatchError, BuildError, LookError, Migrating, Unreachable
from monitor.core.findings import Finding, FindingClass, Unknown, make_unknowns
from monitor.core.graph import GraphRow, cut_rows, list_rows, mark_revisions
from monitor.core.history import History
from monitor.core.keys import ObjectKey
from monitor.core.overall import find_overall
from monitor.core.quoting import quote_ident
from monitor.core.report import Report
from monitor.core.rule import Rule
from monitor.core.rules import CANNOT_LOOK, UNREACHABLE
from monitor.core.snapshot import Snapshot
from monitor.core.verdict import State
from monitor.watch.summary import choose_state, summarise
from monitor.watch.target import Look, Target

type Builds = Mapping[ObjectKey, datetime]
"""Indexes that are being built, and since when."""


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


def fail_look(target: Target, at: datetime, error: AnchorwatchError) -> Look:
    """A look at a target that could not look."""
    return Look(report_failure(target.environment, target.database, at, error), None)


def _make_finding(rule: Rule, error: AnchorwatchError, environment: str, database: str) -> Finding:
    return find_overall(
        rule,
        environment=environment,
        database=database,
        title=error.message,
        remedy=error.next_step,
    )


def report_migrating(
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


def begin_report(
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


def draw(
    history: History | None, stamped: Iterable[str], found: Diagnosis | None = None
) -> tuple[GraphRow, ...]:
    """The history, with where the stamp and the schema are; nothing where none is expected."""
    if history is None:
        return ()
    marks = mark_revisions(history, stamped, found)
    return cut_rows(list_rows(history, history.pending(()), marks))


def report_unreadable_stamp(report: Report, snapshot: Snapshot) -> Report:
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
    return add_unknown(report, error)


def add_unknown(report: Report, error: AnchorwatchError) -> Report:
    """Without an expectation nothing is said about the database, least of all that it is fine."""
    finding = _make_finding(CANNOT_LOOK, error, report.environment, report.database)
    return msgspec.structs.replace(
        report,
        state=State.UNKNOWN,
        findings=(finding,),
        unknowns=make_unknowns(error.code, error.message, error.next_step),
        summary=str(error),
    )


def report_stamp(
    report: Report,
    target: Target,
    snapshot: Snapshot,
    state: State,
    *,
    found: Diagnosis | None = None,
) -> Report:
    """A state in which comparing the schema would only repeat what is wrong."""
    finding = describe_stamp(
        state,
        report.revisions or (),
        snapshot,
        target.scope,
        environment=report.environment,
        database=report.database,
    )
    told = state.meaning.sentence
    if found is not None:
        told = found.summary
    if finding is not None and found is not None and found.remedy:
        remedy = "; ".join(found.remedy)
        finding = msgspec.structs.replace(finding, title=found.summary, remedy=remedy)
    unjudged = Unknown(
        finding_class=FindingClass.DRIFT,
        code="no_expectation",
        message=f"The schema is not compared: {state.meaning.sentence}.",
        next_step=finding.remedy if finding else "",
    )
    judged = target.waivers.judge((finding,) if finding else (), report.at)
    return msgspec.structs.replace(
        report,
        state=state,
        findings=judged.told,
        unknowns=(unjudged,),
        summary=(finding.title if finding else told) + judged.count_waived(),
        ignored=judged.ignored,
        accepted=judged.accepted,
    )


def report_comparison(  # noqa: PLR0913  # all that a look found
    report: Report,
    target: Target,
    snapshot: Snapshot,
    difference: Difference | None,
    *,
    builds: Builds,
    judged: Judged | None = None,
) -> Report:
    """What differs, with what is wrong with the history, and what is told of both."""
    place = {"environment": report.environment, "database": report.database}
    differences: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    if difference is not None:
        differences, notes = judge(difference, **place)
    differences, building = excuse_builds(differences, builds, report.at)
    found = differences
    if not target.has_expectation:
        flawed = add_flaws(differences, snapshot, **place)
        found, _ = excuse_builds(flawed, builds, report.at)
    # The history is as new as the schema that was just built from it.
    history = target.expectation.history if target.expectation else None
    history = judged.states.lock.history if judged else history
    diagnosis = judged.diagnosis if judged else None
    history_found = judge_history(diagnosis, history, snapshot, report.revisions or (), **place)
    sorted_out = target.waivers.judge((*found, *history_found), report.at)
    upkeep: tuple[Finding, ...] = ()
    if difference is not None:
        upkeep = target.waivers.review(sorted_out, report.at, **place)
    pending = history.pending(report.revisions or ()) if history else None
    pending = diagnosis.pending if diagnosis else pending
    told = {finding.identity for finding in sorted_out.told}
    state = choose_state(
        [finding for finding in differences if finding.identity in told],
        pending,
        has_expectation=target.has_expectation,
    )
    state = choose_worst(sorted_out.told, state)
    if diagnosis is not None and diagnosis.verdict is State.AHEAD:
        state = State.AHEAD
    summary = summarise(state, sorted_out, is_alone=difference is None)
    if diagnosis is not None and state is diagnosis.verdict:
        summary = diagnosis.summary + sorted_out.count_waived()
    return msgspec.structs.replace(
        report,
        state=state,
        pending=pending,
        expected_revisions=diagnosis.heads if diagnosis else history.heads if history else None,
        graph=draw(history, report.revisions or (), diagnosis),
        findings=tuple(sorted((*sorted_out.told, *upkeep), key=lambda f: f.identity)),
        notes=(*notes, *building),
        summary=summary,
        ignored=sorted_out.ignored,
        accepted=sorted_out.accepted,
    )


def report_judged(
    target: Target, at: datetime, snapshot: Snapshot, judged: Judged, builds: Builds
) -> Report:
    """A look at a database of which a lock tells the cause."""
    found = judged.diagnosis
    report = begin_report(target, at, snapshot, found.stamped)
    graph = draw(judged.states.lock.history, found.stamped or (), found)
    report = msgspec.structs.replace(report, expected_revisions=found.heads, graph=graph)
    if found.stamped is None:
        return report_unreadable_stamp(report, snapshot)
    if found.verdict is State.UNKNOWN:
        error = BuildError(f"{found.summary}.", next_step=f"{'; '.join(found.remedy)}.")
        return add_unknown(report, error)
    if judged.difference is None:
        return report_stamp(report, target, snapshot, found.verdict, found=found)
    return report_comparison(
        report, target, snapshot, judged.difference, builds=builds, judged=judged
    )
