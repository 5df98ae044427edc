"""Whose a cluster's directory is, so that leftovers of killed processes can go.

A directory `anchorwatch-pg-*` under the temporary directory holds a *lease*:
the owner's process id and start time, in a file that the owner keeps locked.
The kernel frees the lock when the owner dies, `kill -9` included, and across
containers that share the directory. A leftover is swept when all of this
holds: the directory and its lease belong to us alone, the lease names this
directory, its lock is free, and no process with that id and start time lives.
"""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from monitor.core.errors import EngineError
from monitor.sources.account import Account, can_traverse
from monitor.sources.engine_cache import is_only_ours

PREFIX = "anchorwatch-pg-"
DATA = "data"
LEASE = "lease"

QUIT_SECONDS = 10  # an immediate shutdown waits for nothing; this is a machine that pages
KILL_SECONDS = 5  # after SIGKILL only the kernel has to act
REMOVE_SECONDS = 5  # backends of a killed postmaster may still write for a moment
POLL_SECONDS = 0.02

_KIND = "cluster"
_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A directory that is ours for as long as this process lives."""

    directory: Path
    descriptor: int

    def release(self) -> None:
        """Give the directory back; the next owner may take it."""
        os.close(self.descriptor)

    def discard(self) -> None:
        """Remove the directory with all that is in it, and give it back."""
        remove_tree(self.directory)
        self.release()


def take_lease(directory: Path) -> Lease:
    """Make an existing directory ours.

    Raises:
        EngineError: a living process has it.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(directory / LEASE, flags, 0o600)
    if not _lock(descriptor):
        os.close(descriptor)
        raise EngineError(
            f"Another process runs a PostgreSQL server in {directory}.",
            next_step="Stop it, or choose another directory.",
        )
    lease = {
        "kind": _KIND,
        "format": _FORMAT,
        "pid": os.getpid(),
        "started": process_started(os.getpid()),
        "directory": str(directory),
    }
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(lease).encode(), 0)
    return Lease(directory=directory, descriptor=descriptor)


def take_scratch(account: Account, *, under: Path | None = None) -> Lease:
    """Make a new directory that is ours, which the account can enter and only we can change.

    It lies under the temporary directory, or under /tmp when the account
    cannot reach that one. No context manager: one that is forgotten would
    remove the directory of a server that still runs.

    Raises:
        EngineError: no temporary directory is within the account's reach.
    """
    roots = temporary_roots() if under is None else (under,)
    root = next((place for place in roots if can_traverse(place, account)), None)
    if root is None:
        raise EngineError(
            f"The account {account.name} cannot enter {' or '.join(map(str, roots))}.",
            next_step="Set TMPDIR to a directory that it may enter.",
        )
    directory = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))
    directory.chmod(0o711 if account.uid is not None else 0o700)
    return take_lease(directory)


def temporary_roots() -> tuple[Path, ...]:
    """Return the directories under which clusters are made and leftovers looked for."""
    return tuple(dict.fromkeys((Path(tempfile.gettempdir()).resolve(), Path("/tmp").resolve())))  # noqa: S108 -- only the place of mkdtemp directories


def sweep_clusters() -> tuple[Path, ...]:
    """Stop and remove the clusters whose owner is gone; return their directories.

    What cannot be proven to be ours, or is in use, stays. What cannot be
    removed now stays for the next sweep.
    """
    found = (place for root in temporary_roots() for place in sorted(root.glob(f"{PREFIX}*")))
    return tuple(place for place in found if _sweep(place))


def stop_leftover(data: Path) -> None:
    """Stop the server that runs in a data directory without an owner, if one does.

    Raises:
        EngineError: it is still there after SIGKILL.
    """
    pid = _postmaster(data)
    started = None if pid is None else process_started(pid)
    if pid is None or started is None:
        return
    for sent, patience in ((signal.SIGQUIT, QUIT_SECONDS), (signal.SIGKILL, KILL_SECONDS)):
        with suppress(ProcessLookupError):
            os.kill(pid, sent)
        if _gone(pid, started, within_seconds=patience):
            return
    raise EngineError(
        f"The PostgreSQL server with process id {pid} does not stop.",
        next_step=f"Look at that process; its data directory is {data}.",
    )


def remove_tree(directory: Path) -> bool:
    """Remove a directory in which dying backends may still write; tell whether it is gone."""
    deadline = time.monotonic() + REMOVE_SECONDS
    while True:
        shutil.rmtree(directory, ignore_errors=True)
        if not directory.exists():
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)


def process_started(pid: int) -> str | None:
    """Return when a process started, in the system's own words; None when it is no more.

    Id and start time together never name two processes. A zombie is no more.
    Source: proc_pid_stat(5), fields 3 and 22; elsewhere `ps`.
    """
    if not Path("/proc/self/stat").exists():
        return _ps(pid, "lstart=") or None
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    state, *fields = text.rpartition(")")[2].split()
    return None if state in "ZX" else fields[18]


def _sweep(directory: Path) -> bool:
    descriptor = _claim(directory)
    if descriptor is None:
        return False
    try:
        stop_leftover(directory / DATA)
        return remove_tree(directory)
    except (EngineError, OSError):
        return False  # it stays for the next sweep; a new server must not fail for an old one
    finally:
        os.close(descriptor)


def _claim(directory: Path) -> int | None:
    """Return the locked lease of an abandoned cluster, or None when it is not proven one."""
    if directory.is_symlink() or not is_only_ours(directory):
        return None
    try:
        descriptor = os.open(directory / LEASE, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    if _names(descriptor, directory) and _lock(descriptor):
        return descriptor
    os.close(descriptor)
    return None


def _names(descriptor: int, directory: Path) -> bool:
    """Tell whether the lease is ours, is for this directory, and its owner is gone."""
    status = os.fstat(descriptor)
    if status.st_uid != os.geteuid():
        return False
    try:
        lease = json.loads(os.pread(descriptor, status.st_size, 0))
        named = (lease["kind"], lease["format"], lease["directory"])
        pid, started = int(lease["pid"]), lease["started"]
    except (ValueError, KeyError, TypeError):
        return False
    return named == (_KIND, _FORMAT, str(directory)) and process_started(pid) != started


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _postmaster(data: Path) -> int | None:
    """Return the process that serves this data directory, if its command line says so."""
    try:
        first = (data / "postmaster.pid").read_text(encoding="ascii").partition("\n")[0]
        pid = int(first)
    except (OSError, ValueError):
        return None
    return pid if f"postgres -D {data}" in _command_line(pid) else None


def _command_line(pid: int) -> str:
    if not Path("/proc/self/cmdline").exists():
        return _ps(pid, "args=")
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ""
    return words.replace(b"\0", b" ").decode(errors="replace")


def _ps(pid: int, column: str) -> str:
    asked = subprocess.run(  # noqa: S603 -- a list, no shell; a number and our own literal
        ("/bin/ps", "-o", column, "-p", str(pid)), capture_output=True, text=True, check=False
    )
    return asked.stdout.strip()


def _gone(pid: int, started: str, *, within_seconds: float) -> bool:
    deadline = time.monotonic() + within_seconds
    while process_started(pid) == started:
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
