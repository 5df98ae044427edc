"""Rules about rows: what a schema that is right says nothing about."""

from typing import Final

from monitor.core.findings import FindingClass, Severity
from monitor.core.rule import Rule

_WARNING: Final = Severity.WARNING

ORPHANS: Final = Rule(
    "AW301",
    "Rows have lost their parents, and no foreign key holds them",
    _WARNING,
    FindingClass.ORPHANS,
    why="What joins the two tables leaves these rows out or fails on them, and the foreign key "
    "cannot be added, validated or enforced before they are repaired.",
    fix="`anchorwatch orphans DATABASE` counts them. Give them their parents back, or take them "
    "away (`anchorwatch orphans repair` does either); then add or validate the foreign key.",
)
BROKEN_KEY: Final = Rule(
    "AW302",
    "Rows break a foreign key that the server holds for valid",
    _WARNING,
    FindingClass.ORPHANS,
    why="The planner and the application rely on it. It comes of a restore without triggers, of "
    "`session_replication_role = replica`, or of triggers that were disabled for a while.",
    fix="Repair the rows (`anchorwatch orphans repair`); to have the server check all of them "
    "again, drop the foreign key, add it NOT VALID and validate it.",
)
BROKEN_RELATION: Final = Rule(
    "AW303",
    "Rows break a relation that the configuration names",
    _WARNING,
    FindingClass.ORPHANS,
    why="No constraint holds it, so nothing but this look sees it.",
    fix="Give the rows their parents back, or take them away (`anchorwatch orphans repair` does "
    "either); where every row must have one, a foreign key keeps it so.",
)
UNCOUNTED: Final = Rule(
    "AW309",
    "Rows without a parent cannot be counted",
    _WARNING,
    FindingClass.ORPHANS,
    why="Unknown is not none: rows could lose their parents unseen.",
    fix="Follow the message: most often it is a missing SELECT (`anchorwatch grants --level 3`), "
    "a name that is written wrongly, or a table that takes longer than `statement_timeout` of "
    "`orphans`.",
)

ASSERTION_FAILS: Final = Rule(
    "AW311",
    "An assertion does not hold",
    _WARNING,
    FindingClass.DATA,
    why="The configuration says what must hold of the rows, and it does not.",
    fix="Run the query of the assertion by hand, and repair the rows or what writes them.",
)
STALE: Final = Rule(
    "AW312",
    "Rows that should keep coming do not",
    _WARNING,
    FindingClass.DATA,
    why="What writes them has stopped, or writes elsewhere: a job, a consumer, a replica.",
    fix="Look at what writes the table; an empty one, or one without a newest row, is not fresh "
    "either.",
)
NOT_EVALUATED: Final = Rule(
    "AW319",
    "An assertion cannot be evaluated",
    _WARNING,
    FindingClass.DATA,
    why="Unknown is not fine: what it asserts may have stopped to hold.",
    fix="Follow the message: most often the statement is wrong, a SELECT is missing "
    "(`anchorwatch grants --level 3`), or it takes longer than `statement_timeout`.",
)

DATA_RULES: Final = (
    ORPHANS,
    BROKEN_KEY,
    BROKEN_RELATION,
    UNCOUNTED,
    ASSERTION_FAILS,
    STALE,
    NOT_EVALUATED,
)
