"""The check for rows without a parent, from the database to the ledger."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from monitor.checks.orphans import Limits
from monitor.core.checkup import CheckName, add_checks
from monitor.core.findings import FindingClass, Severity
from monitor.core.incidents import EventKind, Status
from monitor.core.relation_text import parse_relation
from monitor.core.waivers import IgnoreRule, accept
from monitor.sources.dsn import parse_dsn
from monitor.watch.orphans import OrphanCheck, OrphanPlan
from tests.watch.builders import START, Watch

OPENED, CHANGED, RESOLVED = EventKind.OPENED, EventKind.CHANGED, EventKind.RESOLVED
TABLES = """
create table users (id int primary key);
create table orders (id int primary key, user_id int);
insert into users select n from generate_series(1, 10) n;
insert into orders select n, n from generate_series(1, 10) n;
"""
RELATION = parse_relation("orders.user_id -> users.id")


def a_check(**plan: Any) -> OrphanCheck:
    return OrphanCheck(OrphanPlan(relations=(RELATION,), **plan))


async def test_rows_that_lost_their_parents_are_told_once_and_their_end_as_well(
    watch: Watch,
) -> None:
    await watch.run(TABLES)
    check = a_check()
    assert (await watch.count(0, check)).record.report.findings == ()
    await watch.run("delete from users where id < 4")
    found = await watch.count(1, check)
    [finding] = found.record.report.findings
    assert (finding.code, finding.key) == ("AW303", RELATION.key)
    assert watch.kinds == [OPENED]
    await watch.run("delete from users where id = 4")  # four are no news after three...
    await watch.run("insert into users values (1)")
    await watch.count(2, check)
    assert watch.kinds == [OPENED]
    await watch.run("delete from users where id < 7")  # ...six are
    await watch.count(3, check)
    assert watch.kinds == [OPENED, CHANGED]
    await watch.run("delete from orders")
    done = await watch.count(4, check)
    assert watch.kinds == [OPENED, CHANGED, RESOLVED]
    assert done.unresolved == {}
    assert done.record.looks == 5
    assert watch.faults == []


async def test_a_look_at_the_schema_leaves_the_incident_of_the_rows_alone(watch: Watch) -> None:
    await watch.run(TABLES)
    await watch.run("delete from users where id = 1")
    await watch.count(0, a_check())
    for minute in range(1, 4):
        await watch.look(minute)
    [incident] = await watch.store.list_incidents("test", "app")
    assert (incident.finding_class, incident.status) == (FindingClass.ORPHANS, Status.OPEN)


async def test_nobody_who_could_not_count_resolves_anything(watch: Watch) -> None:
    await watch.run(TABLES)
    await watch.run("delete from users where id = 1")
    check = a_check()
    await watch.count(0, check)
    nowhere = replace(parse_dsn(watch.url)[0], database="nowhere")
    lost = await watch.count(1, check, target=msgspec.structs.replace(watch.target, dsn=nowhere))
    assert lost.record.report.unknown is not None
    codes = [(one.code, one.severity) for one in lost.record.report.findings]
    assert codes == [("AW303", Severity.WARNING), ("AW309", Severity.INFO)], "known stays known"
    assert FindingClass.ORPHANS in lost.unresolved
    assert lost.record.last_success == START
    await watch.run("alter table users rename to people")
    await watch.count(2, check)
    assert watch.kinds == [OPENED], "that it cannot be counted is no news the first time"
    await watch.count(3, check)
    assert watch.kinds == [OPENED, CHANGED]


async def test_a_check_that_cannot_be_done_is_told_and_its_end_as_well(watch: Watch) -> None:
    await watch.run(TABLES)
    await watch.run("delete from users where id = 1")
    check = a_check()
    await watch.count(0, check)
    hurried = replace(watch.target.deadlines, statement_seconds=0.001)
    for minute in (1, 2, 3):
        target = msgspec.structs.replace(watch.target, deadlines=hurried)
        lost = await watch.count(minute, check, target=target)
        assert lost.record.failures == minute
    told = {one.code: one for one in lost.record.report.findings}
    assert told.keys() == {"AW303", "AW309"}
    assert told["AW309"].severity is Severity.WARNING
    assert told["AW309"].title.startswith("the check for orphans cannot be done: ")
    assert watch.kinds == [OPENED, CHANGED]
    done = await watch.count(4, check)
    assert [one.code for one in done.record.report.findings] == ["AW303"]
    assert done.record.failures == 0
    assert watch.kinds == [OPENED, CHANGED, CHANGED]
    await watch.run("insert into users values (1)")
    assert (await watch.count(5, check)).unresolved == {}


async def test_a_key_that_was_missing_stays_known_when_nobody_knows_what_is_expected(
    watch: Watch, tmp_path: Path
) -> None:
    await watch.run(TABLES)
    await watch.run("delete from users where id = 1")
    expected = tmp_path / "it.sql"
    expected.write_text(
        "create table users (id int primary key);"
        "create table orders (id int primary key, user_id int references users);"
    )
    watch.expect(f"sql:{expected}")
    check = OrphanCheck(OrphanPlan())
    [finding] = (await watch.count(0, check)).record.report.findings
    assert finding.code == "AW301"
    watch.expect(f"sql:{tmp_path}/gone.sql")
    for minute, severity in ((1, Severity.INFO), (2, Severity.WARNING)):
        lost = await watch.count(minute, check)
        assert finding.identity in {one.identity for one in lost.record.report.findings}
        [cannot] = [one for one in lost.record.report.findings if one.code == "AW309"]
        assert cannot.severity is severity
        assert FindingClass.ORPHANS in lost.unresolved
    watch.expect(f"sql:{expected}")
    await watch.run("insert into users values (1)")
    assert (await watch.count(3, check)).unresolved == {}


async def test_a_key_that_was_validated_since_is_over_at_once(watch: Watch) -> None:
    await watch.run(TABLES)
    await watch.run(
        "delete from users where id = 1; alter table orders add constraint f "
        "foreign key (user_id) references users not valid"
    )
    check = OrphanCheck(OrphanPlan(validated_every=None))
    [finding] = (await watch.count(0, check)).record.report.findings
    assert finding.code == "AW301"
    await watch.run("insert into users values (1); alter table orders validate constraint f")
    done = await watch.count(1, check)
    assert (done.record.report.findings, done.unresolved) == ((), {})


async def test_a_condition_that_is_wrong_spoils_no_other_relation(watch: Watch) -> None:
    await watch.run(TABLES)
    await watch.run("delete from users where id = 1")
    wrong = parse_relation("orders.user_id -> users.id", where="deletd_at is null")
    relations = (wrong, parse_relation("orders.id -> users.id"))
    found = await watch.count(0, OrphanCheck(OrphanPlan(relations=relations)))
    [good, bad] = found.record.report.tallies
    assert bad.problem is not None
    assert "condition" in bad.problem.message
    assert "deletd_at is null" in bad.problem.next_step
    assert (good.problem, good.orphans) == (None, 1)


async def test_a_restart_ends_no_incident_of_a_scan_that_begins_anew(watch: Watch) -> None:
    await watch.run(
        "create table users (id int primary key); insert into users values (1);"
        "create table orders (id text primary key, user_id int); insert into orders select "
        "'k' || lpad(n::text, 3, '0'), case when n in (3, 4, 90) then 2 else 1 end "
        "from generate_series(1, 100) n; analyze"
    )
    limits = Limits(chunk=1, rows=5)
    before = a_check(limits=limits)
    await watch.count(0, before)
    assert watch.kinds == [OPENED]
    await watch.run("update orders set user_id = 1 where user_id = 2 and id < 'k05'")
    for minute in range(1, 12):
        found = await watch.count(minute, a_check(limits=limits))  # each a restart
        assert FindingClass.ORPHANS in found.unresolved
    kept = a_check(limits=Limits(chunk=1, rows=40))
    for minute in range(12, 15):
        found = await watch.count(minute, kept)
    assert [tally.orphans for tally in found.record.report.tallies] == [1]
    assert OPENED not in watch.kinds[1:]
    assert RESOLVED not in watch.kinds


async def test_keys_of_rows_are_forgotten_when_they_may_not_be_told_any_more(
    watch: Watch,
) -> None:
    await watch.run(
        "create table users (id int primary key);"
        "create table orders (email text primary key, user_id int);"
        "insert into orders select 'alice' || n || '@example.com', n from generate_series(1, 3) n"
    )
    told = await watch.count(0, a_check(limits=Limits(samples=10)))
    assert b"alice" in msgspec.json.encode(told.record)
    await watch.run("alter table orders rename to others")
    silent = await watch.count(1, a_check(limits=Limits(samples=0)))
    assert b"alice" not in msgspec.json.encode(silent.record.report)


async def test_keys_that_are_expected_are_counted(watch: Watch, tmp_path: Any) -> None:
    await watch.run(TABLES)
    (tmp_path / "it.sql").write_text(
        f"{TABLES.partition('insert')[0]} alter table orders add constraint f "
        "foreign key (user_id) references users;"
    )
    watch.expect(f"sql:{tmp_path}/it.sql")
    await watch.run("delete from users where id = 1")
    found = await watch.count(0, OrphanCheck(OrphanPlan()))
    [finding] = found.record.report.findings
    assert finding.code == "AW301"
    assert "the foreign key f is missing, and adding it would fail" in finding.title


async def test_keys_that_hold_are_counted_seldom(watch: Watch) -> None:
    await watch.run(TABLES)
    await watch.run("alter table orders add foreign key (user_id) references users")
    check = OrphanCheck(OrphanPlan(validated_every=timedelta(minutes=10)))
    assert [t.orphans for t in (await watch.count(0, check)).record.report.tallies] == [0]
    await watch.run("set session_replication_role = replica; delete from users where id = 1")
    assert (await watch.count(9, check)).record.report.findings == ()
    [finding] = (await watch.count(10, check)).record.report.findings
    assert finding.code == "AW302"
    await watch.run("insert into users values (1)")
    assert (await watch.count(11, check)).record.report.findings == (), "a finding is looked at"
    never = await watch.count(12, OrphanCheck(OrphanPlan()))
    assert never.record.report.tallies[0].orphans == 0


async def test_a_scan_goes_on_after_the_agent_was_killed(watch: Watch) -> None:
    await watch.run(f"{TABLES} delete from users where id > 5; analyze")
    limits = Limits(chunk=1, rows=4)
    await watch.run("insert into orders select n, 1 from generate_series(11, 30) n; analyze")
    seen = []
    for minute in range(8):
        checked = await watch.count(minute, a_check(limits=limits))  # each from nothing
        [tally] = checked.record.report.tallies
        seen.append((tally.scan.rows if tally.scan else None, tally.orphans))
    assert seen[:3] == [(4, 0), (8, 3), (12, 5)]
    assert (None, 5) in seen


async def test_a_key_that_may_be_anything_is_kept_in_mind_and_not_written_down(
    watch: Watch,
) -> None:
    await watch.run(
        "create table users (id int primary key); create table orders (id text primary key, "
        "user_id int); insert into orders select 'private-' || n, n from generate_series(1, 30) n;"
        "analyze"
    )
    check = a_check(limits=Limits(chunk=1, rows=4))
    for minute, rows in ((0, 4), (1, 8)):
        [tally] = (await watch.count(minute, check)).record.report.tallies
        assert tally.scan is not None
        assert (tally.scan.rows, tally.scan.after) == (rows, ())
    kept = await watch.store.load_check("test", "app", CheckName.ORPHANS)
    assert b"private-" not in msgspec.json.encode(kept)
    [tally] = (await watch.count(2, a_check(limits=Limits(chunk=1, rows=4)))).record.report.tallies
    assert tally.scan is not None
    assert tally.scan.rows == 4, "another process begins anew"
    told = await watch.count(3, a_check(limits=Limits(chunk=1, rows=4, samples=2)))
    [tally] = told.record.report.tallies
    assert tally.scan is not None
    assert str(tally.scan.after[0]).startswith("private-")


async def test_rows_are_ignored_and_accepted_as_anything_else(watch: Watch) -> None:
    await watch.run(TABLES)
    await watch.run("delete from users where id = 1")
    watch.ignore(IgnoreRule(code="AW303", reason="known"))
    found = await watch.count(0, a_check())
    assert (found.record.report.findings, len(found.record.report.ignored)) == ((), 1)
    looked = await watch.look(1)
    assert [f.code for f in looked.record.report.findings] == [], "the rule is of use"
    watch.ignore()
    found = await watch.count(2, a_check())
    await watch.store.accept(
        accept(found.record.report.findings, reason="known", until=None, by="us", at=START)
    )
    found = await watch.count(3, a_check())
    report = add_checks(looked.record.report, [found.record])
    assert (report.findings, len(report.accepted)) == ((), 1)
    assert FindingClass.ORPHANS in report.judged
    await watch.run("delete from users where id < 4")
    assert len((await watch.count(4, a_check())).record.report.findings) == 1
