"""A suite that fails once is not broken yet, and one that passes once is not well yet."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from monitor.core.smoke import Reason, StepOutcome, StepStatus, Suite, SuiteOutcome
from monitor.core.suite_states import (
    SuiteState,
    advance_suite,
    count_steps,
    find_broken,
    put,
    summarise_suites,
)

NOW = datetime(2026, 11, 27, tzinfo=UTC)
PASS, WARN, FAIL, UNKNOWN = (
    StepStatus.PASS,
    StepStatus.WARN,
    StepStatus.FAIL,
    StepStatus.UNKNOWN,
)


def an_outcome(*statuses: StepStatus, name: str = "signup") -> SuiteOutcome:
    steps = tuple(
        StepOutcome(
            name=f"step {place}",
            status=status,
            reason=Reason.ASSERTION if status in (FAIL, WARN) else None,
            messages=(f"it is {status.value}.",),
        )
        for place, status in enumerate(statuses)
    )
    return SuiteOutcome(name=name, database="app", run_id="r", at=NOW, seconds=0.5, steps=steps)


def run(*statuses: StepStatus, **said: Any) -> SuiteState:
    suite = Suite(name="signup", steps=(), **({"failures": 3, "successes": 2} | said))
    state: SuiteState | None = None
    for status in statuses:
        state = advance_suite(state, an_outcome(status), suite, "test")
    assert state is not None
    return state


def test_the_last_run_that_passed_is_remembered() -> None:
    suite = Suite(name="signup", steps=())
    later = msgspec.structs.replace(an_outcome(FAIL), at=NOW + timedelta(hours=1))
    passed = advance_suite(None, an_outcome(PASS), suite, "test")
    assert advance_suite(passed, later, suite, "test").passed == NOW
    assert advance_suite(None, later, suite, "test").passed is None


@pytest.mark.parametrize(
    ("statuses", "is_told"),
    [
        ([PASS], False),
        ([FAIL], False),
        ([FAIL, FAIL], False),
        ([FAIL, FAIL, FAIL], True),
        ([FAIL, UNKNOWN, FAIL], True),
        ([FAIL, FAIL, PASS, FAIL], False),
        ([FAIL, FAIL, FAIL, PASS], True),
        ([FAIL, FAIL, FAIL, PASS, PASS], False),
        ([FAIL, FAIL, FAIL, PASS, FAIL, PASS], True),
        ([FAIL, FAIL, FAIL, PASS, WARN], False),
    ],
)
def test_as_often_in_a_row_as_the_suite_says(statuses: list[StepStatus], *, is_told: bool) -> None:
    state = run(*statuses)
    assert state.is_told is is_told
    codes = [finding.code for finding in find_broken([state], "test")]
    assert codes.count("AW401") + codes.count("AW409") == is_told


def test_one_that_passed_once_is_told_by_what_was_wrong() -> None:
    [finding] = find_broken([run(FAIL, FAIL, FAIL, PASS)], "test")
    assert "it is fail." in finding.title
    assert (finding.subject, finding.database) == ("signup", "app")


def test_a_warning_is_told_as_it_comes() -> None:
    [finding] = find_broken([run(WARN)], "test")
    assert finding.code == "AW402"


def test_suites_of_one_database_are_told_apart_and_left_ones_are_forgotten() -> None:
    one, other = run(FAIL, failures=1), run(FAIL, failures=1)
    other = msgspec.structs.replace(other, outcome=an_outcome(FAIL, name="other"))
    states = put({"signup": one, "gone": one}, other, ["other", "signup"])
    assert [state.name for state in states] == ["other", "signup"]
    assert summarise_suites(states) == "0 of 2 smoke suites pass"


def test_steps_are_counted_over_all_suites() -> None:
    states = [
        SuiteState(outcome=an_outcome(PASS, WARN, FAIL, StepStatus.SKIPPED)),
        SuiteState(outcome=an_outcome(PASS)),
    ]
    assert count_steps(states) == (3, 5)
    assert summarise_suites([states[1]]) == "1 of 1 smoke suite pass"


def test_a_state_survives_the_ledger() -> None:
    state = run(FAIL, FAIL, FAIL)
    assert msgspec.json.decode(msgspec.json.encode(state), type=SuiteState) == state
