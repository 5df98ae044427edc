"""The states: each has a number for ever, a severity and a sentence."""

from monitor.core.findings import Severity
from monitor.core.verdict import STATES, State

CODES = {
    "in_sync": 0,
    "unreachable": 1,
    "unknown": 2,
    "migrating": 3,
    "empty": 4,
    "unstamped": 5,
    "unknown_revision": 6,
    "ahead": 7,
    "overlapping": 8,
    "multiple_heads": 9,
    "half_applied": 10,
    "hole": 11,
    "stamped_not_run": 12,
    "applied_by_hand": 13,
    "edited_revision": 14,
    "drifted": 15,
    "pending": 16,
    "unchanged": 17,
}
"""Dashboards hold these: they only grow."""


def test_the_numbers_of_the_states_never_change() -> None:
    assert {state.value: state.meaning.code for state in State} == CODES


def test_every_state_has_a_meaning() -> None:
    assert STATES.keys() == set(State)
    assert all(meaning.sentence for meaning in STATES.values())


def test_only_what_could_not_look_is_not_looked() -> None:
    not_looked = {state for state in State if not state.meaning.is_looked}
    assert not_looked == {State.UNREACHABLE, State.UNKNOWN}


def test_what_could_not_look_is_never_as_mild_as_fine() -> None:
    assert State.UNKNOWN.meaning.severity.rank > State.IN_SYNC.meaning.severity.rank
    assert State.UNREACHABLE.meaning.severity is Severity.CRITICAL
