"""When people are told: the pure step, as a table of looks and as laws."""

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.acknowledgement import acknowledge
from monitor.core.findings import (
    INCIDENT_CLASSES,
    Evidence,
    Finding,
    FindingClass,
    Severity,
    Unknown,
    digest_findings,
)
from monitor.core.flapping import CALM_AFTER
from monitor.core.incidents import (
    Event,
    EventKind,
    Incident,
    Status,
    note,
)
from monitor.core.keys import Kind, ObjectKey
from monitor.core.message import compose
from monitor.core.patience import DEFAULT_POLICY, LONGEST_GAP, ClassPolicy, choose_gap
from monitor.core.report import Report
from monitor.core.rules import CANNOT_LOOK, UNREACHABLE, UNUSED_RULE
from monitor.core.step import step
from monitor.core.verdict import State
from monitor.core.waivers import Accepted, accept

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def a_finding(name: str = "orders", *, actual: str = "integer", code: str = "AW209") -> Finding:
    key = ObjectKey(kind=Kind.COLUMN, schema="public", parent=name, name="id")
    evidence = Evidence(name="type", expected="bigint", actual=actual)
    return Finding(
        code=code,
        severity=Severity.WARNING,
        environment="test",
        database="app",
        key=key,
        title=f"{key} differs in type",
        evidence=(evidence,),
    )


def a_report(minutes: float, *findings: Finding, state: State = State.DRIFTED) -> Report:
    return Report(
        environment="test",
        database="app",
        at=START + minutes * MINUTE,
        seconds=0.1,
        state=state if findings else State.IN_SYNC,
        findings=findings,
    )


def an_unreachable(minutes: float) -> Report:
    finding = msgspec.structs.replace(a_finding(code=UNREACHABLE.code), key=None)
    return a_report(minutes, finding, state=State.UNREACHABLE)


def an_unknown(minutes: float) -> Report:
    finding = msgspec.structs.replace(a_finding(code=CANNOT_LOOK.code), key=None)
    unknowns = tuple(
        Unknown(finding_class=c, code="refused", message="no", next_step="grant")
        for c in (FindingClass.DRIFT, FindingClass.HISTORY)
    )
    report = a_report(minutes, finding, state=State.UNKNOWN)
    return msgspec.structs.replace(report, unknowns=unknowns)


class Watch:
    """Looks one after the other, with what stays unresolved between them."""

    def __init__(self) -> None:
        self.unresolved: dict[FindingClass, Incident] = {}
        self.ended: dict[FindingClass, Incident] = {}
        self.incidents: dict[str, Incident] = {}
        self.events: list[Event] = []

    def see(self, *reports: Report, window_until: datetime | None = None) -> list[EventKind]:
        """The kinds of the events that these looks made."""
        told: list[Event] = []
        for report in reports:
            done = step(self.unresolved, report, window_until=window_until, ended=self.ended)
            for incident in done.incidents:
                self.incidents[incident.id] = incident
                self.unresolved[incident.finding_class] = incident
                if incident.status is Status.RESOLVED:
                    self.ended[incident.finding_class] = incident
                    del self.unresolved[incident.finding_class]
            told.extend(done.events)
        self.events.extend(told)
        return [event.kind for event in told]

    def acknowledge(self) -> None:
        """Somebody is at whatever is open."""
        for finding_class, one in self.unresolved.items():
            known = acknowledge(one.severity, one.findings, by="ann", note="", at=one.last_seen)
            self.unresolved[finding_class] = note(one, known)


def test_two_looks_must_agree_before_drift_is_told() -> None:
    watch = Watch()
    assert watch.see(a_report(0, a_finding())) == []
    assert watch.see(a_report(1, a_finding())) == [EventKind.OPENED]


def test_information_alone_is_never_told_and_keeps_nothing_open() -> None:
    remark = msgspec.structs.replace(a_finding("note"), severity=Severity.INFO)
    alone = [a_report(minute, remark) for minute in range(5)]
    assert Watch().see(*alone) == []
    mended = [a_report(0, a_finding()), a_report(1, a_finding(), remark), a_report(2, remark)]
    assert Watch().see(*mended) == [EventKind.OPENED, EventKind.RESOLVED]


