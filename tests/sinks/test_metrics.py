"""What Prometheus scrapes: well formed, complete from the start, bounded, and never too rosy."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from monitor.core.assertions import AssertionState
from monitor.core.checkup import CheckName, CheckRecord, CheckReport, advance_check
from monitor.core.findings import INCIDENT_CLASSES, FindingClass, Severity, Unknown
from monitor.core.incidents import EventKind
from monitor.core.orphans import Count, Scan, Tally
from monitor.core.record import Record
from monitor.core.relation import Origin
from monitor.core.relation_text import parse_relation
from monitor.core.smoke import Reason, StepOutcome, StepStatus, SuiteOutcome
from monitor.core.suite_states import SuiteState
from monitor.core.verdict import State
from monitor.core.waivers import Ignored, IgnoreRule
from monitor.sinks.families import AGENT_FAMILIES, DATABASE_FAMILIES, ORPHAN_SERIES
from monitor.sinks.metrics import Metrics, Watched, render_metrics_reference
from tests.sinks.builders import HOSTILE, NOW, a_finding, a_record

WATCHED = Watched(environment="production", expected="alembic", host="db:5432", interval=60.0)
NONE: dict[Severity, int] = {}


OF_THE_LEDGER = {
    "anchorwatch_channel_up",
    "anchorwatch_outbox_pending",
    "anchorwatch_outbox_oldest_timestamp_seconds",
    "anchorwatch_outbox_dead",
}


def make_metrics(*databases: str) -> Metrics:
    metrics = Metrics("1.2.3", "abc123")
    for database in databases:
        metrics.watch(database, WATCHED)
    metrics.notifications.begin(
        "slack", reasons=["timeout", "refused"], suppressed=["silenced", "grouped"]
    )
    assert not parse(metrics.render()).keys() & OF_THE_LEDGER, "nobody has read it yet"
    metrics.notifications.set_outbox("slack", pending=0, oldest=None, dead=0)
    metrics.notifications.set_up("slack", is_up=True)
    metrics.set_configuration(is_whole=True)
    metrics.set_tick(NOW)
    return metrics


def parse(page: bytes) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Sample name -> labels -> value, as Prometheus' own parser reads it."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(page.decode()):
        for sample in family.samples:
            labels = tuple(sorted(sample.labels.items()))
            assert labels not in found.setdefault(sample.name, {}), "a series stands there twice"
            found[sample.name][labels] = sample.value
    return found


def pick(page: bytes, name: str, **labels: str) -> float:
    (value,) = [
        value
        for given, value in parse(page)[name].items()
        if labels.items() <= dict(given).items()
    ]
    return value


def a_full_record(**changes: Any) -> Record:
    """A record of which everything is known."""
    record = a_record()
    report = msgspec.structs.replace(
        record.report,
        revisions=("r1",),
        expected_revisions=("r2", "r3"),
        pending=("r2", "r3"),
        fingerprint="f",
        server_version=180001,
        **changes,
    )
    return msgspec.structs.replace(
        record,
        report=report,
        revisions=("r1",),
        last_success=NOW,
        schema_changed=NOW - timedelta(hours=1),
    )


def a_check(*tallies: Tally, **changes: Any) -> CheckRecord:
    """A check for orphans as the ledger has it."""
    report = CheckReport(
        environment="production",
        database="app",
        check=CheckName.ORPHANS,
        at=NOW,
        seconds=0.25,
        tallies=tallies,
        **changes,
    )
    return advance_check(None, report)


def a_tally(text: str, orphans: int, **changes: Any) -> Tally:
    return Tally(relation=parse_relation(text), count=Count(orphans=orphans, at=NOW), **changes)


def make_full_metrics() -> Metrics:
    """Metrics of which every family has a series."""
    metrics = make_metrics("app")
    metrics.watch_check("app", CheckName.ORPHANS, 3600)
    metrics.see(a_full_record(), NONE)
    metrics.see_check(a_check(a_tally("a.x -> b.y", 3)), NONE)
    metrics.see_deployment("app", NOW)
    metrics.watch_suite("app", "signup", 600.0)
    metrics.see_check(a_smoke_check(StepStatus.PASS), NONE)
    metrics.watch_check("app", CheckName.DATA, 600.0)
    metrics.see_check(an_evaluation(AssertionState(name="no debts", holds=True)), NONE)
    return metrics


def an_evaluation(*states: AssertionState, **changes: Any) -> CheckRecord:
    """Assertions as the ledger has them."""
    report = CheckReport(
        environment="production",
        database="app",
        check=CheckName.DATA,
        at=NOW,
        assertions=states,
        **changes,
    )
    return advance_check(None, report)


def test_an_assertion_says_whether_it_held_and_whether_anybody_could_tell() -> None:
    metrics = make_metrics("app")
    metrics.watch_check("app", CheckName.DATA, 600.0)
    assert "anchorwatch_assertion_holds" not in parse(metrics.render()), "nobody has asked yet"
    failing = msgspec.structs.replace(a_finding(), key=None, subject="fails")
    ignored = msgspec.structs.replace(failing, subject="taken as it is")
    record = an_evaluation(
        AssertionState(name=HOSTILE, severity=Severity.CRITICAL, holds=True),
        AssertionState(name="fails", finding=failing, holds=False),
        AssertionState(name="failed", finding=failing, holds=False, problem="No.", failures=3),
        AssertionState(name="never", problem="No.", failures=1),
        AssertionState(name="taken", finding=ignored, holds=False),
        ignored=(Ignored(ignored, IgnoreRule(reason="known")),),
    )
    metrics.see_check(record, NONE)
    page = parse(metrics.render())
    held = {
        (dict(labels)["assertion"], dict(labels)["severity"]): value
        for labels, value in page["anchorwatch_assertion_holds"].items()
    }
    assert held == {(HOSTILE, "critical"): 1, ("fails", "warning"): 0, ("failed", "warning"): 0}
    could = {
        dict(labels)["assertion"]: value
        for labels, value in page["anchorwatch_assertion_evaluated"].items()
    }
    assert could == {HOSTILE: 1, "fails": 1, "failed": 0, "never": 0, "taken": 1}
    metrics.see_check(an_evaluation(AssertionState(name="fails", holds=True)), NONE)
    page = parse(metrics.render())
    assert len(page["anchorwatch_assertion_holds"]) == 1, "what is not asserted any more is gone"
    assert pick(metrics.render(), "anchorwatch_assertion_holds", assertion="fails") == 1


def a_smoke_check(status: StepStatus) -> CheckRecord:
    step = StepOutcome(
        name="ask",
        status=status,
        reason=None if status is StepStatus.PASS else Reason.TIMEOUT,
        seconds=0.2,
        tries=1,
        code=200 if status is StepStatus.PASS else 0,
        certificate_ends=NOW + timedelta(days=30),
    )
    outcome = SuiteOutcome(
        name="signup", database="app", run_id="r", at=NOW, seconds=0.3, steps=(step,)
    )
    is_bad = status is not StepStatus.PASS
    state = SuiteState(outcome=outcome, bad=int(is_bad), is_told=is_bad, passed=NOW)
    report = CheckReport(
        environment="production",
        database="app",
        check=CheckName.SMOKE,
        at=NOW,
        suites=(state,),
        ran="signup",
    )
    return advance_check(None, report)


def test_a_suite_has_series_from_the_start_and_counts_what_fails() -> None:
    metrics = make_metrics("app")
    metrics.watch_suite("app", "signup", 600.0)
    assert pick(metrics.render(), "anchorwatch_smoke_runs_total", suite="signup") == 0
    for status in (StepStatus.PASS, StepStatus.FAIL, StepStatus.FAIL):
        metrics.see_check(a_smoke_check(status), NONE)
    page = metrics.render()
    assert pick(page, "anchorwatch_smoke_runs_total", suite="signup") == 3
    failures = "anchorwatch_smoke_failures_total"
    assert pick(page, failures, reason="timeout") == 2
    assert pick(page, failures, reason="connect") == 0
    assert pick(page, "anchorwatch_smoke_success", suite="signup") == 0
    assert pick(page, "anchorwatch_smoke_step_duration_seconds", step="ask") == 0.2
    assert pick(page, "anchorwatch_smoke_step_status_code", step="ask") == 0
    assert pick(page, "anchorwatch_smoke_broken", suite="signup") == 1
    assert pick(page, "anchorwatch_smoke_interval_seconds", suite="signup") == 600
    assert pick(page, "anchorwatch_smoke_last_success_timestamp_seconds") == NOW.timestamp()
    ends = (NOW + timedelta(days=30)).timestamp()
    assert pick(page, "anchorwatch_smoke_certificate_expiry_timestamp_seconds") == ends


def test_a_suite_that_never_passed_and_saw_no_certificate_says_neither() -> None:
    metrics = make_metrics("app")
    metrics.watch_suite("app", "signup", None)
    record = a_smoke_check(StepStatus.FAIL)
    (state,) = record.report.suites
    (step,) = state.outcome.steps
    bare = msgspec.structs.replace(step, certificate_ends=None, code=None)
    outcome = msgspec.structs.replace(state.outcome, steps=(bare,))
    never = msgspec.structs.replace(state, outcome=outcome, passed=None)
    report = msgspec.structs.replace(record.report, suites=(never,))
    metrics.see_check(msgspec.structs.replace(record, report=report), NONE)
    page = parse(metrics.render())
    for name in ("last_success", "certificate_expiry"):
        assert f"anchorwatch_smoke_{name}_timestamp_seconds" not in page
    assert "anchorwatch_smoke_step_status_code" not in page
    assert "anchorwatch_smoke_interval_seconds" not in page, "nobody runs it by the clock"


def test_a_check_stands_beside_the_look_at_the_schema() -> None:
    valid = msgspec.structs.replace(parse_relation("c.x -> b.y"), origin=Origin.VALIDATED)
    scan = Scan(after=("7",), rows=10, orphans=9, begun=NOW)
    metrics = make_metrics("app")
    metrics.watch_check("app", CheckName.ORPHANS, 3600)
    page = metrics.render()
    assert pick(page, "anchorwatch_checks_total", check="orphans") == 0
    assert pick(page, "anchorwatch_check_interval_seconds", check="orphans") == 3600
    metrics.see(a_full_record(), NONE)
    metrics.see_check(
        a_check(
            a_tally('a."x\n""" -> b.y', 3),
            a_tally("d.x -> b.y", 0, scan=scan),
            Tally(relation=parse_relation("e.x -> b.y")),
            Tally(relation=valid, count=Count(orphans=0, at=NOW)),
        ),
        {Severity.WARNING: 1},
    )
    page = metrics.render()
    rows = parse(page)["anchorwatch_orphan_rows"]
    assert {dict(labels)["table"]: count for labels, count in rows.items()} == {
        "public.a": 3,
        "public.d": 9,
    }
    complete = "anchorwatch_orphan_scan_complete"
    assert pick(page, complete, table="public.a") == 1
    assert pick(page, complete, table="public.d") == 0
    assert pick(page, complete, table="public.e") == 0
    assert pick(page, "anchorwatch_incidents_open", severity="warning") == 1
    assert pick(page, "anchorwatch_check_last_duration_seconds", check="orphans") == 0.25
    assert pick(page, "anchorwatch_check_duration_seconds_count", check="orphans") == 1
    unknown = Unknown(FindingClass.ORPHANS, "refused", "No.", "Ask.")
    metrics.see_check(a_check(unknown=unknown), NONE)
    page = metrics.render()
    assert pick(page, "anchorwatch_check_failures_total", check="orphans") == 1
    assert pick(page, "anchorwatch_checks_total", check="orphans") == 2


