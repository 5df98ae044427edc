"""What is remembered between two looks: a fold over reports, with its laws."""

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.patience import DEFAULT_POLICY
from monitor.core.record import Record, advance
from monitor.core.report import Report
from monitor.core.verdict import State

START = datetime(2026, 1, 1, tzinfo=UTC)

REPORTS = st.lists(
    st.tuples(
        st.integers(0, 30),
        st.sampled_from(State),
        st.sampled_from([None, "f1", "f2"]),
        st.sampled_from([None, (), ("r1",), ("r2",)]),
    ),
    min_size=1,
    max_size=30,
)


def a_report(
    minutes: float,
    state: State = State.IN_SYNC,
    fingerprint: str | None = "f1",
    revisions: tuple[str, ...] | None = ("r1",),
) -> Report:
    return Report(
        environment="test",
        database="app",
        at=START + timedelta(minutes=minutes),
        seconds=0.1,
        state=state,
        fingerprint=fingerprint,
        revisions=revisions,
    )


def fold(*reports: Report, baseline: str | None = None) -> list[Record]:
    records: list[Record] = []
    for report in reports:
        before = records[-1] if records else None
        records.append(advance(before, report, policy=DEFAULT_POLICY, baseline=baseline))
    return records


def replay(
    looks: list[tuple[int, State, str | None, tuple[str, ...] | None]],
) -> list[Record]:
    minutes, reports = 0, []
    for gap, state, fingerprint, revisions in looks:
        minutes += gap
        reports.append(a_report(minutes, state, fingerprint, revisions))
    return fold(*reports)


@given(REPORTS)
def test_every_look_is_counted_once(
    looks: list[tuple[int, State, str | None, tuple[str, ...] | None]],
) -> None:
    assert [record.looks for record in replay(looks)] == list(range(1, len(looks) + 1))


@given(REPORTS)
def test_no_time_ever_moves_backwards(
    looks: list[tuple[int, State, str | None, tuple[str, ...] | None]],
) -> None:
    records = replay(looks)
    for before, after in itertools.pairwise(records):
        assert before.state_since <= after.state_since <= after.report.at
        for name in ("last_success", "schema_changed", "window_until", "baseline_since"):
            was, now = getattr(before, name), getattr(after, name)
            assert was is None or was <= now


@given(REPORTS)
def test_what_was_known_is_never_forgotten(
    looks: list[tuple[int, State, str | None, tuple[str, ...] | None]],
) -> None:
    records = replay(looks)
    for before, after in itertools.pairwise(records):
        for name in ("last_success", "revisions", "fingerprint"):
            assert getattr(before, name) is None or getattr(after, name) is not None


def test_the_state_keeps_the_time_at_which_it_was_entered() -> None:
    records = fold(
        a_report(0), a_report(1), a_report(2, State.DRIFTED), a_report(3, State.DRIFTED)
    )
    assert [record.state_since for record in records] == [
        START,
        START,
        START + timedelta(minutes=2),
        START + timedelta(minutes=2),
    ]


def test_a_stamp_that_moves_opens_a_window_and_one_that_is_unknown_does_not() -> None:
    records = fold(
        a_report(0),
        a_report(1, State.UNREACHABLE, None, None),
        a_report(2),
        a_report(3, revisions=("r2",)),
        a_report(4, revisions=("r2",)),
    )
    window = START + timedelta(minutes=3) + DEFAULT_POLICY.window
    assert [record.window_until for record in records] == [None, None, None, window, window]


def test_the_first_stamp_of_a_database_is_a_move_as_well() -> None:
    records = fold(a_report(0, revisions=()), a_report(1))
    assert records[-1].window_until is not None


def test_a_look_that_read_nothing_is_no_success_and_no_change() -> None:
    records = fold(a_report(0), a_report(1, State.UNREACHABLE, None, None))
    assert records[-1].last_success == START
    assert records[-1].schema_changed is None
    assert records[-1].fingerprint == "f1"


def test_the_first_read_is_no_change_and_the_next_other_one_is() -> None:
    records = fold(
        a_report(0, State.UNREACHABLE, None, None), a_report(1), a_report(2, fingerprint="f2")
    )
    assert [record.schema_changed for record in records] == [
        None,
        None,
        START + timedelta(minutes=2),
    ]


def test_a_baseline_stays_with_its_time_until_another_one_is_chosen() -> None:
    first = advance(None, a_report(0), policy=DEFAULT_POLICY, baseline="b1")
    second = advance(first, a_report(1), policy=DEFAULT_POLICY, baseline="b1")
    third = advance(second, a_report(2), policy=DEFAULT_POLICY)
    fourth = advance(third, a_report(3), policy=DEFAULT_POLICY, baseline="b2")
    assert (third.baseline, third.baseline_since) == ("b1", START)
    assert (fourth.baseline, fourth.baseline_since) == ("b2", START + timedelta(minutes=3))


def test_a_stamp_that_vanished_is_no_deployment() -> None:
    records = fold(a_report(0), a_report(1, revisions=()))
    assert records[-1].window_until is None


def test_a_stamp_that_moves_again_and_again_keeps_no_window_open_for_ever() -> None:
    moves = [a_report(5 * place, revisions=(f"r{place}",)) for place in range(12)]
    first = fold(*moves)[1]
    longest = 3 * DEFAULT_POLICY.window
    ends = {record.window_until for record in fold(*moves)[1:6]}
    assert first.window_since is not None
    assert max(end for end in ends if end) == first.window_since + longest


def test_a_window_that_a_clock_opened_that_was_ahead_ends_in_time() -> None:
    hours = 5 * 60
    moved = a_report(hours + 1, revisions=("r2",))
    back = [a_report(minute, revisions=("r2",)) for minute in (1, 12)]
    *_, first, last = fold(a_report(hours), moved, *back)
    for record, is_open in ((first, True), (last, False)):
        assert record.window_until is not None
        assert (record.report.at < record.window_until) is is_open


def test_a_deployment_that_was_reported_by_a_clock_ahead_opens_no_window_for_hours() -> None:
    before = advance(None, a_report(0), policy=DEFAULT_POLICY)
    ahead = START + timedelta(hours=5)
    after = advance(before, a_report(1), policy=DEFAULT_POLICY, deployed_at=ahead)
    assert after.window_until is None
