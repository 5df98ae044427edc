"""What a diagnosis says of the history of a database, as findings."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from monitor.checks.history import check_rows
from monitor.core.diagnosis import Diagnosis
from monitor.core.findings import Evidence, Finding
from monitor.core.history import History
from monitor.core.overall import find_overall
from monitor.core.rule import Rule
from monitor.core.rules_history import (
    APPLIED_BY_HAND,
    EDITED_REVISION,
    HALF_APPLIED,
    HOLE,
    MULTIPLE_HEADS,
    OVERLAPPING,
    STAMPED_NOT_RUN,
)
from monitor.core.snapshot import Snapshot
from monitor.core.verdict import State

RULES: Final[Mapping[State, Rule]] = {
    State.OVERLAPPING: OVERLAPPING,
    State.MULTIPLE_HEADS: MULTIPLE_HEADS,
    State.HALF_APPLIED: HALF_APPLIED,
    State.HOLE: HOLE,
    State.STAMPED_NOT_RUN: STAMPED_NOT_RUN,
    State.APPLIED_BY_HAND: APPLIED_BY_HAND,
    State.EDITED_REVISION: EDITED_REVISION,
}
"""The rule of each state that a diagnosis alone can find."""

_CODES: Final = {rule.code: state for state, rule in RULES.items()}


def describe_diagnosis(found: Diagnosis, *, environment: str, database: str) -> list[Finding]:
    """A finding for each thing that is wrong with the history, the worst first."""
    states = (found.verdict, *found.also)
    return [
        find_overall(
            RULES[state],
            environment=environment,
            database=database,
            title=sentence,
            remedy="; ".join(found.remedy) or RULES[state].fix,
            evidence=tuple(_list_evidence(state, found)),
            inside=found.edits if state is State.EDITED_REVISION else "",
        )
        for state, sentence in zip(states, found.sentences, strict=True)
        if state in RULES
    ]


def judge_history(  # noqa: PLR0913  # what is known, and whose it is
    diagnosis: Diagnosis | None,
    history: History | None,
    snapshot: Snapshot,
    rows: tuple[str, ...],
    *,
    environment: str,
    database: str,
) -> list[Finding]:
    """What is wrong with the history: what a lock says, and what the rows alone do."""
    place = {"environment": environment, "database": database}
    found = describe_diagnosis(diagnosis, **place) if diagnosis else []
    codes = {finding.code for finding in found}
    alone = check_rows(snapshot, rows, history, **place) if history else []
    return [*found, *(finding for finding in alone if finding.code not in codes)]


def _list_evidence(state: State, found: Diagnosis) -> Iterator[Evidence]:
    """What makes one case of a rule another one than the next: it is accepted as it is."""
    stamped = [*(found.stamped or ())]
    match state:
        case State.HOLE | State.STAMPED_NOT_RUN:
            yield Evidence("revisions", [*found.missing_revisions], None)
        case State.APPLIED_BY_HAND:
            yield Evidence("revisions", None, [*found.extra_revisions])
        case State.HALF_APPLIED if found.half is not None:
            half = found.half
            yield Evidence("steps", half.steps, half.done)
            yield Evidence("revisions", [half.revision], None)
            yield Evidence("stamped", None, stamped)
        case State.EDITED_REVISION:
            yield Evidence("revisions", [one.id for one in found.edited], None)
        case _:
            yield Evidence("stamped", None, stamped)


def choose_worst(told: Iterable[Finding], otherwise: State) -> State:
    """The state of a database with these findings about its history, and what else it is."""
    states = [_CODES[finding.code] for finding in told if finding.code in _CODES]
    return min([*states, otherwise], key=[*State].index)