def test_only_so_many_relations_have_series() -> None:
    metrics = make_metrics("app")
    metrics.watch_check("app", CheckName.ORPHANS, None)
    metrics.see_check(
        a_check(*(a_tally(f"t{place}.x -> b.y", 1) for place in range(ORPHAN_SERIES + 50))), NONE
    )
    assert len(parse(metrics.render())["anchorwatch_orphan_rows"]) == ORPHAN_SERIES


def test_every_family_is_there_with_its_type_and_help() -> None:
    metrics = make_full_metrics()
    families = {
        family.name: family for family in text_string_to_metric_families(metrics.render().decode())
    }
    for name, described in {**AGENT_FAMILIES, **DATABASE_FAMILIES}.items():
        family = families.get(name) or families[name.removesuffix("_total")]
        assert (family.type, family.documentation) == (described.kind, described.text)
        for sample in family.samples:
            assert sample.labels.keys() - {"le"} == set(described.labels)


def test_nothing_is_exposed_that_the_reference_does_not_tell() -> None:
    page = make_full_metrics().render().decode()
    exposed = {line.split()[2] for line in page.splitlines() if line.startswith("# TYPE")}
    own = {name for name in exposed if not name.startswith("process_")}
    assert own == AGENT_FAMILIES.keys() | DATABASE_FAMILIES.keys()
    reference = render_metrics_reference()
    rows = [line.split(" | ") for line in reference.splitlines() if line.startswith("| `")]
    assert {row[0].strip("| `") for row in rows} == own
    assert all(row[1] in {"gauge", "counter", "histogram"} and row[3].strip() for row in rows)
    assert "_created" not in page


