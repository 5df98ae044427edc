"""Why a repair is refused, one sentence each, with what to do about it. Pure."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from monitor.core.errors import Refused
from monitor.core.quoting import quote_as_shown
from monitor.remedy.repair.closure import Closure, group
from monitor.remedy.repair.ground import (
    CHANGING,
    HOLDERS,
    Column,
    Ground,
    Link,
    Table,
    list_fired,
)
from monitor.remedy.repair.wish import Refusal, Strategy, Wish
from monitor.sources.orphan_rows import Place

_LOCKING: Final = {"update", "delete", "truncate"}
"""Any of these lets a role lock a table against writers:
https://www.postgresql.org/docs/current/sql-lock.html"""
_EVENTS: Final = {
    Strategy.QUARANTINE: "delete",
    Strategy.DELETE: "delete",
    Strategy.NULLIFY: "update",
    Strategy.ADOPT: "insert",
}


def list_concerned(wish: Wish, ground: Ground) -> list[Table]:
    """The tables that are locked: all that a cascade may reach, where rows leave."""
    tops = ground.list_tops()
    if wish.strategy.takes_rows:
        return tops
    own = {table.top for table in ground.tables if table.is_child or table.is_parent}
    return [table for table in tops if table.oid in own]


def require_rights(wish: Wish, ground: Ground, closure: Closure | None = None) -> None:
    """Nothing, where this role may do what has to be done.

    Raises:
        Refused: it may not; names all tables and what to grant.
    """
    missing = [*_list_missing(wish, ground, closure)]
    if missing:
        raise Refused(
            f"The role of the repair URL lacks privileges: {'; '.join(missing)}.",
            next_step="Grant them to it, as the owner of these tables.",
        )


def _list_missing(wish: Wish, ground: Ground, closure: Closure | None) -> Iterator[str]:
    taken = {ground.find_top(place.table).oid for place in closure.taken} if closure else set()
    children = {table.top for table in ground.tables if table.is_child}
    parents = {ground.find(wish.relation.parent).oid}
    for table in _list_used(wish, ground):
        rights = {*(table.rights or ())}
        needed = {"select"}
        if wish.strategy.takes_rows and (table.oid in children or table.oid in taken):
            needed |= {"delete"}
        if wish.strategy is Strategy.NULLIFY and table.oid in children:
            needed |= {"update"}
        if wish.strategy is Strategy.ADOPT and table.oid in parents:
            needed |= {"insert"}
        if not (needed | rights) & _LOCKING:
            needed |= {"update"}
        if lacking := needed - rights:
            yield f"{', '.join(sorted(lacking)).upper()} on {table.shown}"


def _list_used(wish: Wish, ground: Ground) -> list[Table]:
    """What is locked, and the parent, which may be a partition of that."""
    return [*dict.fromkeys((*list_concerned(wish, ground), ground.find(wish.relation.parent)))]


def judge_ground(wish: Wish, ground: Ground) -> Iterator[Refusal]:
    """What stands against any repair of these tables."""
    concerned = {table.oid for table in list_concerned(wish, ground)}
    for table in ground.tables:
        if table.top not in concerned:
            continue
        if table.kind not in HOLDERS:
            yield Refusal(
                reason=f"{table.shown} is no plain table.",
                next="Repair its rows where they are stored.",
            )
        if table.rules:
            yield Refusal(
                reason=f"A rule rewrites what is done to {table.shown}: "
                f"{', '.join(map(quote_as_shown, table.rules))}.",
                next="Drop the rule, or repair the rows by hand.",
            )
    if ground.role != "origin":
        yield Refusal(
            reason=f"session_replication_role is {ground.role}: foreign keys would not act.",
            next="Reset it for the role of the repair URL.",
        )
    if not ground.is_counted:
        yield Refusal(
            reason="track_counts is off: what cascades and triggers change cannot be verified.",
            next="Turn track_counts on in the server.",
        )


