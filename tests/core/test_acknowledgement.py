"""Somebody is at it: as bad as it was then, and no worse."""

from datetime import UTC, datetime

import pytest

from monitor.core.acknowledgement import acknowledge
from monitor.core.errors import UsageError
from monitor.core.findings import Finding, Severity
from monitor.core.typed import MAX_NAME, MAX_WORDS

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def a_finding(subject: str, severity: Severity = Severity.WARNING) -> Finding:
    return Finding("AW401", severity, "production", "app", None, "it fails", subject=subject)


def test_it_covers_what_was_there_and_less() -> None:
    both = (a_finding("a"), a_finding("b"))
    known = acknowledge(Severity.WARNING, both, by="ann", note="on it", at=NOW)
    assert known.covers(Severity.WARNING, both)
    assert known.covers(Severity.WARNING, both[:1])
    assert known.covers(Severity.INFO, ())
    assert not known.covers(Severity.CRITICAL, both)
    assert not known.covers(Severity.WARNING, (*both, a_finding("c")))


def test_what_people_type_becomes_a_line() -> None:
    known = acknowledge(Severity.WARNING, (), by="a\nb" * 99, note=" on\n\n it \ud800", at=NOW)
    assert known.note == "on it \\ud800"
    assert len(known.by) == MAX_NAME
    assert "\n" not in known.by


def test_an_essay_is_refused() -> None:
    with pytest.raises(UsageError):
        acknowledge(Severity.WARNING, (), by="ann", note="x" * (MAX_WORDS + 1), at=NOW)