def test_every_counter_is_there_before_anything_happened() -> None:
    found = parse(make_metrics("app").render())
    assert sum(found["anchorwatch_checks_total"].values()) == 0
    assert len(found["anchorwatch_check_failures_total"]) == 2
    for name in ("anchorwatch_incidents_opened_total", "anchorwatch_incidents_resolved_total"):
        assert {dict(labels)["kind"] for labels in found[name]} == set(INCIDENT_CLASSES)
    assert len(found["anchorwatch_notifications_total"]) == len(EventKind)
    assert len(found["anchorwatch_notification_failures_total"]) == 2
    assert found["anchorwatch_check_duration_seconds_count"] == {
        (("check", check),): 0 for check in ("schema", *CheckName)
    }


@pytest.mark.parametrize("state", State)
def test_exactly_one_state_is_1(state: State) -> None:
    metrics = make_metrics("app")
    metrics.see(a_full_record(state=state), NONE)
    page = metrics.render()
    states = parse(page)["anchorwatch_database_state"]
    assert {dict(labels)["state"]: value for labels, value in states.items()} == {
        each.value: float(each is state) for each in State
    }
    assert pick(page, "anchorwatch_database_state_code") == state.meaning.code
    assert pick(page, "anchorwatch_database_up") == (state is not State.UNREACHABLE)


