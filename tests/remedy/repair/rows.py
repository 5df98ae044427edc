"""Databases with rows that have lost their parents, repaired as the command does it."""

from typing import Any

import asyncpg

from monitor.core.relation import Relation, list_relations
from monitor.core.relation_text import parse_relation
from monitor.remedy.repair.repairing import repair
from monitor.remedy.repair.undoing import Undoing, undo
from monitor.remedy.repair.wish import Outcome, Strategy, Wish
from monitor.sources.dsn import parse_dsn
from monitor.sources.postgres import Deadlines
from tests.sources.looking import look

DEADLINES = Deadlines(lock_seconds=0.2)


async def find(url: str, name: str) -> Relation:
    """A foreign key by its name, or a relation as it is written."""
    if "->" in name:
        return parse_relation(name)
    [found] = [one for one in list_relations(None, await look(url)) if one.name == name]
    return found


async def mend(  # noqa: PLR0913  # what the command line says
    url: str,
    name: str | Relation,
    strategy: str,
    *,
    apply: bool = True,
    by: str | None = None,
    deadlines: Deadlines = DEADLINES,
    **more: Any,
) -> Outcome:
    """Repair, as another role where one is named."""
    relation = name if isinstance(name, Relation) else await find(url, name)
    wish = Wish(relation=relation, strategy=Strategy(strategy), version="1", **more)
    dsn = parse_dsn(url)[0]
    repaired = parse_dsn(by or url)[0]
    return await repair(dsn, repaired, wish, deadlines=deadlines, is_applied=apply)


async def bring_back(url: str, batch: int, *, apply: bool = True, **more: Any) -> Outcome:
    """Undo."""
    dsn, wish = parse_dsn(url)[0], Undoing(batch=batch, **more)
    return await undo(dsn, dsn, wish, deadlines=DEADLINES, is_applied=apply)


async def dump(url: str) -> dict[str, list[str]]:
    """Every row of every table of the user's, as text."""
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch(
            "select c.oid::regclass::text as name from pg_class c join pg_namespace n "
            "on n.oid = c.relnamespace where c.relkind = 'r' and nspname !~ '^pg_' "
            "and nspname not in ('information_schema', 'anchorwatch_quarantine') order by 1"
        )
        return {
            table["name"]: sorted(
                row["t"]
                for row in await connection.fetch(
                    f'select "a row"::text as t from only {table[0]} "a row"'
                )
            )
            for table in tables
        }
    finally:
        await connection.close()


async def ask(url: str, sql: str) -> Any:
    """One value."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


def reasons(outcome: Outcome) -> str:
    """Why it was refused."""
    return " | ".join(one.reason for one in outcome.refused)


def acts(outcome: Outcome) -> list[tuple[str, str, int]]:
    """What became of which rows."""
    return [(act.table, act.action, act.rows) for act in outcome.rows]
