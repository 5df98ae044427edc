"""What the answer to a step means: expectations held against it, values captured from it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from monitor.core.errors import StepFailed
from monitor.core.expectation import Expectation, Path
from monitor.core.expectation_facts import Facts, Missing, look_up
from monitor.core.expectation_judging import judge
from monitor.core.printing import cut
from monitor.core.smoke import Reason, SmokeStep, StepStatus
from monitor.core.smoke_values import MAX_CAPTURED, Values

MAX_MESSAGE: Final = 1_000
"""Characters: the expectation and the value beside it."""


class Told(NamedTuple):
    """What came of one try; `code` and `certificate_ends` as of `StepOutcome`."""

    status: StepStatus
    reason: Reason | None = None
    messages: tuple[str, ...] = ()
    code: int | None = None
    certificate_ends: datetime | None = None


def take(captures: Mapping[str, Path], facts: Facts, values: Values) -> StepFailed | None:
    """Remember what is to be captured; the first thing that cannot be, if any.

    Done before anything is judged: what a step has made is to be cleaned up also where the
    step does not pass.
    """
    problem: StepFailed | None = None
    for name, path in captures.items():
        try:
            values.capture(name, _capture(name, path, facts))
        except StepFailed as error:
            problem = problem or error
    return problem


def _capture(name: str, path: Path, facts: Facts) -> str | int | float | bool:
    found = look_up(path, facts)
    if isinstance(found, Missing):
        raise _refuse(name, path, found.reason)
    if found is None or isinstance(found, list | dict):
        kind = "null" if found is None else "a list or an object"
        raise _refuse(name, path, f"it is {kind}")
    if isinstance(found, str) and len(found) > MAX_CAPTURED:
        raise _refuse(name, path, f"it has more than {MAX_CAPTURED} characters")
    return found


def _refuse(name: str, path: Path, reason: str) -> StepFailed:
    return StepFailed(
        f"{path} cannot be captured as {name}: {reason}.",
        next_step="Look at what was answered, or name the place of one value.",
        reason=Reason.CAPTURE,
    )


def hold(step: SmokeStep, facts: Facts, values: Values, problem: StepFailed | None) -> Told:
    """Everything that the step expects, then what could not be captured, then what it warns of."""
    reason, messages = _judge_all(step.expect, facts, values)
    if reason is None and problem is not None:
        reason, messages = Reason(problem.reason), [str(problem)]
    if reason is not None:
        hint = [] if facts.redirect is None else [_tell_redirect(facts.redirect, values)]
        return Told(StepStatus.FAIL, reason, _cut([*messages, *hint], values))
    reason, messages = _judge_all(step.warn, facts, values)
    if reason is not None:
        return Told(StepStatus.WARN, reason, _cut(messages, values))
    return Told(StepStatus.PASS)


def _judge_all(
    expectations: Iterable[Expectation], facts: Facts, values: Values
) -> tuple[Reason | None, list[str]]:
    """The reason of the first that does not hold, and a sentence for each."""
    reason: Reason | None = None
    messages: list[str] = []
    for expectation in expectations:
        try:
            told = judge(expectation, facts, values.get, values.hide)
            found = Reason.ASSERTION
        except StepFailed as error:
            told, found = str(error), Reason(error.reason)
        if told is not None:
            reason = reason or found
            messages.append(told)
    return reason, messages


def _tell_redirect(target: str, values: Values) -> str:
    shown = values.hide(target)[:200]
    return f"It sends us to {shown}; redirects are not followed."


def _cut(messages: Iterable[str], values: Values) -> tuple[str, ...]:
    shown = map(values.hide, messages)
    return tuple(cut(message, MAX_MESSAGE) for message in shown)