def test_two_looks_that_see_different_things_do_not_agree() -> None:
    watch = Watch()
    assert watch.see(a_report(0, a_finding("a")), a_report(1, a_finding("b"))) == []
    assert watch.see(a_report(2, a_finding("b"))) == [EventKind.OPENED]


def test_a_schema_that_keeps_changing_is_told_all_the_same() -> None:
    watch = Watch()
    looks = [a_report(minute, a_finding(f"t{minute}")) for minute in range(11)]
    assert watch.see(*looks) == [EventKind.OPENED]
    assert watch.events[0].at == START + 10 * MINUTE


def test_what_is_open_is_not_told_again() -> None:
    watch = Watch()
    watch.see(a_report(0, a_finding()), a_report(1, a_finding()))
    assert watch.see(*(a_report(minute, a_finding()) for minute in range(2, 60))) == []


def test_a_long_open_incident_is_remembered_once_a_day() -> None:
    watch = Watch()
    watch.see(a_report(0, a_finding()), a_report(1, a_finding()))
    assert watch.see(a_report(60 * 25, a_finding()), a_report(60 * 26, a_finding())) == [
        EventKind.REMINDER
    ]


def test_reminders_come_ever_more_seldom_up_to_once_a_day() -> None:
    watch = Watch()
    looks = [an_unreachable(minute) for minute in range(60 * 24 * 4)]
    assert watch.see(*looks)[0] is EventKind.OPENED
    hours = [round((event.at - START) / timedelta(hours=1)) for event in watch.events]
    assert hours == [0, 4, 12, 28, 52, 76]


def test_who_wants_to_be_reminded_less_often_than_daily_is() -> None:
    week = timedelta(days=7)
    assert [choose_gap(week, count) for count in (0, 1, 9)] == [week] * 3
    assert choose_gap(timedelta(seconds=1), 10_000) == LONGEST_GAP


def test_an_acknowledged_incident_is_not_remembered() -> None:
    watch = Watch()
    watch.see(a_report(0, a_finding()), a_report(1, a_finding()))
    watch.acknowledge()
    assert watch.unresolved[FindingClass.DRIFT].status is Status.ACKNOWLEDGED
    assert watch.see(a_report(60 * 48, a_finding())) == []
    assert watch.unresolved[FindingClass.DRIFT].status is Status.ACKNOWLEDGED


def test_of_what_somebody_is_at_nothing_is_said_unless_it_becomes_worse() -> None:
    watch = Watch()
    both = (a_finding("a"), a_finding("b"))
    watch.see(a_report(0, *both), a_report(1, *both))
    watch.acknowledge()
    assert watch.see(a_report(2, both[0]), a_report(3, both[0])) == []
    assert watch.see(a_report(4), a_report(5)) == [EventKind.RESOLVED]
    watch = Watch()
    watch.see(a_report(0, both[0]), a_report(1, both[0]))
    watch.acknowledge()
    assert watch.see(a_report(2, *both), a_report(3, *both)) == [EventKind.CHANGED]
    assert watch.unresolved[FindingClass.DRIFT].status is Status.OPEN
    graver = msgspec.structs.replace(both[0], severity=Severity.CRITICAL)
    watch.acknowledge()
    assert watch.see(a_report(4, graver), a_report(5, graver)) == [EventKind.CHANGED]


def flap(watch: Watch, times: int, *, start: int = 0) -> int:
    """Drift that comes and goes so often; the minute after."""
    for turn in range(times):
        first = start + 4 * turn
        watch.see(a_report(first, a_finding()), a_report(first + 1, a_finding()))
        watch.see(a_report(first + 2), a_report(first + 3))
    return start + 4 * times


