"""Quiet that people ask for: what it matches, and when it ends."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from monitor.core.errors import UsageError
from monitor.core.findings import Finding, FindingClass, Severity
from monitor.core.incidents import Incident, Status
from monitor.core.keys import Kind, ObjectKey
from monitor.core.silence import LONGEST, Silence, is_silenced, silence

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def a_finding(name: str | None = "orders") -> Finding:
    key = ObjectKey(kind=Kind.TABLE, schema="public", parent=None, name=name) if name else None
    return Finding("AW201", Severity.CRITICAL, "production", "app", key, f"{name} is missing")


def an_incident(*findings: Finding, **changes: Any) -> Incident:
    incident = Incident(
        id="i1",
        environment="production",
        database="app",
        finding_class=FindingClass.DRIFT,
        status=Status.OPEN,
        severity=Severity.CRITICAL,
        findings=findings or (a_finding(),),
        first_seen=NOW,
        last_seen=NOW,
    )
    return msgspec.structs.replace(incident, **changes)


def test_a_pattern_of_a_newer_version_keeps_nothing_quiet() -> None:
    newer = msgspec.structs.replace(a_silence(), object="a shape of tomorrow: [")
    assert not newer.matches(an_incident())


def a_silence(**changes: Any) -> Silence:
    said: dict[str, Any] = {
        "id": "s1",
        "environment": "*",
        "database": "app",
        "finding_class": None,
        "object": "*",
        "reason": "we repair it",
        "by": "ann",
        "at": NOW,
        "until": NOW + HOUR,
    }
    return silence(**{**said, **changes})


@pytest.mark.parametrize(
    ("said", "is_quiet"),
    [
        ({}, True),
        ({"database": "a*"}, True),
        ({"database": "*"}, True),
        ({"database": "billing"}, False),
        ({"environment": "prod*"}, True),
        ({"environment": "staging"}, False),
        ({"finding_class": FindingClass.DRIFT}, True),
        ({"finding_class": FindingClass.SMOKE}, False),
        ({"object": "table:public.*"}, True),
        ({"object": "index:public.*"}, False),
        ({"at": NOW + HOUR / 2}, False),
    ],
)
def test_an_incident_is_quiet_where_everything_matches(
    said: dict[str, Any],
    is_quiet: bool,  # noqa: FBT001  # a column of the table
) -> None:
    assert is_silenced(an_incident(), [a_silence(**said)], NOW) is is_quiet


def test_a_silence_ends() -> None:
    quiet = a_silence()
    assert is_silenced(an_incident(), [quiet], NOW + HOUR - timedelta(microseconds=1))
    assert not is_silenced(an_incident(), [quiet], NOW + HOUR)


def test_one_object_that_is_not_meant_makes_it_heard() -> None:
    quiet = a_silence(object="table:public.orders")
    assert quiet.matches(an_incident(a_finding("orders")))
    assert not quiet.matches(an_incident(a_finding("orders"), a_finding("users")))
    assert not quiet.matches(an_incident(a_finding("orders"), a_finding(None)))


def test_who_names_a_name_with_signs_means_them() -> None:
    assert str(a_silence(object='table:public."a.b"', finding_class=FindingClass.DRIFT)) == (
        'drift of app, table:public."a.b"'
    )
    assert str(a_silence(environment="production")) == "everything of app in production"


@pytest.mark.parametrize(
    "said",
    [
        {"until": NOW},
        {"until": NOW + LONGEST + timedelta(seconds=1)},
        {"reason": " \n"},
        {"reason": "x" * 5000},
        {"object": "tables"},
        {"database": ""},
        {"database": "x" * 999},
        {"environment": "a\0b"},
    ],
)
def test_what_makes_no_sense_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        a_silence(**said)
    assert caught.value.next_step
