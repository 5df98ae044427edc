"""What holds for every address there is, those of tomorrow included."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from monitor.sinks.delivery import Outcome
from monitor.sinks.store import Store
from monitor.web.app import make_app
from tests.web.builders import SECRET, a_client, a_view, client_of
from tests.web.sites import PAGES

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
FILLED = {
    "name": "billing",
    "incident_id": "5e1f00d5ea11",
    "finding": "41a13b09d499",
    "secret": "nonsense",
    "silence_id": "51e9ce51e9ce",
    "channel": "slack",
}
OPEN = {"/livez", "/readyz", "/login", "/logout"}


def list_routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Method and address of everything that is answered."""
    for route in iter_route_contexts(app.routes):
        if route.path is not None and route.methods:
            address = re.sub(r"{(\w+)}", lambda match: FILLED[match[1]], route.path)
            for method in sorted(route.methods):
                yield method, address


async def test_nothing_that_changes_something_is_taken_from_another_site(store: Store) -> None:
    app = make_app(a_view(store, api_token=SECRET))
    routes = [(m, a) for m, a in list_routes(app) if m in UNSAFE and not a.startswith("/hooks/")]
    assert len(routes) >= 8
    known = {"Authorization": f"Bearer {SECRET}"}
    async with a_client(app, headers=known) as client:
        for method, address in routes:
            for foreign in (
                {"Sec-Fetch-Site": "cross-site"},
                {"Sec-Fetch-Site": "same-site"},
                {"Origin": "https://evil.example"},
                {"Origin": "null"},
            ):
                answer = await client.request(method, address, headers=foreign)
                assert answer.status_code == 403, (method, address, foreign)
                assert "foreign_origin" in answer.text


@pytest.mark.parametrize("token", [None, SECRET])
async def test_beyond_this_machine_nothing_is_shown_without_a_token(
    store: Store, token: str | None
) -> None:
    app = make_app(a_view(store, api_token=token, is_loopback=False))
    routes = list(list_routes(app))
    assert len(routes) >= 20
    async with a_client(app) as client:
        for method, address in routes:
            if address in OPEN or address.startswith("/hooks/"):
                continue
            for accept in ("text/html", "application/json"):
                answer = await client.request(method, address, headers={"Accept": accept})
                assert answer.status_code == 401, (method, address)
                assert "billing" not in answer.text.replace(address, "")


@pytest.mark.parametrize("page", PAGES)
async def test_no_page_has_a_script_a_style_or_a_handler_in_it(full: Store, page: str) -> None:
    async with client_of(a_view(full), headers={"Accept": "text/html"}) as client:
        answer = await client.get(PAGES[page])
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    tags = re.findall(r"<[a-zA-Z][^>]*>", answer.text)
    assert tags
    for tag in tags:
        bare = re.sub(r'"[^"]*"', '""', tag)
        assert not re.search(r"\s(style|on\w+)=", bare), tag
        assert not tag.startswith(("<style", "<iframe", "<object", "<base")), tag
        assert not re.search(r'(href|src|action)="\s*(javascript|data):', tag), tag
    assert re.findall(r"<script[^>]*>", answer.text) in (
        [],
        ['<script src="/static/page.js" defer>'],
    )


class Planted:
    """A ledger into which a channel's answer brought a secret of this agent."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def list_deliveries(self, incident: str) -> list[Outcome]:
        found = await self._store.list_deliveries(incident)
        return [replace(one, receipt=f"HTTP 200 {SECRET}") for one in found]


async def test_a_planted_secret_is_on_no_page_and_in_no_document(full: Store) -> None:
    secrets = {
        name: f"{SECRET}-{name}"
        for name in ("metrics_token", "push_token", "railway_secret", "deploy_secret")
    }
    planted: Any = Planted(full)
    view = a_view(planted, api_token=SECRET, is_loopback=False, **secrets)
    app = make_app(view)
    seen = 0
    async with a_client(app, headers={"Authorization": f"Bearer {SECRET}"}) as client:
        addresses = {address for method, address in list_routes(app) if method == "GET"}
        for address in sorted({*addresses, *PAGES.values()} - {"/api/events"}):
            for accept in ("text/html", "application/json"):
                answer = await client.get(address, headers={"Accept": accept})
                seen += answer.status_code == 200
                assert SECRET not in answer.text, address
                assert SECRET not in str(answer.headers), address
    assert seen >= 20
