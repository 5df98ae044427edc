"""Leftovers of killed processes go; everything else stays."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from monitor.core.errors import EngineError
from monitor.sources.cluster_lease import (
    LEASE,
    PREFIX,
    process_started,
    sweep_clusters,
    take_lease,
)
from monitor.sources.engine import Binaries, running_cluster

Script = Callable[..., subprocess.Popen[str]]

OWNER = """
import sys
from monitor.sources.engine import find_binaries, start_cluster
cluster = start_cluster(find_binaries())
print(cluster.data_dir, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def candidate() -> Iterator[Path]:
    """A directory that only its name makes look like a cluster's."""
    directory = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


def owned_data(script: subprocess.Popen[str]) -> Path:
    assert script.stdout is not None
    return Path(script.stdout.readline().strip())


def postmaster(data: Path) -> int:
    return int((data / "postmaster.pid").read_text().splitlines()[0])


def sweep_until_gone(home: Path) -> None:
    """Sweep; another process on this machine may be sweeping the same leftover."""
    deadline = time.monotonic() + 20
    sweep_clusters()
    while home.exists():
        assert time.monotonic() < deadline, f"{home} was not swept"
        time.sleep(0.05)
        sweep_clusters()


def write_lease(place: Path, **changed: object) -> None:
    lease = {"kind": "cluster", "format": 1, "pid": 1, "started": "never"}
    lease |= {"directory": str(place)} | changed
    (place / LEASE).write_text(json.dumps(lease))


def test_a_cluster_whose_owner_was_killed_is_stopped_and_removed(python: Script) -> None:
    owner = python(OWNER)
    data = owned_data(owner)
    server = postmaster(data)
    assert process_started(server) is not None
    owner.kill()
    owner.wait()
    sweep_until_gone(data.parent)
    assert process_started(server) is None


def test_the_next_start_sweeps(python: Script, binaries: Binaries) -> None:
    owner = python(OWNER)
    data = owned_data(owner)
    owner.kill()
    owner.wait()
    with running_cluster(binaries):
        deadline = time.monotonic() + 20
        while data.exists():  # swept at the start, by this process or by a neighbour
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_cluster_of_a_living_owner_stays(python: Script) -> None:
    owner = python(OWNER)
    data = owned_data(owner)
    server = postmaster(data)
    assert data.parent not in sweep_clusters()
    assert process_started(server) is not None
    owner.kill()
    owner.wait()
    sweep_until_gone(data.parent)


def test_a_cluster_that_is_forgotten_runs_until_its_owner_ends(python: Script) -> None:
    owner = python("""
import gc, sys
from monitor.sources.engine import find_binaries, start_cluster
data = start_cluster(find_binaries()).data_dir
gc.collect()
print(data, flush=True)
sys.stdin.read()
""")
    data = owned_data(owner)
    server = postmaster(data)
    assert process_started(server) is not None
    assert data.parent not in sweep_clusters()
    owner.communicate("", timeout=30)
    sweep_until_gone(data.parent)
    assert process_started(server) is None


def test_a_living_owner_that_lost_its_lock_keeps_its_cluster(candidate: Path) -> None:
    write_lease(candidate, pid=os.getpid(), started=process_started(os.getpid()))
    assert candidate not in sweep_clusters()
    assert candidate.exists()


def test_a_directory_under_lease_stays_whatever_the_lease_says(candidate: Path) -> None:
    lease = take_lease(candidate)
    write_lease(candidate)
    assert candidate not in sweep_clusters()
    lease.release()
    sweep_until_gone(candidate)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "[]",
        "{}",
        '{"kind": "cluster", "format": 1, "pid": 1, "started": "x", "directory": "/elsewhere"}',
        '{"kind": "other", "format": 1, "pid": 1, "started": "x", "directory": "%s"}',
        '{"kind": "cluster", "format": 2, "pid": 1, "started": "x", "directory": "%s"}',
    ],
)
def test_what_no_lease_proves_ours_stays(candidate: Path, text: str | None) -> None:
    if text is not None:
        (candidate / LEASE).write_text(text.replace("%s", str(candidate)))
    assert candidate not in sweep_clusters()
    assert candidate.exists()


def test_a_directory_that_others_may_write_stays(candidate: Path) -> None:
    write_lease(candidate)
    candidate.chmod(0o777)
    assert candidate not in sweep_clusters()
    candidate.chmod(0o700)
    sweep_until_gone(candidate)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another user's directory")
def test_another_users_directory_stays(candidate: Path) -> None:
    write_lease(candidate)
    os.chown(candidate, 65534, 65534)
    assert candidate not in sweep_clusters()
    os.chown(candidate, 0, 0)
    os.chown(candidate / LEASE, 65534, 65534)
    assert candidate not in sweep_clusters()
    assert candidate.exists()


def test_a_link_to_a_directory_stays(candidate: Path, tmp_path: Path) -> None:
    link = candidate.with_name(f"{candidate.name}-link")
    write_lease(tmp_path, directory=str(link))
    link.symlink_to(tmp_path)
    try:
        assert link not in sweep_clusters()
        assert (tmp_path / LEASE).exists()
    finally:
        link.unlink()


def test_a_process_that_the_server_only_seems_to_be_is_not_stopped(
    candidate: Path, python: Script
) -> None:
    bystander = python("import sys; sys.stdin.read()")
    (candidate / "data").mkdir()
    (candidate / "data" / "postmaster.pid").write_text(f"{bystander.pid}\n")
    write_lease(candidate)
    sweep_until_gone(candidate)
    assert bystander.poll() is None


def test_a_directory_has_one_lease_at_a_time(tmp_path: Path) -> None:
    lease = take_lease(tmp_path)
    with pytest.raises(EngineError, match=r"Another process .* Stop it, or choose another"):
        take_lease(tmp_path)
    lease.release()
    take_lease(tmp_path).release()


def test_a_process_has_a_start_until_it_ends(python: Script) -> None:
    script = python("import sys; sys.stdin.read()")
    started = process_started(script.pid)
    assert started == process_started(script.pid)
    script.kill()
    deadline = time.monotonic() + 10
    while process_started(script.pid) == started:  # nobody has waited for it: a zombie
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert process_started(script.pid) is None