def judge_size(wish: Wish, found: int, *, is_exact: bool) -> Iterator[Refusal]:
    """Whether there are more rows than may be changed."""
    if found > wish.max_rows:
        least = "" if is_exact else "at least "
        yield Refusal(
            reason=f"{least}{found} rows would be changed, and --max-rows is {wish.max_rows}.",
            next="Look at them first; narrow the rows with --where, or raise --max-rows.",
        )


def judge_closure(
    wish: Wish, ground: Ground, orphans: Iterable[Place], closure: Closure
) -> Iterator[Refusal]:
    """What stands against rows leaving: what references them."""
    for link, places in closure.blocked:
        yield Refusal(
            reason=f"{_count(places)} of {_write_homes(ground, places)} reference them by "
            f"{quote_as_shown(link.name)}, which lets nothing go that is referenced.",
            next="Repair these rows first, or choose a strategy that takes no rows away.",
        )
    for link, places in closure.disputed:
        yield Refusal(
            reason=f"{quote_as_shown(link.name)} would keep {_count(places)} of "
            f"{_write_homes(ground, places)}, which another key on the same columns would take.",
            next="Decide which of the two keys is right, and drop the other.",
        )
    own = {*orphans}
    dependents = [place for place in closure.taken if place not in own]
    if dependents and not wish.with_dependents:
        yield Refusal(
            reason=f"A cascade would take {_count(dependents)} along: "
            f"{_write_homes(ground, dependents, with_counts=True)}.",
            next="Add --with-dependents to include them.",
        )
    for link, places in closure.changed:
        yield from _judge_change(wish, ground, link, places)


def _judge_change(
    wish: Wish, ground: Ground, link: Link, places: tuple[Place, ...]
) -> Iterator[Refusal]:
    """Rows that stay and lose what they reference: nothing would bring that back."""
    what = (
        f"{quote_as_shown(link.name)} would {CHANGING[link.action]} of {_count(places)} of "
        f"{_write_homes(ground, places)}"
    )
    if bound := _find_bound(ground, link):
        yield Refusal(
            reason=f"{what}, and the column {quote_as_shown(bound)} chooses the partition.",
            next="Repair these rows first.",
        )
    if link.onward:
        yield Refusal(
            reason=f"{what}, which {', '.join(map(quote_as_shown, link.onward))} reference.",
            next="Repair these rows first.",
        )
    if wish.strategy is Strategy.QUARANTINE:
        yield Refusal(
            reason=f"{what}, and to undo the quarantine would not restore that.",
            next="Let these rows go first, or use --strategy delete --with-dependents.",
        )
    elif not wish.with_dependents:
        yield Refusal(reason=f"{what}.", next="Add --with-dependents to accept it.")


def _find_bound(ground: Ground, link: Link) -> str | None:
    """A column of the key that says in which partition a row is: changed, the row moves."""
    return next(
        (
            column.name
            for table in ground.tables
            if table.top == ground.find_top(link.child).oid
            for column in table.columns
            if column.is_bound and column.name in link.columns
        ),
        None,
    )


def judge_triggers(wish: Wish, ground: Ground, closure: Closure) -> Iterator[Refusal]:
    """Triggers of the user's that would fire."""
    fired = [*list_triggers(wish, ground, closure)]
    if fired and not wish.fire_triggers:
        yield refuse_triggers(fired)


def refuse_triggers(fired: Iterable[str]) -> Refusal:
    """The refusal that names them."""
    return Refusal(
        reason=f"Triggers would fire: {', '.join(sorted(set(fired)))}.",
        next="Look at what they do; add --fire-triggers to let them.",
    )


def refuse_event_triggers(fired: Iterable[str]) -> Refusal:
    """The refusal that names those that fire when the quarantine is made."""
    return Refusal(
        reason=f"Event triggers would fire when the quarantine is made: {', '.join(fired)}.",
        next="Look at what they do; add --fire-triggers to let them.",
    )


