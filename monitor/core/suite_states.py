"""How smoke suites stand over several runs: one that fails once is not broken yet.

A suite is told of when it did not pass as often in a row as it says, and until it has passed
as often as it says. A warning is told as it comes: it passed.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from monitor.core.findings import Finding
from monitor.core.smoke import StepStatus, Suite, SuiteOutcome
from monitor.core.smoke_findings import list_findings

_BAD = (StepStatus.FAIL, StepStatus.UNKNOWN)


class SuiteState(msgspec.Struct, frozen=True, kw_only=True):
    """One suite as its last runs left it.

    Attributes:
        outcome: of the last run.
        bad: how many runs in a row did not pass.
        good: how many in a row did.
        is_told: whether it counts as broken.
        finding: what was wrong with the last run that did not pass.
        passed: when the last run that passed began.
    """

    outcome: SuiteOutcome
    bad: int = 0
    good: int = 0
    is_told: bool = False
    finding: Finding | None = None
    passed: datetime | None = None

    @property
    def name(self) -> str:
        """Of the suite."""
        return self.outcome.name


def advance_suite(
    before: SuiteState | None, outcome: SuiteOutcome, suite: Suite, environment: str
) -> SuiteState:
    """How a suite stands after a run."""
    was = before or SuiteState(outcome=outcome)
    is_bad = outcome.status in _BAD
    bad, good = (was.bad + 1, 0) if is_bad else (0, was.good + 1)
    is_told = bad >= suite.failures or (was.is_told and good < suite.successes)
    found = list_findings(outcome, environment)
    return SuiteState(
        outcome=outcome,
        bad=bad,
        good=good,
        is_told=is_told,
        finding=found[0] if is_bad and found else was.finding,
        passed=was.passed if is_bad else outcome.at,
    )


def find_broken(states: Iterable[SuiteState], environment: str) -> tuple[Finding, ...]:
    """The findings of suites that are broken, and of those that warn."""
    found: list[Finding] = []
    for state in states:
        if state.is_told and state.finding is not None:
            found.append(state.finding)
        elif state.outcome.status is StepStatus.WARN:
            found += list_findings(state.outcome, environment)
    return tuple(sorted(found, key=lambda finding: finding.identity))


def put(
    states: Mapping[str, SuiteState], state: SuiteState, known: Iterable[str]
) -> tuple[SuiteState, ...]:
    """The states with a new one in its place, of the suites that there still are."""
    kept = {**states, state.name: state}
    return tuple(kept[name] for name in sorted(known) if name in kept)


def summarise_suites(states: Iterable[SuiteState]) -> str:
    """One sentence for a person."""
    listed = [*states]
    passing = sum(state.outcome.status not in _BAD for state in listed)
    return f"{passing} of {len(listed)} smoke suite{'' if len(listed) == 1 else 's'} pass"


def count_steps(states: Iterable[SuiteState]) -> tuple[int, int]:
    """How many steps passed in the last runs, of how many."""
    steps = [step for state in states for step in state.outcome.steps]
    passed = sum(step.status in (StepStatus.PASS, StepStatus.WARN) for step in steps)
    return passed, len(steps)
