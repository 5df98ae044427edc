"""Rules about what is stamped, and what of it is there."""

from typing import Final

from monitor.core.findings import FindingClass, Severity
from monitor.core.rule import Rule

_WARNING, _CRITICAL = Severity.WARNING, Severity.CRITICAL

EMPTY: Final = Rule(
    "AW101",
    "The database has no tables",
    _WARNING,
    FindingClass.HISTORY,
    why="The application cannot work, or it works on another database than this one.",
    fix="Check the URL; then run `alembic upgrade head`.",
)
UNSTAMPED: Final = Rule(
    "AW102",
    "There are tables, but no Alembic revision",
    _WARNING,
    FindingClass.HISTORY,
    why="Alembic will try to create everything again, and fail on the first table.",
    fix="Find out which revision the schema fits, then `alembic stamp REVISION`.",
)
UNKNOWN_REVISION: Final = Rule(
    "AW103",
    "The stamped revision is not in the history",
    _CRITICAL,
    FindingClass.HISTORY,
    why='Alembic refuses every command with "Can\'t locate revision".',
    fix="Bring the file back, deploy the release that has it, or stamp after comparing.",
)
OVERLAPPING: Final = Rule(
    "AW104",
    "One stamped revision is an ancestor of another",
    _WARNING,
    FindingClass.HISTORY,
    why="Alembic refuses to upgrade with overlapping rows, or runs a branch twice.",
    fix="`alembic stamp --purge` with the rows that no other one includes.",
)
MULTIPLE_HEADS: Final = Rule(
    "AW105",
    "Revisions are stamped that nothing brings together",
    _WARNING,
    FindingClass.HISTORY,
    why="`alembic upgrade head` refuses to choose; two releases have taken two ways.",
    fix="Write a revision that follows both: `alembic merge`.",
)
HALF_APPLIED: Final = Rule(
    "AW106",
    "A revision stopped halfway",
    _CRITICAL,
    FindingClass.HISTORY,
    why="It commits on its way, so what ran stays; run again it fails on what is there already.",
    fix="Run the rest of its statements by hand (`anchorwatch lock show`), then stamp it.",
)
HOLE: Final = Rule(
    "AW107",
    "A revision in the middle is missing",
    _CRITICAL,
    FindingClass.HISTORY,
    why="The stamp says that it ran, so no upgrade will ever run it.",
    fix="Write what it does into a new revision at the end.",
)
STAMPED_NOT_RUN: Final = Rule(
    "AW108",
    "A stamped revision never ran",
    _CRITICAL,
    FindingClass.HISTORY,
    why="The code expects what is not there, and no upgrade will bring it.",
    fix="Stamp the last revision that did run, then `alembic upgrade heads`.",
)
APPLIED_BY_HAND: Final = Rule(
    "AW109",
    "A revision is there that is not stamped",
    _WARNING,
    FindingClass.HISTORY,
    why="The next deployment runs it again, and fails on what is there already.",
    fix="Stamp it, once all that it does is there.",
)
NARROW: Final = Rule(
    "AW110",
    "A revision is longer than the version column takes",
    _WARNING,
    FindingClass.HISTORY,
    why="The upgrade to it fails at its very end, when Alembic writes the version.",
    fix="Widen the column: `ALTER TABLE alembic_version ALTER version_num TYPE varchar(64)`.",
)

EDITED_REVISION: Final = Rule(
    "AW111",
    "A revision was edited after it ran",
    _WARNING,
    FindingClass.HISTORY,
    why="The database has what the file said before; a new database gets what it says now.",
    fix="Undo the edit, and write what it changed into a new revision at the end.",
)

HISTORY_RULES: Final[tuple[Rule, ...]] = (
    EMPTY,
    UNSTAMPED,
    UNKNOWN_REVISION,
    OVERLAPPING,
    MULTIPLE_HEADS,
    HALF_APPLIED,
    HOLE,
    STAMPED_NOT_RUN,
    APPLIED_BY_HAND,
    NARROW,
    EDITED_REVISION,
)
