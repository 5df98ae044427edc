"""What came of a run of a suite, as findings."""

from collections.abc import Mapping
from typing import Final

from monitor.core.findings import Evidence, Finding
from monitor.core.rule import Rule
from monitor.core.rules_smoke import SMOKE_FAILS, SMOKE_UNKNOWN, SMOKE_WARNS
from monitor.core.smoke import StepOutcome, StepStatus, SuiteOutcome

_RULES: Final[Mapping[StepStatus, Rule]] = {
    StepStatus.FAIL: SMOKE_FAILS,
    StepStatus.WARN: SMOKE_WARNS,
    StepStatus.UNKNOWN: SMOKE_UNKNOWN,
}
_VERBS: Final = {
    StepStatus.FAIL: "fails",
    StepStatus.WARN: "warns",
    StepStatus.UNKNOWN: "could not be run",
}


def list_findings(outcome: SuiteOutcome, environment: str) -> tuple[Finding, ...]:
    """One finding where the suite did not pass, none where it did.

    The evidence is the same as long as the same steps go wrong for the same reasons: what
    differs from run to run, as an id, is in the title only.
    """
    worst = outcome.worst
    if worst is None:
        return ()
    rule = _RULES[worst.status]
    return (
        Finding(
            code=rule.code,
            severity=rule.severity,
            environment=environment,
            database=outcome.database or "",
            key=None,
            title=_write_title(outcome, worst),
            evidence=tuple(
                Evidence(name=step.name, expected=StepStatus.PASS.value, actual=_write(step))
                for step in outcome.steps
                if step.status in _RULES
            ),
            remedy=f"anchorwatch smoke run {outcome.name} --curl",
            subject=outcome.name,
        ),
    )


def _write_title(outcome: SuiteOutcome, worst: StepOutcome) -> str:
    said = f": {worst.messages[0]}" if worst.messages else "."
    return f'smoke suite {outcome.name} {_VERBS[worst.status]} at "{worst.name}"{said}'


def _write(step: StepOutcome) -> str:
    return f"{step.status.value} ({step.reason.value})" if step.reason else step.status.value