def test_what_comes_and_goes_is_told_once_and_at_last_how_it_stands() -> None:
    watch = Watch()
    end = flap(watch, 6)
    opened, resolved, flapping = EventKind.OPENED, EventKind.RESOLVED, EventKind.FLAPPING
    assert [event.kind for event in watch.events] == [opened, resolved, opened, flapping]
    assert watch.see(*(a_report(minute) for minute in range(end, end + 60))) == [resolved]
    assert watch.events[-1].at - START == (end - 2) * MINUTE + CALM_AFTER
    assert not watch.unresolved


def test_what_comes_and_stays_is_told_at_last() -> None:
    watch = Watch()
    end = flap(watch, 2)
    stays = [a_report(minute, a_finding()) for minute in range(end, end + 60)]
    assert watch.see(*stays) == [EventKind.CHANGED]
    assert watch.events[-1].at - START == end * MINUTE + CALM_AFTER
    assert watch.unresolved[FindingClass.DRIFT].flapping_since is None


def test_what_flaps_is_told_when_it_becomes_worse() -> None:
    watch = Watch()
    end = flap(watch, 2)
    other = a_finding("other")
    assert watch.see(a_report(end, other), a_report(end + 1, other)) == []
    graver = msgspec.structs.replace(a_finding("graver"), severity=Severity.CRITICAL)
    assert watch.see(a_report(end + 2, graver), a_report(end + 3, graver)) == [EventKind.CHANGED]
    assert watch.see(a_report(end + 4), a_report(end + 5, graver), a_report(end + 6)) == []


def test_what_comes_once_an_hour_does_not_flap() -> None:
    watch = Watch()
    for hour in range(10):
        flap(watch, 1, start=60 * hour)
    assert EventKind.FLAPPING not in [event.kind for event in watch.events]


def test_a_change_is_told_once_when_two_looks_agree_on_it() -> None:
    watch = Watch()
    watch.see(a_report(0, a_finding()), a_report(1, a_finding()))
    more = (a_finding(), a_finding("assets"))
    assert watch.see(a_report(2, *more)) == []
    assert watch.see(a_report(3, *more), a_report(4, *more)) == [EventKind.CHANGED]


def test_another_value_of_the_same_finding_is_a_change() -> None:
    watch = Watch()
    watch.see(a_report(0, a_finding()), a_report(1, a_finding()))
    other = a_finding(actual="text")
    assert watch.see(a_report(2, other), a_report(3, other)) == [EventKind.CHANGED]


def test_a_clean_look_resolves_once() -> None:
    watch = Watch()
    watch.see(a_report(0, a_finding()), a_report(1, a_finding()))
    assert watch.see(a_report(2), a_report(3)) == [EventKind.RESOLVED]
    assert not watch.unresolved


def test_a_suspicion_that_passes_is_never_told() -> None:
    watch = Watch()
    assert watch.see(a_report(0, a_finding()), a_report(1), a_report(2)) == []
    assert not watch.unresolved


def test_a_look_that_failed_resolves_nothing() -> None:
    watch = Watch()
    watch.see(a_report(0, a_finding()), a_report(1, a_finding()))
    watch.see(an_unreachable(2), an_unknown(3))
    assert watch.unresolved[FindingClass.DRIFT].status is Status.OPEN
    assert watch.see(a_report(4)) == [EventKind.RESOLVED]


def test_a_failed_look_between_two_that_agree_does_not_count() -> None:
    watch = Watch()
    kinds = watch.see(a_report(0, a_finding()), an_unknown(1), a_report(2, a_finding()))
    assert kinds == [EventKind.OPENED]


def test_unreachable_is_told_after_three_failures_and_two_minutes() -> None:
    watch = Watch()
    assert watch.see(an_unreachable(0), an_unreachable(0.5), an_unreachable(1)) == []
    assert watch.see(an_unreachable(2)) == [EventKind.OPENED]
    assert watch.see(a_report(3)) == []
    assert watch.see(a_report(4)) == [EventKind.RESOLVED]


