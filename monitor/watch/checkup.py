"""One check of a database beyond its schema: what it is, and what it is when it breaks."""

from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec

from monitor.core.checkup import CheckName, CheckRecord, CheckReport
from monitor.core.errors import AnchorwatchError
from monitor.core.findings import Unknown
from monitor.core.waivers import Waivers

type Run = Callable[[datetime, CheckRecord | None], Awaitable[CheckReport]]
"""Does the check at a time, given what it found before; raises nothing that was foreseen."""


class Checkup(msgspec.Struct, frozen=True):
    """A check to be done.

    Attributes:
        environment: where the database runs.
        database: its configured name.
        check: which one.
        run: does it.
        waivers: what may be wrong there and need not be told.
        round: what the schedule calls it.
    """

    environment: str
    database: str
    check: CheckName
    run: Run
    waivers: Waivers = Waivers()
    round: str = ""


def fail_check(checkup: Checkup, at: datetime, error: AnchorwatchError) -> CheckReport:
    """The report of a check that could not be done: what was open stays open."""
    return CheckReport(
        environment=checkup.environment,
        database=checkup.database,
        check=checkup.check,
        at=at,
        unknown=Unknown(checkup.check.finding_class, error.code, error.message, error.next_step),
        summary=error.message,
    )