def test_looks_failures_and_events_are_counted() -> None:
    metrics = make_metrics("app")
    for state in (State.IN_SYNC, State.UNREACHABLE, State.UNKNOWN, State.UNKNOWN):
        metrics.see(a_full_record(state=state), NONE)
    metrics.count_event("app", FindingClass.DRIFT, EventKind.OPENED)
    metrics.count_event("app", FindingClass.DRIFT, EventKind.REMINDER)
    metrics.count_event("app", FindingClass.DRIFT, EventKind.RESOLVED)
    metrics.see(a_full_record(), {Severity.CRITICAL: 2})
    page = metrics.render()
    assert pick(page, "anchorwatch_checks_total", check="schema") == 5
    failures = "anchorwatch_check_failures_total"
    assert pick(page, failures, reason="unreachable") == 1
    assert pick(page, failures, reason="unknown") == 2
    assert pick(page, "anchorwatch_incidents_opened_total", kind="drift") == 1
    assert pick(page, "anchorwatch_incidents_resolved_total", kind="drift") == 1
    assert pick(page, "anchorwatch_incidents_open", severity="critical") == 2
    assert pick(page, "anchorwatch_incidents_open", severity="warning") == 0
    assert pick(page, "anchorwatch_check_duration_seconds_count", check="schema") == 5


def test_differences_are_counted_by_kind_and_change_with_their_zeros() -> None:
    metrics = make_metrics("app")
    findings = (a_finding("a"), a_finding("b"), a_finding("c", code="AW209"))
    metrics.see(a_full_record(findings=findings), NONE)
    page = metrics.render()
    cells = parse(page)["anchorwatch_schema_differences"]
    assert len(cells) == 18
    assert sum(cells.values()) == 3
    name = "anchorwatch_schema_differences"
    assert pick(page, name, kind="table", change="altered") == 1


def test_compact_leaves_out_zeros_and_still_says_that_there_is_nothing() -> None:
    metrics = Metrics("1.2.3", is_compact=True)
    metrics.watch("app", WATCHED)
    name = "anchorwatch_schema_differences"
    metrics.see(a_full_record(findings=()), NONE)
    assert list(parse(metrics.render())[name].values()) == [0]
    metrics.see(a_full_record(findings=(a_finding("a"), a_finding("b"))), NONE)
    assert list(parse(metrics.render())[name].values()) == [2]


def test_a_scrape_formats_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = make_full_metrics()
    page = metrics.render(["app"])

    def refuse(*_: object) -> bytes:
        raise AssertionError("a sample was formatted during a scrape")

    monkeypatch.setattr("monitor.sinks.metrics._format", refuse)
    assert metrics.render(["app"]) == page


def test_unknown_keeps_the_last_counts_and_does_not_look_healthy() -> None:
    metrics = make_metrics("app")
    metrics.see(a_full_record(findings=(a_finding("a", code="AW204"),)), NONE)
    unknowns = tuple(
        Unknown(finding_class=each, code="refused", message="no", next_step="grant")
        for each in (FindingClass.DRIFT, FindingClass.HISTORY)
    )
    metrics.see(a_full_record(state=State.UNKNOWN, findings=(), unknowns=unknowns), NONE)
    page = metrics.render()
    assert sum(parse(page)["anchorwatch_schema_differences"].values()) == 1
    assert pick(page, "anchorwatch_database_state", state="unknown") == 1
    assert pick(page, "anchorwatch_database_state", state="in_sync") == 0


