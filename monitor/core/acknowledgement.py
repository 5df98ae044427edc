"""Somebody is at it: what is known, as bad as it was then, is not said again."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from monitor.core.findings import Finding, Severity
from monitor.core.typed import check_words, write_name


class Acknowledgement(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody knows of one incident.

    Attributes:
        by: who, as far as is known.
        at: when.
        note: what is done about it; may be empty.
        severity: how bad it was.
        findings: the ids of what was wrong.
    """

    by: str
    at: datetime
    note: str
    severity: Severity
    findings: frozenset[str]

    def covers(self, severity: Severity, findings: Iterable[Finding]) -> bool:
        """Whether it is no worse than it was: no graver, and nothing wrong besides."""
        is_graver = severity.rank > self.severity.rank
        return not is_graver and {finding.id for finding in findings} <= self.findings


def acknowledge(
    severity: Severity, findings: Iterable[Finding], *, by: str, note: str, at: datetime
) -> Acknowledgement:
    """The acknowledgement of what is wrong now.

    Raises:
        UsageError: the note is an essay.
    """
    return Acknowledgement(
        by=write_name(by),
        at=at,
        note=check_words(note, "note"),
        severity=severity,
        findings=frozenset(finding.id for finding in findings),
    )
