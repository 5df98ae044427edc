import asyncio
import json
import os
from pathlib import Path

import pytest

from monitor.core.errors import BuildError
from monitor.core.keys import Kind
from monitor.core.snapshot import Snapshot
from monitor.core.source import parse_source
from monitor.sources.build import BuildOptions
from monitor.sources.engine import Cluster
from monitor.sources.expected import read_source
from tests.sources.shadow_peers import HISTORIES, find_leftovers, list_tables, write_history

SLOW = "op.execute('create table t ()'); op.execute('select pg_sleep(60)')"
TABLE = "op.execute('create table t ()')"


async def build(ini: Path, server: Cluster, revision: str = "heads", **more: object) -> Snapshot:
    options = BuildOptions(shadow_url=server.url(), **more)  # type: ignore[arg-type]  # as given
    return await read_source(parse_source(f"alembic:{ini}@{revision}"), options)


def rows(snapshot: Snapshot) -> tuple[str, ...] | None:
    [table] = snapshot.version_tables
    return table.revisions


def names(snapshot: Snapshot, kind: Kind) -> set[str]:
    return {item.key.name for item in snapshot.objects if item.key.kind is kind}


async def test_a_history_with_branches_is_replayed_in_one_run(
    server: Cluster, capfd: pytest.CaptureFixture[str]
) -> None:
    lines: list[str] = []
    ini = HISTORIES / "branches/alembic.ini"
    snapshot = await build(ini, server, progress=lines.append)
    assert rows(snapshot) == ("f1",)
    assert {"users", "orders", "places"} <= names(snapshot, Kind.TABLE)
    assert "users_email" in names(snapshot, Kind.INDEX)
    assert len(lines) == 6
    assert lines[-1] == "revision f1 (6 of 6)"
    assert capfd.readouterr() == ("", "")  # env.py prints
    assert await find_leftovers(server.url()) == []


async def test_a_history_stops_where_it_is_asked_to(server: Cluster) -> None:
    ini = HISTORIES / "branches/alembic.ini"
    snapshot = await build(ini, server, "c1")
    assert rows(snapshot) == ("c1",)
    assert "orders" not in names(snapshot, Kind.TABLE)
    empty = await build(ini, server, "base")
    assert names(empty, Kind.TABLE) == set()


async def test_an_asynchronous_environment_is_replayed_and_gives_the_same_twice() -> None:
    source = parse_source(f"alembic:{HISTORIES / 'asynchronous/alembic.ini'}")
    snapshot = await read_source(source, BuildOptions())
    assert rows(snapshot) == ("a1",)
    assert "notes" in names(snapshot, Kind.TABLE)
    assert await read_source(source, BuildOptions()) == snapshot


@pytest.mark.parametrize(
    "engine",
    [
        "create_engine({url!r})",
        (
            "create_engine('postgresql+psycopg://', "
            "creator=lambda: __import__('psycopg').connect({dsn!r}))"
        ),
        "create_engine(os.environ['DATABASE_URL'], connect_args={{'hostaddr': '127.0.0.1'}})",
    ],
)
async def test_a_connection_to_another_database_is_refused(
    server: Cluster, database: str, tmp_path: Path, engine: str
) -> None:
    name = database.rpartition("/")[2]
    other = engine.format(
        url=database.replace("postgresql://", "postgresql+psycopg://"), dsn=database, name=name
    )
    ini = write_history(tmp_path, TABLE, before=f"create_engine_ = {other}")
    env = tmp_path / "m/env.py"
    env.write_text(env.read_text().replace("with engine.connect", "with create_engine_.connect"))
    with pytest.raises(BuildError, match="is not the shadow; that was refused") as caught:
        await build(ini, server)
    assert "--url-env" in caught.value.next_step
    assert await list_tables(database) == []
    assert await find_leftovers(server.url()) == []


async def test_another_kind_of_database_is_refused(server: Cluster, tmp_path: Path) -> None:
    ini = write_history(tmp_path, TABLE, url="'sqlite://'")
    with pytest.raises(BuildError, match="connects to sqlite://"):
        await build(ini, server)


