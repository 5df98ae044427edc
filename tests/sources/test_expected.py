import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from monitor.core.diff import diff
from monitor.core.errors import BuildError, DamagedFile, UsageError
from monitor.core.keys import Kind
from monitor.core.lock_file import dump_lock
from monitor.core.snapshot import dump_snapshot
from monitor.core.source import Source, parse_source
from monitor.sources.build import BuildOptions
from monitor.sources.engine import Cluster
from monitor.sources.expected import open_expectation, read_source
from monitor.sources.locked import LockedExpectation
from monitor.sources.locking import LockOptions, build_lock
from monitor.sources.scripts import read_scripts
from monitor.sources.shadows import Shadows, open_shadows
from tests.conftest import MakeDatabase
from tests.sources.shadow_peers import find_leftovers, write_files, write_history

SQL = "create table t (id int primary key, name text default 'a');"


async def test_every_source_of_one_schema_gives_the_same_schema(
    server: Cluster,
    make_database: MakeDatabase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path, {"x.sql": SQL})
    write_files(
        tmp_path,
        {
            "shop.py": """
            import sqlalchemy as sa
            metadata = sa.MetaData()
            sa.Table("t", metadata,
                sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
                sa.Column("name", sa.Text, server_default="a"))
            """
        },
    )
    write_history(tmp_path, f"op.execute({SQL!r})")
    live = parse_source(await make_database(sql=SQL))
    options = BuildOptions(shadow_url=server.url())
    async with open_shadows(options) as shadows:
        wanted = await read_source(live, options, shadows=shadows)
        (tmp_path / "x.json").write_bytes(dump_snapshot(wanted))
        for text in ("sql:x.sql", "models:shop:metadata", "snapshot:x.json"):
            found = await read_source(parse_source(text), options, shadows=shadows)
            assert not diff(found, wanted), text
        migrated = await read_source(parse_source("alembic:alembic.ini"), options, shadows=shadows)
    assert {item.key.name for item in migrated.objects} >= {"t", "id", "name"}
    assert wanted.builder is None
    assert migrated.builder is not None


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("shop", UsageError, "No database is configured as shop"),
        ("sql:nowhere.sql", BuildError, "cannot be read"),
        ("snapshot:nowhere.json", BuildError, "cannot be read"),
        ("sql:latin.sql", BuildError, "no text in UTF-8"),
        ("snapshot:latin.sql", DamagedFile, "is not a snapshot"),
        ("alembic:nowhere.ini", BuildError, "cannot be read"),
        ("sql:~nobody_like_this/x.sql", BuildError, "cannot be read"),
    ],
)
async def test_a_source_that_cannot_be_read_is_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    error: type[Exception],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "latin.sql").write_bytes(b"select '\xfc'")
    with pytest.raises(error, match=said):
        await read_source(parse_source(text), BuildOptions())


async def test_a_history_is_expected_at_the_stamped_revisions(
    server: Cluster, tmp_path: Path
) -> None:
    lines: list[str] = []
    ini = write_history(
        tmp_path, "op.execute('create table a ()')", "op.execute('create table b ()')"
    )
    options = BuildOptions(shadow_url=server.url(), progress=lines.append)
    async with open_expectation(parse_source(f"alembic:{ini}"), options) as expectation:
        assert expectation.heads == ("r2",)
        assert expectation.history is not None
        assert expectation.history.pending(["r1"]) == ("r2",)
        first = await expectation.snapshot_at(("r1",))
        assert first.count(Kind.TABLE) == 1
        assert (await expectation.snapshot_at(())).count(Kind.TABLE) == 0
        told = len(lines)
        assert await expectation.snapshot_at(("r1",)) is first
        assert len(lines) == told
        write_history(tmp_path, "op.execute('create table a (x int)')", "pass", "pass")
        changed = await expectation.snapshot_at(("r1",))
        assert changed.fingerprint != first.fingerprint
        assert expectation.heads == ("r3",)
        with pytest.raises(BuildError, match="has no revision zz"):
            await expectation.snapshot_at(("zz",))
    assert await find_leftovers(server.url()) == []


async def test_a_changed_script_is_seen_and_an_unchanged_one_kept(
    server: Cluster, tmp_path: Path
) -> None:
    write_files(tmp_path, {"x.sql": SQL})
    source = parse_source(f"sql:{tmp_path / 'x.sql'}")
    async with open_expectation(source, BuildOptions(shadow_url=server.url())) as expectation:
        assert (expectation.heads, expectation.history) == (None, None)
        first = await expectation.snapshot_at(("anything",))
        assert await expectation.snapshot_at(None) is first
        write_files(tmp_path, {"x.sql": f"{SQL} create table u ();"})
        assert (await expectation.snapshot_at(None)).count(Kind.TABLE) == 2


