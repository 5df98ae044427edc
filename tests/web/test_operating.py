"""Saying on the page and through the API that one is at an incident, and asking for quiet."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from monitor.core.findings import FindingClass
from monitor.core.incidents import Status
from monitor.sinks.store import Store
from monitor.web.view import View
from tests.web.builders import HOSTILE, NOW, a_view, client_of

OPEN, OVER = "5e1f00d5ea11", "01dd0c5eafed"
SILENCE = {"database": "billing", "reason": "we know", "for": "2h"}


async def send(view: View, method: str, path: str, **body: Any) -> httpx.Response:
    async with client_of(view) as client:
        return await client.request(method, path, json=body)


async def send_form(view: View, path: str, **fields: str) -> httpx.Response:
    headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
    async with client_of(view, headers=headers) as client:
        return await client.post(path, data=fields)


async def show(view: View, path: str) -> str:
    async with client_of(view, headers={"Accept": "text/html"}) as client:
        answer = await client.get(path)
    assert answer.status_code == 200
    return answer.text


def check_error(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["code"] == code
    assert all(error.values())


async def test_who_is_at_an_incident_is_noted_and_taken_back(store: Store) -> None:
    view = a_view(store)
    answer = await send(view, "POST", f"/api/incidents/{OPEN}/ack", note="on it", by="ann")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["format"], body["status"]) == (1, "acknowledged")
    assert body["acknowledged"] == {"by": "ann", "at": "2026-03-01T12:00:00Z", "note": "on it"} | {
        "at": body["acknowledged"]["at"]
    }
    found = await store.load_incident(OPEN)
    assert found is not None
    assert found.status is Status.ACKNOWLEDGED
    answer = await send(view, "DELETE", f"/api/incidents/{OPEN}/ack")
    assert answer.json()["acknowledged"] is None
    found = await store.load_incident(OPEN)
    assert found is not None
    assert found.status is Status.OPEN


async def test_what_is_over_or_is_not_there_needs_nobody(store: Store) -> None:
    view = a_view(store)
    check_error(await send(view, "POST", f"/api/incidents/{OVER}/ack"), 409, "incident_over")
    for method in ("POST", "DELETE"):
        check_error(await send(view, method, "/api/incidents/none/ack"), 404, "not_found")
    answer = await send(view, "POST", f"/api/incidents/{OPEN}/ack", note="x" * 2000)
    check_error(answer, 422, "usage")


async def test_an_incident_says_its_likely_cause_and_the_next_command(store: Store) -> None:
    body = (await send(a_view(store), "GET", f"/api/incidents/{OPEN}")).json()
    assert body["command"] == "anchorwatch check billing"
    assert "by hand" in body["cause"]
    page = await show(a_view(store), f"/incidents/{OPEN}")
    assert "Likely cause" in page
    assert "anchorwatch check billing" in page


async def test_a_silence_is_made_listed_and_ended(store: Store) -> None:
    view = a_view(store)
    answer = await send(view, "POST", "/api/silences", **SILENCE, **{"class": "drift"})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["database"], made["class"], made["object"]) == ("billing", "drift", "*")
    [kept] = await store.list_silences()
    assert (kept.id, kept.finding_class) == (made["id"], FindingClass.DRIFT)
    assert kept.until - kept.at == timedelta(hours=2)
    listed = (await send(view, "GET", "/api/silences")).json()
    assert listed == {"format": 1, "silences": [made]}
    answer = await send(view, "DELETE", f"/api/silences/{made['id']}")
    assert answer.status_code == 200
    assert (await send(view, "GET", "/api/silences")).json()["silences"] == []
    check_error(await send(view, "DELETE", f"/api/silences/{made['id']}"), 404, "not_found")


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": ""},
        {"for": None},
        {"until": "2099-01-01"},
        {"for": "90d"},
        {"for": "soon"},
        {"for": None, "until": "yesterday"},
        {"for": None, "until": "0001-01-01T00:00+23:59"},
        {"class": "everything"},
        {"object": "no kind"},
        {"database": ""},
        {"environment": "a\0b"},
    ],
)
async def test_a_silence_that_makes_no_sense_is_refused(
    store: Store, changes: dict[str, Any]
) -> None:
    answer = await send(a_view(store), "POST", "/api/silences", **{**SILENCE, **changes})
    check_error(answer, 422, "usage")
    assert await store.list_silences() == []


async def test_a_person_acknowledges_and_withdraws_on_the_page(store: Store) -> None:
    view = a_view(store)
    answer = await send_form(view, f"/incidents/{OPEN}/ack", note=HOSTILE)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/incidents/{OPEN}#do")
    page = await show(view, f"/incidents/{OPEN}")
    assert "Acknowledged by" in page
    assert "I am at it…" not in page
    assert "<script>alert" not in page
    answer = await send_form(view, f"/incidents/{OPEN}/ack", withdraw="yes")
    assert answer.status_code == 303
    assert "I am at it…" in await show(view, f"/incidents/{OPEN}")


async def test_a_person_asks_for_quiet_and_ends_it_on_the_page(store: Store) -> None:
    view = a_view(store)
    fields = {"database": "billing", "environment": "*", "class": "", "for": "1h"}
    answer = await send_form(view, "/silences", **fields, reason=HOSTILE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/silences")
    page = await show(view, "/silences")
    assert "everything of billing" in page
    [made] = await store.list_silences(after=NOW)
    answer = await send_form(view, f"/silences/{made.id}/end")
    assert answer.status_code == 303
    assert "Nothing is silenced." in await show(view, "/silences")


async def test_what_is_over_offers_nothing_to_do(store: Store) -> None:
    page = await show(a_view(store), f"/incidents/{OVER}")
    assert "I am at it…" not in page
    assert "Keep it quiet…" not in page
