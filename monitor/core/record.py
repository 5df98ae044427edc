"""What is remembered of one database between two looks."""

from datetime import datetime
from typing import Final

import msgspec

from monitor.core.patience import Policy
from monitor.core.release import Move
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
        window_since: when the deploy window was opened, by a move of the stamp.
        window_until: its end; further moves put it off, three windows at most.
        move: the last change of what is stamped.
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
    window_since: datetime | None = None
    window_until: datetime | None = None
    move: Move | None = None
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
    before: Record | None,
    report: Report,
    *,
    policy: Policy,
    baseline: str | None = None,
    deployed_at: datetime | None = None,
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
        deployed_at: when the last deployment was reported, which opens a window as well.
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
    since, until = _open_window(_move_window(before, report, policy), deployed_at, report, policy)
    return msgspec.structs.replace(
        before,
        report=report,
        state_since=before.state_since if report.state is before.state else report.at,
        last_success=report.at if is_read else before.last_success,
        revisions=before.revisions if report.revisions is None else report.revisions,
        window_since=since,
        window_until=until,
        move=_note_move(before, report, policy),
        schema_changed=report.at if has_changed else before.schema_changed,
        fingerprint=report.fingerprint or before.fingerprint,
        baseline=baseline or before.baseline,
        baseline_since=report.at if has_new_baseline else before.baseline_since,
        looks=before.looks + 1,
    )


type _Window = tuple[datetime | None, datetime | None]


def _move_window(before: Record, report: Report, policy: Policy) -> _Window:
    """Begin and end of the deploy window.

    A stamp that vanished is no deployment, and a stamp that moves again and again
    keeps the window open for three times its length at most: what is wrong must
    be told one day.
    """
    was = _set_back((before.window_since, before.window_until), report.at, policy)
    if not report.revisions or before.revisions is None or report.revisions == before.revisions:
        return was
    since, until = was
    if since is None or until is None or report.at >= until:
        since = report.at
    return since, min(report.at + policy.window, since + _LONGEST * policy.window)


def _set_back(window: _Window, now: datetime, policy: Policy) -> _Window:
    """A window that a clock opened that was ahead ends as if it had been opened now."""
    since, until = window
    if since is None or until is None or since <= now:
        return window
    return now, min(until, now + policy.window)


def _open_window(
    window: _Window, deployed_at: datetime | None, report: Report, policy: Policy
) -> _Window:
    """The window, at least as long as the one that a reported deployment opens."""
    if deployed_at is None or report.at >= deployed_at + policy.window:
        return window
    if deployed_at > report.at + policy.window:  # by a clock that was ahead
        return window
    since, until = window
    end = deployed_at + policy.window
    if since is None or until is None or report.at >= until:
        return deployed_at, end
    return since, max(until, end)


def _note_move(before: Record, report: Report, policy: Policy) -> Move | None:
    """The change of the stamp; an upgrade that is seen on its way is one change."""
    was = before.move
    if report.revisions is None or before.revisions in (None, report.revisions):
        return was
    if was is not None and report.at - was.at < policy.window:
        return was
    return Move(report.at, before.revisions)


_LONGEST: Final = 3
