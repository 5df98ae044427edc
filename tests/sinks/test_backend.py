"""Where the ledger lives, and what happens when that place fails."""

import asyncio
import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
import sqlalchemy as sa

from monitor.core.errors import ConfigurationError, StoreError
from monitor.core.incidents import EventKind
from monitor.sinks.backend import Backend, open_backend
from monitor.sinks.store import Store, open_store
from monitor.sources.engine import Binaries, Cluster, running_cluster
from tests.conftest import MakeDatabase
from tests.sinks.builders import a_decision, sqlite_url, told

Script = Callable[..., subprocess.Popen[str]]


async def test_the_file_is_durable_and_its_directory_is_made(tmp_path: Path) -> None:
    path = tmp_path / "new 100%" / "deep" / "ledger.db"
    backend = open_backend("sqlite+aiosqlite:///" + str(path).replace("%", "%25"))
    async with backend.reading() as connection:
        pragmas = [
            (await connection.execute(sa.text(f"PRAGMA {name}"))).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    await backend.close()
    assert pragmas == ["wal", 2, 1, 3_000]
    assert path.exists()


@pytest.mark.parametrize(
    "text",
    ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite://host/x.db", "mysql://u:pw@h/db"],
)
async def test_a_url_that_names_no_ledger_is_refused_without_its_secret(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        async with open_store(text):
            pass
    assert "pw" not in str(caught.value)


async def test_a_directory_that_cannot_be_made_is_named() -> None:
    with pytest.raises(StoreError, match="RAILWAY_RUN_UID=0") as caught:
        async with open_store("sqlite:////proc/anchorwatch/ledger.db"):
            pass
    assert "/proc/anchorwatch" in str(caught.value)


async def test_a_ledger_that_is_a_directory_is_called_one(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is a directory") as caught:
        async with open_store(sqlite_url(tmp_path)):
            pass
    assert f"{tmp_path}/anchorwatch.db" in str(caught.value)


@pytest.mark.parametrize("below", ["l.db", "further/l.db"])
async def test_a_ledger_below_a_file_has_no_place(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("here")
    with pytest.raises(StoreError, match="is no directory"):
        async with open_store(sqlite_url(tmp_path / "file" / below)):
            pass


async def test_a_file_that_is_no_ledger_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_text("dear diary, " * 1000)
    with pytest.raises(StoreError, match="no SQLite database"):
        async with open_store(sqlite_url(path)):
            pass
    assert path.read_text().startswith("dear diary")


async def test_a_ledger_that_another_process_holds_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.sinks.backend._PRAGMAS", ("PRAGMA busy_timeout = 50",))
    url = sqlite_url(tmp_path / "ledger.db")
    async with open_store(url) as store:
        holder = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="Another process holds the ledger"):
            await store.commit(a_decision())
        with pytest.raises(StoreError, match="Another process holds the ledger"):
            await store.try_writing()
        holder.execute("ROLLBACK")
        holder.close()
        assert await store.commit(a_decision())


async def write_for_ever(backend: Backend) -> None:
    while True:
        async with backend.writing() as connection:
            await connection.execute(sa.text("INSERT INTO notes VALUES (1)"))
            await connection.execute(sa.text("SELECT * FROM notes"))


async def test_a_writer_that_is_cancelled_lets_go_of_the_ledger(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "ledger.db")
    keeping: list[object] = []  # a traceback holds the statements that were under way
    for turns in range(60):
        backend = open_backend(url)
        async with backend.writing() as connection:
            await connection.execute(sa.text("CREATE TABLE IF NOT EXISTS notes (note int)"))
        writer = asyncio.create_task(write_for_ever(backend))
        for _ in range(turns):
            await asyncio.sleep(0)
            await asyncio.sleep(0.0005 * (turns % 3))
        writer.cancel()
        keeping += await asyncio.gather(writer, return_exceptions=True)
        await backend.close()
        other = sqlite3.connect(tmp_path / "ledger.db", timeout=0)
        with contextlib.closing(other):
            other.execute("BEGIN IMMEDIATE")
    assert {type(error) for error in keeping} == {asyncio.CancelledError}


async def fill(store: Store) -> int:
    """Write until it fails; how many looks were written."""
    blob = os.urandom(64 * 1024)
    for looks in range(1, 200):
        decision = replace(
            told(looks, EventKind.CHANGED, "chat"), snapshot=(f"d{looks}", blob + os.urandom(99))
        )
        try:
            assert await store.commit(decision)
        except StoreError as error:
            assert "is full" in str(error)  # noqa: PT017 - which look fails is not known before
            return looks - 1
    pytest.fail("It never got full.")


async def check_is_whole(store: Store, looks: int) -> None:
    record = await store.load("production", "app")
    assert record is not None
    assert record.looks == looks
    assert len(await store.list_events("i1")) == looks
    assert len(await store.list_deliveries("i1")) == looks
    assert len(await store.list_looks("production", "app", 1000)) == looks


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    mount = tmp_path / "disk"
    mount.mkdir()
    tool = shutil.which("mount")
    command = [tool or "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(mount)]
    if tool is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    yield mount
    subprocess.run(["umount", str(mount)], check=True)


def make_read_only(mount: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(mount)], check=True)


async def test_a_full_disk_loses_nothing_and_is_survived(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(300 * 1024))
    url = sqlite_url(small_disk / "ledger.db")
    async with open_store(url) as store:
        looks = await fill(store)
        assert looks >= 1
        await check_is_whole(store, looks)
        ballast.unlink()
        assert await store.commit(told(looks + 1, EventKind.CHANGED, "chat"))
        await check_is_whole(store, looks + 1)
    async with open_store(url) as store:
        await check_is_whole(store, looks + 1)


async def test_a_ledger_that_may_not_grow_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = sqlite_url(tmp_path / "ledger.db")
    async with open_store(url):
        pass
    with contextlib.closing(sqlite3.connect(tmp_path / "ledger.db")) as ledger:
        (empty,) = ledger.execute("PRAGMA page_count").fetchone()
    # Room for a look or a few: a snapshot takes 17 pages, and the one before is kept till then.
    monkeypatch.setattr(
        "monitor.sinks.backend._PRAGMAS",
        ("PRAGMA foreign_keys = ON", f"PRAGMA max_page_count = {empty + 20}"),
    )
    async with open_store(url) as store:
        looks = await fill(store)
        assert looks >= 1
        await check_is_whole(store, looks)


async def test_a_read_only_disk_is_told_with_the_way_out(small_disk: Path) -> None:
    url = sqlite_url(small_disk / "ledger.db")
    async with open_store(url) as store:
        assert await store.commit(a_decision())
    make_read_only(small_disk)
    with pytest.raises(StoreError, match="RAILWAY_RUN_UID=0") as caught:
        async with open_store(url):
            pass
    assert str(small_disk) in str(caught.value)


WRITER = """
import asyncio, os
from monitor.core.incidents import EventKind
from monitor.sinks.store import open_store
from tests.sinks.builders import told
async def main():
    async with open_store(os.environ["LEDGER"]) as store:
        record = await store.load("production", "app")
        looks = record.looks if record else 0
        while True:
            looks += 1
            assert await store.commit(told(looks, EventKind.CHANGED, "chat", "hook"))
            print(looks, flush=True)
asyncio.run(main())
"""


def write_until_killed(path: Path, *, commits: int) -> int:
    """Kill a writer in the middle of its work; the last look that it said was written."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "LEDGER": sqlite_url(path)},
    ) as writer:
        assert writer.stdout is not None
        last = [int(writer.stdout.readline()) for _ in range(commits)]
        writer.send_signal(signal.SIGKILL)
        return max(last + [int(line) for line in writer.stdout if line.endswith("\n")])


async def test_a_killed_writer_leaves_the_ledger_whole(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    for round_ in range(3):
        acknowledged = write_until_killed(path, commits=10 + round_ * 3)
        with contextlib.closing(sqlite3.connect(path)) as plain:
            assert plain.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert plain.execute("PRAGMA foreign_key_check").fetchall() == []
        async with open_store(sqlite_url(path)) as store:
            record = await store.load("production", "app")
            assert record is not None
            assert record.looks >= acknowledged, "what was acknowledged is there"
            assert len(await store.list_events("i1")) == record.looks
            assert len(await store.list_deliveries("i1")) == 2 * record.looks


async def test_any_spelling_of_a_url_is_understood(make_database: MakeDatabase) -> None:
    url = await make_database()
    spelling = url.replace("postgresql://", "postgresql+psycopg2://") + "?pgbouncer=true"
    async with open_store(spelling) as store:
        assert await store.commit(a_decision())


async def test_a_foreign_alembic_history_in_the_same_database_is_left_alone(
    make_database: MakeDatabase,
) -> None:
    url = await make_database(
        sql="CREATE TABLE alembic_version (version_num text); "
        "INSERT INTO alembic_version VALUES ('theirs')"
    )
    async with open_store(url) as store:
        assert await store.commit(a_decision())
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT version_num FROM alembic_version") == "theirs"
    await connection.close()


async def test_a_wrong_password_is_told_without_it(make_database: MakeDatabase) -> None:
    url = await make_database()
    secret = url.split(":")[2].partition("@")[0]
    with pytest.raises(StoreError, match="refused the password") as caught:
        async with open_store(url.replace(secret, "wrong-hunter2")):
            pass
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_a_missing_database_and_a_closed_port_are_told(
    make_database: MakeDatabase,
) -> None:
    url = await make_database()
    with pytest.raises(StoreError, match="no such database"):
        async with open_store(url + "x"):
            pass
    with pytest.raises(StoreError, match="cannot be reached"):
        async with open_store("postgres://me:hunter2@127.0.0.1:1/ledger"):
            pass


async def test_a_lost_server_is_told_and_found_again(binaries: Binaries) -> None:
    with running_cluster(binaries) as cluster:
        async with open_store(cluster.url()) as store:
            assert await store.commit(told(1, EventKind.OPENED, "chat"))
            await end_sessions(cluster)
            assert await store.load("production", "app") is not None
            cluster.stop()
            for _ in range(2):
                with pytest.raises(StoreError, match=r"The ledger at .* (cannot be reached|lost)"):
                    await store.commit(told(2, EventKind.CHANGED, "chat"))


async def end_sessions(cluster: Cluster) -> None:
    connection = await asyncpg.connect(cluster.url())
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    await connection.close()