def test_a_database_that_is_restored_was_not_looked_at() -> None:
    metrics = make_metrics("app")
    metrics.restore(a_full_record(), {Severity.WARNING: 1})
    page = metrics.render()
    assert pick(page, "anchorwatch_checks_total") == 0
    assert pick(page, "anchorwatch_database_state", state="drifted") == 1
    assert pick(page, "anchorwatch_incidents_open", severity="warning") == 1


def test_a_database_that_is_no_longer_watched_has_no_series() -> None:
    page = make_metrics("app").render()
    databases = {
        dict(labels).get("database", "app")
        for samples in parse(page).values()
        for labels in samples
    }
    assert databases == {"app"}


def test_a_page_can_hold_some_databases_only() -> None:
    metrics = make_metrics("a", "b")
    for name in ("a", "b"):
        record = a_full_record()
        metrics.see(msgspec.structs.replace(record, database=name), NONE)
    found = parse(metrics.render(["a"]))
    assert {dict(labels)["database"] for each in found.values() for labels in each} == {"a"}
    assert found.keys() <= DATABASE_FAMILIES.keys()
    assert metrics.render(["nobody"]) == b""
    assert metrics.render(["a", "a"]) == metrics.render(["a"])


def test_a_database_that_is_looked_at_only_when_asked_has_no_interval() -> None:
    metrics = make_metrics()
    metrics.watch("app", msgspec.structs.replace(WATCHED, interval=None))
    metrics.see(a_full_record(), NONE)
    assert "anchorwatch_check_interval_seconds" not in parse(metrics.render())


def test_hostile_text_stays_inside_its_label() -> None:
    hostile = HOSTILE.replace("\0", "")
    metrics = make_metrics("app")
    record = a_full_record()
    metrics.see(msgspec.structs.replace(record, revisions=(hostile, hostile)), NONE)
    revisions = parse(metrics.render())["anchorwatch_alembic_revision_info"]
    assert hostile in {dict(labels)["revision"] for labels in revisions}


class Fragments(Collector):
    """The same series as the library's own objects."""

    def __init__(self, page: bytes) -> None:
        self._page = page.decode()

    def collect(self) -> Iterator[Metric]:
        for family in text_string_to_metric_families(self._page):
            described = (
                DATABASE_FAMILIES.get(family.name) or DATABASE_FAMILIES[f"{family.name}_total"]
            )
            kind = {"gauge": GaugeMetricFamily, "counter": CounterMetricFamily}[described.kind]
            made = kind(family.name, described.text, labels=described.labels)
            for sample in family.samples:
                made.add_metric([sample.labels[name] for name in described.labels], sample.value)
            yield made


def test_joined_fragments_are_what_the_library_would_print_byte_for_byte() -> None:
    metrics = make_metrics("a", "b")
    for name in ("b", "a"):
        record = msgspec.structs.replace(
            a_full_record(seconds=1234567.5, at=datetime(2026, 1, 1, tzinfo=UTC)),
            database=name,
            revisions=('quote"d', "back\\slash", "new\nline", "😀"),
        )
        metrics.see(record, {Severity.WARNING: 3})
    page = metrics.render(["a", "b"])
    registry = CollectorRegistry()
    registry.register(Fragments(page))
    assert page == generate_latest(registry)


def test_the_outbox_is_shown_by_channel() -> None:
    metrics = make_metrics()
    metrics.notifications.set_outbox("slack", pending=3, oldest=NOW, dead=1)
    metrics.notifications.add_delivered("slack", "opened")
    metrics.notifications.add_failed("slack", "timeout")
    page = metrics.render()
    assert pick(page, "anchorwatch_outbox_pending", channel="slack") == 3
    assert pick(page, "anchorwatch_outbox_oldest_timestamp_seconds") == NOW.timestamp()
    assert pick(page, "anchorwatch_outbox_dead") == 1
    assert pick(page, "anchorwatch_notifications_total", event="opened") == 1
    assert pick(page, "anchorwatch_notification_failures_total", reason="timeout") == 1
    metrics.notifications.set_outbox("slack", pending=0, oldest=None, dead=1)
    assert pick(metrics.render(), "anchorwatch_outbox_oldest_timestamp_seconds") == 0


def test_the_agent_tells_its_version_and_its_commit() -> None:
    (labels,) = parse(make_metrics().render())["anchorwatch_build_info"]
    assert dict(labels)["version"] == "1.2.3"
    assert dict(labels)["revision"] == "abc123"
