"""`anchorwatch orphans repair`, as people use it."""

import re
from pathlib import Path

import pytest

from tests.cli.conftest import PLANTED, RunCommand
from tests.conftest import MakeDatabase
from tests.remedy.repair.rows import ask, dump
from tests.sources.looking import run

TABLES = """
create table users (id int primary key, team int);
create table orders (id int primary key, user_id int);
create table notes (id int primary key, order_id int references orders on delete cascade);
insert into users values (1, 1), (2, 7);
insert into orders select n, n from generate_series(1, 5) n;
insert into notes values (1, 1), (2, 4);
alter table orders add constraint orders_user foreign key (user_id) references users not valid;
"""
NAMED = ("--relation", "orders_user")


async def test_a_quarantine_empties_the_count_and_undo_fills_it_again(
    make_database: MakeDatabase, run_inside: RunCommand
) -> None:
    url = await make_database(sql=TABLES)
    before = await dump(url)
    options = ("--strategy", "quarantine", "--with-dependents", "--repair-url", url)
    command = ("orphans", "repair", url, *NAMED, *options)
    dry = await run_inside(*command)
    assert dry.code == 0, dry
    assert "would change 4 rows, nothing was changed" in dry.out
    assert "Add --apply to do it." in dry.out
    assert "lock table" in dry.out
    assert await dump(url) == before
    done = await run_inside(*command, "--apply", "--format", "json", "--reason", "import of May")
    assert done.code == 0, done
    document = done.document
    statements = document.pop("statements")
    assert any("repair: delete */ with d0 as (delete" in text for text in statements)
    assert document == {
        "format": 1,
        "strategy": "quarantine",
        "relation": "orders_user",
        "applied": True,
        "batch": 1,
        "rows": [
            {"table": "public.orders", "action": "quarantine", "rows": 3},
            {"table": "public.notes", "action": "quarantine", "rows": 1},
        ],
        "refused": [],
        "remaining": 0,
        "lost": [],
    }
    counted = await run_inside("orphans", url)
    assert (counted.code, "anchorwatch_quarantine" in counted.out) == (0, False), counted
    again = await run_inside(*command, "--apply")
    assert "no row has lost its parent, nothing to do" in again.out
    undo = ("orphans", "repair", url, "--undo", "1", "--repair-url", url)
    refused = await run_inside(*undo, "--apply")
    assert refused.code == 1, refused
    assert 'violates foreign key constraint "orders_user"' in refused.out
    await run(url, "alter table orders drop constraint orders_user")
    dry = await run_inside(*undo)
    assert (dry.code, "would change 4 rows" in dry.out) == (0, True), dry
    back = await run_inside(*undo, "--apply")
    assert (back.code, "done, 4 rows" in back.out) == (0, True), back
    assert await dump(url) == before
    twice = await run_inside(*undo, "--apply", "--format", "json")
    assert (twice.code, twice.document["applied"]) == (1, False)
    assert "was undone" in twice.document["refused"][0]["reason"]


async def test_what_a_name_hides_is_shown_as_the_server_reads_it(
    make_database: MakeDatabase, run_inside: RunCommand
) -> None:
    url = await make_database(sql=re.sub(r"\borders\b", '"or\u200bders"', TABLES))
    options = ("--strategy", "quarantine", "--with-dependents", "--repair-url", url)
    dry = await run_inside("orphans", "repair", url, *NAMED, *options)
    assert dry.code == 0, dry
    statements = dry.out[dry.out.index("/* anchorwatch") :]
    assert '"public".U&"or\\200Bders"' in statements
    assert statements.isascii()
    assert "\\u200b" not in statements


async def test_what_cannot_be_shown_is_said_to_be_elsewhere(
    make_database: MakeDatabase, run_inside: RunCommand
) -> None:
    url = await make_database(sql=TABLES)
    options = ("--strategy", "adopt", "--value", "team=1", "--where", "'x' <> $$\u200b$$")
    relation = ("--relation", "orders.user_id -> users.id")
    dry = await run_inside("orphans", "repair", url, *relation, *options, "--repair-url", url)
    assert dry.code == 0, dry
    head, said, rest = dry.out.partition("-- This statement holds characters that are not seen")
    assert said
    assert "--format json has it" in rest
    assert [line for line in rest.splitlines() if "$$\\u200b$$" in line and line[:3] == "-- "]
    assert "\u200b" not in head + rest


