"""One real PostgreSQL server a run; a fresh database a test.

ANCHORWATCH_TEST_POSTGRES chooses the major version (14 to 18); without it,
the one of the installed wheel. Tests that need their own server start it with
`running_cluster`.
"""

import contextlib
import gc
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Protocol

import asyncpg
import pytest
from hypothesis import HealthCheck, settings

from monitor.sources import cluster_template
from monitor.sources.account import server_account
from monitor.sources.engine import (
    Binaries,
    Cluster,
    choose_strategy,
    find_binaries,
    running_cluster,
    start_cluster,
)
from tests.scratch import move_to_memory

STEP_DOWN = """
import asyncio, gzip, os, sys, zlib
import asyncpg
import monitor.sources.engine as engine
import monitor.sources.cluster_lease as cluster_lease
import monitor.sources.scripts as scripts
b"x".decode("utf-8-sig")  # imports what knows it
if os.geteuid() == 0:
    # After the imports: the interpreter may lie under a closed home.
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
"""


# A deadline for an example is a timed test: it fails when somebody else has the processor.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(
    "repeatable", settings.get_profile("untimed"), derandomize=True, max_examples=50
)
settings.register_profile("campaign", settings.get_profile("untimed"), max_examples=500)


def pytest_configure(config: pytest.Config) -> None:
    """Begin before anything is written, and before the workers are started.

    What continuous integration tries is the same each time, so that a failure is of the change;
    campaigns (`--hypothesis-profile campaign`) try something new, and more of it.
    """
    move_to_memory()
    is_repeatable = config.getoption("markexpr") == "not long"
    chosen = config.getoption("--hypothesis-profile")
    settings.load_profile(chosen or ("repeatable" if is_repeatable else "untimed"))


def pytest_collection_finish() -> None:
    """Take what stays until the end out of every later collection of garbage.

    Eight thousand tests and what they import were gone through again and again: a fifth of what
    a worker did.
    """
    gc.collect()
    gc.freeze()


class MakeDatabase(Protocol):
    """Makes databases that are dropped after the test."""

    async def __call__(
        self, name: str | None = None, sql: str = "", *, template: str = "template0"
    ) -> str:
        """Create a database, empty or like another one, run the SQL in it, return its URL."""
        ...


@pytest.fixture(scope="session")
def binaries() -> Binaries:
    """The server programs of this run's major version."""
    major = os.environ.get("ANCHORWATCH_TEST_POSTGRES")
    return find_binaries(int(major) if major else None)


@pytest.fixture(scope="session")
def server(binaries: Binaries) -> Iterator[Cluster]:
    """The run's server: `url()` over TCP with a password, `socket_url()` without."""
    with running_cluster(binaries, listen="loopback") as cluster:
        yield cluster


@pytest.fixture(scope="session")
def other_server(
    binaries: Binaries, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """A second server, with a `system_identifier` of its own: for shadows of watched databases."""
    with pytest.MonkeyPatch.context() as patch:
        # The template is copied with its identifier: this one is initialised anew.
        place = tmp_path_factory.mktemp("templates")
        patch.setattr(cluster_template, "cache_places", tuple)
        patch.setattr(cluster_template, "writable_cache", lambda: place)
        cluster = start_cluster(binaries, listen="loopback")
    try:
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
async def make_database(server: Cluster) -> AsyncIterator[MakeDatabase]:
    """A maker of databases on the run's server, `make_database(name, sql) -> url`."""
    made: list[str] = []
    admin = await asyncpg.connect(server.socket_url())

    async def make(name: str | None = None, sql: str = "", *, template: str = "template0") -> str:
        chosen = name or f"test_{uuid.uuid4().hex[:12]}"
        await admin.execute(make_clone(server, chosen, template))
        made.append(chosen)
        if sql:
            connection = await asyncpg.connect(server.socket_url(chosen))
            try:
                await connection.execute(sql)
            finally:
                await connection.close()
        return server.url(chosen)

    try:
        yield make
    finally:
        for name in made:
            await admin.execute(f"DROP DATABASE IF EXISTS {quoted(name)} WITH (FORCE)")
        await admin.close()


@pytest.fixture
async def database(make_database: MakeDatabase) -> str:
    """The URL of a fresh, empty database on the run's server."""
    return await make_database()


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A short directory that the server's account can enter; pytest's own is closed to it."""
    directory = Path(tempfile.mkdtemp(prefix="anchorwatch-test-"))
    directory.chmod(0o755)
    yield directory
    for path, names, _ in directory.walk():
        for name in names:  # one that a test closed can be removed by root only
            if not (path / name).is_symlink():
                (path / name).chmod(0o755)
    shutil.rmtree(directory)


@pytest.fixture
def ordinary_python(open_directory: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """A starter of Python scripts as an ordinary user with a home; `engine` is imported."""
    home = open_directory / "home"
    home.mkdir()
    account = server_account()
    if account.uid is not None and account.gid is not None:
        os.chown(home, account.uid, account.gid)
    with started_scripts(STEP_DOWN, HOME=str(home), XDG_CACHE_HOME=str(home / "cache")) as start:
        yield start


@pytest.fixture
def python() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """A starter of Python scripts as whoever runs the tests."""
    with started_scripts("") as start:
        yield start


@contextlib.contextmanager
def started_scripts(prelude: str, **extra: str) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start scripts with pipes on all three streams; what still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(source: str, **variables: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            (sys.executable, "-c", prelude + source),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **extra, **variables},
        )
        started.append(process)
        return process

    try:
        yield start
    finally:
        for process in started:
            process.kill()
            process.communicate()


def make_clone(server: Cluster, name: str, template: str = "template0") -> str:
    """The statement that makes a database like another one, as fast as the server can."""
    strategy = choose_strategy(server.major)
    return f"CREATE DATABASE {quoted(name)} TEMPLATE {quoted(template)} {strategy}"


def quoted(name: str) -> str:
    """Quote an identifier."""
    return '"' + name.replace('"', '""') + '"'
