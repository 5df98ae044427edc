"""Whether the server's account can run the programs, and a copy where it cannot."""

import hashlib
import os
import re
import shutil
import tempfile
from pathlib import Path

from monitor.core.errors import EngineError
from monitor.sources.account import Account, can_traverse, run_as
from monitor.sources.binaries import VERSION_SECONDS, Binaries, holds_server
from monitor.sources.engine_cache import engine_trouble, is_only_ours, last_line, publish

REACHABLE_CACHE = Path("/var/cache/anchorwatch")  # root's home is closed to the server's account

_LIBRARY = re.compile(r"error while loading shared libraries: ([^:\s]+)")


def within_reach(binaries: Binaries, account: Account) -> Binaries:
    """Return the same programs where the account can run them, copied if need be.

    Raises:
        EngineError: they cannot be run, or no place for a copy is within reach.
    """
    try:
        version_text(binaries, account)
    except PermissionError:
        copied = _copied(binaries, account)
    else:
        return binaries
    with engine_trouble(f"The programs in {copied.bin} are out of reach of {account.name}"):
        version_text(copied, account)
    return copied


def version_text(binaries: Binaries, account: Account) -> str:
    """Return what `postgres --version` prints for that account.

    Raises:
        EngineError: a shared library is missing, or the program is none of this platform.
        PermissionError: the account cannot reach the program.
    """
    program = binaries.bin / "postgres"
    try:
        asked = run_as(
            account,
            (str(program), "--version"),
            environment=binaries.environment(),
            timeout_seconds=VERSION_SECONDS,
        )
    except PermissionError:
        raise
    except OSError as error:
        raise EngineError(
            f"{program} cannot be run on this system: {error.strerror}.",
            next_step="Install PostgreSQL with your system's packages, or use `--shadow URL`.",
        ) from error
    if asked.returncode == 0:
        return asked.stdout.strip()
    missing = _LIBRARY.search(asked.stderr)
    if missing:
        raise EngineError(
            f"PostgreSQL {binaries.major} needs the shared library {missing[1]}.",
            next_step="Run `apt-get install -y libxml2 libssl3 libgssapi-krb5-2`.",
        )
    raise EngineError(
        f"{program} does not start: {last_line(asked.stderr)}",
        next_step="Reinstall these programs, or use `--shadow URL`.",
    )


def _copied(binaries: Binaries, account: Account) -> Binaries:
    """Copy what a server needs to where the account can reach it; once per build."""
    status = (binaries.bin / "postgres").stat()
    build = f"{binaries.bin}:{status.st_size}:{status.st_mtime_ns}"
    digest = hashlib.sha256(build.encode()).hexdigest()
    root = _reachable_place(binaries, account) / f"{binaries.major}-{digest[:12]}"
    with engine_trouble(f"The programs of PostgreSQL {binaries.major} could not be copied"):
        if not holds_server(root):
            _copy(binaries.root, root)
    lib = None if binaries.lib is None else root / "lib"
    return Binaries(major=binaries.major, root=root, bin=root / "bin", lib=lib)


def _reachable_place(binaries: Binaries, account: Account) -> Path:
    """Return a directory that only we can write and the account can enter."""
    spare = Path(tempfile.gettempdir(), f"anchorwatch-servers-{os.geteuid()}")
    for place in (REACHABLE_CACHE, spare):
        try:
            place.mkdir(mode=0o755, parents=True, exist_ok=True)
            if is_only_ours(place):
                place.chmod(0o755)  # whatever the umask says
        except OSError:
            continue
        if is_only_ours(place) and can_traverse(place, account):
            return place
    raise EngineError(
        f"The account {account.name} cannot reach the programs in {binaries.bin}.",
        next_step=f"Make them readable for it, or make {REACHABLE_CACHE} writable.",
    )


def _copy(source: Path, root: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=".copy-", dir=root.parent) as staging:
        whole = Path(staging, "whole")
        whole.mkdir()
        for name in ("bin", "lib", "share"):
            if (source / name).is_dir():
                shutil.copytree(source / name, whole / name, symlinks=True)
        for folder in (whole, *whole.rglob("*")):
            if folder.is_dir() and not folder.is_symlink():
                folder.chmod(0o755)
        publish(whole, root)
