"""`anchorwatch init`: writes what can be used as it is, overwrites nothing, tells no secret."""

import os
import re
from pathlib import Path

import pytest
import yaml

from monitor.config.railway import FILE, Plan, write_block, write_file
from tests.cli.conftest import PLANTED, RunCommand

URL = f"postgresql://app:{PLANTED}@db.example/app"
PLAN = Plan(databases={"app": "Postgres"})


async def test_what_it_writes_is_sound(run_inside: RunCommand, tmp_path: Path) -> None:
    environ = {"DATABASE_URL": URL, "SLACK_WEBHOOK_URL": f"https://hooks.example/{PLANTED}"}
    done = await run_inside("init", **environ)
    assert (done.code, done.out) == (0, "Wrote anchorwatch.yaml.\n"), done
    assert "Found: app (DATABASE_URL)." in done.err
    written = (tmp_path / "anchorwatch.yaml").read_text()
    assert PLANTED not in written
    document = yaml.safe_load(written)
    assert document == {
        "databases": {"app": {"url": "${DATABASE_URL}"}},
        "slack": {"webhook_url": "${SLACK_WEBHOOK_URL}"},
    }
    checked = await run_inside("config", "check", "--format", "json")
    assert checked.code == 0, checked
    assert checked.document["databases"] == ["app"]


async def test_without_a_database_in_sight_it_says_which_variable_to_set(
    run_inside: RunCommand,
) -> None:
    done = await run_inside("init")
    assert done.code == 0, done
    assert "No variable holds" in done.err
    unset = await run_inside("config", "check")
    assert unset.code == 2
    assert "DATABASE_URL" in unset.err
    assert (await run_inside("config", "check", DATABASE_URL=URL)).code == 0


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (("alembic.ini",), "alembic:./alembic.ini"),
        (("alembic.ini", "schema.lock.json"), "lock:./schema.lock.json"),
    ],
)
async def test_it_sees_the_history_that_is_there(
    run_inside: RunCommand, tmp_path: Path, files: tuple[str, ...], expected: str
) -> None:
    for name in files:
        (tmp_path / name).touch()
    await run_inside("init", DATABASE_URL=URL)
    database = yaml.safe_load((tmp_path / "anchorwatch.yaml").read_text())["databases"]["app"]
    assert database["expected"] == expected
    assert (await run_inside("config", "check")).code == 0


@pytest.mark.parametrize(("arguments", "path"), [((), "anchorwatch.yaml"), (("--railway",), FILE)])
async def test_what_is_there_stays_unless_it_is_forced(
    run_inside: RunCommand, tmp_path: Path, arguments: tuple[str, ...], path: str
) -> None:
    place = tmp_path / path
    place.parent.mkdir(exist_ok=True)
    place.write_text("mine")
    refused = await run_inside("init", *arguments)
    assert refused.code == 2, refused
    assert "--print" in refused.err
    assert "--force" in refused.err
    assert place.read_text() == "mine"
    assert (await run_inside("init", *arguments, "--print")).code == 0
    assert place.read_text() == "mine"
    assert (await run_inside("init", *arguments, "--force")).code == 0
    assert place.read_text() != "mine"


async def test_a_link_to_nowhere_is_something_that_is_there(
    run_inside: RunCommand, tmp_path: Path
) -> None:
    (tmp_path / "anchorwatch.yaml").symlink_to(tmp_path / "elsewhere")
    assert (await run_inside("init")).code == 2
    assert not (tmp_path / "elsewhere").exists()


async def test_railway_gets_its_file_and_a_person_the_secrets_to_set(
    run_inside: RunCommand, tmp_path: Path
) -> None:
    done = await run_inside("init", "--railway", DATABASE_URL=URL)
    assert done.code == 0, done
    assert (tmp_path / FILE).read_text() == write_file(PLAN)
    assert "ANCHORWATCH_API_TOKEN " in done.err
    assert "railway config plan" in done.err


async def test_beside_a_file_that_is_there_the_block_is_printed(
    run_inside: RunCommand, tmp_path: Path
) -> None:
    alone = await run_inside("init", "--railway", "--print")
    assert alone.out == write_file(PLAN)
    (tmp_path / FILE).parent.mkdir()
    (tmp_path / FILE).touch()
    beside = await run_inside("init", "--railway", "--print")
    assert beside.out == write_block(PLAN)


async def test_options_name_the_services(run_inside: RunCommand) -> None:
    done = await run_inside(
        *("init", "--railway", "--print", "--format", "json", "--database", "app=Main DB"),
        *("--database", "billing=Billing", "--store", "volume", "--source", "acme/watch"),
        *("--service", "watcher", "--branch", "stable", "--unpooled"),
    )
    assert done.code == 0, done
    text = done.document["text"]
    for piece in (
        *('postgres("Main DB")', 'postgres("Billing")', 'service("watcher"', '"/data": disk'),
        *('github("acme/watch", { branch: "stable" })', 'ref(app_db, "DATABASE_UNPOOLED_URL")'),
    ):
        assert piece in text
    assert done.document["written"] is False
    names = [one["name"] for one in done.document["variables"]]
    assert "ANCHORWATCH_DATABASES__BILLING__URL" in names
    assert "ANCHORWATCH_STORE_URL" not in names


@pytest.mark.parametrize(
    "arguments",
    [
        ("--database", "app=Postgres"),
        ("--unpooled",),
        ("--store", "volume"),
        ("--railway", "--store", "nowhere"),
        ("--railway", "--database", "App=Postgres"),
        ("--railway", "--database", "app=a", "--database", "b=a"),
        ("--railway", "--service", "Postgres"),
        ("--railway", "--source", "https://example.com/x"),
    ],
    ids=" ".join,
)
async def test_what_cannot_be_meant_is_refused_and_writes_nothing(
    run_inside: RunCommand, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    assert (await run_inside("init", *arguments)).code == 2
    assert os.listdir(tmp_path) == []  # noqa: PTH208  # nothing is awaited meanwhile


async def test_what_nobody_may_look_at_is_not_there_and_cannot_be_written(
    run_inside: RunCommand, tmp_path: Path
) -> None:
    """A link to a name that is too long fails as a directory without rights does, for root too."""
    for name in ("alembic.ini", ".railway"):
        (tmp_path / name).symlink_to("x" * 300)
    shown = await run_inside("init", "--print", DATABASE_URL=URL)
    assert (shown.code, "\n    expected:" in shown.out) == (0, False), shown
    assert (await run_inside("init", "--railway", "--print")).out == write_file(PLAN)
    refused = await run_inside("init", "--railway")
    assert (refused.code, refused.out) == (2, ""), refused
    assert "--print" in refused.err


async def test_a_directory_in_its_place_is_no_matter_of_an_option_that_there_is_not(
    run_inside: RunCommand, tmp_path: Path
) -> None:
    (tmp_path / "anchorwatch.yaml").mkdir()
    refused = await run_inside("init", "--force")
    assert refused.code == 2, refused
    assert "-o" not in refused.err.replace("--print", "")


async def test_what_it_leaves_open_is_a_setting_that_there_is(
    run_inside: RunCommand, tmp_path: Path
) -> None:
    await run_inside("init", DATABASE_URL=URL)
    place = tmp_path / "anchorwatch.yaml"
    opened = re.sub(
        r"^# (host|environment|public_url): ", r"\1: ", place.read_text(), flags=re.MULTILINE
    )
    place.write_text(opened)
    assert yaml.safe_load(opened)["host"] == "127.0.0.1"
    assert (await run_inside("config", "check")).code == 0
