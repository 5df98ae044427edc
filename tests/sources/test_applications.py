"""Real histories from PyPI, replayed in environments of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

from monitor.checks.diagnosis import diagnose_snapshot
from monitor.core.errors import BuildError
from monitor.core.keys import Kind
from monitor.core.lock import Lock
from monitor.core.lock_file import dump_lock, load_lock
from monitor.core.lock_states import States
from monitor.core.release import Known
from monitor.core.snapshot import Snapshot
from monitor.core.source import parse_source
from monitor.core.verdict import State
from monitor.sources.binaries import DEBIAN_ROOT, Binaries
from monitor.sources.build import BuildOptions, choose_python
from monitor.sources.engine import running_cluster
from monitor.sources.expected import (
    Expectation,
    open_expectation,
    open_shadows,
    read_source,
)
from monitor.sources.locked import LockedExpectation
from monitor.sources.locking import LockOptions, build_lock
from monitor.sources.packages import read_search_path
from monitor.sources.scripts import read_scripts
from tests.core.faults import list_grades, sabotage

pytestmark = pytest.mark.long
FAULTS = 250
LOGGING = (
    "[loggers]\nkeys=root\n[handlers]\nkeys=\n[formatters]\nkeys=\n[logger_root]\nhandlers=\n"
)


def install(home: Path, *packages: str) -> Path:
    """Make an environment with the packages and a driver; return its interpreter."""
    python = home / "bin/python"
    subprocess.run((sys.executable, "-m", "venv", home), check=True)
    install = (python, "-m", "pip", "install", "-q", "--disable-pip-version-check")
    subprocess.run((*install, *packages, "psycopg[binary]"), check=True)
    return python


def configure(root: Path, options: str) -> str:
    """Write an alembic.ini; return the source."""
    (root / "alembic.ini").write_text(f"[alembic]\n{options}\n{LOGGING}")
    return f"alembic:{root / 'alembic.ini'}"


def count(snapshot: Snapshot) -> tuple[int, tuple[str, ...] | None]:
    [table] = snapshot.version_tables
    return snapshot.count(Kind.TABLE), table.revisions


async def hold_healthy(
    lock: Lock, expectation: Expectation | LockedExpectation
) -> list[tuple[str, int]]:
    """The verdict on a database at each revision, with how many are still to come."""
    states, told = States(lock), []
    for one in lock.revisions:
        live = await expectation.snapshot_at((one.id,))
        found = (await diagnose_snapshot(Known(states), live)).diagnosis
        assert found.pending == lock.history.pending((one.id,))
        assert (found.missing_revisions, found.extra_revisions) == ((), ())
        assert (found.unexplained, found.also) == (0, ())
        told.append((str(found.verdict), len(found.pending)))
    return told


def hold_faults(name: str, lock: Lock, capsys: pytest.CaptureFixture[str]) -> None:
    """What people do to databases of this history is found out."""
    grades = sabotage(States(lock), FAULTS)
    with capsys.disabled():
        print(f" {name}: {list_grades(grades.items())} ")  # noqa: T201  # a figure
    assert grades["exact"] + grades["alternative"] == FAULTS - grades["not known"]


async def lock_up(text: str, options: BuildOptions) -> Lock:
    scripts = read_scripts(
        Path(text.partition(":")[2]), lambda: read_search_path(choose_python(options))
    )
    async with open_shadows(options) as shadows:
        lock = await build_lock(scripts, shadows, LockOptions(build=options))
    assert lock.stopped_at is None
    assert load_lock(dump_lock(lock), place="it") == lock
    return lock


async def test_optuna_is_replayed_to_its_head_and_to_every_revision(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python = install(tmp_path / "venv", "optuna==5.0.0")
    text = configure(tmp_path, "script_location = optuna.storages._rdb:alembic")
    async with open_expectation(parse_source(text), BuildOptions(python=python)) as expectation:
        assert expectation.heads == ("v3.2.0.a",)
        assert expectation.history is not None
        assert len(expectation.history.revisions) == 10
        for revision in expectation.history.pending([]):
            _, rows = count(await expectation.snapshot_at((revision,)))
            assert rows == (revision,)
        lock = await lock_up(text, BuildOptions(python=python))
        told = await hold_healthy(lock, expectation)
    hold_faults("optuna", lock, capsys)
    assert told == [*(("pending", 9 - n) for n in range(9)), ("in_sync", 0)]


async def test_keystone_is_replayed_to_both_of_its_heads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python = install(tmp_path / "venv", "keystone==30.0.0")
    [site] = (tmp_path / "venv/lib").glob("python*/site-packages")
    (site / "sitecustomize.py").write_text("import keystone.conf\nkeystone.conf.configure()\n")
    text = configure(
        tmp_path,
        "script_location = keystone.common.sql:migrations\nrecursive_version_locations = true",
    )
    options = BuildOptions(python=python)
    built = await read_source(parse_source(text), options)
    tables, rows = count(built)
    assert rows == ("742c857f1dfb", "c88cdce8f248")
    assert tables > 40
    lock = await lock_up(text, options)
    judged = await diagnose_snapshot(Known(States(lock)), built)
    assert judged.diagnosis.verdict is State.IN_SYNC
    async with open_expectation(parse_source(text), options) as expectation:
        told = await hold_healthy(lock, expectation)
    hold_faults("keystone", lock, capsys)
    assert {verdict for verdict, _ in told} == {"pending"}  # each row alone lacks the other branch


async def test_quetz_is_replayed_where_the_server_knows_its_collations(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python = install(tmp_path / "venv", "quetz-server==0.10.4", "setuptools<80")
    source = parse_source(configure(tmp_path, "script_location = quetz:migrations"))
    with pytest.raises(BuildError, match=r"ICU is not supported .*--shadow URL"):
        await read_source(source, BuildOptions(python=python))
    roots = sorted(DEBIAN_ROOT.glob("*"))
    if not roots:
        pytest.skip("no PostgreSQL of the system is installed, and ours has no ICU")
    root = roots[-1]
    system = Binaries(major=int(root.name), root=root, bin=root / "bin", lib=None)
    with running_cluster(system) as cluster:
        options = BuildOptions(python=python, shadow_url=cluster.socket_url())
        _, rows = count(await read_source(source, options))
        lock = await lock_up(str(source), options)
        async with open_expectation(source, options) as expectation:
            told = await hold_healthy(lock, expectation)
    hold_faults("quetz", lock, capsys)
    assert rows == ("3ba25f23fb7d",)
    assert told[-1] == ("in_sync", 0)
    assert {verdict for verdict, _ in told[:-1]} == {"pending"}