def list_triggers(wish: Wish, ground: Ground, closure: Closure) -> Iterator[str]:
    """The triggers that fire; those of statements also where a cascade finds no row."""
    event = _EVENTS[wish.strategy]
    if wish.strategy is Strategy.ADOPT:
        homes = [table.oid for table in ground.tables if table.is_parent]
        yield from _list_fired(ground, event, lambda t: t.oid in homes or _holds(homes, t, ground))
        return
    taken, changed = group(closure.taken), group(p for _, some in closure.changed for p in some)
    yield from _list_fired(
        ground, event, lambda table: table.oid in taken or _holds(taken, table, ground)
    )
    if not wish.strategy.takes_rows:
        return
    yield from list_fired((t for t in ground.tables if t.is_reached), event, with_rows=False)
    yield from _list_fired(
        ground, "update", lambda t: t.oid in changed or _holds(changed, t, ground)
    )
    emptied = {link.child for link in ground.links if link.action in CHANGING}
    yield from list_fired(
        (t for t in ground.tables if t.oid in emptied), "update", with_rows=False
    )


def _list_fired(ground: Ground, event: str, is_meant: Callable[[Table], bool]) -> list[str]:
    return list_fired(filter(is_meant, ground.tables), event, with_rows=True)


def _holds(places: Iterable[int], table: Table, ground: Ground) -> bool:
    """Whether some rows are in its partitions."""
    return any(table.oid in ground.by_oid[oid].ancestors for oid in places)


def judge_nullify(wish: Wish, ground: Ground) -> Iterator[Refusal]:
    """Columns that cannot be null, or that others rely on."""
    relation = wish.relation
    for table in ground.tables:
        if not table.is_child:
            continue
        for column in table.columns:
            if column.name in relation.columns and (why := _find_hindrance(column)):
                yield Refusal(
                    reason=f"The column {quote_as_shown(column.name)} of {table.shown} {why}.",
                    next="Choose another strategy.",
                )
    for link in ground.links:
        parent = ground.by_oid[link.parent]
        if parent.is_child and set(link.referenced) & parent.list_touched(relation.columns):
            yield Refusal(
                reason=f"{quote_as_shown(link.name)} references columns that would change.",
                next="Choose another strategy.",
            )


def _find_hindrance(column: Column) -> str | None:
    if column.is_key:
        return "is part of the primary key"
    if column.is_required:
        return "is NOT NULL"
    if column.is_generated:
        return "is generated"
    return "chooses the partition" if column.is_bound else None


def judge_adopt(wish: Wish, parent: Table) -> Iterator[Refusal]:
    """Parents that cannot be made."""
    relation = wish.relation
    if relation.is_period:
        yield Refusal(
            reason="Periods have to be covered, which no single new row can say.",
            next="Choose another strategy.",
        )
    known = {column.name: column for column in parent.columns}
    given = {name for name, _ in wish.values}
    for name in sorted(given):
        if name not in known or known[name].is_generated or name in relation.referenced:
            yield Refusal(
                reason=f"{parent.shown} has no column {quote_as_shown(name)} that can be given.",
                next="Name columns of the parent that the relation does not: --value COLUMN=TEXT.",
            )
    lacking = [
        quote_as_shown(column.name)
        for column in parent.columns
        if column.is_required
        and not (column.has_value or column.is_generated)
        and column.name not in (*given, *relation.referenced)
    ]
    if lacking:
        yield Refusal(
            reason=f"{parent.shown} needs values for {', '.join(lacking)}.",
            next="Give them: --value COLUMN=TEXT.",
        )


def _count(places: Iterable[Place]) -> str:
    number = len([*places])
    return "1 row" if number == 1 else f"{number} rows"


def _write_homes(ground: Ground, places: Iterable[Place], *, with_counts: bool = False) -> str:
    counts: dict[str, int] = {}
    for place in places:
        name = ground.find_top(place.table).shown
        counts[name] = counts.get(name, 0) + 1
    if with_counts:
        return ", ".join(f"{count} of {name}" for name, count in counts.items())
    return ", ".join(counts)
