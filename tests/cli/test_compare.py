"""`anchorwatch snapshot` and `anchorwatch diff` on real databases."""

import json
from pathlib import Path

import pytest

from monitor.sources import shadows
from monitor.sources.engine import Cluster
from tests.cli.conftest import RunCommand
from tests.conftest import MakeDatabase
from tests.sources.shadow_peers import find_leftovers, write_history

USERS = "CREATE TABLE users (id int PRIMARY KEY, email text);"


async def test_a_snapshot_equals_the_database_that_it_was_taken_of(
    run_inside: RunCommand, make_database: MakeDatabase, tmp_path: Path
) -> None:
    url = await make_database(sql=USERS)
    done = await run_inside("snapshot", url, "-o", "s.json")
    assert (done.code, done.out, done.err) == (0, "", "wrote s.json\n")
    same = await run_inside("diff", "snapshot:s.json", url)
    assert (same.code, same.out) == (0, "No differences.\n")
    printed = await run_inside("snapshot", url)
    assert printed.out == (tmp_path / "s.json").read_text()


async def test_any_change_is_exit_code_1_in_every_form(
    run_inside: RunCommand, make_database: MakeDatabase, tmp_path: Path
) -> None:
    (tmp_path / "e.sql").write_text("CREATE TABLE users (id bigint PRIMARY KEY, note text);")
    url = await make_database(sql=USERS)
    await run_inside("snapshot", url, "-o", "actual.json")
    await run_inside("snapshot", "sql:e.sql", "-o", "expected.json")
    sides = ("snapshot:expected.json", "snapshot:actual.json")
    text = await run_inside("diff", *sides)
    assert text.code == 1, text
    assert text.out.splitlines() == [
        "public.users",
        "  + column email is there, nothing expects it  warning   AW208",
        "      type  text",
        "  ~ column id differs in type                  warning   AW209",
        "      type  expected bigint, is integer",
        "  - column note is missing                     critical  AW207",
        "      type  text",
        "",
        "1 missing, 1 unexpected, 1 altered.",
    ]
    document = await run_inside("diff", *sides, "--format", "json")
    assert document.code == 1
    changes = document.document["changes"]
    assert [change["change"] for change in changes] == ["unexpected", "altered", "missing"]
    assert changes[1]["attributes"] == [
        {"name": "type", "expected": "bigint", "actual": "integer"}
    ]
    assert document.document["notes"] == []
    table = await run_inside("diff", *sides, "--format", "markdown")
    assert table.code == 1
    altered = "| ~ | altered column `public.users.id` | type | `bigint` | `integer` | AW209 |"
    assert altered in table.out


async def test_equal_sources_are_exit_code_0_in_every_form(
    run_inside: RunCommand, database: str
) -> None:
    for form in ("text", "json", "markdown"):
        done = await run_inside("diff", database, database, "--format", form)
        assert done.code == 0, done
    assert done.out == "No differences.\n"


async def test_a_plan_as_sql_is_refused_with_a_sentence(
    run_inside: RunCommand, database: str
) -> None:
    done = await run_inside("diff", database, database, "--format", "sql", "--allow-drop")
    assert done.code == 2, done
    assert "later release" in done.err


