"""An outbox grows for years: what asks it every few seconds reads only what it asks for."""

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

import pytest
import sqlalchemy as sa

from monitor.core.incidents import EventKind, Status
from monitor.sinks.claims import Carrier, Claim
from monitor.sinks.delivery import Grouping
from monitor.sinks.store import Store
from tests.sinks.builders import NOW, an_incident, told

ROWS: Final = 20_000
MINUTE = timedelta(minutes=1)

type Ask = Callable[[Store], Awaitable[object]]


async def fill(store: Store) -> None:
    """Years of incidents that are over, each told once on one of two channels."""
    over = an_incident(status=Status.RESOLVED, resolved_at=NOW)
    assert await store.commit(told(1, EventKind.OPENED, "chat", incident=over))
    ended = (
        "resolved_at - v * interval '1 minute'"
        if store._backend.is_postgres
        else "strftime('%Y-%m-%d %H:%M:%f000', resolved_at, '-' || v || ' minutes')"
    )
    numbers = f"WITH RECURSIVE n(v) AS (SELECT 2 UNION ALL SELECT v + 1 FROM n WHERE v < {ROWS})"
    incidents = f"""
        INSERT INTO anchorwatch_incident
            (id, environment, database, finding_class, first_seen, resolved_at, body)
        {numbers}
        SELECT 'n' || v, environment, 'db' || v, finding_class, first_seen, {ended}, body
        FROM n, anchorwatch_incident
    """
    events = f"""
        INSERT INTO anchorwatch_event (incident, version, kind, at)
        {numbers} SELECT 'n' || v, 1, kind, at FROM n, anchorwatch_event
    """
    outbox = f"""
        INSERT INTO anchorwatch_outbox
            (id, channel, incident, version, environment, finding_class, kind, at, status, due,
             attempts, may_have_arrived, receipt, ended)
        {numbers}
        SELECT 'x' || v, CASE WHEN v % 2 = 0 THEN 'chat' ELSE 'hook' END, 'n' || v, 1,
            environment, finding_class, kind, at, 'delivered', due, 1, false, 'C1/' || v, at
        FROM n, anchorwatch_outbox
    """
    async with store._backend.writing() as connection:
        for statement in (incidents, events, outbox, "ANALYZE"):
            await connection.execute(sa.text(statement))


async def list_plans(store: Store, ask: Ask) -> list[str]:
    """How the server goes about each statement that reads what grows."""
    asked: list[tuple[str, Any]] = []

    def note(_c: object, _k: object, statement: str, parameters: Any, *_: object) -> None:
        asked.append((statement, parameters))

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        await ask(store)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    word = "EXPLAIN" if store._backend.is_postgres else "EXPLAIN QUERY PLAN"
    plans = []
    async with store._backend.reading() as connection:
        for statement, parameters in asked:
            if re.search("anchorwatch_(outbox|incident)", statement):
                rows = await connection.exec_driver_sql(f"{word} {statement}", parameters)
                plans.append("\n".join(str(row[-1]) for row in rows))
    return plans


READS_ALL = re.compile(
    r"Seq Scan on anchorwatch_(outbox|incident)"
    r"|SCAN (anchorwatch_|other|later|mine|newer|taken)"
    r"(?!\w+ USING (COVERING )?INDEX \w+_(waiting|lost|unresolved))"
)
"""But for what waits, was lost or is not over, which is little."""

CLAIM: Final = Claim(now=NOW + MINUTE, holder="us", lease=MINUTE, channel="chat")
HERE: Final = Carrier("production", {"production", "staging"})
ASKED: dict[str, Ask] = {
    "count": lambda store: store.count_outbox(),
    "health": lambda store: store.list_health(HERE, ["chat", "hook"], NOW),
    "health of all": lambda store: store.list_health(Carrier("production"), ["chat"], NOW),
    "threads": lambda store: store.list_threads("chat", ["i1"]),
    "thread": lambda store: store.list_in_thread("chat", "C1/40"),
    "told": lambda store: store.find_told("chat", ["i1"]),
    "claim": lambda store: store.claim_due(CLAIM, 1),
    "group": lambda store: store.claim_group(CLAIM, Grouping(wait=MINUTE / 6, interval=MINUTE)),
    "unreachable": lambda store: store.list_unreachable(),
    "broken": lambda store: store.list_broken("production"),
    "alerts": lambda store: store.list_told("chat", since=NOW),
    "mend": lambda store: store.revive_lost(HERE, "chat", NOW),
}


@pytest.fixture
async def full(store: Store) -> Store:
    await fill(store)
    return store


async def test_nothing_that_is_asked_again_and_again_reads_the_whole_outbox(full: Store) -> None:
    found = {name: await list_plans(full, ask) for name, ask in ASKED.items()}
    assert all(found.values())
    assert [
        f"{name}: {plan}"
        for name, plans in found.items()
        for plan in plans
        if READS_ALL.search(plan)
    ] == []
