"""What a look at a real database makes of its stamp, its schema and its history."""

import shutil
from pathlib import Path

import msgspec
import pytest

from monitor.checks import spelling
from monitor.core.errors import LookError, Unreachable
from monitor.core.findings import FindingClass
from monitor.core.scope import Scope
from monitor.core.verdict import State
from monitor.sources import expected, rebuild
from monitor.sources.engine import Cluster
from monitor.watch.inspection import inspect
from monitor.watch.reports import report_failure
from tests.sources.peers import run, socket_url, weak_role
from tests.sources.shadow_peers import write_history
from tests.watch.builders import START, Watch

VERSIONS = "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)"
TABLE_T = 'op.execute("create table t (a int)")'
TABLE_U = 'op.execute("create table u (a int)")'


def stamp(revision: str) -> str:
    return f"DELETE FROM alembic_version; INSERT INTO alembic_version VALUES ('{revision}')"


@pytest.fixture
def ini(tmp_path: Path) -> Path:
    """A history of two revisions, a table each."""
    return write_history(tmp_path / "app", TABLE_T, TABLE_U)


async def test_at_the_heads_and_right_is_in_sync(watch: Watch, ini: Path) -> None:
    watch.expect(f"alembic:{ini}")
    await watch.run(f"CREATE TABLE t (a int); CREATE TABLE u (a int); {VERSIONS}; {stamp('r2')}")
    report = (await watch.look(0)).record.report
    assert report.state is State.IN_SYNC
    assert (report.revisions, report.expected_revisions) == (("r2",), ("r2",))
    assert report.pending == ()


async def test_rows_that_include_each_other_are_told_without_a_lock(
    watch: Watch, ini: Path
) -> None:
    watch.expect(f"alembic:{ini}")
    rows = "INSERT INTO alembic_version VALUES ('r1'), ('r2')"
    await watch.run(f"CREATE TABLE t (a int); CREATE TABLE u (a int); {VERSIONS}; {rows}")
    report = (await watch.look(0)).record.report
    assert report.state is State.OVERLAPPING
    assert [finding.code for finding in report.findings] == ["AW104"]


async def test_the_version_column_of_another_application_is_its_own_business(
    watch: Watch, ini: Path
) -> None:
    watch.expect(f"alembic:{ini}")
    other = VERSIONS.replace("32", "1").replace("alembic_version", "other.alembic_version")
    await watch.run(
        f"CREATE TABLE t (a int); {VERSIONS}; INSERT INTO alembic_version VALUES ('r1'); "
        f"CREATE SCHEMA other; {other}; INSERT INTO other.alembic_version VALUES ('z')"
    )
    report = (await watch.look(0)).record.report
    assert "AW110" not in [finding.code for finding in report.findings]


async def test_a_version_column_too_narrow_for_a_revision_to_come_is_told(
    watch: Watch, ini: Path
) -> None:
    watch.expect(f"alembic:{ini}")
    narrow = VERSIONS.replace("32", "1")
    await watch.run(f"CREATE TABLE t (a int); {narrow}")
    late = ini.parent / "m/versions/r1.py"
    late.write_text(late.read_text().replace('"r1"', '"1"'))
    second = ini.parent / "m/versions/r2.py"
    second.write_text(second.read_text().replace("'r1'", "'1'"))
    await watch.run("INSERT INTO alembic_version VALUES ('1')")
    report = (await watch.look(0)).record.report
    assert report.state is State.PENDING
    assert [finding.code for finding in report.findings] == ["AW110"]


async def test_behind_and_right_is_pending_and_never_drift(watch: Watch, ini: Path) -> None:
    watch.expect(f"alembic:{ini}")
    await watch.run(f"CREATE TABLE t (a int); {VERSIONS}; {stamp('r1')}")
    report = (await watch.look(0)).record.report
    assert (report.state, report.pending, report.findings) == (State.PENDING, ("r2",), ())


