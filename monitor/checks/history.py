"""Judging what is stamped, as far as a script directory can tell."""

from collections.abc import Mapping
from typing import Final

from monitor.core.findings import Evidence, Finding
from monitor.core.history import History
from monitor.core.homes import find_home, is_partition
from monitor.core.keys import Kind
from monitor.core.overall import begin_sentence, find_overall
from monitor.core.rule import Rule
from monitor.core.rules_history import (
    EMPTY,
    MULTIPLE_HEADS,
    NARROW,
    OVERLAPPING,
    UNKNOWN_REVISION,
    UNSTAMPED,
)
from monitor.core.scope import Scope, narrow
from monitor.core.scope_omissions import leave_out
from monitor.core.snapshot import Snapshot
from monitor.core.stamps import find_too_long, has_strangers
from monitor.core.verdict import State


def read_stamp(snapshot: Snapshot, history: History | None = None) -> tuple[str, ...] | None:
    """All stamped revisions, sorted; None when a version table could not be read.

    Several applications may share a database: where the history knows what some of
    the version tables say, the others are another application's.
    """
    revisions: list[str] = []
    tables = snapshot.version_tables
    own = [t for t in tables if t.revisions and history and history.knows(t.revisions)]
    for table in own or tables:
        if table.revisions is None:
            return None
        revisions.extend(table.revisions)
    return tuple(sorted(revisions))


def has_tables(snapshot: Snapshot) -> bool:
    """Whether there is any table but Alembic's own."""
    return any(item.key.kind is Kind.TABLE for item in snapshot.objects)


_RULES: Final[Mapping[State, Rule]] = {
    State.EMPTY: EMPTY,
    State.UNSTAMPED: UNSTAMPED,
    State.UNKNOWN_REVISION: UNKNOWN_REVISION,
}


def judge_stamp(
    snapshot: Snapshot, stamp: tuple[str, ...], history: History | None
) -> State | None:
    """The state that the stamp alone decides, or None when the schema has to.

    A database without tables is empty, unless its stamp is one of the history's: that may
    promise views and functions alone, see `is_empty`.

    Args:
        snapshot: the database.
        stamp: what is stamped there.
        history: the revisions that are known; None when none are expected.
    """
    if history is None or (stamp and history.knows(stamp)):
        return None
    if not has_tables(snapshot):
        return State.EMPTY
    return State.UNKNOWN_REVISION if stamp else State.UNSTAMPED


def is_empty(snapshot: Snapshot, expected: Snapshot | None) -> bool:
    """Whether there are no tables, but for a database that is expected to have none.

    Args:
        snapshot: the database.
        expected: None where nothing is known of what it should be.
    """
    return not has_tables(snapshot) and (expected is None or has_tables(expected))


def check_rows(
    snapshot: Snapshot, rows: tuple[str, ...], history: History, *, environment: str, database: str
) -> list[Finding]:
    """What is wrong with known version rows and their table, whatever the schema is."""
    place = {"environment": environment, "database": database}
    found: list[Finding] = []
    if overlaps := history.find_overlaps(rows):
        before, after = overlaps[0]
        title = f"{before} is stamped beside {after}, which includes it"
        found.append(_describe(OVERLAPPING, title, [*rows], **place))
    if has_strangers(history, rows):
        title = f"{', '.join(history.reduce(rows))} are stamped, and nothing brings them together"
        found.append(_describe(MULTIPLE_HEADS, title, [*rows], **place))
    own = [t for t in snapshot.version_tables if t.revisions and {*t.revisions} <= {*rows}]
    widths = [table.width for table in own]
    too_long = [name for width in widths if (name := find_too_long(history, width))]
    if too_long:
        title = f"revision {too_long[0]} is longer than the version column takes"
        found.append(_describe(NARROW, title, too_long[:1], **place))
    return found


def _describe(
    rule: Rule, title: str, about: list[str], *, environment: str, database: str
) -> Finding:
    evidence = (Evidence("stamped", None, [*about]),)
    return find_overall(
        rule, environment=environment, database=database, title=title, evidence=evidence
    )


def describe_stamp(  # noqa: PLR0913  # what is stamped where, on what, and whose it is
    state: State,
    stamp: tuple[str, ...],
    snapshot: Snapshot,
    scope: Scope,
    *,
    environment: str,
    database: str,
) -> Finding | None:
    """The finding of a state that the stamp alone decides.

    What is accepted is this stamp on this schema: nothing else would tell that it changed.
    """
    rule = _RULES.get(state)
    if rule is None:
        return None
    title = begin_sentence(rule)
    if state is State.UNKNOWN_REVISION:
        title = f"{title}: {', '.join(stamp)}" if any(stamp) else "a version row is empty"
    return find_overall(
        rule,
        environment=environment,
        database=database,
        title=title,
        evidence=(Evidence("stamped", None, [*stamp]),),
        inside="" if state is State.EMPTY else _digest(snapshot, scope),
    )


def _digest(snapshot: Snapshot, scope: Scope) -> str:
    """Sixteen letters that change with the schema; not with its partitions, which come and go."""
    watched = narrow(snapshot, snapshot, scope).actual
    passing = {(item.key.schema, item.key.name) for item in watched.objects if is_partition(item)}
    out = {
        item.key
        for item in watched.objects
        if {(item.key.schema, item.key.name), find_home(item)} & passing
    }
    return leave_out(watched, out).fingerprint[:16]
