"""What one look at one database found."""

from datetime import datetime

import msgspec

from monitor.core.findings import LOOKED, Finding, FindingClass, Unknown
from monitor.core.graph import GraphRow
from monitor.core.keys import ObjectKey
from monitor.core.verdict import State
from monitor.core.waivers import Accepted, Ignored


class Report(msgspec.Struct, frozen=True):
    """The outcome of one look.

    Attributes:
        environment: where the database runs.
        database: its configured name.
        at: when the look began, UTC.
        seconds: how long it took.
        state: the verdict.
        findings: all that is wrong and told, sorted by identity.
        unknowns: what could not be looked at.
        revisions: what is stamped; None when that is unknown.
        expected_revisions: the heads of what is expected, when there are any.
        pending: revisions that an upgrade would still run, in order; None where
            no history is expected.
        fingerprint: of the schema; None when it was not read.
        server_version: as ``server_version_num``; None when it was not read.
        notes: differences that are not drift, as sentences.
        migrating_since: when looks began to be held back because somebody changes the
            schema; None when this one was not.
        builds: indexes that are being built, and when each was first seen to be.
        summary: one sentence for a person.
        ignored: what is wrong, and ignored by a rule.
        accepted: what is wrong, and accepted as it is.
        graph: the history, with where the stamp and the schema are.
        others: the classes of the checks whose findings are among these: see
            `monitor.core.checkup.add_checks`.
    """

    environment: str
    database: str
    at: datetime
    seconds: float
    state: State
    findings: tuple[Finding, ...] = ()
    unknowns: tuple[Unknown, ...] = ()
    revisions: tuple[str, ...] | None = None
    expected_revisions: tuple[str, ...] | None = None
    pending: tuple[str, ...] | None = None
    fingerprint: str | None = None
    server_version: int | None = None
    notes: tuple[str, ...] = ()
    migrating_since: datetime | None = None
    builds: tuple[tuple[ObjectKey, datetime], ...] = ()
    summary: str = ""
    ignored: tuple[Ignored, ...] = ()
    accepted: tuple[Accepted, ...] = ()
    graph: tuple[GraphRow, ...] = ()
    others: tuple[FindingClass, ...] = ()

    @property
    def waived(self) -> tuple[Finding, ...]:
        """What is wrong and not told."""
        ignored = [one.finding for one in self.ignored]
        return (*ignored, *(one.finding for one in self.accepted))

    @property
    def judged(self) -> frozenset[FindingClass]:
        """The classes that this look can say something about: the others stay as they were."""
        if self.state is State.UNREACHABLE:
            return frozenset({FindingClass.UNREACHABLE})
        judged = frozenset((*LOOKED, *self.others))
        return judged - {unknown.finding_class for unknown in self.unknowns}

    @property
    def is_emptied(self) -> bool:
        """Whether every table is gone: no deployment explains that."""
        return self.state is State.EMPTY
