"""`anchorwatch doctor` and `anchorwatch config`: what is there, what is wrong, and no traces."""

from pathlib import Path

import pytest

from monitor.core.keys import Kind
from monitor.sources.engine import Cluster
from tests.cli.conftest import PLANTED, RunCommand
from tests.conftest import STEP_DOWN, MakeDatabase, started_scripts
from tests.sources.peers import socket_url, weak_role

GONE = f"postgresql://user:{PLANTED}@127.0.0.1:1/app"


def configure(tmp_path: Path, *lines: str) -> None:
    text = "\n".join([f"store_url: sqlite:///{tmp_path}/ledger.db", "databases:", *lines])
    (tmp_path / "anchorwatch.yaml").write_text(text)


async def test_all_is_well_and_nothing_is_made(
    run_inside: RunCommand, database: str, tmp_path: Path
) -> None:
    configure(tmp_path, f"  app: {{url: '{database}'}}")
    done = await run_inside("doctor")
    assert done.code == 0, done
    assert all(line.startswith("ok  ") for line in done.out.splitlines()), done
    assert "the role is a superuser, `anchorwatch grants` makes one that may only look" in done.out
    assert not (tmp_path / "ledger.db").exists()


async def test_the_worst_trouble_is_the_exit_code(
    run_inside: RunCommand, database: str, tmp_path: Path
) -> None:
    configure(
        tmp_path,
        f"  good: {{url: '{database}'}}",
        f"  gone: {{url: '{GONE}'}}",
        "  bad: {url: '${NOBODY_SET_THIS}'}",
    )
    done = await run_inside("doctor", "--format", "json")
    assert done.code == 3, done
    assert not done.document["ok"]
    steps = {step["name"]: step for step in done.document["steps"]}
    assert steps["database good"]["status"] == "pass"
    assert steps["database gone"]["status"] == "fail"
    failed = [step for step in done.document["steps"] if step["status"] == "fail"]
    assert len(failed) == 2
    assert all(step["message"] and step["command"] for step in failed)


async def test_a_configuration_that_cannot_be_read_is_exit_code_2(
    run_inside: RunCommand, tmp_path: Path
) -> None:
    (tmp_path / "anchorwatch.yaml").write_text("databases: [")
    done = await run_inside("doctor")
    assert done.code == 2, done
    assert "FAIL  configuration" in done.out


async def test_a_version_table_that_is_hidden_is_told(
    run_inside: RunCommand, server: Cluster, make_database: MakeDatabase, tmp_path: Path
) -> None:
    url = await make_database(sql="CREATE TABLE alembic_version (version_num varchar(32))")
    async with weak_role(server, url) as role:
        configure(tmp_path, f'  app: {{url: "{socket_url(server, url, role)}"}}')
        done = await run_inside("doctor")
    assert done.code == 3, done
    assert '"public"."alembic_version" cannot be read' in done.out


async def test_a_damaged_ledger_is_told(run_inside: RunCommand, tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_text("This is no database. " * 100)
    configure(tmp_path, f"  app: {{url: '{GONE}'}}")
    done = await run_inside("doctor")
    assert "FAIL  ledger" in done.out, done


async def test_a_database_that_is_disabled_is_not_asked(
    run_inside: RunCommand, tmp_path: Path
) -> None:
    configure(tmp_path, f"  off: {{url: '{GONE}', enabled: false}}")
    done = await run_inside("doctor")
    assert done.code == 0, done
    assert "ok    database off: is disabled" in done.out


def test_a_ledger_in_a_closed_directory_is_told(open_directory: Path) -> None:
    (open_directory / "closed").mkdir(mode=0)
    place = open_directory / "closed" / "below" / "l.db"
    with started_scripts(f"import monitor.cli.examination as examination\n{STEP_DOWN}") as start:
        script = start(
            f"print(*asyncio.run(examination.examine_store('sqlite:///{place}')), sep='|')"
        )
        out, err = script.communicate()
    assert err == ""
    assert out.startswith(f"ledger|{place} cannot be looked for: Permission denied.|"), out
    assert out.endswith("|3\n"), out


async def test_a_ledger_below_a_file_is_told(run_inside: RunCommand, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "anchorwatch.yaml").write_text(f"store_url: sqlite:///{tmp_path}/file/ledger.db")
    done = await run_inside("doctor")
    assert done.code == 3, done
    assert "cannot be written" in done.out


@pytest.mark.parametrize("form", ["text", "json"])
async def test_a_sound_configuration_is_called_so(
    run_inside: RunCommand, tmp_path: Path, form: str
) -> None:
    configure(tmp_path, f"  app: {{url: '{GONE}'}}")
    done = await run_inside("config", "check", "--format", form)
    assert done.code == 0, done
    assert "app" in done.out


async def test_every_problem_of_a_configuration_is_told_at_once(
    run_inside: RunCommand, tmp_path: Path
) -> None:
    configure(tmp_path, "  one: {url: '${NOBODY_SET_THIS}'}", "  two: {colour: blue}")
    done = await run_inside("config", "check")
    assert done.code == 2, done
    assert "NOBODY_SET_THIS" in done.err
    assert "colour" in done.err


@pytest.mark.parametrize("form", ["text", "json"])
async def test_the_configuration_is_shown_with_its_origins_and_without_its_secrets(
    run_inside: RunCommand, tmp_path: Path, form: str
) -> None:
    configure(tmp_path, f"  app: {{url: '{GONE}'}}")
    done = await run_inside(
        "config", "show", "--format", form, ANCHORWATCH_API_TOKEN=PLANTED + "x" * 30
    )
    assert done.code == 0, done
    assert "anchorwatch.yaml" in done.out
    assert "ANCHORWATCH_API_TOKEN" in done.out


async def test_the_self_test_plants_a_drift_of_every_kind_and_sees_it(
    run_inside: RunCommand, server: Cluster
) -> None:
    done = await run_inside("doctor", "--self-test", "--shadow", server.url(), "--format", "json")
    assert done.code == 0, done
    steps = [s for s in done.document["steps"] if s["name"].startswith("self-test")]
    assert {step["name"].removeprefix("self-test ") for step in steps} == {k.noun for k in Kind}


async def test_a_shadow_that_may_not_be_used_fails_the_self_test(
    run_inside: RunCommand, server: Cluster
) -> None:
    done = await run_inside("doctor", "--self-test", "--shadow", GONE)
    assert done.code == 3, done
    assert "FAIL  self-test" in done.out
    assert PLANTED not in done.out + done.err
