"""Accepting on the page and through the API: what was seen, with a reason, and nothing else."""

from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest

from monitor.core.waivers import Acceptance
from monitor.sinks.store import Store, open_store
from monitor.sinks.writing import write_told
from monitor.web.view import View
from tests.conftest import MakeDatabase
from tests.web.builders import (
    HOSTILE,
    NOW,
    SECRET,
    a_view,
    client_of,
    drifted_findings,
    plant_fleet,
)
from tests.web.waived import plant_waived

UNIQUE, AMOUNT, VIEW, INDEX = drifted_findings()
ACCEPT = "/api/databases/billing/accept"
ACCEPTED = "/api/databases/billing/accepted"
REASON = "The vendor made it so."


async def post(view: View, path: str = ACCEPT, **body: Any) -> httpx.Response:
    async with client_of(view) as client:
        return await client.post(path, json={"reason": REASON, **body})


async def send_form(view: View, path: str, **fields: str) -> httpx.Response:
    headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
    async with client_of(view, headers=headers) as client:
        return await client.post(path, data=fields)


async def list_all(store: Store, database: str = "billing") -> list[Acceptance]:
    return await store.list_acceptances("production", database)


def check_error(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["code"] == code
    assert all(error.values())


# The API


async def test_one_finding_is_accepted_as_it_is(store: Store) -> None:
    choice = {"id": AMOUNT.id, "digest": AMOUNT.digest}
    answer = await post(a_view(store), findings=[choice], until="2027-01-31", by="ops")
    assert answer.status_code == 200, answer.text
    document = answer.json()
    assert (document["format"], document["database"]) == (1, "billing")
    (told,) = document["accepted"]
    assert told == {
        "id": AMOUNT.id,
        "code": "AW209",
        "kind": "column",
        "schema": "public",
        "parent": "invoices",
        "name": "amount",
        "title": AMOUNT.title,
        "digest": AMOUNT.digest,
        "reason": REASON,
        "until": "2027-01-31",
        "by": "ops",
        "at": "2026-03-14T09:26:53Z",
        "standing": "waits",
    }
    (kept,) = await list_all(store)
    assert (kept.finding, kept.digest, kept.by) == (AMOUNT.id, AMOUNT.digest, "ops")


async def test_without_a_choice_all_that_can_be_is_accepted(store: Store) -> None:
    assert (await post(a_view(store))).status_code == 200
    assert {one.finding for one in await list_all(store)} == {
        finding.id for finding in drifted_findings()
    }


async def test_all_is_accepted_only_while_it_is_what_was_shown(store: Store) -> None:
    async with client_of(a_view(store)) as client:
        seen = (await client.get("/api/databases/billing")).json()["seen"]
    check_error(await post(a_view(store), seen="0" * 16), 409, "finding_changed")
    assert await list_all(store) == []
    assert (await post(a_view(store), seen=seen)).status_code == 200


async def test_a_finding_that_changed_since_it_was_shown_is_not_accepted(store: Store) -> None:
    choices = [{"id": INDEX.id}, {"id": AMOUNT.id, "digest": "0" * 16}]
    check_error(await post(a_view(store), findings=choices), 409, "finding_changed")
    assert await list_all(store) == []


async def test_one_that_is_unknown_keeps_the_others_from_being_accepted(store: Store) -> None:
    choices = [{"id": AMOUNT.id}, {"id": "0" * 12}]
    check_error(await post(a_view(store), findings=choices), 404, "not_found")
    assert await list_all(store) == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"reason": ""}, 422, "usage"),
        ({"reason": " \n "}, 422, "usage"),
        ({"reason": "x" * 10_000}, 422, "usage"),
        ({"reason": "</script>" * 200}, 422, "usage"),
        ({"until": "2026-03-13"}, 422, "usage"),
        ({"until": "soon"}, 422, "usage"),
        ({"reason": 7}, 422, "invalid"),
        ({"findings": []}, 422, "invalid"),
        ({"findings": ["x"]}, 422, "invalid"),
        ({"findings": [{"id": "x" * 101}]}, 422, "invalid"),
    ],
)
async def test_what_cannot_be_accepted_is_said_and_not_repeated(
    store: Store, body: dict[str, Any], status: int, code: str
) -> None:
    answer = await post(a_view(store), **body)
    check_error(answer, status, code)
    assert "xxx" not in answer.text
    assert "script" not in answer.text
    assert await list_all(store) == []


async def test_a_database_that_could_not_be_looked_at_has_nothing_to_accept(store: Store) -> None:
    for name in ("ledger", "warehouse", "archive"):
        answer = await post(a_view(store), f"/api/databases/{name}/accept")
        check_error(answer, 409, "unknown")


