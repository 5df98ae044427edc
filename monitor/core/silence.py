"""Quiet that people ask for: nothing is sent of what a silence matches, until it ends.

What is silenced is still looked at, decided, shown and counted. When the silence is over, what is
still so is told. That a silence is there to be forgotten is why it ends, within a month.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from fnmatch import fnmatchcase
from typing import Final

import msgspec

from monitor.core.duration import read_duration
from monitor.core.errors import UsageError
from monitor.core.findings import INCIDENT_CLASSES, FindingClass
from monitor.core.incidents import Incident
from monitor.core.patterns import ANYTHING, parse_pattern
from monitor.core.typed import check_reason, write_line, write_name

LONGEST: Final = timedelta(days=30)
"""What must stay quiet for longer is ignored, by a rule, or accepted."""
MAX_GLOB: Final = 200
"""Characters."""


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept quiet, and until when.

    Attributes:
        id: twelve letters.
        environment: a shell-like pattern for environments.
        database: a shell-like pattern for databases.
        finding_class: the class that is meant; None for all.
        object: a pattern for objects, see `monitor.core.patterns`: every finding of an
            incident must match it, and one without any is none of it.
        reason: why, for people.
        by: who said so, as far as is known.
        at: from when on.
        until: to when.
    """

    id: str
    environment: str = ANYTHING
    database: str = ANYTHING
    finding_class: FindingClass | None = None
    object: str = ANYTHING
    reason: str
    by: str
    at: datetime
    until: datetime

    def holds(self, at: datetime) -> bool:
        """Whether it has not ended."""
        return self.at <= at < self.until

    def matches(self, incident: Incident) -> bool:
        """Whether an incident is meant, whatever the time."""
        try:
            pattern = parse_pattern(self.object)
        except UsageError:  # of a newer version, which shares the ledger
            return False
        return (
            fnmatchcase(incident.environment, self.environment)
            and fnmatchcase(incident.database, self.database)
            and self.finding_class in (None, incident.finding_class)
            and (bool(incident.findings) or self.object == ANYTHING)
            and all(pattern.matches(finding.key) for finding in incident.findings)
        )

    def __str__(self) -> str:
        """Words for people: what is quiet."""
        what = self.finding_class.value if self.finding_class else "everything"
        where = "" if self.environment == ANYTHING else f" in {self.environment}"
        of = "" if self.object == ANYTHING else f", {self.object}"
        return f"{what} of {self.database}{where}{of}"


def is_silenced(incident: Incident, silences: Iterable[Silence], at: datetime) -> bool:
    """Whether some silence keeps it quiet now."""
    return any(silence.holds(at) and silence.matches(incident) for silence in silences)


def silence(  # noqa: PLR0913  # what a silence says, by name
    *,
    id: str,  # noqa: A002  # the name of the field
    environment: str,
    database: str,
    finding_class: FindingClass | None,
    object: str,  # noqa: A002  # the name of the field
    reason: str,
    by: str,
    at: datetime,
    until: datetime,
) -> Silence:
    """A silence, with all that people typed checked.

    Raises:
        UsageError: the reason is none, a pattern is none, or it ends in the past or too late.
    """
    if not at < until <= at + LONGEST:
        raise UsageError(
            f"A silence ends after now, and within {LONGEST.days} days.",
            next_step="What is right as it is can be accepted: `anchorwatch accept`.",
        )
    parse_pattern(object)
    return Silence(
        id=id,
        environment=_check_glob(environment),
        database=_check_glob(database),
        finding_class=finding_class,
        object=object,
        reason=check_reason(reason),
        by=write_name(by),
        at=at,
        until=until,
    )


def _check_glob(text: str) -> str:
    glob = write_line(text)
    if not glob or len(glob) > MAX_GLOB or "\0" in glob:
        raise UsageError(
            "A pattern for names is empty, or too long.",
            next_step="Write a name, or a pattern like 'app_*'; '*' means all.",
        )
    return glob


def read_class(text: str | None) -> FindingClass | None:
    """The class of findings that a word names; None for no word.

    Raises:
        UsageError: it names none that incidents have.
    """
    if not text:
        return None
    for finding_class in INCIDENT_CLASSES:
        if finding_class.value == text:
            return finding_class
    names = ", ".join(one.value for one in INCIDENT_CLASSES)
    raise UsageError("That is no class of findings.", next_step=f"There are: {names}.")


def read_end(duration: str | None, until: str | None, now: datetime) -> datetime:
    """When a silence ends: after so long, or at a moment, or with a day in UTC.

    Raises:
        UsageError: neither is said, or both, or it cannot be read.
    """
    if bool(duration) is bool(until):
        raise UsageError(
            "A silence has one end.", next_step="Say for how long, as in 2h, or until when."
        )
    return now + _read_length(duration) if duration else _read_moment(until or "")


def _read_length(text: str) -> timedelta:
    length = read_duration(text)
    if length is None:
        raise UsageError("That is no duration.", next_step="Write 30m, 2h or 7d.")
    return length


def _read_moment(text: str) -> datetime:
    with suppress(ValueError, OverflowError):
        day = date.fromisoformat(text)
        return datetime.combine(day + timedelta(days=1), time(), tzinfo=UTC)
    moment = None
    with suppress(ValueError):
        moment = datetime.fromisoformat(text)
    if moment is None or moment.tzinfo is None:
        raise UsageError(
            "That is no moment.",
            next_step="Write a day, 2027-01-31, or a moment with its zone, 2027-01-31T06:00Z.",
        )
    with suppress(OverflowError):
        return moment.astimezone(UTC)
    raise UsageError("That moment is too far away.", next_step="Name one within a month.")
