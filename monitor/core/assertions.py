"""What is asserted of the rows of a database, and how each assertion stands.

An assertion is one query with expectations; freshness is one that is written for us. What could
not be evaluated is no failure, and leaves what was known as it was.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from monitor.core.findings import Evidence, Finding, Severity
from monitor.core.quoting import quote_ident
from monitor.core.relation_text import Side
from monitor.core.rules_data import ASSERTION_FAILS, NOT_EVALUATED, STALE
from monitor.core.smoke import Reason, SmokeStep, StepOutcome, StepStatus

TOLD_AFTER: Final = 2
"""Looks in a row that could not evaluate before people are told."""
AGE: Final = "seconds_since_the_newest"
SLACK: Final = "1 minute"
"""How far the clock of an application may be ahead of the server's."""
_JUDGED: Final = (Reason.ASSERTION, Reason.CAPTURE)


class Sort(StrEnum):
    """What an assertion is about."""

    QUERY = "query"
    FRESHNESS = "freshness"


class Assertion(msgspec.Struct, frozen=True, kw_only=True):
    """One assertion.

    Attributes:
        step: the query and what is expected of it; its name is that of the assertion.
        sort: what it is about.
        severity: of its finding.
    """

    step: SmokeStep
    sort: Sort
    severity: Severity

    @property
    def name(self) -> str:
        """Of the assertion, for people."""
        return self.step.name


class AssertionState(msgspec.Struct, frozen=True, kw_only=True):
    """One assertion as its last looks left it.

    Attributes:
        name: of the assertion.
        severity: of its finding, whether there is one or not.
        finding: what is wrong; None where it held when it was evaluated last.
        problem: why it could not be evaluated the last time.
        failures: how many times in a row it could not.
        holds: whether it held; None where nobody has ever evaluated it.
    """

    name: str
    severity: Severity = Severity.WARNING
    finding: Finding | None = None
    problem: str = ""
    failures: int = 0
    holds: bool | None = None


def write_freshness(side: Side, where: str) -> str:
    """The query for the age of the newest row that is of no later than now; no row has none.

    A row of the future says nothing about when it came, and one of infinity is of no time.
    """
    (schema, table), (column,) = side.table, side.columns
    moment, place = quote_ident(column), f"{quote_ident(schema or '')}.{quote_ident(table)}"
    age = f"extract(epoch from now() - max({moment}))::float8"
    # As a condition and no filter: so an index on the column finds it at once.
    past = f"{moment} > '-infinity' and {moment} <= now() + interval '{SLACK}'"
    condition = f" and ({where}\n)" if where else ""
    # Names are quoted, and the condition is the configuration's own.
    return f"select {age} as {AGE} from {place} where {past}{condition}"  # noqa: S608  # see above


def advance_assertion(
    assertion: Assertion,
    before: AssertionState | None,
    outcome: StepOutcome,
    *,
    environment: str,
    database: str,
) -> AssertionState:
    """How an assertion stands after a look."""
    new = AssertionState(name=assertion.name, severity=assertion.severity)
    if outcome.status in (StepStatus.PASS, StepStatus.WARN):
        return msgspec.structs.replace(new, holds=True)
    said = outcome.messages[0] if outcome.messages else ""
    if outcome.status is StepStatus.FAIL and outcome.reason in _JUDGED:
        finding = _make_finding(assertion, said, environment, database)
        return msgspec.structs.replace(new, finding=finding, holds=False)
    was = before or new
    return msgspec.structs.replace(
        was, severity=assertion.severity, problem=said, failures=was.failures + 1
    )


def _make_finding(assertion: Assertion, said: str, environment: str, database: str) -> Finding:
    rule = STALE if assertion.sort is Sort.FRESHNESS else ASSERTION_FAILS
    verb = "is not fresh" if assertion.sort is Sort.FRESHNESS else "does not hold"
    return Finding(
        code=rule.code,
        severity=assertion.severity,
        environment=environment,
        database=database,
        key=None,
        subject=assertion.name,
        title=f'"{assertion.name}" {verb}: {said}',
        evidence=(Evidence(name=assertion.name, expected="holds", actual="fails"),),
        remedy=rule.fix,
    )


def list_asserted(
    states: Iterable[AssertionState], *, environment: str, database: str
) -> tuple[Finding, ...]:
    """What is wrong, and what could not be evaluated."""
    found: list[Finding] = []
    for state in states:
        if state.finding is not None:
            found.append(state.finding)
        if state.problem:
            is_told = state.failures >= TOLD_AFTER
            found.append(
                Finding(
                    code=NOT_EVALUATED.code,
                    severity=NOT_EVALUATED.severity if is_told else Severity.INFO,
                    environment=environment,
                    database=database,
                    key=None,
                    subject=state.name,
                    title=f'"{state.name}" cannot be evaluated: {state.problem}',
                    evidence=(Evidence(name=state.name, expected="holds", actual=None),),
                    remedy=NOT_EVALUATED.fix,
                )
            )
    return tuple(sorted(found, key=lambda finding: finding.identity))


def index_states(states: Iterable[AssertionState]) -> Mapping[str, AssertionState]:
    """The states by name."""
    return {state.name: state for state in states}


def summarise_assertions(states: Iterable[AssertionState]) -> str:
    """One sentence for a person."""
    listed = [*states]
    holding = sum(state.holds is True and not state.problem for state in listed)
    return f"{holding} of {len(listed)} assertion{'' if len(listed) == 1 else 's'} hold"