async def test_an_unknown_database_is_not_found(store: Store) -> None:
    async with client_of(a_view(store)) as client:
        for answer in (
            await client.post("/api/databases/nope/accept", json={"reason": REASON}),
            await client.get("/api/databases/nope/accepted"),
            await client.delete(f"/api/databases/nope/accepted/{AMOUNT.id}"),
            await client.get(f"{ACCEPTED}?environment=staging"),
        ):
            check_error(answer, 404, "not_found")


async def test_what_is_accepted_is_listed_and_withdrawn(store: Store) -> None:
    view = a_view(store)
    await post(view, findings=[{"id": AMOUNT.id}, {"id": INDEX.id}])
    async with client_of(view) as client:
        listed = (await client.get(ACCEPTED)).json()["accepted"]
        assert {one["id"] for one in listed} == {AMOUNT.id, INDEX.id}
        gone = await client.delete(f"{ACCEPTED}/{AMOUNT.id}")
        assert [one["id"] for one in gone.json()["accepted"]] == [AMOUNT.id]
        check_error(await client.delete(f"{ACCEPTED}/{AMOUNT.id}"), 404, "not_found")
    assert [one.finding for one in await list_all(store)] == [INDEX.id]


async def test_a_reason_and_a_day_can_be_corrected_later(store: Store) -> None:
    await post(a_view(store), findings=[{"id": AMOUNT.id}])
    await post(a_view(store), findings=[{"id": AMOUNT.id}], reason="Better.", until="2026-03-14")
    (kept,) = await list_all(store)
    assert (kept.reason, str(kept.until)) == ("Better.", "2026-03-14")


async def test_a_look_is_asked_for_so_that_nobody_waits(store: Store) -> None:
    asked: list[tuple[str, str]] = []

    def ask(environment: str, database: str) -> bool:
        asked.append((environment, database))
        return True

    view = a_view(store, ask=ask)
    await post(view, findings=[{"id": AMOUNT.id}])
    async with client_of(view) as client:
        await client.delete(f"{ACCEPTED}/{AMOUNT.id}")
    assert asked == [("production", "billing")] * 2


async def test_a_database_says_what_is_accepted_and_ignored_and_why(store: Store) -> None:
    await plant_waived(store)
    async with client_of(a_view(store)) as client:
        listed = (await client.get("/api/databases")).json()["databases"]
        found = (await client.get("/api/databases/orders")).json()
    counts = {one["name"]: one["waived"] for one in listed}
    assert counts["orders"] == {"accepted": 1, "ignored": 3}
    assert counts["archive"] == {"accepted": 0, "ignored": 0}
    (accepted,) = found["accepted"]
    assert (accepted["code"], accepted["until"], accepted["by"]) == (
        "AW282",
        "2026-12-31",
        "the page",
    )
    assert {one["rule"]["object"] for one in found["ignored"]} == {
        "table:public.spatial_ref_sys",
        "table:public.tmp_*",
    }
    assert [f["class"] for f in found["findings"]].count("upkeep") == 1


# Who may


async def test_nobody_accepts_without_the_token_or_from_another_site(store: Store) -> None:
    guarded = a_view(store, api_token=SECRET, is_loopback=False)
    check_error(await post(guarded), 401, "unauthorized")
    async with client_of(guarded) as client:
        check_error(await client.delete(f"{ACCEPTED}/{AMOUNT.id}"), 401, "unauthorized")
        form = await client.post("/databases/billing/accept", data={"reason": REASON})
        assert form.status_code == 401
    foreign = {"Sec-Fetch-Site": "cross-site"}
    async with client_of(a_view(store), headers=foreign) as client:
        for path in (ACCEPT, "/databases/billing/accept", "/databases/billing/withdraw"):
            check_error(await client.post(path, json={"reason": REASON}), 403, "foreign_origin")
    assert await list_all(store) == []


async def test_with_the_token_it_can_be_done(store: Store) -> None:
    guarded = a_view(store, api_token=SECRET, is_loopback=False)
    async with client_of(guarded, headers={"Authorization": f"Bearer {SECRET}"}) as client:
        assert (await client.post(ACCEPT, json={"reason": REASON})).status_code == 200


# The ledger


async def test_a_ledger_that_takes_no_writes_is_said(make_database: MakeDatabase) -> None:
    url = await make_database()
    async with open_store(url) as store:
        await plant_fleet(store)
        connection = await asyncpg.connect(url)
        name = await connection.fetchval("SELECT quote_ident(current_database())")
        await connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        await connection.close()
        await store._backend.close()  # the next connection takes no writes
        answer = await post(a_view(store))
        check_error(answer, 503, "store")
        assert "takes no writes" in answer.text
        form = await send_form(a_view(store), "/databases/billing/accept", reason=REASON)
        assert form.status_code in (409, 503)


