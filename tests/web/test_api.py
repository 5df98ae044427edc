import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from monitor.core.verdict import State
from monitor.sinks.store import Store
from monitor.web.app import make_app
from monitor.web.view import Configured
from tests.web.builders import (
    HOSTILE,
    NOW,
    a_client,
    a_record,
    a_report,
    a_view,
    client_of,
    commit,
    list_configured,
    plant_hostile,
)


async def fetch(store: Store, path: str, status: int = 200, **changes: Any) -> Any:
    async with client_of(a_view(store, **changes)) as client:
        answer = await client.get(path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    return answer.json()


async def by_name(store: Store, **changes: Any) -> dict[str, dict[str, Any]]:
    document = await fetch(store, "/api/databases", **changes)
    return {database["name"]: database for database in document["databases"]}


async def test_every_database_has_the_fields_of_the_contract(store: Store) -> None:
    document = await fetch(store, "/api/databases")
    promised = {
        "name",
        "environment",
        "state",
        "since",
        "revision",
        "expected",
        "differences",
        "last_look",
    }
    assert document["format"] == 1
    assert all(promised <= database.keys() for database in document["databases"])
    assert [d["name"] for d in document["databases"]] == sorted(d.name for d in list_configured())


async def test_a_drifted_database_says_how_much_and_since_when(store: Store) -> None:
    billing = (await by_name(store))["billing"]
    assert billing["state"] == "drifted"
    assert billing["since"] == "2026-03-14T08:42:53Z"
    assert billing["last_look"] == "2026-03-14T09:26:31Z"
    assert billing["revision"] == billing["expected"] == "4f0c2a9d71be"
    assert billing["differences"] == 4
    assert billing["severity"] == "critical"
    assert billing["by_severity"] == {"critical": 1, "warning": 3, "info": 0}


async def test_what_could_not_be_looked_at_has_no_number_of_differences(store: Store) -> None:
    databases = await by_name(store)
    assert databases["accounts"]["differences"] == 0
    assert databases["ledger"]["differences"] is None
    assert databases["warehouse"]["differences"] is None


async def test_a_database_that_was_never_looked_at_is_unknown(store: Store) -> None:
    archive = (await by_name(store))["archive"]
    assert archive["state"] == "unknown"
    assert archive["last_look"] is None
    assert archive["problem"] == "databases.archive.url: the variable ARCHIVE_URL is not set."


async def test_several_revisions_are_joined_and_none_is_null(store: Store) -> None:
    report = a_report("twoheads", State.MULTIPLE_HEADS, revisions=("a1", "b2"))
    await commit(store, a_record(report))
    databases = await by_name(store)
    assert databases["twoheads"]["revision"] == "a1,b2"
    assert databases["search"]["revision"] is None


async def test_a_database_nobody_looks_at_any_more_is_overdue(store: Store) -> None:
    late = await by_name(store, clock=lambda: datetime(2026, 3, 14, 9, 40, tzinfo=UTC))
    on_time = await by_name(store)
    assert late["accounts"]["overdue"] is True
    assert on_time["accounts"]["overdue"] is False


async def test_a_deploy_window_is_told_while_it_is_open(store: Store) -> None:
    during = await by_name(store)
    after = await by_name(store, clock=lambda: datetime(2026, 3, 14, 10, tzinfo=UTC))
    assert during["catalogue"]["window_until"] == "2026-03-14T09:33:53Z"
    assert after["catalogue"]["window_until"] is None


async def test_one_database_has_everything_that_is_known(store: Store) -> None:
    billing = await fetch(store, "/api/databases/billing")
    assert billing["format"] == 1
    first = billing["findings"][0]
    assert (first["severity"], first["code"], first["class"]) == ("critical", "AW213", "drift")
    assert (first["kind"], first["schema"], first["parent"], first["name"]) == (
        "unique",
        "public",
        "invoices",
        "invoices_number_key",
    )
    assert first["evidence"] == [
        {"name": "columns", "expected": ["tenant_id", "number"], "actual": None}
    ]
    assert billing["notes"] == ["The columns of table public.customers stand in another order."]
    assert [i["status"] for i in billing["incidents"]] == ["open", "resolved"]
    assert billing["looks"][0]["findings"] == 4
    assert billing["server_version"] == 160004


async def test_unknowns_carry_the_next_step(store: Store) -> None:
    warehouse = await fetch(store, "/api/databases/warehouse")
    assert warehouse["unknowns"][0]["next"].startswith("GRANT SELECT ON")


async def test_of_two_databases_of_one_name_the_agents_own_environment_is_meant(
    store: Store,
) -> None:
    staging = a_report("billing", State.IN_SYNC, environment="staging")
    await commit(store, a_record(staging))
    assert (await fetch(store, "/api/databases/billing"))["environment"] == "production"
    asked = await fetch(store, "/api/databases/billing?environment=staging")
    assert asked["environment"] == "staging"
    await fetch(store, "/api/databases/billing?environment=nowhere", status=404)


async def test_the_last_snapshot_is_served_as_it_is(store: Store) -> None:
    assert await fetch(store, "/api/databases/billing/snapshot") == {"format": 1}
    missing = await fetch(store, "/api/databases/accounts/snapshot", status=404)
    assert missing["error"]["code"] == "no_snapshot"


async def test_a_look_can_be_asked_for(store: Store) -> None:
    asked: list[tuple[str, str]] = []

    def ask(environment: str, database: str) -> bool:
        asked.append((environment, database))
        return True

    async with client_of(a_view(store, ask=ask)) as client:
        answer = await client.post("/api/databases/billing/look")
    assert answer.status_code == 202
    assert answer.json() == {
        "format": 1,
        "name": "billing",
        "environment": "production",
        "last_look": "2026-03-14T09:26:31Z",
    }
    assert asked == [("production", "billing")]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("nope/look", 404, "not_found"),
        ("billing/look?environment=nowhere", 404, "not_found"),
        ("archive/look", 409, "not_looked_at"),
        ("billing/look", 409, "not_looked_at"),
    ],
)
async def test_who_asks_in_vain_is_told_why(
    store: Store, path: str, status: int, code: str
) -> None:
    view = a_view(store, ask=lambda _environment, _database: False)
    async with client_of(view) as client:
        answer = await client.post(f"/api/databases/{path}")
        assert (await client.get(f"/api/databases/{path}")).status_code == 405
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code


