"""`anchorwatch lock`: what people and pipelines do with it."""

from pathlib import Path

import pytest

from monitor.sources.engine import Cluster
from tests.cli.conftest import PLANTED, RunCommand
from tests.sources.shadow_peers import write_files, write_history

MAKE = "op.execute('create table t (id int primary key)')"
ADD = "op.execute('alter table t add n int')"
LOCK = "schema.lock.json"


async def build(run_inside: RunCommand, server: Cluster, *more: str) -> str:
    done = await run_inside("lock", "build", "--shadow", server.url(), "-o", LOCK, *more)
    assert done.code == 0, done
    return done.out


async def test_a_lock_is_built_shown_and_verified(
    run_inside: RunCommand, server: Cluster, tmp_path: Path
) -> None:
    write_history(tmp_path, MAKE, ADD)
    said = await build(run_inside, server, "alembic:alembic.ini")
    assert said == f"wrote {LOCK}: 2 revisions to r2, {len_of(tmp_path)} objects\n"

    shown = await run_inside("lock", "show", LOCK)
    assert "heads          r2\nversion table  public.alembic_version, 32 characters\n" in shown.out
    newest, oldest = shown.out.index("r2  after r1"), shown.out.index("r1  after nothing")
    assert newest < shown.out.index("    + column public.t.n") < oldest

    document = (await run_inside("lock", "show", LOCK, "--format", "json")).document
    assert [one["revision"] for one in document["revisions"]] == ["r1", "r2"]
    assert document["revisions"][1]["statements"] == ["alter table t add n int"]

    one = await run_inside("lock", "show", LOCK, "--revision", "r2")
    assert one.out.endswith("\n\nalter table t add n int;\n")
    assert "r1  after" not in one.out

    sound = await run_inside("lock", "verify", LOCK, "alembic:alembic.ini")
    assert (sound.code, sound.out) == (0, f"{LOCK} is what the history promises.\n")


def len_of(folder: Path) -> int:
    return (folder / LOCK).read_text().count('"digest":')


async def test_what_is_wrong_with_a_history_ends_the_pipeline_with_1(
    run_inside: RunCommand, server: Cluster, tmp_path: Path
) -> None:
    write_history(tmp_path, MAKE, ADD)
    await build(run_inside, server)  # alembic.ini here
    second = tmp_path / "m/versions/r2.py"
    second.write_text(second.read_text().replace("n int", "n bigint"))
    done = await run_inside("lock", "verify", LOCK, "--format", "json")
    assert done.code == 1
    assert done.document["ok"] is False
    assert [(p["name"], p["revision"]) for p in done.document["problems"]] == [("edited", "r2")]
    text = await run_inside("lock", "verify", LOCK)
    assert text.code == 1
    assert text.out.endswith("\n1 problem\n")


async def test_alembic_config_names_the_history(
    run_inside: RunCommand, server: Cluster, tmp_path: Path
) -> None:
    (tmp_path / "app").mkdir()
    ini = write_history(tmp_path / "app", MAKE)
    ini.rename(ini.with_name("other.ini"))
    done = await run_inside(
        "lock", "build", "--shadow", server.url(), ALEMBIC_CONFIG="app/other.ini"
    )
    assert done.code == 0, done
    assert (tmp_path / LOCK).is_file()


@pytest.mark.parametrize(
    ("variable", "value", "is_shown"),
    [
        ("SQLALCHEMY_ECHO", "1", True),
        ("SQLALCHEMY_ECHO", "0", False),
        ("ALEMBIC_VERBOSE", "1", True),
    ],
)
async def test_the_replay_can_be_watched(  # noqa: PLR0913  # the case and its fixtures
    run_command: RunCommand,
    server: Cluster,
    tmp_path: Path,
    *,
    variable: str,
    value: str,
    is_shown: bool,
) -> None:
    write_history(tmp_path, f"print('it says so'); {MAKE}")
    arguments = (
        "lock",
        "build",
        f"alembic:{tmp_path / 'alembic.ini'}",
        "-o",
        str(tmp_path / LOCK),
    )
    done = await run_command(*arguments, "--shadow", server.url(), **{variable: value})
    assert done.code == 0, done
    assert ("it says so" in done.err) is is_shown
    echoes = variable == "SQLALCHEMY_ECHO" and is_shown
    assert ("create table t (id int primary key)" in done.err) is echoes


async def test_a_history_that_stops_is_written_and_told(
    run_inside: RunCommand, server: Cluster, tmp_path: Path
) -> None:
    write_history(tmp_path, MAKE, "op.execute('alter table nowhere add n int')", ADD)
    done = await run_inside("lock", "build", "--shadow", server.url(), "--format", "json")
    assert done.code == 1, done
    assert done.document["stopped_at"]["revision"] == "r2"
    assert "nowhere" in done.document["stopped_at"]["reason"]
    shown = await run_inside("lock", "show", LOCK)
    assert "r3  after r2: not known" in shown.out
    refused = await run_inside("snapshot", f"lock:{LOCK}", "--format", "json")
    assert refused.code == 3
    assert "does not know what revision r2 does" in refused.document["error"]["message"]


