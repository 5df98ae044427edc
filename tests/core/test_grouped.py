"""One message about several incidents: the worst first, within limits, and never a lie."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.findings import Finding, FindingClass, Severity
from monitor.core.grouped import MAX_LINES, SEVERAL, Part, compose_several
from monitor.core.incidents import EventKind, Incident, Status
from monitor.core.keys import Kind, ObjectKey

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def an_incident(number: int, **changes: Any) -> Incident:
    key = ObjectKey(kind=Kind.TABLE, schema="public", parent=None, name="orders")
    finding = Finding(
        "AW201", Severity.CRITICAL, "production", f"db{number}", key, "table orders is missing"
    )
    incident = Incident(
        id=f"i{number}",
        environment="production",
        database=f"db{number}",
        finding_class=FindingClass.DRIFT,
        status=Status.OPEN,
        severity=Severity.CRITICAL,
        findings=(finding,),
        first_seen=NOW - timedelta(minutes=5),
        last_seen=NOW,
    )
    return msgspec.structs.replace(incident, **changes)


def a_part(number: int, kind: EventKind = EventKind.OPENED, **changes: Any) -> Part:
    over = {"status": Status.RESOLVED, "resolved_at": NOW} if kind is EventKind.RESOLVED else {}
    return Part(an_incident(number, **over, **changes), kind, f"0{number}", NOW)


def test_few_databases_are_told_with_their_worst_finding() -> None:
    message = compose_several([a_part(2), a_part(1, EventKind.RESOLVED)], url="https://w")
    assert message.type == SEVERAL
    assert message.id == "01"
    assert message.headline == (
        "CRITICAL 2 databases (production): schema differences, 1 of them resolved"
    )
    assert message.lines == (
        "db2: 1 schema difference, table orders is missing, for 5 min",
        "db1: resolved after 5 min",
    )
    assert message.cause == "dropped by hand, or a migration that did not run to its end"
    assert (message.command, message.url) == ("anchorwatch incidents", "https://w")
    assert (message.status, message.ended) == (Status.OPEN, None)


def test_a_fleet_is_told_with_the_worst_and_a_count() -> None:
    parts = [a_part(number, severity=Severity.WARNING) for number in range(30)]
    parts.append(a_part(99, EventKind.CHANGED))
    message = compose_several(parts)
    assert message.headline == "CRITICAL 31 databases (production): schema differences"
    assert message.lines[0] == "db99: 1 schema difference, for 5 min (changed)"
    assert (len(message.lines), message.omitted) == (MAX_LINES, 31 - MAX_LINES)


def test_what_is_over_everywhere_is_over() -> None:
    message = compose_several([a_part(n, EventKind.RESOLVED) for n in range(3)])
    assert message.headline == "RESOLVED 3 databases (production): schema differences, all over"
    assert (message.status, message.ended, message.cause) == (Status.RESOLVED, NOW, "")


def test_verdicts_keep_their_words() -> None:
    deploy = {"finding_class": FindingClass.DEPLOY, "findings": (), "headline": "production · a1"}
    fine = a_part(1, EventKind.VERDICT, severity=Severity.INFO, **deploy)
    wrong = a_part(2, EventKind.VERDICT, severity=Severity.WARNING, **deploy)
    said = compose_several([fine, wrong])
    assert said.headline == "DEPLOYED, NOT RIGHT 2 databases (production): 1 not right"
    assert said.lines == ("production · a1",) * 2
    assert compose_several([fine, fine]).headline == (
        "DEPLOYED 2 databases (production): all right"
    )


KINDS = [kind for kind in EventKind if kind is not EventKind.VERDICT]
DRAWN = st.tuples(st.sampled_from(KINDS), st.sampled_from(Severity), st.sampled_from(FindingClass))


@given(st.lists(DRAWN, min_size=2, max_size=20))
def test_whatever_comes_together_what_is_open_is_never_called_over(
    drawn: list[tuple[EventKind, Severity, FindingClass]],
) -> None:
    parts = [
        a_part(number, kind, severity=severity, finding_class=found)
        for number, (kind, severity, found) in enumerate(drawn)
    ]
    message = compose_several(parts)
    is_over = all(kind is EventKind.RESOLVED for kind, _, _ in drawn)
    assert message.headline.startswith("RESOLVED") is is_over
    assert (message.status is Status.RESOLVED) is is_over
    assert len(message.lines) + message.omitted == len(drawn)


def test_what_is_over_makes_no_message_graver_than_what_is_open() -> None:
    parts = [
        a_part(1, EventKind.RESOLVED, severity=Severity.CRITICAL),
        a_part(2, severity=Severity.WARNING),
    ]
    message = compose_several(parts)
    assert message.headline.startswith("WARNING")
    assert message.severity is Severity.WARNING


def test_several_channels_are_no_databases() -> None:
    parts = [
        a_part(number, finding_class=FindingClass.CHANNEL, database=f"channel {number}")
        for number in range(2)
    ]
    message = compose_several(parts)
    assert message.headline == "CRITICAL 2 channels (production): no messages taken"
    assert message.database == "2 channels"


def test_who_is_called_is_called_for_what_begins_and_is_critical() -> None:
    """Not for reminders, and not for something mild beside them."""
    still = a_part(1, EventKind.REMINDER)
    mild = a_part(2, severity=Severity.WARNING)
    assert not compose_several([still, mild, a_part(3, EventKind.RESOLVED)]).has_alarm
    assert compose_several([still, a_part(4)]).has_alarm
