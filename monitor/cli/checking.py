"""What `anchorwatch check` does: looks at databases once and describes what it saw."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from monitor.cli.choices import FailOn
from monitor.cli.output import clean, describe_finding
from monitor.cli.sources import BuildChoices, make_options, resolve_source
from monitor.core.findings import Severity
from monitor.core.keys import Kind
from monitor.core.message import describe_evidence
from monitor.core.snapshot import Snapshot
from monitor.core.source import Scheme, Source, parse_source
from monitor.sources.dsn import Dsn, parse_dsn
from monitor.sources.expected import BuildOptions
from monitor.sources.postgres import DEADLINES, Deadlines
from monitor.watch.expectation import LateExpectation
from monitor.watch.inspection import Look, Target, inspect

COULD_NOT_LOOK: Final = 3
DEFAULT_ENVIRONMENT: Final = "default"


class Subject(NamedTuple):
    """One database to check, from the command line or the configuration."""

    environment: str
    name: str
    dsn: Dsn
    deadlines: Deadlines
    expected: Source | None
    options: BuildOptions


def check_databases(
    texts: list[str], expected: str | None, choices: BuildChoices, config: str | None
) -> list[Look]:
    """Look at every database once.

    Args:
        texts: URLs or configured names; none means all that are configured.
        expected: what they should be, in place of what the configuration says.
        choices: how sources are built.
        config: where the configuration is.

    Raises:
        AnchorwatchError: the command or the configuration cannot be used.
    """
    return asyncio.run(_look_at_all(_list_subjects(texts, expected, choices, config)))


def _list_subjects(
    texts: list[str], expected: str | None, choices: BuildChoices, config: str | None
) -> list[Subject]:
    source = resolve_source(expected) if expected else None
    sources = [parse_source(text) for text in texts]
    named = [s.name for s in sources if s.scheme is Scheme.NAME and s.name]
    subjects = []
    for item in sources:
        if item.scheme is not Scheme.NAME:
            dsn, _ = parse_dsn(item.url or "")
            options = make_options(choices)
            name = dsn.database
            subjects.append(Subject(DEFAULT_ENVIRONMENT, name, dsn, DEADLINES, source, options))
    if named or not texts:
        from monitor.cli.subjects import list_configured

        subjects += list_configured(named, source, choices, config)
    return subjects


async def _look_at_all(subjects: list[Subject]) -> list[Look]:
    async with AsyncExitStack() as stack:
        return [await _look_at(subject, stack) for subject in subjects]


async def _look_at(subject: Subject, stack: AsyncExitStack) -> Look:
    expectation = (
        LateExpectation(subject.expected, subject.options, stack) if subject.expected else None
    )
    target = Target(
        environment=subject.environment,
        database=subject.name,
        dsn=subject.dsn,
        deadlines=subject.deadlines,
        expectation=expectation,
    )
    return await inspect(target, datetime.now(UTC), baseline=None)


def choose_exit(looks: list[Look], fail_on: FailOn) -> int:
    """3 when one could not be looked at, 1 when there are findings that count, else 0."""
    if any(not look.report.state.meaning.is_looked for look in looks):
        return COULD_NOT_LOOK
    if fail_on is FailOn.NEVER:
        return 0
    least = Severity(fail_on.value).rank
    return int(any(f.severity.rank >= least for look in looks for f in look.report.findings))


def describe_look(look: Look) -> dict[str, Any]:
    """A look as the contract has it."""
    report = look.report
    return {
        "name": report.database,
        "environment": report.environment,
        "state": report.state.value,
        "summary": report.summary,
        "revisions": report.revisions,
        "expected_revisions": report.expected_revisions,
        "pending": report.pending,
        "findings": [describe_finding(finding) for finding in report.findings],
        "unknowns": [
            {
                "class": u.finding_class.value,
                "code": u.code,
                "message": u.message,
                "next": u.next_step,
            }
            for u in report.unknowns
        ],
        "notes": report.notes,
        "objects": _count_objects(look.snapshot) if look.snapshot else None,
    }


def _count_objects(snapshot: Snapshot) -> dict[str, int]:
    counts = {kind.value: snapshot.count(kind) for kind in Kind}
    return {kind: count for kind, count in counts.items() if count} | dict(snapshot.others)


def write_look(look: Look) -> Iterator[str]:
    """A look for a person, line by line."""
    report = look.report
    place = f"{report.database} ({report.environment})"
    yield f"{clean(place)}: {report.state.value} · {clean(report.summary)}"
    if report.revisions is not None:
        yield f"  stamped: {clean(', '.join(report.revisions)) or 'nothing'}"
    if report.expected_revisions is not None:
        yield f"  heads: {clean(', '.join(report.expected_revisions)) or 'none'}"
    if report.pending:
        yield f"  pending: {clean(', '.join(report.pending))}"
    if look.snapshot:
        counted = (f"{count} {kind}" for kind, count in _count_objects(look.snapshot).items())
        yield f"  there are: {', '.join(counted).replace('_', ' ') or 'no objects'}"
    for finding in report.findings:
        yield f"  {finding.severity.value:8} {finding.code}  {clean(finding.title)}"
        for evidence in finding.evidence:
            yield f"{'':19}{clean(describe_evidence(evidence))}"
        if finding.key is None and finding.remedy:
            yield f"{'':19}{clean(finding.remedy)}"
    for note in report.notes:
        yield f"  note: {clean(note)}"