async def test_models_are_held_against_the_migrations(
    run_inside: RunCommand, server: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    models = """
        import sqlalchemy as sa
        metadata = sa.MetaData()
        sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True, autoincrement=False))
    """
    write_files(tmp_path, {"app_models.py": models})
    write_history(tmp_path, MAKE)
    same = await build(run_inside, server, "--models", "models:app_models:metadata")
    assert "the models are what the migrations make" in same
    write_history(tmp_path, MAKE, ADD)
    other = await build(run_inside, server, "--models", "models:app_models:metadata")
    assert "the models differ from the migrations in 1 object:" in other


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["lock", "show", "nowhere.json"], 2, "cannot be read"),
        (["lock", "show", "damaged.json"], 2, "is not a lock"),
        (["lock", "verify", "damaged.json", "alembic:alembic.ini"], 2, "is not a lock"),
        (["lock", "build", "sql:x.sql"], 2, "is no history"),
        (["lock", "build", "alembic:alembic.ini", "-o", "."], 2, "is a directory"),
        (["lock", "build", "--baseline", "alembic:alembic.ini"], 2, "sql: or models: only"),
        (["lock", "build", "--models", "sql:x.sql"], 2, "models: only"),
        (["lock", "build", "alembic:nowhere.ini"], 3, "cannot be read"),
        (["lock", "build", "alembic:alembic.ini@r1"], 2, "of the whole history"),
    ],
)
async def test_bad_input_is_one_sentence_with_the_next_step(
    run_inside: RunCommand, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    write_history(tmp_path, MAKE)
    (tmp_path / "damaged.json").write_text(f'{{"{PLANTED}": ')
    done = await run_inside(*arguments)
    assert done.code == code, done
    assert words in done.err
    assert done.out == ""


async def test_an_older_lock_that_is_damaged_is_not_written_over(
    run_inside: RunCommand, server: Cluster, tmp_path: Path
) -> None:
    write_history(tmp_path, MAKE)
    (tmp_path / LOCK).write_text("<<<<<<< HEAD")
    done = await run_inside("lock", "build", "--shadow", server.url())
    assert done.code == 2
    assert "Remove it, or name another file" in done.err
    assert (tmp_path / LOCK).read_text() == "<<<<<<< HEAD"


@pytest.mark.parametrize(
    ("majors", "said"),
    [
        ("15,x", "x is no version of PostgreSQL that is known here"),
        ("9", "9 is no version of PostgreSQL that is known here"),
        (",", "nothing is no version of PostgreSQL that is known here"),
        ("17,18", "--shadow names one server, which is of one version"),
    ],
)
async def test_versions_that_cannot_be_meant_are_refused(
    run_inside: RunCommand, server: Cluster, tmp_path: Path, majors: str, said: str
) -> None:
    write_history(tmp_path, MAKE)
    done = await run_inside("lock", "build", "--postgres", majors, "--shadow", server.url())
    assert (done.code, said in done.err) == (2, True), done


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--baseline-at", "r1"], "--baseline-at says something about a baseline"),
        (["--downgrade"], "--downgrade says something about a baseline"),
        (
            ["--downgrade", "--baseline-at", "r1", "--baseline", "sql:a.sql"],
            "--downgrade takes the baseline back to nothing",
        ),
        (["--baseline", "sql:a.sql", "--baseline-at", "r9"], "The history has no revision r9"),
    ],
)
async def test_baselines_that_cannot_be_meant_are_refused(
    run_inside: RunCommand, server: Cluster, tmp_path: Path, options: list[str], said: str
) -> None:
    write_history(tmp_path, MAKE)
    (tmp_path / "a.sql").write_text("select 1")
    done = await run_inside("lock", "build", "--shadow", server.url(), *options)
    assert (done.code, said in done.err) == (2, True), done


async def test_a_lock_that_begins_with_a_dump_says_so(
    run_inside: RunCommand, server: Cluster, tmp_path: Path
) -> None:
    write_history(tmp_path, "op.execute('select * from nowhere')", ADD)
    (tmp_path / "r1.sql").write_text("create table t (id int primary key)")
    done = await run_inside("lock", "build", "--shadow", server.url(), "-o", LOCK)
    assert done.code == 3, done
    assert "--baseline-at REV" in done.err
    begun = ("--baseline", "sql:r1.sql", "--baseline-at", "r1")
    said = await build(run_inside, server, *begun)
    assert said.endswith(", beginning with r1\n")
    shown = await run_inside("lock", "show", LOCK)
    assert "r1  after nothing: in what the lock begins with\n" in shown.out
    assert "r2  after r1\n    + column public.t.n\n" in shown.out


async def test_how_far_a_revision_is_stands_between_its_statements(
    run_inside: RunCommand, server: Cluster, tmp_path: Path
) -> None:
    alone = (
        "op.execute('create table u (id int)'); op.execute('update t set id = 1')\n"
        "                    with op.get_context().autocommit_block():\n"
        "                        op.execute('create index concurrently t_id on t (id)')"
    )
    write_history(tmp_path, MAKE, alone)
    await build(run_inside, server)
    shown = await run_inside("lock", "show", LOCK, "--revision", "r2")
    assert shown.out.endswith(
        "create table u (id int);\nupdate t set id = ***;\n-- step 1 of 2 is done\n"
        "create index concurrently t_id on t (id);\n-- step 2 of 2 is done\n"
    )
