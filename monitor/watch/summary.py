"""The state that findings make, and the sentence that sums them up."""

from collections.abc import Sequence

from monitor.core.findings import Finding, Severity
from monitor.core.verdict import State
from monitor.core.waivers import Judged


def choose_state(
    differences: Sequence[Finding], pending: tuple[str, ...] | None, *, has_expectation: bool
) -> State:
    """The state of a schema that could be judged.

    Args:
        differences: those that are told; what is only information makes nothing wrong.
        pending: revisions that are still to come.
        has_expectation: whether it was compared with more than its own baseline.
    """
    if any(finding.severity is not Severity.INFO for finding in differences):
        return State.DRIFTED
    if not has_expectation:
        return State.UNCHANGED
    return State.PENDING if pending else State.IN_SYNC


def summarise(state: State, judged: Judged, *, is_alone: bool) -> str:
    """One sentence; ``is_alone`` when there was nothing to compare with, nor a baseline."""
    place = "no expectation, looked at by itself" if is_alone else state.meaning.sentence
    findings, waived = judged.told, judged.count_waived()
    if not findings:
        return place + waived
    worst = max(findings, key=lambda f: f.severity.rank)
    is_remark = worst.severity is Severity.INFO
    noun = "difference" if state is State.DRIFTED else "remark" if is_remark else "flaw"
    told = f"{len(findings)} {noun}{'s' if len(findings) > 1 else ''}, the worst: {worst.title}"
    return (f"{place}: {told}" if is_alone or is_remark else told) + waived
