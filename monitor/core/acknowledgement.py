"""Somebody is at it: what is known, as bad as it was then, is not said again."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from monitor.core.errors import UsageError
from monitor.core.findings import Finding, Severity
from monitor.core.printing import write_line

MAX_NOTE: Final = 1000
"""Characters: a note is a sentence or three, the rest belongs behind a link."""
MAX_NAME: Final = 100


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
    said = write_line(note)
    if len(said) > MAX_NOTE:
        raise UsageError(
            f"The note has more than {MAX_NOTE} characters.",
            next_step="Write a sentence, and link to the rest.",
        )
    return Acknowledgement(
        by=write_line(by)[:MAX_NAME],
        at=at,
        note=said,
        severity=severity,
        findings=frozenset(finding.id for finding in findings),
    )
