"""What a migration at work excuses, as a function of time."""

from datetime import UTC, datetime, timedelta

import pytest

from monitor.checks.activity import (
    BUILDING_AT_MOST,
    MIGRATING_AT_MOST,
    describe_activity,
    excuse_builds,
    hold_back,
    track_builds,
)
from monitor.core.activity import Activity
from monitor.core.findings import Finding, Severity
from monitor.core.keys import Kind
from monitor.core.report import Report
from monitor.core.rules import CANNOT_LOOK, STUCK_MIGRATION, UNUSED_RULE
from monitor.core.verdict import State
from tests.core.builders import a_key

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TABLE = a_key(Kind.TABLE, "t")
INDEX = a_key(Kind.INDEX, "i", parent="t")
BUSY = Activity(changing=(TABLE,))


def a_finding(code: str = "AW205") -> Finding:
    return Finding(code, Severity.WARNING, "test", "app", INDEX, "something")


def a_report(*findings: Finding, state: State = State.DRIFTED) -> Report:
    return Report("test", "app", NOW, 0.1, state, findings=findings)


@pytest.mark.parametrize(
    ("minutes", "state", "is_stuck"),
    [(0, State.MIGRATING, False), (9.9, State.MIGRATING, False), (10, State.DRIFTED, True)],
)
def test_nothing_is_judged_for_ten_minutes_and_then_everything(
    minutes: float, state: State, *, is_stuck: bool
) -> None:
    since = NOW - timedelta(minutes=minutes)
    report = hold_back(a_report(a_finding()), BUSY, since)
    assert report.state is state
    assert report.migrating_since == since
    assert (STUCK_MIGRATION.code in {finding.code for finding in report.findings}) == is_stuck
    assert bool(report.unknowns) != is_stuck


def test_no_rule_is_called_unused_in_the_midst_of_a_migration() -> None:
    report = hold_back(a_report(a_finding(), a_finding(UNUSED_RULE.code)), BUSY, None)
    assert report.findings == ()
    at_rest = a_report(a_finding(UNUSED_RULE.code), state=State.IN_SYNC)
    assert hold_back(at_rest, BUSY, None) == at_rest


def test_without_activity_or_without_differences_nothing_is_held_back() -> None:
    for report, activity in (
        (a_report(a_finding()), Activity()),
        (a_report(a_finding()), Activity(building=(INDEX,))),
        (a_report(state=State.IN_SYNC), BUSY),
        (a_report(a_finding(CANNOT_LOOK.code), state=State.UNKNOWN), BUSY),
    ):
        assert hold_back(report, activity, NOW) == report


def test_what_is_not_of_the_schema_is_told_all_the_same() -> None:
    report = hold_back(a_report(a_finding(), a_finding(CANNOT_LOOK.code)), BUSY, None)
    assert [finding.code for finding in report.findings] == [CANNOT_LOOK.code]


def test_a_build_is_excused_until_it_takes_too_long() -> None:
    builds = track_builds(Activity(building=(INDEX,)), {}, NOW)
    assert builds == {INDEX: NOW}
    told, notes = excuse_builds([a_finding()], builds, NOW)
    assert (told, notes) == ((), ("index public.t.i is being built.",))
    late = NOW + BUILDING_AT_MOST
    builds = track_builds(Activity(building=(INDEX,)), builds, late)
    assert builds == {INDEX: NOW}
    assert excuse_builds([a_finding()], builds, late) == ((a_finding(),), ())
    assert track_builds(Activity(), builds, late) == {}


def test_activity_is_described_by_few_names() -> None:
    many = tuple(a_key(Kind.TABLE, f"t{number}") for number in range(5))
    assert describe_activity(Activity(changing=many, unseen=2)) == (
        "table public.t0, table public.t1, table public.t2, 2 more, "
        "something that is not there yet"
    )
    assert MIGRATING_AT_MOST < BUILDING_AT_MOST
