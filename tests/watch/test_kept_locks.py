"""The locks that the ledger keeps of one database, and what looks make of them."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from monitor.core.errors import DamagedFile
from monitor.core.history import Revision
from monitor.core.lock_file import dump_lock, load_lock
from monitor.core.verdict import State
from monitor.sinks.locks import Keeping, KeptLock
from monitor.sources.build import BuildOptions
from monitor.sources.engine import Cluster
from monitor.sources.locking import LockOptions, build_lock
from monitor.sources.scripts import read_scripts
from monitor.sources.shadows import open_shadows
from monitor.watch.kept_locks import KeptLocks, choose_deployed
from tests.sources.shadow_peers import write_history
from tests.watch.builders import START, Watch
from tests.watch.test_history import STEPS, VERSIONS, ran, stamp

OLD = "alter table t add b text"
"""What the second revision did before it was edited."""


@pytest.fixture(scope="module")
def locks(server: Cluster, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The locks of releases with two and four revisions, and of one before an edit."""
    options = BuildOptions(shadow_url=server.url())

    async def build(name: str, *steps: str) -> bytes:
        ini = write_history(tmp_path_factory.mktemp(name), *(f"op.execute({s!r})" for s in steps))
        async with open_shadows(options) as shadows:
            chosen = LockOptions(build=options)
            return dump_lock(await build_lock(read_scripts(ini), shadows, chosen))

    async def build_all() -> dict[str, bytes]:
        return {
            **{str(n): await build(str(n), *STEPS[:n]) for n in (2, 4)},
            "old": await build("old", STEPS[0], OLD),
        }

    return asyncio.run(build_all())


@pytest.fixture
def kept(watch: Watch) -> KeptLocks:
    """Those of the watched database, none so far."""
    watch.kept = KeptLocks(watch.store, "test", "app")
    return watch.kept


async def push(
    kept: KeptLocks, body: bytes, commit: str, minutes: float = 0, *, anew: bool = False
) -> Keeping:
    return await kept.push(body, commit, START + timedelta(minutes=minutes), anew=anew)


async def test_a_pushed_lock_takes_the_place_of_the_baseline(
    watch: Watch, kept: KeptLocks, locks: dict[str, bytes]
) -> None:
    await watch.run(f"{ran(1, 2)}; {VERSIONS}; {stamp('r2')}")
    assert await watch.see(0) is State.UNCHANGED
    assert await push(kept, locks["4"], "c4") is Keeping.NEW
    report = (await watch.look(1)).record.report
    assert (report.state, report.pending) == (State.PENDING, ("r3", "r4"))
    assert report.expected_revisions == ("r4",)


async def test_pending_is_judged_against_what_is_deployed(
    watch: Watch, kept: KeptLocks, locks: dict[str, bytes]
) -> None:
    await watch.run(f"{ran(1, 2)}; {VERSIONS}; {stamp('r2')}")
    await push(kept, locks["2"], "c2", 0)
    await push(kept, locks["4"], "c4", 1)
    assert await watch.see(2) is State.PENDING
    watch.kept = KeptLocks(watch.store, "test", "app", commit="c2")
    assert await watch.see(3) is State.IN_SYNC


async def test_that_no_lock_of_the_deployed_commit_is_kept_is_said(
    watch: Watch, kept: KeptLocks, locks: dict[str, bytes]
) -> None:
    await watch.run(f"{ran(1, 2)}; {VERSIONS}; {stamp('r2')}")
    await push(kept, locks["4"], "c4")
    assert (await watch.look(0)).record.report.notes == ()
    watch.kept = KeptLocks(watch.store, "test", "app", commit="c2")
    [note] = (await watch.look(1)).record.report.notes
    assert note.startswith("No lock is kept for the deployed commit c2")


async def test_a_lock_that_changes_for_one_commit_is_the_one_that_holds(
    watch: Watch, locks: dict[str, bytes], tmp_path: Path
) -> None:
    path = tmp_path / "schema.lock.json"
    path.write_bytes(locks["2"])
    watch.expect(f"lock:{path}", commit="abc1234")
    watch.kept = KeptLocks(
        watch.store, "test", "app", configured=watch.find_lock(), commit="abc1234"
    )
    await watch.run(f"{ran(1, 2)}; {VERSIONS}; {stamp('r2')}")
    assert await watch.see(0) is State.IN_SYNC
    path.write_bytes(locks["4"])
    assert await watch.see(1) is State.PENDING


async def test_after_a_rollback_it_is_ahead_and_whether_the_old_code_runs_is_said(
    watch: Watch, kept: KeptLocks, locks: dict[str, bytes]
) -> None:
    await watch.run(f"{ran(1, 2, 3, 4)}; {VERSIONS}; {stamp('r4')}")
    await push(kept, locks["4"], "c4", 0)
    assert await push(kept, locks["2"], "c2", 1) is Keeping.NEW
    report = (await watch.look(2)).record.report
    assert (report.state, report.findings, report.pending) == (State.AHEAD, (), ())
    assert report.summary.endswith("the deployed one ends at r2: its code can run on this schema")
    await watch.run("drop table u")
    report = (await watch.look(3)).record.report
    assert report.state is State.AHEAD
    assert [finding.code for finding in report.findings] == ["AW108"]


