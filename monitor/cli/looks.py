"""Looks as `anchorwatch check` prints them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from monitor.cli.layout import count_changes, list_findings, write_items
from monitor.cli.output import describe_finding, describe_waived
from monitor.core.findings import Finding, FindingClass, Severity
from monitor.core.keys import Kind
from monitor.core.printing import clean
from monitor.core.report import Report
from monitor.core.rules import RULES
from monitor.core.snapshot import Snapshot
from monitor.watch.target import Look


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
        **describe_waived(report),
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


def write_looks(looks: Sequence[Look]) -> str:
    """All looks for a person, and the sum of them where there are several."""
    parts = ["\n".join(_write_look(look)) for look in looks]
    if len(looks) > 1:
        states = Counter(look.report.state.value for look in looks)
        told = ", ".join(f"{count} {state}" for state, count in states.most_common())
        parts.append(f"{len(looks)} databases: {told}.")
    return "\n\n".join(parts)


def _write_look(look: Look) -> Iterator[str]:
    report = look.report
    yield f"{clean(f'{report.database} ({report.environment})')}: {report.state.value}"
    # What concerns the whole database is the summary, with what to do about it.
    whole = [f for f in report.findings if f.key is None and not _is_upkeep(f)]
    for finding in whole:
        yield f"  {clean(finding.title)}  [{finding.code} {finding.severity.value}]  {finding.id}"
        yield f"  {clean(finding.remedy)}"
    if not whole:
        yield f"  {clean(report.summary)}"
    for name, told in _list_facts(look):
        yield f"  {name:8}  {clean(told)}"
    items = list_findings(report.findings)
    if items:
        yield ""
        yield from (f"  {line}" for line in write_items(items))
        yield ""
        yield f"  {count_changes(items)}; {_count_severities(look)}."
    yield from _write_waived(report)
    yield from (f"  note: {clean(note)}" for note in report.notes)


def _is_upkeep(finding: Finding) -> bool:
    return RULES[finding.code].finding_class is FindingClass.UPKEEP


def _write_waived(report: Report) -> Iterator[str]:
    """What is not told, why, and which rules there are to tidy up."""
    for one in report.accepted:
        until = f" until {one.acceptance.until}" if one.acceptance.until else ""
        title, reason = clean(one.finding.title), clean(one.acceptance.reason)
        yield f"  accepted{until}: {title}  [{one.finding.code}]  {one.finding.id}: {reason}"
    for rule, count in Counter(one.rule for one in report.ignored).items():
        until = f" until {rule.until}" if rule.until else ""
        yield f"  ignored{until}: {count} by {clean(str(rule))}: {clean(rule.reason)}"
    for finding in filter(_is_upkeep, report.findings):
        yield f"  {clean(finding.title)}  [{finding.code} {finding.severity.value}]"


def _list_facts(look: Look) -> Iterator[tuple[str, str]]:
    report = look.report
    if report.revisions is not None:
        yield "stamped", ", ".join(report.revisions) or "nothing"
    if report.expected_revisions is not None:
        yield "heads", ", ".join(report.expected_revisions) or "none"
    if report.pending:
        yield "pending", ", ".join(report.pending)
    if look.snapshot:
        counts = _count_objects(look.snapshot)
        told = (_write_count(kind, count) for kind, count in counts.items())
        yield "objects", ", ".join(told) or "none"


def _count_severities(look: Look) -> str:
    counts = Counter(finding.severity for finding in look.report.findings if finding.key)
    worst_first = [severity for severity in reversed(Severity) if counts[severity]]
    return ", ".join(f"{counts[severity]} {severity.value}" for severity in worst_first)


def _write_count(kind: str, count: int) -> str:
    """``1 primary key``, ``2 indexes``."""
    noun = kind.replace("_", " ")
    if count == 1 or noun.endswith("ics"):
        return f"{count} {noun}"
    if noun.endswith("cy"):
        return f"{count} {noun[:-1]}ies"
    return f"{count} {noun}{'es' if noun.endswith(('x', 's')) else 's'}"
