from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.verdict import State
from monitor.sinks.past_looks import Stretch
from monitor.web.plots import (
    COLUMNS,
    HEIGHT,
    SPAN,
    WIDTH,
    begin_period,
    describe_durations,
    describe_findings,
    describe_states,
    draw_plots,
)
from tests.web.builders import NOW

SINCE = begin_period(NOW)
STEP = WIDTH // COLUMNS


def a_stretch(place: int, state: State = State.IN_SYNC, **changes: float) -> Stretch:
    fields = {"looks": 180, "longest": 0.5, "total": 36.0} | changes
    return Stretch(since=SINCE + place * SPAN, state=state, **fields)  # type: ignore[arg-type]  # looks are whole


def test_the_last_column_is_the_one_under_way() -> None:
    assert (NOW - SINCE) // SPAN == COLUMNS - 1
    assert timedelta(days=30) <= NOW - SINCE


def test_columns_of_one_tone_are_one_bar_and_the_worst_of_a_column_counts() -> None:
    last = COLUMNS - 1
    seen = [a_stretch(last - 3), a_stretch(last - 2), a_stretch(last - 1)]
    seen += [a_stretch(last - 1, State.DRIFTED, looks=1), a_stretch(last)]
    plots = draw_plots(seen, NOW, timedelta())
    assert plots is not None
    assert [(bar.tone, bar.x // STEP, bar.width // STEP) for bar in plots.bars] == [
        ("good", last - 3, 2),
        ("warning", last - 1, 1),
        ("good", last, 1),
    ]
    assert plots.bars[1].height > plots.bars[0].height


def test_a_state_lasts_while_nobody_has_to_look_and_no_longer() -> None:
    seen = [a_stretch(0), a_stretch(40)]
    hourly = draw_plots(seen, NOW, timedelta(hours=3))
    daily = draw_plots(seen, NOW, timedelta(days=1))
    assert hourly is not None
    assert daily is not None
    assert [(bar.x // STEP, bar.width // STEP) for bar in hourly.bars] == [(0, 1), (40, 1)]
    assert [(bar.x // STEP, bar.width // STEP) for bar in daily.bars] == [(0, 8), (40, 8)]


def test_where_nobody_looked_there_is_no_picture() -> None:
    assert draw_plots([], NOW, SPAN) is None
    assert draw_plots([a_stretch(-1)], NOW, SPAN) is None


def test_durations_are_steps_with_a_gap_where_nobody_looked() -> None:
    plots = draw_plots([a_stretch(3), a_stretch(4, longest=1.0), a_stretch(9)], NOW, SPAN)
    assert plots is not None
    assert plots.lines == ("M9 21h3L12 3h3", "M27 21h3")


def test_a_sentence_says_what_the_pictures_show() -> None:
    seen = [a_stretch(1, looks=4319), a_stretch(1, State.DRIFTED, looks=1, longest=2.4)]
    assert describe_states(seen) == "4,320 looks: in sync above 99 %, drifted below 1 %."
    assert describe_states([a_stretch(1, looks=1)]) == "1 look: in sync."
    assert describe_states([a_stretch(1), a_stretch(2)]) == "360 looks, all in sync."
    assert describe_durations([a_stretch(1), a_stretch(2, longest=2.4)]) == (
        "0.20 s on average, 2.40 s at the longest."
    )


def test_findings_are_told_by_their_most() -> None:
    assert describe_findings([a_stretch(1), a_stretch(2)]) == "None at any look."
    seen = [a_stretch(1, most=1200), a_stretch(2, State.DRIFTED, most=3), a_stretch(2, most=2)]
    assert describe_findings(seen) == "1,200 at the most, 3 of late."
    plots = draw_plots(seen[1:], NOW, SPAN)
    assert plots is not None
    assert plots.finds == ("M6 3h3",)


@given(
    st.lists(
        st.builds(
            a_stretch,
            st.integers(-5, COLUMNS + 5),
            st.sampled_from(State),
            looks=st.integers(1, 10_000),
            longest=st.floats(0, 1e6),
            most=st.integers(0, 100_000),
        ),
        max_size=60,
    ),
    st.timedeltas(timedelta(0), timedelta(days=3)),
)
def test_pictures_stay_in_their_frame_and_are_bounded(
    seen: list[Stretch], patience: timedelta
) -> None:
    plots = draw_plots(seen, NOW, patience)
    if plots is None:
        return
    ends = [0]
    for bar in plots.bars:
        assert bar.x >= ends[-1]
        assert 0 < bar.height <= HEIGHT
        ends.append(bar.x + bar.width)
    assert ends[-1] <= WIDTH
    assert len(plots.bars) <= COLUMNS
    assert sum(map(len, plots.lines)) <= COLUMNS * 12
    assert sum(map(len, plots.finds)) <= COLUMNS * 12
