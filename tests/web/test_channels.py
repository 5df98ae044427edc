"""Channels on the page and through the API: what waits, which takes nothing, and a test."""

import html
import re

from monitor.core.channel_health import Trouble, break_channel
from monitor.core.incidents import EventKind
from monitor.sinks.store import Store
from tests.sinks.builders import told
from tests.web.builders import NOW, a_view, client_of


async def test_each_channel_is_listed_with_what_waits(store: Store) -> None:
    assert await store.commit(told(1, EventKind.OPENED, "slack"))
    incident, event = break_channel("production", "webhook:ops", Trouble(NOW, "Gone."), NOW)
    assert await store.open_channel_incident(incident, event, ["slack"])
    async with client_of(a_view(store)) as client:
        body = (await client.get("/api/channels")).json()
        page = (await client.get("/channels", headers={"Accept": "text/html"})).text
    slack, hook = body["channels"]
    assert (slack["name"], slack["kind"], slack["pending"] >= 2) == ("slack", "slack", True)
    assert (slack["broken"], hook["broken"]) == (None, incident.id)
    assert f"/incidents/{incident.id}" in page
    assert "takes nothing" in page


async def test_of_a_channel_there_are_no_looks_to_list(store: Store) -> None:
    incident, event = break_channel("production", "webhook:ops", Trouble(NOW, "Gone."), NOW)
    assert await store.open_channel_incident(incident, event, ["slack"])
    async with client_of(a_view(store)) as client:
        page = (await client.get(f"/incidents/{incident.id}")).text
        other = (await client.get("/incidents/5e1f00d5ea11")).text
    assert "anchorwatch notify --test webhook:ops" in page
    assert "Looks while it lasted" not in page
    assert "Looks while it lasted" in other


async def test_a_test_message_says_what_became_of_it(store: Store) -> None:
    async with client_of(a_view(store)) as client:
        taken = (await client.post("/api/channels/slack/test")).json()
        assert (taken["ok"], taken["receipt"], taken["error"]) == (True, "HTTP 200", None)
        refused = (await client.post("/api/channels/webhook:ops/test")).json()
        assert refused["ok"] is False
        assert refused["error"] == {
            "code": "server",
            "message": "It answered 500.",
            "next": "Look.",
        }
        assert (await client.post("/api/channels/nowhere/test")).status_code == 404
        headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
        page = await client.post("/channels/webhook:ops/test", headers=headers)
    assert page.status_code == 200
    assert "Not taken" in page.text
    assert "It answered 500." in page.text


async def test_without_channels_the_page_says_how_to_get_one(store: Store) -> None:
    async with client_of(a_view(store, channels=[])) as client:
        page = await client.get("/channels", headers={"Accept": "text/html"})
    assert "nobody is told anything" in page.text


async def test_what_became_of_a_test_is_not_asked_for_again_by_the_script(store: Store) -> None:
    """Its address takes no GET: the script would say that the agent does not answer."""
    headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
    async with client_of(a_view(store), headers=headers) as client:
        assert "<body data-still>" in (await client.post("/channels/slack/test")).text
        assert "data-still" not in (await client.get("/channels")).text


async def test_the_page_of_a_channels_incident_leads_nowhere_that_is_not(store: Store) -> None:
    incident, event = break_channel("production", "webhook:ops", Trouble(NOW, "Gone."), NOW)
    assert await store.open_channel_incident(incident, event, ["slack"])
    async with client_of(a_view(store), headers={"Accept": "text/html"}) as client:
        page = (await client.get(f"/incidents/{incident.id}")).text
        links = set(re.findall(r'href="(/[^"#]*)', page))
        assert len(links) > 5
        for link in sorted(links):
            answer = await client.get(html.unescape(link))
            assert answer.status_code == 200, link