async def test_behind_and_different_is_drifted(watch: Watch, ini: Path) -> None:
    watch.expect(f"alembic:{ini}")
    await watch.run(f"CREATE TABLE t (a bigint); {VERSIONS}; {stamp('r1')}")
    report = (await watch.look(0)).record.report
    assert (report.state, report.pending) == (State.DRIFTED, ("r2",))
    assert [finding.code for finding in report.findings] == ["AW209"]


async def test_tables_without_a_stamp_are_unstamped(watch: Watch, ini: Path) -> None:
    watch.expect(f"alembic:{ini}")
    await watch.run("CREATE TABLE t (a int)")
    report = (await watch.look(0)).record.report
    assert report.state is State.UNSTAMPED
    assert FindingClass.DRIFT not in report.judged


async def test_no_tables_are_empty(watch: Watch, ini: Path) -> None:
    watch.expect(f"alembic:{ini}")
    assert await watch.see(0) is State.EMPTY


async def test_no_tables_are_empty_where_the_stamp_promises_some(watch: Watch, ini: Path) -> None:
    watch.expect(f"alembic:{ini}")
    await watch.run(f"CREATE VIEW v AS SELECT 1 AS one; {VERSIONS}; {stamp('r1')}")
    assert await watch.see(0) is State.EMPTY


async def test_a_history_without_tables_is_compared(watch: Watch, tmp_path: Path) -> None:
    make = "create function one() returns int return 1"
    ini = write_history(tmp_path / "bare", f'op.execute("{make}")', TABLE_U)
    watch.expect(f"alembic:{ini}")
    await watch.run(f"{VERSIONS}; {stamp('r1')}")
    report = (await watch.look(0)).record.report
    assert (report.state, report.pending) == (State.DRIFTED, ("r2",))
    assert [str(finding.key) for finding in report.findings] == ["function public.one()"]
    await watch.run(make)
    assert await watch.see(1) is State.PENDING


async def test_a_stamp_that_the_history_lacks_is_an_unknown_revision(
    watch: Watch, ini: Path
) -> None:
    watch.expect(f"alembic:{ini}")
    await watch.run(f"CREATE TABLE t (a int); {VERSIONS}; {stamp('gone')}")
    report = (await watch.look(0)).record.report
    assert report.state is State.UNKNOWN_REVISION
    assert "gone" in report.summary
    assert FindingClass.DRIFT not in report.judged


async def test_a_revision_that_a_deployment_brings_is_known_at_the_next_look(
    watch: Watch, ini: Path, tmp_path: Path
) -> None:
    watch.expect(f"alembic:{ini}")
    await watch.run(f"CREATE TABLE t (a int); {VERSIONS}; {stamp('r1')}")
    await watch.see(0)
    write_history(tmp_path / "app", TABLE_T, TABLE_U, 'op.execute("create table v (a int)")')
    await watch.run(f"CREATE TABLE u (a int); CREATE TABLE v (a int); {stamp('r3')}")
    report = (await watch.look(1)).record.report
    assert report.state is State.IN_SYNC
    assert report.expected_revisions == ("r3",)


async def test_a_new_file_makes_pending_at_once(watch: Watch, ini: Path, tmp_path: Path) -> None:
    watch.expect(f"alembic:{ini}")
    await watch.run(f"CREATE TABLE t (a int); CREATE TABLE u (a int); {VERSIONS}; {stamp('r2')}")
    assert await watch.see(0) is State.IN_SYNC
    write_history(tmp_path / "app", TABLE_T, TABLE_U, "pass")
    report = (await watch.look(1)).record.report
    assert (report.state, report.pending) == (State.PENDING, ("r3",))
    assert report.expected_revisions == ("r3",)


async def test_a_version_table_that_cannot_be_read_is_unknown_and_names_the_grant(
    watch: Watch, ini: Path, server: Cluster, database: str
) -> None:
    watch.expect(f"alembic:{ini}")
    await watch.run(f"CREATE TABLE t (a int); {VERSIONS}; {stamp('r1')}")
    async with weak_role(server, database) as role:
        watch.url = socket_url(server, database, role)
        report = (await watch.look(0)).record.report
    assert report.state is State.UNKNOWN
    assert report.judged == {FindingClass.UNREACHABLE, FindingClass.UNKNOWN}
    assert 'GRANT SELECT ON "public"."alembic_version"' in report.findings[0].remedy
    assert report.revisions is None


