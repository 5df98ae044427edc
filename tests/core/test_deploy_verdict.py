"""What a deployment came to, in one line."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitor.core.deploy_verdict import Outlook, Passed, judge_deployment, write_line
from monitor.core.deployment import Deployment, Phase
from monitor.core.findings import Finding, Severity
from monitor.core.incidents import EventKind, Status
from monitor.core.keys import Kind
from monitor.core.message import compose
from monitor.core.report import Report
from monitor.core.verdict import State
from tests.core.builders import a_key

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
DRIFT = Finding("AW204", Severity.CRITICAL, "live", "production", a_key(Kind.TABLE, "t"), "gone")
ORPHANS = Finding(
    "AW303", Severity.WARNING, "live", "production", a_key(Kind.TABLE, "t"), "37 rows"
)


def a_report(state: State = State.IN_SYNC, *findings: Finding, **changes: Any) -> Report:
    said: dict[str, Any] = {"revisions": ("b1cc7",), "pending": ()} | changes
    return Report("live", "production", NOW, 0.1, state, findings, **said)


def an_outlook(**changes: Any) -> Outlook:
    deployment = Deployment(
        id="d1", at=NOW - timedelta(seconds=20), phase=Phase.SUCCEEDED, commit="3f2a1c"
    )
    said: dict[str, Any] = {
        "deployment": deployment,
        "environment": "live",
        "database": "production",
        "at": NOW,
        "before": ("a1409",),
        "report": a_report(),
        "expected": "lock",
        "orphans": 0,
        "counts_orphans": True,
        "smoke": Passed(4, 4),
    }
    return Outlook(**said | changes)


def test_all_is_right() -> None:
    assert write_line(an_outlook()) == (
        "production · 3f2a1c · a1409 -> b1cc7 · schema = lock ✓ · 0 orphans ✓ · smoke 4/4 ✓"
    )
    incident, event = judge_deployment(an_outlook())
    assert (incident.status, incident.severity) == (Status.RESOLVED, Severity.INFO)
    assert event.kind is EventKind.VERDICT
    message = compose(incident, event.kind, delivery="x", at=NOW)
    assert message.type == "deploy.verdict"
    assert message.headline.startswith("DEPLOYED production · 3f2a1c")
    assert (message.lines, message.ended) == ((), None)


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"before": None}, "· b1cc7 ·"),
        ({"before": ("b1cc7",)}, "· b1cc7 ·"),
        ({"before": ()}, "· nothing -> b1cc7 ·"),
        ({"report": a_report(revisions=("a", "b"))}, "a1409 -> a+b"),
        ({"report": a_report(State.DRIFTED, DRIFT)}, "schema drifted ✗"),
        ({"report": a_report(State.STAMPED_NOT_RUN)}, "schema stamped not run ✗"),
        ({"report": a_report(State.PENDING, pending=("x", "y"))}, "2 revisions pending ?"),
        ({"report": a_report(State.UNREACHABLE, revisions=None)}, "schema not seen ?"),
        ({"report": a_report(State.MIGRATING)}, "schema is being changed ?"),
        ({"report": None}, "schema not seen ?"),
        ({"expected": None, "report": a_report(State.UNCHANGED)}, "schema = baseline ✓"),
        ({"orphans": 37, "report": a_report(State.IN_SYNC, ORPHANS)}, "37 orphans ✗"),
        ({"orphans": 1}, "1 orphan accepted ✓"),
        ({"orphans": None}, "orphans not counted ?"),
        ({"smoke": Passed(3, 4)}, "smoke 3/4 ✗"),
    ],
)
def test_each_part_says_what_it_is(changes: dict[str, Any], part: str) -> None:
    line = write_line(an_outlook(**changes))
    assert part in line
    incident, _ = judge_deployment(an_outlook(**changes))
    is_good = "✗" not in line and "?" not in line
    assert (incident.severity is Severity.INFO) is is_good


def test_what_is_not_there_is_not_said() -> None:
    line = write_line(an_outlook(smoke=None, counts_orphans=False))
    assert "smoke" not in line
    assert "orphan" not in line


def test_what_fails_is_told_with_the_worst_first() -> None:
    incident, event = judge_deployment(
        an_outlook(report=a_report(State.DRIFTED, ORPHANS, DRIFT), orphans=37)
    )
    message = compose(incident, event.kind, delivery="x", at=NOW)
    assert message.severity is Severity.CRITICAL
    assert message.headline.startswith("DEPLOYED, NOT RIGHT production")
    assert message.lines[0].startswith("gone")


def test_the_same_deployment_has_one_verdict_a_database() -> None:
    ids = {judge_deployment(an_outlook(database=name))[0].id for name in ("a", "b", "a")}
    assert len(ids) == 2


def test_what_somebody_wrote_judges_nothing() -> None:
    deployment = Deployment(id="d1", at=NOW, phase=Phase.SUCCEEDED, commit="main?✗")
    incident, _ = judge_deployment(an_outlook(deployment=deployment))
    assert incident.severity is Severity.INFO


def test_a_suite_that_has_not_run_since_is_not_known() -> None:
    outlook = an_outlook(smoke=Passed(2, 2, is_known=False))
    assert "smoke not run to the end ?" in write_line(outlook)
    assert judge_deployment(outlook)[0].severity is not Severity.INFO
