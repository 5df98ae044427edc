"""`anchorwatch orphans`, as people use it."""

from pathlib import Path

import pytest

from tests.cli.conftest import RunCommand
from tests.conftest import MakeDatabase
from tests.sources.looking import run

TABLES = """
create table users (id int primary key, team int);
create table orders (id int primary key, user_id int);
create table notes (id int primary key, order_id int references orders);
insert into users values (1, 1), (2, 7);
insert into orders select n, n from generate_series(1, 5) n;
insert into notes values (1, 1), (2, null);
"""
PROMISED = "alter table orders add constraint orders_user foreign key (user_id) references users;"


async def test_a_database_is_counted_by_what_is_expected_of_it(
    make_database: MakeDatabase, run_inside: RunCommand, tmp_path: Path
) -> None:
    url = await make_database(sql=TABLES)
    (tmp_path / "expected.sql").write_text(TABLES.partition("insert")[0] + PROMISED)
    arguments = ("orphans", url, "--expected", f"sql:{tmp_path}/expected.sql")
    done = await run_inside(*arguments, "--format", "json")
    assert done.code == 1, done
    missing, valid = done.document["relations"]
    if missing["constraint"] != "orders_user":
        missing, valid = valid, missing
    assert missing == {
        "constraint": "orders_user",
        "child": "public.orders",
        "columns": ["user_id"],
        "parent": "public.users",
        "referenced": ["id"],
        "where": None,
        "origin": "missing",
        "orphans": 3,
        "complete": True,
        "of_one_moment": True,
        "sample_keys": [],
        "reason": None,
        "next": None,
    }
    assert (valid["origin"], valid["orphans"]) == ("validated", 0)
    [finding] = done.document["findings"]
    assert finding["code"] == "AW301"
    assert finding["title"] == (
        "3 rows of public.orders have no row in public.users (user_id -> id): the foreign key "
        "orders_user is missing, and adding it would fail"
    )
    text = await run_inside(*arguments)
    assert "3  public.orders(user_id) -> public.users(id)  [orders_user, missing]" in text.out
    await run(url, "delete from orders where user_id > 2")
    assert (await run_inside(*arguments)).code == 0


async def test_a_relation_of_the_command_line_is_counted_alone(
    make_database: MakeDatabase, run_inside: RunCommand
) -> None:
    url = await make_database(sql=TABLES)
    ask = ("orphans", url, "--relation", "orders.user_id -> users.id", "--format", "json")
    done = await run_inside(*ask, "--where", "id <> 5", "--row-keys")
    [relation] = done.document["relations"]
    assert (done.code, relation["orphans"], relation["where"]) == (1, 2, "id <> 5")
    assert sorted(relation["sample_keys"]) == [["3"], ["4"]]
    done = await run_inside(*ask, "--reverse")
    assert (done.code, done.document["relations"][0]["orphans"]) == (0, 0)
    assert (await run_inside(*ask, "--fail-on", "critical")).code == 0


@pytest.mark.parametrize(
    ("relation", "where", "words"),
    [
        ("nowhere.x -> users.id", "", "There is no table public.nowhere."),
        ("orders.gone -> users.id", "", "The table public.orders has no column gone."),
        ("orders.user_id -> docs.body", "", "body of public.docs cannot be compared"),
        ("orders.user_id -> docs.name", "", "cannot compare columns of these types"),
        ("orders.user_id -> users.id", "nonsense >", "Check the condition, where: nonsense >"),
    ],
)
async def test_what_cannot_be_counted_is_said_and_is_no_zero(
    make_database: MakeDatabase, run_inside: RunCommand, relation: str, where: str, words: str
) -> None:
    url = await make_database(sql=f"{TABLES} create table docs (body json, name text)")
    done = await run_inside("orphans", url, "--relation", relation, "--where", where)
    assert done.code == 3, done
    assert words in done.out
    assert "  ?  public." in done.out
    done = await run_inside(
        "orphans", url, "--relation", relation, "--where", where, "--format", "json"
    )
    [told] = done.document["relations"]
    assert (told["orphans"], told["complete"]) == (None, False)
    assert told["next"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("orphans", "nobody"), "No database 'nobody' is configured."),
        (("orphans", "postgresql://u@h/d", "--relation", "a -> b"), "That is no relation."),
        (("orphans", "sql:x.sql"), "is no database"),
    ],
)
async def test_what_means_nothing_is_refused(
    run_inside: RunCommand, arguments: tuple[str, ...], words: str
) -> None:
    done = await run_inside(*arguments, ANCHORWATCH_DATABASES__APP__URL="postgresql://u@h/d")
    assert done.code == 2, done
    assert words in done.err


async def test_an_entry_of_the_configuration_names_its_relations(
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
                - relation: orders.user_id -> users.id
                - relation: users.team -> orders.id
                  where: id > 0
            ignore:
              - {{code: AW303, object: 'foreign_key:public.orders.*', reason: known}}
        """
    )
    done = await run_inside("orphans", "app", "--format", "json")
    assert done.code == 1, done
    told = {one["constraint"]: one["orphans"] for one in done.document["relations"]}
    assert told == {
        "(user_id) -> public.users(id)": 3,
        "(team) -> public.orders(id)": 1,
        "notes_order_id_fkey": 0,
    }
    assert [one["parent"] for one in done.document["findings"]] == ["users"]
    assert [one["reason"] for one in done.document["ignored"]] == ["known"]


async def test_nobody_who_cannot_be_reached_is_counted(run_inside: RunCommand) -> None:
    done = await run_inside("orphans", "postgresql://u@127.0.0.1:1/d?sslmode=disable")
    assert done.code == 3, done
    assert "127.0.0.1:1" in done.err
