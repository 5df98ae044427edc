"""Faults in real databases: statements of a history that ran, or did not, and edits by hand."""

import random
from collections import Counter
from pathlib import Path

import pytest

from monitor.checks.diagnosis import diagnose_snapshot
from monitor.core.lock_states import States
from monitor.core.release import Known
from monitor.core.traces import list_visible
from monitor.core.verdict import State
from monitor.sources.build import BuildOptions
from monitor.sources.engine import Cluster
from monitor.sources.locking import LockOptions, build_lock
from monitor.sources.scripts import read_scripts
from monitor.sources.shadows import open_shadows
from tests.conftest import MakeDatabase
from tests.core.faults import Fault, grade, list_grades
from tests.sources.looking import look
from tests.sources.shadow_peers import write_history

STEPS = (
    "create table flows (id bigint primary key, state text not null default 'new')",
    "create type kind as enum ('a', 'b')",
    "create table events (id bigint primary key, flow bigint references flows, kind kind)",
    "create index events_flow on events (flow)",
    "select 1",
    "alter table flows add column started_at timestamptz default now(), add column note text",
    "alter table flows add constraint flows_state check (state in ('new', 'done'))",
    "create view open_flows as select id, state from flows where state = 'new'",
    "alter table flows alter column note type varchar(80)",
    "create function touch() returns trigger language plpgsql as 'begin return new; end'",
    "create trigger touched before update on events for each row execute function touch()",
    "alter table events drop column kind",
)
EDITS = {
    "create table by_hand (id int)": (),
    "alter table flows add by_hand int": (1,),
    "create index by_hand_i on flows (state)": (1,),
    "drop view open_flows": (1, 8),
    "alter table events alter flow set not null": (3,),
}
"""What somebody does by hand, and the steps without which it could not be done."""
STAMP = "create table alembic_version (version_num varchar(32) primary key)"
TIMES = 120


def name(number: int) -> str:
    return f"r{number}"


def choose(chance: random.Random) -> tuple[list[int], int]:
    """Which steps ran, in order, and up to which one is stamped."""
    last, stamped = chance.randint(1, len(STEPS)), chance.randint(1, len(STEPS))
    ran = [*range(1, last + 1)]
    if chance.random() < 0.3:
        ran.remove(chance.choice([4, 7, 8, 10]) if last == len(STEPS) else last)
    return ran, stamped


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_the_cause_of_a_fault_in_a_real_database_is_found(
    server: Cluster,
    make_database: MakeDatabase,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ini = write_history(tmp_path, *(f'op.execute("{step}")' for step in STEPS))
    options = BuildOptions(shadow_url=server.url())
    async with open_shadows(options) as shadows:
        states = States(await build_lock(read_scripts(ini), shadows, LockOptions(build=options)))
    assert states.lock.stopped_at is None
    showing = {one.id for one in states.lock.revisions if list_visible(states, one.id)}
    chance, grades = random.Random(7), Counter[str]()  # noqa: S311  # a test
    for _ in range(TIMES):
        ran, stamped = choose(chance)
        if 10 not in ran and 11 in ran:
            ran.remove(11)  # it cannot run without
        agreed = {number for number in ran if number <= stamped}
        possible = [
            edit
            for edit, needed in EDITS.items()
            # What undoes a part of the fault itself would make another fault of it.
            if {*needed} <= ({*ran} if "drop" not in edit else agreed)
        ]
        edits = chance.sample(possible, min(len(possible), chance.randint(0, 2)))
        rows = f"insert into alembic_version values ('{name(stamped)}')"
        sql = "; ".join([*(STEPS[number - 1] for number in ran), *edits, STAMP, rows])
        live = await look(await make_database(sql=sql))
        done = {name(number) for number in ran} & showing
        claimed = {name(number) for number in range(1, stamped + 1)} & showing
        fault = Fault(
            "real",
            (name(stamped),),
            dict(live.by_key),
            frozenset(claimed - done),
            frozenset(done - claimed),
            len(edits),
        )
        found = (await diagnose_snapshot(Known(states), live)).diagnosis
        mark = grade(states, fault, found)
        assert mark != "wrong", (ran, stamped, edits, found)
        if not edits and done == claimed:
            assert found.verdict in {State.IN_SYNC, State.PENDING}
        grades[mark] += 1
    with capsys.disabled():
        print(f" real: {list_grades(grades.items())} ")  # noqa: T201  # a figure
    assert sum(grades.values()) == TIMES