async def test_without_a_history_a_hidden_stamp_hinders_nothing(
    watch: Watch, server: Cluster, database: str
) -> None:
    await watch.run(f"CREATE TABLE t (a int); {VERSIONS}; {stamp('r1')}")
    async with weak_role(server, database) as role:
        watch.url = socket_url(server, database, role)
        assert await watch.see(0) is State.UNCHANGED


async def test_a_history_that_cannot_be_read_is_unknown_and_leaves_drift_open(
    watch: Watch, ini: Path
) -> None:
    watch.expect(f"alembic:{ini}")
    await watch.run(f"CREATE TABLE t (a bigint); {VERSIONS}; {stamp('r1')}")
    await watch.see(0)
    await watch.see(1)
    shutil.move(ini.parent / "m", ini.parent / "away")
    for minute in range(2, 5):
        decided = await watch.look(minute)
        assert decided.record.state is State.UNKNOWN
    assert FindingClass.DRIFT in decided.unresolved
    shutil.move(ini.parent / "away", ini.parent / "m")
    assert await watch.see(5) is State.DRIFTED
    assert len(watch.kinds) == 1


async def test_a_history_that_is_not_there_at_first_is_read_when_it_comes(
    watch: Watch, tmp_path: Path
) -> None:
    watch.expect(f"alembic:{tmp_path}/late/alembic.ini")
    await watch.run(f"CREATE TABLE t (a int); {VERSIONS}; {stamp('r1')}")
    assert await watch.see(0) is State.UNKNOWN
    write_history(tmp_path / "late", TABLE_T)
    assert await watch.see(1) is State.IN_SYNC


async def test_a_migration_that_fails_in_the_shadow_says_nothing_about_the_database(
    watch: Watch, tmp_path: Path
) -> None:
    ini = write_history(tmp_path / "bad", 'op.execute("create table t (a nosuchtype)")')
    watch.expect(f"alembic:{ini}")
    await watch.run(f"CREATE TABLE t (a int); {VERSIONS}; {stamp('r1')}")
    report = (await watch.look(0)).record.report
    assert report.state is State.UNKNOWN
    assert "nosuchtype" in report.summary
    assert report.fingerprint is not None


async def test_without_expectation_and_baseline_it_is_looked_at_by_itself(watch: Watch) -> None:
    await watch.run("CREATE TABLE t (a int CHECK (a > 0)); ALTER TABLE t DISABLE TRIGGER ALL")
    look = await inspect(watch.target, START)
    assert look.report.state is State.UNCHANGED
    assert look.report.summary == "no expectation, looked at by itself"
    await watch.run("ALTER TABLE t ADD CHECK (a < 9) NOT VALID")
    look = await inspect(watch.target, START)
    assert look.report.summary.startswith("no expectation, looked at by itself: 1 flaw")


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (Unreachable("Nobody.", next_step="Ask."), State.UNREACHABLE),
        (LookError("Nothing.", next_step="Ask."), State.UNKNOWN),
    ],
)
def test_a_failure_judges_neither_schema_nor_history(error: LookError, state: State) -> None:
    report = report_failure("test", "app", START, error)
    assert report.state is state
    assert not report.judged & {FindingClass.DRIFT, FindingClass.HISTORY}
    assert FindingClass.UNREACHABLE in report.judged
    assert report.findings[0].remedy == "Ask."


async def test_an_escaped_name_is_text_and_nothing_else(watch: Watch) -> None:
    name = 'a"b\n😀</script>' + "x" * 45
    quoted = '"' + name.replace('"', '""') + '"'
    await run(watch.url, f"CREATE TABLE {quoted} (a int)")
    look = await inspect(watch.target, START)
    assert look.snapshot is not None
    assert name in {item.key.name for item in look.snapshot.objects}


