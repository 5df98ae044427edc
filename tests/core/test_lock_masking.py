"""What a lock keeps of statements."""

import pytest

from monitor.core.lock_masking import mask


@pytest.mark.parametrize(
    "sql",
    [
        "insert into users (id, name, user_password) values (1, 'admin', 'hunter2')",
        "INSERT INTO t SELECT 'hunter2'",
        "\n  update t set api_token = 'hunter2' where id = 1",
        "with s as (select 1) insert into t values ('hunter2')",
        "insert into t values (E'tok\\'hunter2')",
        "insert into t values ($a$it's hunter2$a$)",
        "insert into t values ('it''s hunter2')",
        "-- note\ninsert into t values (2, 'hunter2')",
        "select 1; insert into t values (3, 'hunter2')",
        "do $$ begin insert into t values (1, 'hunter2'); end $$",
        "do 'begin perform f(''hunter2''); end'",
        "create table u as select 'hunter2'",
        "create temporary table u as select 'hunter2'",
        "explain insert into t values ('hunter2')",
        "prepare p as insert into t values ('hunter2')",
        "create role app login password 'hunter2'",
        "alter role app PASSWORD 'x''hunter2'",
        "select set_config('app.api_key', 'hunter2', false)",
        "create user mapping for u server s options (pw 'hunter2')",
        "alter table t alter smtp_password set default E'a\\\\hunter2'",
        "comment on table t is 'see postgres://app:hunter2@host/db'",
        "create subscription s connection 'postgres://app:hunter2@h/d' publication p",
        "do $$ begin perform set_config('my.secret', 'hunter2', true); end $$",
    ],
)
def test_a_secret_does_not_stay(sql: str) -> None:
    assert "hunter2" not in mask(sql)
    assert "***" in mask(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "create table t (a text default 'x')",
        "alter table t add check (a in ('a', 'b'))",
        "comment on table t is 'see https://example.com/it'",
        "create function f() returns int language sql as $$ select 1 $$",
        "create table t (a int references u on update cascade, b text default 'x')",
        "create trigger tr before insert or update on t execute function f('x')",
        "insert into t values (%(a)s)",
    ],
)
def test_other_statements_stay_as_they_are(sql: str) -> None:
    assert mask(sql) == sql
