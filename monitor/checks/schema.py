"""Judging a schema: what differs from what is expected, as findings."""

from monitor.core.diff import find_flaws
from monitor.core.difference import Change, Difference
from monitor.core.findings import Finding
from monitor.core.keys import Kind
from monitor.core.leftovers import is_leftover
from monitor.core.rules import INVALID_INDEX, RULES
from monitor.core.snapshot import Snapshot
from monitor.sources.engine import advise_server


def judge(
    difference: Difference, *, environment: str, database: str
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """Findings, sorted by identity, and notes as sentences."""
    findings = _make_findings(difference.changes, environment=environment, database=database)
    return findings, tuple(note.message for note in difference.notes)


def add_flaws(
    findings: tuple[Finding, ...], actual: Snapshot, *, environment: str, database: str
) -> tuple[Finding, ...]:
    """The findings, with what is wrong whatever is expected: NOT VALID, invalid, disabled.

    For databases of which nothing is expected. An object that has a finding gets no second.
    """
    known = {finding.key for finding in findings}
    flaws = _make_findings(find_flaws(actual), environment=environment, database=database)
    more = [flaw for flaw in flaws if flaw.key not in known]
    return tuple(sorted([*findings, *more], key=lambda f: f.identity))


def _make_findings(
    changes: tuple[Change, ...], *, environment: str, database: str
) -> tuple[Finding, ...]:
    findings = (
        Finding(
            code=change.code,
            severity=change.severity,
            environment=environment,
            database=database,
            key=change.key,
            title=describe_change(change),
            evidence=change.attributes,
            remedy=_choose_remedy(change),
            inside=change.inside,
        )
        for change in changes
    )
    return tuple(sorted(findings, key=lambda f: f.identity))


def _choose_remedy(change: Change) -> str:
    if change.undecided is None:
        return RULES[change.code].fix
    return f"{advise_server(change.undecided)} Then look again."


def describe_change(change: Change) -> str:
    """One sentence: ``column public.users.email is missing``."""
    match change.change:
        case "missing":
            text = f"{change.key} is missing"
        case "unexpected":
            text = f"{change.key} {_describe_unexpected(change)}"
        case _:
            differing = ", ".join(e.name.replace("_", " ") for e in change.attributes)
            text = f"{change.key} differs in {differing}"
            if change.undecided is not None:
                text += f"; a spelling or a change, only PostgreSQL {change.undecided} can tell"
    if not change.contains:
        return text
    noun, many = ("column", "columns") if change.key.kind is Kind.COLUMN else ("object", "objects")
    return f"{text}, with {change.contains} {noun if change.contains == 1 else many} {_OF[noun]}"


_OF = {"column": "that come from it", "object": "in it"}


def _describe_unexpected(change: Change) -> str:
    if change.code != INVALID_INDEX.code:
        return "is there, nothing expects it"
    if is_leftover(change.key.name):
        return "is invalid, REINDEX CONCURRENTLY left it behind"
    return "is invalid, and nothing expects it"
