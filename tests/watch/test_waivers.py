"""What is ignored or accepted at a real database: the state, the incidents, the messages."""

from datetime import date
from pathlib import Path

import pytest

from monitor.core.findings import FindingClass
from monitor.core.incidents import EventKind, Status
from monitor.core.verdict import State
from monitor.core.waivers import IgnoreRule, accept
from monitor.sources.engine import Cluster
from tests.sources.shadow_peers import write_history
from tests.watch.builders import START, Watch, opened_watch

OPENED, CHANGED, RESOLVED = EventKind.OPENED, EventKind.CHANGED, EventKind.RESOLVED
USERS = "CREATE TABLE users (id int PRIMARY KEY, email text)"
VERSIONS = "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)"
NOTE = "ALTER TABLE users ADD note text"


async def accept_all(watch: Watch, until: date | None = None) -> None:
    """What the last look found."""
    record = await watch.store.load("test", "app")
    assert record is not None
    await watch.store.accept(
        accept(record.report.findings, reason="known", until=until, by="us", at=START)
    )


async def test_what_is_accepted_is_no_drift_and_is_counted(watch: Watch) -> None:
    await watch.run(USERS)
    await watch.see(0)
    await watch.run(NOTE)
    assert await watch.see(1) is State.DRIFTED
    await accept_all(watch)
    report = (await watch.look(2)).record.report
    assert report.state is State.UNCHANGED
    assert report.findings == ()
    assert [one.acceptance.reason for one in report.accepted] == ["known"]
    assert report.summary == "as it was when the watch began (1 accepted)"
    assert watch.kinds == []  # it was never told, so its end is not


async def test_a_further_change_of_what_was_accepted_speaks_again(watch: Watch) -> None:
    await watch.run(USERS)
    await watch.see(0)
    await watch.run(NOTE)
    await watch.see(1)
    await accept_all(watch)
    assert await watch.see(2) is State.UNCHANGED
    await watch.run("ALTER TABLE users ALTER note TYPE varchar(9)")
    assert await watch.see(3) is State.DRIFTED
    await watch.run("ALTER TABLE users ALTER note TYPE text")
    assert await watch.see(4) is State.UNCHANGED


async def test_a_change_inside_of_a_table_that_was_accepted_speaks_again(watch: Watch) -> None:
    await watch.run(USERS)
    await watch.see(0)
    await watch.run("CREATE TABLE extra (id int, note text)")
    await watch.see(1)
    await accept_all(watch)
    assert await watch.see(2) is State.UNCHANGED
    await watch.run("CREATE UNIQUE INDEX ON extra (note)")
    assert await watch.see(3) is State.DRIFTED


async def test_an_incident_that_is_accepted_ends_and_says_that_nothing_was_undone(
    watch: Watch,
) -> None:
    await watch.run(USERS)
    await watch.see(0)
    await watch.run(NOTE)
    await watch.see(1)
    decided = await watch.look(2)
    incident = decided.unresolved[FindingClass.DRIFT]
    await accept_all(watch)
    await watch.see(3)
    assert watch.kinds == [OPENED, RESOLVED]
    ended = await watch.store.load_incident(incident.id)
    assert ended is not None
    assert (ended.status, ended.waived) == (Status.RESOLVED, 1)


async def test_an_acceptance_ends_with_its_day_and_people_are_told_again(watch: Watch) -> None:
    await watch.run(USERS)
    await watch.see(0)
    await watch.run(NOTE)
    await watch.see(1)
    await accept_all(watch, until=START.date())
    assert await watch.see(2) is State.UNCHANGED
    assert await watch.see(23 * 60 + 59) is State.UNCHANGED
    assert await watch.see(24 * 60) is State.DRIFTED
    await watch.see(24 * 60 + 1)
    assert watch.kinds == [OPENED]


async def test_what_is_withdrawn_is_told_again(watch: Watch) -> None:
    await watch.run(USERS)
    await watch.see(0)
    await watch.run(NOTE)
    await watch.see(1)
    await accept_all(watch)
    await watch.see(2)
    (acceptance,) = await watch.store.list_acceptances("test", "app")
    await watch.store.withdraw("test", "app", [acceptance.finding])
    assert await watch.see(3) is State.DRIFTED
    await watch.see(4)
    assert watch.kinds == [OPENED]