def test_in_a_deploy_window_only_unreachable_is_told() -> None:
    watch, end = Watch(), START + 10 * MINUTE
    looks = [a_report(minute, a_finding()) for minute in range(10)]
    assert watch.see(*looks, window_until=end) == []
    assert watch.see(a_report(10, a_finding()), window_until=end) == [EventKind.OPENED]
    watch = Watch()
    down = [an_unreachable(minute) for minute in range(4)]
    assert watch.see(*down, window_until=end) == [EventKind.OPENED]


def test_a_window_that_ends_well_ends_in_silence() -> None:
    watch, end = Watch(), START + 10 * MINUTE
    watch.see(a_report(1, a_finding()), a_report(5, a_finding()), window_until=end)
    assert watch.see(a_report(6), a_report(11), window_until=end) == []


def test_a_window_holds_back_the_end_of_what_was_open() -> None:
    watch, end = Watch(), START + 12 * MINUTE
    watch.see(a_report(0, a_finding()), a_report(1, a_finding()))
    assert watch.see(a_report(3), window_until=end) == []
    assert watch.see(a_report(12), window_until=end) == [EventKind.RESOLVED]


def test_an_incident_that_comes_back_while_recovering_goes_on() -> None:
    watch, end = Watch(), START + 12 * MINUTE
    watch.see(a_report(0, a_finding()), a_report(1, a_finding()))
    watch.see(a_report(3), window_until=end)
    assert watch.see(a_report(12, a_finding()), a_report(13, a_finding())) == []
    assert watch.unresolved[FindingClass.DRIFT].status is Status.OPEN


def test_the_id_of_an_incident_is_the_same_for_every_agent() -> None:
    first, second = Watch(), Watch()
    first.see(a_report(0, a_finding()))
    second.see(a_report(0, a_finding()))
    assert first.incidents.keys() == second.incidents.keys()


def test_every_class_has_a_policy() -> None:
    assert DEFAULT_POLICY.classes.keys() == set(INCIDENT_CLASSES)
    assert all(isinstance(p, ClassPolicy) for p in DEFAULT_POLICY.classes.values())


def test_upkeep_of_our_own_rules_is_never_an_incident() -> None:
    upkeep = msgspec.structs.replace(
        a_finding(code=UNUSED_RULE.code), key=None, severity=Severity.INFO
    )
    watch = Watch()
    assert watch.see(*(a_report(minute, upkeep) for minute in range(60))) == []
    assert watch.incidents == {}


def test_upkeep_is_no_change_of_an_incident_that_is_open() -> None:
    upkeep = msgspec.structs.replace(
        a_finding(code=UNUSED_RULE.code), key=None, severity=Severity.INFO
    )
    watch = Watch()
    watch.see(a_report(0, a_finding()), a_report(1, a_finding()))
    assert watch.see(*(a_report(minute, a_finding(), upkeep) for minute in range(2, 9))) == []


def accept_in(report: Report, *findings: Finding) -> Report:
    """The report, with these findings accepted in place of told."""
    acceptances = accept(findings, reason="known", until=None, by="us", at=report.at)
    accepted = tuple(map(Accepted, findings, acceptances))
    return msgspec.structs.replace(report, accepted=accepted)


def test_what_ends_by_being_accepted_was_not_undone_and_says_so() -> None:
    watch = Watch()
    watch.see(a_report(0, a_finding()), a_report(1, a_finding()))
    assert watch.see(accept_in(a_report(2), a_finding())) == [EventKind.RESOLVED]
    (incident,) = watch.incidents.values()
    assert incident.waived == 1
    said = compose(incident, EventKind.RESOLVED, delivery="d", at=START + 2 * MINUTE)
    assert said.headline == (
        "RESOLVED app (test): 1 schema difference, accepted or ignored and not undone, after 2 min"
    )


def test_what_ends_half_repaired_and_half_accepted_says_both() -> None:
    watch = Watch()
    both = (a_finding("a"), a_finding("b"))
    watch.see(a_report(0, *both), a_report(1, *both))
    watch.see(accept_in(a_report(2), both[0]))
    (incident,) = watch.incidents.values()
    said = compose(incident, EventKind.RESOLVED, delivery="d", at=START + 2 * MINUTE)
    assert said.headline.endswith("as expected again, but for 1 accepted or ignored, after 2 min")