async def test_the_application_is_told_of_no_other_database(
    server: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "postgresql+psycopg://me:hunter22@db.example.org/live"  # noqa: S105  # of nobody
    for name in ("DATABASE_URL", "BILLING_DATABASE_URL", "STORE", "PGSERVICE", "MY_STORE"):
        monkeypatch.setenv(name, secret)
    monkeypatch.setenv("POSTGRES_PASSWORD", "hunter22")
    said = tmp_path / "said.json"
    ini = write_history(
        tmp_path,
        TABLE,
        before=f"open({str(said)!r}, 'w').write(__import__('json').dumps(dict(os.environ)))",
    )
    await build(ini, server, url_env=("MY_STORE",))
    variables = json.loads(said.read_text())
    assert "hunter22" not in said.read_text()
    assert (
        not {"BILLING_DATABASE_URL", "STORE", "PGSERVICE", "POSTGRES_PASSWORD"} & variables.keys()
    )
    assert variables["MY_STORE"] == variables["DATABASE_URL"]
    assert variables["MY_STORE"].startswith("postgresql+psycopg://anchorwatch_shadow_")
    assert os.environ["DATABASE_URL"] == secret


async def test_the_shadow_is_wherever_applications_look(server: Cluster, tmp_path: Path) -> None:
    urls = (
        "[context.config.get_main_option('sqlalchemy.url'), os.environ['MY_STORE'], "
        "'postgresql+psycopg://{PGUSER}:{PGPASSWORD}@{PGHOST}:{PGPORT}/{PGDATABASE}'"
        ".format(**os.environ)]"
    )
    ini = write_history(
        tmp_path,
        TABLE,
        options="sqlalchemy.url = driver://u:p@h/d",
        before=f"[create_engine(url, poolclass=pool.NullPool).connect() for url in {urls}]",
    )
    assert rows(await build(ini, server, url_env=("MY_STORE",))) == ("r1",)


@pytest.mark.parametrize(
    "case",
    [
        ((TABLE, TABLE), "", 'alembic.ini: revision r2 failed: DuplicateTable: relation "t"'),
        ((TABLE,), "raise SystemExit(3)", "env.py failed: SystemExit: 3"),
        ((TABLE,), "os._exit(0)", "the interpreter ended at once"),
        ((TABLE,), "raise ValueError(os.environ['APP_SECRET'])", "ValueError: \\*\\*\\*"),
        (("op.execute('create extension nothing_like')",), "", "does not have the extension"),
    ],
)
async def test_a_failure_is_told_by_revision_and_leaves_nothing(
    server: Cluster,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    case: tuple[tuple[str, ...], str, str],
) -> None:
    upgrades, before, said = case
    monkeypatch.setenv("APP_SECRET", "hunter22")
    with pytest.raises(BuildError, match=said) as caught:
        await build(write_history(tmp_path, *upgrades, before=before), server)
    assert "hunter22" not in str(caught.value)
    assert await find_leftovers(server.url()) == []


async def test_a_run_that_moved_nothing_is_no_success(server: Cluster, tmp_path: Path) -> None:
    ini = write_history(tmp_path, TABLE)
    (tmp_path / "m/env.py").write_text("")
    with pytest.raises(BuildError, match="not at r1: its version rows are none"):
        await build(ini, server)


async def test_a_revision_that_the_history_lacks_is_told(server: Cluster, tmp_path: Path) -> None:
    ini = write_history(tmp_path, TABLE)
    with pytest.raises(Exception, match="no revision zz"):
        await build(ini, server, "zz")


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("create role reader", marks=pytest.mark.long),
        "create user reader with login password 'secret'; alter role reader set a.b to 'c'",
        pytest.param(
            "do $$ begin if not exists (select from pg_roles where rolname = 'reader') then "
            "create role reader; end if; end $$",
            marks=pytest.mark.long,
        ),
        pytest.param(
            "do $$ begin create role reader; exception when duplicate_object then null; end $$",
            marks=pytest.mark.long,
        ),
        (
            "do $$ begin if not exists (select from pg_roles where rolname = 'reader') then "
            "execute 'create role reader'; end if; end $$"
        ),
        "grant reader to current_user",
    ],
)
async def test_a_role_that_a_migration_makes_is_a_stand_in(
    server: Cluster, tmp_path: Path, statement: str
) -> None:
    grant = "create table t (); grant select on t to reader"
    ini = write_history(tmp_path, f"op.execute({statement!r})", f"op.execute({grant!r})")
    snapshot = await build(ini, server)
    [table] = [item for item in snapshot.objects if item.key.name == "t"]
    assert "reader" in str(table.get("grants"))
    (tmp_path / "it.sql").write_text(f"{statement}; {grant}")
    dumped = await read_source(
        parse_source(f"sql:{tmp_path / 'it.sql'}"), BuildOptions(shadow_url=server.url())
    )
    assert dumped.by_key[table.key] == table
    assert await find_leftovers(server.url()) == []