async def test_a_look_that_is_under_way_is_said(store: Store) -> None:
    (accounts, *_) = list_configured()
    looking = replace(accounts, is_looking=True)
    for configured, is_looking in ((accounts, False), (looking, True)):
        databases = await by_name(store, configured=lambda one=configured: [one])
        assert databases["accounts"]["looking"] is is_looking


async def test_incidents_are_the_open_ones_unless_all_are_asked_for(store: Store) -> None:
    opened = await fetch(store, "/api/incidents")
    everything = await fetch(store, "/api/incidents?state=all")
    of_one = await fetch(store, "/api/incidents?state=all&database=ledger")
    assert [i["database"] for i in opened["incidents"]] == ["billing", "ledger"]
    assert len(everything["incidents"]) == 3
    assert [i["class"] for i in of_one["incidents"]] == ["unreachable"]


async def test_an_incident_tells_its_events_and_where_they_went(store: Store) -> None:
    incident = await fetch(store, "/api/incidents/5e1f00d5ea11")
    assert [e["kind"] for e in incident["events"]] == ["opened"]
    assert [(d["channel"], d["status"]) for d in incident["deliveries"]] == [
        ("pager", "pending"),
        ("slack", "pending"),
    ]
    assert incident["headline"] == "4 schema differences"


async def test_hostile_text_survives_the_way_to_json_unchanged(store: Store) -> None:
    await plant_hostile(store)
    hostile = await fetch(store, "/api/databases/hostile")
    assert hostile["findings"][0]["name"] == HOSTILE
    assert hostile["revision"] == f"{HOSTILE},two"
    assert hostile["summary"] == HOSTILE


async def test_openapi_lists_every_route_that_answers_machines(store: Store) -> None:
    app = make_app(a_view(store))
    async with a_client(app) as client:
        document = (await client.get("/api/openapi.json")).json()
    assert sorted(document["paths"]) == [
        "/api/channels",
        "/api/channels/{channel}/test",
        "/api/databases",
        "/api/databases/{name}",
        "/api/databases/{name}/accept",
        "/api/databases/{name}/accepted",
        "/api/databases/{name}/accepted/{finding}",
        "/api/databases/{name}/lock",
        "/api/databases/{name}/look",
        "/api/databases/{name}/snapshot",
        "/api/events",
        "/api/incidents",
        "/api/incidents/{incident_id}",
        "/api/incidents/{incident_id}/ack",
        "/api/silences",
        "/api/silences/{silence_id}",
        "/hooks/deploy/{secret}",
        "/hooks/railway/{secret}",
        "/livez",
        "/metrics",
        "/readyz",
    ]
    look = document["paths"]["/api/databases/{name}/look"]["post"]
    assert look["responses"].keys() == {"202", "401", "403", "404", "409", "422", "503"}
    fields = document["components"]["schemas"]["DatabaseAnswer"]["properties"]
    assert "description" in fields["differences"]
    assert "class" in document["components"]["schemas"]["FindingAnswer"]["properties"]
    assert "HTTPBearer" in document["components"]["securitySchemes"]


async def test_openapi_speaks_of_no_other_shape_of_error(store: Store) -> None:
    async with client_of(a_view(store)) as client:
        text = (await client.get("/api/openapi.json")).text
    assert "HTTPValidationError" not in json.dumps(json.loads(text)["paths"])


@pytest.mark.parametrize("interval", [60.0, 0.5, None])
async def test_intervals_are_seconds_and_null_where_nobody_looks_unasked(
    store: Store, interval: float | None
) -> None:
    configured = [
        Configured(
            name="accounts", environment="production", expected=None, interval_seconds=interval
        )
    ]
    databases = await by_name(store, configured=lambda: configured, clock=lambda: NOW)
    assert databases["accounts"]["interval"] == interval
    assert databases["billing"]["enabled"] is False