async def test_a_stamp_that_no_lock_knows_is_given_time(
    watch: Watch, kept: KeptLocks, locks: dict[str, bytes]
) -> None:
    await watch.run(f"{ran(1, 2)}; {VERSIONS}; {stamp('r2')}")
    await push(kept, locks["2"], "c2")
    assert await watch.see(0) is State.IN_SYNC
    await watch.run(f"{ran(3)}; {stamp('r3')}")
    report = (await watch.look(5)).record.report
    assert (report.state, report.findings) == (State.AHEAD, ())
    assert "after r2: waiting for the lock" in report.summary
    assert await watch.see(19) is State.AHEAD
    assert await watch.see(20) is State.UNKNOWN_REVISION
    await push(kept, locks["4"], "c4", 21)
    assert await watch.see(22) is State.PENDING


async def test_no_time_is_given_where_the_schema_of_before_is_gone(
    watch: Watch, kept: KeptLocks, locks: dict[str, bytes]
) -> None:
    await watch.run(f"{ran(1, 2)}; {VERSIONS}; {stamp('r2')}")
    await push(kept, locks["2"], "c2")
    assert await watch.see(0) is State.IN_SYNC
    await watch.run(f"alter table t drop b; {stamp('elsewhere')}")
    assert await watch.see(1) is State.UNKNOWN_REVISION


async def test_what_a_revision_did_in_the_lock_before_is_remembered(
    watch: Watch, kept: KeptLocks, locks: dict[str, bytes]
) -> None:
    await watch.run(f"{STEPS[0]}; {OLD}; {VERSIONS}; {stamp('r2')}")
    await push(kept, locks["old"], "c1", 0)
    assert await watch.see(0) is State.IN_SYNC
    await push(kept, locks["4"], "c2", 1)
    report = (await watch.look(2)).record.report
    assert report.state is State.EDITED_REVISION
    assert [finding.code for finding in report.findings] == ["AW111"]
    assert report.findings[0].title == "what r2 did before it was edited is there"


async def test_a_configured_lock_is_kept_and_held_where_it_cannot_be_read(
    watch: Watch, locks: dict[str, bytes], tmp_path: Path
) -> None:
    path = tmp_path / "schema.lock.json"
    path.write_bytes(locks["2"])
    watch.expect(f"lock:{path}")
    watch.kept = KeptLocks(watch.store, "test", "app", configured=watch.find_lock())
    await watch.run(f"{ran(1, 2)}; {VERSIONS}; {stamp('r2')}")
    assert await watch.see(0) is State.IN_SYNC
    path.write_bytes(locks["4"])
    assert await watch.see(1) is State.PENDING
    path.write_text("<<<<<<< HEAD")
    report = (await watch.look(2)).record.report
    assert report.state is State.PENDING
    assert report.notes[0].startswith("The lock cannot be read anew, so the last one holds: ")
    assert report.notes[0].endswith("It is of 2026-01-01 00:01 UTC.")
    path.write_bytes(locks["2"])
    assert await watch.see(3) is State.IN_SYNC
    assert len(await watch.store.list_locks("test", "app")) == 2


async def test_a_configured_lock_that_never_could_be_read_is_unknown(
    watch: Watch, tmp_path: Path
) -> None:
    watch.expect(f"lock:{tmp_path / 'gone.json'}")
    watch.kept = KeptLocks(watch.store, "test", "app", configured=watch.find_lock())
    await watch.run(f"{ran(1)}; {VERSIONS}; {stamp('r1')}")
    report = (await watch.look(0)).record.report
    assert report.state is State.UNKNOWN
    assert "gone.json cannot be read" in report.summary


async def test_what_is_no_lock_or_of_another_application_is_refused(
    watch: Watch, kept: KeptLocks, locks: dict[str, bytes], server: Cluster, tmp_path: Path
) -> None:
    with pytest.raises(DamagedFile, match="What was sent is not a lock"):
        await push(kept, b"{}", "c1")
    assert await push(kept, locks["2"], "c1") is Keeping.NEW
    assert await push(kept, locks["2"], "c1", 1) is Keeping.SAME
    assert await push(kept, locks["4"], "c1", 2) is Keeping.CONFLICT
    lock = load_lock(locks["2"], place="it")
    renamed = tuple(
        msgspec.structs.replace(one, revision=_rename(one.revision)) for one in lock.revisions
    )
    other = dump_lock(msgspec.structs.replace(lock, revisions=renamed))
    assert await push(kept, other, "c2", 3) is Keeping.FOREIGN
    assert await push(kept, other, "c2", 4, anew=True) is Keeping.NEW
    assert [one.commit for one in await watch.store.list_locks("test", "app")] == ["c2"]


def _rename(revision: Revision) -> Revision:
    return replace(revision, id=f"x{revision.id}", down=tuple(f"x{d}" for d in revision.down))


@pytest.mark.parametrize(
    ("commit", "chosen"),
    [("", "c9e1f00"), ("abcdef1234567", "abcdef1"), ("abcdef1", "abcdef1"), ("nobody", "c9e1f00")],
)
def test_the_lock_of_the_deployed_commit_is_the_one_or_the_last(commit: str, chosen: str) -> None:
    kept = [KeptLock(digest=c, commit=c, at=START) for c in ("c9e1f00", "abcdef1", "")]
    assert choose_deployed(kept, commit).commit == chosen


@pytest.mark.parametrize(
    ("commit", "chosen"),
    [
        ("v2024.1", "v2024.1"),
        ("abcdef1", "abcdef1"),
        ("abcdef12", "abcdef1234"),
        ("v2024", "last"),
    ],
)
def test_the_commit_itself_comes_before_one_that_begins_like_it(commit: str, chosen: str) -> None:
    names = ("last", "v2024.10", "abcdef1234", "abcdef1", "v2024.1")
    kept = [KeptLock(digest=name, commit=name, at=START) for name in names]
    assert choose_deployed(kept, commit).commit == chosen