async def test_a_role_whose_name_a_migration_computes_is_made_elsewhere(
    server: Cluster, tmp_path: Path
) -> None:
    block = "do $$ begin execute format('create role %I', 'reader'); end $$"
    ini = write_history(tmp_path, f"op.execute({block!r})")
    with pytest.raises(BuildError, match="permission denied to create role") as caught:
        await build(ini, server)
    assert "write its name in the statement" in str(caught.value)


async def test_roles_that_migrations_name_get_stand_ins(server: Cluster, tmp_path: Path) -> None:
    ini = write_history(
        tmp_path,
        f"{TABLE}; op.execute('alter table t owner to reader')",
    )
    lines: list[str] = []
    snapshot = await build(ini, server, progress=lines.append)
    [table] = [item for item in snapshot.objects if item.key.name == "t"]
    assert table.attributes["owner"] == "reader"
    assert "again, with a stand-in for the role reader" in lines
    assert await find_leftovers(server.url()) == []


async def test_an_untrusted_extension_is_created_on_the_way(tmp_path: Path) -> None:
    ini = write_history(
        tmp_path,
        "op.execute('create schema ext')",
        "op.get_context().autocommit_block",
        "op.execute('create extension pageinspect'); op.execute('create extension hstore')",
    )
    snapshot = await read_source(parse_source(f"alembic:{ini}"), BuildOptions())
    assert names(snapshot, Kind.EXTENSION) == {"pageinspect", "hstore", "plpgsql"}


async def test_a_cancelled_replay_leaves_neither_process_nor_database(
    server: Cluster, tmp_path: Path
) -> None:
    note = tmp_path / "pid"
    ini = write_history(
        tmp_path, TABLE, SLOW, before=f"open({str(note)!r}, 'w').write(str(os.getpid()))"
    )
    is_running = asyncio.Event()
    task = asyncio.create_task(build(ini, server, progress=lambda _: is_running.set()))
    await is_running.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await find_leftovers(server.url()) == []
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text()), 0)


async def test_what_the_application_prints_is_shown_on_request(
    server: Cluster, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ini = write_history(tmp_path, TABLE, before="print('hello from env.py')")
    await build(ini, server, verbose=True)
    assert capfd.readouterr() == ("", "hello from env.py\n")


async def test_what_was_printed_goes_out_before_the_last_word(
    server: Cluster, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whoever hears the last word ends the process, and what is held back would be lost."""
    slow = (
        "import sys, time; sys.stdout = type('Slow', (), {'write': lambda self, text: None, "
        "'flush': lambda self: (time.sleep(0.2), os.write(2, b'sent on'))})()"
    )
    await build(write_history(tmp_path, TABLE, before=slow), server, verbose=True)
    assert "sent on" in capfd.readouterr().err


async def test_what_is_shown_holds_no_secret_and_moves_no_cursor(
    server: Cluster,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("API_TOKEN", "s3cret-token")
    says = "print(os.environ['API_TOKEN'], os.environ['DATABASE_URL'], chr(27), end='')"
    await build(write_history(tmp_path, TABLE, before=says), server, verbose=True)
    _, err = capfd.readouterr()
    assert "*** postgresql+psycopg://***@" in err
    assert "s3cret-token" not in err
    assert "\x1b" not in err
