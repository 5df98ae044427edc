"""The agent described to Railway: what stands in the file, and what never does."""

import re
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config import load_config
from monitor.config.railway import (
    Plan,
    Store,
    check_plan,
    list_variables,
    read_databases,
    write_block,
    write_file,
)
from monitor.core.errors import UsageError

APP = Plan(databases={"app": "Postgres"})
PLANS = [
    Plan(databases=databases, store=store, is_unpooled=is_unpooled)
    for databases, store, is_unpooled in product(
        ({"app": "Postgres"}, {"app": "Postgres", "class": "Billing DB"}), Store, (False, True)
    )
]


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: f"{len(plan.databases)}-{plan.store}")
def test_every_variable_is_a_setting(plan: Plan) -> None:
    given_ = {
        "URL": "postgresql://u:pw@h/d",
        "WEBHOOK_URL": "https://hooks.example/x",
        "TOKEN": "a-token",
        "SECRET": "a-long-secret-of-letters",
    }
    given_ |= {"HEARTBEAT_URL": "https://hc-ping.example/x", "ENVIRONMENTS": "production"}
    environ = {
        one.name: next(value for key, value in given_.items() if one.name.endswith(key))
        for one in list_variables(plan)
        if one.name.startswith("ANCHORWATCH_")
    }
    environ["ANCHORWATCH_SLACK__WEBHOOK_URL"] = given_["WEBHOOK_URL"]
    environ["ANCHORWATCH_HEARTBEAT_URL"] = given_["HEARTBEAT_URL"]
    loaded = load_config(environ, cwd=Path("/nonexistent"))
    assert loaded.problems == ()
    assert set(loaded.settings.databases) == set(plan.databases)


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: f"{len(plan.databases)}-{plan.store}")
def test_names_are_declared_imported_and_listed(plan: Plan) -> None:
    text = write_file(plan)
    code = re.sub(r'//[^\n]*|"[^"]*"', "", text)
    declared = re.findall(r"const (\w+) =", code)
    assert re.findall(r"\w+", text.rsplit("resources: [", 1)[1].split("]")[0]) == declared
    imported = set(re.findall(r"\w+", code.split("{", 1)[1].split("}")[0]))
    assert set(re.findall(r"\b(\w+)\(", code)) - {"defineRailway"} <= imported
    assert imported <= set(re.findall(r"\b(\w+)\(", code))
    for one in list_variables(plan):
        assert f"{one.name}: {one.value}," in text
        assert one.is_secret == (one.value == "preserve()")


def test_a_block_is_the_middle_of_the_file() -> None:
    middle = [line for line in write_block(APP).splitlines() if not line.startswith("//")]
    assert "\n".join(f"  {line}" for line in middle) in write_file(APP)


def test_databases_are_read_from_pairs() -> None:
    assert read_databases(["app=Postgres", "Billing DB"]) == {
        "app": "Postgres",
        "billing_db": "Billing DB",
    }


@pytest.mark.parametrize("pairs", [["A-b=P"], ["=P"], ["a=P", "a=Q"], ["a=P", "b=P"]])
def test_pairs_that_cannot_be_meant_are_refused(pairs: list[str]) -> None:
    with pytest.raises(UsageError):
        read_databases(pairs)


@pytest.mark.parametrize(
    "plan",
    [
        Plan(databases={"app": ""}),
        Plan(databases={"app": 'P"); steal("'}),
        Plan(databases={"app": "anchorwatch"}),
        Plan(databases={"app": "Anchorwatch-Store"}),
        Plan(databases={"app": "P\nQ"}),
        Plan(databases={"app": "Postgres"}, service=" "),
        Plan(databases={"app": "Postgres"}, repository="nothing"),
        Plan(databases={"app": "Postgres"}, branch='main"'),
    ],
)
def test_names_that_railway_cannot_have_are_refused(plan: Plan) -> None:
    with pytest.raises(UsageError):
        check_plan(plan)


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_name_that_passes_stays_inside_of_its_quotes(service: str, agent: str) -> None:
    plan = Plan(databases={"app": service}, service=agent)
    try:
        check_plan(plan)
    except UsageError:
        return
    text = write_file(plan)
    assert text.count("\n") == write_file(APP).count("\n")
    assert text.count('"') == write_file(APP).count('"')
    assert text.isascii()
