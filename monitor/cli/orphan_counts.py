"""What `anchorwatch orphans` does: counts once, to the end, and stores nothing."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from monitor.agent.choices import SAMPLES
from monitor.cli.checking import (
    COULD_NOT_LOOK,
    Broken,
    Subject,
    guard_subject,
    list_subjects,
    make_target,
)
from monitor.cli.choices import FailOn
from monitor.cli.loop import run_loop
from monitor.cli.output import describe_finding, describe_waived
from monitor.cli.progress import show_progress
from monitor.cli.sources import BuildChoices
from monitor.core.checkup import CheckReport
from monitor.core.errors import LookError
from monitor.core.findings import Severity
from monitor.core.homes import Home
from monitor.core.orphans import Tally
from monitor.core.printing import clean
from monitor.core.quoting import quote_as_shown
from monitor.core.relation import Origin, Relation
from monitor.core.relation_text import parse_relation
from monitor.core.rules_data import UNCOUNTED
from monitor.sources.servers import WatchedServers
from monitor.watch.expectation import Expectations
from monitor.watch.orphans import OrphanCheck, OrphanPlan

type Asked = tuple[str, str, bool]
"""A relation, its condition, and whether it is meant the other way round."""


def count(  # what the command line says
    database: str,
    expected: str | None,
    choices: BuildChoices,
    config: str | None,
    *,
    asked: Sequence[Asked],
    row_keys: bool,
) -> CheckReport:
    """Count the rows without a parent in one database, to the end of every table.

    Args:
        database: a URL or a configured name.
        expected: what it should be, in place of what the configuration says.
        choices: how sources are built.
        config: where the configuration is.
        asked: relations that are counted in place of all others.
        row_keys: whether keys of such rows may be printed.

    Raises:
        AnchorwatchError: the command or the configuration cannot be used, or nobody can connect.
    """
    (subject,) = list_subjects([database], expected, choices, config)
    if isinstance(subject, Broken):
        raise subject.error
    plan = _make_plan(subject.orphans, asked, row_keys=row_keys)
    with show_progress(f"counting rows without a parent in {subject.name}"):
        report = run_loop(_count(subject, plan))
    if report.unknown is not None:
        raise LookError(report.unknown.message, next_step=report.unknown.next_step)
    judged = subject.waivers.judge(report.findings, report.at)
    return msgspec.structs.replace(
        report, findings=judged.told, ignored=judged.ignored, accepted=judged.accepted
    )


def _make_plan(plan: OrphanPlan, asked: Sequence[Asked], *, row_keys: bool) -> OrphanPlan:
    """All that is asked for, counted now, each table to its end."""
    samples = SAMPLES if row_keys else plan.limits.samples
    limits = msgspec.structs.replace(plan.limits, rows=sys.maxsize, samples=samples)
    plan = msgspec.structs.replace(plan, validated_every=timedelta(0), limits=limits)
    if not asked:
        return plan
    relations = tuple(
        parse_relation(text, where=where, is_reverse=is_reverse)
        for text, where, is_reverse in asked
    )
    return msgspec.structs.replace(plan, relations=relations, has_keys=False)


async def _count(subject: Subject, plan: OrphanPlan) -> CheckReport:
    async with AsyncExitStack() as stack:
        guarded = guard_subject(subject, WatchedServers([subject.dsn]))
        target = make_target(guarded, Expectations(stack))
        return await OrphanCheck(plan).run(target, datetime.now(UTC))


def describe_counts(report: CheckReport) -> dict[str, Any]:
    """The document of the contract."""
    return {
        "database": report.database,
        "environment": report.environment,
        "relations": [_describe(tally) for tally in report.tallies],
        "findings": [describe_finding(finding) for finding in report.findings],
        **describe_waived(report),
    }


def _describe(tally: Tally) -> dict[str, Any]:
    relation, problem, count = tally.relation, tally.problem, tally.count
    return {
        "constraint": relation.name,
        "child": _name(relation.child),
        "columns": relation.columns,
        "parent": _name(relation.parent),
        "referenced": relation.referenced,
        "where": relation.where or None,
        "origin": relation.origin.value,
        "orphans": None if problem else tally.orphans,
        "complete": tally.is_complete,
        "of_one_moment": count.is_momentary if count else None,
        "sample_keys": count.samples if count else (),
        "reason": problem and {"code": problem.code, "message": problem.message},
        "next": problem.next_step if problem else None,
    }


def _name(table: Home) -> str:
    return ".".join(quote_as_shown(part) for part in table if part is not None)


def write_counts(report: CheckReport) -> str:
    """The same for a person."""
    waived = len(report.waived)
    head = f"{report.database} ({report.environment}): {report.summary}"
    head += f" ({waived} accepted or ignored)" if waived else ""
    return "\n".join([clean(head), *(clean(line) for line in _list_lines(report))])


def _list_lines(report: CheckReport) -> Iterator[str]:
    width = max((len(_write_number(tally)) for tally in report.tallies), default=1)
    for tally in report.tallies:
        relation = tally.relation
        columns, referenced = (", ".join(c) for c in (relation.columns, relation.referenced))
        yield (
            f"  {_write_number(tally):>{width}}  {_name(relation.child)}({columns}) -> "
            f"{_name(relation.parent)}({referenced})  [{_write_origin(relation)}]"
        )
        if tally.problem is not None:
            yield f"  {'':>{width}}  {tally.problem.message} {tally.problem.next_step}"
        elif tally.count is not None and not tally.count.is_momentary:
            yield f"  {'':>{width}}  counted in parts, which are not of one moment"
    for finding in report.findings:
        if finding.code != UNCOUNTED.code:
            yield f"  {finding.title}  [{finding.code} {finding.severity.value}]  {finding.id}"
    for tally in report.tallies:
        if tally.problem is None and not tally.is_indexed:
            yield (
                f"  An index on {_name(tally.relation.parent)} "
                f"({', '.join(tally.relation.referenced)}) would let it be counted in less time."
            )


def _write_number(tally: Tally) -> str:
    return "?" if tally.problem is not None or tally.orphans is None else str(tally.orphans)


def _write_origin(relation: Relation) -> str:
    word = relation.origin.value.replace("_", " ")
    return word if relation.origin is Origin.CONFIGURED else f"{relation.name}, {word}"


def choose_exit(report: CheckReport, fail_on: FailOn) -> int:
    """The worst first: rows that count, what could not be counted, nothing."""
    if fail_on is not FailOn.NEVER:
        least = Severity(fail_on.value).rank
        if any(f.severity.rank >= least for f in report.findings if f.code != UNCOUNTED.code):
            return 1
    return COULD_NOT_LOOK if any(tally.problem for tally in report.tallies) else 0
