"""`anchorwatch check` on real databases: states, documents, exit codes, text for people."""

import json
from pathlib import Path
from typing import Any

import pytest

from monitor.sources.engine import Cluster
from monitor.sources.postgres import Session
from monitor.sources.reading import Reading, read_schema
from tests.cli.conftest import PLANTED, RunCommand
from tests.conftest import MakeDatabase
from tests.sources.shadow_peers import write_history

USERS = "CREATE TABLE users (id int PRIMARY KEY, email text);"
VERSIONS = (
    "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);"
    "INSERT INTO alembic_version VALUES ('r1');"
)


def on(server: Cluster) -> tuple[str, str]:
    """Build on that server."""
    return ("--shadow", server.url())


async def test_a_url_is_looked_at_by_itself(run_inside: RunCommand, database: str) -> None:
    done = await run_inside("check", database)
    assert done.code == 1, done  # empty
    assert ": empty\n" in done.out


async def test_without_expectation_there_is_no_talk_of_differences(
    run_inside: RunCommand, make_database: MakeDatabase
) -> None:
    done = await run_inside("check", await make_database(sql=USERS + VERSIONS))
    assert done.code == 0, done
    assert "no expectation, looked at by itself" in done.out
    assert "difference" not in done.out
    assert "stamped   r1" in done.out
    assert "2 columns" in done.out


async def test_the_document_is_the_one_of_the_contract(
    run_inside: RunCommand, make_database: MakeDatabase, tmp_path: Path
) -> None:
    (tmp_path / "e.sql").write_text(f"{USERS} CREATE TABLE orders (id int);")
    url = await make_database(sql=USERS)
    done = await run_inside("check", url, "--expected", "sql:e.sql", "--format", "json")
    assert done.code == 1, done
    (database,) = done.document["databases"]
    assert {"name", "environment", "state", "findings"} <= database.keys()
    assert database["state"] == "drifted"
    (finding,) = database["findings"]
    assert (finding["code"], finding["severity"]) == ("AW204", "critical")
    assert (finding["kind"], finding["schema"], finding["name"]) == ("table", "public", "orders")


@pytest.mark.parametrize(
    ("fail_on", "code"), [("info", 1), ("warning", 1), ("critical", 0), ("never", 0)]
)
async def test_the_least_severity_that_counts_is_chosen(
    run_inside: RunCommand, make_database: MakeDatabase, tmp_path: Path, fail_on: str, code: int
) -> None:
    (tmp_path / "e.sql").write_text("CREATE TABLE users (id int PRIMARY KEY)")
    url = await make_database(sql=USERS)
    done = await run_inside("check", url, "--expected", "sql:e.sql", "--fail-on", fail_on)
    assert done.code == code, done


async def test_findings_stand_by_their_tables_and_are_counted(
    run_inside: RunCommand, make_database: MakeDatabase, tmp_path: Path
) -> None:
    (tmp_path / "e.sql").write_text(
        "CREATE TABLE users (id bigint PRIMARY KEY, email text, note text);"
        "CREATE TABLE orders (id int)"
    )
    wanted = ("check", await make_database(sql=USERS), "--expected", "sql:e.sql")
    lines = (await run_inside(*wanted)).out.splitlines()
    (database,) = (await run_inside(*wanted, "--format", "json")).document["databases"]
    ids = {finding["id"] for finding in database["findings"]}
    named = [line for line in lines if line[-12:] in ids]
    assert {line[-12:] for line in named} == ids, "as `accept` takes them"
    start = lines.index("") + 1
    assert [line[:-14] if line in named else line for line in lines[start:]] == [
        "  public.orders",
        "    - table is missing, with 1 object in it  critical  AW204",
        "        column order  id",
        "  public.users",
        "    ~ column id differs in type              warning   AW209",
        "        type  expected bigint, is integer",
        "    - column note is missing                 critical  AW207",
        "        type  text",
        "",
        "  2 missing, 1 altered; 2 critical, 1 warning.",
    ]


async def test_a_history_tells_what_is_still_to_come(
    run_inside: RunCommand, other_server: Cluster, make_database: MakeDatabase, tmp_path: Path
) -> None:
    write_history(tmp_path, f'op.execute("{USERS}")', 'op.execute("create table u (a int)")')
    url = await make_database(sql=USERS + VERSIONS)
    done = await run_inside("check", url, "--expected", "alembic:alembic.ini", *on(other_server))
    assert done.code == 0, done
    assert ": pending\n" in done.out
    assert "  heads     r2\n  pending   r2\n" in done.out


