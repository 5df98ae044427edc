"""What a script does to roles is left out of it, and nothing else is."""

import pytest

from monitor.core.role_script import find_made_roles, leave_roles_out

NOTHING = "DO 'BEGIN END'"


@pytest.mark.parametrize(
    "statement",
    [
        "create role app",
        "CREATE USER app WITH LOGIN PASSWORD 'a;b'",
        'create group "a;b"',
        "alter role app set search_path to x, 'y'",
        "alter user app in database d reset all",
        "drop role if exists app",
        "drop user app, other",
        "comment on role app is 'it''s mine'",
        "grant app to other with admin option",
        'revoke app from "on other"',
    ],
)
def test_a_statement_about_roles_is_left_out(statement: str) -> None:
    script = f"select 1; {statement};\n-- remark\nselect 2"
    assert leave_roles_out(script) == f"select 1; {NOTHING};\n-- remark\nselect 2"


@pytest.mark.parametrize(
    "script",
    [
        "create table role (a int); select 'create role app'",
        "create user mapping for app server s",
        "alter user mapping for app server s options (a 'b')",
        "drop user mapping for app server s",
        "grant select on t to app",
        "revoke all on schema s from app",
        "alter default privileges grant select on tables to app",
        "alter table t owner to app",
        "set role app",
        "create function f() returns void language plpgsql as $$ begin create role app; end $$",
        "do $$ begin execute 'create role app; drop role app;'; grant select on t to app; end $$",
        "do $$ begin raise notice 'then create role app'; end $$",
        "do $$ begin perform 'then create role app' || 'then drop role app' || 'x'; end $$",
    ],
)
def test_everything_else_stays_as_it_is(script: str) -> None:
    assert leave_roles_out(script) == script


def test_in_a_block_a_role_is_not_made_either() -> None:
    block = """DO $x$ BEGIN
      IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'app') THEN -- once
        CREATE ROLE app LOGIN PASSWORD 'then;';
      ELSE ALTER ROLE app NOLOGIN; END IF;
      grant app to other; GRANT SELECT ON t TO app;
    EXCEPTION WHEN duplicate_object THEN NULL;
    END $x$"""
    assert (
        leave_roles_out(block)
        == """DO $x$ BEGIN
      IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'app') THEN -- once
        NULL;
      ELSE NULL; END IF;
      NULL; GRANT SELECT ON t TO app;
    EXCEPTION WHEN duplicate_object THEN NULL;
    END $x$"""
    )


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("create role App", ("app",)),
        ('create user "My ""App"; create group g', ('My "App', "g")),
        ("do $$ begin execute 'create role r'; end $$", ("r",)),
        ("create user mapping for app server s", ()),
        ("do $$ begin execute format('create role %I', n); end $$", ()),
    ],
)
def test_the_roles_that_are_made_are_found(text: str, names: tuple[str, ...]) -> None:
    assert find_made_roles(text) == names


def test_a_long_script_that_nearly_is_about_roles_is_read_in_no_time() -> None:
    script = "do $$ begin perform 'then create role app" + "''" * 5000 + "'; end $$"
    assert leave_roles_out(script) == script