async def test_what_stands_against_it_is_told_with_the_next_step(
    make_database: MakeDatabase, run_inside: RunCommand
) -> None:
    url = await make_database(sql=TABLES)
    command = ("orphans", "repair", url, *NAMED, "--strategy", "delete", "--repair-url", url)
    for apply in ((), ("--apply",)):
        done = await run_inside(*command, *apply)
        assert done.code == 1, done
        assert "refused, nothing was changed" in done.out
        assert "A cascade would take 1 row along: 1 of public.notes." in done.out
        assert "Add --with-dependents to include them." in done.out
    told = await run_inside(*command, "--max-rows", "2", "--format", "json")
    assert told.document["refused"][0] == {
        "reason": "3 rows would be changed, and --max-rows is 2.",
        "next": "Look at them first; narrow the rows with --where, or raise --max-rows.",
    }


async def test_the_configuration_names_who_may_write(
    make_database: MakeDatabase, run_inside: RunCommand, tmp_path: Path
) -> None:
    url = await make_database(sql=TABLES)
    (tmp_path / "anchorwatch.yaml").write_text(
        f"""
        databases:
          app:
            url: {url}
            orphans:
              relations:
                - relation: users.team -> orders.id
                  where: id > 1
        """
    )
    text = ("--relation", "users.team -> orders.id", "--strategy", "nullify", "--apply")
    command = ("orphans", "repair", "app", *text)
    refused = await run_inside(*command)
    assert refused.code == 2, refused
    assert "app has no URL of a role that may repair it" in refused.err
    done = await run_inside(
        *command, "--where", "id > 5", ANCHORWATCH_DATABASES__APP__REPAIR_URL=url
    )
    assert (done.code, "nothing to do" in done.out) == (0, True), done
    assert await ask(url, "select team from users where id = 2") == 7
    done = await run_inside(*command)
    assert (done.code, "done, 1 row" in done.out) == (0, True), done
    assert await ask(url, "select team from users where id = 2") is None
    assert await ask(url, "select team from users where id = 1") == 1


async def test_rows_of_configured_relations_that_lose_their_parents_are_told(
    make_database: MakeDatabase, run_inside: RunCommand, tmp_path: Path
) -> None:
    url = await make_database(sql=f"{TABLES} delete from notes;")
    (tmp_path / "anchorwatch.yaml").write_text(
        f"""
        databases:
          app:
            url: {url}
            repair_url: {url}
            orphans:
              relations:
                - relation: users.team -> orders.user_id
                  where: team > 0
                - relation: users.id -> orders.id
                  where: no_such(id)
        """
    )
    await run(url, "update users set team = 4")
    command = ("orphans", "repair", "app", *NAMED, "--strategy", "delete")
    told = "2 rows of public.users {} their parents by this: nothing enforces"
    for options, verb in ((), "would lose"), (("--apply",), "have lost"):
        done = await run_inside(*command, *options)
        assert done.code == 0, done
        assert f"{told.format(verb)} public.users(team) -> public.orders(user_id).\n" in done.out
        assert "--relation 'public.users(team) -> public.orders(user_id)'" in done.out
        assert (
            "public.users(id) -> public.orders(id) loses parents by this is not known" in done.out
        )
    counted = await run_inside("orphans", "app")
    assert "public.users(team) -> public.orders(user_id)" in counted.out


async def test_a_file_may_hold_who_may_write(
    make_database: MakeDatabase, run_inside: RunCommand, tmp_path: Path
) -> None:
    url = await make_database(sql=TABLES)
    (tmp_path / "secret").write_text(url)
    done = await run_inside(
        *("orphans", "repair", "app", *NAMED, "--strategy", "nullify"),
        ANCHORWATCH_DATABASES__APP__URL=url,
        ANCHORWATCH_DATABASES__APP__REPAIR_URL_FILE=str(tmp_path / "secret"),
    )
    assert done.code == 0, done
    shown = await run_inside("config", "show")
    password = re.search(r":([^:@]+)@", url)
    assert password is not None
    assert password[1] not in shown.out


