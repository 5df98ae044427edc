"""What people read: what, where, since when and what next, within limits whatever it holds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.duration import describe_duration
from monitor.core.findings import (
    INCIDENT_CLASSES,
    Evidence,
    Finding,
    FindingClass,
    Severity,
)
from monitor.core.incidents import EventKind, Incident, Status
from monitor.core.keys import Kind, ObjectKey
from monitor.core.message import (
    MAX_LINES,
    MAX_VALUE,
    compose,
    describe_evidence,
    describe_sides,
)
from monitor.core.rules import RULES, choose_rule, name_change

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=400)),
    lambda inner: st.lists(inner, max_size=6),
    max_leaves=12,
)


def a_finding(name: str = "orders", severity: Severity = Severity.WARNING) -> Finding:
    key = ObjectKey(kind=Kind.TABLE, schema="public", parent=None, name=name)
    return Finding(
        code="AW204",
        severity=severity,
        environment="production",
        database="app",
        key=key,
        title=f"{key} is missing",
    )


def an_incident(*findings: Finding, **changes: Any) -> Incident:
    incident = Incident(
        id="i1",
        environment="production",
        database="app",
        finding_class=FindingClass.DRIFT,
        status=Status.OPEN,
        severity=Severity.CRITICAL,
        findings=findings or (a_finding(),),
        first_seen=NOW - timedelta(hours=6, minutes=10),
        last_seen=NOW,
    )
    return msgspec.structs.replace(incident, **changes)


@given(VALUES)
def test_no_value_is_longer_than_its_limit(value: Any) -> None:
    for side in describe_sides(Evidence(name="type", expected=value, actual=None)):
        assert 0 <= len(side) <= MAX_VALUE


def test_long_values_are_shown_where_they_part() -> None:
    text = " OR ".join(f"(a = {number})" for number in range(100))
    expected, actual = describe_sides(Evidence("definition", text + " OR b", text + " OR c"))
    assert (expected[-8:], actual[-8:]) == ("99) OR b", "99) OR c")
    assert expected.startswith("…")
    assert describe_sides(Evidence("definition", "b" + text, "c" + text))[0].startswith("b(a = 0")
    assert describe_sides(Evidence("definition", text, None)) == (
        text[: MAX_VALUE - 1] + "…",
        "nothing",
    )


@given(VALUES, VALUES)
def test_two_values_that_differ_are_shown_as_two(expected: Any, actual: Any) -> None:
    sides = describe_sides(Evidence(name="type", expected=expected, actual=actual))
    assert all(len(side) <= MAX_VALUE for side in sides)
    whole = describe_sides(Evidence("type", f"x{expected!r}" * 99, f"x{expected!r}" * 99 + "!"))
    assert whole[0] != whole[1]


@given(VALUES, VALUES)
def test_no_evidence_is_longer_than_its_two_values(expected: Any, actual: Any) -> None:
    evidence = Evidence(name="type", expected=expected, actual=actual)
    assert len(describe_evidence(evidence)) <= 2 * MAX_VALUE + 40


@given(st.timedeltas())
def test_every_duration_is_a_number_and_a_unit(duration: timedelta) -> None:
    number, unit = describe_duration(duration).split(" ")
    assert int(number) >= 0
    assert unit in {"d", "h", "min", "s"}


@given(st.integers(1, 40))
def test_what_is_not_listed_is_counted(count: int) -> None:
    findings = [a_finding(f"t{number}") for number in range(count)]
    message = compose(an_incident(*findings), EventKind.OPENED, delivery="d", at=NOW)
    assert len(message.lines) <= MAX_LINES
    assert len(message.lines) + message.omitted == count == len(message.findings)


def test_the_worst_stand_first() -> None:
    findings = [a_finding(f"t{number}") for number in range(20)]
    worst = a_finding("zz", Severity.CRITICAL)
    message = compose(an_incident(*findings, worst), EventKind.OPENED, delivery="d", at=NOW)
    assert message.lines[0] == "table public.zz is missing"


@pytest.mark.parametrize(
    ("kind", "headline"),
    [
        (EventKind.OPENED, "CRITICAL app (production): 1 schema difference"),
        (EventKind.CHANGED, "CHANGED app (production): now 1 schema difference"),
        (EventKind.REMINDER, "STILL OPEN app (production): 1 schema difference, for 6 h"),
        (
            EventKind.RESOLVED,
            "RESOLVED app (production): the schema is as expected again after 6 h",
        ),
    ],
)
def test_a_headline_says_how_it_stands_where_and_what(kind: EventKind, headline: str) -> None:
    assert compose(an_incident(), kind, delivery="d", at=NOW).headline == headline


def test_what_was_there_at_the_first_look_is_called_so() -> None:
    incident = an_incident(is_initial=True)
    message = compose(incident, EventKind.OPENED, delivery="d", at=NOW)
    assert message.headline.endswith("already so at the first look")


@pytest.mark.parametrize("kind", [EventKind.OPENED, EventKind.CHANGED, EventKind.REMINDER])
def test_what_was_there_at_the_first_look_can_be_accepted_and_the_message_says_how(
    kind: EventKind,
) -> None:
    message = compose(an_incident(is_initial=True), kind, delivery="d", at=NOW)
    assert message.accept == 'anchorwatch accept app --reason "..."'


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (EventKind.OPENED, {"is_initial": False}),
        (EventKind.RESOLVED, {"is_initial": True}),
        (EventKind.OPENED, {"is_initial": True, "finding_class": FindingClass.UNREACHABLE}),
        (EventKind.OPENED, {"is_initial": True, "finding_class": FindingClass.UNKNOWN}),
    ],
)
def test_what_is_new_over_or_unknown_is_not_offered_to_be_accepted(
    kind: EventKind, changes: dict[str, Any]
) -> None:
    assert compose(an_incident(**changes), kind, delivery="d", at=NOW).accept is None


@pytest.mark.parametrize("finding_class", INCIDENT_CLASSES)
@pytest.mark.parametrize("kind", EventKind)
def test_every_class_has_words_for_every_event(
    finding_class: FindingClass, kind: EventKind
) -> None:
    incident = an_incident(finding_class=finding_class)
    assert compose(incident, kind, delivery="d", at=NOW).headline


def test_a_code_tells_what_became_of_its_object() -> None:
    assert name_change("AW204") == "missing"
    assert name_change("AW205") == "unexpected"
    assert name_change("AW209") == "altered"
    assert name_change("AW000") == "altered"
    for code in RULES:
        for kind in Kind:
            for change in ("missing", "unexpected"):
                if choose_rule(kind, change, frozenset()).code == code:
                    assert name_change(code) == change
