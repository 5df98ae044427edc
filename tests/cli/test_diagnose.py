"""`anchorwatch diagnose` on real databases, held against a lock that was built here."""

from pathlib import Path

import pytest

from monitor.cli import make_app
from monitor.cli.refusals import run_command as run_in_process
from monitor.sources.engine import Cluster
from tests.cli.conftest import Done, RunCommand
from tests.conftest import MakeDatabase
from tests.sources.looking import copy, name_of, run
from tests.sources.peers import socket_url, weak_role
from tests.sources.shadow_peers import write_history

STEPS = (
    "create table t (id int primary key, code varchar(9) check (code in ('a', 'b')))",
    "alter table t add n int",
    "create table u (id int primary key)",
    "create index u_id on u (id)",
)
STAMP = "create table alembic_version (version_num varchar(32) primary key)"


@pytest.fixture(scope="module")
def lock(server: Cluster, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The lock of the steps, built once."""
    ini = write_history(tmp_path_factory.mktemp("app"), *(f"op.execute({s!r})" for s in STEPS))
    file = ini.with_name("schema.lock.json")
    arguments = ["lock", "build", f"alembic:{ini}", "-o", str(file), "--shadow", server.url()]
    assert run_in_process(make_app(), arguments) == 0
    return file.read_bytes()


@pytest.fixture
def locked(run_inside: RunCommand, lock: bytes, tmp_path: Path) -> RunCommand:
    """The command, where a lock of the steps lies."""
    (tmp_path / "schema.lock.json").write_bytes(lock)
    return run_inside


def script(*numbers: int, stamp: str | None) -> str:
    parts = [STEPS[number - 1] for number in numbers]
    if stamp is not None:
        parts += [STAMP, f"insert into alembic_version values ('{stamp}')"]
    return "; ".join(parts)


async def diagnose(command: RunCommand, server: Cluster, url: str) -> Done:
    return await command("diagnose", url, "--shadow", server.url(), "--format", "json")


@pytest.mark.parametrize(
    ("ran", "stamp", "verdict", "code"),
    [
        ((1, 2, 3, 4), "r4", "in_sync", 0),
        ((1, 2), "r2", "pending", 0),
        ((1, 2), "r4", "stamped_not_run", 1),
        ((1, 3, 4), "r4", "hole", 1),
        ((1, 2, 3, 4), "r2", "applied_by_hand", 1),
        ((1, 2), None, "unstamped", 1),
        ((), "r4", "empty", 1),
        ((1,), "nil", "unknown_revision", 1),
    ],
)
async def test_the_verdict_names_the_cause(  # noqa: PLR0913  # the case and its fixtures
    locked: RunCommand,
    make_database: MakeDatabase,
    *,
    ran: tuple[int, ...],
    stamp: str | None,
    verdict: str,
    code: int,
) -> None:
    url = await make_database(sql=script(*ran, stamp=stamp))
    done = await locked("diagnose", url, "--format", "json")
    assert (done.document["verdict"], done.code) == (verdict, code), done
    assert done.document["heads"] == ["r4"]
    assert done.document["unexplained"] == 0
    assert bool(done.document["remedy"]) == (verdict != "in_sync")


async def test_the_history_is_drawn_with_what_is_said_about_it(
    locked: RunCommand, make_database: MakeDatabase
) -> None:
    url = await make_database(sql=script(1, 3, 4, stamp="r4"))
    done = await locked("diagnose", url)
    assert done.out.splitlines() == [
        "hole (critical): r4 is stamped, what r2 does is missing, and later revisions are there",
        "or: instead of r2 somebody changed column public.t.n by hand",
        "",
        "*  r4  head, stamped",
        "*  r3",
        "*  r2  NEVER RAN",
        "*  r1  schema",
        "",
        "  anchorwatch lock show FILE --revision r2",
        "  Write what is missing into a new revision at the end",
    ]


async def test_a_restore_and_edits_by_hand_are_told_apart(
    locked: RunCommand, server: Cluster, make_database: MakeDatabase
) -> None:
    created = await make_database(sql=script(1, 2, 3, 4, stamp="r4"))
    restored = await make_database()
    copy(server, name_of(created), name_of(restored))
    same = await diagnose(locked, server, restored)
    assert same.document["verdict"] == "in_sync", same
    await run(restored, "alter table t add by_hand int")
    edited = await diagnose(locked, server, restored)
    assert (edited.document["verdict"], edited.document["unexplained"]) == ("drifted", 1)


RECIPES = (
    (
        "create unique index concurrently uq on o (name)",
        "alter table o add constraint uq unique using index uq",
    ),
    (
        "alter table o add constraint nn check (name is not null) not valid",
        "alter table o validate constraint nn",
        "alter table o alter name set not null",
        "alter table o drop constraint nn",
    ),
)


@pytest.mark.parametrize("recipe", RECIPES)
async def test_a_recipe_that_stopped_after_its_first_step_is_half_applied(
    run_inside: RunCommand,
    server: Cluster,
    make_database: MakeDatabase,
    tmp_path: Path,
    recipe: tuple[str, ...],
) -> None:
    table = "create table o (id int primary key, name text)"
    steps = "; ".join(f"op.execute({step!r})" for step in recipe)
    alone = f"with op.get_context().autocommit_block(): {steps}"
    ini = write_history(tmp_path, f"op.execute({table!r})", alone)
    arguments = ("-o", "schema.lock.json", "--shadow", server.url())
    built = await run_inside("lock", "build", f"alembic:{ini}", *arguments)
    assert built.code == 0, built
    url = await make_database(sql=f"{table}; {STAMP}; insert into alembic_version values ('r1')")
    await run(url, recipe[0])
    found = await diagnose(run_inside, server, url)
    assert found.document["verdict"] == "half_applied", found
    assert found.document["summary"] == f"revision r2 stopped after 1 of {len(recipe)} steps"
    assert found.document["unexplained"] == 0


async def test_a_role_that_may_not_read_the_stamp_gets_no_guess(
    locked: RunCommand, server: Cluster, make_database: MakeDatabase
) -> None:
    url = await make_database(sql=script(1, 2, stamp="r2"))
    async with weak_role(server, url) as role:
        done = await diagnose(locked, server, socket_url(server, url, role))
    assert (done.document["verdict"], done.code) == ("unknown", 3)
    assert done.document["stamped"] is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["diagnose", "postgresql://h/d", "--lock", "nowhere.json"], "cannot be read"),
        (["diagnose", "sql:x.sql", "--lock", "schema.lock.json"], "is no database"),
    ],
)
async def test_bad_input_is_one_sentence(
    locked: RunCommand, arguments: list[str], words: str
) -> None:
    done = await locked(*arguments)
    assert done.code == 2, done
    assert words in done.err


async def test_tenants_and_other_histories_are_configured_and_checked(
    locked: RunCommand,
    server: Cluster,
    make_database: MakeDatabase,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    ini = write_history(
        tmp_path_factory.mktemp("bills"), "op.execute('create table bills (n int)')"
    )
    env = ini.with_name("m") / "env.py"
    place = "connection=connection, version_table='bills_version'"
    env.write_text(env.read_text().replace("connection=connection", place))
    done = await locked(
        "lock", "build", f"alembic:{ini}", "-o", "b.json", "--shadow", server.url()
    )
    assert done.code == 0, done
    whole = script(1, 2, 3, 4, stamp="r4")
    url = await make_database(
        sql=f"{whole}; create table bills (n int); create schema acme; set search_path = acme; "
        f"{script(1, 2, stamp='r2')}"
    )
    common = f"url: '{url}', shadow_url: '{server.url()}', expected: 'lock:schema.lock.json'"
    (tmp_path / "anchorwatch.yaml").write_text(
        "databases:\n"
        f"  shop: {{{common}, lock_beside: ['lock:b.json'], schemas: {{only: [public]}}}}\n"
        f"  alone: {{{common}, schemas: {{only: [public]}}}}\n"
        f"  acme: {{{common}, lock_schema: acme}}\n"
    )
    checked = await locked("check", "shop", "alone", "acme", "--format", "json")
    states = {one["name"]: one["state"] for one in checked.document["databases"]}
    assert states == {"shop": "in_sync", "alone": "drifted", "acme": "pending"}, checked
    (tmp_path / "schema.lock.json").rename(tmp_path / "kept.json")  # nothing is found by chance
    config = tmp_path / "anchorwatch.yaml"
    config.write_text(config.read_text().replace("schema.lock.json", "kept.json"))
    for name, state in states.items():
        asked = await locked("diagnose", name, "--format", "json")
        assert asked.document["verdict"] == state, asked
    options = ("--lock", "kept.json", "--shadow", server.url(), "--format", "json")
    found = await locked("diagnose", url, "--schema", "acme", *options)
    assert (found.document["verdict"], found.document["pending"]) == ("pending", ["r3", "r4"])


async def test_the_lock_of_a_newer_release_says_ahead(
    locked: RunCommand, server: Cluster, make_database: MakeDatabase, tmp_path: Path
) -> None:
    older = tmp_path / "older"
    older.mkdir()
    ini = write_history(older, *(f"op.execute({step!r})" for step in STEPS[:2]))
    done = await locked(
        "lock", "build", f"alembic:{ini}", "-o", "old.json", "--shadow", server.url()
    )
    assert done.code == 0, done
    url = await make_database(sql=script(1, 2, 3, 4, stamp="r4"))
    locks = ("--lock", "old.json", "--lock", "schema.lock.json")
    found = await locked("diagnose", url, *locks, "--shadow", server.url(), "--format", "json")
    assert (found.code, found.document["verdict"]) == (0, "ahead"), found
    assert found.document["safe_for_deployed"] == {"answer": "yes", "reason": ""}
    alone = await locked("diagnose", url, "--lock", "old.json", "--shadow", server.url())
    assert (alone.code, "unknown_revision" in alone.out) == (1, True)
