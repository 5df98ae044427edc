"""How an acceptance stands, and what the last look lets people accept."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from monitor.core.errors import LookError
from monitor.core.findings import Finding, FindingClass, Severity, Unknown
from monitor.core.keys import Kind
from monitor.core.record import Record
from monitor.core.report import Report
from monitor.core.standing import Standing, list_standings, require_look
from monitor.core.verdict import State
from monitor.core.waivers import Acceptance, Accepted, Ignored, IgnoreRule, accept
from tests.core.builders import a_key

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
FINDING = Finding("AW205", Severity.WARNING, "test", "app", a_key(Kind.TABLE, "t"), "t is there")
CHANGED = msgspec.structs.replace(FINDING, inside="more")


def an_acceptance(until: date | None = None) -> Acceptance:
    (made,) = accept([FINDING], reason="known", until=None, by="us", at=NOW)
    return msgspec.structs.replace(made, until=until)


def a_report(*findings: Finding, state: State = State.DRIFTED) -> Report:
    return Report("test", "app", NOW, 0.1, state, findings)


def stand(report: Report | None, until: date | None = None) -> Standing:
    ((_, standing),) = list_standings([an_acceptance(until)], report, NOW)
    return standing


def test_it_holds_where_the_last_look_left_something_out_by_it() -> None:
    accepted = (Accepted(FINDING, an_acceptance()),)
    assert stand(msgspec.structs.replace(a_report(), accepted=accepted)) is Standing.HOLDS


def test_it_waits_where_the_finding_is_still_told() -> None:
    assert stand(a_report(FINDING)) is Standing.WAITS


def test_a_further_change_is_seen() -> None:
    assert stand(a_report(CHANGED)) is Standing.CHANGED


def test_a_rule_may_ignore_it_by_now() -> None:
    ignored = (Ignored(FINDING, IgnoreRule(reason="known")),)
    assert stand(msgspec.structs.replace(a_report(), ignored=ignored)) is Standing.IGNORED


def test_it_is_idle_where_the_finding_is_gone() -> None:
    assert stand(a_report()) is Standing.IDLE


def test_it_is_over_after_its_last_day_whatever_was_seen() -> None:
    yesterday = (NOW - timedelta(days=1)).date()
    for report in (None, a_report(), a_report(FINDING)):
        assert stand(report, yesterday) is Standing.OVER


def test_it_is_not_known_where_nobody_could_look() -> None:
    unknown = Unknown(FindingClass.DRIFT, "refused", "No.", "Ask.")
    unjudged = msgspec.structs.replace(a_report(), unknowns=(unknown,))
    unreachable = a_report(state=State.UNREACHABLE)
    assert {stand(None), stand(unjudged), stand(unreachable)} == {Standing.UNKNOWN}


@pytest.mark.parametrize("standing", Standing)
def test_every_standing_has_a_sentence(standing: Standing) -> None:
    assert standing.sentence


@pytest.mark.parametrize("state", [State.UNREACHABLE, State.UNKNOWN, State.MIGRATING])
def test_nobody_accepts_what_nobody_has_seen(state: State) -> None:
    record = Record(
        environment="test", database="app", report=a_report(state=state), state_since=NOW
    )
    with pytest.raises(LookError, match="saw nothing"):
        require_look(record, "app (test)")
    with pytest.raises(LookError, match="Nobody has looked at app"):
        require_look(None, "app (test)")