async def test_a_look_that_fails_forgets_nothing_that_was_accepted(watch: Watch) -> None:
    await watch.run(USERS)
    await watch.see(0)
    await watch.run(NOTE)
    await watch.see(1)
    await accept_all(watch)
    alive, watch.url = watch.url, "postgresql://nobody:wrong@127.0.0.1:1/app"
    assert await watch.see(2) is State.UNREACHABLE
    watch.url = alive
    assert await watch.see(3) is State.UNCHANGED


async def test_both_of_two_agents_leave_out_what_one_of_them_accepted(
    watch: Watch, tmp_path: Path
) -> None:
    await watch.run(USERS)
    await watch.see(0)
    await watch.run(NOTE)
    await watch.see(1)
    async with opened_watch(watch.url, tmp_path / "ledger.db") as other:
        await accept_all(other)
        assert await other.see(2) is State.UNCHANGED
        assert await watch.see(3) is State.UNCHANGED


async def test_what_is_missing_stays_accepted_when_what_is_expected_is_built_anew(
    database: str, other_server: Cluster, tmp_path: Path
) -> None:
    """Its frozen default is another one then, and nothing has changed for anybody."""
    frozen = "made timestamptz default 'now'"
    tables = f"create table users (id int, {frozen}); create table carts (id int, {frozen})"
    ini = write_history(tmp_path / "app", f"op.execute({tables!r})")
    ledger, shadow = tmp_path / "ledger.db", other_server.url()
    async with opened_watch(database, ledger, shadow=shadow) as watch:
        watch.expect(f"alembic:{ini}")
        stamp = "INSERT INTO alembic_version VALUES ('r1')"
        await watch.run(f"CREATE TABLE users (id int); {VERSIONS}; {stamp}")
        await watch.see(0)
        await watch.see(1)
    async with opened_watch(database, ledger, shadow=shadow) as watch:
        watch.expect(f"alembic:{ini}")
        await watch.see(2)
        await watch.see(3)
        assert watch.kinds == []  # nobody is told twice
        await accept_all(watch)
    async with opened_watch(database, ledger, shadow=shadow) as watch:
        watch.expect(f"alembic:{ini}")
        report = (await watch.look(4)).record.report
        assert (report.state, len(report.accepted)) == (State.IN_SYNC, 2)


async def test_a_rename_stays_accepted_when_its_text_is_respelt(watch: Watch) -> None:
    """As a dump and a restore do it."""
    await watch.run("CREATE TABLE t (a varchar CONSTRAINT known CHECK (a IN ('x', 'y')))")
    await watch.see(0)
    await watch.run("ALTER TABLE t RENAME CONSTRAINT known TO t_a_check")
    await watch.see(1)
    await accept_all(watch)
    assert await watch.see(2) is State.UNCHANGED
    await watch.run(
        """ALTER TABLE t DROP CONSTRAINT t_a_check, ADD CONSTRAINT t_a_check
        CHECK (a::text = ANY (ARRAY['x'::varchar::text, 'y'::varchar::text]))"""
    )
    report = (await watch.look(3)).record.report
    assert (report.state, len(report.accepted)) == (State.UNCHANGED, 1)


async def test_behind_and_otherwise_accepted_is_pending(watch: Watch, tmp_path: Path) -> None:
    ini = write_history(tmp_path / "app", 'op.execute("create table t (a int)")', "pass")
    watch.expect(f"alembic:{ini}")
    stamp = "INSERT INTO alembic_version VALUES ('r1')"
    await watch.run(f"CREATE TABLE t (a int, b int); {VERSIONS}; {stamp}")
    assert await watch.see(0) is State.DRIFTED
    await accept_all(watch)
    assert await watch.see(1) is State.PENDING
    await watch.run("UPDATE alembic_version SET version_num = 'r2'")
    report = (await watch.look(2)).record.report
    assert report.state is State.IN_SYNC
    assert report.summary == "the schema is what is expected (1 accepted)"