def test_a_look_that_could_not_look_ends_nothing_that_was_accepted() -> None:
    watch = Watch()
    watch.see(a_report(0, a_finding()), a_report(1, a_finding()))
    assert watch.see(an_unknown(2), an_unreachable(3)) == []
    assert watch.unresolved[FindingClass.DRIFT].status is Status.OPEN


def test_drift_that_becomes_worse_is_told_though_it_never_settles() -> None:
    watch = Watch()
    watch.see(a_report(0, a_finding()), a_report(1, a_finding()))
    worse = [
        msgspec.structs.replace(a_finding(f"t{minute}"), severity=Severity.CRITICAL)
        for minute in range(2, 30)
    ]
    looks = [a_report(2 + place, finding) for place, finding in enumerate(worse)]
    assert watch.see(*looks) == [EventKind.CHANGED]


def test_drift_that_never_settles_is_remembered_all_the_same() -> None:
    watch = Watch()
    watch.see(a_report(0, a_finding()), a_report(1, a_finding()))
    looks = [a_report(minute, a_finding(f"t{minute}")) for minute in range(2, 26 * 60, 30)]
    assert watch.see(*looks) == [EventKind.REMINDER]


def test_no_deployment_explains_that_every_table_is_gone() -> None:
    watch, end = Watch(), START + 60 * MINUTE
    gone = msgspec.structs.replace(a_finding(code="AW101"), key=None)
    looks = [a_report(minute, gone, state=State.EMPTY) for minute in range(2)]
    assert watch.see(*looks, window_until=end) == [EventKind.OPENED]


def test_an_end_by_a_new_baseline_is_not_called_a_repair() -> None:
    watch = Watch()
    watch.see(a_report(0, a_finding()), a_report(1, a_finding()))
    before = watch.unresolved
    for since, is_rebaselined in ((START - MINUTE, False), (START + 2 * MINUTE, True)):
        done = step(before, a_report(3), baseline_since=since)
        assert [i.is_rebaselined for i in done.incidents] == [is_rebaselined]
        message = compose(done.incidents[0], EventKind.RESOLVED, delivery="d", at=START)
        assert ("new baseline" in message.headline) is is_rebaselined


LOOKS = st.lists(
    st.tuples(
        st.sampled_from(["drift", "other", "clean", "unreachable", "unknown"]),
        st.integers(min_value=0, max_value=30),
    ),
    max_size=40,
)


def replay(looks: list[tuple[str, int]]) -> Watch:
    watch, minutes = Watch(), 0
    for kind, gap in looks:
        minutes += gap
        match kind:
            case "drift":
                report = a_report(minutes, a_finding())
            case "other":
                report = a_report(minutes, a_finding("other"))
            case "clean":
                report = a_report(minutes)
            case "unreachable":
                report = an_unreachable(minutes)
            case _:
                report = an_unknown(minutes)
        watch.see(report)
    return watch


@given(LOOKS)
def test_whatever_happens_nothing_is_resolved_that_was_not_opened(
    looks: list[tuple[str, int]],
) -> None:
    watch = replay(looks)
    for incident_id in watch.incidents:
        kinds = [event.kind for event in watch.events if event.incident == incident_id]
        assert kinds.count(EventKind.OPENED) <= 1
        assert kinds.count(EventKind.RESOLVED) <= 1
        if kinds:
            assert kinds[0] in (EventKind.OPENED, EventKind.FLAPPING)


@given(LOOKS)
def test_opened_less_resolved_is_what_is_open(looks: list[tuple[str, int]]) -> None:
    watch = replay(looks)
    begun = {event.incident for event in watch.events}
    over = {event.incident for event in watch.events if event.kind is EventKind.RESOLVED}
    told = {i.id for i in watch.unresolved.values() if i.opened_at is not None}
    assert (begun - over, over - begun) == (told, set())


