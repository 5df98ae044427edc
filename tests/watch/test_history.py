"""What looks at a real database say of its history, where a lock tells what revisions do."""

import asyncio
from pathlib import Path

import pytest

from monitor.core.findings import FindingClass
from monitor.core.incidents import EventKind
from monitor.core.lock_file import dump_lock
from monitor.core.rules import RULES
from monitor.core.verdict import State
from monitor.core.waivers import IgnoreRule
from monitor.sources.build import BuildOptions
from monitor.sources.engine import Cluster
from monitor.sources.locking import LockOptions, build_lock
from monitor.sources.scripts import read_scripts
from monitor.sources.shadows import open_shadows
from tests.sources.shadow_peers import write_history
from tests.watch.builders import Watch

STEPS = (
    "create table t (a int)",
    "alter table t add b int",
    "create table u (a int)",
    "alter table u add b int",
)
VERSIONS = "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)"


def stamp(revision: str) -> str:
    return f"DELETE FROM alembic_version; INSERT INTO alembic_version VALUES ('{revision}')"


def ran(*numbers: int) -> str:
    return "; ".join(STEPS[number - 1] for number in numbers)


@pytest.fixture(scope="module")
def lock(server: Cluster, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The lock of the steps, built once."""
    ini = write_history(tmp_path_factory.mktemp("app"), *(f"op.execute({s!r})" for s in STEPS))
    options = BuildOptions(shadow_url=server.url())

    async def build() -> bytes:
        async with open_shadows(options) as shadows:
            return dump_lock(
                await build_lock(read_scripts(ini), shadows, LockOptions(build=options))
            )

    return asyncio.run(build())


@pytest.fixture
def locked(watch: Watch, lock: bytes, tmp_path: Path) -> Watch:
    """A watch on an empty database of which a lock is expected."""
    (tmp_path / "schema.lock.json").write_bytes(lock)
    watch.expect(f"lock:{tmp_path / 'schema.lock.json'}")
    return watch


@pytest.mark.parametrize(
    ("numbers", "row", "state", "codes"),
    [
        ((1, 2, 3, 4), "r4", State.IN_SYNC, []),
        ((1, 2), "r2", State.PENDING, []),
        ((1, 2), "r4", State.STAMPED_NOT_RUN, ["AW108"]),
        ((1, 3, 4), "r4", State.HOLE, ["AW107"]),
        ((1, 2, 3), "r1", State.APPLIED_BY_HAND, ["AW109"]),
        ((1,), "nil", State.UNKNOWN_REVISION, ["AW103"]),
    ],
)
async def test_a_look_names_the_cause_and_not_its_consequences(
    locked: Watch, numbers: tuple[int, ...], row: str, state: State, codes: list[str]
) -> None:
    await locked.run(f"{ran(*numbers)}; {VERSIONS}; {stamp(row)}")
    report = (await locked.look(0)).record.report
    assert report.state is state, report
    assert [finding.code for finding in report.findings] == codes
    assert all(RULES[code].finding_class is FindingClass.HISTORY for code in codes)


async def test_tables_without_a_stamp_are_told_with_the_revision_that_fits(locked: Watch) -> None:
    await locked.run(ran(1, 2, 3))
    report = (await locked.look(0)).record.report
    assert report.state is State.UNSTAMPED
    [finding] = report.findings
    assert finding.title.endswith("the schema is that of r3")
    assert finding.remedy == "alembic stamp --purge r3"


async def test_no_tables_are_empty(locked: Watch) -> None:
    await locked.run(f"{VERSIONS}; {stamp('r4')}")
    assert await locked.see(0) is State.EMPTY


async def test_what_no_revision_explains_is_told_beside_the_cause(locked: Watch) -> None:
    await locked.run(f"{ran(1, 2)}; alter table t add by_hand int; {VERSIONS}; {stamp('r4')}")
    report = (await locked.look(0)).record.report
    assert report.state is State.STAMPED_NOT_RUN
    assert sorted(finding.code for finding in report.findings) == ["AW108", "AW208"]


async def test_a_cause_is_told_once_and_over_when_it_is(locked: Watch) -> None:
    await locked.run(f"{ran(1, 2)}; {VERSIONS}; {stamp('r4')}")
    for minute in range(0, 20, 2):
        await locked.look(minute)
    assert locked.kinds == [EventKind.OPENED]
    await locked.run(ran(3, 4))
    for minute in range(20, 30, 2):
        await locked.look(minute)
    assert locked.kinds == [EventKind.OPENED, EventKind.RESOLVED]
    assert await locked.see(31) is State.IN_SYNC


async def test_an_ignored_cause_leaves_what_else_is_wrong(locked: Watch) -> None:
    await locked.run(f"{ran(1, 2, 3, 4)}; {VERSIONS}; {stamp('r3')}")
    locked.ignore(IgnoreRule(code="AW109", reason="being released"))
    report = (await locked.look(0)).record.report
    assert report.state is State.PENDING
    assert [one.finding.code for one in report.ignored] == ["AW109"]


async def test_a_lock_that_is_gone_is_unknown_and_resolves_nothing(
    locked: Watch, tmp_path: Path
) -> None:
    await locked.run(f"{ran(1, 2)}; {VERSIONS}; {stamp('r4')}")
    for minute in range(3):
        await locked.look(minute)
    (tmp_path / "schema.lock.json").write_text("<<<<<<< HEAD")
    report = (await locked.look(4)).record.report
    assert report.state is State.UNKNOWN
    assert "is not a lock" in report.summary
    assert EventKind.RESOLVED not in locked.kinds