async def test_changed_models_are_seen_and_unchanged_ones_kept(
    server: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = (
        "import sqlalchemy as sa\nm = sa.MetaData()\nsa.Table('{}', m, sa.Column('a', sa.Text))\n"
    )
    write_files(tmp_path, {"shop.py": text.format("t")})
    options = BuildOptions(shadow_url=server.url())
    async with open_expectation(parse_source("models:shop:m"), options) as expectation:
        first = await expectation.snapshot_at(None)
        assert await expectation.snapshot_at(None) is first
        path = tmp_path / "shop.py"
        path.write_text(text.format("other"))
        os.utime(path, (1, 1))  # Python's cache goes by the second and the size
        assert (await expectation.snapshot_at(None)).fingerprint != first.fingerprint


async def test_a_live_database_is_always_read_again(make_database: MakeDatabase) -> None:
    url = await make_database(sql=SQL)
    async with open_expectation(parse_source(url), BuildOptions()) as expectation:
        first = await expectation.snapshot_at(None)
        assert await expectation.snapshot_at(None) is not first


MODELS = """
    import sqlalchemy as sa
    m = sa.MetaData()
    sa.Table("t", m, sa.Column("a", sa.Text, server_default=sa.text({!r})))
"""


def write_source(scheme: str, root: Path, default: str) -> Source:
    """A source with one table, whose column has this default."""
    ddl = f"create table t (a text default {default})"
    if scheme == "alembic":
        return parse_source(f"alembic:{write_history(root, f'op.execute({ddl!r})')}")
    write_files(root, {"x.sql": ddl, "shop.py": MODELS.format(default)})
    return parse_source(f"sql:{root / 'x.sql'}" if scheme == "sql" else "models:shop:m")


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Grows by one with each build on a shadow."""
    made: list[object] = []
    build = Shadows.build

    async def count(self: Shadows, *args: Any, **options: Any) -> object:
        made.append(args)
        return await build(self, *args, **options)

    monkeypatch.setattr(Shadows, "build", count)
    return made


SCHEMES = ["alembic", "models", "sql"]


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_build_that_failed_is_not_repeated_until_its_files_change(
    server: Cluster,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    builds: list[object],
    scheme: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    source = write_source(scheme, tmp_path, "nope()")
    options = BuildOptions(shadow_url=server.url())
    async with open_expectation(source, options) as expectation:
        for default in ("nope()", "nope_again()"):
            write_source(scheme, tmp_path, default)
            for _ in range(3):
                with pytest.raises(BuildError, match="nope"):
                    await expectation.snapshot_at(None)
        assert len(builds) == 2
        write_source(scheme, tmp_path, "'sound'")
        assert (await expectation.snapshot_at(None)).count(Kind.TABLE) == 1
        write_source(scheme, tmp_path, "nope_at_last()")
        for _ in range(3):
            with pytest.raises(BuildError, match="nope"):
                await expectation.snapshot_at(None)
    assert len(builds) == 4


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_build_that_failed_is_tried_again_after_a_while(
    server: Cluster,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    builds: list[object],
    scheme: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("monitor.sources.expected.FAILURE_SECONDS", 0.2)
    source = write_source(scheme, tmp_path, "nope()")
    options = BuildOptions(shadow_url=server.url())
    async with open_expectation(source, options) as expectation:
        for _ in range(2):
            with pytest.raises(BuildError, match="nope"):
                await expectation.snapshot_at(None)
            await asyncio.sleep(0.25)
    assert len(builds) == 2


async def test_a_lock_is_an_expectation_at_any_stamp_and_follows_its_file(
    server: Cluster, tmp_path: Path
) -> None:
    ini = write_history(
        tmp_path, "op.execute('create table t ()')", "op.execute('create table u ()')"
    )
    file, options = tmp_path / "schema.lock.json", BuildOptions(shadow_url=server.url())
    async with open_shadows(options) as shadows:
        lock = await build_lock(read_scripts(ini), shadows, LockOptions(build=options))
        file.write_bytes(dump_lock(lock))
        expectation = LockedExpectation(parse_source(f"lock:{file}"), options)
        assert (await expectation.read()).lock.history.heads == ("r2",)
        first = await expectation.snapshot_at(("r1",))
        assert first.count(Kind.TABLE) == 1
        assert (await expectation.snapshot_at(None)).count(Kind.TABLE) == 2
        write_history(tmp_path, "op.execute('create table x ()')")
        (tmp_path / "m/versions/r2.py").unlink()
        again = await build_lock(read_scripts(ini), shadows, LockOptions(build=options))
        file.write_bytes(dump_lock(again))
        assert (await expectation.snapshot_at(None)).count(Kind.TABLE) == 1
        file.write_text("half of a")
        with pytest.raises(DamagedFile, match="is not a lock"):
            await expectation.snapshot_at(("r1",))
