"""The account that runs an embedded server, and what it can reach.

PostgreSQL refuses to run as root
(https://www.postgresql.org/docs/current/postgres-user.html), so as root only
the server's own processes step down to an unprivileged account that exists.
As an ordinary user nothing is dropped.
"""

import errno
import os
import pwd
import stat
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from monitor.core.errors import EngineError

NOBODY = 65534  # the overflow uid: unprivileged on every Linux

_NOT_LET_GO = frozenset({errno.EPERM, errno.EINVAL})  # setuid refused, or the uid is not mapped


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Whom the server's processes run as; without ids, as whoever we are."""

    name: str
    uid: int | None = None
    gid: int | None = None

    @property
    def groups(self) -> tuple[int, ...] | None:
        """The supplementary groups of a child: none when we step down, else ours."""
        return None if self.uid is None else ()


def server_account() -> Account:
    """Return whom a server may run as here.

    Raises:
        EngineError: we are root, and no unprivileged account exists.
    """
    if os.geteuid() != 0:
        return Account(name="this user")
    entries = {entry.pw_name: entry for entry in pwd.getpwall() if entry.pw_uid != 0}
    by_uid = {entry.pw_uid: entry for entry in entries.values()}
    entry = by_uid.get(NOBODY) or entries.get("nobody") or entries.get("postgres")
    if entry is None:
        raise EngineError(
            "PostgreSQL refuses to run as root, and there is no account to run it as.",
            next_step="Run `useradd --system postgres`, or run anchorwatch as another user.",
        )
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)


def can_traverse(path: Path, account: Account) -> bool:
    """Tell whether the account may enter the directory and all above it.

    Judged by the mode bits; an ordinary user's own account is always trusted
    to reach what that user made.
    """
    if account.uid is None:
        return True
    real = path.resolve()
    return all(_may_enter(place.stat(), account) for place in (real, *real.parents))


def _may_enter(status: os.stat_result, account: Account) -> bool:
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def give(path: Path, account: Account) -> None:
    """Make the account own the path and everything below it; links are not followed.

    From the inside out: until the last step the account cannot enter, and so
    cannot swap a directory for a link while root walks.
    """
    if account.uid is None or account.gid is None:
        return
    for folder, folders, files in os.walk(path, topdown=False):
        for name in (*folders, *files):
            os.chown(Path(folder, name), account.uid, account.gid, follow_symlinks=False)
    os.chown(path, account.uid, account.gid, follow_symlinks=False)


def run_as(
    account: Account,
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    text: str = "",
    timeout_seconds: float,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end as the account, with exactly this environment.

    Raises:
        EngineError: it may not be run as that account here, or took too long.
        OSError: it cannot be run at all; `PermissionError` when out of reach.
    """
    try:
        return subprocess.run(  # noqa: S603 -- a list, no shell; the program is one we found or unpacked
            command,
            input=text,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            cwd="/",
            env=environment,
            timeout=timeout_seconds,
            user=account.uid,
            group=account.gid,
            extra_groups=account.groups,
        )
    except subprocess.TimeoutExpired:
        # No cause: it would carry the command's standard input, which may hold a password.
        raise EngineError(
            f"{Path(command[0]).name} did not finish within {timeout_seconds:g} seconds.",
            next_step="Look for a full or very slow disk, then try again.",
        ) from None
    except OSError as error:
        _refuse_if_kept(error, account)
        raise


def spawn_as(
    account: Account,
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    directory: Path,
    log: IO[bytes],
) -> subprocess.Popen[bytes]:
    """Start a long-running command as the account, out of reach of the terminal's Ctrl-C.

    No PR_SET_PDEATHSIG: it would fire when the *thread* that started the
    server ends, and callers start servers from worker threads.

    Raises:
        EngineError: it may not be run as that account here.
        OSError: it cannot be run at all.
    """
    try:
        return subprocess.Popen(  # noqa: S603 -- a list, no shell; the program is one we found or unpacked
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=directory,
            env=environment,
            start_new_session=True,
            user=account.uid,
            group=account.gid,
            extra_groups=account.groups,
        )
    except OSError as error:
        _refuse_if_kept(error, account)
        raise


def _refuse_if_kept(error: OSError, account: Account) -> None:
    """Explain a container that does not let root become another account."""
    if account.uid is not None and error.errno in _NOT_LET_GO:
        raise EngineError(
            f"PostgreSQL refuses to run as root, and this machine does not let root "
            f"become {account.name} (uid {account.uid}).",
            next_step="Run anchorwatch as an ordinary user, or name a server: `--shadow URL`.",
        ) from error
