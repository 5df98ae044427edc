"""Whatever is wrong: one sentence, the next step, the right exit code, no secret, no traceback."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest
from pytest_httpserver import HTTPServer

from monitor.core.quoting import quote_ident
from monitor.sources.engine import Cluster
from tests.cli.conftest import PLANTED, Done, RunCommand
from tests.conftest import MakeDatabase
from tests.sources.peers import read, run, socket_url, weak_role
from tests.sources.shadow_peers import write_history

HOSTILE = "a\"b'c\n\x1b[31m😀\u202e</script>" + "x" * 36
"""63 bytes that no terminal, page or statement should take at their word."""

GONE = f"postgresql://user:{PLANTED}@127.0.0.1:1/app"
VERSIONS = (
    "CREATE TABLE t (a int); CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);"
    "INSERT INTO alembic_version VALUES ('r1')"
)


class Wrong(NamedTuple):
    """A command with something wrong about it, and what it has to come to."""

    arguments: tuple[str, ...]
    code: int
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What a case is made from."""

    server: Cluster
    make: MakeDatabase
    path: Path
    stack: AsyncExitStack

    def write(self, name: str, text: str) -> Path:
        path = self.path / name
        path.write_text(text)
        return path


type Case = Callable[[Bench], Awaitable[Wrong]]
CASES: dict[str, Case] = {}


def case(make: Case) -> Case:
    CASES[make.__name__.replace("_", " ")] = make
    return make