async def test_nothing_is_built_on_a_server_of_any_database_that_is_checked(
    run_inside: RunCommand,
    server: Cluster,
    other_server: Cluster,
    make_database: MakeDatabase,
    tmp_path: Path,
) -> None:
    (tmp_path / "e.sql").write_text(USERS)
    urls, form = (await make_database(sql=USERS), other_server.url()), ("--format", "json")
    for shadow in (server, other_server):
        done = await run_inside("check", *urls, "--expected", "sql:e.sql", *on(shadow), *form)
        assert done.code == 3, done
        for found in done.document["databases"]:
            assert found["state"] == "unknown"
            assert "holds a watched database" in found["summary"]


async def test_all_configured_databases_are_looked_at_and_counted(
    run_inside: RunCommand, make_database: MakeDatabase, tmp_path: Path
) -> None:
    url = await make_database(sql=USERS)
    (tmp_path / "anchorwatch.yaml").write_text(
        "environment: staging\ndatabases:\n"
        f"  one: {{url: '{url}'}}\n  two: {{url: '{url}', environment: other}}\n"
        f"  off: {{url: '{url}', enabled: false}}\n"
    )
    done = await run_inside("check")
    assert done.code == 0, done
    assert "one (staging): unchanged" in done.out
    assert "two (other): unchanged" in done.out
    assert done.out.endswith("\n2 databases: 2 unchanged.\n")
    named = await run_inside("check", "off", url, "--format", "json")
    assert [found["name"] for found in named.document["databases"]] == ["off", url[-17:]]


async def test_one_broken_entry_leaves_the_others_and_is_not_forgotten(
    run_inside: RunCommand, make_database: MakeDatabase, tmp_path: Path
) -> None:
    url = await make_database(sql=USERS)
    (tmp_path / "anchorwatch.yaml").write_text(
        f"databases:\n  good: {{url: '{url}'}}\n  bad: {{url: '${{NOBODY_SET_THIS}}'}}\n"
    )
    done = await run_inside("check", "--format", "json")
    assert done.code == 2, done
    states = {found["name"]: found["state"] for found in done.document["databases"]}
    assert states == {"good": "unchanged", "bad": "unknown"}
    assert (await run_inside("check", "good")).code == 0


async def test_a_database_can_be_what_another_one_should_be(
    run_inside: RunCommand, make_database: MakeDatabase, tmp_path: Path
) -> None:
    one, two = await make_database(sql=USERS), await make_database(sql="CREATE TABLE t (a int)")
    (tmp_path / "anchorwatch.yaml").write_text(
        f"databases:\n  model: {{url: '{one}'}}\n  copy: {{url: '{two}', expected: model}}\n"
    )
    done = await run_inside("check", "copy", "--format", "json")
    assert done.code == 1, done
    assert done.document["databases"][0]["state"] == "drifted"
    again = await run_inside("check", "copy", "--expected", "copy")
    assert again.code == 0, again


async def test_one_that_could_not_be_looked_at_outweighs_findings(
    run_inside: RunCommand, make_database: MakeDatabase
) -> None:
    gone = f"postgresql://user:{PLANTED}@127.0.0.1:1/app"
    done = await run_inside("check", gone, await make_database(), "--format", "json")
    assert done.code == 3, done
    assert [x["state"] for x in done.document["databases"]] == ["unreachable", "empty"]


async def test_a_fault_nobody_foresaw_stays_with_its_database(
    run_inside: RunCommand, make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = await make_database(sql=USERS), await make_database(sql=USERS)

    async def read(session: Session, **_: Any) -> Reading:
        if bad.endswith(session.facts.database):
            raise ZeroDivisionError(f"a row with {PLANTED}")
        return await read_schema(session)

    monkeypatch.setattr("monitor.watch.inspection.read_schema", read)
    done = await run_inside("check", bad, good, "--format", "json")
    assert done.code == 3, done
    broken, sound = done.document["databases"]
    assert (broken["state"], sound["state"]) == ("unknown", "unchanged")
    assert "ZeroDivisionError" in broken["summary"]
    (line,) = done.err.splitlines()
    assert bad[-17:] in line
    assert "ZeroDivisionError at test_check.py:" in line


async def test_only_databases_can_be_checked(run_inside: RunCommand) -> None:
    done = await run_inside("check", "sql:some.sql")
    assert done.code == 2, done
    assert "is no database" in done.err


async def test_nothing_is_written_anywhere(
    run_inside: RunCommand, make_database: MakeDatabase, tmp_path: Path
) -> None:
    done = await run_inside("check", await make_database(sql=USERS), "--format", "json")
    assert json.loads(done.out)
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240  # one look at one small directory