IN = "CREATE TABLE t (a varchar CONSTRAINT c CHECK (a IN ('a', 'b')))"
ANY = "CREATE TABLE t (a varchar CONSTRAINT c CHECK (a = ANY (ARRAY['a', 'b'])))"


async def test_another_spelling_is_in_sync_and_a_note(watch: Watch, tmp_path: Path) -> None:
    ini = write_history(tmp_path / "spelled", f"op.execute({IN!r})")
    watch.expect(f"alembic:{ini}")
    await watch.run(f"{ANY}; {VERSIONS}; {stamp('r1')}")
    report = (await watch.look(0)).record.report
    assert (report.state, report.findings) == (State.IN_SYNC, ())
    assert "means the same" in report.notes[0]


async def test_without_an_expectation_a_restored_spelling_is_unchanged(watch: Watch) -> None:
    await watch.run(IN)
    assert [await watch.see(minute) for minute in (0, 1)] == [State.UNCHANGED] * 2
    await watch.run(f"DROP TABLE t; {ANY}")
    assert await watch.see(2) is State.UNCHANGED
    await watch.run(f"DROP TABLE t; {ANY.replace("'b'", "'c'")}")
    assert await watch.see(3) is State.DRIFTED


async def test_a_frozen_default_and_a_name_after_today_are_in_sync(
    watch: Watch, tmp_path: Path
) -> None:
    ini = write_history(
        tmp_path / "today",
        "import datetime; op.execute('create table t (a timestamptz default \\'now()\\')'); "
        "op.execute(f'create table events_{datetime.date.today():%Y_%m} (a int)')",
    )
    watch.expect(f"alembic:{ini}")
    frozen = "a timestamptz DEFAULT '2024-05-06 07:08:09+00'"
    await watch.run(f"CREATE TABLE t ({frozen}); CREATE TABLE events_2024_05 (a int)")
    await watch.run(f"{VERSIONS}; {stamp('r1')}")
    report = (await watch.look(0)).record.report
    assert (report.state, report.findings) == (State.IN_SYNC, ())
    assert len(report.notes) == 3
    await watch.run("ALTER TABLE t ADD b int")
    report = (await watch.look(1)).record.report
    assert [finding.code for finding in report.findings] == ["AW208"]


async def test_a_look_at_a_database_in_sync_builds_nothing_twice_and_starts_no_shadow(
    watch: Watch, ini: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch.expect(f"alembic:{ini}")
    await watch.run(f"CREATE TABLE t (a int); CREATE TABLE u (a int); {VERSIONS}; {stamp('r2')}")
    monkeypatch.setattr(spelling, "open_shadows", None)
    monkeypatch.setattr(expected, "rebuild", None)
    monkeypatch.setattr(rebuild, "rebuild", None)
    assert await watch.see(0) is State.IN_SYNC


async def test_what_is_only_information_makes_no_schema_wrong(watch: Watch, ini: Path) -> None:
    watch.expect(f"alembic:{ini}")
    await watch.run(f"CREATE TABLE t (a int); CREATE TABLE u (a int); {VERSIONS}; {stamp('r2')}")
    await watch.run("COMMENT ON TABLE t IS 'by hand'")
    report = (await watch.look(0)).record.report
    assert report.state is State.IN_SYNC
    assert [finding.code for finding in report.findings] == ["AW287"]
    assert report.summary == (
        "the schema is what is expected: 1 remark, the worst: table public.t differs in comment"
    )


async def test_what_is_compared_is_the_targets_to_say(watch: Watch, ini: Path) -> None:
    watch.expect(f"alembic:{ini}")
    await watch.run(f"CREATE TABLE t (a int); CREATE TABLE u (a int); {VERSIONS}; {stamp('r2')}")
    await watch.run("CREATE SCHEMA scratch; CREATE TABLE scratch.t (a int)")
    target = watch.target
    assert (await inspect(target, START)).report.state is State.DRIFTED
    within = msgspec.structs.replace(target, scope=Scope(without=("scratch",)))
    report = (await inspect(within, START)).report
    assert report.state is State.IN_SYNC
    assert report.notes == (
        "3 objects of the schema scratch, by configuration, are not compared.",
    )
