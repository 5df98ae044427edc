"""What the last look lets people accept, and how what they accepted stands after it."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum

from monitor.core.errors import LookError
from monitor.core.record import Record
from monitor.core.report import Report
from monitor.core.rules import RULES
from monitor.core.verdict import State
from monitor.core.waivers import Acceptance, is_over


class Standing(StrEnum):
    """What an acceptance does."""

    HOLDS = "holds"
    WAITS = "waits"
    CHANGED = "changed"
    IGNORED = "ignored"
    IDLE = "idle"
    OVER = "over"
    UNKNOWN = "unknown"

    @property
    def sentence(self) -> str:
        """What that means, for a person."""
        return _SENTENCES[self]


_SENTENCES = {
    Standing.HOLDS: "holds",
    Standing.WAITS: "takes effect at the next look",
    Standing.CHANGED: "has changed since, and is told again",
    Standing.IGNORED: "is ignored by a rule at the moment",
    Standing.IDLE: "is not there at the moment",
    Standing.OVER: "is over",
    Standing.UNKNOWN: "not known, for nobody could look",
}


def require_look(record: Record | None, place: str) -> Report:
    """The last look, when it could look: nobody accepts what nobody has seen.

    Raises:
        LookError: there was none, or it could not.
    """
    if record is None:
        raise LookError(
            f"Nobody has looked at {place} yet.",
            next_step="Start `anchorwatch run`: it looks at once.",
        )
    if not record.state.meaning.is_looked or record.state is State.MIGRATING:
        raise LookError(
            f"The last look at {place} saw nothing: {record.report.summary}",
            next_step="Accept what the next look finds.",
        )
    return record.report


def list_standings(
    acceptances: Iterable[Acceptance], report: Report | None, now: datetime
) -> Iterator[tuple[Acceptance, Standing]]:
    """Each with how it stands after the look that a report is of; None for no look yet."""
    held = {_name(one.acceptance) for one in report.accepted} if report else set()
    ignored = {one.finding.id for one in report.ignored} if report else set()
    told = {finding.id: finding for finding in report.findings} if report else {}
    for acceptance in acceptances:
        if is_over(acceptance.until, now):
            yield acceptance, Standing.OVER
        elif report is None or not _is_judged(acceptance, report):
            yield acceptance, Standing.UNKNOWN
        elif _name(acceptance) in held:
            yield acceptance, Standing.HOLDS
        elif acceptance.finding in ignored:
            yield acceptance, Standing.IGNORED
        elif (finding := told.get(acceptance.finding)) is None:
            yield acceptance, Standing.IDLE
        else:
            is_same = acceptance.matches(finding)
            yield acceptance, Standing.WAITS if is_same else Standing.CHANGED


def _name(acceptance: Acceptance) -> tuple[str, str]:
    return acceptance.finding, acceptance.digest


def _is_judged(acceptance: Acceptance, report: Report) -> bool:
    rule = RULES.get(acceptance.code)
    return rule is not None and rule.finding_class in report.judged