async def test_two_built_sources_share_one_shadow(run_inside: RunCommand, tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text(USERS)
    (tmp_path / "b.sql").write_text(f"{USERS} CREATE INDEX ON users (email);")
    done = await run_inside("diff", "sql:a.sql", "sql:b.sql", "--format", "json")
    assert done.code == 1, done
    assert [change["kind"] for change in done.document["changes"]] == ["index"]


async def test_nothing_is_built_on_the_server_of_a_database_that_is_compared(
    run_inside: RunCommand, server: Cluster, other_server: Cluster, database: str, tmp_path: Path
) -> None:
    (tmp_path / "e.sql").write_text("CREATE TABLE t (a int)")
    for sides in ((database, "sql:e.sql"), ("sql:e.sql", database)):
        refused = await run_inside("diff", *sides, "--shadow", server.url())
        assert refused.code == 2, refused
        assert "holds a watched database" in refused.err
        assert "leave it out" in refused.err
        assert await find_leftovers(server.url()) == []
        done = await run_inside("diff", *sides, "--shadow", other_server.url())
        assert done.code == 1, done


async def test_a_shadow_of_another_major_is_said_and_is_a_note_of_the_document(
    run_inside: RunCommand, database: str, tmp_path: Path
) -> None:
    (tmp_path / "e.sql").write_text("CREATE TABLE t (a int)")
    await run_inside("snapshot", database, "-o", "s.json")
    snapshot = json.loads((tmp_path / "s.json").read_text())
    snapshot["server"]["version_num"] = 130004  # no machine here has its programs
    (tmp_path / "s.json").write_text(json.dumps(snapshot))
    sides = ("sql:e.sql", "snapshot:s.json")
    for form in ("text", "markdown"):
        done = await run_inside("diff", *sides, "--format", form)
        assert done.code == 1, done
        (line,) = done.err.splitlines()
        assert "instead of 13" in line
        assert "`--shadow URL`" in line
        assert "instead of 13" not in done.out
    done = await run_inside("diff", *sides, "--format", "json")
    assert len(done.err.splitlines()) == 1
    (note,) = done.document["notes"]
    assert note["note"] == "other_major"
    assert note["message"] in done.err
    assert {note[name] for name in ("kind", "schema", "parent", "name")} == {None}


async def test_a_shadow_of_the_same_major_is_nothing_to_speak_of(
    run_inside: RunCommand, database: str, tmp_path: Path
) -> None:
    (tmp_path / "e.sql").write_text("CREATE TABLE t (a int)")
    for sides in (("sql:e.sql", database), ("sql:e.sql", "sql:e.sql")):
        done = await run_inside("diff", *sides, "--format", "json")
        assert (done.err, done.document["notes"]) == ("", [])


async def test_a_snapshot_that_cannot_be_written_is_one_sentence(
    run_inside: RunCommand, database: str
) -> None:
    done = await run_inside("snapshot", database, "-o", "no/such/place.json")
    assert done.code == 2, done
    assert "cannot be written: No such file or directory" in done.err
    device = await run_inside("snapshot", database, "-o", "/dev/full")
    assert device.code == 2, device
    assert "No space left" in device.err


async def test_a_configured_name_is_a_source(
    run_inside: RunCommand, database: str, tmp_path: Path
) -> None:
    (tmp_path / "anchorwatch.yaml").write_text(f"databases:\n  app: {{url: '{database}'}}\n")
    done = await run_inside("diff", "app", database)
    assert (done.code, done.out) == (0, "No differences.\n")


async def test_the_configuration_is_read_once_for_both_sides(
    run_inside: RunCommand, database: str, tmp_path: Path
) -> None:
    url = f"{database}?pgbouncer=true"
    (tmp_path / "anchorwatch.yaml").write_text(
        f"databases:\n  one: {{url: '{url}'}}\n  two: {{url: '{database}'}}\n"
    )
    done = await run_inside("diff", "one", "two")
    assert done.code == 0, done
    assert done.err.count("pgbouncer") == 1


async def test_spellings_and_frozen_defaults_are_notes_on_either_side(
    run_inside: RunCommand, make_database: MakeDatabase, tmp_path: Path
) -> None:
    (tmp_path / "e.sql").write_text(
        "CREATE TABLE t (a varchar CHECK (a IN ('a', 'b')), at timestamptz DEFAULT 'now');"
    )
    url = await make_database(
        sql="CREATE TABLE t (a varchar CHECK (a = ANY (ARRAY['a', 'b'])), "
        "at timestamptz DEFAULT '2024-05-06 07:08:09+00')"
    )
    for sides in (("sql:e.sql", url), (url, "sql:e.sql")):
        done = await run_inside("diff", *sides, "--format", "json")
        assert (done.code, done.document["changes"]) == (0, []), done
        assert sorted(note["note"] for note in done.document["notes"]) == ["spelling", "unstable"]
    checked = await run_inside("check", url, "--expected", "sql:e.sql")
    assert checked.code == 0, checked
    assert "in_sync" in checked.out
    assert "server_default=func.now()" in checked.out


async def test_a_doubt_that_nothing_can_settle_says_so_in_every_form(
    run_inside: RunCommand, make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = [
        await make_database(sql=f"CREATE TABLE t (a varchar CHECK ({condition}))")
        for condition in ("a IN ('a', 'b')", "a = ANY (ARRAY['a', 'b'])")
    ]
    monkeypatch.setattr(shadows, "installed_majors", tuple)
    text = await run_inside("diff", one, other)
    assert "only PostgreSQL" in text.out, text
    assert "info      AW289" in text.out
    document = await run_inside("diff", one, other, "--format", "json")
    assert [(c["code"], c["severity"]) for c in document.document["changes"]] == [
        ("AW289", "info")
    ]
    assert "AW289" in (await run_inside("diff", one, other, "--format", "markdown")).out


async def test_what_the_application_prints_is_shown_on_request(
    run_command: RunCommand,
    run_inside: RunCommand,
    server: Cluster,
    make_database: MakeDatabase,
    tmp_path: Path,
) -> None:
    url = await make_database(
        sql="CREATE TABLE t (); CREATE TABLE alembic_version (version_num text PRIMARY KEY);"
        "INSERT INTO alembic_version VALUES ('r1')"
    )
    ini = write_history(tmp_path / "app", "op.execute('create table t ()')", before="print('hi')")
    shadow = ("--shadow", server.url())
    for command in (
        ("snapshot", f"alembic:{ini}", "-o", "s.json", *shadow),
        ("diff", f"alembic:{ini}", "snapshot:s.json", *shadow),
        ("check", url, "--expected", f"alembic:{ini}"),
    ):
        quiet = await run_inside(*command)
        shown = await run_command(*command, "--verbose")
        assert (quiet.code, quiet.out) == (shown.code, shown.out), (quiet, shown)
        assert "hi\n" not in quiet.err
        assert "hi\n" in shown.err


async def test_what_a_url_says_in_vain_is_told(run_inside: RunCommand, database: str) -> None:
    said = f"{database.rpartition('/')[2]}: A parameter that PostgreSQL does not know was dropped."
    misspelt = f"{database}?sslmod=require"
    for command in (("check", misspelt), ("snapshot", misspelt), ("diff", misspelt, database)):
        done = await run_inside(*command)
        assert done.err.splitlines() == [said], done


EVENTS = "CREATE TABLE events (n int) PARTITION BY RANGE (n);"
JANUARY = "CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (2);"


async def test_what_is_left_out_is_no_change_and_a_note(
    run_inside: RunCommand, make_database: MakeDatabase, tmp_path: Path
) -> None:
    (tmp_path / "e.sql").write_text(EVENTS)
    url = await make_database(sql=EVENTS + JANUARY)
    done = await run_inside("diff", "sql:e.sql", url, "--format", "json")
    assert (done.code, done.document["changes"]) == (0, []), done
    assert done.document["notes"] == [
        {
            "note": "partition",
            "kind": "table",
            "schema": "public",
            "parent": None,
            "name": "events",
            "message": "1 partition of table public.events that nothing expects is not compared.",
        }
    ]


async def test_a_configured_database_is_compared_as_it_is_configured(
    run_inside: RunCommand, make_database: MakeDatabase, tmp_path: Path
) -> None:
    (tmp_path / "e.sql").write_text(EVENTS)
    url = await make_database(sql=EVENTS + JANUARY)
    (tmp_path / "anchorwatch.yaml").write_text(
        f"databases:\n  app:\n    url: {url}\n    partitions: {{policy: strict}}\n"
    )
    done = await run_inside("diff", "sql:e.sql", "app", "--format", "json")
    assert done.code == 1, done
    assert [change["name"] for change in done.document["changes"]] == ["events_1"]
    checked = await run_inside("check", "app", "--expected", "sql:e.sql", "--format", "json")
    assert checked.code == 1, checked
