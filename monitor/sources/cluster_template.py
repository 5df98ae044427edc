"""A data directory per build of PostgreSQL, initialised once and copied ever after.

initdb takes half a second, a copy a fifth of it. UTF-8 with the C locale, so
that two machines sort and classify alike. Local connections are trusted: the
socket's directory admits its owner alone. Connections over TCP need a
password (https://www.postgresql.org/docs/current/app-initdb.html).
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

from monitor.core.errors import EngineError
from monitor.sources.account import Account, give, run_as
from monitor.sources.binaries import Binaries
from monitor.sources.cluster_lease import DATA, take_scratch
from monitor.sources.engine_cache import (
    cache_places,
    engine_trouble,
    last_line,
    publish,
    writable_cache,
)
from monitor.sources.reach import version_text

SUPERUSER = "postgres"
SETTINGS_FILE = "anchorwatch.conf"

INITDB_SECONDS = 120  # half a second; minutes only on a disk that is about to fail
INITDB_OPTIONS = (
    f"--username={SUPERUSER}",
    "--auth-local=trust",
    "--auth-host=scram-sha-256",
    "--no-locale",
    "--encoding=UTF8",
    "--wal-segsize=1",  # the first segment is most of what is copied
    "--no-sync",
    "--no-instructions",
)


def copy_template(binaries: Binaries, account: Account, data: Path) -> None:
    """Make `data` a freshly initialised data directory that the account owns.

    Raises:
        EngineError: initdb failed, or the disk refuses.
    """
    template = _template(binaries, account)
    with engine_trouble(f"The template {template} could not be copied to {data}"):
        shutil.copytree(template, data, symlinks=True)
        give(data, account)


def _template(binaries: Binaries, account: Account) -> Path:
    """Return the template of this build, made now if it is not there yet."""
    name = _name(binaries, account)
    for place in cache_places():
        if os.access(place / "templates" / name / "PG_VERSION", os.R_OK):
            return place / "templates" / name
    template = writable_cache() / "templates" / name
    with engine_trouble(f"The template {template} could not be made"):
        template.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with template.with_suffix(".lock").open("w") as lock:
            # Bounded: whoever holds it runs initdb under a deadline.
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not template.exists():
                _make(template, binaries, account)
    return template


def _name(binaries: Binaries, account: Account) -> str:
    """Name the template after the build, so that an update of PostgreSQL gets its own."""
    version = version_text(binaries, account)
    recipe = "\n".join((version, SETTINGS_FILE, *INITDB_OPTIONS))
    return f"{binaries.major}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"


def _make(template: Path, binaries: Binaries, account: Account) -> None:
    with ExitStack() as undo:
        scratch = take_scratch(account)
        undo.callback(scratch.discard)
        data = scratch.directory / DATA
        data.mkdir(mode=0o700)
        give(data, account)
        _initialise(data, binaries, account)
        with (data / "postgresql.conf").open("a", encoding="utf-8") as settings:
            settings.write(f"include_if_exists = '{SETTINGS_FILE}'\n")
        with tempfile.TemporaryDirectory(prefix=".new-", dir=template.parent) as staging:
            whole = Path(staging, DATA)
            shutil.copytree(data, whole, symlinks=True)
            publish(whole, template)


def _initialise(data: Path, binaries: Binaries, account: Account) -> None:
    made = run_as(
        account,
        (str(binaries.bin / "initdb"), "-D", str(data), *INITDB_OPTIONS),
        environment=binaries.environment(),
        timeout_seconds=INITDB_SECONDS,
    )
    if made.returncode != 0:
        raise EngineError(
            f"initdb of PostgreSQL {binaries.major} failed: {last_line(made.stderr)}",
            next_step="Run `anchorwatch doctor`, or name a server: `--shadow URL`.",
        )