async def test_of_two_who_accept_at_once_the_last_one_is_kept(store: Store) -> None:
    await post(a_view(store), findings=[{"id": AMOUNT.id}], by="one")
    await post(a_view(store), findings=[{"id": AMOUNT.id}], by="two")
    assert [one.by for one in await list_all(store)] == ["two"]


# The page


async def test_the_form_accepts_what_it_showed_and_leads_back(store: Store) -> None:
    answer = await send_form(
        a_view(store),
        "/databases/billing/accept",
        environment="production",
        finding=AMOUNT.id,
        digest=AMOUNT.digest,
        reason="</script> & 'why'",
        until="",
    )
    assert answer.status_code == 303
    assert answer.headers["location"] == "/databases/billing?environment=production#accepted"
    (kept,) = await list_all(store)
    assert (kept.reason, kept.by, kept.until) == ("</script> & 'why'", "the page", None)
    async with client_of(a_view(store)) as client:
        page = (await client.get("/databases/billing")).text
    assert "&lt;/script&gt; &amp; &#39;why&#39;" in page
    assert "takes effect at the next look" in page
    assert "Accepted; the next look leaves it out." in page


async def test_the_form_for_all_accepts_only_what_was_shown(store: Store) -> None:
    view = a_view(store)
    async with client_of(view) as client:
        page = (await client.get("/databases/billing")).text
        seen = (await client.get("/api/databases/billing")).json()["seen"]
    assert f'name="seen" value="{seen}"' in page
    path = "/databases/billing/accept"
    assert (await send_form(view, path, reason=REASON)).status_code == 409
    assert (await send_form(view, path, reason=REASON, seen=seen)).status_code == 303
    assert len(await list_all(store)) == 4


@pytest.mark.parametrize(
    ("fields", "status", "told"),
    [
        ({"reason": ""}, 422, "The reason is empty."),
        ({"reason": "x" * 10_000}, 422, "more than 1000 characters"),
        ({"reason": "y" * 100_000}, 413, "too large"),
        ({"reason": REASON, "until": "2001-01-01"}, 422, "2001-01-01 is in the past"),
        ({"reason": REASON, "until": "31.1."}, 422, "That is no day."),
        ({"reason": REASON, "digest": "0" * 16}, 409, "It has changed since it was shown"),
        ({"reason": REASON, "finding": "x" * 200}, 404, "found nothing of this number"),
        ({"reason": REASON, "environment": HOSTILE}, 404, "No database of this name"),
    ],
)
async def test_what_a_form_gets_wrong_is_a_page_that_says_it(
    store: Store, fields: dict[str, str], status: int, told: str
) -> None:
    form = {"finding": AMOUNT.id, "digest": AMOUNT.digest, **fields}
    answer = await send_form(a_view(store), "/databases/billing/accept", **form)
    assert answer.status_code == status
    assert told in answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert await list_all(store) == []


async def test_the_page_withdraws(store: Store) -> None:
    await post(a_view(store), findings=[{"id": AMOUNT.id}])
    path = "/databases/billing/withdraw"
    answer = await send_form(a_view(store), path, finding=AMOUNT.id, environment="production")
    assert answer.status_code == 303
    assert await list_all(store) == []
    assert (await send_form(a_view(store), path, finding=AMOUNT.id)).status_code == 404
    assert (await send_form(a_view(store), path)).status_code == 404


async def test_the_page_shows_every_standing_and_every_rule(store: Store) -> None:
    await plant_waived(store)
    async with client_of(a_view(store)) as client:
        page = (await client.get("/databases/orders")).text
        overview = (await client.get("/")).text
    for told in (
        "takes effect at the next look",
        "has changed since, and is told again",
        "is not there at the moment",
        "Until 2026-12-31",
        "PostGIS brings it.",
        "table:public.tmp_*",
        "2 findings",
        "an ignore rule matches nothing",
    ):
        assert told in page, told
    assert page.count('class="quiet" id="withdraw-') == 4
    assert "1 accepted, 3 ignored" in overview


async def test_what_says_that_nobody_could_look_has_no_form(store: Store) -> None:
    async with client_of(a_view(store)) as client:
        page = (await client.get("/databases/ledger")).text
        incident = (await client.get("/incidents/5e1f00d5ea11")).text
    assert "Nothing listens" in page
    assert "/accept" not in page
    assert "/accept" not in incident


async def test_an_incident_that_ended_by_being_accepted_says_so(store: Store) -> None:
    (incident,) = await store.list_incidents("production", "billing")
    ended = msgspec.structs.replace(
        incident, id="acce97ed0000", waived=2, resolved_at=NOW + timedelta(seconds=1)
    )
    async with store._backend.writing() as connection:
        await write_told(connection, store._backend, incidents=(ended,), events=(), channels=())
    async with client_of(a_view(store)) as client:
        page = (await client.get("/incidents/acce97ed0000")).text
    assert "2 findings of it were accepted or ignored, not undone." in page