async def test_an_unstamped_database_can_be_accepted_and_stays_unstamped(
    watch: Watch, tmp_path: Path
) -> None:
    ini = write_history(tmp_path / "app", "pass")
    watch.expect(f"alembic:{ini}")
    await watch.run(USERS)
    assert await watch.see(0) is State.UNSTAMPED
    await accept_all(watch)
    report = (await watch.look(1)).record.report
    assert (report.state, report.findings) == (State.UNSTAMPED, ())
    await watch.see(2)
    await watch.see(3)
    assert watch.kinds == []


async def test_what_a_rule_ignores_is_not_told_and_shown_with_the_rule(watch: Watch) -> None:
    rule = IgnoreRule(object="table:public.tmp_*", reason="imports")
    watch.ignore(rule)
    await watch.run(USERS)
    await watch.see(0)
    await watch.run(f"CREATE TABLE tmp_1 (id int); CREATE TABLE tmp_2 (id int); {NOTE}")
    report = (await watch.look(1)).record.report
    assert report.state is State.DRIFTED
    assert [finding.code for finding in report.findings] == ["AW208"]
    assert [(one.rule, one.finding.code) for one in report.ignored] == [(rule, "AW205")] * 2
    assert report.summary.endswith("(2 ignored)")
    await watch.run("ALTER TABLE users DROP note; ALTER TABLE tmp_1 ADD further int")
    assert await watch.see(2) is State.UNCHANGED  # a rule is of the object, whatever becomes of it


async def test_a_flaw_can_be_ignored_or_accepted_too(watch: Watch) -> None:
    await watch.run(f"{USERS}; ALTER TABLE users ADD CHECK (id > 0) NOT VALID")
    watch.ignore(IgnoreRule(code="AW281", reason="since ever"))
    report = (await watch.look(0)).record.report
    assert (report.state, report.findings) == (State.UNCHANGED, ())
    assert [one.finding.code for one in report.ignored] == ["AW281"]


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        (IgnoreRule(code="AW225", reason="gone"), "AW904"),
        (IgnoreRule(code="AW2*", reason="old", until=date(2025, 12, 31)), "AW903"),
    ],
)
async def test_a_rule_to_tidy_up_is_an_info_that_tells_nobody_and_changes_no_state(
    watch: Watch, rule: IgnoreRule, code: str
) -> None:
    watch.ignore(rule)
    await watch.run(USERS)
    for minute in range(0, 30, 3):
        report = (await watch.look(minute)).record.report
    assert report.state is State.UNCHANGED
    assert [finding.code for finding in report.findings] == [code]
    assert watch.kinds == []
    assert await watch.store.list_incidents(include_resolved=True) == []


async def test_a_look_that_did_not_judge_the_schema_calls_no_rule_unused(
    watch: Watch, tmp_path: Path
) -> None:
    watch.ignore(IgnoreRule(code="AW225", reason="gone"))
    watch.expect(f"alembic:{write_history(tmp_path / 'app', 'pass')}")
    await watch.run(USERS)
    report = (await watch.look(0)).record.report
    assert report.state is State.UNSTAMPED
    assert [finding.code for finding in report.findings] == ["AW102"]
    watch.url = "postgresql://nobody:wrong@127.0.0.1:1/app"
    report = (await watch.look(1)).record.report
    assert [finding.code for finding in report.findings] == ["AW901"]


async def test_a_record_with_all_of_it_outlives_a_restart(database: str, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    async with opened_watch(database, ledger) as watch:
        watch.ignore(IgnoreRule(object="table:*", reason="all", until=date(2030, 1, 1)))
        await watch.run(USERS)
        await watch.see(0)
        await watch.run(f"{NOTE}; CREATE TABLE more (id int)")
        await watch.see(1)
        await accept_all(watch)
        report = (await watch.look(2)).record.report
        assert (len(report.accepted), len(report.ignored)) == (1, 1)
    async with opened_watch(database, ledger) as watch:
        record = await watch.store.load("test", "app")
        assert record is not None
        assert record.report == report