@asynccontextmanager
async def cutting_proxy(url: str, word: bytes) -> AsyncIterator[str]:
    """The URL of a server that vanishes when it is asked a question with this word."""
    dsn = read(url)
    pumps: set[asyncio.Task[None]] = set()

    async def pump(
        source: asyncio.StreamReader, sink: asyncio.StreamWriter, back: asyncio.StreamWriter
    ) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65536):
                if word in data:
                    back.transport.abort()
                    break
                sink.write(data)
        sink.transport.abort()

    async def serve(near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, forth = await asyncio.open_connection(dsn.host, dsn.port)
        pumps.add(asyncio.create_task(pump(near, forth, back)))
        pumps.add(asyncio.create_task(pump(far, back, forth)))

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    try:
        yield url.replace(f":{dsn.port}/", f":{port}/")
    finally:
        listener.close()
        for task in pumps:
            task.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


def with_password(url: str, password: str) -> str:
    head, _, tail = url.rpartition("@")
    return f"{head.rpartition(':')[0]}:{password}@{tail}"


@case
async def unreachable_host(bench: Bench) -> Wrong:
    return Wrong(("check", GONE), 3, "Nothing listens")


@case
async def unreachable_source(bench: Bench) -> Wrong:
    return Wrong(("diff", GONE, GONE), 3, "Nothing listens")


@case
async def wrong_password(bench: Bench) -> Wrong:
    url = with_password(await bench.make(), PLANTED)
    return Wrong(("check", url), 3, "password")


@case
async def tls_refused(bench: Bench) -> Wrong:
    return Wrong(("check", f"{await bench.make()}?sslmode=require"), 3, "TLS")


@case
async def missing_privilege(bench: Bench) -> Wrong:
    url = await bench.make()
    name = quote_ident(read(url).database)
    await run(url, f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC")
    role = await bench.stack.enter_async_context(weak_role(bench.server, url))
    return Wrong(("check", socket_url(bench.server, url, role)), 3, "GRANT CONNECT")


@case
async def hidden_version_table(bench: Bench) -> Wrong:
    url = await bench.make(sql=VERSIONS)
    ini = write_history(bench.path / "app", 'op.execute("create table t (a int)")')
    role = await bench.stack.enter_async_context(weak_role(bench.server, url))
    arguments = ("check", socket_url(bench.server, url, role), "--expected", f"alembic:{ini}")
    return Wrong(arguments, 3, "GRANT SELECT")


@case
async def database_that_vanishes_mid_look(bench: Bench) -> Wrong:
    proxy = cutting_proxy(await bench.make(sql=VERSIONS), b"anchorwatch catalog")
    return Wrong(
        ("check", await bench.stack.enter_async_context(proxy)), 3, "until the database is back"
    )


@case
async def source_that_vanishes_mid_look(bench: Bench) -> Wrong:
    url = await bench.make(sql=VERSIONS)
    proxy = cutting_proxy(url, b"anchorwatch catalog")
    return Wrong(
        ("diff", await bench.stack.enter_async_context(proxy), url),
        3,
        "until the database is back",
    )


@case
async def malformed_yaml(bench: Bench) -> Wrong:
    bench.write("anchorwatch.yaml", f"databases:\n  app: {{url: '{GONE}'\n")
    return Wrong(("check",), 2, "not valid YAML")


@case
async def unknown_key(bench: Bench) -> Wrong:
    bench.write("anchorwatch.yaml", f"databses:\n  app: {{url: '{GONE}'}}\n")
    return Wrong(("check",), 2, "databses")


@case
async def unknown_key_of_a_database(bench: Bench) -> Wrong:
    bench.write("anchorwatch.yaml", f"databases:\n  app: {{url: '{GONE}', colour: {PLANTED}}}\n")
    return Wrong(("check",), 2, "colour")


@case
async def unset_variable(bench: Bench) -> Wrong:
    bench.write("anchorwatch.yaml", "databases:\n  app: {url: '${NOBODY_SET_THIS}'}\n")
    return Wrong(("check", "app"), 2, "NOBODY_SET_THIS")


@case
async def unknown_name(bench: Bench) -> Wrong:
    bench.write("anchorwatch.yaml", f"databases:\n  app: {{url: '{GONE}'}}\n")
    return Wrong(("check", "billing"), 2, "billing")


@case
async def corrupt_snapshot(bench: Bench) -> Wrong:
    path = bench.write("s.json", '{"format": 1, "objects": [')
    return Wrong(("diff", f"snapshot:{path}", f"snapshot:{path}"), 2, "is not a snapshot")


@case
async def missing_snapshot(bench: Bench) -> Wrong:
    return Wrong(("diff", "snapshot:no/where.json", GONE), 3, "where.json")


@case
async def script_that_fails_half_way(bench: Bench) -> Wrong:
    path = bench.write("s.sql", "CREATE TABLE a (b int);\nCREATE TABLE c (d nosuchtype);\n")
    shadow = ("--shadow", bench.server.url())
    return Wrong(("diff", f"sql:{path}", f"sql:{path}", *shadow), 3, "nosuchtype")


@case
async def migration_that_fails(bench: Bench) -> Wrong:
    ini = write_history(bench.path / "app", 'raise RuntimeError("out of luck")')
    shadow = ("--shadow", bench.server.url())
    return Wrong(("diff", f"alembic:{ini}", f"alembic:{ini}", *shadow), 3, "out of luck")


@case
async def password_in_place_of_an_argument(bench: Bench) -> Wrong:
    return Wrong(("diff", GONE, GONE, GONE), 2, "unexpected extra argument")


@case
async def password_in_place_of_a_command(bench: Bench) -> Wrong:
    return Wrong((GONE,), 2, "No such command")


@case
async def password_in_place_of_an_option(bench: Bench) -> Wrong:
    return Wrong(("check", "--fail-on", f"host=db password='{PLANTED} x'"), 2, "--fail-on")


@case
async def a_url_that_cannot_be_read(bench: Bench) -> Wrong:
    return Wrong(("check", f"postgresql://user:{PLANTED}/@x@y/app"), 2, "special character")


@case
async def a_configuration_at_an_address_that_is_no_text(bench: Bench) -> Wrong:
    server = bench.stack.enter_context(HTTPServer(host="127.0.0.1"))
    server.expect_request("/").respond_with_data(b"databases: \xff")
    arguments = ("config", "check", "--config", server.url_for("/"))
    return Wrong(arguments, 2, "not UTF-8 text")


@case
async def an_unknown_option(bench: Bench) -> Wrong:
    return Wrong(("check", "--nope"), 2, "--nope")


@case
async def a_missing_argument(bench: Bench) -> Wrong:
    return Wrong(("diff", GONE), 2, "Missing argument")


@case
async def a_plan_as_sql(bench: Bench) -> Wrong:
    return Wrong(("diff", GONE, GONE, "--format", "sql"), 2, "later release")


@pytest.fixture
async def bench(
    server: Cluster, make_database: MakeDatabase, tmp_path: Path
) -> AsyncIterator[Bench]:
    async with AsyncExitStack() as stack:
        yield Bench(server=server, make=make_database, path=tmp_path, stack=stack)


@pytest.mark.parametrize("name", CASES)
async def test_bad_input_is_told_with_the_next_step(
    bench: Bench, run_inside: RunCommand, name: str
) -> None:
    wrong = await CASES[name](bench)
    check_text(await run_inside(*wrong.arguments), wrong)
    if "--format" not in wrong.arguments:
        check_document(await run_inside(*wrong.arguments, "--format", "json"), wrong)


SOME = {"unreachable host", "unknown key", "migration that fails"}
REST = [pytest.param(name, marks=pytest.mark.long) for name in CASES if name not in SOME]


@pytest.mark.parametrize("name", [*sorted(SOME), *REST])
async def test_a_process_of_its_own_says_so_as_well(
    bench: Bench, run_command: RunCommand, name: str
) -> None:
    wrong = await CASES[name](bench)
    check_text(await run_command(*wrong.arguments), wrong)


def check_text(done: Done, wrong: Wrong) -> None:
    """One sentence and the next step, as an error or as what was looked at."""
    assert done.code == wrong.code, done
    assert wrong.words in done.out + done.err, done
    if done.err:
        first, *rest = done.err.splitlines()
        assert done.out == "", done
        assert first.startswith("anchorwatch: "), done
        assert rest, done
        assert rest[-1].startswith("  "), done
    assert len((done.out + done.err).splitlines()) <= 6, done


def check_document(done: Done, wrong: Wrong) -> None:
    """The same as one JSON document."""
    assert done.code == wrong.code, done
    assert wrong.words in done.out, done
    assert done.err == "", done
    if "error" in done.document:
        assert done.document["error"].keys() == {"code", "message", "next"}
        assert all(done.document["error"].values())
    else:
        (database,) = done.document["databases"]
        assert database["state"] in {"unreachable", "unknown"}
        assert all(finding["remedy"] for finding in database["findings"])


async def test_a_hostile_name_is_text_everywhere(
    bench: Bench, run_command: RunCommand, other_server: Cluster
) -> None:
    assert len(HOSTILE.encode()) == 63
    url = await bench.make(sql=f"CREATE TABLE {quote_ident(HOSTILE)} (a int)")
    empty = bench.write("empty.sql", "CREATE TABLE t (a int)")
    shadow = ("--shadow", other_server.url())
    sides = ("diff", f"sql:{empty}", url, *shadow)
    runs = [run_command(*sides, "--format", form) for form in ("text", "markdown", "json")]
    check = run_command("check", url, "--expected", f"sql:{empty}", *shadow)
    *diffs, done = await asyncio.gather(*runs, check)
    for each in (*diffs, done):
        assert each.code == 1, each
        assert not set(each.out) & {"\x1b", "\u202e"}, each
    assert HOSTILE in {change["name"] for change in diffs[-1].document["changes"]}
    assert """a"b'c\\n\\x1b[31m😀\\u202e</script>""" in done.out, done


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system without room."""
    mount = tmp_path / "disk"
    mount.mkdir()
    tool = shutil.which("mount")
    command = [tool or "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(mount)]
    if tool is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    with suppress(OSError):
        (mount / "ballast").write_bytes(bytes(65536))
    yield mount
    subprocess.run(["umount", str(mount)], check=True)


async def test_a_full_disk_under_the_ledger_is_one_sentence(
    full_disk: Path, run_command: RunCommand
) -> None:
    done = await run_command(
        "run", DATABASE_URL=GONE, ANCHORWATCH_STORE_URL=f"sqlite:///{full_disk}/l.db", PORT="0"
    )
    assert done.code == 3, done
    assert "is full" in done.err, done
    assert len(done.err.splitlines()) == 2, done


async def test_a_full_disk_under_a_snapshot_leaves_the_old_one(
    full_disk: Path, run_command: RunCommand, database: str
) -> None:
    old = full_disk / "s.json"
    (full_disk / "ballast").write_bytes(bytes(40000))
    old.write_text("the old one")
    (full_disk / "more").write_bytes(bytes(16384))
    await run(database, "".join(f"CREATE TABLE t{n} (a int, b int);" for n in range(100)))
    done = await run_command("snapshot", database, "-o", str(old))
    assert done.code == 2, done
    assert "No space left" in done.err, done
    assert old.read_text() == "the old one"
    assert not list(full_disk.glob(".*"))  # noqa: ASYNC240  # three files


def test_a_full_standard_output_is_one_sentence(clean_environ: dict[str, str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "monitor", "explain"],
            env=clean_environ,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.startswith("anchorwatch: Standard output cannot be written: No space left")
    assert len(done.stderr.splitlines()) == 2


def test_a_reader_that_has_seen_enough_is_no_error(clean_environ: dict[str, str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "monitor", "explain"],
        env=clean_environ,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")
