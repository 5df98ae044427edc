"""SQL steps on a real server: read only, with parameters, unknown where nobody can be asked."""

import time
from dataclasses import replace

import pytest

from monitor.checks.smoke import MOST_ROWS, SmokeDatabase, SmokeRunner
from monitor.core.smoke import Reason, StepOutcome, StepStatus
from monitor.sources.dsn import Endpoint, parse_dsn
from tests.checks.smoke_peers import make_suite
from tests.conftest import MakeDatabase

USERS = """
CREATE SCHEMA app;
CREATE TABLE app.users (id int PRIMARY KEY, key uuid, name text, total numeric(12,2), at date);
INSERT INTO app.users VALUES (1, '7d444840-9dc0-11d1-b245-5ffdce74fad2', 'Ann', 12.50,
    '2026-01-31'), (2, NULL, 'Bob', 3, NULL);
"""


async def ask(url: str, sql: str, **step: object) -> StepOutcome:
    suite = make_suite({"name": "only", "sql": sql, **step}, database="app")
    database = SmokeDatabase(parse_dsn(url)[0])
    return (await SmokeRunner().run(suite, database)).steps[0]


@pytest.fixture
async def users(make_database: MakeDatabase) -> str:
    return await make_database(sql=USERS)


async def test_rows_are_compared_with_their_types(users: str) -> None:
    outcome = await ask(
        users,
        "select id, key, name, total, at, null as nothing, id = 1 as one from app.users"
        " where name = $1 and id = $2",
        args='["Ann", 1]',
        expect=(
            "len(rows) == 1",
            "rows[0].id == 1",
            'rows[0].key == "7d444840-9dc0-11d1-b245-5ffdce74fad2"',
            "rows[0].total == 12.5",
            'rows[0].at == "2026-01-31"',
            "rows[0].nothing is null",
            "rows[0].one == true",
            "rows[1] absent",
            "time < 5s",
        ),
    )
    assert outcome.status is StepStatus.PASS, outcome


async def test_what_differs_is_told(users: str) -> None:
    outcome = await ask(
        users,
        "select count(*) as n, max(name) as name from app.users",
        expect=('rows[0].n == "2"', 'rows[0].name == "Cid"', "rows[0].nope exists"),
    )
    assert (outcome.status, outcome.reason) == (StepStatus.FAIL, Reason.ASSERTION)
    assert outcome.messages == (
        'rows[0].n == "2", but it is 2, a number and not a string.',
        'rows[0].name == "Cid", but it is "Bob".',
        'rows[0].nope exists, but rows[0] has no "nope".',
    )


async def test_a_parameter_is_never_a_part_of_the_statement(users: str) -> None:
    outcome = await ask(
        users,
        "select count(*) as n from app.users where name = $1",
        args='["x\' or true --"]',
        expect="rows[0].n == 0",
    )
    assert outcome.status is StepStatus.PASS, outcome


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("delete from app.users", "cannot execute DELETE in a read-only transaction"),
        ("select nope from app.users", 'column "nope" does not exist'),
        ("select 1; select 2", "multiple commands"),
        ("select 1 / 0", "division by zero"),
    ],
)
async def test_a_statement_that_is_refused_is_a_failure(users: str, sql: str, told: str) -> None:
    outcome = await ask(users, sql)
    assert (outcome.status, outcome.reason) == (StepStatus.FAIL, Reason.SQL)
    assert told in outcome.messages[0]
    kept = await ask(users, "select count(*) as n from app.users", expect="rows[0].n == 2")
    assert kept.status is StepStatus.PASS


@pytest.mark.parametrize(
    ("args", "told"), [("[]", "expects 1 argument"), ('["x"]', "invalid input for query argument")]
)
async def test_parameters_that_do_not_fit_are_told(users: str, args: str, told: str) -> None:
    outcome = await ask(users, "select $1::int", args=args)
    assert (outcome.status, outcome.reason) == (StepStatus.FAIL, Reason.SQL)
    assert told in outcome.messages[0]


async def test_no_more_rows_are_read_than_people_look_at(users: str) -> None:
    outcome = await ask(
        users, "select * from generate_series(1, 100000)", expect=f"len(rows) == {MOST_ROWS}"
    )
    assert outcome.status is StepStatus.PASS, outcome


async def test_a_statement_that_takes_too_long_is_cancelled(users: str) -> None:
    begin = time.monotonic()
    outcome = await ask(users, "select pg_sleep(60)", timeout="300ms")
    assert (outcome.status, outcome.reason) == (StepStatus.FAIL, Reason.TIMEOUT)
    assert time.monotonic() - begin < 10


async def test_a_database_that_cannot_be_reached_is_unknown(users: str) -> None:
    dsn = replace(parse_dsn(users)[0], endpoints=(Endpoint(host="127.0.0.1", port=1),))
    suite = make_suite(
        {"name": "ask", "sql": "select 1"}, {"name": "again", "sql": "select 1"}, database="app"
    )
    outcome = await SmokeRunner().run(suite, SmokeDatabase(dsn))
    assert [step.status for step in outcome.steps] == [StepStatus.UNKNOWN, StepStatus.SKIPPED]
    assert outcome.steps[0].reason is Reason.DATABASE
    assert outcome.status is StepStatus.UNKNOWN


async def test_a_database_whose_entry_is_wrong_is_unknown() -> None:
    suite = make_suite({"name": "ask", "sql": "select 1"}, database="app")
    (step,) = (await SmokeRunner().run(suite)).steps
    assert step.reason is Reason.DATABASE


async def test_a_missing_right_is_unknown(make_database: MakeDatabase) -> None:
    url = await make_database(sql=USERS)
    suite = make_suite(
        {"name": "ask", "sql": "select set_config('role', 'pg_monitor', true), 1 as n"},
        {"name": "look", "sql": "select * from app.users"},
        database="app",
    )
    dsn = replace(parse_dsn(url)[0], options="-c role=pg_monitor")
    outcome = await SmokeRunner().run(suite, SmokeDatabase(dsn))
    assert outcome.steps[1].reason is Reason.DATABASE
    assert "GRANT USAGE ON SCHEMA" in outcome.steps[1].messages[0]


async def test_a_captured_value_that_does_not_fit_is_not_told(users: str) -> None:
    suite = make_suite(
        {"name": "take", "sql": "select 'tok-123456' as t", "capture": {"t": "rows[0].t"}},
        {"name": "use", "sql": "select $1::int", "args": '["{{ t }}"]'},
        {"name": "cast", "sql": "select $1::text::int", "args": '["{{ t }}"]', "always": True},
        database="app",
    )
    outcome = await SmokeRunner().run(suite, SmokeDatabase(parse_dsn(users)[0]))
    assert [step.reason for step in outcome.steps] == [None, Reason.SQL, Reason.SQL]
    assert not [m for step in outcome.steps for m in step.messages if "tok-123456" in m]