async def test_another_database_is_never_written_to(
    make_database: MakeDatabase, run_inside: RunCommand
) -> None:
    url, other = await make_database(sql=TABLES), await make_database(sql=TABLES)
    command = ("orphans", "repair", url, *NAMED, "--strategy", "nullify", "--apply")
    done = await run_inside(*command, "--repair-url", other)
    assert done.code == 2, done
    assert "The repair URL does not lead to the watched database: one is called" in done.err
    nowhere = f"postgresql://u:{PLANTED}@127.0.0.1:1/d?sslmode=disable"
    done = await run_inside(*command, "--repair-url", nowhere)
    assert done.code == 3, done
    assert await ask(other, "select count(*) from orders where user_id is null") == 0


URL = "postgresql://u@127.0.0.1:1/d?sslmode=disable"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--relation and --strategy say"),
        (("--relation", "x"), "--relation and --strategy say"),
        (("--relation", "x", "--strategy", "nullify", "--value", "a=1"), "--value is of parents"),
        (("--relation", "x", "--strategy", "adopt", "--value", "a"), "names no column"),
        (
            ("--relation", "x", "--strategy", "adopt", "--value", "a=1", "--value", "a=2"),
            "one twice",
        ),
        (("--relation", "x", "--strategy", "delete", "--where", "a) or (b"), "one condition"),
        (("--relation", "x", "--strategy", "delete", "--where", "a; b"), "one condition"),
        (("--relation", "x", "--strategy", "burn"), "burn"),
        (
            ("--relation", "x", "--strategy", "delete", "--reason", "\udcff"),
            "bytes that are no text",
        ),
        (("--undo", "1", "--relation", "x"), "--undo brings back a whole batch"),
        (("--undo", "0"), "0"),
        (("--relation", "x", "--strategy", "delete", "--max-rows", "0"), "0"),
        (("--relation", "x", "--strategy", "delete", "--max-rows", "9" * 20), "9" * 20),
        (
            ("--relation", "x", "--strategy", "delete", "--repair-url", "mysql://h"),
            "not a PostgreSQL URL",
        ),
    ],
)
async def test_what_means_nothing_is_refused(
    run_inside: RunCommand, arguments: tuple[str, ...], words: str
) -> None:
    done = await run_inside("orphans", "repair", URL, *arguments)
    assert done.code == 2, done
    assert words in done.err


async def test_nobody_who_cannot_be_reached_is_repaired(run_inside: RunCommand) -> None:
    done = await run_inside(
        *("orphans", "repair", URL, *NAMED, "--strategy", "delete", "--repair-url", URL)
    )
    assert done.code == 3, done


async def test_a_database_may_be_called_like_a_command(run_inside: RunCommand) -> None:
    done = await run_inside("orphans", "count")
    assert (done.code, "'count'" in done.err or "DATABASE_URL" in done.err) == (2, True), done


async def test_what_is_kept_is_no_drift(
    make_database: MakeDatabase, run_inside: RunCommand
) -> None:
    url = await make_database(sql=TABLES)
    before = await run_inside("snapshot", url, "-o", "before.json")
    assert before.code == 0, before
    command = ("orphans", "repair", url, *NAMED, "--strategy", "quarantine", "--apply")
    done = await run_inside(*command, "--with-dependents", "--repair-url", url)
    assert done.code == 0, done
    checked = await run_inside("check", url, "--expected", "snapshot:before.json")
    assert checked.code == 0, checked
    assert "objects of the quarantine of anchorwatch are not compared" in checked.out
    for sides in (("snapshot:before.json", url), (url, "snapshot:before.json")):
        assert (await run_inside("diff", *sides)).code == 0


async def test_a_key_that_is_only_expected_is_unknown_where_nobody_can_say_what_is(
    make_database: MakeDatabase, run_inside: RunCommand, tmp_path: Path
) -> None:
    url = await make_database(sql=TABLES)
    command = ("orphans", "repair", url, "--strategy", "delete", "--repair-url", url)
    told = await run_inside(
        *command, "--relation", "orders_team", "--expected", f"sql:{tmp_path}/gone.sql"
    )
    assert told.code == 2, told
    assert "No foreign key or configured relation is called 'orders_team'." in told.err
    assert "Those that are only expected are not known" in told.err
