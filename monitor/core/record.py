"""What is remembered of one database between two looks."""

from datetime import datetime

import msgspec

from monitor.core.incidents import Policy
from monitor.core.report import Report
from monitor.core.verdict import State


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One database as the last look left it.

    Attributes:
        environment: where the database runs.
        database: its configured name.
        report: the last look.
        state_since: when the state was entered.
        last_success: when the schema was last read.
        revisions: what was stamped when that was last known.
        window_until: the end of the deploy window that the last move of the
            stamp opened.
        schema_changed: when the fingerprint last changed.
        fingerprint: of the schema when it was last read.
        baseline: fingerprint of the snapshot that stands for the expectation
            where nothing else is expected.
        baseline_since: when it was taken.
        looks: how many looks there were; also the fence against another
            agent that decides at the same moment.
    """

    environment: str
    database: str
    report: Report
    state_since: datetime
    last_success: datetime | None = None
    revisions: tuple[str, ...] | None = None
    window_until: datetime | None = None
    schema_changed: datetime | None = None
    fingerprint: str | None = None
    baseline: str | None = None
    baseline_since: datetime | None = None
    looks: int = 1

    @property
    def state(self) -> State:
        """The verdict of the last look."""
        return self.report.state


def advance(
    before: Record | None, report: Report, *, policy: Policy, baseline: str | None = None
) -> Record:
    """The record after ``report``.

    A stamp that moved opens a deploy window. A look that could not read the
    schema leaves what was known of it as it was.

    Args:
        before: the record so far, None at the first look.
        report: what the look found.
        policy: how long a deploy window is.
        baseline: the fingerprint that now stands for the expectation, when
            this look chose one.
    """
    if before is None:
        return Record(
            environment=report.environment,
            database=report.database,
            report=report,
            state_since=report.at,
            last_success=report.at if report.fingerprint else None,
            revisions=report.revisions,
            schema_changed=None,
            fingerprint=report.fingerprint,
            baseline=baseline,
            baseline_since=report.at if baseline else None,
        )
    is_read = report.fingerprint is not None
    has_changed = is_read and before.fingerprint not in (None, report.fingerprint)
    has_new_baseline = baseline is not None and baseline != before.baseline
    return msgspec.structs.replace(
        before,
        report=report,
        state_since=before.state_since if report.state is before.state else report.at,
        last_success=report.at if is_read else before.last_success,
        revisions=before.revisions if report.revisions is None else report.revisions,
        window_until=_move_window(before, report, policy),
        schema_changed=report.at if has_changed else before.schema_changed,
        fingerprint=report.fingerprint or before.fingerprint,
        baseline=baseline or before.baseline,
        baseline_since=report.at if has_new_baseline else before.baseline_since,
        looks=before.looks + 1,
    )


def _move_window(before: Record, report: Report, policy: Policy) -> datetime | None:
    has_moved = None not in (report.revisions, before.revisions) and (
        report.revisions != before.revisions
    )
    return report.at + policy.window if has_moved else before.window_until
