"""Rules about smoke tests: whether the application does what it is there for."""

from typing import Final

from monitor.core.findings import FindingClass, Severity
from monitor.core.rule import Rule

SMOKE_FAILS: Final = Rule(
    "AW401",
    "A smoke suite fails",
    Severity.CRITICAL,
    FindingClass.SMOKE,
    why="Something that people do with the application does not work, whatever its schema is.",
    fix="Run `anchorwatch smoke run SUITE --curl`: it says what was expected beside what came, "
    "and how to send the same request by hand.",
)
SMOKE_WARNS: Final = Rule(
    "AW402",
    "A smoke suite passes with a warning",
    Severity.WARNING,
    FindingClass.SMOKE,
    why="What stands under `warn` does not hold: most often it is slower than it should be.",
    fix="Look at the load of the application and its database, or say another limit under `warn`.",
)
SMOKE_UNKNOWN: Final = Rule(
    "AW409",
    "A smoke suite could not be run",
    Severity.WARNING,
    FindingClass.SMOKE,
    why="Unknown is not fine: whether the application works was not tried to the end.",
    fix="Follow the message: most often the database of a `sql` step cannot be reached, or a "
    "GRANT is missing.",
)

SMOKE_RULES: Final[tuple[Rule, ...]] = (SMOKE_FAILS, SMOKE_WARNS, SMOKE_UNKNOWN)
