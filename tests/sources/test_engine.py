"""What the embedded server promises, on real servers."""

import asyncio
import os
import socket
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from monitor.core.errors import EngineError
from monitor.sources import reach
from monitor.sources.engine import (
    SUPPORTED_MAJORS,
    Binaries,
    Cluster,
    find_binaries,
    install_binaries,
    running_cluster,
    start_cluster,
)
from tests.conftest import MakeDatabase

Script = Callable[..., subprocess.Popen[str]]


async def ask(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


def ask_now(url: str, sql: str) -> object:
    return asyncio.run(ask(url, sql))


@pytest.fixture(scope="module")
def cluster(binaries: Binaries) -> Iterator[Cluster]:
    with running_cluster(binaries) as running:
        yield running


def process_id(cluster: Cluster) -> int:
    return int((cluster.data_dir / "postmaster.pid").read_text().splitlines()[0])


async def test_a_server_answers_over_tcp_and_over_its_socket(server: Cluster) -> None:
    for url in (server.url(), server.socket_url()):
        assert await ask(url, "SELECT current_user || '@' || current_database()") == (
            "postgres@postgres"
        )
        version = int(str(await ask(url, "SELECT current_setting('server_version_num')")))
        assert version // 10000 == server.major


async def test_over_tcp_a_password_is_needed(server: Cluster) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(
            host="127.0.0.1", port=server.port, user="postgres", password=uuid.uuid4().hex
        )


def test_a_password_is_in_the_url_and_nowhere_else(server: Cluster) -> None:
    password = server.url().split(":")[2].partition("@")[0]
    assert len(password) >= 32
    assert password not in repr(server)
    assert password not in server.log.read_text()


def test_a_socket_server_listens_on_no_port(cluster: Cluster) -> None:
    assert cluster.url() == cluster.socket_url()
    assert ask_now(cluster.url(), "SELECT inet_server_addr()") is None
    assert ask_now(cluster.url(), "SHOW listen_addresses") == ""


def test_a_socket_admits_its_owner_alone(cluster: Cluster) -> None:
    assert cluster.socket_dir.stat().st_mode & 0o777 == 0o700
    assert cluster.socket_dir.stat().st_uid == cluster.data_dir.stat().st_uid


@pytest.mark.parametrize("kind", ["plain", 'quo"te', "a b/c?d=e#f%20&", "ünï@:ç", "'; DROP"])
async def test_a_url_survives_any_database_name(
    server: Cluster, make_database: MakeDatabase, kind: str
) -> None:
    name = f"{kind} {uuid.uuid4().hex[:8]}"
    url = await make_database(name, sql="CREATE TABLE here ()")
    for address in (url, server.socket_url(name)):
        assert await ask(address, "SELECT current_database()") == name
        assert await ask(address, "SELECT 'here'::regclass::text") == "here"


async def test_a_role_of_the_server_can_be_addressed(
    server: Cluster, make_database: MakeDatabase
) -> None:
    role = f"reader {uuid.uuid4().hex[:8]}"
    await make_database(sql=f'CREATE ROLE "{role}" LOGIN')
    try:
        assert await ask(server.socket_url(user=role), "SELECT current_user") == role
        assert server.url(user=role) == (
            f"postgresql://{role.replace(' ', '%20')}@127.0.0.1:{server.port}/postgres"
        )
    finally:
        await ask(server.socket_url(), f'DROP ROLE "{role}"')


def test_a_fresh_database_is_utf8_and_sorts_by_code_point(cluster: Cluster) -> None:
    assert ask_now(cluster.url(), "SHOW server_encoding") == "UTF8"
    collation = "SELECT datcollate FROM pg_database WHERE datname = 'template0'"
    assert ask_now(cluster.url(), collation) == "C"


def test_a_stopped_server_leaves_nothing(binaries: Binaries) -> None:
    cluster = start_cluster(binaries)
    home = cluster.data_dir.parent
    pid = process_id(cluster)
    assert cluster.is_running()
    cluster.stop()
    assert not cluster.is_running()
    assert not home.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    cluster.stop()


async def test_a_stop_does_not_wait_for_clients(binaries: Binaries) -> None:
    cluster = await asyncio.to_thread(start_cluster, binaries)
    connection = await asyncpg.connect(cluster.url())
    sleeper = asyncio.ensure_future(connection.execute("SELECT pg_sleep(600)"))
    other = await asyncpg.connect(cluster.url())
    busy = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    while await other.fetchval(busy) == 0:  # noqa: ASYNC110 -- the condition is in the server
        await asyncio.sleep(0.01)
    await asyncio.to_thread(cluster.stop)
    assert not cluster.is_running()
    with pytest.raises((asyncpg.PostgresError, OSError)):
        await sleeper
    other.terminate()


def test_a_server_is_copied_from_the_template(
    binaries: Binaries, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    start_cluster(binaries).stop()
    (template,) = tmp_path.glob(f"anchorwatch/templates/{binaries.major}-*[!k]")
    assert (template / "PG_VERSION").read_text().strip() == str(binaries.major)
    (template / "copied").touch()
    with running_cluster(binaries) as cluster:
        assert (cluster.data_dir / "copied").exists()
        assert ask_now(cluster.url(), "SELECT 1") == 1


def test_a_template_is_made_once_by_processes_that_start_together(
    ordinary_python: Script, tmp_path: Path
) -> None:
    source = """
with engine.running_cluster(engine.find_binaries()) as cluster:
    print(cluster.data_dir.stat().st_uid, os.getuid())
"""
    scripts = [ordinary_python(source) for _ in range(3)]
    for script in scripts:
        said, complaint = script.communicate(timeout=60)
        owner, user = said.split()
        assert (owner, script.returncode, complaint) == (user, 0, "")


def test_a_given_directory_keeps_its_data_and_its_port(
    binaries: Binaries, open_directory: Path
) -> None:
    home = open_directory / "kept"
    with running_cluster(binaries, directory=home, listen="loopback") as first:
        port = first.port
        ask_now(first.url(), "CREATE TABLE kept ()")
    with running_cluster(binaries, directory=home, listen="loopback", port=port) as second:
        assert second.port == port
        assert second.url() != first.url()  # a password lives as long as its server
        assert ask_now(second.url(), "SELECT 'kept'::regclass::text") == "kept"
    assert (home / "data" / "PG_VERSION").exists()


def test_a_given_directory_has_one_server_at_a_time(
    binaries: Binaries, open_directory: Path
) -> None:
    home = open_directory / "taken"
    with running_cluster(binaries, directory=home) as first:
        with pytest.raises(EngineError, match="Another process runs a PostgreSQL server in"):
            start_cluster(binaries, directory=home)
        assert first.is_running()
        assert ask_now(first.url(), "SELECT 1") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another account")
def test_as_root_a_directory_that_the_server_cannot_enter_is_refused(
    binaries: Binaries, tmp_path: Path
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(EngineError, match=r"cannot enter .*closed/home\. Choose a directory"):
        start_cluster(binaries, directory=closed / "home")


def test_a_long_directory_gets_a_short_socket(binaries: Binaries, open_directory: Path) -> None:
    home = open_directory / ("long" * 20)
    with running_cluster(binaries, directory=home) as cluster:
        short = cluster.socket_dir
        assert home not in short.parents
        assert ask_now(cluster.url(), "SELECT 1") == 1
    assert not short.parent.exists()


def test_settings_override_ours_and_alter_system_overrides_them(binaries: Binaries) -> None:
    odd = r"it's \n odd"
    settings = {"max_connections": "17", "cluster_name": odd}
    with running_cluster(binaries, settings=settings) as cluster:
        assert ask_now(cluster.url(), "SHOW max_connections") == "17"
        assert ask_now(cluster.url(), "SHOW cluster_name") == odd
        assert ask_now(cluster.url(), "SHOW fsync") == "off"
        ask_now(cluster.url(), "ALTER SYSTEM SET log_statement = 'ddl'")
        ask_now(cluster.url(), "SELECT pg_reload_conf()")
        assert ask_now(cluster.url(), "SHOW log_statement") == "ddl"


def test_a_server_that_does_not_start_says_why(binaries: Binaries) -> None:
    with pytest.raises(EngineError) as caught:
        start_cluster(binaries, settings={"no_such_parameter": "1"})
    assert 'unrecognized configuration parameter "no_such_parameter"' in caught.value.message
    assert "`--shadow URL`" in caught.value.next_step


def test_a_port_that_was_asked_for_and_is_taken_is_an_error(binaries: Binaries) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EngineError, match=r"did not start: .*could not create any TCP/IP"):
            start_cluster(binaries, listen="loopback", port=port)


def test_a_server_sees_nothing_of_our_environment(
    binaries: Binaries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGDATA", "/nonexistent")
    monkeypatch.setenv("DATABASE_URL", "postgresql://somebody:secret@elsewhere/")
    sql = "CREATE TEMP TABLE seen (line text); COPY seen FROM PROGRAM 'env';"

    async def look(url: str) -> str:
        connection = await asyncpg.connect(url)
        await connection.execute(sql)
        lines = await connection.fetch("SELECT line FROM seen")
        await connection.close()
        return "\n".join(row["line"] for row in lines)

    with running_cluster(binaries) as cluster:
        seen = asyncio.run(look(cluster.url()))
    assert "secret" not in seen
    assert "PGPORT=1" not in seen


def test_a_ctrl_c_in_the_terminal_does_not_reach_the_server(cluster: Cluster) -> None:
    assert os.getsid(process_id(cluster)) != os.getsid(0)


def test_a_server_never_runs_as_root(cluster: Cluster) -> None:
    assert Path(f"/proc/{process_id(cluster)}").stat().st_uid != 0


def test_an_ordinary_user_needs_nothing_else(ordinary_python: Script) -> None:
    script = ordinary_python("""
async def look(url):
    connection = await asyncpg.connect(url)
    print(await connection.fetchval("SELECT 'answered'"))
    await connection.close()

with engine.running_cluster(engine.find_binaries(), listen="loopback") as cluster:
    asyncio.run(look(cluster.url()))
    asyncio.run(look(cluster.socket_url()))
    print(os.getuid() == 0, cluster.data_dir.stat().st_uid == os.getuid())
print(cluster.data_dir.exists())
""")
    said, complaint = script.communicate(timeout=60)
    assert complaint == ""
    assert said.split() == ["answered", "answered", "False", "True", "False"]


def test_programs_under_a_closed_home_are_copied_within_reach(
    binaries: Binaries, tmp_path: Path, open_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reach, "REACHABLE_CACHE", open_directory / "reachable")
    tmp_path.chmod(0o700)
    root = tmp_path / "home"
    root.mkdir()
    for folder in ("bin", "lib", "share"):
        subprocess.run(("cp", "-a", str(binaries.root / folder), str(root)), check=True)
    lib = None if binaries.lib is None else root / "lib"
    closed = Binaries(major=binaries.major, root=root, bin=root / "bin", lib=lib)
    with running_cluster(closed) as cluster:
        copied = cluster.binaries.root != root
        assert ask_now(cluster.url(), "SELECT 1") == 1
    assert copied == (os.geteuid() == 0)


@pytest.mark.long
@pytest.mark.parametrize("major", SUPPORTED_MAJORS)
def test_every_major_installs_and_starts(major: int) -> None:
    installed = install_binaries(major)
    assert find_binaries(major) == installed
    with running_cluster(installed, listen="loopback") as cluster:
        assert cluster.major == major
        for url in (cluster.url(), cluster.socket_url()):
            version = int(str(ask_now(url, "SELECT current_setting('server_version_num')")))
            assert version // 10000 == major
        ask_now(cluster.url(), "CREATE EXTENSION pgcrypto")