@given(LOOKS)
def test_every_event_has_a_version_of_its_own(looks: list[tuple[str, int]]) -> None:
    watch = replay(looks)
    versions = [(event.incident, event.version) for event in watch.events]
    assert len(versions) == len(set(versions))


@given(LOOKS, st.sampled_from([(), (a_finding(),)]))
def test_how_it_stands_at_last_is_always_told(
    looks: list[tuple[str, int]], findings: tuple[Finding, ...]
) -> None:
    watch = replay(looks)
    last = 31 * 41
    watch.see(*(a_report(last + minute, *findings) for minute in range(40)))
    words = [
        event
        for event in watch.events
        if watch.incidents[event.incident].finding_class is FindingClass.DRIFT
    ]
    if findings:
        stays = watch.unresolved[FindingClass.DRIFT]
        assert (stays.told, stays.flapping_since) == (digest_findings(findings), None)
        assert words[-1].kind not in (EventKind.RESOLVED, EventKind.FLAPPING)
    else:
        assert FindingClass.DRIFT not in watch.unresolved
        assert not words or words[-1].kind is EventKind.RESOLVED


@given(LOOKS)
def test_a_drift_that_stays_is_always_told_in_the_end(looks: list[tuple[str, int]]) -> None:
    watch = replay(looks)
    last = 31 * 41
    watch.see(a_report(last, a_finding()), a_report(last + 1, a_finding()))
    watch.see(a_report(last + 2, a_finding()))
    incident = watch.unresolved[FindingClass.DRIFT]
    assert incident.opened_at is not None
    assert incident.findings == (a_finding(),)


HOURS_BACK = -5 * 60


def test_what_a_clock_that_was_ahead_suspected_is_told_no_later() -> None:
    watch = Watch()
    assert watch.see(an_unreachable(0)) == []
    looks = [an_unreachable(HOURS_BACK + minute) for minute in range(4)]
    assert watch.see(*looks) == [EventKind.OPENED]


def test_a_clock_that_is_set_back_delays_no_reminder() -> None:
    watch = Watch()
    watch.see(*(an_unreachable(minute) for minute in range(4)))
    looks = [an_unreachable(HOURS_BACK + minute) for minute in range(4 * 60 + 2)]
    assert watch.see(*looks) == [EventKind.REMINDER]


def test_what_flaps_calms_down_though_the_clock_is_set_back() -> None:
    watch = Watch()
    for minute in range(0, 12, 3):
        watch.see(a_report(minute, a_finding()), a_report(minute + 1, a_finding()))
        watch.see(a_report(minute + 2))
    assert watch.events[-1].kind is EventKind.FLAPPING
    looks = [a_report(HOURS_BACK + minute) for minute in range(32)]
    assert watch.see(*looks) == [EventKind.RESOLVED]


@given(
    st.lists(
        st.tuples(st.sampled_from(["clean", "drift", "down"]), st.integers(-600, 600)),
        max_size=30,
    )
)
def test_however_the_clock_jumps_there_is_no_storm_and_the_last_word_is_true(
    jumps: list[tuple[str, int]],
) -> None:
    """Two looks a minute apart after every jump, and an hour of calm at the end."""
    watch, minute = Watch(), 0
    seen = {
        "clean": a_report,
        "drift": lambda at: a_report(at, a_finding()),
        "down": an_unreachable,
    }
    for sight, jump in jumps:
        minute += jump
        # Never more than one word of each class after a jump, and one for a turn.
        assert len(watch.see(seen[sight](minute), seen[sight](minute + 1))) <= 2
        minute += 1
    last = jumps[-1][0] if jumps else "clean"
    watch.see(*(seen[last](minute + passed) for passed in range(1, 60)))
    is_open = {
        found: incident.status is Status.OPEN for found, incident in watch.unresolved.items()
    }
    match last:
        case "clean":
            assert is_open == {}
        case "drift":
            assert is_open == {FindingClass.DRIFT: True}
        case "down":
            assert is_open[FindingClass.UNREACHABLE]
