import pytest
from structlog.testing import capture_logs

from monitor.sinks.store import Store
from monitor.web.auth import COOKIE
from monitor.web.login import MAX_FORM
from tests.web.builders import SECRET, a_view, client_of


async def test_the_token_is_traded_for_a_cookie_that_opens_the_page(store: Store) -> None:
    async with client_of(a_view(store, api_token=SECRET)) as client:
        answer = await client.post("/login", data={"token": SECRET, "back": "/incidents"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/incidents")
        cookie = answer.headers["set-cookie"]
        assert (await client.get("/")).status_code == 200
        assert (await client.get("/api/databases")).status_code == 200
        await client.post("/logout")
        assert (await client.get("/")).status_code == 401
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Secure" not in cookie
    assert SECRET not in cookie


@pytest.mark.parametrize("proto", ["https", "https,http"])
async def test_the_cookie_is_secure_where_the_proxy_speaks_https(store: Store, proto: str) -> None:
    async with client_of(a_view(store, api_token=SECRET)) as client:
        answer = await client.post(
            "/login", data={"token": SECRET}, headers={"X-Forwarded-Proto": proto}
        )
    assert "Secure" in answer.headers["set-cookie"]


@pytest.mark.parametrize("token", ["", "wrong", SECRET + "x"])
async def test_a_wrong_token_gets_the_form_again_and_a_line_in_the_log(
    store: Store, token: str
) -> None:
    async with client_of(a_view(store, api_token=SECRET)) as client:
        with capture_logs() as logs:
            answer = await client.post("/login", data={"token": token})
    assert answer.status_code == 401
    assert "That is not the token." in answer.text
    assert COOKIE not in answer.headers.get("set-cookie", "")
    assert [entry["event"] for entry in logs] == ["a login failed"]
    assert not token or token not in str(logs)


async def test_without_a_token_nobody_logs_in(store: Store) -> None:
    async with client_of(a_view(store, is_loopback=False)) as client:
        for token in ("", "None"):
            answer = await client.post("/login", data={"token": token})
            assert answer.status_code == 401
            assert "set-cookie" not in answer.headers
        assert "nothing to log in to" in (await client.get("/login")).text


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "/x\r\nSet-Cookie: a=b",
        "",
    ],
)
async def test_the_way_back_leads_nowhere_else(store: Store, back: str) -> None:
    async with client_of(a_view(store, api_token=SECRET)) as client:
        answer = await client.post("/login", data={"token": SECRET, "back": back})
    assert answer.headers["location"] == "/"


async def test_a_form_that_is_too_large_is_not_read(store: Store) -> None:
    async with client_of(a_view(store, api_token=SECRET)) as client:
        answer = await client.post("/login", content=b"x" * (MAX_FORM + 1))
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "too_large"
