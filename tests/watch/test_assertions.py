"""What is asserted of the rows of a database, from the configuration to the ledger."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from monitor.checks.smoke import SmokeDatabase
from monitor.config.assertions import AssertionsSettings
from monitor.core.checkup import CheckName
from monitor.core.incidents import EventKind
from monitor.sources.dsn import parse_dsn
from monitor.watch.assertions import AssertionCheck
from monitor.watch.checkup import Checkup
from monitor.watch.pipeline import Checked
from monitor.watch.target import Target
from tests.watch.builders import START, Watch

OPENED, CHANGED, RESOLVED = EventKind.OPENED, EventKind.CHANGED, EventKind.RESOLVED
TABLES = """
create table accounts (id int primary key, balance int);
create table orders (id int primary key, at timestamptz);
insert into accounts values (1, 10);
insert into orders values (1, now());
"""
BALANCE = {
    "name": "no negative balance",
    "sql": "select count(*) as n from accounts where balance < 0",
    "expect": "rows[0].n == 0",
    "severity": "critical",
}
FRESH = {"name": "orders come in", "fresh": "orders.at", "within": "1h", "where": "id > 0"}


def read(*checks: dict[str, Any]) -> AssertionsSettings:
    return AssertionsSettings.model_validate({"checks": checks})


def a_check(watch: Watch, *checks: dict[str, Any]) -> AssertionCheck:
    asked = SmokeDatabase(parse_dsn(watch.url)[0])
    return AssertionCheck(read(*checks).make_assertions(), asked)


async def look(
    watch: Watch, minute: float, check: AssertionCheck, target: Target | None = None
) -> Checked:
    at, place = START + timedelta(minutes=minute), target or watch.target
    checkup = Checkup(
        "test", "app", CheckName.DATA, lambda at, before: check.run(place, at, before)
    )
    checked = await watch.pipeline.check(checkup, at)
    assert checked is not None
    watch.kinds += [event.kind for event in checked.events]
    return checked


async def test_what_does_not_hold_is_told_and_its_end_as_well(watch: Watch) -> None:
    await watch.run(TABLES)
    check = a_check(watch, BALANCE, FRESH)
    assert (await look(watch, 0, check)).record.report.findings == ()
    await watch.run(
        "update accounts set balance = -1; update orders set at = now() - '2h'::interval"
    )
    seen = await look(watch, 1, check)
    balance, fresh = seen.record.report.findings
    assert (balance.code, balance.severity.value) == ("AW311", "critical")
    assert balance.title.startswith('"no negative balance" does not hold: rows[0].n == 0')
    assert (fresh.code, fresh.severity.value) == ("AW312", "warning")
    assert "72" in fresh.title
    assert watch.kinds == [], "one look is not enough"
    await look(watch, 2, check)
    assert watch.kinds == [OPENED]
    await watch.run("update accounts set balance = 1; update orders set at = now()")
    await look(watch, 3, check)
    assert watch.kinds == [OPENED, RESOLVED]
    assert seen.record.report.summary == "0 of 2 assertions hold"


@pytest.mark.parametrize(
    "sql",
    [
        "delete from orders",
        "update orders set at = null",
        "update orders set at = now() + '1 day'::interval",
        "update orders set at = 'infinity'",
        "update orders set at = '-infinity'",
    ],
)
async def test_without_a_newest_row_nothing_is_fresh(watch: Watch, sql: str) -> None:
    await watch.run(f"{TABLES} {sql}")
    [finding] = (await look(watch, 0, a_check(watch, FRESH))).record.report.findings
    assert finding.code == "AW312"


@pytest.mark.parametrize("kind", ["timestamptz", "timestamp", "date"])
async def test_a_row_of_the_future_hides_neither_age_nor_freshness(
    watch: Watch, kind: str
) -> None:
    await watch.run(f"{TABLES} alter table orders alter at type {kind}")
    await watch.run("insert into orders values (7, 'infinity'), (8, now() + '1 day'::interval)")
    check = a_check(watch, FRESH | {"within": "25h"})
    assert (await look(watch, 0, check)).record.report.findings == ()
    await watch.run("update orders set at = now() - '3 days'::interval where id < 7")
    [finding] = (await look(watch, 1, check)).record.report.findings
    assert finding.code == "AW312"


async def test_two_columns_of_one_name_are_not_taken_for_one(watch: Watch) -> None:
    check = a_check(watch, BALANCE | {"sql": "select 0 as n, 1 as n"})
    [finding] = (await look(watch, 0, check)).record.report.findings
    assert finding.code == "AW319"
    assert "two columns of one name" in finding.title


async def test_what_cannot_be_evaluated_leaves_what_was_known(watch: Watch) -> None:
    await watch.run(TABLES)
    check = a_check(watch, BALANCE, FRESH)
    await watch.run("update accounts set balance = -1")
    await look(watch, 0, check)
    await look(watch, 1, check)
    await watch.run("alter table accounts rename to gone")
    seen = await look(watch, 2, check)
    assert [(one.code, one.severity.value) for one in seen.record.report.findings] == [
        ("AW311", "critical"),
        ("AW319", "info"),
    ]
    assert watch.kinds == [OPENED]
    seen = await look(watch, 3, check)
    assert [one.severity.value for one in seen.record.report.findings][1] == "warning"
    nowhere = replace(parse_dsn(watch.url)[0], database="nowhere")
    lost = AssertionCheck(read(BALANCE).make_assertions(), SmokeDatabase(nowhere))
    seen = await look(watch, 4, lost)
    assert [one.code for one in seen.record.report.findings] == ["AW311", "AW319"]
    assert RESOLVED not in watch.kinds


@pytest.mark.parametrize(
    "sql",
    [
        "insert into accounts values (2, 2) returning id",
        "select 1; drop table accounts",
        "select pg_sleep(30)",
    ],
)
async def test_a_query_reads_and_ends(watch: Watch, sql: str) -> None:
    await watch.run(TABLES)
    settings = AssertionsSettings.model_validate(
        {
            "statement_timeout": "300ms",
            "checks": [{"name": "x", "sql": sql, "expect": "len(rows) == 1"}],
        }
    )
    check = AssertionCheck(settings.make_assertions(), SmokeDatabase(parse_dsn(watch.url)[0]))
    [finding] = (await look(watch, 0, check)).record.report.findings
    assert finding.code == "AW319"
    again = (await look(watch, 1, a_check(watch, BALANCE))).record.report
    assert again.findings == (), "the table is there, with its one row"


async def test_hostile_names_are_names(watch: Watch) -> None:
    await watch.run(
        'create schema "a""b"; create table "a""b"."c.d" ("e{}%s" timestamptz);'
        'insert into "a""b"."c.d" values (now())'
    )
    hostile = FRESH | {"fresh": '"a""b"."c.d"."e{}%s"', "where": "true -- all"}
    seen = await look(watch, 0, a_check(watch, hostile))
    assert seen.record.report.findings == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"sql": None},
        {"fresh": "orders.at"},
        {"expect": ()},
        {"expect": "status == 200"},
        {"expect": "rows[0].n == {{ x }}"},
        {"expect": "rows[0].n ="},
        {"sql": None, "expect": (), "fresh": "orders.at"},
        {"sql": None, "expect": (), "fresh": "orders", "within": "1h"},
        {"severity": "awful"},
    ],
)
def test_what_cannot_be_meant_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read(BALANCE | changes)


def test_no_two_have_the_same_name() -> None:
    with pytest.raises(ValidationError, match="two assertions of one name"):
        read(BALANCE, BALANCE)


async def test_a_state_survives_the_ledger(watch: Watch) -> None:
    await watch.run(TABLES)
    await look(watch, 0, a_check(watch, BALANCE, FRESH))
    kept = await watch.store.load_check("test", "app", CheckName.DATA)
    assert kept is not None
    assert [state.holds for state in kept.report.assertions] == [True, True]
    assert msgspec.json.encode(kept)
