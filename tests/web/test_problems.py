import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from monitor.sinks.store import Store
from monitor.web.app import make_app
from monitor.web.limits import MAX_BODY
from tests.web.builders import SECRET, a_client, a_view, client_of


def check_shape(document: Any) -> None:
    assert document.keys() == {"format", "error"}
    assert document["format"] == 1
    assert document["error"].keys() == {"code", "message", "next"}
    assert all(text and isinstance(text, str) for text in document["error"].values())


async def test_every_route_refuses_a_wrong_method_in_the_one_shape(store: Store) -> None:
    app = make_app(a_view(store))
    described = app.openapi()["paths"]
    offered = {path: next(iter(methods)).upper() for path, methods in described.items()}
    paths = [*described, "/", "/databases/x", "/incidents/x", "/incidents", "/login"]
    async with a_client(app) as client:
        for path in paths:
            answer = await client.request("PATCH", path)
            assert answer.status_code == 405, path
            assert offered.get(path, "GET") in answer.headers["allow"]
            check_shape(answer.json())


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nope", 404),
        ("/api/nope", 404),
        ("/api/databases/", 404),
        ("/api/databases/nope", 404),
        ("/api/databases/nope/snapshot", 404),
        ("/api/incidents/nope", 404),
        ("/databases/nope", 404),
        ("/incidents/nope", 404),
        ("/static/nope.css", 404),
        ("/static/../app.py", 404),
        ("/static/%2e%2e/app.py", 404),
        ("/api/incidents?state=sideways", 422),
        ("/api/incidents?limit=0", 422),
        ("/api/incidents?limit=many", 422),
        ("/api/databases/" + "x" * 300, 422),
    ],
)
async def test_what_is_not_there_or_not_valid_is_said_in_the_one_shape(
    store: Store, path: str, status: int
) -> None:
    async with client_of(a_view(store), headers={"Accept": "application/json"}) as client:
        answer = await client.get(path)
    assert answer.status_code == status
    check_shape(answer.json())


async def test_a_parameter_that_is_not_valid_is_named_and_not_repeated(store: Store) -> None:
    async with client_of(a_view(store)) as client:
        answer = await client.get(f"/api/incidents?state={SECRET}")
    assert "query.state" in answer.json()["error"]["message"]
    assert SECRET not in answer.text


@pytest.mark.parametrize("path", ["/", "/api/databases", "/metrics", "/livez"])
@pytest.mark.parametrize("accept", ["text/html", "*/*"])
async def test_a_failure_that_nobody_foresaw_tells_nothing(
    store: Store, path: str, accept: str, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> Any:
        message = f"password={SECRET}"
        raise RuntimeError(message)

    view = a_view(store, configured=fail, render_metrics=fail, is_alive=fail)
    with caplog.at_level(logging.CRITICAL):
        async with client_of(view, headers={"Accept": accept}) as client:
            answer = await client.get(path)
    assert answer.status_code == 500
    assert SECRET not in answer.text
    assert "RuntimeError" not in answer.text
    assert "nobody foresaw" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_a_planted_secret_is_in_no_answer(store: Store) -> None:
    view = a_view(store, api_token=SECRET, metrics_token=SECRET + "2", is_loopback=False)
    paths = [
        # The stream has no end, and says names and states alone.
        *(path for path in make_app(view).openapi()["paths"] if path != "/api/events"),
        "/api/openapi.json",
        "/",
        "/incidents",
        "/incidents/5e1f00d5ea11",
        "/databases/billing",
        "/api/databases/billing",
        "/api/incidents/5e1f00d5ea11",
        "/login",
        "/nope",
        "/static/page.js",
    ]
    for headers in ({}, {"Authorization": f"Bearer {SECRET}"}):
        async with client_of(view, headers=headers) as client:
            for path in paths:
                for accept in ("text/html", "application/json"):
                    answer = await client.get(path, headers={"Accept": accept})
                    assert SECRET not in answer.text
                    assert SECRET not in str(answer.headers)


async def test_a_body_that_is_too_long_is_refused_before_it_is_held(store: Store) -> None:
    sent = 0

    async def send_for_ever() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 20 * MAX_BODY:
            sent += 65_536
            yield b"x" * 65_536

    async with client_of(a_view(store)) as client:
        kind = {"Content-Type": "application/json"}
        path = "/api/databases/billing/accept"
        answer = await client.post(path, content=send_for_ever(), headers=kind)
    assert answer.status_code == 413
    check_shape(answer.json())
