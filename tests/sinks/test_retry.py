"""When a delivery is tried again."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.errors import DeliveryError
from monitor.sinks.channel import FailureReason
from monitor.sinks.retry import CHAT, LONGEST_WAIT, WEBHOOK, Pace, plan_retry
from tests.sinks.builders import a_failure

HOUR = timedelta(hours=1)


def walk(pace: Pace, luck: float, failure: DeliveryError) -> Sequence[float]:
    """The seconds between attempts until it is given up."""
    waits: list[float] = []
    while True:
        age = timedelta(seconds=sum(waits))
        wait = plan_retry(pace, failure, attempts=len(waits) + 1, age=age, luck=luck)
        if wait is None:
            return waits
        waits.append(wait.total_seconds())


def test_chats_are_tried_often_and_for_three_days() -> None:
    waits = walk(CHAT, 0.5, a_failure())
    assert waits[:8] == [5, 30, 120, 300, 900, 1800, 3600, 3600]
    assert 75 * 3600 <= sum(waits) <= 76 * 3600
    assert set(waits[6:]) == {3600}


def test_webhooks_follow_the_standard_schedule() -> None:
    hours = [round(wait / 3600, 3) for wait in walk(WEBHOOK, 0.5, a_failure())]
    assert hours == [0.001, 0.083, 0.5, 2, 5, 10, 14, 20, 24]


@given(luck=st.floats(0, 1), pace=st.sampled_from([CHAT, WEBHOOK]))
def test_the_jitter_is_a_fifth_and_the_end_is_sure(luck: float, pace: Pace) -> None:
    waits = walk(pace, luck, a_failure())
    assert len(waits) < 120
    for wait, delay in zip(waits, pace.delays, strict=False):
        assert 0.8 * delay - 1e-3 <= wait <= 1.2 * delay + 1e-3
    assert sum(waits) >= pace.patience.total_seconds()


@given(attempts=st.integers(1, 1000), age=st.timedeltas(timedelta(0), timedelta(days=99)))
def test_what_is_permanent_is_never_tried_again(attempts: int, age: timedelta) -> None:
    failure = a_failure(FailureReason.REFUSED, permanent=True)
    assert plan_retry(CHAT, failure, attempts=attempts, age=age, luck=0) is None


@pytest.mark.parametrize("seconds", [0, 0.5, -3])
def test_who_asks_for_no_patience_is_tried_by_the_schedule(seconds: float) -> None:
    """A Retry-After of 0, or a date that is over: once a second for three days else."""
    assert len(walk(CHAT, 0.5, a_failure(FailureReason.RATE_LIMITED, retry_after=seconds))) < 99


@given(seconds=st.floats(1, 1e12), luck=st.floats(0, 1))
def test_a_retry_after_wins_up_to_a_day(seconds: float, luck: float) -> None:
    failure = a_failure(FailureReason.RATE_LIMITED, retry_after=seconds)
    wait = plan_retry(CHAT, failure, attempts=1, age=HOUR, luck=luck)
    assert wait == timedelta(seconds=min(seconds, LONGEST_WAIT))


@given(seconds=st.floats(0, 1e12), luck=st.floats(0, 1))
def test_who_counts_no_requests_is_never_tried_sooner_than_the_schedule_says(
    seconds: float, luck: float
) -> None:
    failure = a_failure(FailureReason.SERVER, retry_after=seconds)
    for attempts in (1, 9, 99):
        wait = plan_retry(WEBHOOK, failure, attempts=attempts, age=HOUR, luck=luck)
        planned = plan_retry(WEBHOOK, a_failure(), attempts=attempts, age=HOUR, luck=luck)
        assert planned is not None
        assert wait == max(planned, timedelta(seconds=min(seconds, LONGEST_WAIT)))


def test_a_proxy_that_always_says_five_seconds_gets_ten_requests_and_not_fifty_thousand() -> None:
    assert len(walk(WEBHOOK, 0.5, a_failure(FailureReason.SERVER, retry_after=5))) == 9


def test_an_old_event_gets_its_first_attempts_all_the_same() -> None:
    wait = plan_retry(CHAT, a_failure(), attempts=1, age=timedelta(days=3), luck=0.5)
    assert wait == timedelta(seconds=5)
